#ifndef TG_SECURITY_REPORT_H
#define TG_SECURITY_REPORT_H
/*
 * A security report: the reference's fields in its order (pipeline spec 5.3), then scan_status,
 * findings, coverage, patch_sha256, rules_version, evidence_level. Grows file by file.
 */
#include "core/run/words.h"
#include "core/security/delta.h"

struct cJSON;
struct tg_policy;

struct tg_report {
	enum tg_scan_status status;
	const char *skip_reason; /* EMPTY_PATCH, PATCH_DOES_NOT_APPLY, INFRA; constant; NULL */
	char *error;             /* owned; NULL */
	struct cJSON *changed, *files, *findings, *skipped; /* arrays, owned */
	char **code;             /* new codes, sorted, unique; owned */
	const char **severity;   /* beside code: the highest that a finding of it has here */
	size_t code_n, code_cap;
	size_t python_n, scanned_n;
};

void tg_report_init(struct tg_report *r);
void tg_report_fini(struct tg_report *r);
void tg_report_fail(struct tg_report *r, const char *why);
/* A file of the patch that is not Python: named, not scanned, no gap. */
void tg_report_other(struct tg_report *r, const char *path);
/* A Python file that was not scanned, and why. */
void tg_report_gap(struct tg_report *r, const char *path, const char *reason);
/* A Python file that was. */
void tg_report_file(struct tg_report *r, const char *path, const struct tg_delta *d,
		    const struct tg_policy *policy);
/* A file of the patch, whatever is in it, that steers how tests are run (conftest.py, test settings):
 * a finding of its own. Bytes NULL: not there on that side. */
void tg_report_steering(struct tg_report *r, const char *path, const struct tg_buf *before,
			const struct tg_buf *after, const struct tg_rules *rules,
			const struct tg_policy *policy);
bool tg_is_steering(const char *path); /* by its name alone */
/* Is it a path of tests only, by name? What steers them is none: it runs whatever they are. */
bool tg_is_test_path(const char *path);
/* All files were given: status from what was seen, unless it was set. */
void tg_report_close(struct tg_report *r);

struct tg_report_id {
	const char *instance_id, *repo, *base_commit, *patch_sha256, *rules_version;
};
/* The whole document, or what the stage's sum carries of it. */
struct cJSON *tg_report_json(const struct tg_report *r, const struct tg_report_id *id);
void tg_report_sum(const struct tg_report *r, const struct tg_report_id *id,
		   struct cJSON *sum);

#endif
