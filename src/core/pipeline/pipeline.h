#ifndef TG_PIPELINE_H
#define TG_PIPELINE_H
/*
 * The pipeline: the table of stages - what each needs, what it leaves, how it runs. The one place that
 * knows the whole (docs/architecture.md has the picture, docs/stages.md the result files).
 *
 *   agent → extract → triage → scan ┐
 *                            └ evaluate ┴→ (risk) → govern → [all judged] → collect → gate → audit
 *                                                              → manifest → bundle → verify
 *
 * A stage runs as a job: `tgmon stage <name> --run RUN --job DIR`. It reads its inputs from the job
 * directories of earlier stages, writes files below its own work/ and finally result.json:
 *   {schema:"tgmon.stage.v1", stage, instance_id, attempt, k, ok, error|null, sum{...},
 *    files[{path (relative to work/), sha256, bytes}]}
 * sum{} is small (<= 48 KiB); the runner puts it into the journal's stage.end and the fold reads it.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"
#include "core/run/model.h"
#include "core/run/spec.h"
#include "core/run/stage.h"
#include "core/run/words.h"
#include "core/run/job.h"

enum tg_pool { TG_POOL_AGENT, TG_POOL_EVAL, TG_POOL_LIGHT, TG_POOL_COUNT };

struct tg_stage_def {
	enum tg_stage stage;
	unsigned needs;     /* bits 1u << stage: must have ended (well, or failed for good) */
	enum tg_pool pool;
	int timeout_s;      /* 0: from the spec (agent, evaluate) */
	int tries;          /* how often a failed stage job is tried */
	tg_stage_fn fn;     /* NULL: the agent */
};

const struct tg_stage_def *tg_stage_def(enum tg_stage stage);
/* Next stages of an attempt that can start now; returns how many were put into out. */
size_t tg_pipeline_ready(const struct tg_run *run, const struct tg_attempt *att,
			 enum tg_stage out[TG_STAGE_ATTEMPT_COUNT]);
/* Is the attempt through (govern ended, or failed for good)? */
bool tg_pipeline_judged(const struct tg_attempt *att);
/* The run-level stage that is due, or TG_STAGE_COUNT. collect is due when anything was judged since. */
enum tg_stage tg_pipeline_run_stage(const struct tg_run *run);
/* Describe the job for a stage (argv, env, limits, inputs); job->dir is set by the caller. */
bool tg_pipeline_job(const struct tg_run *run, const struct tg_spec *spec, struct tg_job *job,
		     struct tg_err *err);
/* Pools' sizes from the spec. */
int tg_pipeline_pool_size(const struct tg_spec *spec, enum tg_pool pool);

/* `tgmon stage NAME --run RUN --job DIR`: load everything, call fn, write result.json. */
int tg_stage_main(const char *name, const char *run_dir, const char *job_dir);

#endif
