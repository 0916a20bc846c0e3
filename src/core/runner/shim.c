/*
 * The shim: one per job, outlives the runner. Own session, subreaper, holds shim.lock; enforces the
 * time limit, tears the whole tree down, publishes exit.json once. The runner tells it to stop with
 * SIGTERM, or with a kill.json {reason, grace_s} in the job directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/runner/runner.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/run/lock.h"
#include "core/run/job.h"
#include "core/runner/pidfile.h"
#include "core/runner/shim.h"

#define SWEEP_MS 5000
#define AFTER_MS 90000
#define PUBLISH_RETRY_MS (10 * 60 * 1000)
#define RESIDUE_MAX 64

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0 /* the leak checker must be able to trace us */
#endif

enum step { STEP_RUN, STEP_TERM, STEP_KILL };

struct shim {
	struct tg_job job;
	struct tg_pid me;
	struct tg_joblog log;
	struct tg_sweep sweep;
	int lock, signals, watch, pipe, child_pidfd;
	enum step step;
	const char *why;          /* exit, signal, timeout, killed */
	int grace_s;
	int64_t deadline;         /* monotonic ms of the next step */
	int64_t started_ms, ended_ms, oom_before;
	bool exec_failed;
	pid_t residue[RESIDUE_MAX];
	size_t residue_n;
};

/* ---- memory: did the kernel's OOM killer act in our cgroup? ---------------------------------- */

static int64_t oom_kills(void)
{
	struct tg_buf text = TG_BUF_INIT;
	char *path = NULL, *p, *end;
	int64_t n = -1;

	if (!tg_file_read("/proc/self/cgroup", 1 << 16, &text, NULL) ||
	    !(p = strstr(text.p, "0::/")) || !(end = strchr(p, '\n')))
		goto out;
	*end = '\0';
	path = tg_asprintf("/sys/fs/cgroup%s/memory.events", p + 3);
	if (tg_file_read(path, 1 << 16, &text, NULL) && (p = strstr(text.p, "oom_kill ")))
		n = strtoll(p + 9, NULL, 10);
out:
	free(path);
	tg_buf_fini(&text);
	return n;
}

/* ---- exit.json ------------------------------------------------------------------------------ */

static int64_t ms_of(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

static struct cJSON *exit_json(const struct shim *s)
{
	int status = s->sweep.status;
	int sig = s->sweep.reaped && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = s->exec_failed			  ? 127
		   : s->sweep.reaped && WIFEXITED(status) ? WEXITSTATUS(status)
							  : -1;
	struct cJSON *o = tg_json_object(), *left = tg_json_array();
	struct rusage ru = { 0 };
	char text[64];

	getrusage(RUSAGE_CHILDREN, &ru);
	tg_json_set_str(o, "schema", "tgmon.exit.v1");
	tg_json_set_int(o, "code", code);
	tg_json_set_int(o, "sig", sig);
	tg_json_set_str(o, "why", s->why ? s->why : sig ? "signal" : "exit");
	tg_json_set_int(o, "started_ms", s->started_ms);
	tg_json_set_int(o, "ended_ms", s->ended_ms);
	tg_json_set_int(o, "utime_ms", ms_of(ru.ru_utime));
	tg_json_set_int(o, "stime_ms", ms_of(ru.ru_stime));
	tg_json_set_int(o, "maxrss_kb", ru.ru_maxrss);
	tg_json_set_bool(o, "oom", sig == SIGKILL && !s->why && s->oom_before >= 0 &&
				   oom_kills() > s->oom_before);
	for (size_t i = 0; i < s->residue_n; i++) {
		snprintf(text, sizeof text, "pid %d", (int)s->residue[i]);
		tg_json_push_str(left, text);
	}
	tg_json_set(o, "residue", left);
	tg_json_set_int(o, "log_bytes", s->log.total);
	tg_json_set_bool(o, "log_truncated", s->log.cut > 0 || s->log.lost > 0);
	return o;
}

/* A full disk must not cost the result: try for ten minutes. Whoever reads the job later can still
 * salvage what the agent itself left. */
static bool publish_exit(const struct shim *s)
{
	struct cJSON *o = exit_json(s);
	struct tg_buf text = TG_BUF_INIT;
	char *path = tg_path_join(s->job.dir, "exit.json");
	int64_t until = tg_mono_ms() + PUBLISH_RETRY_MS, wait = 50;
	bool ok;

	tg_json_print(o, TG_JSON_PY, &text);
	tg_buf_addc(&text, '\n');
	while (!(ok = tg_file_write(path, text.p, text.n, 0600, NULL)) && tg_mono_ms() < until) {
		tg_sleep_ms(wait);
		wait = wait < 5000 ? wait * 2 : 5000;
	}
	free(path);
	tg_buf_fini(&text);
	tg_json_free(o);
	return ok;
}

/* ---- stopping ------------------------------------------------------------------------------- */

static void signal_group(const struct shim *s, int sig)
{
	if (s->me.child > 1 && !s->sweep.reaped)
		kill(-s->me.child, sig);
}

static void begin_stop(struct shim *s, const char *why, int grace_s)
{
	if (s->step == STEP_RUN) {
		s->why = why;
		s->step = STEP_TERM;
		signal_group(s, SIGTERM);
		signal_group(s, SIGCONT); /* a stopped process would not see it */
	} else if (s->step != STEP_TERM || tg_mono_ms() + grace_s * 1000LL >= s->deadline) {
		return; /* a later order may only shorten the grace */
	}
	s->deadline = tg_mono_ms() + grace_s * 1000LL;
}

static void read_kill_order(struct shim *s)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;

	if (tg_file_read_beneath(s->job.dir, "kill.json", 1 << 12, &text, NULL))
		o = tg_json_parse(text.p, text.n, "kill.json", NULL, NULL);
	if (o) {
		int64_t grace = tg_json_int(o, "grace_s", s->job.grace_s);

		begin_stop(s, "killed", grace < 0 || grace > 600 ? s->job.grace_s : (int)grace);
	}
	tg_json_free(o);
	tg_buf_fini(&text);
}

