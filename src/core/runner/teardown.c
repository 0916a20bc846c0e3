/*
 * Killing a whole tree without cgroups. The shim is the subreaper, so whatever a job leaves behind,
 * double-forked and setsid'ed or not, becomes our child once its parent is dead. Killing by process
 * group is atomic against fork(); what starts a new session a generation is caught by rounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/runner/shim.h"

/* /proc/self/task/TID/children, at most cap pids. The shim has one thread. */
static size_t list_children(pid_t *out, size_t cap)
{
	char path[64], text[1 << 15], *p = text, *end;
	size_t n = 0, have = 0;
	ssize_t r;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)syscall(SYS_gettid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (have < sizeof text - 1 && (r = read(fd, text + have, sizeof text - 1 - have)) > 0)
		have += (size_t)r;
	close(fd);
	text[have] = '\0';
	while (n < cap) {
		long pid = strtol(p, &end, 10);

		if (end == p || pid <= 1)
			break;
		out[n++] = (pid_t)pid;
		p = end;
	}
	return n;
}

void tg_teardown_reap(struct tg_sweep *s)
{
	int status;
	pid_t p;

	while ((p = waitpid(-1, &status, WNOHANG)) > 0)
		if (p == s->child) {
			s->reaped = true;
			s->status = status;
		}
}

/* Our children cannot be reused numbers before we reap them, so kill() by number is safe here. */
static void kill_all(const pid_t *pid, size_t n)
{
	pid_t group, own = getpgrp();

	for (size_t i = 0; i < n; i++) {
		group = getpgid(pid[i]);
		if (group > 1 && group != own)
			kill(-group, SIGKILL);
		kill(pid[i], SIGKILL);
	}
}

size_t tg_teardown_sweep(struct tg_sweep *s, int64_t limit_ms, pid_t *left, size_t cap)
{
	int64_t deadline = tg_mono_ms() + limit_ms;
	pid_t pid[2048];
	size_t n;

	for (s->rounds = 0;; s->rounds++) {
		tg_teardown_reap(s);
		n = list_children(pid, sizeof pid / sizeof *pid);
		if (n == 0 && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return 0;
		if (tg_mono_ms() >= deadline)
			break;
		kill_all(pid, n);
		if (s->rounds >= 64) /* dying takes its time: do not burn the processor */
			tg_sleep_ms(2);
	}
	for (size_t i = 0; i < n && i < cap; i++)
		left[i] = pid[i];
	return n;
}
