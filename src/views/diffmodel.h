#ifndef TG_DIFFMODEL_H
#define TG_DIFFMODEL_H
/*
 * A patch as lines for the screen, from libgit2's diff model (git_diff_from_buffer, git_patch_*).
 * What libgit2 cannot read is shown as its raw bytes, with libgit2's word for why; libgit2 is no
 * judge of whether a patch applies (that is triage).
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/buf.h"

enum tg_diff_line {
	TG_DL_FILE,
	TG_DL_HUNK,
	TG_DL_CONTEXT,
	TG_DL_ADD,
	TG_DL_DEL,
	TG_DL_NOTE,
	TG_DL_RAW
};

struct tg_dline {
	enum tg_diff_line kind;
	struct tg_str text;  /* borrowed from the model; not safe */
	size_t at;           /* where it stands in `extra` while the model is made */
	int old_no, new_no;  /* 0: none */
	int file;            /* index, -1 before the first */
};

struct tg_dfile {
	struct tg_str path;
	size_t at;
	char status;         /* A D M R C T as git prints it */
	size_t added, deleted, first_line;
	bool binary;
};

struct tg_diffmodel {
	struct tg_buf bytes;     /* the patch */
	struct tg_buf extra;     /* texts that are not in the patch */
	struct tg_dline *line;
	size_t line_n, line_cap;
	struct tg_dfile *file;
	size_t file_n, file_cap;
	size_t added, deleted;
	bool raw;                /* lines are the raw bytes */
	char refused[256];       /* why libgit2 could not read it; "" when it could */
};

/* Takes the bytes over. `raw`: do not ask libgit2. */
void tg_diffmodel_make(struct tg_diffmodel *m, struct tg_buf *bytes, bool raw);
void tg_diffmodel_fini(struct tg_diffmodel *m);

#endif
