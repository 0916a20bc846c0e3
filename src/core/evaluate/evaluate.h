#ifndef TG_EVALUATE_H
#define TG_EVALUATE_H
/*
 * Evaluator backends: local (runs the row's eval_script in the sandbox), import (reads an existing
 * instance_results.jsonl), swebench (the real harness, 4.x and 5.x, one process an instance). A
 * backend turns one patch into one outcome and leaves the harness's files in the stage's work/.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"
#include "core/run/stage.h"
#include "core/run/words.h"

struct tg_job;

struct tg_tally {
	int f2p_pass, f2p_fail, p2p_pass, p2p_fail;
};

struct tg_eval_input {
	const struct tg_stage_ctx *ctx;
	const char *patch;        /* exactly the bytes that the extract stage left */
	size_t patch_n;
	const char *patch_sha256; /* of those bytes */
	int applies;              /* triage's ladder: 1, 0, -1 unknown */
};

struct tg_evaluation {
	enum tg_eval_status status;
	int resolved;             /* 1, 0, -1 unknown */
	char *reason;             /* one safe line, or NULL; owned */
	char *apply_error;        /* what the last rung said, one safe line, or NULL; owned */
	char rung[24];            /* of the ladder that took the patch; "" unknown */
	bool have_tally;
	struct tg_tally tally;
	enum tg_evidence_level level;
	char *row; /* a row of instance_results.jsonl to keep verbatim, or NULL; owned */
};

void tg_evaluation_fini(struct tg_evaluation *ev);

struct tg_evaluator_ops {
	const char *name;
	bool runs_empty; /* is asked for the classes empty and infra too (an import has rows for
			    them) */
	/* Can it work here? err says what is missing and what mends it. May freeze the tools that it
	 * found in spec->tools. May be NULL. */
	bool (*preflight)(struct tg_spec *spec, struct tg_err *err);
	/* Environment, limits and clean-up of its jobs, where the pipeline's own do not fit; run_sha256
	 * is run.json's. May be NULL. */
	void (*job)(const struct tg_spec *spec, const char *run_sha256, struct tg_job *job);
	/* False: the job failed (machine, input), which is no verdict. */
	bool (*evaluate)(const struct tg_eval_input *in, struct tg_evaluation *ev,
			 struct tg_err *err);
};

const struct tg_evaluator_ops *tg_evaluator_find(const char *name); /* NULL: unknown */
extern const struct tg_evaluator_ops tg_evaluator_local, tg_evaluator_import,
	tg_evaluator_swebench;

/* One row of an instance_results.jsonl for iid (the last one wins) in text[0..n). NOT_RUN when
 * there is none, or when it carries the digest of another patch. False: a line that is no JSON
 * object. */
bool tg_import_row(const char *text, size_t n, const char *name, const char *iid,
		   const char *patch_sha256, struct tg_evaluation *ev, struct tg_err *err);

#endif
