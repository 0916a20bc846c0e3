#ifndef FAKE_H
#define FAKE_H
/*
 * A pipeline of trivial jobs, for tests of the runner: it takes the place of src/core/pipeline. The
 * agent appends one line "<iid> <attempt>" to a ledger (that is what being paid for means here)
 * after it published its trajectory; the stages write result.json and nothing else. What an
 * instance does is in its id: infra-* fails by infrastructure in attempt 1, veto-* is vetoed,
 * hang-* hangs, slow-* takes a second, crash-* exits with 3, key-* ends with AuthenticationError,
 * bug-* with TypeError, limit-* with RateLimitError while RUN/limited is there, live-* says so in
 * progress.json for as long and waits.
 *
 * Include it once in the program that has the main(); call fake_main() first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/pipeline/pipeline.h"
#include "core/run/layout.h"
#include "core/run/job.h"
#include "core/runner/runner.h"

#define FAKE_BIT(s) (1u << (s))

static const struct tg_stage_def fake_stages[TG_STAGE_COUNT] = {
    [TG_STAGE_AGENT] = {TG_STAGE_AGENT, 0, TG_POOL_AGENT, 60, 1, NULL},
    [TG_STAGE_EXTRACT] = {TG_STAGE_EXTRACT, FAKE_BIT(TG_STAGE_AGENT), TG_POOL_LIGHT, 30, 2, NULL},
    [TG_STAGE_GOVERN] = {TG_STAGE_GOVERN, FAKE_BIT(TG_STAGE_EXTRACT), TG_POOL_LIGHT, 30, 2, NULL},
    [TG_STAGE_COLLECT] = {TG_STAGE_COLLECT, 0, TG_POOL_LIGHT, 30, 3, NULL},
    [TG_STAGE_GATE] = {TG_STAGE_GATE, 0, TG_POOL_LIGHT, 30, 2, NULL},
};

const struct tg_stage_def *tg_stage_def(enum tg_stage stage)
{
	return &fake_stages[stage];
}

static bool fake_ended(const struct tg_stage_mark *m, enum tg_stage s)
{
	return m->state == TG_JOB_OK ||
	       (m->state == TG_JOB_FAILED && m->failures >= fake_stages[s].tries);
}

size_t tg_pipeline_ready(const struct tg_run *run, const struct tg_attempt *att,
			 enum tg_stage out[TG_STAGE_ATTEMPT_COUNT])
{
	const enum tg_stage order[] = { TG_STAGE_EXTRACT, TG_STAGE_GOVERN };

	(void)run;
	if (!att->ended || att->lost || att->judged)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		const struct tg_stage_mark *m = &att->stage[order[i]];

		if (fake_ended(m, order[i]))
			continue;
		if (m->state == TG_JOB_ACTIVE)
			return 0;
		out[0] = order[i];
		return 1;
	}
	return 0;
}

bool tg_pipeline_judged(const struct tg_attempt *att)
{
	return att->ended && !att->lost &&
	       fake_ended(&att->stage[TG_STAGE_GOVERN], TG_STAGE_GOVERN);
}

enum tg_stage tg_pipeline_run_stage(const struct tg_run *run)
{
	const struct tg_stage_mark *c = &run->stage[TG_STAGE_COLLECT],
				   *g = &run->stage[TG_STAGE_GATE];

	if (!tg_run_all_judged(run) || c->state == TG_JOB_ACTIVE || g->state == TG_JOB_ACTIVE)
		return TG_STAGE_COUNT;
	if (c->state != TG_JOB_OK || c->begin_seq < run->work_seq)
		return TG_STAGE_COLLECT;
	if (g->state != TG_JOB_OK || g->begin_seq < c->end_seq)
		return TG_STAGE_GATE;
	return TG_STAGE_COUNT;
}

int tg_pipeline_pool_size(const struct tg_spec *spec, enum tg_pool pool)
{
	return pool == TG_POOL_AGENT ? spec->workers : 4;
}

bool tg_pipeline_job(const struct tg_run *run, const struct tg_spec *spec, struct tg_job *job,
		     struct tg_err *err)
{
	bool agent = job->stage == TG_STAGE_AGENT;

	(void)err;
	job->argv = tg_calloc(6, sizeof *job->argv);
	job->argv[0] = tg_self_exe();
	job->argv[1] = tg_strdup(agent ? "fake-agent" : "fake-stage");
	job->argv[2] = tg_strdup(job->dir);
	job->argv[3] = tg_strdup(run->dir);
	job->timeout_s = agent ? spec->timeout_s : fake_stages[job->stage].timeout_s;
	job->grace_s = 1;
	return true;
}

/* ---- the jobs ------------------------------------------------------------------------------- */

