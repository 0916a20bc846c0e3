#ifndef TG_PIDFILE_H
#define TG_PIDFILE_H
/*
 * Is a job alive? pid.json says who its shim is; the two locks (shim.lock, tree.lock) say whether
 * it lives; a sweep over /proc finds members that a killed shim left and that let go of the lock. A
 * job is dead only when both locks are free and the sweep finds nobody.
 *
 * pid.json {schema:"tgmon.pid.v1", pid, starttime, boot_id, host, child, child_starttime}; child is
 * 0 until the child was started. A pid is only believed together with starttime and boot_id.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/err.h"

#define TG_TREE_FD 9 /* tree.lock in the shim and in its direct child */

struct tg_pid {
	pid_t pid, child;
	uint64_t starttime, child_starttime; /* /proc/PID/stat field 22 */
	char boot_id[40];
	char host[72];
};

void tg_pid_self(struct tg_pid *p);
bool tg_pid_write(const struct tg_pid *p, const char *job_dir, struct tg_err *err);
bool tg_pid_load(struct tg_pid *p, const char *job_dir); /* false: absent or unreadable */

enum tg_alive {
	TG_ALIVE_NO,       /* dead: both locks free, no member */
	TG_ALIVE_STARTING, /* tree.lock is held, the shim has not shown itself yet */
	TG_ALIVE_SHIM,     /* the shim lives; its pidfd was given when it could be opened */
	TG_ALIVE_ORPHAN    /* the shim is gone, members of its tree are not */
};
/* pidfd (may be NULL) gets the shim's pidfd or -1; the caller closes it. */
enum tg_alive tg_job_alive(const char *job_dir, int *pidfd);
/* Kill the members of a job whose shim is gone; returns how many were found. */
size_t tg_members_kill(const char *job_dir);
size_t tg_members_count(const char *job_dir);
/* Was the shim ever there? (pid.json exists) */
bool tg_job_was_started(const char *job_dir);

#endif
