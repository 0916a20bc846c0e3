#ifndef TG_PROOF_ROWS_H
#define TG_PROOF_ROWS_H
/* JSON lines and prediction files of a proof, by instance. A line that is no object with an id is
 * counted as bad, never skipped silently. */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/err.h"
#include "core/lib/hash.h"
#include "core/proof/fileset.h"

struct cJSON;

struct tg_prow {
	struct cJSON *v;
	const char *id; /* borrowed from v */
	char sha256[TG_SHA256_HEX],
	    sha256_nl[TG_SHA256_HEX]; /* of the line, without and with its LF */
};

struct tg_prows {
	bool exists;
	struct tg_prow *v;
	size_t n, cap;
	size_t bad; /* lines or records that are no object with an id */
	bool duplicates;
};

/* False only when the file is there and cannot be read. Sorted by id. */
bool tg_prows_lines(struct tg_prows *rows, const struct tg_fileset *set, const char *path,
		    struct tg_err *err);
/* preds_filled.json: a list, or a map by id. No line digests. */
bool tg_prows_predictions(struct tg_prows *rows, const struct tg_fileset *set, const char *path,
			  struct tg_err *err);
const struct tg_prow *tg_prows_find(const struct tg_prows *rows, const char *id);
void tg_prows_fini(struct tg_prows *rows);

#endif
