/* tgmon doctor: what would spoil a run, one line each. The same checks stand before `tgmon run`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/attach.h"
#include "cli/cli.h"
#include "core/doctor/doctor.h"
#include "core/lib/buf.h"
#include "core/lib/json.h"

struct doctor_opts {
	struct tg_doctor_ask ask;
	bool json, ping, yes;
};

#define A(member) offsetof(struct doctor_opts, ask.member)

static const struct tg_opt opts[] = {
	{ "config", "FILE", "the agent's YAML (mini-swe-agent)", TG_OPT_STR, A(config), 0 },
	{ "model-id", "ID", "the model's name in rows and gate", TG_OPT_STR, A(model_id), 0 },
	{ "dataset", "D", "lite, verified, full, demo, or a file of rows (with --config: lite)",
	  TG_OPT_STR, A(dataset), 0 },
	{ "split", "NAME", "the data set's split (test)", TG_OPT_STR, A(split), 0 },
	{ "slice", "A:B", "which rows, as Python slices (all)", TG_OPT_STR, A(slice), 0 },
	{ "tag", "T", "the run's tag: NAME_r2 is compared with NAME_r1", TG_OPT_STR, A(tag), 0 },
	{ "repos", "DIR", "bare repositories <owner>__<name>[.git]", TG_OPT_STR, A(repos), 0 },
	{ "output", "DIR", "folder that would get the run directory (here)", TG_OPT_STR, A(output),
	  0 },
	{ "agent", "NAME", "replay or mini (mini)", TG_OPT_STR, A(agent), 0 },
	{ "evaluator", "NAME", "local or swebench (swebench)", TG_OPT_STR, A(evaluator), 0 },
	{ "ping", NULL, "call the model once, for one token; asks first and says what it may cost",
	  TG_OPT_FLAG, offsetof(struct doctor_opts, ping), 0 },
	{ "yes", NULL, "with --ping: do not ask", TG_OPT_FLAG, offsetof(struct doctor_opts, yes),
	  0 },
	{ "json", NULL, "one object: ok, failures, warnings, checks[]", TG_OPT_FLAG,
	  offsetof(struct doctor_opts, json), 0 },
	{ 0 },
};

static bool agreed(const struct doctor_opts *o, const struct tg_ping *p)
{
	char line[16];

	fprintf(stderr,
		"One call of one token to %s, with the key of your environment or of "
		"mini-swe-agent's .env. ",
		p->model);
	if (p->at_most >= 0)
		fprintf(stderr, "By litellm's prices it costs at most %.6f USD.\n", p->at_most);
	else
		fprintf(stderr, "What it costs is not known to litellm.\n");
	if (o->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "Not called: nobody can be asked here; --ping --yes calls it.\n");
		return false;
	}
	fprintf(stderr, "Call it? [y/N] ");
	return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static bool ping(const struct doctor_opts *o, struct tg_doctor *d, struct tg_err *err)
{
	struct tg_ping p;
	bool ok = tg_ping_plan(&p, &o->ask, err);

	if (ok && agreed(o, &p))
		tg_ping_run(d, &o->ask);
	tg_ping_fini(&p);
	return ok;
}

static void print(const struct doctor_opts *o, const struct tg_doctor *d)
{
	struct tg_buf b = TG_BUF_INIT;

	if (o->json) {
		struct cJSON *j = tg_doctor_json(d);

		tg_json_print(j, TG_JSON_PY_INDENT2, &b);
		tg_json_free(j);
		puts(tg_buf_cstr(&b));
	} else {
		tg_doctor_print(d, TG_DOCTOR_OK, &b);
		fputs(tg_buf_cstr(&b), stdout);
		printf("%zu checks: %zu failed, %zu warning%s\n", d->n, d->failures, d->warnings,
		       d->warnings == 1 ? "" : "s");
	}
	tg_buf_fini(&b);
}

void tg_cli_leaving(void)
{
	char *text = tg_doctor_detach_text();

	fputs(text, stderr);
	free(text);
}

static int run(const void *given, const struct tg_args *args)
{
	const struct doctor_opts *o = given;
	struct tg_doctor d;
	struct tg_err err = { 0 };
	int code;

	(void)args;
	tg_doctor_examine(&d, &o->ask);
	if (o->ping && !ping(o, &d, &err)) {
		code = tg_cli_fail(&err);
	} else {
		print(o, &d);
		code = tg_doctor_exit(&d, false);
	}
	tg_doctor_fini(&d);
	return code;
}

const struct tg_command tg_cmd_doctor = {
	.name = "doctor",
	.group = "launch",
	.args = "[options]",
	.summary = "what would spoil a run: machine, tools, config, key, data, disk",
	.opts = opts,
	.opts_size = sizeof(struct doctor_opts),
	.run = run,
	.max_args = 0,
	.more = "Exit code 0: nothing failed; 2: only what you gave; 3: the machine. Keys are "
		"looked up by name;\n"
		"their values are neither shown nor kept. `tgmon run` makes the same checks before "
		"it starts.",
};
