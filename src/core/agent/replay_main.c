/*
 * `tgmon agent-replay`: one attempt. It dies of SIGTERM as any program does: what it had is in
 * live.traj.json, renamed into place after each step, and the sandbox dies with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/agent/agent.h"
#include "core/agent/replay.h"
#include "core/dataset/dataset.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/sandbox.h"
#include "core/lib/text.h"
#include "core/run/layout.h"

#define COMMAND_LIMIT_S 60
#define CAPTURE ((size_t)8 << 20) /* of one command; a submission is never cut below this */
#define LONGEST_ARGUMENT 100000 /* the kernel takes 128 KiB; what is longer goes in on stdin */

struct replay {
	struct tg_job job;
	struct tg_spec spec;
	struct tg_row row;
	struct tg_traj rec;
	struct tg_step *step;
	size_t step_n;
	struct tg_tape tape;
	const struct cJSON *steer; /* the recording's tgmon_replay */
	char *work, *testbed, *recording;
	double call_cost; /* where messages carry none: the recorded mean */
	int log;
};

/* The environment that the real tool's batch configuration gives, and nothing of ours. */
static const char *const command_env[] = { "PAGER=cat",
					   "MANPAGER=cat",
					   "LESS=-R",
					   "PIP_PROGRESS_BAR=off",
					   "TQDM_DISABLE=1",
					   "PYTHONDONTWRITEBYTECODE=1",
					   "GIT_CONFIG_NOSYSTEM=1",
					   "GIT_TERMINAL_PROMPT=0",
					   "GIT_AUTHOR_NAME=agent",
					   "GIT_AUTHOR_EMAIL=agent@localhost",
					   "GIT_COMMITTER_NAME=agent",
					   "GIT_COMMITTER_EMAIL=agent@localhost",
					   NULL };

/* ---- the log -------------------------------------------------------------------------- */

static void say(const struct replay *r, const char *logger, const char *level, const char *fmt, ...)
    TG_PRINTF(4, 5);

/* "2025-12-18 11:58:39,281 - minisweagent - INFO - text" */
static void say(const struct replay *r, const char *logger, const char *level, const char *fmt, ...)
{
	struct tg_buf raw = TG_BUF_INIT, line = TG_BUF_INIT;
	int64_t now = tg_wall_ms();
	char when[32];
	va_list ap;

	va_start(ap, fmt);
	tg_buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	tg_strftime_utc(now, "%Y-%m-%d %H:%M:%S", when, sizeof when);
	tg_buf_addf(&line, "%s,%03d - %s - %s - ", when, (int)(now % 1000), logger, level);
	tg_text_safe(&line, raw.p, raw.n, 0);
	tg_buf_addc(&line, '\n');
	tg_write_all(r->log, line.p, line.n, NULL);
	tg_buf_fini(&raw);
	tg_buf_fini(&line);
}

/* ---- commands ------------------------------------------------------------------------- */

static bool execute(const struct replay *r, const char *command, struct tg_result *res,
		    struct tg_err *err)
{
	const struct tg_bind binds[] = { { r->testbed, "/testbed", true }, { NULL, NULL, false } };
	const struct tg_sandbox sb = { .binds = binds,
				       .cwd = "/testbed",
				       .env = command_env,
				       .limits = { .cpu_s = 2 * COMMAND_LIMIT_S } };
	const char *const as_argument[] = { "bash", "-c", command, NULL };
	const char *const as_input[] = { "bash", "-s", NULL };
	size_t n = strlen(command);
	bool longish = n > LONGEST_ARGUMENT;
	struct tg_proc_result p;

	*res = (struct tg_result){ .limit_s = COMMAND_LIMIT_S };
	if (!tg_sandbox_run(&sb, longish ? as_input : as_argument, longish ? command : NULL,
			    longish ? n : 0, COMMAND_LIMIT_S * 1000, CAPTURE, true, &p, err))
		return false;
	tg_replay_decode(&res->out, p.out.p, p.out.n);
	res->timed_out = p.timed_out;
	res->code = p.timed_out ? -1 : p.sig ? 128 + p.sig : p.code;
	tg_proc_result_fini(&p);
	return true;
}

/* The instance's files at base_commit, as a repository with one commit, so that `git diff` works.
 * Git runs inside: the tree may hold attributes and links of any kind. */
static bool make_testbed(struct replay *r, struct tg_err *err)
{
	char *repo = NULL;
	struct tg_result res;
	bool ok;

	ok = tg_repo_path(r->spec.repos_dir, r->spec.data_dir, r->row.repo, &repo, err) &&
	     tg_mkdirs(r->testbed, 0755, err) &&
	     tg_repo_checkout(repo, r->row.base_commit, r->testbed, err);
	free(repo);
	if (!ok)
		return tg_fail_in(err, "the test bed of %s", r->job.instance_id);
	if (!execute(r,
		     "git init -q -b main . && git add -A -f && git commit -q --no-verify "
		     "--allow-empty -m base",
		     &res, err))
		return false;
	if (res.code != 0)
		ok = tg_fail(err, TG_E_MACHINE, "the test bed of %s: git: %.200s",
			     r->job.instance_id, tg_buf_cstr(&res.out));
	tg_buf_fini(&res.out);
	return ok;
}

