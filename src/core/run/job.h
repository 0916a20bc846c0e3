#ifndef TG_JOB_H
#define TG_JOB_H
/*
 * A job: what a shim runs. The runner knows jobs, not what they mean. Its directory (layout.h) is made
 * once, never reused, never deleted; spec.json is written there before the shim starts, exit.json is
 * published there once by the shim.
 *
 * spec.json  {schema:"tgmon.job.v1", stage, instance_id|null, attempt, k, argv[], after[], env[] (values that
 *             are no secrets), env_pass[] (names taken from the runner's environment), cwd, timeout_s,
 *             grace_s, limits{}, inputs{stage: job dir relative to RUN}}
 * exit.json  {schema:"tgmon.exit.v1", code, sig, why: exit|signal|timeout|killed, started_ms, ended_ms,
 *             utime_ms, stime_ms, maxrss_kb, oom, residue[], log_bytes, log_truncated}
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/lib/proc.h"
#include "core/run/words.h"

struct tg_job {
	enum tg_stage stage;
	char *instance_id;  /* NULL: run-level */
	int attempt, k;
	char *dir;          /* absolute job directory */
	char **argv;        /* NULL-terminated */
	char **after;       /* NULL, or argv that is run once the tree is dead: it takes away what
	                     * the job left outside its tree (containers); harmless to run twice */
	char **env;         /* NULL-terminated "NAME=value"; no secrets */
	char **env_pass;    /* NULL-terminated names */
	char *cwd;          /* NULL: dir/work */
	int timeout_s, grace_s;
	struct tg_limits limits;
	char *inputs[TG_STAGE_COUNT]; /* job dirs relative to RUN, or NULL */
};

void tg_job_fini(struct tg_job *job);
bool tg_job_write(const struct tg_job *job, char spec_sha256[65], struct tg_err *err);
bool tg_job_load(struct tg_job *job, const char *dir, struct tg_err *err);

struct tg_exit {
	int code, sig;
	char why[16];
	int64_t started_ms, ended_ms;
	bool oom, log_truncated;
};
bool tg_exit_load(struct tg_exit *x, const char *job_dir, struct tg_err *err);

#endif
