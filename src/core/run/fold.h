#ifndef TG_FOLD_H
#define TG_FOLD_H
/* Private to the fold: what its files share. Text members come from a record or are NULL; a setter
 * frees the old text. A value of a wrong kind is unknown, never an error. */
#include "core/lib/json.h"
#include "core/run/model.h"

void tg_fold_text(char **to, const char *s);
/* The integer member clamped to [lo, hi]; `otherwise` when absent or no number. */
int64_t tg_fold_int(const struct cJSON *o, const char *key, int64_t lo, int64_t hi,
		    int64_t otherwise);
/* stage.end's sum{} of a stage that went well. */
void tg_fold_attempt_sum(struct tg_attempt *att, enum tg_stage stage, const struct cJSON *sum);
void tg_fold_run_sum(struct tg_run *run, enum tg_stage stage, const struct cJSON *sum);

/* Used by the importer of foreign runs too. */
void tg_attempt_init(struct tg_attempt *att, int n);
void tg_attempt_clear_violations(struct tg_attempt *att);
void tg_attempt_add_violation(struct tg_attempt *att, const char *code, const char *severity);
/* The attempt numbered n, made (in order) when there is none; NULL when n is no attempt number. The
 * pointers to other attempts of the instance become invalid. */
struct tg_attempt *tg_instance_add_attempt(struct tg_instance *in, int n, bool *fresh);
void tg_run_add_note(struct tg_run *run, int64_t wall_ms, const char *kind, const char *text);

#endif
