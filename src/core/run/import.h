#ifndef TG_IMPORT_H
#define TG_IMPORT_H
/*
 * What something else made, as the same struct tg_run, read-only: nothing is written, nothing is
 * executed. A mini-swe-agent output folder of 1.x or 2.x (finished, or being written this moment),
 * one of the runbook's script, a predictions file alone, a harness log tree. Every instance has at
 * most one attempt ("import"); what the files do not say stays unknown.
 *
 *   ids       the predictions file, then trajectories, exit statuses of instances that never began,
 *             instances that minisweagent.log says are under way, then the harness's logs
 *   ended     a prediction, a finished trajectory or an exit status is there
 *   under way an unfinished trajectory, or a container that minisweagent.log started
 *   patch     the prediction's bytes; class only as far as evaluation or exit status tell
 *   evaluation report.json of logs/run_evaluation/<run>/<model>/<iid>, else the runbook's rows. A
 *             report for other bytes than the prediction's does not count
 *   verdict   recomputed_governed_v2_agentic.jsonl, else any *governed*.jsonl
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/run/live.h"
#include "core/run/model.h"

struct tg_import; /* remembers the last good reading of every file */

/* path: a folder, or a predictions file. */
struct tg_import *tg_import_new(const char *path);
void tg_import_free(struct tg_import *im);
/* Look once, without waiting. *run is made anew (tg_run_fini it also after false) when *changed. */
bool tg_import_read(struct tg_import *im, struct tg_run *run, bool *changed, struct tg_err *err);
/* Files were in the middle of a write, as it seemed: look again soon. */
bool tg_import_pending(const struct tg_import *im);
/* What instance i of the latest run does; NULL: nothing is known. */
const struct tg_live *tg_import_live(const struct tg_import *im, size_t i);
/* Look until every file could be read or has shown that it cannot, at most 2 s. */
bool tg_import_settle(struct tg_import *im, struct tg_run *run, struct tg_err *err);

/* Once: new, settle, free. run is initialised here; tg_run_fini it also after false. */
bool tg_import_run(struct tg_run *run, const char *path, struct tg_err *err);

/* The groups a person thinks in, from the agent's own word alone (mini-swe-agent's exit statuses).
 */
enum tg_outcome tg_outcome_of_exit(const char *exit_status, bool has_patch);

#endif
