/*
 * `tgmon agent-mini`: one attempt with the user's mini-extra. It watches and stops the tool; it never judges.
 * Stopping (the tool's own behaviour, notes section 1.11): one SIGINT lets the instance come to its natural
 * end, so it gets DRAIN_MS for that; then what the container holds is salvaged, then SIGTERM, which ends the
 * tool at once and leaves its containers to us.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "core/agent/agent.h"
#include "core/agent/mini.h"
#include "core/dataset/dataset.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/run/layout.h"

#define TICK_MS 250
#define DRAIN_MS 20000
#define TERM_MS 3000
#define LOG_STEP ((size_t)1 << 20)

enum step { RUNNING, DRAINING, TERMINATING, KILLING };

struct mini {
	struct tg_spec spec;
	struct tg_job job;
	struct tg_mini_config config;
	struct tg_mini_secrets secrets;
	struct tg_mini_boxes boxes;
	struct tg_mini_progress progress;
	struct tg_mini_screen rows, errors, log_lines;
	const char *iid;
	char *work, *out, *log_path, *live;
	int signals, screen, stderr_fd, log_in, log_out;
	int64_t live_mtime_ms, deadline, log_at;
	enum step step;
	pid_t pid;
	int status;
	bool ended, no_rows;
};

/* ---- what it says ---------------------------------------------------------------------------- */

static void write_progress(struct mini *m)
{
	struct cJSON *o = tg_json_object();
	struct tg_buf text = TG_BUF_INIT, shown = TG_BUF_INIT;
	char *path = tg_path_join(m->work, "progress.json");

	m->progress.changed = false;
	/* "Step 3" is the one under way: two are done */
	if (m->progress.step > 0)
		tg_json_set_int(o, "steps", m->progress.step - 1);
	if (m->progress.cost_usd >= 0)
		tg_json_set_float(o, "cost_usd", m->progress.cost_usd);
	tg_mini_mask(&m->secrets, &shown, m->progress.doing, strlen(m->progress.doing));
	tg_json_set_str(o, "doing", tg_buf_cstr(&shown));
	tg_json_set_str(o, "notice", m->progress.notice[0] ? m->progress.notice : NULL);
	tg_json_set_bool(o, "rate_limited", m->progress.rate_limited);
	tg_json_set_int(o, "retry_at_ms", m->progress.retry_at_ms);
	tg_json_print(o, TG_JSON_PY, &text);
	tg_file_write(path, text.p, text.n, 0644, NULL);
	tg_json_free(o);
	tg_buf_fini(&text);
	tg_buf_fini(&shown);
	free(path);
}

static void on_row(void *ctx, const char *line, size_t n)
{
	struct mini *m = ctx;

	tg_mini_row(&m->progress, line, n, m->iid);
	if (memmem(line, n, "Running on 0 instances", 22))
		m->no_rows = true;
}

static void say(struct mini *m, const char *p, size_t n)
{
	struct tg_buf out = TG_BUF_INIT;

	tg_mini_mask(&m->secrets, &out, p, n);
	tg_buf_addc(&out, '\n');
	tg_write_all(STDERR_FILENO, out.p, out.n, NULL);
	tg_buf_fini(&out);
}

static void on_error(void *ctx, const char *line, size_t n)
{
	struct mini *m = ctx;

	tg_mini_retry(&m->progress, line, n, tg_wall_ms());
	say(m, line, n);
}

static void drain(struct mini *m, int *fd, struct tg_mini_screen *s, tg_mini_line_fn *fn)
{
	char block[1 << 16];

	for (int i = 0; *fd >= 0 && i < 16; i++) {
		ssize_t r = read(*fd, block, sizeof block);

		if (r > 0) {
			tg_mini_screen_feed(s, block, (size_t)r, fn, m);
		} else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
			close(*fd); /* a terminal whose other side is gone says EIO */
			*fd = -1;
		} else {
			return;
		}
	}
}

