#ifndef TG_LAYOUT_H
#define TG_LAYOUT_H
/*
 * Where things live in a run directory (docs/architecture.md). Every path that the program makes or
 * reads below RUN comes from here. Returned strings are the caller's to free.
 *
 *   RUN/.tgmon/{run.json, dataset.jsonl, lock, journal.NNNNNN, inbox/, status.json, runner.log}
 *   RUN/.tgmon/attempts/<iid>/<NNN>/            the agent's job directory of attempt NNN
 *   RUN/.tgmon/attempts/<iid>/<NNN>/<stage>.<k>/ job directory of the k-th try of a later stage
 *   RUN/.tgmon/jobs/<stage>.<k>/                 run-level stages
 *   a job directory: {spec.json, tree.lock, shim.lock, pid.json, out.log, work/, result.json, exit.json}
 */
#include <stdbool.h>
#include "core/run/words.h"

#define TG_CONTROL_DIR ".tgmon"

/* ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ and no ".." : the only ids that become path parts. */
bool tg_instance_id_valid(const char *iid);
bool tg_tag_valid(const char *tag); /* [A-Za-z0-9._-]{1,64} */

char *tg_layout_control(const char *run, const char *name); /* RUN/.tgmon/<name> */
char *tg_layout_attempt(const char *run, const char *iid, int attempt);
/* iid NULL: a run-level stage. stage AGENT: the attempt directory itself (k is ignored). */
char *tg_layout_job(const char *run, const char *iid, int attempt, enum tg_stage stage, int k);
char *tg_layout_traj(const char *run, const char *iid); /* RUN/<iid>/<iid>.traj.json */
/* The folder above the harness's <run>/<model>/<iid>/ relative to dir: "logs/run_evaluation", or ""
 * when dir is logs/run_evaluation itself; NULL: there is no such tree. The caller frees. */
char *tg_layout_eval_tree(const char *dir);
/* Is this a run directory of ours (.tgmon/run.json); one that something else made (a *.traj.json one
 * or two levels down, a predictions file (also when dir is one itself), exit_statuses_*.yaml, a
 * minisweagent.log, a tree of harness logs when no run lies beside it); or none? */
enum tg_dir_kind { TG_DIR_NONE, TG_DIR_OURS, TG_DIR_FOREIGN };
enum tg_dir_kind tg_layout_kind(const char *dir);

#endif
