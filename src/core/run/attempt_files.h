#ifndef TG_ATTEMPT_FILES_H
#define TG_ATTEMPT_FILES_H
/*
 * The bytes that an attempt left, for those who show them: its patch and its logs. Read beneath the run
 * directory without following links; all of it is hostile.
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/run/model.h"

/* The patch that went to the evaluator: of our runs the extract job's patch.diff, of a foreign run the
 * prediction's model_patch. An attempt that has none yet is an error whose text says so. */
bool tg_attempt_patch(const struct tg_run *run, const char *iid, const struct tg_attempt *att,
		      struct tg_buf *out, struct tg_err *err);

enum tg_attempt_log { TG_LOG_JOB, TG_LOG_AGENT, TG_LOG_TESTS, TG_LOG_EVALUATION, TG_LOG_LADDER, TG_LOG_COUNT };

const char *tg_attempt_log_name(enum tg_attempt_log which); /* "agent.log" ... */
/* The last `cap` bytes of a log; *skipped (may be NULL) is how many stand before them. False: not there. */
bool tg_attempt_log(const struct tg_run *run, const char *iid, const struct tg_attempt *att,
		    enum tg_attempt_log which, size_t cap, struct tg_buf *out, int64_t *skipped,
		    struct tg_err *err);

#endif
