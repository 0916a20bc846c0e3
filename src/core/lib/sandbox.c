#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/sandbox.h"
#include "core/lib/text.h"

#define NOBODY "65534" /* the user inside */
/* Run by root, the sandbox belongs to a user of its own outside as well. Were it root (whatever
 * number it has inside, and without a single capability), it would own the host's device nodes and
 * the files of /proc/sys: `chmod 0 /dev/null` and a write to core_pattern both reached the host
 * when tried. */
#define OUTSIDE 65533
#define STAND_IN "/mnt" /* where root's binds stand between the two launches */
#define END_WAIT_MS 5000

static const struct tg_limits default_limits = {
	.cpu_s = 600,
	.as_bytes = 4LL << 30,
	.fsize_bytes = 256LL << 20,
	.nofile = 512,
	.nproc = 256,
};

/* ---- the argument list ---------------------------------------------------------------- */

struct args {
	char **v;
	size_t n, cap;
};

static void add(struct args *a, const char *first, ...)
{
	va_list ap;

	va_start(ap, first);
	for (const char *s = first; s; s = va_arg(ap, const char *)) {
		TG_GROW(a->v, a->n + 1, a->cap);
		a->v[a->n++] = tg_strdup(s);
		a->v[a->n] = NULL;
	}
	va_end(ap);
}

static void add_fd(struct args *a, const char *option, int fd, const char *dst)
{
	char number[16];

	snprintf(number, sizeof number, "%d", fd);
	add(a, option, number, dst, (char *)NULL);
}

static void args_fini(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
}

/* ---- one launch ----------------------------------------------------------------------- */

/* The descriptors that bubblewrap itself gets; none of them reaches the command. */
struct launch {
	int status[2]; /* --json-status-fd: tells "could not start" from "the command failed" */
	int outer[2]; /* root only: the same of its outer bubblewrap */
	int passwd, group; /* the two files of /etc that programs look a user up in */
	bool strict; /* --disable-userns: bubblewrap >= 0.8 */
	bool root;
};

