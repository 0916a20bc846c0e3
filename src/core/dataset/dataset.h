#ifndef TG_DATASET_H
#define TG_DATASET_H
/*
 * SWE-bench rows (JSONL or a JSON list; the 12 columns of Lite, 5.x's image, eval_script,
 * log_parser, eval_type and the further columns of the known sets allowed), Python slices, and
 * where the repositories are. From a set's name to a file: names.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct tg_row {
	char *instance_id, *repo, *base_commit, *patch, *test_patch, *problem_statement,
		*hints_text, *created_at, *version, *environment_setup_commit;
	char *image, *eval_script, *log_parser, *eval_type; /* NULL when absent */
	char **fail_to_pass, **pass_to_pass;               /* NULL-terminated */
	char *raw; /* the row as one JSON line */
};

struct tg_dataset {
	struct tg_row *row;
	size_t n;
	char sha256[65]; /* of the file */
};

/* Unknown or missing column, hostile id, duplicate id: error with file, line, column/field. */
bool tg_dataset_load(struct tg_dataset *ds, const char *path, struct tg_err *err);
void tg_dataset_fini(struct tg_dataset *ds);
const struct tg_row *tg_dataset_find(const struct tg_dataset *ds, const char *iid);
/* One row out of RUN/.tgmon/dataset.jsonl; false with code TG_E_NONE when it is not there. */
bool tg_dataset_row(const char *path, const char *iid, struct tg_row *row, struct tg_err *err);
void tg_row_fini(struct tg_row *row);

/* Python's slice "start:stop[:step]" (blanks allowed) over n items: indices in order; caller frees
 * *idx. Not a slice, step 0: TG_E_INPUT. An empty selection is no error here. */
bool tg_slice_indices(const char *text, size_t n, size_t **idx, size_t *count, struct tg_err *err);

/* The data folder of the build or installation: $TGMON_DATA, else beside the program
 * (../share/tgmon), else the source tree's data/. Caller frees; NULL when none is found. */
char *tg_data_dir(void);

/* A bare repository for row->repo: repos_dir/<owner>__<name>[.git], or made once in the cache from
 * data_dir/repos/<owner>__<name>.fi (git fast-import text; the cache is keyed by that file's
 * sha256, made in a temporary folder and renamed). Caller frees *path. Code TG_E_NONE when there is
 * none. */
bool tg_repo_path(const char *repos_dir, const char *data_dir, const char *repo, char **path,
		  struct tg_err *err);
/* Write the whole tree of `commit` below dst (an existing empty folder), modes kept, symlinks kept
 * as such, nothing outside dst; libgit2, nothing is written into the repository. */
bool tg_repo_checkout(const char *repo_path, const char *commit, const char *dst,
		      struct tg_err *err);
/* One blob at commit:path into out. Code TG_E_NONE: no such path. mode gets e.g. 0100644. */
bool tg_repo_blob(const char *repo_path, const char *commit, const char *path, struct tg_buf *out,
		  unsigned *mode, struct tg_err *err);

#endif
