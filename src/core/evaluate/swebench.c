/*
 * Evaluator `swebench`: one instance through the real harness, in a process of its own with work/
 * as its directory. The result counts when report.json is there; the harness would then wait 15 s
 * for its container to stop, which is removed by force instead. Nothing is left behind on any way
 * out that this process lives to see; what a killed one leaves has a name that the next try
 * removes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/report.h"
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"
#include "core/run/layout.h"

#define POLL_MS 200
#define SETUP_MS ((int64_t)1800 * 1000) /* until there is a container: pulling counts */
#define SLACK_MS ((int64_t)300 * 1000)	/* of the harness itself, beside the tests */
#define LOG_MAX ((size_t)8 << 20)	/* of run_instance.log; real ones are below 300 KB */
#define OUTPUT_MAX ((size_t)256 << 20)

struct drive {
	const struct tg_eval_input *in;
	const struct tg_stage_ctx *ctx;
	const char *iid, *work;
	struct tg_swe_tools tools;
	char *run_id, *box, *log_dir; /* log_dir: relative to work */
	pid_t pid;		      /* 0: none */
	int pidfd, sigfd, status;
	bool exited, stopped; /* the harness ended; the runner wants us to end */
	const char *overrun;  /* we ended it: why */
	struct tg_swe_log log;
	int64_t log_size, start, created, applied, phase_since, said; /* monotonic ms; 0: not yet */
	enum tg_swe_phase phase;
	struct tg_report report;
	bool have_report;
};

/* ---- files ---- */

static bool leave(const struct drive *d, const char *name, const struct tg_buf *b,
		  struct tg_err *err)
{
	char *path = tg_path_join(d->work, name);
	bool ok = tg_file_write(path, tg_buf_cstr(b), b->n, 0644, err);

	free(path);
	return ok;
}

static bool read_log_file(const struct drive *d, const char *name, size_t cap, struct tg_buf *b)
{
	char *rel = tg_path_join(d->log_dir, name);
	bool ok = tg_file_read_beneath(d->work, rel, cap, b, NULL);

	free(rel);
	return ok;
}

static int64_t log_file_size(const struct drive *d, const char *name)
{
	char *dir = tg_path_join(d->work, d->log_dir), *path = tg_path_join(dir, name);
	int64_t size = tg_file_size(path);

	free(path);
	free(dir);
	return size;
}

/* For the console: what happens now, and for how long. */
static void say_progress(struct drive *d, int64_t now)
{
	struct cJSON *o = tg_json_object();
	int64_t s = (now - d->phase_since) / 1000;
	char *text = tg_asprintf("%s %lld:%02d", tg_swe_phase_name(d->phase), (long long)(s / 60),
				 (int)(s % 60));
	struct tg_buf b = TG_BUF_INIT;

	tg_json_set_str(o, "doing", text);
	tg_json_set_str(o, "phase", tg_swe_phase_name(d->phase));
	tg_json_print(o, TG_JSON_COMPACT, &b);
	leave(d, "progress.json", &b, NULL);
	d->said = now;
	tg_buf_fini(&b);
	tg_json_free(o);
	free(text);
}

/* ---- before ---- */

static bool settle_infra(struct tg_evaluation *ev, char *reason)
{
	ev->status = TG_EV_INFRA;
	ev->resolved = -1;
	free(ev->reason);
	ev->reason = reason;
	return true;
}

/* Write what the harness is given. *settled: it cannot be given this, and that is the outcome. */
static bool write_input(const struct drive *d, struct tg_evaluation *ev, bool *settled,
			struct tg_err *err)
{
	const struct tg_eval_input *in = d->in;
	struct tg_buf b = TG_BUF_INIT;
	const char *lacks;
	bool ok;

	if (!tg_swe_predictions(d->iid, tg_swe_model(d->ctx->spec->model_id), in->patch,
				in->patch_n, &b)) {
		*settled =
		    settle_infra(ev, tg_strdup("the patch holds bytes that are no UTF-8: the "
					       "harness reads patches as text and cannot "
					       "be given exactly these bytes"));
		tg_buf_fini(&b);
		return true;
	}
	ok = leave(d, "preds.json", &b, err) &&
	     tg_swe_dataset(d->ctx->row, d->tools.generation, &b, &lacks, err);
	if (ok && lacks)
		*settled = settle_infra(
		    ev,
		    tg_asprintf("the data set row has no %s, which SWE-bench %s reads from it: use "
				"the 5.x form of the data set, or a harness of version 4",
				lacks, d->tools.version));
	else
		ok = ok && leave(d, "dataset.json", &b, err);
	tg_buf_fini(&b);
	return ok;
}