static int memory_file(const char *name, const char *text)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0 &&
	    (!tg_write_all(fd, text, strlen(text), NULL) || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void launch_fini(struct launch *l)
{
	int fds[] = { l->status[0], l->status[1], l->outer[0], l->outer[1], l->passwd, l->group };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static bool launch_init(struct launch *l, bool strict, struct tg_err *err)
{
	*l = (struct launch){
		.status = { -1, -1 }, .outer = { -1, -1 }, .strict = strict, .root = geteuid() == 0
	};
	l->passwd = memory_file("passwd", "nobody:x:" NOBODY ":" NOBODY ":sandbox:/home:/bin/sh\n");
	l->group = memory_file("group", "nogroup:x:" NOBODY ":\n");
	if (l->passwd < 0 || l->group < 0 || pipe2(l->status, O_CLOEXEC | O_NONBLOCK) != 0 ||
	    (l->root && pipe2(l->outer, O_CLOEXEC | O_NONBLOCK) != 0)) {
		tg_fail_sys(err, errno, "cannot prepare the sandbox");
		launch_fini(l);
		return false;
	}
	return true;
}

/* /bin, /lib ... are links into /usr on a merged system and folders on an older one. */
static void add_system(struct args *a)
{
	static const char *const top[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };
	char target[256];

	add(a, "--ro-bind", "/usr", "/usr", (char *)NULL);
	for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
		ssize_t n = readlink(top[i], target, sizeof target - 1);

		if (n > 0) {
			target[n] = '\0';
			add(a, "--symlink", target, top[i], (char *)NULL);
		} else if (tg_is_dir(top[i])) {
			add(a, "--ro-bind", top[i], top[i], (char *)NULL);
		}
	}
	add(a, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", (char *)NULL);
	add(a, "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", (char *)NULL);
}

static void add_env(struct args *a, const char *const *env)
{
	add(a, "--clearenv", "--setenv", "PATH", "/usr/bin:/bin:/usr/sbin:/sbin", (char *)NULL);
	add(a, "--setenv", "HOME", "/home", "--setenv", "LANG", "C.UTF-8", (char *)NULL);
	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');
		char *name;

		if (!eq || eq == *env)
			continue;
		name = tg_strndup(*env, (size_t)(eq - *env));
		add(a, "--setenv", name, eq + 1, (char *)NULL);
		free(name);
	}
}

static void add_mounts(struct args *a, const struct tg_sandbox *sb, const struct launch *l)
{
	char size[32];

	snprintf(size, sizeof size, "%lld",
		 (long long)(sb->tmp_bytes > 0 ? sb->tmp_bytes : 64LL << 20));
	add(a, "--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
	    (char *)NULL);
	add(a, "--size", size, "--tmpfs", "/dev/shm", "--size", size, "--tmpfs", "/tmp",
	    (char *)NULL);
	add(a, "--size", size, "--tmpfs", "/home", (char *)NULL);
	add_fd(a, "--ro-bind-data", l->passwd, "/etc/passwd");
	add_fd(a, "--ro-bind-data", l->group, "/etc/group");
	for (size_t i = 0; sb->binds && sb->binds[i].src; i++) {
		const struct tg_bind *b = &sb->binds[i];
		char stand_in[32];

		snprintf(stand_in, sizeof stand_in, STAND_IN "/%zu", i);
		add(a, b->writable ? "--bind" : "--ro-bind", l->root ? stand_in : b->src, b->dst,
		    (char *)NULL);
	}
	/* The root is a tmpfs without a size of its own: nothing may grow there. */
	add(a, "--remount-ro", "/", (char *)NULL);
}

/* The kernel counts processes per user and, within a user namespace, apart: set inside, so that the
 * caller's own processes do not use the number up. */
static void add_nproc(struct args *a, int64_t nproc)
{
	char option[48];

	if (nproc <= 0 || access("/usr/bin/prlimit", X_OK) != 0)
		return;
	snprintf(option, sizeof option, "--nproc=%lld", (long long)nproc);
	add(a, "/usr/bin/prlimit", option, "--", (char *)NULL);
}

/* For root: a bubblewrap around the real one, in which the bound folders are reachable for the user
 * to whom setpriv then drops (they may lie below /root). It is no wall, only a place to stand. Its
 * pid namespace makes everything end with us: a process without capabilities may not signal one of
 * another user, not even by PR_SET_PDEATHSIG, but the first process of a namespace takes all others
 * with it. */
static void add_descent(struct args *a, const struct tg_sandbox *sb, const struct launch *l)
{
	char number[16], stand_in[32];

	add(a, "bwrap", "--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--tmpfs",
	    STAND_IN, (char *)NULL);
	add_fd(a, "--json-status-fd", l->outer[1], NULL);
	for (size_t i = 0; sb->binds && sb->binds[i].src; i++) {
		snprintf(stand_in, sizeof stand_in, STAND_IN "/%zu", i);
		add(a, sb->binds[i].writable ? "--bind" : "--ro-bind", sb->binds[i].src, stand_in,
		    (char *)NULL);
	}
	snprintf(number, sizeof number, "%d", OUTSIDE);
	/* unshare mounts the /proc of this pid namespace: the real bubblewrap looks its child up
	 * there, and bubblewrap's own --proc is partly covered, which forbids another inside. */
	add(a, "--", "unshare", "--mount-proc", "--", (char *)NULL);
	add(a, "setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--",
	    (char *)NULL);
}

static int give_away(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)kind;
	(void)ftw;
	return st->st_uid == OUTSIDE && st->st_gid == OUTSIDE ? 0 : lchown(path, OUTSIDE, OUTSIDE);
}

/* Root's writable folders must belong to the sandbox's user. Links are not followed, other file
 * systems not entered; nothing inside can make a hard link to what lies outside the bind. */
static bool give_binds(const struct tg_sandbox *sb, struct tg_err *err)
{
	for (const struct tg_bind *b = sb->binds; b && b->src; b++)
		if (b->writable && nftw(b->src, give_away, 16, FTW_PHYS | FTW_MOUNT) != 0)
			return tg_fail_sys(err, errno, "cannot hand %s to the sandbox", b->src);
	return true;
}

