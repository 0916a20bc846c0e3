#ifndef TG_STAGE_H
#define TG_STAGE_H
/*
 * What a stage is given and what it gives (docs/stages.md). A stage is a function in the folder that
 * knows its matter; the pipeline runs it as a job of its own and writes result.json.
 */
#include <stdbool.h>
#include "core/lib/err.h"
#include "core/lib/log.h"
#include "core/run/spec.h"
#include "core/run/words.h"

struct cJSON;
struct tg_row;

struct tg_stage_ctx {
	const char *run_dir;      /* absolute */
	const struct tg_spec *spec;
	const char *instance_id;  /* NULL: run-level stage */
	int attempt, k;
	const char *job_dir, *work_dir, *attempt_dir; /* absolute; attempt_dir NULL when run-level */
	const char *input[TG_STAGE_COUNT]; /* absolute job dirs of earlier stages that succeeded, or NULL */
	const struct tg_row *row; /* the instance's data set row, or NULL */
	struct tg_log log;        /* goes to the job's out.log */
};

/* Do the stage: write files below ctx->work_dir, fill `sum`. False: the job failed (err says why). */
typedef bool (*tg_stage_fn)(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err);

/* The stages (each in its own folder). */
bool tg_stage_extract(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_triage(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_scan(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_evaluate(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_risk(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_govern(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_collect(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_gate(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_audit(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_manifest(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_bundle(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);
bool tg_stage_verify(const struct tg_stage_ctx *, struct cJSON *sum, struct tg_err *);

#endif