static bool fake_limited(const char *run_dir)
{
	char *path = tg_path_join(run_dir, "limited");
	bool yes = tg_file_exists(path);

	free(path);
	return yes;
}

static void fake_wait_limited(const char *job_dir, const char *run_dir)
{
	char *path = tg_path_join(job_dir, "work/progress.json");

	while (fake_limited(run_dir)) {
		const char *says = "{\"steps\":0,\"cost_usd\":0.0,\"rate_limited\":true}";

		tg_file_write(path, says, strlen(says), 0600, NULL);
		tg_sleep_ms(20);
	}
	tg_file_write(path, "{\"rate_limited\":false}", 22, 0600, NULL);
	free(path);
}

static int fake_agent(const char *job_dir, const char *run_dir)
{
	struct tg_job job;
	char *traj, *ledger, line[256];
	const char *text =
	    "{\"info\":{\"exit_status\":\"Submitted\",\"submission\":\"\"},\"messages\":[]}";
	int fd, n;

	if (!tg_job_load(&job, job_dir, NULL))
		return 9;
	if (tg_starts_with(job.instance_id, "crash-")) {
		tg_job_fini(&job);
		return 3;
	}
	if (tg_starts_with(job.instance_id, "hang-"))
		tg_sleep_ms(600000);
	if (tg_starts_with(job.instance_id, "live-"))
		fake_wait_limited(job_dir, run_dir);
	tg_sleep_ms(tg_starts_with(job.instance_id, "slow-") ? 1000
							     : 2 + (int64_t)(tg_mono_us() % 15));
	traj = tg_asprintf("%s/work/%s.traj.json", job_dir, job.instance_id);
	ledger = tg_asprintf("%s/ledger", run_dir);
	if (!tg_file_write(traj, text, strlen(text), 0600, NULL))
		return 8;
	n = snprintf(line, sizeof line, "%s %d\n", job.instance_id, job.attempt);
	fd = open(ledger, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		return 7;
	close(fd);
	free(traj);
	free(ledger);
	tg_job_fini(&job);
	return 0;
}

/* RUN/.tgmon/attempts/<iid>/<n>/extract.<k> is the job's directory. */
static void fake_provider(const struct tg_job *job, struct cJSON *sum)
{
	static const struct {
		const char *prefix, *outcome, *status;
	} ends[] = { { "key-", "model_api", "AuthenticationError" },
		     { "bug-", "bug", "TypeError" },
		     { "limit-", "model_api", "RateLimitError" } };
	char *run = tg_strndup(job->dir, (size_t)(strstr(job->dir, "/.tgmon/") - job->dir));

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (tg_starts_with(job->instance_id, ends[i].prefix) &&
		    (i < 2 || fake_limited(run))) {
			tg_json_set_str(sum, "outcome", ends[i].outcome);
			tg_json_set_str(sum, "exit_status", ends[i].status);
		}
	free(run);
}

static void fake_sum(const struct tg_job *job, struct cJSON *sum)
{
	const char *iid = job->instance_id;
	bool infra = iid && tg_starts_with(iid, "infra-") && job->attempt == 1;
	struct tg_exit x;
	char *dir;

	if (job->stage == TG_STAGE_EXTRACT) {
		dir = tg_path_dir(job->dir);
		if (tg_exit_load(&x, dir, NULL) && tg_streq(x.why, "killed"))
			tg_json_set_str(sum, "outcome", "cancelled");
		else if (tg_exit_load(&x, dir, NULL) && x.code == 3)
			tg_json_set_str(sum, "outcome", "crash");
		else
			tg_json_set_str(sum, "outcome", infra ? "infra" : "done");
		fake_provider(job, sum);
		tg_json_set_float(sum, "cost_usd", 0.25);
		free(dir);
	} else if (job->stage == TG_STAGE_GOVERN) {
		tg_json_set_str(sum, "decision", tg_starts_with(iid, "veto-") ? "VETO" : "OK");
		tg_json_set_str(sum, "reason", "fake");
	} else if (job->stage == TG_STAGE_GATE) {
		tg_json_set_bool(sum, "pass", true);
	}
}

static int fake_stage(const char *job_dir)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = tg_json_object(), *sum = tg_json_object();
	char *path = tg_path_join(job_dir, "result.json");
	struct tg_job job;
	bool ok;

	if (!tg_job_load(&job, job_dir, NULL))
		return 9;
	fake_sum(&job, sum);
	tg_json_set_str(o, "schema", "tgmon.stage.v1");
	tg_json_set_str(o, "stage", tg_stage_name(job.stage));
	tg_json_set_str(o, "instance_id", job.instance_id);
	tg_json_set_int(o, "attempt", job.attempt);
	tg_json_set_int(o, "k", job.k);
	tg_json_set_bool(o, "ok", true);
	tg_json_set_null(o, "error");
	tg_json_set(o, "sum", sum);
	tg_json_print(o, TG_JSON_PY, &text);
	ok = tg_file_write(path, text.p, text.n, 0600, NULL);
	tg_json_free(o);
	tg_buf_fini(&text);
	free(path);
	tg_job_fini(&job);
	return ok ? 0 : 8;
}

