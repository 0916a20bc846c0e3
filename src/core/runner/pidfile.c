#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/run/lock.h"
#include "core/runner/pidfile.h"

#define PID_SCHEMA "tgmon.pid.v1"

void tg_pid_self(struct tg_pid *p)
{
	*p = (struct tg_pid){ .pid = getpid() };
	p->starttime = tg_proc_starttime(p->pid);
	tg_boot_id(p->boot_id);
	if (gethostname(p->host, sizeof p->host - 1) != 0)
		memcpy(p->host, "unknown", sizeof "unknown");
}

bool tg_pid_write(const struct tg_pid *p, const char *job_dir, struct tg_err *err)
{
	struct cJSON *o = tg_json_object();
	struct tg_buf text = TG_BUF_INIT;
	char *path = tg_path_join(job_dir, "pid.json");
	bool ok;

	tg_json_set_str(o, "schema", PID_SCHEMA);
	tg_json_set_int(o, "pid", p->pid);
	tg_json_set_int(o, "starttime", (int64_t)p->starttime);
	tg_json_set_str(o, "boot_id", p->boot_id);
	tg_json_set_str(o, "host", p->host);
	tg_json_set_int(o, "child", p->child);
	tg_json_set_int(o, "child_starttime", (int64_t)p->child_starttime);
	tg_json_print(o, TG_JSON_PY, &text);
	tg_buf_addc(&text, '\n');
	ok = tg_file_write(path, text.p, text.n, 0600, err);
	free(path);
	tg_buf_fini(&text);
	tg_json_free(o);
	return ok;
}

static void copy_text(char *to, size_t cap, const char *from)
{
	size_t n = from ? strnlen(from, cap - 1) : 0;

	if (n)
		memcpy(to, from, n);
	to[n] = '\0';
}

bool tg_pid_load(struct tg_pid *p, const char *job_dir)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;
	bool ok;

	*p = (struct tg_pid){ 0 };
	if (tg_file_read_beneath(job_dir, "pid.json", 1 << 14, &text, NULL))
		o = tg_json_parse(text.p, text.n, "pid.json", NULL, NULL);
	ok = tg_streq(tg_json_str(o, "schema"), PID_SCHEMA);
	p->pid = (pid_t)tg_json_int(o, "pid", 0);
	p->starttime = (uint64_t)tg_json_int(o, "starttime", 0);
	p->child = (pid_t)tg_json_int(o, "child", 0);
	p->child_starttime = (uint64_t)tg_json_int(o, "child_starttime", 0);
	copy_text(p->boot_id, sizeof p->boot_id, tg_json_str(o, "boot_id"));
	copy_text(p->host, sizeof p->host, tg_json_str(o, "host"));
	tg_json_free(o);
	tg_buf_fini(&text);
	return ok && p->pid > 1 && p->starttime > 0;
}

bool tg_job_was_started(const char *job_dir)
{
	char *path = tg_path_join(job_dir, "pid.json");
	bool there = tg_file_exists(path);

	free(path);
	return there;
}

static bool held(const char *job_dir, const char *name)
{
	char *path = tg_path_join(job_dir, name);
	bool is = tg_lock_held(path);

	free(path);
	return is;
}

/* The shim's pidfd, only when the number still means the process that wrote it down. */
static int open_shim(const struct tg_pid *p)
{
	char boot[40];
	int fd;

	tg_boot_id(boot);
	if (strcmp(boot, p->boot_id) != 0)
		return -1;
	fd = tg_pidfd_open(p->pid);
	if (fd >= 0 && tg_proc_starttime(p->pid) != p->starttime) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The shim itself saw that no process of the tree was left (it is the subreaper of all of them). */
static bool swept_clean(const char *job_dir)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;
	const struct cJSON *residue;
	bool clean;

	if (tg_file_read_beneath(job_dir, "exit.json", 1 << 16, &text, NULL))
		o = tg_json_parse(text.p, text.n, "exit.json", NULL, NULL);
	residue = tg_json_get(o, "residue");
	clean = tg_json_kind(residue) == TG_JSON_ARRAY && !tg_json_first(residue);
	tg_json_free(o);
	tg_buf_fini(&text);
	return clean;
}

/* One look. The shim takes shim.lock, then writes pid.json, then starts its child; it and the child
 * hold tree.lock from before that. So "known, but shim.lock is free" means: the shim is gone. */
static enum tg_alive look(const char *job_dir, int *pidfd, bool *changed)
{
	struct tg_pid p;
	bool known = tg_pid_load(&p, job_dir);
	int fd = known ? open_shim(&p) : -1;

	*changed = false;
	/* The lock is asked after the pidfd was opened: held then means the pidfd is the shim's. */
	if (held(job_dir, "shim.lock")) {
		*pidfd = fd;
		return TG_ALIVE_SHIM;
	}
	if (fd >= 0)
		close(fd);
	if (held(job_dir, "tree.lock")) {
		if (known)
			return TG_ALIVE_ORPHAN;
		*changed = tg_job_was_started(job_dir); /* it came while we looked */
		return *changed ? TG_ALIVE_ORPHAN : TG_ALIVE_STARTING;
	}
	*changed = held(job_dir, "shim.lock");
	if (!*changed && swept_clean(job_dir))
		return TG_ALIVE_NO;
	return tg_members_count(job_dir) ? TG_ALIVE_ORPHAN : TG_ALIVE_NO;
}

enum tg_alive tg_job_alive(const char *job_dir, int *pidfd)
{
	bool changed;
	int fd = -1;
	enum tg_alive alive = look(job_dir, &fd, &changed);

	if (changed)
		alive = look(job_dir, &fd, &changed);
	if (pidfd)
		*pidfd = fd;
	else if (fd >= 0)
		close(fd);
	return alive;
}