/* ---- one step ------------------------------------------------------------------------- */

static void think(const struct replay *r, const struct cJSON *message)
{
	double s = tg_json_num(tg_json_get(message, "tgmon_replay"), "delay_s", r->spec.pace);

	if (s > 0)
		tg_sleep_ms((int64_t)(s * 1000));
}

static void count_call(struct replay *r, const struct cJSON *message)
{
	double c = tg_json_num(tg_json_get(message, "extra"), "cost", r->call_cost);

	r->tape.calls++;
	r->tape.cost += c > 0 ? c : 0;
}

static const char *tool_call_id(const struct cJSON *message, size_t i)
{
	const struct cJSON *a = tg_json_first(tg_json_path(message, "extra.actions"));

	for (; a && i; i--)
		a = tg_json_next(a);
	return tg_json_str(a, "tool_call_id");
}

static void tell_step(const struct replay *r, const char *command)
{
	char *line = tg_text_line(command, strlen(command), 160);

	dprintf(STDOUT_FILENO, "step %lld: %s\n", (long long)r->tape.calls, line);
	free(line);
}

/* Execute a step's commands. *submitted becomes the submission when one of them made it. */
static bool do_step(struct replay *r, const struct tg_step *s, const struct cJSON *message,
		    char **submitted, struct tg_err *err)
{
	for (size_t i = 0; i < s->command_n && !*submitted; i++) {
		struct tg_result res;
		const char *rest;

		tell_step(r, s->command[i]);
		if (!execute(r, s->command[i], &res, err))
			return false;
		rest = res.timed_out ?
			   NULL :
			   tg_replay_submission(r->tape.version, tg_buf_cstr(&res.out), res.code);
		if (rest)
			*submitted = tg_strdup(rest);
		else
			tg_tape_observe(&r->tape, &res, tool_call_id(message, i));
		tg_buf_fini(&res.out);
	}
	return true;
}

static bool is_format_error(const struct cJSON *m)
{
	return tg_json_str(tg_json_get(m, "extra"), "interrupt_type") != NULL;
}

/* Walk through the recording: answers are taken over and their commands executed; recorded
 * observations give way to what the commands print now; everything else is copied. */
static bool play(struct replay *r, char **submitted, struct tg_err *err)
{
	const struct cJSON *m = tg_json_first(tg_json_get(r->rec.root, "messages"));
	const struct tg_step *next = r->step, *end = r->step + r->step_n;
	bool ran = false; /* the answer before had commands: its recorded observations fall away */

	for (size_t index = 0; m && !*submitted; m = tg_json_next(m), index++) {
		if (next < end && next->message_index == index) {
			think(r, m);
			count_call(r, m);
			tg_tape_copy(&r->tape, m);
			if (!tg_tape_save_live(&r->tape, err) ||
			    !do_step(r, next, m, submitted, err) ||
			    !tg_tape_save_live(&r->tape, err))
				return false;
			ran = next->command_n > 0;
			next++;
		} else if (is_format_error(m)) {
			think(r, m);
			count_call(r, m);
			tg_tape_copy(&r->tape, m);
		} else if (!ran && !tg_streq(tg_json_str(m, "role"), "exit")) {
			tg_tape_copy(&r->tape, m);
		}
	}
	return true;
}

/* ---- the end -------------------------------------------------------------------------- */

static void crash(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	abort();
}

static void hang(void)
{
	for (;;)
		pause();
}

static bool finish(struct replay *r, const char *status, const char *submission,
		   const char *exception, struct tg_err *err)
{
	const char *iid = r->job.instance_id;

	if (exception)
		say(r, "minisweagent", "ERROR", "Error processing instance %s: %s", iid, exception);
	if (exception && tg_json_bool(r->steer, "no_trajectory", false))
		return unlink(r->tape.live) == 0 || errno == ENOENT;
	tg_tape_end(&r->tape, status, submission, exception);
	if (!tg_tape_save(&r->tape, err))
		return false;
	say(r, "minisweagent", "INFO", "Saved trajectory to '%s/%s.traj.json'", iid, iid);
	return true;
}

/* It did not submit: it ends as the recording says, and one that says nothing had no more answers.
 */
