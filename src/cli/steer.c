/* tgmon rerun, stop, pause, resume: commands to the runner through the inbox. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/watch.h"
#include "core/runner/runner.h"

struct rerun_opts {
	bool failed;
	const char *config, *cause;
};

static const struct tg_opt rerun_options[] = {
	{ "failed", NULL, "every instance without a usable patch (the default without ids)", TG_OPT_FLAG,
	  offsetof(struct rerun_opts, failed), 0 },
	{ "cause", "ID", "every failed instance of this cause; tgmon status --json lists causes[]", TG_OPT_STR,
	  offsetof(struct rerun_opts, cause), 0 },
	{ "config", "FILE", "rerun with a mended config: an amendment, on the record", TG_OPT_STR,
	  offsetof(struct rerun_opts, config), 0 },
	{ 0 },
};

/* Ids must be of this run; say how many attempts will be paid for. */
static bool check_ids(const char *dir, const struct tg_args *args, bool failed, size_t *n,
		      struct tg_err *err)
{
	struct tg_watch *w = tg_watch_open(dir, err);
	struct tg_counts c;
	bool ok = w != NULL;

	if (!w)
		return false;
	tg_run_count(tg_watch_run(w), &c);
	*n = failed ? c.failed : args->n - 1;
	for (size_t i = 1; ok && i < args->n; i++)
		if (!tg_run_instance(tg_watch_run(w), args->pos[i]))
			ok = tg_fail(err, TG_E_INPUT, "%s is no instance of this run; tgmon status %s lists them",
				     args->pos[i], dir);
	if (ok && failed && !c.failed)
		ok = tg_fail(err, TG_E_INPUT, "nothing to rerun: every instance has a usable patch; a result "
			     "(UNRESOLVED, VETO) is rerun by its id, and is another sample");
	tg_watch_close(w);
	return ok;
}

/* The ids of the failed instances whose latest attempt has this cause. */
static bool ids_of_cause(const char *dir, const char *cause, struct cJSON *ids, size_t *n,
			 struct tg_err *err)
{
	struct tg_watch *w = tg_watch_open(dir, err);
	const struct tg_run *run = w ? tg_watch_run(w) : NULL;

	*n = 0;
	for (size_t i = 0; run && i < run->inst_n; i++) {
		const struct tg_attempt *latest = tg_instance_latest(&run->inst[i]);

		if (!tg_instance_failed(&run->inst[i]) || !latest ||
		    !tg_streq(latest->cause_id, cause))
			continue;
		tg_json_push_str(ids, run->inst[i].id);
		++*n;
	}
	if (run && !*n)
		tg_fail(err, TG_E_INPUT, "no failed instance has the cause %.40s; tgmon status --json %s "
			"lists causes[]", cause, dir);
	if (w)
		tg_watch_close(w);
	return *n > 0;
}

