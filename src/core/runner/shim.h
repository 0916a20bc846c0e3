#ifndef TG_SHIM_H
#define TG_SHIM_H
/* Private to the shim: its environment for the child, the bounded log, the teardown of the tree. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/err.h"
#include "core/run/job.h"

/* The child's whole environment: an allow-list out of ours, the job's env[], the names in
 * env_pass[], and TGMON_JOB=<job directory>, by which a sweep knows the members of an attempt.
 * NULL-terminated, free with tg_shim_env_free. */
char **tg_shim_env(const struct tg_job *job);
void tg_shim_env_free(char **env);

/* out.log keeps the first TG_LOG_HEAD bytes and at least half of the last TG_LOG_TAIL bytes; it
 * never grows over TG_LOG_HEAD + TG_LOG_TAIL and a line. What was cut out is said in the file. */
#define TG_LOG_HEAD (1 << 20)
#define TG_LOG_TAIL (8 << 20)
struct tg_joblog {
	int fd;           /* -1: everything is dropped (and counted) */
	int64_t total;    /* bytes that came */
	int64_t size;     /* bytes in the file */
	int64_t cut;      /* bytes that were cut out */
	int64_t lost;     /* bytes that could not be written (disk full) */
};
bool tg_joblog_open(struct tg_joblog *log, const char *path, struct tg_err *err);
void tg_joblog_add(struct tg_joblog *log, const char *p, size_t n); /* never fails, never blocks */
void tg_joblog_close(struct tg_joblog *log);

/* Kill every process below us, again and again, until none is left or limit_ms is over. Returns how
 * many are left; their pids go into left[] (at most cap). Statuses of the dead are reaped; that of
 * `child` is stored in *status when it was among them (*reaped set). */
struct tg_sweep {
	pid_t child;
	bool reaped;
	int status;
	int rounds;
};
size_t tg_teardown_sweep(struct tg_sweep *s, int64_t limit_ms, pid_t *left, size_t cap);
void tg_teardown_reap(struct tg_sweep *s); /* reap without waiting */

#endif