static void on_log(void *ctx, const char *line, size_t n)
{
	struct mini *m = ctx;
	struct tg_buf out = TG_BUF_INIT;

	tg_mini_boxes_line(&m->boxes, line, n);
	tg_mini_mask(&m->secrets, &out, line, n);
	tg_buf_addc(&out, '\n');
	tg_write_all(m->log_out, out.p, out.n, NULL);
	tg_buf_fini(&out);
}

/* Its log grows: lines go into ours, names of containers are noted. */
static void follow_log(struct mini *m)
{
	char block[1 << 16];
	ssize_t r;

	if (m->log_in < 0)
		m->log_in = open(m->log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	for (size_t got = 0; m->log_in >= 0 && got < LOG_STEP; got += (size_t)r) {
		r = pread(m->log_in, block, sizeof block, (off_t)m->log_at);
		if (r <= 0)
			break;
		m->log_at += r;
		tg_mini_screen_feed(&m->log_lines, block, (size_t)r, on_log, m);
	}
}

/* ---- starting -------------------------------------------------------------------------------- */

/* A terminal of 300 by 300 where there is one, else a pipe: FORCE_COLOR makes it draw into that too. */
static bool open_screen(struct mini *m, int *tool_side, struct tg_err *err)
{
	struct winsize size = { .ws_row = 300, .ws_col = 300 };
	int pair[2];

	m->screen = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (m->screen >= 0 && grantpt(m->screen) == 0 && unlockpt(m->screen) == 0) {
		char name[64];

		if (ptsname_r(m->screen, name, sizeof name) == 0) {
			*tool_side = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
			if (*tool_side >= 0) {
				ioctl(*tool_side, TIOCSWINSZ, &size);
				return true;
			}
		}
	}
	if (m->screen >= 0)
		close(m->screen);
	if (pipe2(pair, O_CLOEXEC) != 0)
		return tg_fail_sys(err, errno, "pipe");
	m->screen = pair[0];
	*tool_side = pair[1];
	return true;
}

/* The data set's own name where it has one that the tool knows; else this instance's row in a folder, which
 * load_dataset() takes as well. */
static char *subset(struct mini *m, struct tg_err *err)
{
	static const char *const known[] = { "lite", "verified", "full" };
	char *rows, *dir, *file;
	struct tg_row row = { 0 };
	bool ok;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (tg_streq(m->spec.dataset_name, known[i]))
			return tg_strdup(known[i]);
	rows = tg_path_join(m->job.dir, "../../../dataset.jsonl");
	dir = tg_path_join(m->work, "dataset");
	file = tg_asprintf("%s/%s.jsonl", dir, m->spec.split ? m->spec.split : "test");
	ok = tg_dataset_row(rows, m->iid, &row, err) && tg_mkdirs(dir, 0755, err);
	if (ok) {
		struct tg_buf line = TG_BUF_INIT;

		tg_buf_adds(&line, row.raw);
		tg_buf_addc(&line, '\n');
		ok = tg_file_write(file, line.p, line.n, 0644, err);
		tg_buf_fini(&line);
	}
	tg_row_fini(&row);
	free(rows);
	free(file);
	if (ok)
		return dir;
	free(dir);
	return NULL;
}

/* '^' and '$' around the id with what a regular expression would read escaped. */
static char *filter(const char *iid)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_buf_addc(&b, '^');
	for (const char *p = iid; *p; p++) {
		if (strchr(".^$*+?{}[]\\|()", *p))
			tg_buf_addc(&b, '\\');
		tg_buf_addc(&b, *p);
	}
	tg_buf_addc(&b, '$');
	return tg_buf_detach(&b);
}

struct args {
	char *v[40];
	size_t n;
};

static void arg(struct args *a, const char *text)
{
	a->v[a->n++] = tg_strdup(text);
}

static void arg_take(struct args *a, const char *option, char *value)
{
	arg(a, option);
	a->v[a->n++] = value;
}

