#ifndef TG_PARSE_H
#define TG_PARSE_H
/*
 * Unified and git diffs, parsed over bytes: tolerant (after a fault it goes on with what can still
 * be read), total (every input gives a result), linear in time, without recursion. What git apply
 * takes is followed closely (git's apply.c, 2.39), because the first fault is what a person is told
 * when the harness refuses a patch.
 *
 * Nothing is copied but paths: hunks are ranges of the input, which must outlive the tg_diff.
 * Paths are hostile bytes, decoded from git's C quotes, with the first component ("a/", "b/") taken
 * off as `-p1` does. They never become paths on our disk unless path_flags allow it.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/buf.h"

#define TG_DIFF_MAX_BYTES ((size_t)64 << 20) /* larger: TG_DIFF_TOO_LARGE */

enum tg_diff_status {
	TG_DIFF_MODIFIED, TG_DIFF_ADDED, TG_DIFF_DELETED, TG_DIFF_RENAMED, TG_DIFF_COPIED
};

enum { /* path_flags */
	TG_PATH_ABSOLUTE = 1,
	TG_PATH_DOTDOT = 2,
	TG_PATH_DOTGIT = 4,    /* a component .git in any case */
	TG_PATH_CONTROL = 8,   /* C0, DEL, backslash */
	TG_PATH_EMPTY = 16,    /* no name, or an empty or "." component */
	TG_PATH_SYMLINK = 32,  /* mode 120000 */
	TG_PATH_SUBMODULE = 64 /* mode 160000 */
};
#define TG_PATH_OUTSIDE (TG_PATH_ABSOLUTE | TG_PATH_DOTDOT | TG_PATH_DOTGIT)

struct tg_diff_file {
	char *old_path, *new_path; /* NULL: /dev/null, or none could be read */
	enum tg_diff_status status;
	unsigned old_mode, new_mode; /* 0100644 ...; 0 when the patch does not say */
	bool git;           /* has a "diff --git" line */
	bool binary;        /* "GIT binary patch" or "Binary files differ" */
	bool binary_data;   /* the bytes are in the patch */
	bool extra_after;   /* diff-like lines behind a hunk that was complete by its counts */
	unsigned path_flags;
	size_t line;        /* of its header, 1-based */
	size_t first_hunk, hunk_n; /* in tg_diff.hunk */
	size_t added, deleted;     /* lines */
};

struct tg_diff_hunk {
	size_t line;                   /* of its @@ line */
	size_t off, len;               /* the body's bytes in the input */
	size_t old_start, old_n, new_start, new_n; /* as promised */
	size_t old_got, new_got;       /* as found */
	size_t trailing;               /* context lines after the last change */
	bool broken;
};

enum tg_diff_fault {
	TG_DIFF_SOUND,
	TG_DIFF_NO_DIFF,      /* nothing in it is a diff */
	TG_DIFF_NO_NEWLINE,   /* only the last line's end is missing: git refuses, patch takes it */
	TG_DIFF_SHORT,        /* the input ends within a hunk */
	TG_DIFF_CUT_HEADER,   /* the input ends within a header */
	TG_DIFF_COUNT,        /* a hunk has other lines than it promises */
	TG_DIFF_BAD_LINE,     /* a line in a hunk that is neither context nor change */
	TG_DIFF_BAD_HUNK,     /* an @@ line that cannot be read */
	TG_DIFF_NO_CHANGE,    /* a hunk of context only: git calls it corrupt */
	TG_DIFF_ORPHAN_HUNK,  /* an @@ line without a file header before it */
	TG_DIFF_NO_CONTENT,   /* a file header with nothing behind it */
	TG_DIFF_NO_DATA,      /* "Binary files differ" without the bytes */
	TG_DIFF_BAD_NAME,     /* no file name, or none after -p1 */
	TG_DIFF_BAD_STATUS,   /* a new file with old lines, a deleted one with new lines */
	TG_DIFF_TOO_LARGE
};

struct tg_diff {
	const char *p; /* the input, borrowed */
	size_t n, lines;
	struct tg_diff_file *file;
	size_t file_n, file_cap;
	struct tg_diff_hunk *hunk;
	size_t hunk_n, hunk_cap;
	/* The first fault; file and hunk count from 1, 0: none. */
	enum tg_diff_fault fault;
	size_t fault_line, fault_file, fault_hunk, fault_n;
	char *fault_text;          /* one safe line; NULL when sound */
	/* TG_DIFF_SHORT and TG_DIFF_NO_NEWLINE: this many context lines would make it whole, blank
	 * ones if the reason is that something stripped the end. */
	size_t missing;
	bool may_be_stripped;      /* the missing lines can only be context, and few of them */
	bool no_final_newline;
	size_t prose_lines;        /* before the first header */
};

void tg_diff_parse(struct tg_diff *d, const char *p, size_t n);
void tg_diff_fini(struct tg_diff *d);
const char *tg_diff_path(const struct tg_diff_file *f); /* new, else old; "" when neither */
const char *tg_diff_status_name(enum tg_diff_status s); /* as in tree.json; a copy is "added" */

/* The lines of a hunk: struct tg_diff_line it = { 0 }; while (tg_diff_line_next(d, h, &it)) ... */
struct tg_diff_line {
	char sign;        /* ' ', '+', '-' */
	size_t off, len;  /* text in the input, without sign and line end */
	size_t line;      /* in the patch, 1-based */
	bool no_newline;  /* followed by "\ No newline at end of file" */
	size_t next;      /* internal: bytes of the body that are behind us */
};
bool tg_diff_line_next(const struct tg_diff *d, const struct tg_diff_hunk *h,
		       struct tg_diff_line *it);

/* Names (parse_names.c). Decode a C-quoted or plain name that ends at TAB, CR, VT, FF or the line's
 * end, and take `strip` leading components off; NULL for /dev/null (*null set) and when nothing is
 * left. Caller frees. */
char *tg_diff_name(const char *p, size_t n, int strip, bool *null);
/* The names on a "diff --git" line (p behind "diff --git "): the same name twice, else NULL. */
char *tg_diff_git_name(const char *p, size_t n);
unsigned tg_diff_path_flags(const char *path);

#endif
