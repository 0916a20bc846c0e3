/* tgmon process: the post-agent pipeline over a run directory that something else made. */
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "core/pipeline/launch.h"
#include "core/runner/runner.h"

#define L(member) offsetof(struct tg_launch_opts, member)

static const struct tg_opt opts[] = {
	{ "evaluator", "NAME", "import, local or swebench (import with --eval-results)", TG_OPT_STR,
	  L(evaluator), 0 },
	{ "eval-results", "FILE", "an instance_results.jsonl to import", TG_OPT_STR, L(eval_results), 0 },
	{ "reports", "keep|scan", "keep existing security reports as the evidence, or scan anew", TG_OPT_STR,
	  L(reports), 0 },
	{ "dataset", "FILE", "rows of the instances: repositories and base commits", TG_OPT_STR, L(dataset), 0 },
	{ "instances", "IDS", "the expected ids, separated by commas", TG_OPT_STR, L(instances), 0 },
	{ "slice", "A:B", "the expected ids: a slice of --dataset", TG_OPT_STR, L(slice), 0 },
	{ "repos", "DIR", "bare repositories <owner>__<name>[.git]", TG_OPT_STR, L(repos), 0 },
	{ "model-id", "ID", "the model's name in the rows (mini-swe-agent)", TG_OPT_STR, L(model_id), 0 },
	{ "tag", "T", "a word for manifest and status", TG_OPT_STR, L(tag), 0 },
	{ "policy", "FILE", "the policy; none: every finding is high (built in)", TG_OPT_STR, L(policy), 0 },
	{ "ladder", "4|5", "the harness generation whose apply ladder judges (5)", TG_OPT_INT, L(ladder), 0 },
	{ "workers", "N", "evaluations at once (1)", TG_OPT_INT, L(workers), 0 },
	{ "eval-timeout", "SECONDS", "limit of one evaluation (1800)", TG_OPT_INT, L(eval_timeout_s), 0 },
	{ "required-evidence", "LEVEL", "bound or imported (imported)", TG_OPT_STR, L(required_evidence), 0 },
	{ "output", "DIR", "write into a new folder instead of in place", TG_OPT_STR, L(output), 0 },
	{ "redact", NULL, "write redacted copies where secrets are found", TG_OPT_FLAG, L(redact), 0 },
	{ "sign", NULL, "sign the bundle (tgmon keygen makes the key)", TG_OPT_FLAG, L(sign), 0 },
	{ "sign-key", "FILE", "the private key (tgmon's own)", TG_OPT_STR, L(sign_key), 0 },
	{ 0 },
};

static int run(const void *given, const struct tg_args *args)
{
	struct tg_launch_opts o = *(const struct tg_launch_opts *)given;
	struct tg_launch l = { 0 };
	struct tg_err err = { 0 };
	int code;

	o.source = args->pos[0];
	if (!tg_launch_plan_foreign(&l, &o, &err) || !tg_launch_make(&l, &err) ||
	    !tg_runner_start(l.run_dir, &err))
		code = tg_cli_fail(&err);
	else
		code = tg_cli_follow(l.run_dir, false);
	tg_launch_fini(&l);
	return code;
}

const struct tg_command tg_cmd_process = {
	.name = "process", .group = "launch", .args = "RUN [options]",
	.summary = "run triage, scan, evaluation and proof over a folder that something else made",
	.opts = opts, .opts_size = sizeof(struct tg_launch_opts), .run = run, .min_args = 1, .max_args = 1,
	.more = "In place it creates what is missing; the agent's own files are never touched.",
};
