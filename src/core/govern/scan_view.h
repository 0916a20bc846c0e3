#ifndef TG_GOVERN_SCAN_VIEW_H
#define TG_GOVERN_SCAN_VIEW_H
/*
 * A security report as the judge sees it (pipeline spec 8.4): the violation strings, the structured
 * list {code, severity}, the highest severity, whether the scan failed, was skipped or left files
 * out. Private to govern and proof.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/govern/policy.h"
#include "core/govern/verdict.h"
#include "core/run/words.h"

struct cJSON;

struct tg_scan_view {
	char *scope;
	bool failed, skipped, partial;
	char *error;		    /* NULL unless failed */
	struct cJSON *violations;   /* [string], as in the report */
	struct cJSON *raw;	    /* [code] */
	struct cJSON *structured;   /* [{code, severity}] */
	const char *sad_level;	    /* high, medium, low, info; NULL: none */
	struct tg_severities count; /* of the violation strings */
	const char *patch_sha256;   /* borrowed from the report; NULL: none */
	bool covered;		    /* it says that everything was looked at */
};

/* found false: there is no report file. report NULL with found: unreadable, `error` says why. */
void tg_scan_view_init(struct tg_scan_view *v, bool found, const struct cJSON *report,
		       const char *error, enum tg_scan_status status,
		       const struct tg_policy *policy);
void tg_scan_view_fini(struct tg_scan_view *v);

#endif