static void build(struct args *a, const struct tg_sandbox *sb, const struct launch *l,
		  int64_t nproc, const char *const *argv)
{
	if (l->root)
		add_descent(a, sb, l);
	add(a, "bwrap", "--unshare-all", "--unshare-user", (char *)NULL);
	if (l->strict)
		add(a, "--disable-userns", (char *)NULL);
	add(a, "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL", "--new-session",
	    "--die-with-parent", "--hostname", "sandbox", (char *)NULL);
	add_fd(a, "--json-status-fd", l->status[1], NULL);
	add_env(a, sb->env);
	add_system(a);
	add_mounts(a, sb, l);
	add(a, "--chdir", sb->cwd ? sb->cwd : "/tmp", "--", (char *)NULL);
	add_nproc(a, nproc);
	for (; *argv; argv++)
		add(a, *argv, (char *)NULL);
}

/* ---- how it went ---------------------------------------------------------------------- */

/* bubblewrap's status lines: {"child-pid": N, ...} when the sandbox's first process is there, and
 * {"exit-code": N} at the end, only if the command had been started. */
static void read_status(int fd, int64_t *pid, bool *started)
{
	char text[1024], *save = NULL;
	ssize_t n = read(fd, text, sizeof text - 1);

	*pid = -1;
	*started = false;
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cJSON *v = tg_json_parse(line, strlen(line), "bwrap", NULL, NULL);

		if (tg_json_get(v, "exit-code"))
			*started = true;
		if (tg_json_get(v, "child-pid"))
			*pid = tg_json_int(v, "child-pid", -1);
		tg_json_free(v);
	}
}

/* The monitor that we waited for may be gone a moment before the sandbox's own first process; only
 * when that one is gone has the last process inside ended and nothing writes into a bind any more.
 */
