#ifndef TG_IMPORT_H
#define TG_IMPORT_H
/*
 * A run directory that something else made (a mini-swe-agent output folder, or one that the
 * runbook's script made) as the same struct tg_run, read-only: nothing is written, nothing is
 * executed. Every instance has one attempt ("import"); what the folder does not say stays unknown.
 *
 *   ids       preds.json (else preds_filled.json), then trajectories that it does not name
 *   ended     a prediction or an exit status is there; before that it is shown as running
 *   patch     the prediction's bytes; class only as far as evaluation or exit status tell
 *   verdict   recomputed_governed_v2_agentic.jsonl, else any *governed*.jsonl
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/run/model.h"

/* run is initialised here; tg_run_fini it also after false. */
bool tg_import_run(struct tg_run *run, const char *dir, struct tg_err *err);
/* Changes whenever a file that the importer reads changed (names, sizes, times). */
uint64_t tg_import_stamp(const char *dir);

/* The groups a person thinks in, from the agent's own word alone (mini-swe-agent's exit statuses).
 */
enum tg_outcome tg_outcome_of_exit(const char *exit_status, bool has_patch);

#endif
