/* gate.h: the reference's text for a good run, and a FAIL for everything that is no good run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "core/govern/gate.h"

#define ROW(id, d) "{\"task\": \"" id "\", \"final_decision\": \"" d "\"}\n"

static const char *const ids[] = {"b__b-1", "a__a-1", "c__c-1"};

static struct tg_gate judge(const char *rows, const char *const *notes)
{
	struct tg_gate_in in = {.rows = rows,
				.n = rows ? strlen(rows) : 0,
				.shown = "rows.jsonl",
				.expected = ids,
				.expected_n = 3,
				.notes = notes};
	struct tg_gate g;

	tg_gate_judge(&in, &g);
	return g;
}

static void good_run(void **state)
{
	struct tg_gate g =
	    judge(ROW("a__a-1", "OK") ROW("b__b-1", "ABSTAIN") ROW("c__c-1", "OK"), NULL);

	(void)state;
	assert_true(g.pass);
	assert_string_equal(tg_buf_cstr(&g.text),
			    "[CI] \xcf\x84Guardian decisions from rows.jsonl:\n"
			    "  Total   : 3\n  OK      : 2\n  ABSTAIN : 1\n  VETO    : 0\n"
			    "[CI] PASS: no VETO decisions. Build is green.\n");
	tg_gate_fini(&g);
}

static void veto(void **state)
{
	struct tg_gate g =
	    judge(ROW("a__a-1", "OK") ROW("b__b-1", "VETO") ROW("c__c-1", "OK"), NULL);

	(void)state;
	assert_false(g.pass);
	assert_int_equal(g.veto, 1);
	assert_non_null(
	    strstr(g.text.p, "\n[CI] FAIL: 1 VETO decision(s) present. Failing the job.\n"));
	tg_gate_fini(&g);
}

static void notes_come_last(void **state)
{
	static const char *const notes[] = {"two configs", NULL};
	struct tg_gate g =
	    judge(ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "OK"), notes);

	(void)state;
	assert_true(g.pass);
	assert_non_null(strstr(g.text.p, "Build is green.\n[CI] NOTE: two configs\n"));
	tg_gate_fini(&g);
}

static void bad_inputs_fail(void **state)
{
	static const struct {
		const char *rows, *part;
	} t[] = {
	    {NULL, "[CI] ERROR: governed results file not found: rows.jsonl"},
	    {"", "the file is empty"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK"), "no row for c__c-1"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") "{\"task\": \"c__c-1\", \"final_dec",
	     "line 3: the file ends in the middle"},
	    {ROW("a__a-1", "OK")
		 ROW("b__b-1", "OK") "{\"task\": \"c__c-1\", \"final_decision\": \"OK\"}",
	     "middle of a line"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "MAYBE"),
	     "line 3: unknown decision MAYBE"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") "{\"task\": \"c__c-1\"}\n",
	     "line 3: no final_decision"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "OK") ROW("d__d-1", "OK"),
	     "d__d-1 is not an instance of this run"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "OK") ROW("a__a-1", "OK"),
	     "line 4: a__a-1 stands twice"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "OK") "[]\n", "not an object"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "OK") "nonsense\n", "not JSON"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") ROW("c__c-1", "OK") "\n", "line 4: empty"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") "{\"task\": \"c__c-1\", \"instance_id\": "
						     "\"x\", \"final_decision\": \"OK\"}\n",
	     "differ"},
	    {ROW("a__a-1", "OK") ROW("b__b-1", "OK") "{\"task\": \"c__c-1\", \"final_decision\": "
						     "\"VETO\", \"final_decision\": \"OK\"}\n",
	     "not JSON"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_gate g = judge(t[i].rows, NULL);

		if (g.pass)
			fail_msg("passed: %s", t[i].rows ? t[i].rows : "(none)");
		if (!strstr(tg_buf_cstr(&g.text), t[i].part))
			fail_msg("%s lacks '%s'", tg_buf_cstr(&g.text), t[i].part);
		assert_null(strstr(tg_buf_cstr(&g.text), "PASS"));
		tg_gate_fini(&g);
	}
}

static void a_run_without_instances_fails(void **state)
{
	struct tg_gate_in in = {.rows = "", .shown = "r", .expected = ids, .expected_n = 0};
	struct tg_gate g;

	(void)state;
	tg_gate_judge(&in, &g);
	assert_false(g.pass);
	tg_gate_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_run),
	    cmocka_unit_test(veto),
	    cmocka_unit_test(notes_come_last),
	    cmocka_unit_test(bad_inputs_fail),
	    cmocka_unit_test(a_run_without_instances_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
