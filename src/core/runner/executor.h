#ifndef TG_EXECUTOR_H
#define TG_EXECUTOR_H
/* Where jobs run. `local` starts a shim on this machine; others (a batch system) come beside it. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "core/lib/err.h"
#include "core/runner/pidfile.h"

struct tg_executor_ops {
	const char *name;
	/* Start the job's shim; tree_fd holds tree.lock and stays the caller's to close. A false
	 * return does not prove that nothing was started: look() tells. pidfd is the caller's. */
	bool (*start)(const char *job_dir, int tree_fd, int *pidfd, struct tg_err *err);
	/* Is it alive, and through which descriptor can its end be waited for (-1: none; look
	 * again)? */
	enum tg_alive (*look)(const char *job_dir, int *pidfd);
	/* Ask for its end: kill.json, then a signal. */
	void (*stop)(const char *job_dir, int pidfd, const char *reason, int grace_s);
	/* Kill what a dead shim left behind; returns how many were found. */
	size_t (*teardown)(const char *job_dir);
};

const struct tg_executor_ops *tg_executor_find(const char *name); /* NULL: unknown */

#endif