static void time_is_up(struct shim *s)
{
	if (s->step == STEP_RUN) {
		begin_stop(s, "timeout", s->job.grace_s);
	} else {
		s->step = STEP_KILL;
		signal_group(s, SIGKILL);
		s->deadline = INT64_MAX;
	}
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void drain_log(struct shim *s, bool all)
{
	char block[1 << 16];
	ssize_t r;

	/* all: what is in the pipe now; a pipe that somebody keeps filling must not hold us. */
	for (int i = 0; s->pipe >= 0 && i < (all ? 64 : 1); i++) {
		r = read(s->pipe, block, sizeof block);
		if (r > 0) {
			tg_joblog_add(&s->log, block, (size_t)r);
		} else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
			close(s->pipe);
			s->pipe = -1;
		} else {
			return;
		}
	}
}

static void read_signals(struct shim *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof si) == (ssize_t)sizeof si)
		if (si.ssi_signo == SIGTERM) {
			read_kill_order(s); /* it may ask for a shorter grace */
			begin_stop(s, "killed", s->job.grace_s);
		}
	tg_teardown_reap(&s->sweep);
}

static void swallow(int fd)
{
	char block[4096] __attribute__((aligned(8)));

	while (read(fd, block, sizeof block) > 0)
		;
}

static int poll_wait(const struct shim *s)
{
	int64_t left;

	if (s->deadline == INT64_MAX)
		return -1;
	left = s->deadline - tg_mono_ms();
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void supervise(struct shim *s)
{
	while (!s->sweep.reaped) {
		struct pollfd pf[3] = {
			{ .fd = s->signals, .events = POLLIN }, { .fd = s->pipe, .events = POLLIN },
			{ .fd = s->watch, .events = POLLIN },
		};

		if (poll(pf, 3, poll_wait(s)) < 0 && errno != EINTR)
			tg_sleep_ms(10);
		if (pf[0].revents)
			read_signals(s);
		if (pf[1].revents)
			drain_log(s, false);
		if (pf[2].revents) {
			swallow(s->watch);
			read_kill_order(s);
		}
		if (!s->sweep.reaped && tg_mono_ms() >= s->deadline)
			time_is_up(s);
	}
}

/* ---- starting ------------------------------------------------------------------------------- */

static void become_session(void)
{
	setsid(); /* fails when we lead one already: as good */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void open_watch(struct shim *s)
{
	s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->watch >= 0 && inotify_add_watch(s->watch, s->job.dir, IN_MOVED_TO) < 0) {
		close(s->watch);
		s->watch = -1; /* SIGTERM still works */
	}
}

static bool start_child(struct shim *s, struct tg_err *err)
{
	const int keep[] = { TG_TREE_FD, -1 };
	char **env = tg_shim_env(&s->job);
	char *work = s->job.cwd ? tg_strdup(s->job.cwd) : tg_path_join(s->job.dir, "work");
	int out[2] = { -1, -1 };
	bool ok = pipe2(out, O_CLOEXEC) == 0 || tg_fail_sys(err, errno, "pipe");
	struct tg_spawn sp = {
	    .argv = (const char *const *)s->job.argv,
	    .env = (const char *const *)env,
	    .cwd = work,
	    .in = -1,
	    .out = out[1],
	    .err = out[1],
	    .new_session = true,
	    .oom_score_adj = 500,
	    .limits = s->job.limits,
	    .keep = fcntl(TG_TREE_FD, F_GETFD) >= 0 ? keep : NULL,
	};

	if (ok)
		ok = tg_proc_spawn(&sp, &s->me.child, NULL, err);
	if (out[1] >= 0)
		close(out[1]);
	s->pipe = out[0];
	if (s->pipe >= 0)
		fcntl(s->pipe, F_SETFL, O_NONBLOCK);
	if (ok)
		s->sweep.child = s->me.child;
	free(work);
	tg_shim_env_free(env);
	return ok;
}

/* The direct child holds tree.lock from here on; our own copy stays open as well. */
static void note_child(struct shim *s)
{
	s->me.child_starttime = tg_proc_starttime(s->me.child);
	tg_pid_write(&s->me, s->job.dir, NULL); /* only sharpens a later sweep */
	s->deadline = s->job.timeout_s > 0 ? tg_mono_ms() + s->job.timeout_s * 1000LL : INT64_MAX;
	read_kill_order(s); /* it may have come before the watch */
}

static bool prepare(struct shim *s, const char *job_dir, struct tg_err *err)
{
	char *lock = tg_path_join(job_dir, "shim.lock"), *log = tg_path_join(job_dir, "out.log");
	char who[64];
	bool ok;

	snprintf(who, sizeof who, "shim, pid %d\n", (int)getpid());
	ok = tg_job_load(&s->job, job_dir, err) && tg_lock_take(lock, who, 2000, &s->lock, err);
	if (ok) { /* nothing may start before the world can know of us */
		tg_pid_self(&s->me);
		ok = tg_pid_write(&s->me, job_dir, err);
	}
	if (ok && !tg_joblog_open(&s->log, log, err))
		s->log.fd = -1; /* a job without a log is better than none: its bytes are counted */
	free(lock);
	free(log);
	return ok;
}

/* What the job left outside its tree; whatever this starts is swept away like the job itself. */
static void run_after(struct shim *s)
{
	char **env = tg_shim_env(&s->job);
	struct tg_spawn sp = { .argv = (const char *const *)s->job.after,
			       .env = (const char *const *)env,
			       .cwd = s->job.dir,
			       .merge_err = true,
			       .new_session = true };
	struct tg_sweep left = { 0 };
	struct tg_proc_result r;
	struct tg_err err = { 0 };
	pid_t pid[RESIDUE_MAX];

	if (tg_proc_run(&sp, NULL, 0, AFTER_MS, 1 << 16, &r, &err))
		tg_joblog_add(&s->log, tg_buf_cstr(&r.out), r.out.n);
	else
		tg_joblog_add(&s->log, err.msg, strlen(err.msg));
	tg_proc_result_fini(&r);
	tg_shim_env_free(env);
	tg_teardown_sweep(&left, SWEEP_MS, pid, RESIDUE_MAX);
}

static void finish(struct shim *s)
{
	s->ended_ms = tg_wall_ms();
	drain_log(s, true);
	s->residue_n = tg_teardown_sweep(&s->sweep, SWEEP_MS, s->residue, RESIDUE_MAX);
	if (s->residue_n > RESIDUE_MAX)
		s->residue_n = RESIDUE_MAX;
	drain_log(s, true);
	if (s->job.after && s->job.after[0])
		run_after(s);
	tg_joblog_close(&s->log);
}

int tg_shim_main(const char *job_dir)
{
	struct shim s = { .lock = -1, .signals = -1, .watch = -1, .pipe = -1, .child_pidfd = -1,
			  .deadline = INT64_MAX, .log = { .fd = -1 } };
	struct tg_err err = { 0 };
	int rc = 70;

	become_session();
	s.signals = open_signals();
	if (fcntl(TG_TREE_FD, F_GETFD) >= 0)
		fcntl(TG_TREE_FD, F_SETFD, FD_CLOEXEC);
	if (s.signals < 0 || !prepare(&s, job_dir, &err))
		goto out;
	open_watch(&s);
	s.oom_before = oom_kills();
	s.started_ms = tg_wall_ms();
	if (start_child(&s, &err)) {
		if (!UNDER_ASAN)
			prctl(PR_SET_DUMPABLE,
			      0); /* a job of the same user cannot take our descriptors */
		note_child(&s);
		supervise(&s);
	} else {
		s.exec_failed = true;
		tg_joblog_add(&s.log, err.msg, strlen(err.msg));
		tg_joblog_add(&s.log, "\n", 1);
	}
	finish(&s);
	rc = publish_exit(&s) ? 0 : 70;
out:
	if (rc && err.msg[0])
		fprintf(stderr, "tgmon shim: %s\n", err.msg);
	for (int *fd = (int[]){ s.signals, s.watch, s.pipe, -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	tg_job_fini(&s.job);
	return rc;
}