static int rerun(const void *given, const struct tg_args *args)
{
	const struct rerun_opts *o = given;
	bool failed = o->failed || (args->n == 1 && !o->cause);
	struct tg_err err = { 0 };
	struct cJSON *a, *ids;
	char *dir = tg_cli_run_dir(args->pos[0], false, &err), *said, *config;
	size_t n;
	int code;

	if (o->cause && (o->failed || args->n > 1)) {
		free(dir);
		tg_fail(&err, TG_E_INPUT, "--cause names the instances: give no ids and no --failed beside it");
		return tg_cli_fail(&err);
	}
	ids = tg_json_array();
	if (!dir || !(o->cause ? ids_of_cause(dir, o->cause, ids, &n, &err) :
				 check_ids(dir, args, failed, &n, &err))) {
		tg_json_free(ids);
		free(dir);
		return tg_cli_fail(&err);
	}
	if (o->config && !tg_file_exists(o->config)) {
		tg_json_free(ids);
		free(dir);
		tg_fail(&err, TG_E_INPUT, "--config %s does not exist", o->config);
		return tg_cli_fail(&err);
	}
	a = tg_json_object();
	for (size_t i = 1; i < args->n; i++)
		tg_json_push_str(ids, args->pos[i]);
	tg_json_set(a, "ids", ids);
	tg_json_set_bool(a, "failed", failed);
	config = o->config ? tg_path_abs(o->config) : NULL;
	if (config)
		tg_json_set_str(a, "config", config);
	said = tg_asprintf("%zu instance%s queued again; earlier attempts are kept", n, n == 1 ? "" : "s");
	code = tg_cli_post(dir, "rerun", a, true, said);
	free(said);
	free(config);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_rerun = {
	.name = "rerun", .group = "launch", .args = "RUN [ID...] [--failed|--cause ID] [--config FILE]",
	.summary = "run instances again as new attempts",
	.opts = rerun_options, .opts_size = sizeof(struct rerun_opts), .run = rerun, .min_args = 1,
	.max_args = 64,
	.more = "A rerun destroys nothing: each attempt keeps its own directory, and which one counts was\n"
		"frozen at launch (first-own).",
};

struct stop_opts {
	bool drain, now;
};

static const struct tg_opt stop_options[] = {
	{ "drain", NULL, "launch nothing more, let running agents finish", TG_OPT_FLAG,
	  offsetof(struct stop_opts, drain), 0 },
	{ "now", NULL, "kill running agents at once (they are queued again by --resume)", TG_OPT_FLAG,
	  offsetof(struct stop_opts, now), 0 },
	{ 0 },
};

static int post_plain(const struct tg_args *args, const char *verb, struct cJSON *a, const char *said)
{
	struct tg_err err = { 0 };
	char *dir = tg_cli_run_dir(args->pos[0], false, &err);
	int code;

	if (dir && !tg_runner_alive(dir, NULL))
		tg_fail(&err, TG_E_INPUT, "no runner is at work on %s; tgmon run --resume %s starts one", dir,
			args->pos[0]);
	if (!dir || err.code) {
		tg_json_free(a);
		free(dir);
		return tg_cli_fail(&err);
	}
	code = tg_cli_post(dir, verb, a, false, said);
	free(dir);
	return code;
}

static int stop(const void *given, const struct tg_args *args)
{
	const struct stop_opts *o = given;
	struct cJSON *a = tg_json_object();

	tg_json_set_bool(a, "now", o->now);
	if (o->drain)
		return post_plain(args, "drain", a, "draining: nothing more starts, what runs may finish");
	return post_plain(args, "stop", a, "stopping; tgmon run --resume goes on where it was");
}

const struct tg_command tg_cmd_stop = {
	.name = "stop", .group = "launch", .args = "RUN [--drain|--now]",
	.summary = "stop a run; nothing that was paid for is lost",
	.opts = stop_options, .opts_size = sizeof(struct stop_opts), .run = stop, .min_args = 1, .max_args = 1,
};

static int pause_run(const void *given, const struct tg_args *args)
{
	(void)given;
	return post_plain(args, "pause", tg_json_object(), "paused: nothing more starts");
}

const struct tg_command tg_cmd_pause = {
	.name = "pause", .group = "launch", .args = "RUN", .summary = "launch nothing more until resumed",
	.run = pause_run, .min_args = 1, .max_args = 1,
};

struct resume_opts {
	double budget_usd;
	bool budget_set;
};

static const struct tg_opt resume_options[] = {
	{ "budget", "USD", "go on with this budget, after the one before is spent; on the record", TG_OPT_NUM,
	  offsetof(struct resume_opts, budget_usd), offsetof(struct resume_opts, budget_set) },
	{ 0 },
};

/* The row "budget" opens when a person gives more; a run that had ended there goes on. */
static int raise_budget(const struct tg_args *args, double usd)
{
	struct tg_err err = { 0 };
	char *dir = tg_cli_run_dir(args->pos[0], false, &err);
	struct cJSON *a;
	int code;

	if (!dir)
		return tg_cli_fail(&err);
	a = tg_json_object();
	tg_json_set_str(a, "row", "budget");
	tg_json_set_float(a, "usd", usd);
	code = tg_cli_post(dir, "answer", a, true, "the budget is raised; launching again");
	free(dir);
	return code;
}

static int resume_run(const void *given, const struct tg_args *args)
{
	const struct resume_opts *o = given;

	if (o->budget_set)
		return raise_budget(args, o->budget_usd);
	return post_plain(args, "resume", tg_json_object(), "launching again");
}

const struct tg_command tg_cmd_resume = {
	.name = "resume", .group = "launch", .args = "RUN [--budget USD]",
	.summary = "launch again after pause, or with a larger budget",
	.opts = resume_options, .opts_size = sizeof(struct resume_opts), .run = resume_run, .min_args = 1,
	.max_args = 1,
};