static bool prepare(struct drive *d, struct tg_err *err)
{
	char *run_json = tg_layout_control(d->ctx->run_dir, "run.json");
	char *logs = tg_path_join(d->work, "logs"), sha[TG_SHA256_HEX];
	size_t removed;
	bool ok = tg_sha256_file(run_json, sha, NULL, err) && tg_remove_tree(logs, err);

	if (ok) {
		d->run_id = tg_swe_run_id(sha, d->ctx->attempt, d->in->patch_sha256);
		d->box = tg_swe_container(d->iid, d->run_id);
		d->log_dir =
		    tg_swe_log_dir(d->run_id, tg_swe_model(d->ctx->spec->model_id), d->iid);
		ok = tg_box_remove(d->tools.docker, d->box, &removed, err);
		if (ok && removed)
			tg_log(&d->ctx->log, TG_LOG_WARN, "removed %s, left by an earlier try",
			       d->box);
	}
	free(run_json);
	free(logs);
	return ok;
}

/* ---- the harness ---- */

static bool start_harness(struct drive *d, struct tg_err *err)
{
	char *out = tg_path_join(d->work, "harness.log"), timeout[16], files[24];
	struct rlimit nofile = {4096, 4096};
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool ok = fd >= 0 || tg_fail_sys(err, errno, "cannot write %s", out);

	/* it sets both limits to this, and fails above what is allowed */
	if (getrlimit(RLIMIT_NOFILE, &nofile) != 0 || nofile.rlim_max > 4096)
		nofile.rlim_max = 4096;
	snprintf(files, sizeof files, "%llu", (unsigned long long)nofile.rlim_max);
	snprintf(timeout, sizeof timeout, "%d", d->ctx->spec->eval_timeout_s);
	const char *argv[32] = {d->tools.python,
				"-m",
				"swebench.harness.run_evaluation",
				"--dataset_name",
				"dataset.json",
				"--split",
				"test",
				"--predictions_path",
				"preds.json",
				"--instance_ids",
				d->iid,
				"--run_id",
				d->run_id,
				"--max_workers",
				"1",
				"--timeout",
				timeout,
				"--open_file_limit",
				files};
	size_t n = 0;

	while (argv[n])
		n++;
	if (d->tools.generation == 4) { /* images stay: the agent and a rerun need them again */
		argv[n++] = "--cache_level";
		argv[n++] = "instance";
		argv[n++] = "--namespace";
		argv[n] = "swebench";
	}
	const struct tg_spawn s = {.argv = argv,
				   .cwd = d->work,
				   .in = -1,
				   .out = fd,
				   .err = fd,
				   .new_session = true,
				   .die_with_parent = true};

	ok = ok && tg_proc_spawn(&s, &d->pid, &d->pidfd, err);
	if (fd >= 0)
		close(fd);
	free(out);
	return ok;
}

static void reap(struct drive *d)
{
	if (d->pid && !d->exited && waitpid(d->pid, &d->status, WNOHANG) == d->pid)
		d->exited = true;
}

/* Python dies of SIGTERM at once; its group is its own. */
static void end_harness(struct drive *d)
{
	for (int i = 0; d->pid && !d->exited && i < 40; i++) {
		kill(-d->pid, i < 30 ? SIGTERM : SIGKILL);
		poll(&(struct pollfd){.fd = d->pidfd, .events = POLLIN}, 1, 100);
		reap(d);
	}
}

static void look_at_log(struct drive *d, int64_t now)
{
	int64_t size = log_file_size(d, "run_instance.log");
	struct tg_buf b = TG_BUF_INIT;

	if (size < 0 || size == d->log_size || !read_log_file(d, "run_instance.log", LOG_MAX, &b)) {
		tg_buf_fini(&b);
		return;
	}
	d->log_size = size;
	tg_swe_log_read(&d->log, tg_buf_cstr(&b), b.n, d->iid, d->tools.generation);
	if (d->log.created && !d->created)
		d->created = now;
	if (d->log.applies == 1 && !d->applied)
		d->applied = now;
	tg_buf_fini(&b);
}

/* It is written in place: what does not parse is looked at again. */
static void look_at_report(struct drive *d)
{
	struct tg_buf b = TG_BUF_INIT;

	if (!d->have_report && log_file_size(d, "report.json") > 0 &&
	    read_log_file(d, "report.json", OUTPUT_MAX, &b))
		d->have_report =
		    tg_report_parse(&d->report, tg_buf_cstr(&b), b.n, "report.json", d->iid, NULL);
	tg_buf_fini(&b);
}

