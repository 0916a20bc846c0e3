#ifndef TG_PROC_H
#define TG_PROC_H
/*
 * Processes: argv only, never a shell; a constructed environment; limits; no inherited descriptors
 * but those named. tg_proc_run is for short helpers inside a stage (git, patch); the runner uses
 * tg_proc_spawn and its own loop.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct tg_limits { /* 0: leave as it is */
	int64_t cpu_s, as_bytes, fsize_bytes, nofile, nproc;
};

struct tg_spawn {
	const char *const
		*argv; /* NULL-terminated; argv[0] is looked up in PATH when it has no '/' */
	const char *const *env;  /* "NAME=value" list, NULL-terminated; NULL: inherit ours */
	const char *cwd;         /* NULL: ours */
	int in, out, err;        /* descriptors for 0, 1, 2; -1: /dev/null */
	const int *keep; /* further descriptors that stay open, -1-terminated; may be NULL */
	bool merge_err;          /* tg_proc_run: standard error goes into r->out, in order */
	bool new_session;        /* setsid() */
	bool die_with_parent;    /* PR_SET_PDEATHSIG SIGKILL */
	int oom_score_adj;       /* added; 0: leave */
	struct tg_limits limits;
};

/* Start a process. A program that cannot be executed is an error here (exec errors come back).
 * pidfd may be NULL; else it receives a pidfd that the caller closes. */
bool tg_proc_spawn(const struct tg_spawn *s, pid_t *pid, int *pidfd, struct tg_err *err);

struct tg_proc_result {
	int code;        /* exit code, or -1 when a signal ended it */
	int sig;         /* signal, or 0 */
	bool timed_out;
	bool truncated;  /* out or err went over the cap; the rest was read and dropped */
	struct tg_buf out, err;
};

/* Run to the end, feeding `input` (may be NULL), capturing at most cap bytes of each stream,
 * killing the whole process group at timeout_ms. False only when it could not be started; look at
 * r->code for how it ended. Free with tg_proc_result_fini. s->in/out/err are ignored. */
bool tg_proc_run(const struct tg_spawn *s, const void *input, size_t input_n, int64_t timeout_ms,
		 size_t cap, struct tg_proc_result *r, struct tg_err *err);
void tg_proc_result_fini(struct tg_proc_result *r);

uint64_t tg_proc_starttime(pid_t pid); /* field 22 of /proc/PID/stat; 0 when gone */
int tg_pidfd_open(pid_t pid);          /* -1 when gone */
bool tg_pidfd_signal(int pidfd, int sig);
char *tg_self_exe(void);               /* absolute path of this program; caller frees */
char *tg_which(const char *name);      /* absolute path through PATH, or NULL; caller frees */

#endif
