#ifndef TG_SANDBOX_H
#define TG_SANDBOX_H
/*
 * The bubblewrap sandbox in which everything a model wrote is executed: own user, pid, net, ipc,
 * uts namespaces, no capabilities, new session, /usr read-only, nothing of the host's home, no
 * network, environment cleared; resource limits through setrlimit (cgroups are not assumed). Run by
 * root, the sandbox's processes belong to user 65533 outside (root without capabilities would still
 * own /dev/null and /proc/sys): writable binds are chowned to that user first, read-only ones must
 * be readable by anyone. Locks and other descriptors never cross the border (decisions.md, "Two
 * locks").
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/lib/proc.h"

struct tg_bind {
	const char *src, *dst; /* dst: absolute path inside */
	bool writable;
};

struct tg_sandbox {
	const struct tg_bind *binds;  /* src == NULL ends */
	const char *cwd;              /* inside */
	const char *const *env;       /* "NAME=value", NULL-terminated; may be NULL */
	struct tg_limits limits;      /* 0 fields get safe defaults */
	int64_t tmp_bytes;            /* size of the private /tmp tmpfs; 0: 64 MiB */
};

/* Can a sandbox start on this machine? When not, err says why and the one line that mends it. */
bool tg_sandbox_check(struct tg_err *err);
/* Run argv inside; combined stdout+stderr go to r->out when merge_err, else apart. */
bool tg_sandbox_run(const struct tg_sandbox *sb, const char *const *argv, const void *input,
		    size_t input_n, int64_t timeout_ms, size_t cap, bool merge_err,
		    struct tg_proc_result *r, struct tg_err *err);

#endif
