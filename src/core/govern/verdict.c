#include "core/govern/verdict.h"

#include "core/lib/buf.h"

static double clamp(double v)
{
	return v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v;
}

static double infra_penalty(const char *eval_status)
{
	static const struct {
		const char *status;
		double penalty;
	} table[] = {
	    {"infra_error", 0.5},
	    {"infra_failure", 0.5},
	    {"infra_timeout_before_patch", 1.0},
	    {"error", 0.25},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++)
		if (tg_streq(eval_status, table[i].status))
			return table[i].penalty;
	return 0.0;
}

double tg_cri(int passed, int total, const char *eval_status, const struct tg_severities *v,
	      bool blind)
{
	double rate = total > 0 ? clamp((double)passed / (double)total) : 0.0;
	double penalty = 0.4 * (double)v->high + 0.2 * (double)v->medium;

	/* The order of these sums is part of the format: 0.3999999999999999, not 0.4. */
	penalty = penalty + 0.05 * (double)v->other;
	if (blind)
		penalty = penalty + 0.25;
	return clamp(rate * (1.0 - infra_penalty(eval_status)) - penalty);
}

static bool is_invalid(const struct tg_case *c)
{
	return c->invalid_patch;
}

static bool is_sad_high(const struct tg_case *c)
{
	return c->sad_rank >= 3;
}

static bool is_sad_medium(const struct tg_case *c)
{
	return c->sad_rank == 2;
}

static bool is_scan_failed(const struct tg_case *c)
{
	return c->scan_failed;
}

static bool is_mismatch(const struct tg_case *c)
{
	return c->digest_mismatch;
}

static bool is_not_resolved(const struct tg_case *c)
{
	return c->resolved != 1;
}

static bool is_contradictory(const struct tg_case *c)
{
	return !c->status_resolved;
}

static bool is_low(const struct tg_case *c)
{
	return c->cri < c->threshold;
}

static bool is_skipped(const struct tg_case *c)
{
	return c->scan_skipped;
}

static bool is_partial(const struct tg_case *c)
{
	return c->scan_partial;
}

static bool is_unbound(const struct tg_case *c)
{
	return c->required == TG_EL_BOUND && c->level != TG_EL_BOUND;
}

static bool is_risky(const struct tg_case *c)
{
	return c->over_risk;
}

enum tg_decision tg_decide(const struct tg_case *c, const char **reason)
{
	/* A veto comes before every doubt about the evidence: doubt must never turn a veto into
	 * less. What stands behind "low" would have been OK in the reference. */
	static const struct {
		bool (*when)(const struct tg_case *c);
		enum tg_decision decision;
		const char *reason;
	} ladder[] = {
	    {is_invalid, TG_DEC_ABSTAIN, "empty_or_invalid_patch"},
	    {is_sad_high, TG_DEC_VETO, "sad_veto"},
	    {is_sad_medium, TG_DEC_ABSTAIN, "sad_medium_abstain"},
	    {is_scan_failed, TG_DEC_ABSTAIN, "security_scan_failed"},
	    {is_mismatch, TG_DEC_ABSTAIN, "evidence_mismatch"},
	    {is_not_resolved, TG_DEC_ABSTAIN, "not_resolved"},
	    {is_contradictory, TG_DEC_ABSTAIN, "status_not_resolved"},
	    {is_low, TG_DEC_ABSTAIN, "cri_below_threshold"},
	    {is_skipped, TG_DEC_ABSTAIN, "security_scan_skipped"},
	    {is_partial, TG_DEC_ABSTAIN, "partial_coverage"},
	    {is_unbound, TG_DEC_ABSTAIN, "evidence_unbound"},
	    {is_risky, TG_DEC_ABSTAIN, "risk_over_limit"},
	};
	size_t i;

	for (i = 0; i < sizeof ladder / sizeof *ladder; i++)
		if (ladder[i].when(c)) {
			*reason = ladder[i].reason;
			return ladder[i].decision;
		}
	*reason = "ok";
	return TG_DEC_OK;
}