static bool wait_gone(int64_t pid, struct tg_err *err)
{
	int fd = pid > 0 ? tg_pidfd_open((pid_t)pid) : -1, r;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = tg_mono_ms() + END_WAIT_MS;

	if (fd < 0)
		return true;
	do {
		int64_t left = deadline - tg_mono_ms();

		r = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	close(fd);
	if (r == 1)
		return true;
	return tg_fail(err, TG_E_MACHINE,
		       "a sandbox did not end within %d s of being killed (pid %lld)",
		       END_WAIT_MS / 1000, (long long)pid);
}

static long sysctl_value(const char *path)
{
	struct tg_buf text = TG_BUF_INIT;
	long v = tg_file_read(path, 64, &text, NULL) ? strtol(tg_buf_cstr(&text), NULL, 10) : -1;

	tg_buf_fini(&text);
	return v;
}

struct remedy {
	const char *path; /* a setting of the kernel */
	long bad;
	const char *mend;
};

#define IN_CONTAINER "start this container with "
#define UNCONFINED                                                                                 \
	"--security-opt seccomp=unconfined --security-opt apparmor=unconfined "                    \
	"--security-opt systempaths=unconfined"

static const char *remedy_for(const char *said)
{
	static const struct remedy settings[] = {
		{ "/proc/sys/user/max_user_namespaces", 0,
		  "sysctl -w user.max_user_namespaces=10000" },
		{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
		  "sysctl -w kernel.unprivileged_userns_clone=1" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
		  "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	};
	/* What bubblewrap says where a container's own walls stop it. */
	static const char *const walled[] = { "mount proc", "Operation not permitted",
					      "No permissions to create new namespace" };

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (sysctl_value(settings[i].path) == settings[i].bad)
			return settings[i].mend;
	for (size_t i = 0; i < sizeof walled / sizeof *walled; i++) {
		if (!strstr(said, walled[i]))
			continue;
		return geteuid() == 0 ? IN_CONTAINER "--cap-add SYS_ADMIN " UNCONFINED
				      : IN_CONTAINER UNCONFINED;
	}
	return NULL;
}

static bool explain(const struct tg_proc_result *r, bool merged, struct tg_err *err)
{
	const struct tg_buf *b = merged ? &r->out : &r->err;
	char *said = tg_text_line(b->p, b->n, 200);
	const char *mend = remedy_for(said);

	tg_fail(err, TG_E_MACHINE, "the sandbox cannot start: %s%s%s",
		*said ? said : "bwrap said nothing", mend ? "; mend it with: " : "",
		mend ? mend : "");
	free(said);
	return false;
}

enum ended { ENDED_WELL, ENDED_UNSTARTED, ENDED_BADLY };

static enum ended try_run(const struct tg_sandbox *sb, const char *const *argv, const void *input,
			  size_t input_n, int64_t timeout_ms, size_t cap, bool merge_err,
			  bool strict, struct tg_proc_result *r, struct tg_err *err)
{
	const struct tg_limits *d = &default_limits, *w = &sb->limits;
	struct launch l;
	struct args a = { 0 };
	enum ended end = ENDED_BADLY;
	int64_t pid;
	bool started, unused;

	if (!launch_init(&l, strict, err))
		return ENDED_BADLY;
	build(&a, sb, &l, w->nproc ? w->nproc : d->nproc, argv);
	struct tg_spawn s = {
		.argv = (const char *const *)a.v,
		.env = (const char *const[]){ "LC_ALL=C", NULL },
		.in = -1,
		.out = -1,
		.err = -1,
		.merge_err = merge_err,
		.die_with_parent = true,
		.keep = (const int[]){ l.status[1], l.passwd, l.group, l.outer[1], -1 },
		.limits = { .cpu_s = w->cpu_s ? w->cpu_s : d->cpu_s,
			    .as_bytes = w->as_bytes ? w->as_bytes : d->as_bytes,
			    .fsize_bytes = w->fsize_bytes ? w->fsize_bytes : d->fsize_bytes,
			    .nofile = w->nofile ? w->nofile : d->nofile },
	};
	if (tg_proc_run(&s, input, input_n, timeout_ms, cap, r, err)) {
		read_status(l.status[0], &pid, &started);
		if (l.root)
			read_status(l.outer[0], &pid, &unused);
		if (!wait_gone(pid, err))
			end = ENDED_BADLY;
		else
			end = started || r->timed_out || r->sig ? ENDED_WELL : ENDED_UNSTARTED;
		if (end == ENDED_BADLY)
			tg_proc_result_fini(r);
	}
	args_fini(&a);
	launch_fini(&l);
	return end;
}

bool tg_sandbox_run(const struct tg_sandbox *sb, const char *const *argv, const void *input,
		    size_t input_n, int64_t timeout_ms, size_t cap, bool merge_err,
		    struct tg_proc_result *r, struct tg_err *err)
{
	enum ended end;
	char *bwrap = tg_which("bwrap");

	*r = (struct tg_proc_result){ .code = -1 };
	if (!bwrap)
		return tg_fail(err, TG_E_MACHINE,
			       "the sandbox needs bubblewrap, which is not installed; "
			       "mend it with: apt-get install bubblewrap");
	free(bwrap);
	if (geteuid() == 0 && !give_binds(sb, err))
		return false;
	end = try_run(sb, argv, input, input_n, timeout_ms, cap, merge_err, true, r, err);
	if (end == ENDED_UNSTARTED) {
		/* Nothing ran yet. An older bubblewrap, or one that may not write the limit of user
		 * namespaces, is still a sandbox without --disable-userns: no capability, no
		 * namespace of ours is reachable from a nested one. */
		tg_proc_result_fini(r);
		end = try_run(sb, argv, input, input_n, timeout_ms, cap, merge_err, false, r, err);
	}
	if (end == ENDED_UNSTARTED) {
		explain(r, merge_err, err);
		tg_proc_result_fini(r);
		*r = (struct tg_proc_result){ .code = -1 };
	}
	return end == ENDED_WELL;
}

bool tg_sandbox_check(struct tg_err *err)
{
	const struct tg_sandbox sb = { .cwd = "/tmp" };
	struct tg_proc_result r;
	bool ok;

	if (!tg_sandbox_run(&sb, (const char *const[]){ "true", NULL }, NULL, 0, 20000, 4096, true,
			    &r, err))
		return false;
	ok = r.code == 0 && !r.timed_out;
	if (!ok)
		explain(&r, true, err);
	tg_proc_result_fini(&r);
	return ok;
}
