#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"

extern char **environ;

/* ---- the child, between fork and exec ------------------------------------------------------ */

static void limit(int what, int64_t value)
{
	struct rlimit r = { (rlim_t)value, (rlim_t)value }, old;

	if (value <= 0)
		return;
	if (getrlimit(what, &old) == 0 && old.rlim_max != RLIM_INFINITY &&
	    r.rlim_max > old.rlim_max)
		r.rlim_cur = r.rlim_max = old.rlim_max;
	setrlimit(what, &r);
}

static void apply_limits(const struct tg_limits *l)
{
	struct rlimit none = { 0, 0 };

	limit(RLIMIT_CPU, l->cpu_s);
	limit(RLIMIT_AS, l->as_bytes);
	limit(RLIMIT_FSIZE, l->fsize_bytes);
	limit(RLIMIT_NOFILE, l->nofile);
	limit(RLIMIT_NPROC, l->nproc);
	setrlimit(RLIMIT_CORE, &none);
}

static void raise_oom_score(int add)
{
	char text[16];
	int fd, n;

	if (!add || (fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)) < 0)
		return;
	n = snprintf(text, sizeof text, "%d", add);
	(void)!write(fd, text, (size_t)n);
	close(fd);
}

static bool kept(const struct tg_spawn *s, int fd)
{
	for (const int *k = s->keep; k && *k >= 0; k++)
		if (*k == fd)
			return true;
	return false;
}

/* Everything above 2 that is not on the list gets close-on-exec. */
static void close_the_rest(const struct tg_spawn *s)
{
	syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	for (const int *k = s->keep; k && *k >= 0; k++)
		if (kept(s, *k))
			fcntl(*k, F_SETFD, 0);
}

static bool place_stdio(const struct tg_spawn *s, int nul)
{
	int want[3] = { s->in, s->out, s->err };

	for (int i = 0; i < 3; i++) { /* out of the way of 0, 1, 2 first */
		want[i] = want[i] < 0 ? nul : want[i];
		if (want[i] < 3 && (want[i] = fcntl(want[i], F_DUPFD_CLOEXEC, 3)) < 0)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(want[i], i) < 0)
			return false;
	return true;
}

static void child(const struct tg_spawn *s, const char *path, int nul, int report)
{
	sigset_t none;
	int sys;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	if (s->die_with_parent)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->new_session)
		setsid();
	if (!place_stdio(s, nul) || (s->cwd && chdir(s->cwd) != 0))
		goto fail;
	raise_oom_score(s->oom_score_adj);
	close_the_rest(s);
	apply_limits(&s->limits);
	execve(path, (char *const *)(uintptr_t)s->argv,
	       s->env ? (char *const *)(uintptr_t)s->env : environ);
fail:
	sys = errno;
	(void)!write(report, &sys, sizeof sys);
	_exit(127);
}

/* ---- the parent ---------------------------------------------------------------------------- */

char *tg_which(const char *name)
{
	const char *path = getenv("PATH");
	char *copy, *save = NULL, *found = NULL;
	struct stat st;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? tg_path_abs(name) : NULL;
	copy = tg_strdup(path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
	for (char *d = strtok_r(copy, ":", &save); d && !found; d = strtok_r(NULL, ":", &save)) {
		found = tg_path_join(d, name);
		if (access(found, X_OK) != 0 || stat(found, &st) != 0 || !S_ISREG(st.st_mode)) {
			free(found);
			found = NULL;
		}
	}
	free(copy);
	return found;
}

char *tg_self_exe(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	return n > 0 ? tg_strndup(path, (size_t)n) : NULL;
}

int tg_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool tg_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0;
}

uint64_t tg_proc_starttime(pid_t pid)
{
	char name[64], text[1024], *p;
	int fd;
	ssize_t n;

	snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')'); /* the name may hold blanks and brackets */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

bool tg_proc_spawn(const struct tg_spawn *s, pid_t *pid, int *pidfd, struct tg_err *err)
{
	char *path = tg_which(s->argv[0]);
	int report[2] = { -1, -1 }, nul = -1, sys = 0;
	sigset_t all, old;
	pid_t p;

	if (!path)
		return tg_fail(err, TG_E_MACHINE, "program %s not found", s->argv[0]);
	nul = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nul < 0 || pipe2(report, O_CLOEXEC) != 0) {
		sys = errno;
		goto out;
	}
	sigfillset(&all); /* no handler of ours may run in the child */
	sigprocmask(SIG_SETMASK, &all, &old);
	p = fork();
	if (p == 0)
		child(s, path, nul, report[1]);
	sys = p < 0 ? errno : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(report[1]);
	report[1] = -1;
	if (sys)
		goto out;
	while (read(report[0], &sys, sizeof sys) < 0 && errno == EINTR)
		;
	if (sys) {
		waitpid(p, NULL, 0);
		goto out;
	}
	*pid = p;
	if (pidfd && (*pidfd = tg_pidfd_open(p)) < 0)
		sys = errno;