/* ---- a run directory ------------------------------------------------------------------------ */

struct fake_run {
	int workers, retries, timeout_s, canary, stop_after;
	double budget_usd;
	const char *notify;
	const char *docker; /* a program: the run needs containers */
};

/* RUN with the instances ids[] (NULL-terminated); it must not exist. */
__attribute__((unused))
static bool fake_make_run(const char *run, const char *const *ids, const struct fake_run *want,
			  struct tg_err *err)
{
	char *control = tg_layout_control(run, "inbox"), sha[65];
	size_t n = 0;
	struct tg_spec s = {
	    .run_id = tg_strdup(tg_path_base(run)),
	    .created_ms = tg_wall_ms(),
	    .agent = tg_strdup("fake"),
	    .evaluator = tg_strdup(want->docker ? "swebench" : "fake"),
	    .selection = tg_strdup("first-own"),
	    .workers = want->workers ? want->workers : 1,
	    .eval_workers = 1,
	    .budget_usd = want->budget_usd ? want->budget_usd : -1,
	    .timeout_s = want->timeout_s ? want->timeout_s : 60,
	    .eval_timeout_s = 60,
	    .ladder = 4,
	    .retries = want->retries,
	    .canary = want->canary,
	    .stop_after = want->stop_after,
	    .notify = tg_strdup(want->notify),
	    .expected_from = tg_strdup("test"),
	};
	bool ok;

	if (want->docker) {
		s.tools = tg_calloc(1, sizeof *s.tools);
		s.tools[s.tools_n++] = (struct tg_tool){ tg_strdup("docker"),
							 tg_strdup(want->docker), tg_strdup("1") };
	}
	while (ids[n])
		n++;
	s.expected = tg_calloc(n + 1, sizeof *s.expected);
	for (; s.expected_n < n; s.expected_n++)
		s.expected[s.expected_n] = tg_strdup(ids[s.expected_n]);
	ok = tg_mkdirs(control, 0700, err) && tg_spec_write(&s, run, sha, err);
	tg_spec_fini(&s);
	free(control);
	return ok;
}

/* The subcommands that runner and shim start; -1: none of them. */
static int fake_main(int argc, char **argv)
{
	if (argc == 3 && tg_streq(argv[1], "shim"))
		return tg_shim_main(argv[2]);
	if (argc == 3 && tg_streq(argv[1], "runner"))
		return tg_runner_main(argv[2], false);
	if (argc == 4 && tg_streq(argv[1], "fake-agent"))
		return fake_agent(argv[2], argv[3]);
	if (argc == 4 && tg_streq(argv[1], "fake-stage"))
		return fake_stage(argv[2]);
	return -1;
}

#endif
