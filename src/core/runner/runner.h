#ifndef TG_RUNNER_H
#define TG_RUNNER_H
/*
 * The runner: one per live run, detached, sole writer of journal and derived files. Everything it does
 * not know (what a stage means, which comes next) it asks the pipeline (pipeline/pipeline.h).
 */
#include <stdbool.h>
#include "core/lib/err.h"

/* Start a detached runner process (`tgmon runner RUN`) and wait until it holds the lock and has written
 * runner.start (at most 5 s). False with TG_E_BUSY when another one holds the run (err names it). */
bool tg_runner_start(const char *run_dir, struct tg_err *err);
/* Be the runner: returns the process's exit code. foreground: do not detach stdio (tests, process). */
int tg_runner_main(const char *run_dir, bool foreground);
/* Is RUN/.tgmon/lock held? who (may be NULL, 128 bytes) gets "pid 123 on host since ...". */
bool tg_runner_alive(const char *run_dir, char who[128]);

/* `tgmon shim JOBDIR`: own session, subreaper, shim.lock, pid.json, the child, time limit, teardown of
 * the whole tree, exit.json. Returns the process's exit code. tree.lock is inherited as descriptor 9. */
int tg_shim_main(const char *job_dir);

/* Commands go through RUN/.tgmon/inbox/<uuid>.json, renamed in; the acknowledgement is the journal's
 * cmd record with the same req. args is owned by the callee; req gets the uuid.
 * Verbs: rerun {ids[]|failed:true, config?}, stop {now:bool}, drain, pause, resume, kill {id}, answer
 * {row}, note {text}. */
struct cJSON;
bool tg_inbox_post(const char *run_dir, const char *verb, struct cJSON *args, char req[37],
		   struct tg_err *err);

#endif
