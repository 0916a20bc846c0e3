/* tgmon run: check everything, freeze it, start the runner, watch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/attach.h"
#include "cli/cli.h"
#include "core/doctor/doctor.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/pipeline/launch.h"
#include "core/proof/register.h"
#include "core/runner/runner.h"

struct run_opts {
	struct tg_launch_opts launch;
	const char *resume;
	bool headless, detach, dry_run, force;
};

#define L(member) offsetof(struct run_opts, launch.member)

static const struct tg_opt opts[] = {
	{ "config", "FILE", "the agent's YAML (mini-swe-agent); without it the embedded demo runs", TG_OPT_STR,
	  L(config), 0 },
	{ "model-id", "ID", "the model's name in rows and gate, e.g. zai/glm-4.6", TG_OPT_STR, L(model_id), 0 },
	{ "slice", "A:B", "which rows, as Python slices: 50:100, 50:, :50, ::2 (all)", TG_OPT_STR, L(slice), 0 },
	{ "tag", "T", "a word for the run's name (run)", TG_OPT_STR, L(tag), 0 },
	{ "policy", "FILE", "the policy; none: every finding is high (built in)", TG_OPT_STR, L(policy), 0 },
	{ "dataset", "D", "lite, verified, full, demo, or a file of rows: .jsonl, .json, .parquet (lite;\n"
			    "                           without --config: demo)", TG_OPT_STR, L(dataset), 0 },
	{ "split", "NAME", "the data set's split (test)", TG_OPT_STR, L(split), 0 },
	{ "agent", "NAME", "replay or mini", TG_OPT_STR, L(agent), 0 },
	{ "evaluator", "NAME", "local or swebench", TG_OPT_STR, L(evaluator), 0 },
	{ "repos", "DIR", "bare repositories <owner>__<name>[.git] for triage and scan", TG_OPT_STR, L(repos), 0 },
	{ "workers", "N", "agents at once (1)", TG_OPT_INT, L(workers), 0 },
	{ "eval-workers", "N", "evaluations at once (as --workers)", TG_OPT_INT, L(eval_workers), 0 },
	{ "budget", "USD", "launch nothing more once this is spent", TG_OPT_NUM, L(budget_usd), L(budget_set) },
	{ "timeout", "SECONDS", "limit of one agent attempt (3600; the demo: 15)", TG_OPT_INT, L(timeout_s), 0 },
	{ "eval-timeout", "SECONDS", "limit of one evaluation (1800)", TG_OPT_INT, L(eval_timeout_s), 0 },
	{ "retries", "N", "automatic reruns after infrastructure (0; the demo: 1)", TG_OPT_INT, L(retries),
	  L(retries_set) },
	{ "canary", "0|1", "the first instance runs alone to its verdict (1; without --config: 0)", TG_OPT_INT,
	  L(canary), L(canary_set) },
	{ "stop-after", "N", "stop launching after a dead key or N ends in a row of one cause (3)", TG_OPT_INT,
	  L(stop_after), L(stop_after_set) },
	{ "ladder", "4|5", "the harness generation whose apply ladder judges (5)", TG_OPT_INT, L(ladder), 0 },
	{ "pace", "SECONDS", "replay: pause between two steps (the demo: 0.4)", TG_OPT_NUM, L(pace), 0 },
	{ "notify", "PROGRAM", "run on done, veto, gate closed, budget, stuck; the event is JSON on its stdin",
	  TG_OPT_STR, L(notify), 0 },
	{ "required-evidence", "LEVEL", "bound or imported (bound)", TG_OPT_STR, L(required_evidence), 0 },
	{ "output", "DIR", "folder that gets the run directory (here)", TG_OPT_STR, L(output), 0 },
	{ "redact", NULL, "write redacted copies where secrets are found", TG_OPT_FLAG, L(redact), 0 },
	{ "sign", NULL, "sign the bundle (tgmon keygen makes the key)", TG_OPT_FLAG, L(sign), 0 },
	{ "sign-key", "FILE", "the private key (tgmon's own)", TG_OPT_STR, L(sign_key), 0 },
	{ "headless", NULL, "no console: a progress line, and the gate's exit code at the end", TG_OPT_FLAG,
	  offsetof(struct run_opts, headless), 0 },
	{ "detach", NULL, "start it, print its directory, and leave", TG_OPT_FLAG,
	  offsetof(struct run_opts, detach), 0 },
	{ "dry-run", NULL, "check everything, print what would run, write nothing", TG_OPT_FLAG,
	  offsetof(struct run_opts, dry_run), 0 },
	{ "force", NULL, "start although checks failed (tgmon doctor); not on a file system without locks",
	  TG_OPT_FLAG, offsetof(struct run_opts, force), 0 },
	{ "resume", "RUN", "go on with an interrupted run", TG_OPT_STR, offsetof(struct run_opts, resume), 0 },
	{ 0 },
};

static void print_plan(const struct tg_launch *l)
{
	const struct tg_spec *s = &l->spec;

	fprintf(stderr, "model     %s\ntag       %s\ndataset   %s (%lld rows, sha256 %.12s)\nslice     %s, %zu "
		"instances\nagent     %s, %d at once, limit %d s\nevaluator %s, limit %d s\npolicy    %s\n",
		s->model_id, s->tag, s->dataset.path, (long long)s->dataset_rows, s->dataset.sha256, s->slice,
		s->expected_n, s->agent, s->workers, s->timeout_s, s->evaluator, s->eval_timeout_s,
		!s->policy.sha256 ? "none" : s->policy.path ? s->policy.path : "built in");
	for (size_t i = 0; i < s->tools_n; i++)
		fprintf(stderr, "tool      %s %s\n", s->tools[i].path, s->tools[i].version);
	for (size_t i = 0; i < s->expected_n; i++)
		puts(s->expected[i]);
}

static int attach_or_leave(const struct run_opts *o, const char *run_dir)
{
	struct tg_err err = { 0 };

	if (o->detach) {
		tg_cli_leaving();
		puts(run_dir);
		return 0;
	}
	if (o->headless || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return tg_cli_follow(run_dir, false);
	return tg_cli_attach(run_dir, NULL, &err);
}

static int start(const struct run_opts *o, const char *run_dir)
{
	struct tg_err err = { 0 };

	if (o->headless)
		setenv("TGMON_HEADLESS", "1", 1); /* the runner ends where only a person could go on */
	if (!tg_runner_start(run_dir, &err))
		return tg_cli_fail(&err);
	fprintf(stderr, "tgmon: run directory %s\n", run_dir);
	return attach_or_leave(o, run_dir);
}

