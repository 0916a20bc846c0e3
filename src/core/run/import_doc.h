#ifndef TG_IMPORT_DOC_H
#define TG_IMPORT_DOC_H
/*
 * The files of a folder that something else writes at this moment, each as its last good reading.
 * mini-swe-agent and the harness rewrite in place (truncate, write), so a reader meets empty and
 * cut files. Such a reading never counts: the last good one stays, and the file is read again. Only
 * what stays the same for a while (TG_DOC_PATIENCE_MS) is believed to be bad, or gone, or to say
 * less than before. Private to run/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"

struct cJSON;

#define TG_DOC_PATIENCE_MS 350

enum tg_doc_kind {
	TG_DOC_PREDS, TG_DOC_TRAJ, TG_DOC_STATUSES, TG_DOC_LOG, TG_DOC_EVAL_ROWS, TG_DOC_GOVERNED,
	TG_DOC_SCAN, TG_DOC_REPORT, TG_DOC_EVAL_LOG, TG_DOC_DIFF, TG_DOC_RUN_REPORT, TG_DOC_KINDS
};

struct tg_doc_stamp {
	uint64_t ino;
	int64_t size, mtime_ns;
};

struct tg_doc {
	enum tg_doc_kind kind;
	char *rel;              /* below the root */
	struct cJSON *facts;    /* the last good reading, NULL: none yet */
	struct tg_doc_stamp good, bad;
	bool racy;              /* read so soon after a write that it is looked at again */
	bool gone;              /* to be forgotten */
	bool settled;           /* `bad` is not read again until the file changes */
	int tries;
	int64_t bad_ms, next_ms, gone_ms; /* monotonic; 0: not so */
	char *trouble;          /* safe text: why the file, or a part of it, does not count */
	int64_t trouble_ms;     /* wall */
};

struct tg_docs {
	char *root;
	struct tg_doc *v;
	size_t n, cap, hint;
	bool changed;           /* of the last refresh */
	size_t pending;         /* files that are in the middle of a write, as it seems */
	size_t open;            /* of these: nothing was read yet that could be believed */
};

/* facts of a file's bytes, or NULL: cut, empty or rubbish. lenient: the file has stayed as it is,
 * take what can be read (err says what was left out). */
typedef struct cJSON *tg_doc_reduce(const char *p, size_t n, const char *rel, bool lenient,
				    struct tg_err *err);
extern tg_doc_reduce *const tg_doc_reducers[TG_DOC_KINDS];
/* A cut file of this kind may parse: fewer entries than before are not believed at once. */
bool tg_doc_is_list(enum tg_doc_kind kind);

/* Know a file; a second time is fine. */
void tg_docs_add(struct tg_docs *d, enum tg_doc_kind kind, const char *rel);
/* Look at every file once, without waiting; files that are gone for long are forgotten. */
void tg_docs_refresh(struct tg_docs *d);
void tg_docs_fini(struct tg_docs *d);

#endif
