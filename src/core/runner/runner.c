/* Being and starting the runner. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/run/layout.h"
#include "core/run/lock.h"
#include "core/runner/loop.h"
#include "core/runner/runner.h"

#define START_MS 10000
#define LOG_MAX (8 << 20)

/* What the detached process tells the one that started it, once it runs or has failed. */
struct ready {
	int code; /* 0: it holds the lock and has written runner.start */
	char msg[sizeof ((struct tg_err *)0)->msg];
};

/* ---- preparing ------------------------------------------------------------------------------ */

static bool take_lock(struct tg_runner *r, struct tg_err *err)
{
	char *path = tg_layout_control(r->dir, "lock"), who[160], host[72] = "?", at[TG_ISO_LEN];
	bool ok;

	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	tg_iso_utc(tg_wall_ms(), at);
	snprintf(who, sizeof who, "pid %d on %s since %s\n", (int)getpid(), host, at);
	ok = tg_lock_take(path, who, 2000, &r->lock, err);
	if (!ok && err->code == TG_E_BUSY)
		tg_fail_in(err, "another runner works on %s", r->dir);
	free(path);
	return ok;
}

static bool open_inbox(struct tg_runner *r, struct tg_err *err)
{
	char *inbox = tg_layout_control(r->dir, "inbox");
	bool ok = tg_mkdirs(inbox, 0700, err);

	r->inbox = ok ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
	if (ok &&
	    (r->inbox < 0 || inotify_add_watch(r->inbox, inbox, IN_MOVED_TO | IN_CLOSE_WRITE) < 0))
		ok = tg_fail_sys(err, errno, "cannot watch %s", inbox);
	free(inbox);
	return ok;
}

static bool open_signals(struct tg_runner *r, struct tg_err *err)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->signals >= 0 || tg_fail_sys(err, errno, "signalfd");
}

static bool put_open(struct tg_runner *r, struct tg_err *err)
{
	char *registered = tg_layout_control(r->dir, "registered.json"), hex[TG_SHA256_HEX];
	struct cJSON *o = tg_json_object();

	if (tg_file_exists(registered) && tg_sha256_file(registered, hex, NULL, NULL))
		tg_json_set_str(o, "registered_sha256", hex); /* so it stands before any attempt */
	free(registered);
	tg_json_set_str(o, "run_sha256", r->spec_sha256);
	tg_json_set_str(o, "run_id", r->spec.run_id);
	tg_json_set_int(o, "expected", (int64_t)r->spec.expected_n);
	return tg_journal_append(r->journal, "run.open", o, err);
}

static bool put_start(struct tg_runner *r, struct tg_err *err)
{
	struct cJSON *o = tg_json_object();
	struct tg_pid me;

	tg_pid_self(&me);
	tg_json_set_int(o, "pid", me.pid);
	tg_json_set_str(o, "boot_id", me.boot_id);
	tg_json_set_str(o, "host", me.host);
	tg_json_set_str(o, "version", TGMON_VERSION);
	return tg_journal_append(r->journal, "runner.start", o, err);
}

/* Read the spec, take the lock, fold the journal, write runner.start. */
static bool prepare(struct tg_runner *r, bool *predecessor_lost, struct tg_err *err)
{
	if (!tg_spec_load(&r->spec, r->dir, r->spec_sha256, err) || !take_lock(r, err))
		return false;
	if (r->spec.expected_n == 0)
		return tg_fail(err, TG_E_INPUT, "%s expects no instance", r->dir);
	tg_run_init(&r->run, r->dir);
	tg_run_expect(&r->run, (const char *const *)r->spec.expected, r->spec.expected_n);
	r->side = tg_calloc(r->run.inst_n, sizeof *r->side);
	r->budget_usd = r->spec.budget_usd;
	r->journal = tg_journal_open(r->dir, tg_record_apply, r, err);
	if (!r->journal || !tg_spec_check_inputs(&r->spec, r->dir, err))
		return false;
	if (!r->run.opened && !put_open(r, err))
		return false;
	*predecessor_lost = r->run.runner_up;
	return open_inbox(r, err) && open_signals(r, err) && put_start(r, err);
}

static void fini(struct tg_runner *r)
{
	int fds[] = { r->inbox, r->signals, r->lock };

	while (r->slot_n)
		tg_loop_drop_slot(r, r->slot_n - 1);
	free(r->slot);
	for (size_t i = 0; i < r->req_n; i++)
		free(r->req[i]);
	free(r->req);
	tg_pending_fini(&r->pending);
	tg_notify_fini(&r->notify);
	tg_outage_fini(r);
	tg_journal_close(r->journal);
	if (r->run.dir)
		tg_run_fini(&r->run);
	free(r->side);
	tg_spec_fini(&r->spec);
	free(r->dir);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) /* the lock last */
		if (fds[i] >= 0)
			close(fds[i]);
}

/* ---- being the runner ----------------------------------------------------------------------- */

static void tell(int fd, int code, const char *msg)
{
	struct ready say = { .code = code };

	if (fd < 0)
		return;
	snprintf(say.msg, sizeof say.msg, "%s", msg);
	(void)!write(fd, &say, sizeof say);
	close(fd);
}