/* Before the runner starts: it never sees the key. Without a key there is nothing to register. */
static bool register_run(const struct tg_launch *l, struct tg_err *err)
{
	char *path = l->spec.sign_key ? tg_strdup(l->spec.sign_key) : tg_key_default_path();
	struct tg_buf line = TG_BUF_INIT;
	struct tg_key *key = NULL;
	bool ok = true;

	if (l->spec.sign || tg_file_exists(path)) {
		key = tg_key_load(path, err);
		ok = key && tg_register_run(l->run_dir, key, &line, err);
		if (ok)
			fprintf(stderr, "%s\n", tg_buf_cstr(&line));
	}
	tg_key_free(key);
	tg_buf_fini(&line);
	free(path);
	return ok;
}

static int resume(const struct run_opts *o)
{
	struct tg_err err = { 0 };
	struct tg_spec spec = { 0 };
	char *dir = tg_cli_run_dir(o->resume, false, &err);
	int code;

	if (!dir)
		return tg_cli_fail(&err);
	if (!tg_spec_load(&spec, dir, NULL, &err) || !tg_spec_check_inputs(&spec, dir, &err))
		code = tg_cli_fail(&err);
	else
		code = start(o, dir);
	tg_spec_fini(&spec);
	free(dir);
	return code;
}