static bool end_as_recorded(struct replay *r, struct tg_err *err)
{
	const char *end = tg_json_str(r->steer, "end"), *status = r->rec.exit_status, *text;

	if (tg_streq(end, "crash"))
		crash();
	if (tg_streq(end, "hang"))
		hang();
	if (tg_streq(end, "exception")) {
		status = tg_json_str(r->steer, "class");
		text = tg_json_str(r->steer, "text");
		return finish(r, status ? status : "RuntimeError", "", text ? text : "", err);
	}
	if (end)
		return finish(r, end, "", NULL, err);
	switch (tg_status_outcome(status, NULL, true, NULL)) {
	case TG_OUT_LIMIT:
		return finish(r, status, "", NULL, err);
	case TG_OUT_DONE:
		break;
	default:
		text = r->rec.exception ? r->rec.exception : r->rec.submission;
		if (status && *status)
			return finish(r, status, "", text ? text : "", err);
	}
	say(r, "minisweagent", "WARNING", "the recording of %s ends without a submission",
	    r->job.instance_id);
	return finish(r, "LimitsExceeded", "", NULL, err);
}

static bool attempt(struct replay *r, struct tg_err *err)
{
	char *submitted = NULL;
	bool ok;

	say(r, "minisweagent", "INFO", "Running on 1 instances...");
	if (r->step_n) {
		say(r, "minisweagent.environment", "DEBUG", "Starting sandbox for %s at %s",
		    r->job.instance_id, r->row.base_commit);
		if (!make_testbed(r, err))
			return false;
		say(r, "minisweagent.environment", "INFO", "Started sandbox for %s",
		    r->job.instance_id);
	}
	if (!tg_tape_save_live(&r->tape, err) || !play(r, &submitted, err))
		return false;
	ok = submitted ? finish(r, "Submitted", submitted, NULL, err) : end_as_recorded(r, err);
	free(submitted);
	return ok;
}

/* ---- setting up ----------------------------------------------------------------------- */

static bool load_recording(struct replay *r, const char *run_dir, struct tg_err *err)
{
	const char *iid = r->job.instance_id;
	int turn = tg_replay_turn(run_dir, iid, r->job.attempt);

	r->recording = r->spec.data_dir ? tg_replay_recording(r->spec.data_dir, iid, turn) : NULL;
	if (!r->recording)
		return tg_fail(err, TG_E_INPUT, "there is no recording for %s in %s/trajectories",
			       iid, r->spec.data_dir ? r->spec.data_dir : "(no data folder)");
	if (!tg_traj_load(&r->rec, r->recording, err))
		return false;
	tg_traj_steps(&r->rec, &r->step, &r->step_n);
	r->steer = tg_json_get(r->rec.root, "tgmon_replay");
	if (r->rec.cost_usd > 0 && r->rec.api_calls > 0)
		r->call_cost = r->rec.cost_usd / (double)r->rec.api_calls;
	tg_tape_init(&r->tape, &r->rec, r->work, iid, r->recording);
	return true;
}

static bool open_log(struct replay *r, struct tg_err *err)
{
	char *path = tg_path_join(r->work, "agent.log");

	r->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (r->log < 0)
		tg_fail_sys(err, errno, "cannot write %s", path);
	free(path);
	return r->log >= 0;
}

static bool set_up(struct replay *r, const char *run_dir, const char *job_dir, struct tg_err *err)
{
	char *rows = tg_layout_control(run_dir, "dataset.jsonl");
	bool ok;

	ok = tg_spec_load(&r->spec, run_dir, NULL, err) && tg_job_load(&r->job, job_dir, err);
	if (ok && !r->job.instance_id)
		ok = tg_fail(err, TG_E_INPUT, "%s: the job names no instance", job_dir);
	ok = ok && tg_dataset_row(rows, r->job.instance_id, &r->row, err);
	free(rows);
	r->work = tg_path_join(job_dir, "work");
	r->testbed = tg_path_join(r->work, "testbed");
	return ok && tg_mkdirs(r->work, 0755, err) && open_log(r, err) &&
	       load_recording(r, run_dir, err);
}

static void tear_down(struct replay *r)
{
	if (r->log >= 0)
		close(r->log);
	tg_tape_fini(&r->tape);
	tg_steps_free(r->step, r->step_n);
	tg_traj_fini(&r->rec);
	tg_row_fini(&r->row);
	tg_spec_fini(&r->spec);
	tg_job_fini(&r->job);
	free(r->work);
	free(r->testbed);
	free(r->recording);
}

int tg_agent_replay_main(const char *run_dir, const char *job_dir)
{
	struct replay r = { .log = -1 };
	struct tg_err err = { 0 };
	int code = 0;

	if (!set_up(&r, run_dir, job_dir, &err) || !attempt(&r, &err)) {
		/* Our own failure, not the model's: no trajectory is made up for it. */
		if (r.log >= 0)
			say(&r, "minisweagent", "ERROR", "Error processing instance %s: %s",
			    r.job.instance_id ? r.job.instance_id : "?", err.msg);
		dprintf(STDERR_FILENO, "agent-replay: %s\n", err.msg);
		code = tg_err_exit(&err);
	}
	tear_down(&r);
	return code;
}
