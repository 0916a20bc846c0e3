#ifndef TG_WATCH_H
#define TG_WATCH_H
/*
 * A run as a reader sees it: the fold followed incrementally, live observations of running
 * attempts, and whether the runner is alive (its lock is held). Opens our runs and foreign ones
 * (read-only: nothing is written into a folder without .tgmon). Used by the console, `status`,
 * `report`, `verify`.
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/run/live.h"
#include "core/run/model.h"
#include "core/run/spec.h"

struct tg_watch;

struct tg_watch *tg_watch_open(const char *dir, struct tg_err *err);
void tg_watch_close(struct tg_watch *w);
/* Follow: reads what is new. *changed (may be NULL) says whether anything visible changed. */
bool tg_watch_poll(struct tg_watch *w, bool *changed, struct tg_err *err);
/* A descriptor that becomes readable when something below the run changed (inotify), or -1. */
int tg_watch_fd(const struct tg_watch *w);
const struct tg_run *tg_watch_run(const struct tg_watch *w);
const struct tg_spec *tg_watch_spec(const struct tg_watch *w); /* NULL for a foreign run */
/* Live data of instance i's latest attempt, or of its evaluation (doing alone) while that runs; never
 * NULL; known == false when neither runs. */
const struct tg_live *tg_watch_live(const struct tg_watch *w, size_t i);
bool tg_watch_runner_alive(const struct tg_watch *w);
/* Steps, cost and seconds since the last sign of life of instance i, live or settled; unknown: -1.
 */
int64_t tg_watch_steps(const struct tg_watch *w, size_t i);
double tg_watch_cost(const struct tg_watch *w, size_t i);
int64_t tg_watch_idle_s(const struct tg_watch *w, size_t i, int64_t now_ms);
/* Cost of the run so far, live steps included. */
double tg_watch_run_cost(const struct tg_watch *w, bool *lower_bound);
/* RUN's state in one word: running, interrupted (no runner though work is left), paused, draining,
 * stopping, stopped, stopped by the gate, done, foreign. */
const char *tg_watch_run_state(const struct tg_watch *w);

/* The nine artefacts of the runbook's section D, on disk. */
struct tg_artifact {
	const char *name; /* the key of status --json */
	bool present;
	int64_t count;    /* files, or 1/0 */
};
#define TG_ARTIFACTS 9
void tg_artifacts(const struct tg_run *run, struct tg_artifact out[TG_ARTIFACTS]);
/* All nine, one trajectory and one report per expected id, every instance judged, not stale. */
bool tg_run_is_complete(const struct tg_run *run, const struct tg_artifact a[TG_ARTIFACTS]);

/* The object of `tgmon status --json` (decisions.md; schema "tgmon.status.v1"). */
struct cJSON *tg_status_json(const struct tg_watch *w);

#endif