/* What `tgmon doctor` checks, before anything is made. The demo and replays cost nothing: of them only
 * what the machine itself lacks is told. */
static int examine(const struct run_opts *o)
{
	const struct tg_launch_opts *l = &o->launch;
	bool mini = l->agent ? !strcmp(l->agent, "mini") : l->config != NULL;
	const struct tg_doctor_ask ask = {
		.config = mini ? l->config : NULL, .model_id = l->model_id, .split = l->split,
		.dataset = l->dataset ? l->dataset : mini ? NULL : "demo", .slice = l->slice,
		.output = l->output, .tag = l->tag, .repos = l->repos, .agent = mini ? "mini" : "replay",
		.evaluator = !mini ? "local" : l->evaluator ? l->evaluator : "swebench",
	};
	struct tg_doctor d;
	struct tg_buf b = TG_BUF_INIT;
	int code;

	tg_doctor_examine(&d, &ask);
	code = tg_doctor_exit(&d, o->force);
	tg_doctor_print(&d, mini ? TG_DOCTOR_WARNING : TG_DOCTOR_FAILURE, &b);
	fputs(tg_buf_cstr(&b), stderr);
	if (code && !o->dry_run)
		fprintf(stderr, "tgmon: nothing was started: %zu check%s failed%s\n", d.failures,
			d.failures == 1 ? "" : "s", d.hard ? "" : "; --force starts all the same");
	tg_buf_fini(&b);
	tg_doctor_fini(&d);
	return code;
}

static int launch(const struct run_opts *o, struct tg_launch *l)
{
	struct tg_err err = { 0 };

	if (l->preflight.code)
		return tg_cli_fail(&l->preflight);
	if (!tg_launch_make(l, &err) || !register_run(l, &err))
		return tg_cli_fail(&err);
	return start(o, l->run_dir);
}

static int dry_run(const struct tg_launch *l, int doctor)
{
	int code = l->preflight.code ? tg_cli_fail(&l->preflight) : 0;

	print_plan(l);
	return code ? code : doctor;
}

static void demo_defaults(struct run_opts *o)
{
	if (o->launch.config || o->launch.dataset) /* the embedded default costs nothing */
		return;
	if (!o->launch.retries_set)
		o->launch.retries = 1;
	o->launch.retries_set = true;
	if (!o->launch.pace)
		o->launch.pace = 0.4;
	if (!o->launch.timeout_s)
		o->launch.timeout_s = 15; /* one of its recordings hangs until the limit */
}

static int run(const void *given, const struct tg_args *args)
{
	struct run_opts o = *(const struct run_opts *)given;
	struct tg_launch l = { 0 };
	struct tg_err err = { 0 };
	int doctor, code;

	(void)args;
	if (o.resume)
		return resume(&o);
	demo_defaults(&o);
	o.launch.keep_going = true; /* the checks below say it in more words, and all at once */
	if (!tg_launch_plan(&l, &o.launch, &err)) {
		if (o.launch.config)
			examine(&o);
		code = tg_cli_fail(&err);
	} else {
		doctor = l.preflight.code && !o.launch.config ? 0 : examine(&o);
		if (o.dry_run)
			code = dry_run(&l, doctor);
		else
			code = doctor ? doctor : launch(&o, &l);
	}
	tg_launch_fini(&l);
	return code;
}

const struct tg_command tg_cmd_run = {
	.name = "run", .group = "launch", .args = "[options]",
	.summary = "launch a batch in a new run directory, and watch it",
	.opts = opts, .opts_size = sizeof(struct run_opts), .run = run, .max_args = 0,
	.more = "The run goes on when this terminal closes; `tgmon watch RUN` attaches again.\n"
		"Without --config and --dataset the embedded demo runs: no Docker, no keys, no network.",
};
