#ifndef TG_LAUNCH_H
#define TG_LAUNCH_H
/*
 * Making a run directory: every input is checked first, then everything is frozen into a folder that
 * gets its name by one rename, so that a refused launch leaves nothing behind.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/dataset/dataset.h"
#include "core/lib/err.h"
#include "core/run/spec.h"

struct tg_launch_opts { /* as the command line gives them; NULL or 0: the default */
	const char *config, *model_id, *slice, *tag, *policy, *dataset, *split, *agent, *evaluator, *output;
	const char *repos, *eval_results, *reports, *instances, *required_evidence, *notify;
	int64_t workers, eval_workers, timeout_s, eval_timeout_s, retries, ladder;
	int64_t canary, stop_after;
	bool canary_set, stop_after_set;
	const char *sign_key;
	bool retries_set, budget_set, redact, sign;
	bool keep_going; /* a preflight that fails is noted in the launch, not returned */
	double budget_usd, pace;
	const char *source; /* process: the run directory that something else made */
};

struct tg_launch {
	struct tg_spec spec;
	struct tg_dataset ds;    /* all rows; ds.n == 0 when there is no data set */
	size_t *pick, pick_n;    /* the chosen rows, in order */
	char *parent;            /* folder that will hold the run directory */
	char *run_dir;           /* absolute; NULL until made (or: in place) */
	bool in_place;
	struct tg_err preflight; /* with keep_going: what the preflight said; code 0: nothing */
};

/* Check the inputs and fill the spec: nothing is written. */
bool tg_launch_plan(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err);
/* The same for `tgmon process`. */
bool tg_launch_plan_foreign(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err);
/* Make the run directory; l->run_dir is set. */
bool tg_launch_make(struct tg_launch *l, struct tg_err *err);
void tg_launch_fini(struct tg_launch *l);

/* Shared by both plans. */
bool tg_launch_common(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err);

#endif
