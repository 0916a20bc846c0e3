#ifndef TG_DATASET_NAMES_H
#define TG_DATASET_NAMES_H
/*
 * From what stands behind --dataset to a file of JSON lines. The names are mini-swe-agent's subset
 * aliases (spec, section 1.2). A named set, or a parquet file, is exported once by the user's own
 * Python into $XDG_CACHE_HOME/tgmon/datasets/<name>_<split>.jsonl; its sha256 stands beside it, and
 * a copy whose digest differs is exported again.
 */
#include <stdbool.h>
#include "core/lib/err.h"

struct tg_dataset_place {
	char *path;  /* JSON or JSON lines; NULL when it has to be exported first */
	char *name;  /* the word in the run directory's name: "lite", "demo", or of the file */
	char *split; /* "test" */
	char *source; /* what the export reads: "hf:NAME" or a parquet file; NULL: nothing to export
		       */
	char *cache;  /* where the export goes */
};

/* The hub's name behind an alias (lite, verified, full, ...), or NULL. */
const char *tg_dataset_hub_name(const char *alias);
/* Where is it? Nothing is written, no program is started. given NULL: lite. split NULL: test. */
bool tg_dataset_locate(const char *given, const char *split, struct tg_dataset_place *place,
		       struct tg_err *err);
/* Export what tg_dataset_locate left without a path, with this Python (NULL: tg_user_python());
 * checks the rows before they become the cached copy. Sets place->path. */
bool tg_dataset_export(struct tg_dataset_place *place, const char *python, struct tg_err *err);
void tg_dataset_place_fini(struct tg_dataset_place *place);

/* The Python that has the user's tools: $TGMON_PYTHON, the one that mini-extra's first line names,
 * the active virtual environment's, python3 of PATH. Absolute; NULL: none. Caller frees. */
char *tg_user_python(void);
/* The interpreter that a console script names in its head, or NULL. Caller frees. */
char *tg_script_python(const char *script);

#endif
