#ifndef TG_GOVERN_ROW_H
#define TG_GOVERN_ROW_H
/*
 * The governed row: one object of recomputed_governed_v2_agentic.jsonl. Fields, order and values
 * are the reference's (pipeline spec 8.3 to 8.9), save for the repairs listed one by one in
 * tests/unit/govern/governance_departures.txt; after decision_reason come ours: instance_id,
 * evidence_level, evidence[], selection, policy_sha256, required_evidence, patch_class, attempt,
 * attempts, attempts_why[].
 *
 * The stage, the vectors of the reference and the verifier of a bundle all call tg_govern_row.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/govern/policy.h"
#include "core/lib/buf.h"
#include "core/run/words.h"

struct cJSON;

/* One input as it stood when the row was made. */
struct tg_evidence {
	const char *name;   /* patch, exit_status, evaluation, scan, risk, policy */
	const char *file;   /* relative to RUN, or NULL: there was none */
	const char *sha256; /* of the file's bytes, or NULL */
	const char *value;  /* what decided, in a word or two; NULL: unknown */
};

struct tg_govern_in { /* everything is borrowed; what is unknown is NULL, -1 or NONE */
	const char *model_id, *instance_id;
	const char *provider;	/* NULL: "unknown" */
	int64_t tau;		/* the record's tau_step; 0: 1 */
	const char *submission; /* the text that the agent handed in */
	size_t submission_n;
	bool submission_unknown; /* extraction failed: nobody knows what was handed in */
	int submission_valid;	 /* 1, 0; -1: not recorded, then the strict diff test decides */
	enum tg_patch_class
	    patch_class;	       /* NONE: not classified, then the reference's tests decide */
	const char *exit_status;       /* NULL: "Unknown" */
	const struct cJSON *eval_row;  /* an instance_results row, or NULL */
	const char *eval_patch_sha256; /* where the row itself carries none */
	bool report_found;	       /* there is a report file */
	const struct cJSON *report;    /* NULL: it could not be read, report_error says why */
	const char *report_error;
	const char *scan_patch_sha256;	/* where the report itself carries none */
	enum tg_scan_status scan;	/* the scan stage's own word; NONE: unknown */
	const struct cJSON *risk;	/* an agentic_risk row, or NULL */
	const struct tg_policy *policy; /* NULL: --policy none */
	double cri_threshold;
	enum tg_evidence_level required;	  /* NONE counts as bound */
	const char *artifact_traj, *artifact_log; /* relative to RUN, or NULL */
	int attempt;				  /* 0: unknown */
	const char *const
	    *attempts_why; /* of all attempts so far, in order: first, retry, rerun ... */
	size_t attempts;
	const char *selection;
	const struct tg_evidence *evidence;
	size_t evidence_n;
};

struct tg_verdict {
	enum tg_decision decision;
	const char *reason; /* a constant */
	double cri;
	enum tg_evidence_level level; /* NONE: there is no evidence to speak of */
};

/* The row (tg_json_free) and its verdict. Never fails: what is missing or odd means ABSTAIN. */
struct cJSON *tg_govern_row(const struct tg_govern_in *in, struct tg_verdict *out);

/* A printed row says how many attempts there were when it was judged; a rerun that does not count
 * comes later. Replace what it says (attempts, attempts_why, the last two members), touching
 * nothing else. False, with the line unchanged, when it is not a row of ours. */
bool tg_govern_row_set_attempts(struct tg_buf *line, const char *const *why, size_t n);

/* The reference's strict diff test: "diff --git" somewhere, or both "--- a/" and "+++ b/". */
bool tg_govern_is_diff(const char *p, size_t n);

#endif