static int be_runner(const char *run_dir, int ready_fd)
{
	struct tg_runner r = {
		.dir = tg_path_abs(run_dir),
		.lock = -1, .inbox = -1, .signals = -1, .budget_usd = -1,
		.exec = tg_executor_find("local"), .notify = { .pidfd = -1 },
		.log = { .fd = STDERR_FILENO, .least = TG_LOG_INFO },
		.headless = tg_streq(getenv("TGMON_HEADLESS"), "1"),
	};
	struct tg_err err = { 0 };
	bool lost = false;
	int code;

	if (!prepare(&r, &lost, &err)) {
		tg_log(&r.log, TG_LOG_ERROR, "%s", err.msg);
		code = tg_err_exit(&err);
		tell(ready_fd, code, err.msg);
		fini(&r);
		return code;
	}
	tell(ready_fd, 0, "");
	tg_log(&r.log, TG_LOG_INFO, "runner starts on %s", r.dir);
	tg_notify_init(&r.notify, r.spec.notify, r.spec.run_id, r.dir, &r.log);
	if (lost)
		tg_notify_post(&r.notify, "runner-lost", NULL,
			       "the runner before this one ended without a word");
	tg_recover(&r);
	code = tg_loop_run(&r);
	fini(&r);
	return code;
}

/* ---- detaching ------------------------------------------------------------------------------ */

static int open_log(const char *run_dir)
{
	char *path = tg_layout_control(run_dir, "runner.log"), *old = tg_asprintf("%s.1", path);
	int fd;

	if (tg_file_size(path) > LOG_MAX)
		rename(path, old);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	free(old);
	return fd;
}

/* Nothing of the terminal or of an SSH channel stays open. */
static void take_stdio(const char *run_dir)
{
	int nul = open("/dev/null", O_RDWR | O_CLOEXEC), log = open_log(run_dir);

	if (nul >= 0) {
		dup2(nul, STDIN_FILENO);
		dup2(nul, STDOUT_FILENO);
		dup2(log >= 0 ? log : nul, STDERR_FILENO);
	}
	if (nul > 2)
		close(nul);
	if (log > 2)
		close(log);
}

static void daemon_main(const char *dir, int ready)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (ready != 3 && dup2(ready, 3) == 3)
		ready = 3;
	syscall(SYS_close_range, 4, ~0u, 0);
	fcntl(ready, F_SETFD, FD_CLOEXEC);
	take_stdio(dir);
	if (chdir(dir) != 0)
		fprintf(stderr, "cannot enter %s\n", dir);
	exit(be_runner(dir, ready));
}

/* Double fork: the runner is no session leader and nobody's child. */
static int detach(const char *run_dir)
{
	char *dir = tg_path_abs(run_dir);
	struct ready got = {.code = 70, .msg = "the runner ended before it began (see runner.log)"};
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		fprintf(stderr, "tgmon runner: %s\n", strerror(errno));
		free(dir);
		return 3;
	}
	if (pid == 0) {
		setsid();
		if ((pid = fork()) == 0)
			daemon_main(dir, p[1]);
		_exit(pid < 0 ? 3 : 0);
	}
	close(p[1]);
	waitpid(pid, NULL, 0);
	while (read(p[0], &got, sizeof got) < 0 && errno == EINTR)
		;
	close(p[0]);
	if (got.code)
		fprintf(stderr, "%s\n", got.msg);
	free(dir);
	return got.code;
}

int tg_runner_main(const char *run_dir, bool foreground)
{
	char *control = tg_layout_control(run_dir, "run.json");
	bool there = tg_file_exists(control);

	free(control);
	if (!there) {
		fprintf(stderr, "%s is no run directory of tgmon (it has no .tgmon/run.json)\n",
			run_dir);
		return TG_E_INPUT;
	}
	return foreground ? be_runner(run_dir, -1) : detach(run_dir);
}

bool tg_runner_start(const char *run_dir, struct tg_err *err)
{
	char *self = tg_self_exe(), *line;
	const char *argv[] = { self, "runner", run_dir, NULL };
	struct tg_spawn sp = { .argv = argv, .in = -1, .out = -1, .err = -1 };
	struct tg_proc_result res;
	bool ok;

	if (!self)
		return tg_fail(err, TG_E_MACHINE, "cannot find the path of this program");
	ok = tg_proc_run(&sp, NULL, 0, START_MS, 1 << 14, &res, err);
	free(self);
	if (!ok)
		return false;
	if (res.timed_out && !tg_runner_alive(run_dir, NULL)) {
		ok = tg_fail(err, TG_E_MACHINE, "the runner of %s did not start within %d s; see "
			     "%s/.tgmon/runner.log", run_dir, START_MS / 1000, run_dir);
	} else if (!res.timed_out && res.code != 0) {
		line = tg_strndup(tg_buf_cstr(&res.err), strcspn(tg_buf_cstr(&res.err), "\n"));
		ok = tg_fail(err, res.code > 0 ? (enum tg_errc)res.code : TG_E_IO, "%s",
			     line[0] ? line : "the runner did not start");
		free(line);
	}
	tg_proc_result_fini(&res);
	return ok;
}