static void look_at_clock(struct drive *d, int64_t now)
{
	int64_t tests = (int64_t)d->ctx->spec->eval_timeout_s * 1000 + SLACK_MS;

	if (!d->created && now - d->start > SETUP_MS)
		d->overrun = "there was no container after half an hour";
	else if (d->created && now - d->created > tests)
		d->overrun = "the harness did not end five minutes after its own time limit";
}

static void follow(struct drive *d)
{
	d->start = d->phase_since = tg_mono_ms();
	while (!d->exited && !d->stopped && !d->have_report && !d->overrun &&
	       d->log.applies != 0) { /* the ladder's verdict is the end: what follows is waiting */
		struct pollfd pf[2] = {{.fd = d->pidfd, .events = POLLIN},
				       {.fd = d->sigfd, .events = POLLIN}};
		int64_t now;

		poll(pf, 2, POLL_MS);
		d->stopped = d->stopped || (pf[1].revents & POLLIN);
		reap(d);
		now = tg_mono_ms();
		look_at_log(d, now);
		look_at_report(d);
		look_at_clock(d, now);
		if (d->log.phase != d->phase) {
			d->phase = d->log.phase;
			d->phase_since = now;
			d->said = 0;
		}
		if (now - d->said >= 1000)
			say_progress(d, now);
	}
}

/* A container that the daemon was just making when the harness was killed appears a moment later.
 */
static bool remove_box(struct drive *d, struct tg_err *err)
{
	size_t removed = 0, all = 0;
	bool ok = tg_box_remove(d->tools.docker, d->box, &removed, err);

	all += removed;
	for (int i = 0; ok && !all && !d->created && i < 4; i++) {
		tg_sleep_ms(500);
		ok = tg_box_remove(d->tools.docker, d->box, &removed, err);
		all += removed;
	}
	return ok;
}

/* ---- the outcome ---- */

/* The harness's own words at its end, when it did not even begin with the instance. */
static char *last_words(const struct drive *d)
{
	struct tg_buf b = TG_BUF_INIT;
	const char *end, *from;
	char *line = NULL;

	if (tg_file_read_beneath(d->work, "harness.log", LOG_MAX, &b, NULL)) {
		end = tg_buf_cstr(&b) + b.n;
		while (end > b.p && (end[-1] == '\n' || end[-1] == '\r'))
			end--;
		for (from = end; from > b.p && from[-1] != '\n';)
			from--;
		line = tg_text_line(from, (size_t)(end - from), 300);
	}
	tg_buf_fini(&b);
	return line ? line : tg_strdup("");
}

static char *why_no_report(const struct drive *d)
{
	char *words, *text, end[48];

	if (d->overrun)
		return tg_strdup(d->overrun);
	if (WIFSIGNALED(d->status))
		snprintf(end, sizeof end, "signal %d ended it", WTERMSIG(d->status));
	else
		snprintf(end, sizeof end, "its exit code is %d", WEXITSTATUS(d->status));
	if (d->log.failure[0])
		return tg_strdup(d->log.failure);
	words = last_words(d);
	if (d->log.applies == 1)
		text =
		    tg_asprintf("the harness left no report after the patch was applied (%s)", end);
	else if (d->log_size > 0)
		text =
		    tg_asprintf("the harness left no report and no verdict on the patch (%s)", end);
	else
		text = tg_asprintf("the harness did not begin (%s): %s", end, words);
	free(words);
	return text;
}

/* Its end mark in the test output, and our own clock: the tests alone cannot make both. */
static bool timed_out(const struct drive *d, int64_t now)
{
	int64_t limit = (int64_t)d->ctx->spec->eval_timeout_s * 1000;
	struct tg_buf b = TG_BUF_INIT;
	bool yes = d->log.applies == 1 && d->applied && now - d->applied >= limit - 2000 &&
		   read_log_file(d, "test_output.txt", OUTPUT_MAX, &b) &&
		   tg_swe_output_timed_out(tg_buf_cstr(&b), b.n, d->ctx->spec->eval_timeout_s);

	tg_buf_fini(&b);
	return yes;
}

/* The patch that the harness says it tested, against the one it was given. */
static bool same_patch(const struct drive *d)
{
	struct tg_buf b = TG_BUF_INIT;
	char sha[TG_SHA256_HEX];
	bool same = read_log_file(d, "patch.diff", 0, &b);

	tg_sha256_hex(tg_buf_cstr(&b), b.n, sha);
	tg_buf_fini(&b);
	return same && tg_streq(sha, d->in->patch_sha256);
}