/* environment.run_args=[what the config has, and our labels]: 2.x replaces lists as a whole */
static char *labelled(struct mini *m)
{
	struct cJSON *list = tg_json_array();
	struct tg_buf text = TG_BUF_INIT;
	char *run = tg_asprintf("tg.run=%s", m->spec.run_id);
	char *att = tg_asprintf("tg.att=%s.%d", m->iid, m->job.attempt);
	const char *const labels[] = { run, att, m->boxes.label };

	for (size_t i = 0; i < m->config.run_args_n; i++)
		tg_json_push_str(list, m->config.run_args[i]);
	for (size_t i = 0; i < 3; i++) {
		tg_json_push_str(list, "--label");
		tg_json_push_str(list, labels[i]);
	}
	tg_buf_adds(&text, "environment.run_args=");
	tg_json_print(list, TG_JSON_PY, &text);
	tg_json_free(list);
	free(run);
	free(att);
	return tg_buf_detach(&text);
}

static bool build_args(struct mini *m, struct args *a, struct tg_err *err)
{
	const struct tg_tool *script = tg_mini_tool(&m->spec, TG_MINI_SCRIPT);
	const struct tg_tool *python = tg_mini_tool(&m->spec, TG_MINI_PYTHON);
	bool two = tg_mini_major(script->version) == 2;
	char *set = subset(m, err);

	if (!set)
		return false;
	arg(a, script->path);
	if (python && tg_streq(python->path, script->path)) {
		arg(a, "-m");
		arg(a, two ? "minisweagent.run.utilities.mini_extra"
			   : "minisweagent.run.mini_extra");
	}
	arg(a, "swebench");
	arg_take(a, "--subset", set);
	arg_take(a, "--split", tg_strdup(m->spec.split ? m->spec.split : "test"));
	arg_take(a, "--filter", filter(m->iid));
	arg_take(a, "--workers", tg_strdup("1"));
	arg_take(a, "--output", tg_strdup("mini"));
	/* relative, as a name with '=' in it would be read as a setting; and 1.x wants .yaml */
	arg_take(a, "--config", tg_strdup("agent.yaml"));
	if (two) {
		arg_take(a, "--config", tg_strdup("agent.output_path=live.traj.json"));
		if (m->boxes.label[0])
			arg_take(a, "--config", labelled(m));
	}
	return true;
}