out:
	if (nul >= 0)
		close(nul);
	if (report[0] >= 0)
		close(report[0]);
	if (report[1] >= 0)
		close(report[1]);
	if (sys)
		tg_fail_sys(err, sys, "cannot start %s", path);
	free(path);
	return sys == 0;
}

/* ---- run to the end ------------------------------------------------------------------------ */

struct stream {
	int fd;
	struct tg_buf *buf; /* NULL: the input side */
	const char *p;
	size_t left;
};

static void drain(struct stream *s, size_t cap, bool *truncated)
{
	char block[1 << 14];
	ssize_t r = read(s->fd, block, sizeof block);
	size_t room = s->buf->n < cap ? cap - s->buf->n : 0;

	if (r < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (r <= 0) {
		close(s->fd);
		s->fd = -1;
		return;
	}
	if ((size_t)r > room)
		*truncated = true;
	tg_buf_add(s->buf, block, (size_t)r < room ? (size_t)r : room);
}

static void feed(struct stream *s)
{
	ssize_t r = s->left ? write(s->fd, s->p, s->left) : 0;

	if (r < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (r > 0) {
		s->p += r;
		s->left -= (size_t)r;
	}
	if (r < 0 || !s->left) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Move data until both outputs are closed, the process is gone, or time is up (false). */
static bool pump(struct stream st[3], int pidfd, int64_t deadline, size_t cap,
		 struct tg_proc_result *r)
{
	bool gone = false;

	while (st[1].fd >= 0 || st[2].fd >= 0 || !gone) {
		int64_t now = tg_mono_ms(), wait = deadline - now;
		struct pollfd pf[4] = {
			{ .fd = st[0].fd, .events = POLLOUT }, { .fd = st[1].fd, .events = POLLIN },
			{ .fd = st[2].fd, .events = POLLIN },
			{ .fd = gone ? -1 : pidfd, .events = POLLIN },
		};

		if (wait <= 0)
			return false;
		if (gone &&
		    wait > 200) /* a grandchild may hold the pipe: do not wait for it long */
			wait = 200;
		if (poll(pf, 4, wait > INT_MAX ? INT_MAX : (int)wait) == 0 && gone)
			return true;
		if (pf[0].revents)
			feed(&st[0]);
		for (int i = 1; i < 3; i++)
			if (pf[i].revents)
				drain(&st[i], cap, &r->truncated);
		if (pf[3].revents)
			gone = true;
	}
	return true;
}

static void close_pair(int p[2])
{
	for (int i = 0; i < 2; i++)
		if (p[i] >= 0)
			close(p[i]);
}

bool tg_proc_run(const struct tg_spawn *spawn, const void *input, size_t input_n,
		 int64_t timeout_ms, size_t cap, struct tg_proc_result *r, struct tg_err *err)
{
	struct tg_spawn s = *spawn;
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, er[2] = { -1, -1 }, pidfd = -1, status = 0;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	pid_t pid;

	*r = (struct tg_proc_result){ .code = -1 };
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(er, O_CLOEXEC)) {
		tg_fail_sys(err, errno, "pipe");
		goto fail;
	}
	s.in = in[0];
	s.out = out[1];
	s.err = s.merge_err ? out[1] : er[1];
	s.new_session = true; /* so that the whole group can be killed */
	if (!tg_proc_spawn(&s, &pid, &pidfd, err))
		goto fail;
	close(in[0]);
	close(out[1]);
	close(er[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	sigaction(SIGPIPE, &ignore, &old);
	struct stream st[3] = {
		{ .fd = in[1], .p = input, .left = input ? input_n : 0 },
		{ .fd = out[0], .buf = &r->out }, { .fd = er[0], .buf = &r->err },
	};
	r->timed_out = !pump(st, pidfd, tg_mono_ms() + timeout_ms, cap, r);
	sigaction(SIGPIPE, &old, NULL);
	kill(-pid, SIGKILL); /* what is left of the group, too */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < 3; i++)
		if (st[i].fd >= 0)
			close(st[i].fd);
	close(pidfd);
	r->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r->sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return true;
fail:
	close_pair(in);
	close_pair(out);
	close_pair(er);
	return false;
}

void tg_proc_result_fini(struct tg_proc_result *r)
{
	tg_buf_fini(&r->out);
	tg_buf_fini(&r->err);
}
