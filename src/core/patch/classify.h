#ifndef TG_CLASSIFY_H
#define TG_CLASSIFY_H
/*
 * What is wrong with this patch, in one line: a pure function from the submission's bytes, how the
 * agent ended and (when a base repository was at hand) the ladder's result to a class, a reason and
 * a remedy.
 *
 * The class is decided by the patch's structure, never by words inside a diff: "timed out" in a
 * comment of a sound diff is nothing. Words are looked at only where there is no diff at all.
 * A patch that a rung of the ladder took is usable whatever the parser thinks of it: then the class
 * is ok (git took it as it stands) or applies-with-fuzz, and the parser's finding becomes a flag.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/buf.h"
#include "core/patch/ladder.h"
#include "core/patch/parse.h"
#include "core/run/words.h"

enum { /* flags; tg_triage_flag_name gives the words */
	TG_TF_TESTS = 1 << 0,         /* edits tests or what runs them */
	TG_TF_SCRATCH = 1 << 1,       /* adds reproduce_*.py, *.backup, scripts at the root ... */
	TG_TF_BINARY = 1 << 2,
	TG_TF_MODE = 1 << 3,          /* changes a file's mode */
	TG_TF_SYMLINK = 1 << 4,
	TG_TF_SUBMODULE = 1 << 5,
	TG_TF_OUTSIDE = 1 << 6,       /* "outside-tree": absolute, "..", ".git" */
	TG_TF_NAME = 1 << 7,          /* control characters or empty parts in a name */
	TG_TF_LARGE = 1 << 8,         /* over 500 files or 2 MiB */
	TG_TF_NO_OP = 1 << 9,         /* applied, and nothing is different */
	TG_TF_SILENT_REVERT = 1 << 10,/* applied by patch, and edits were undone */
	TG_TF_TRUNCATED = 1 << 11,    /* the parser's finding on a patch that the ladder took */
	TG_TF_CORRUPT = 1 << 12,
	TG_TF_WHITESPACE = 1 << 13,
	TG_TF_PROSE_AROUND = 1 << 14, /* text before the first header */
	TG_TF_EXTRA_LINES = 1 << 15,  /* behind a hunk, left out by its counts: dropped */
	TG_TF_UNSURE = 1 << 16,       /* differs only in setup files, which images edit */
	TG_TF_COUNT_BITS = 17
};
#define TG_LARGE_FILES 500
#define TG_LARGE_BYTES ((size_t)2 << 20)

struct tg_near;

struct tg_triage_in {
	const char *patch; /* what would be handed to the harness; n 0: empty */
	size_t n;
	const struct tg_diff *diff;  /* of patch, or NULL: parsed here */
	const char *exit_status;     /* the agent's own word, or NULL */
	enum tg_outcome outcome;
	const char *submission_head; /* of the submission where it is not the patch, or NULL */
	const struct tg_ladder_result *ladder; /* NULL: no base at hand, the ladder did not run */
	bool unchanged;              /* with ladder: the tree after it is the tree before it */
	bool reverted;               /* with ladder: a file that the patch edits is as before */
	const char *mismatch;        /* with ladder: of tg_patch_mismatch, or NULL */
	bool unsure;                 /* with ladder: only setup files, which images edit, differ */
	const struct tg_near *near;  /* with ladder: a commit where git takes it, or NULL */
};

struct tg_triage_out {
	enum tg_patch_class cls;
	char *reason, *remedy; /* one safe line each; remedy NULL when nothing is to be done */
	int applies;           /* 1, 0, -1 unknown */
	char rung[24];
	unsigned flags;
};

void tg_triage_classify(const struct tg_triage_in *in, struct tg_triage_out *out);
void tg_triage_out_fini(struct tg_triage_out *out);
const char *tg_triage_flag_name(unsigned bit); /* bit is one flag */
unsigned tg_diff_flags(const struct tg_diff *d); /* the flags that the patch alone gives */
/* Which error the text is, where it is one that stands in a patch's place: "docker", "timeout",
 * "connection" ...; NULL when it is none. own: the agent said that it submitted this itself. */
const char *tg_error_text(const char *p, size_t n, bool own);

/* The base files of a diff, one for each of its files (at the old path; the new one when added). */
struct tg_base_file {
	bool exists;
	unsigned mode;
	struct tg_buf bytes;
};
/* The first hunk that fits nowhere, and what stands in its place; NULL when every hunk fits. Caller
 * frees. */
char *tg_patch_mismatch(const struct tg_diff *d, const struct tg_base_file *base);
/* The whole form of a patch whose end was stripped (class whitespace-damaged): line end and blank
 * context lines put back. Only offered, never used in the submission's place. False: not that
 * case. */
bool tg_patch_repaired(const struct tg_diff *d, struct tg_buf *out);

#endif
