#ifndef TG_REPORT_H
#define TG_REPORT_H
/*
 * The harness's report.json of one instance (SWE-bench 4.x and 5.x) and the id lists of its run
 * report, made one outcome. Logs are never searched: they hold the patch's own text before any
 * verdict.
 *
 * report.json {"<iid>": {patch_is_None, patch_exists, patch_successfully_applied, resolved,
 *              [infra_failure, infra_failure_reason: 5.x], [patch_sha256: ours],
 *              tests_status: {FAIL_TO_PASS, PASS_TO_PASS, ...: {success[], failure[]}}}}
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/evaluate/evaluate.h"
#include "core/evaluate/unittest_log.h"
#include "core/lib/err.h"

struct cJSON;
struct tg_row;

struct tg_report {
	bool patch_exists, patch_applied, resolved, infra_failure, has_tests;
	struct tg_tally tally;     /* of tests_status, when has_tests */
	char patch_sha256[65];     /* "" when it carries none */
};

/* False: no JSON, or no object for iid in it. */
bool tg_report_parse(struct tg_report *r, const char *p, size_t n, const char *name,
		     const char *iid, struct tg_err *err);

/* What is known beside the two files; {.applies = -1} when nothing is. */
struct tg_report_hint {
	int applies;    /* our own ladder's verdict: 1, 0, -1 unknown */
	bool timed_out; /* the evaluator's own clock ended it */
	bool gave_up;   /* the harness ended, by its own account or process, and left no report */
};

/* report NULL: the harness left none. run_report (its <model>.<run>.json) may be NULL. *reason
 * becomes a constant text or NULL. A report that contradicts itself is INFRA, never a verdict. */
enum tg_eval_status tg_report_outcome(const struct tg_report *report,
				      const struct cJSON *run_report, const char *iid,
				      const struct tg_report_hint *hint, const char **reason);

/* The report of a graded test run: FAIL_TO_PASS wants a pass, PASS_TO_PASS also takes a skip; with
 * eval_type fail_only a test that was not seen has not failed. An ungradable log gives the
 * harness's form for that: not resolved, no tests_status. Caller frees. */
struct cJSON *tg_report_make(const struct tg_row *row, const struct tg_test_log *log,
			     const char *patch_sha256);

#endif
