#ifndef TG_SCRATCH_H
#define TG_SCRATCH_H
/*
 * The scratch tree in which the ladder runs: the files that a diff touches, at the base commit, and
 * nothing else (the harness's verdict needs no more), and the comparison of the tree after it with
 * what was put there. Nothing a patch or a sandboxed program left is followed: directories and
 * files are opened beneath the tree without symbolic links; names are data.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/patch/classify.h"
#include "core/patch/parse.h"

struct tg_scratch_file {
	char *path;          /* relative, raw bytes */
	bool before, after;  /* was there, is there */
	unsigned before_mode, after_mode; /* 0100644, 0100755, 0120000 */
	struct tg_buf before_bytes, after_bytes; /* a link's target for 0120000 */
	bool in_patch;       /* the diff names it */
};

struct tg_scratch {
	char *dir;
	struct tg_scratch_file *file; /* sorted by path */
	size_t n, cap;
};

/* Fill s from the repository and write the files below dir (made here, must not exist). Paths that
 * are not safe are left out. A missing commit or an unreadable repository is an error. */
bool tg_scratch_build(struct tg_scratch *s, const char *dir, const struct tg_diff *d,
		      const char *repo_path, const char *commit, struct tg_err *err);
/* Read what is in the tree now into the after members; adds files that the ladder made. */
bool tg_scratch_read(struct tg_scratch *s, struct tg_err *err);
bool tg_scratch_changed(const struct tg_scratch_file *f);
/* Left by a rung, not by the patch: *.rej, *.orig that the diff does not name. */
bool tg_scratch_litter(const struct tg_scratch_file *f);
struct tg_scratch_file *tg_scratch_find(const struct tg_scratch *s, const char *path);
/* One tg_base_file for each file of the diff, borrowing the bytes; caller frees the array only. */
struct tg_base_file *tg_scratch_base(const struct tg_scratch *s, const struct tg_diff *d);
/* Removes the tree and frees. */
void tg_scratch_fini(struct tg_scratch *s);

#endif
