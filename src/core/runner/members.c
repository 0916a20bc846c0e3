/*
 * The members of a job's tree after its shim was killed: found in /proc by the mark that the shim
 * put into their environment, by the session of the shim's direct child, and as descendants of
 * such. (Code that a model wrote runs in a pid namespace of its own that dies with its first
 * process, so it cannot slip out of this net by clearing its environment.)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/proc.h"
#include "core/runner/pidfile.h"

struct proc {
	pid_t pid, ppid, sid;
	bool ours;
};

struct table {
	struct proc *v;
	size_t n, cap;
};

static ssize_t read_proc(pid_t pid, const char *name, char *out, size_t cap)
{
	char path[64];
	ssize_t r, n = 0;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((size_t)n < cap - 1 && (r = read(fd, out + n, cap - 1 - (size_t)n)) > 0)
		n += r;
	close(fd);
	out[n] = '\0';
	return n;
}

/* A zombie is dead: it holds nothing and does nothing. */
static bool read_stat(pid_t pid, struct proc *p)
{
	char text[1024], *s, state;
	int ppid, sid;

	if (read_proc(pid, "stat", text, sizeof text) <= 0 || !(s = strrchr(text, ')')))
		return false;
	if (sscanf(s + 1, " %c %d %*d %d", &state, &ppid, &sid) != 3 || state == 'Z' ||
	    state == 'X')
		return false;
	*p = (struct proc){ .pid = pid, .ppid = ppid, .sid = sid };
	return true;
}

static bool has_mark(pid_t pid, const char *mark, char *text, size_t cap)
{
	ssize_t n = read_proc(pid, "environ", text, cap);
	size_t len = strlen(mark) + 1;

	for (char *p = text; n > 0 && p < text + n; p += strlen(p) + 1)
		if ((size_t)(text + n - p) + 1 >= len && strcmp(p, mark) == 0)
			return true;
	return false;
}

/* A session's number is not given away while it has members: when a process of that number lives,
 * it must be the child that we noted, else the number was used again. */
static pid_t session_of(const char *job_dir)
{
	struct tg_pid p;
	char boot[40];
	uint64_t start;

	tg_boot_id(boot);
	if (!tg_pid_load(&p, job_dir) || p.child <= 1 || strcmp(boot, p.boot_id) != 0)
		return 0;
	start = tg_proc_starttime(p.child);
	return start == 0 || start == p.child_starttime ? p.child : 0;
}

static void list_processes(struct table *t)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	struct proc p;
	int64_t pid;

	while (d && (e = readdir(d)))
		if (tg_parse_i64(e->d_name, &pid) && pid > 1 && pid != getpid() &&
		    read_stat((pid_t)pid, &p)) {
			TG_GROW(t->v, t->n, t->cap);
			t->v[t->n++] = p;
		}
	if (d)
		closedir(d);
}

static bool parent_is_ours(const struct table *t, pid_t ppid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].pid == ppid)
			return t->v[i].ours;
	return false;
}

static size_t find_members(const char *job_dir, struct table *t)
{
	const size_t cap = 1 << 17;
	char *mark = tg_asprintf("TGMON_JOB=%s", job_dir), *text = tg_malloc(cap);
	pid_t session = session_of(job_dir);
	size_t found = 0, before;

	list_processes(t);
	for (size_t i = 0; i < t->n; i++)
		if ((session && t->v[i].sid == session) ||
		    has_mark(t->v[i].pid, mark, text, cap)) {
			t->v[i].ours = true;
			found++;
		}
	do { /* and what descends from them */
		before = found;
		for (size_t i = 0; found && i < t->n; i++)
			if (!t->v[i].ours && parent_is_ours(t, t->v[i].ppid)) {
				t->v[i].ours = true;
				found++;
			}
	} while (found != before);
	free(mark);
	free(text);
	return found;
}

size_t tg_members_count(const char *job_dir)
{
	struct table t = { 0 };
	size_t n = find_members(job_dir, &t);

	free(t.v);
	return n;
}

/* Through a pidfd, and only when the process behind it is still the one that was looked at. */
static void kill_one(const struct proc *p)
{
	struct proc again;
	int fd = tg_pidfd_open(p->pid);

	if (fd < 0)
		return;
	if (read_stat(p->pid, &again) && again.sid == p->sid)
		tg_pidfd_signal(fd, SIGKILL);
	close(fd);
}

size_t tg_members_kill(const char *job_dir)
{
	struct table t = { 0 };
	size_t n = find_members(job_dir, &t);

	for (size_t i = 0; i < t.n; i++)
		if (t.v[i].ours)
			kill_one(&t.v[i]);
	free(t.v);
	return n;
}
