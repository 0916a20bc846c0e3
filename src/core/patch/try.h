#ifndef TG_TRY_H
#define TG_TRY_H
/*
 * One patch tried against its base: parse, ladder in the sandbox over the touched files, and the class
 * that follows. Used by the triage stage (which keeps the tree) and by `tgmon triage` (which does not).
 */
#include <stdbool.h>
#include "core/lib/err.h"
#include "core/patch/classify.h"
#include "core/patch/ladder.h"
#include "core/patch/parse.h"
#include "core/patch/scratch.h"

struct tg_try_in {
	const char *patch; /* must outlive the result */
	size_t n;
	const char *exit_status, *submission_head; /* or NULL */
	enum tg_outcome outcome;
	const char *repo, *commit; /* NULL: no base at hand */
	const char *dir;           /* the scratch tree; removed when it is there */
	int generation;            /* of the harness: 4 or 5 */
};

struct tg_try {
	struct tg_diff diff;
	struct tg_scratch scratch;
	struct tg_ladder_result ladder;
	bool ladder_ran;
	char *no_base; /* why the base could not be read, or NULL */
	struct tg_triage_out out;
};

/* False: the machine failed (no sandbox, disk). Free with tg_try_fini in either case. */
bool tg_try_patch(const struct tg_try_in *in, struct tg_try *t, struct tg_err *err);
void tg_try_fini(struct tg_try *t);

#endif
