#ifndef TG_RUN_PREDS_H
#define TG_RUN_PREDS_H
/*
 * Predictions files that something else made: a list, a map id -> record (or id -> patch), one
 * record, or JSONL; with or without a byte order mark (spec: tauguardian-pipeline.md 3.1). Patches
 * are given as they stand.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"

struct tg_pred {
	char *instance_id; /* "instance_<n>" or "instance_unknown" when the record has none */
	char *model;       /* model_name_or_path, or NULL */
	char *patch;       /* never NULL; "" for null or absent */
	size_t patch_n;
	bool null_patch;   /* null or absent */
	bool has_id;
};

struct tg_preds {
	struct tg_pred *v;
	size_t n, cap;
};

/* In input order; duplicates are kept. */
bool tg_preds_parse(struct tg_preds *preds, const char *p, size_t n, const char *name,
		    struct tg_err *err);
bool tg_preds_load(struct tg_preds *preds, const char *path, struct tg_err *err);
void tg_preds_fini(struct tg_preds *preds);
/* The last record of an id (a map's keys win that way too), or NULL. */
const struct tg_pred *tg_preds_find(const struct tg_preds *preds, const char *iid);

/* The predictions file of a folder, or of a path that is one itself: preds.json, preds_filled.json,
 * preds.jsonl, predictions.json(l), all_preds.json(l); the first that is there. NULL: none. The
 * caller frees. */
char *tg_preds_file(const char *path);
/* Its name as a word for reports: one of the above, else "predictions file". */
const char *tg_preds_name(const char *path);

#endif
