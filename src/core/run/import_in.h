#ifndef TG_IMPORT_IN_H
#define TG_IMPORT_IN_H
/* Private to import*.c: the facts of many files on their way into one struct tg_run. */
#include "core/run/import.h"
#include "core/run/import_doc.h"

/* What is known of one instance beside its attempt. */
struct tg_import_note {
	char *id;
	bool has_prediction, traj_ended, has_status, null_status;
	bool writing;          /* its trajectory is being written this moment, and no end is known */
	bool report;           /* its evaluation is from report.json */
	struct tg_live live;
};

struct tg_import {
	char *path;            /* as given, absolute */
	char *preds;           /* rel of the predictions file, or NULL */
	char *eval_base;       /* rel of the folder above <run>, "" or "logs/run_evaluation"; NULL */
	bool alone;            /* path is a predictions file */
	struct tg_docs docs;      /* root: the folder, or the one of the predictions file */
	bool read;             /* at least once */
	struct tg_import_note *note; /* parallel to run->inst */
	size_t note_n, note_cap;
	char **order;          /* ids in the order in which they were first seen */
	size_t order_n, order_cap;
	unsigned from;         /* bits: where ids came from */
};

enum { TG_FROM_PREDS = 1, TG_FROM_TRAJ = 2, TG_FROM_STATUS = 4, TG_FROM_LOG = 8, TG_FROM_EVAL = 16 };

/* The instance's only attempt; add: make both. NULL: not there, or no instance id. */
struct tg_attempt *tg_import_attempt(struct tg_import *im, struct tg_run *run, const char *iid,
				     unsigned from, bool add);
struct tg_import_note *tg_import_about(struct tg_import *im, const struct tg_run *run,
				       const char *iid);
void tg_import_say(struct tg_run *run, int64_t ms, const char *what, const char *why);
/* {bytes, sha256, form} of import_read.c. */
struct cJSON;
void tg_import_patch(struct tg_attempt *att, const struct cJSON *patch, bool null);

/* import_eval.c */
void tg_import_list_eval(struct tg_import *im);
void tg_import_fold_eval(struct tg_import *im, struct tg_run *run);
/* The class as far as the evaluation tells: a patch whose tests ran did apply. */
void tg_import_eval(struct tg_attempt *att, enum tg_eval_status ev);

#endif
