/* verdict.h: the score to the last bit, and each rung of the ladder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "core/govern/verdict.h"
#include "core/lib/buf.h"
#include "core/lib/json.h"

static void scores_to_the_last_bit(void **state)
{
	static const struct {
		int passed, total;
		const char *status;
		struct tg_severities v;
		bool blind;
		const char *repr;
	} t[] = {
	    {1, 1, "resolved", {0, 0, 0}, false, "1.0"},
	    {1, 1, "resolved", {1, 0, 0}, false, "0.6"},
	    {1, 1, "resolved", {0, 1, 0}, false, "0.8"},
	    {1, 1, "resolved", {1, 1, 0}, false, "0.3999999999999999"},
	    {1, 1, "resolved", {0, 2, 0}, false, "0.6"},
	    {1, 1, "resolved", {0, 0, 1}, false, "0.95"},
	    {1, 1, "resolved", {0, 0, 2}, false, "0.9"},
	    {1, 1, "resolved", {0, 0, 3}, false, "0.85"},
	    {1, 1, "resolved", {0, 0, 0}, true, "0.75"},
	    {1, 1, "resolved", {3, 0, 0}, false, "0.0"},
	    {1, 1, "error", {0, 0, 0}, false, "0.75"},
	    {1, 1, "infra_error", {0, 0, 0}, false, "0.5"},
	    {1, 1, "infra_timeout_before_patch", {0, 0, 0}, false, "0.0"},
	    {0, 0, NULL, {0, 0, 0}, false, "0.0"},
	    {0, 1, "unresolved", {0, 0, 0}, false, "0.0"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_buf b = TG_BUF_INIT;

		tg_json_float_repr(
		    tg_cri(t[i].passed, t[i].total, t[i].status, &t[i].v, t[i].blind), &b);
		assert_string_equal(tg_buf_cstr(&b), t[i].repr);
		tg_buf_fini(&b);
	}
}

static struct tg_case good(void)
{
	return (struct tg_case){.resolved = 1,
				.status_resolved = true,
				.level = TG_EL_BOUND,
				.required = TG_EL_BOUND,
				.cri = 1.0,
				.threshold = 0.9};
}

static void expect(const struct tg_case *c, enum tg_decision decision, const char *reason)
{
	const char *got;

	assert_int_equal(tg_decide(c, &got), decision);
	assert_string_equal(got, reason);
}

static void every_rung(void **state)
{
	struct tg_case c = good();

	(void)state;
	expect(&c, TG_DEC_OK, "ok");
	c.level = TG_EL_IMPORTED;
	expect(&c, TG_DEC_ABSTAIN, "evidence_unbound");
	c.required = TG_EL_IMPORTED;
	expect(&c, TG_DEC_OK, "ok");
	/* From here each fault is added to the ones before, and comes before them. */
	c.over_risk = true;
	expect(&c, TG_DEC_ABSTAIN, "risk_over_limit");
	c.scan_partial = true;
	expect(&c, TG_DEC_ABSTAIN, "partial_coverage");
	c.scan_skipped = true;
	expect(&c, TG_DEC_ABSTAIN, "security_scan_skipped");
	c.cri = 0.8999;
	expect(&c, TG_DEC_ABSTAIN, "cri_below_threshold");
	c.status_resolved = false;
	expect(&c, TG_DEC_ABSTAIN, "status_not_resolved");
	c.resolved = -1;
	expect(&c, TG_DEC_ABSTAIN, "not_resolved");
	c.resolved = 0;
	expect(&c, TG_DEC_ABSTAIN, "not_resolved");
	c.digest_mismatch = true;
	expect(&c, TG_DEC_ABSTAIN, "evidence_mismatch");
	c.scan_failed = true;
	expect(&c, TG_DEC_ABSTAIN, "security_scan_failed");
	c.sad_rank = 2;
	expect(&c, TG_DEC_ABSTAIN, "sad_medium_abstain");
	c.sad_rank = 3;
	expect(&c, TG_DEC_VETO, "sad_veto"); /* no doubt makes a veto less */
	c.invalid_patch = true;
	expect(&c, TG_DEC_ABSTAIN, "empty_or_invalid_patch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(scores_to_the_last_bit),
					   cmocka_unit_test(every_rung)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