static void settle(struct drive *d, struct tg_evaluation *ev, int64_t now)
{
	const struct tg_report_hint hint = {
	    .applies = d->log.applies,
	    .timed_out = !d->have_report && timed_out(d, now),
	    .gave_up = !d->have_report,
	};
	const char *why;

	ev->status =
	    tg_report_outcome(d->have_report ? &d->report : NULL, NULL, d->iid, &hint, &why);
	snprintf(ev->rung, sizeof ev->rung, "%s", d->log.rung);
	ev->have_tally = d->have_report && d->report.has_tests;
	ev->tally = d->report.tally;
	ev->resolved = ev->status == TG_EV_RESOLVED ? 1 : ev->status == TG_EV_INFRA ? -1 : 0;
	if (ev->status == TG_EV_PATCH_APPLY_FAILED) {
		ev->apply_error = d->log.apply_error[0] ? tg_strdup(d->log.apply_error) : NULL;
		ev->reason =
		    tg_asprintf("the patch does not apply%s%s", ev->apply_error ? ": " : "",
				ev->apply_error ? ev->apply_error : "");
	} else if (ev->status == TG_EV_TIMEOUT) {
		ev->reason =
		    tg_asprintf("the tests ran longer than %d s", d->ctx->spec->eval_timeout_s);
	} else if (ev->status == TG_EV_INFRA && !d->have_report) {
		ev->reason = why_no_report(d);
	} else {
		ev->reason = tg_strdup(why);
	}
	if (ev->status != TG_EV_INFRA && !same_patch(d))
		settle_infra(ev, tg_strdup("the harness's patch.diff is not the patch that it was "
					   "given: its report is not used"));
}

/* From the harness's tree to where collect looks; the tree itself goes. */
static bool keep_files(const struct drive *d, struct tg_err *err)
{
	static const char *const names[] = {"patch.diff", "eval.sh", "test_output.txt",
					    "run_instance.log", "report.json"};
	char *logs = tg_path_join(d->work, "logs"),
	     *progress = tg_path_join(d->work, "progress.json");
	struct tg_buf b = TG_BUF_INIT;
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++)
		if (log_file_size(d, names[i]) >= 0 && read_log_file(d, names[i], OUTPUT_MAX, &b))
			ok = leave(d, names[i], &b, err);
	tg_buf_fini(&b);
	unlink(progress);
	ok = ok && tg_remove_tree(logs, err);
	free(progress);
	free(logs);
	return ok;
}

/* ---- the whole ---- */

static bool run(struct drive *d, struct tg_evaluation *ev, struct tg_err *err)
{
	struct tg_err late = {0};
	int64_t ended;
	bool ok = start_harness(d, err);

	if (!ok)
		return false;
	follow(d);
	ended = tg_mono_ms();
	end_harness(d);
	look_at_log(d, ended);
	if (!d->stopped)
		look_at_report(d); /* it may have come with the last breath */
	if (!remove_box(
		d, &late)) /* a result counts; what stays is said, and `tgmon clean` finds it */
		tg_log(&d->ctx->log, TG_LOG_ERROR, "%s", late.msg);
	if (d->stopped)
		return tg_fail(err, TG_E_MACHINE, "%s: stopped before the harness had a result",
			       d->iid);
	settle(d, ev, ended);
	if (ev->status == TG_EV_INFRA && d->ctx->k < 2 && !d->have_report)
		return tg_fail(err, TG_E_MACHINE, "%s: %s", d->iid, ev->reason); /* tried again */
	return keep_files(d, err);
}

static bool evaluate(const struct tg_eval_input *in, struct tg_evaluation *ev, struct tg_err *err)
{
	struct drive d = {.in = in,
			  .ctx = in->ctx,
			  .iid = in->ctx->instance_id,
			  .work = in->ctx->work_dir,
			  .pidfd = -1,
			  .sigfd = -1,
			  .log_size = -1,
			  .log = {.applies = -1}};
	bool settled = false, ok;
	sigset_t term, old;

	if (!in->ctx->row)
		return tg_fail(err, TG_E_INPUT, "%s is not in the data set of this run", d.iid);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	d.sigfd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	ok = d.sigfd >= 0 || tg_fail_sys(err, errno, "signalfd");
	ok = ok && tg_swe_tools(in->ctx->spec, &d.tools, err) && write_input(&d, ev, &settled, err);
	if (ok && !settled)
		ok = prepare(&d, err) && run(&d, ev, err);
	if (d.sigfd >= 0)
		close(d.sigfd);
	if (d.pidfd >= 0)
		close(d.pidfd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(d.run_id);
	free(d.box);
	free(d.log_dir);
	return ok;
}

const struct tg_evaluator_ops tg_evaluator_swebench = {
    .name = "swebench",
    .preflight = tg_swe_find,
    .job = tg_swe_job,
    .evaluate = evaluate,
};