static bool start(struct mini *m, struct tg_err *err)
{
	struct args a = { 0 };
	int side = -1, errors[2] = { -1, -1 };
	struct tg_buf line = TG_BUF_INIT;
	bool ok = build_args(m, &a, err) && open_screen(m, &side, err);

	if (ok && pipe2(errors, O_CLOEXEC) != 0)
		ok = tg_fail_sys(err, errno, "pipe");
	if (ok) {
		struct tg_spawn sp = {
			.argv = (const char *const *)a.v,
			.cwd = m->work,
			.in = -1,
			.out = side,
			.err = errors[1],
			.new_session = true, /* signals go to the tool alone, not to its children */
			.die_with_parent = true,
		};

		tg_buf_adds(&line, "agent-mini:");
		for (size_t i = 0; i < a.n; i++)
			tg_buf_addf(&line, " %s", a.v[i]);
		say(m, line.p, line.n);
		ok = tg_proc_spawn(&sp, &m->pid, NULL, err);
	}
	for (int *fd = (int[]){ side, errors[1], -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	m->stderr_fd = errors[0];
	if (m->screen >= 0)
		fcntl(m->screen, F_SETFL, O_NONBLOCK);
	if (m->stderr_fd >= 0)
		fcntl(m->stderr_fd, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < a.n; i++)
		free(a.v[i]);
	tg_buf_fini(&line);
	return ok;
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void next_step(struct mini *m)
{
	static const struct {
		int sig;
		int64_t ms;
	} ladder[] = { [DRAINING] = { SIGINT, DRAIN_MS }, [TERMINATING] = { SIGTERM, TERM_MS },
		       [KILLING] = { SIGKILL, INT64_MAX / 2 } };

	if (m->step == KILLING)
		return;
	m->step++;
	if (m->step == TERMINATING) {
		follow_log(m);
		tg_mini_salvage(&m->boxes, m->config.cwd, m->work);
	}
	kill(m->pid, ladder[m->step].sig);
	m->deadline = tg_mono_ms() + ladder[m->step].ms;
	snprintf(m->progress.doing, sizeof m->progress.doing, "%s",
		 m->step == DRAINING ? "stopping: it may end by itself for 20 s" : "stopping");
	m->progress.changed = true;
}

static void read_signals(struct mini *m)
{
	struct signalfd_siginfo si;

	while (read(m->signals, &si, sizeof si) == (ssize_t)sizeof si)
		if (si.ssi_signo != SIGCHLD && m->step == RUNNING)
			next_step(m);
	if (!m->ended && waitpid(m->pid, &m->status, WNOHANG) == m->pid)
		m->ended = true;
}

static void tick(struct mini *m)
{
	int64_t live = tg_file_mtime_ms(m->live);

	drain(m, &m->screen, &m->rows, on_row);
	drain(m, &m->stderr_fd, &m->errors, on_error);
	follow_log(m);
	if (live > m->live_mtime_ms) {
		m->live_mtime_ms = live;
		tg_mini_moved(&m->progress);
	}
	tg_mini_tick(&m->progress, tg_wall_ms());
	if (m->progress.changed)
		write_progress(m);
}

static void watch(struct mini *m)
{
	while (!m->ended) {
		struct pollfd pf[3] = { { .fd = m->signals, .events = POLLIN },
					{ .fd = m->screen, .events = POLLIN },
					{ .fd = m->stderr_fd, .events = POLLIN } };

		poll(pf, 3, TICK_MS);
		read_signals(m);
		tick(m);
		if (m->step != RUNNING && !m->ended && tg_mono_ms() >= m->deadline)
			next_step(m);
	}
	tick(m);
	for (int i = 0; i < 64 && m->log_in >= 0 && tg_file_size(m->log_path) > m->log_at; i++)
		follow_log(m);
}

/* ---- setting up, and the end ----------------------------------------------------------------- */

static bool copy_config(struct mini *m, const char *run_dir, struct tg_err *err)
{
	char *from = m->spec.config.frozen ? tg_path_join(run_dir, m->spec.config.frozen) : NULL;
	char *to = tg_path_join(m->work, "agent.yaml");
	bool ok = from ? tg_file_copy(from, to, 0644, err) && tg_mini_config_load(&m->config, to, err)
		       : tg_fail(err, TG_E_INPUT, "run.json names no frozen config");

	free(from);
	free(to);
	return ok;
}

static void find_boxes(struct mini *m)
{
	const struct tg_tool *docker = tg_mini_tool(&m->spec, TG_MINI_DOCKER);
	const struct tg_tool *script = tg_mini_tool(&m->spec, TG_MINI_SCRIPT);

	if (!docker || !tg_mini_config_containers(&m->config))
		return;
	m->boxes.docker = docker->path;
	if (script && tg_mini_major(script->version) == 2 && m->config.run_args_known)
		tg_mini_job_label(m->job.dir, m->boxes.label);
}

static bool load(struct mini *m, const char *run_dir, const char *job_dir, struct tg_err *err)
{
	*m = (struct mini){ .signals = -1, .screen = -1, .stderr_fd = -1, .log_in = -1, .log_out = -1 };
	tg_mini_progress_init(&m->progress);
	if (!tg_spec_load(&m->spec, run_dir, NULL, err) || !tg_job_load(&m->job, job_dir, err))
		return false;
	m->iid = m->job.instance_id;
	if (!m->iid)
		return tg_fail(err, TG_E_INPUT, "%s: the job names no instance", job_dir);
	m->work = tg_path_join(job_dir, "work");
	m->out = tg_path_join(m->work, "mini");
	m->log_path = tg_path_join(m->out, "minisweagent.log");
	m->live = tg_path_join(m->work, "live.traj.json");
	tg_mini_secrets_load(&m->secrets, &m->spec, &m->job);
	return tg_mkdirs(m->work, 0755, err);
}

static bool open_log(struct mini *m, struct tg_err *err)
{
	char *path = tg_path_join(m->work, "agent.log");
	sigset_t set;

	m->log_out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (m->log_out < 0)
		tg_fail_sys(err, errno, "cannot write %s", path);
	free(path);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->log_out >= 0 && m->signals >= 0;
}

static void unload(struct mini *m)
{
	for (int *fd = (int[]){ m->signals, m->screen, m->stderr_fd, m->log_in, m->log_out, -2 };
	     *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	tg_mini_screen_fini(&m->rows);
	tg_mini_screen_fini(&m->errors);
	tg_mini_screen_fini(&m->log_lines);
	tg_mini_boxes_fini(&m->boxes);
	tg_mini_config_fini(&m->config);
	tg_mini_secrets_fini(&m->secrets);
	tg_spec_fini(&m->spec);
	tg_job_fini(&m->job);
	free(m->work);
	free(m->out);
	free(m->log_path);
	free(m->live);
}

/* Whatever ended it: what it left is taken, what it still holds in a container is salvaged, and the containers
 * go. Everything here may be done again by the one who buries this process. */
static int clean_up(struct mini *m)
{
	struct tg_err err = { 0 };
	bool submitted = false;
	int left;

	if (!tg_mini_harvest(m->work, m->iid, &submitted, &err))
		say(m, err.msg, strlen(err.msg));
	if (!tg_mini_last_row(m->work, m->iid, &m->progress, &err))
		say(m, err.msg, strlen(err.msg));
	if (!submitted && tg_mini_salvage(&m->boxes, m->config.cwd, m->work))
		say(m, "agent-mini: kept the container's git diff as work/salvaged.diff", 63);
	left = tg_mini_boxes_remove(&m->boxes);
	if (left) {
		char *text = left < 0 ? tg_asprintf("agent-mini: %s does not answer: containers may be "
						    "left", m->boxes.docker)
				      : tg_asprintf("agent-mini: %d containers could not be removed", left);

		say(m, text, strlen(text));
		free(text);
	}
	return left;
}

/* The tool's own end is ours: the same code, the same signal. */
static int end_like(int status)
{
	const struct rlimit none = { 0, 0 };
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	sigset_t set;

	if (!sig)
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	return 128 + sig;
}

int tg_agent_mini_main(const char *run_dir, const char *job_dir)
{
	struct tg_err err = { 0 };
	struct mini m;
	int code;

	if (!load(&m, run_dir, job_dir, &err) || !copy_config(&m, run_dir, &err) ||
	    (find_boxes(&m), !open_log(&m, &err)) || !start(&m, &err)) {
		dprintf(STDERR_FILENO, "agent-mini: %s\n", err.msg);
		unload(&m);
		return tg_err_exit(&err);
	}
	watch(&m);
	clean_up(&m);
	code = m.status;
	if (m.no_rows)
		dprintf(STDERR_FILENO, "agent-mini: the tool's data set has no instance %s\n", m.iid);
	code = m.no_rows ? TG_E_INPUT : (unload(&m), end_like(code));
	return code;
}

/* The rows' last word, where the wrapper itself is dead. */
static void read_progress(struct mini *m)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;

	if (tg_file_read_beneath(m->work, "progress.json", 1 << 16, &text, NULL))
		o = tg_json_parse(text.p, text.n, "progress.json", NULL, NULL);
	m->progress.step = tg_json_int(o, "steps", -1) + 1;
	m->progress.cost_usd = tg_json_num(o, "cost_usd", -1);
	tg_json_free(o);
	tg_buf_fini(&text);
}

int tg_agent_mini_after(const char *run_dir, const char *job_dir)
{
	struct tg_err err = { 0 };
	struct mini m;
	char *config = NULL;
	int left = 0;

	if (load(&m, run_dir, job_dir, &err)) {
		config = tg_path_join(m.work, "agent.yaml");
		if (tg_mini_config_load(&m.config, config, NULL)) {
			find_boxes(&m);
			m.log_out = open("/dev/null", O_WRONLY | O_CLOEXEC);
			read_progress(&m);
			while (follow_log(&m), m.log_in >= 0 && tg_file_size(m.log_path) > m.log_at)
				;
			left = clean_up(&m);
		}
	}
	free(config);
	unload(&m);
	return left ? TG_E_MACHINE : 0;
}
