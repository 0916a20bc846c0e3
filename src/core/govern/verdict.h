#ifndef TG_VERDICT_H
#define TG_VERDICT_H
/*
 * From evidence to decision: the CRI (pipeline spec 8.5, to the last bit) and the decision ladder
 * (8.7) with the repairs of decisions.md, "Evidence, reruns, selection". Pure functions; nothing
 * here reads a file, so that the stage, the vectors and the verifier of a bundle judge alike.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/run/words.h"

/* Counts of new violations by severity: "high", "medium", anything else. */
struct tg_severities {
	size_t high, medium, other;
};

/* eval_status may be NULL. blind: the scan failed and found nothing. Result in [0, 1]. */
double tg_cri(int passed, int total, const char *eval_status, const struct tg_severities *v,
	      bool blind);

struct tg_case {
	bool invalid_patch; /* empty, or nothing a harness could take */
	int sad_rank;	    /* highest severity: 0 none, 1 low or info, 2 medium, 3 high */
	bool scan_failed;   /* failed or missing report */
	bool scan_skipped, scan_partial;
	int resolved;	      /* 1, 0, -1 unknown: what the evaluation row says */
	bool status_resolved; /* its resolved_status is RESOLVED */
	bool digest_mismatch; /* an input carries the digest of another patch */
	bool over_risk;       /* the trajectory's risk is above the policy's limit, or not known */
	enum tg_evidence_level level, required;
	double cri, threshold;
};

/* The first matching rung. *reason gets a constant of the vocabulary: ok, sad_veto,
 * sad_medium_abstain, security_scan_failed, not_resolved, cri_below_threshold,
 * empty_or_invalid_patch (the reference's), evidence_mismatch, status_not_resolved,
 * security_scan_skipped, partial_coverage, evidence_unbound, risk_over_limit (ours). */
enum tg_decision tg_decide(const struct tg_case *c, const char **reason);

#endif
