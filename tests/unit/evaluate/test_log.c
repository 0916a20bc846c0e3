#include "unit/cm.h"
#include <string.h>
#include "core/evaluate/unittest_log.h"

#define T "tests.test_m.C."
#define END_OK                                                                                     \
	"\n----------------------------------------------------------------------\nRan 2 tests "   \
	"in 0.001s\n\nOK\n"

static void parse(struct tg_test_log *log, const char *text, int code)
{
	tg_unittest_parse(log, text, strlen(text), code);
}

static void both_forms_of_names(void **state)
{
	static const char text[] = "test_a (tests.test_m.C) ... ok\n"
				   "test_b (tests.test_m.C.test_b) ... ok\n" END_OK;
	struct tg_test_log log;

	(void)state;
	parse(&log, text, 0);
	assert_null(log.ungradable);
	assert_int_equal(log.n, 2);
	assert_int_equal(tg_test_log_get(&log, T "test_a"), TG_TEST_OK);
	assert_int_equal(tg_test_log_get(&log, T "test_b"), TG_TEST_OK);
	assert_int_equal(tg_test_log_get(&log, "test_b (tests.test_m.C)"), TG_TEST_OK);
	assert_int_equal(tg_test_log_get(&log, T "test_c"), TG_TEST_MISSING);
	tg_test_log_fini(&log);
}

static void every_status(void **state)
{
	static const char text[] =
		"test_doc (m.C.test_doc)\nWhat it is about. ... ok\n"
		"test_err (m.C.test_err) ... ERROR\n"
		"test_exp (m.C.test_exp) ... expected failure\n"
		"test_fail (m.C.test_fail) ... FAIL\n"
		"test_loud (m.C.test_loud) ... something printed\nok\n"
		"test_skip (m.C.test_skip) ... skipped 'no need'\n"
		"test_sub (m.C.test_sub) ... \n  test_sub (m.C.test_sub) (i=1) ... FAIL\n"
		"test_unexp (m.C.test_unexp) ... unexpected success\r\n"
		"\nRan 8 tests in 0.1s\n\nFAILED (failures=2, errors=1, skipped=1)\n";
	static const struct { const char *id; enum tg_test_status want; } want[] = {
		{ "m.C.test_doc", TG_TEST_OK }, { "m.C.test_err", TG_TEST_ERROR },
		{ "m.C.test_exp", TG_TEST_XFAIL }, { "m.C.test_fail", TG_TEST_FAIL },
		{ "m.C.test_loud", TG_TEST_OK }, { "m.C.test_skip", TG_TEST_SKIPPED },
		{ "m.C.test_sub", TG_TEST_FAIL }, { "m.C.test_unexp", TG_TEST_XPASS },
	};
	struct tg_test_log log;

	(void)state;
	parse(&log, text, 1);
	assert_null(log.ungradable);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_int_equal(tg_test_log_get(&log, want[i].id), want[i].want);
	tg_test_log_fini(&log);
}

static void a_failure_beats_a_forged_pass(void **state)
{
	static const char *const texts[] = {
	    /* the test prints its own "ok" first */
	    "test_a (tests.test_m.C.test_a) ... ok\nFAIL\n\nRan 1 test in 0.1s\n\nFAILED "
	    "(failures=1)\n",
	    /* another test prints its line */
	    "test_z (m.C.test_z) ... test_a (tests.test_m.C.test_a) ... ok\nok\n"
	    "test_a (tests.test_m.C.test_a) ... FAIL\n\nRan 2 tests in 0.1s\n\nFAILED "
	    "(failures=1)\n",
	    /* printed at the end, from a buffer */
	    "test_a (tests.test_m.C.test_a) ... FAIL\n\nRan 1 test in 0.1s\n\nFAILED (failures=1)\n"
	    "test_a (tests.test_m.C.test_a) ... ok\n",
	    /* only the list of failures at the end tells */
	    "test_a (tests.test_m.C.test_a) ... ok\n=====\nFAIL: test_a (tests.test_m.C.test_a)\n"
	    "\nRan 1 test in 0.1s\n\nFAILED (failures=1)\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct tg_test_log log;

		parse(&log, texts[i], 1);
		assert_int_equal(tg_test_log_get(&log, T "test_a"), TG_TEST_FAIL);
		tg_test_log_fini(&log);
	}
}

static void what_does_not_fit_is_not_graded(void **state)
{
	static const struct { const char *text; int code; const char *why;
	} bad[] = {
	    {"", 0, "without its summary"},
	    {"test_a (tests.test_m.C.test_a) ... ok\n", 0, "without its summary"},
	    {"test_a (tests.test_m.C.test_a) ... ok\n" END_OK END_OK, 0, "more than one summary"},
	    {"test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b) ... ok\ntest_c (m.C.test_c) ... "
	     "ok\n" END_OK,
	     0, "more results"},
	    {"test_a (m.C.test_a) ... ok\n" END_OK, 1, "exit code"},
	    {"test_a (m.C.test_a) ... FAIL\n\nRan 1 test in 0s\n\nFAILED (failures=1)\n", 0,
	     "exit code"},
	    {"test_a (m.C.test_a) ... FAIL\n" END_OK, 0, "not all tests passed"},
	    {"test_a (m.C.test_a) ... ok\n\nRan 1 test in 0s\n\nFAILED (failures=1)\n", 1,
	     "no test did"},
	    {"test_a (m.C.test_a) ... ok\n\nRan 1 test in 0s\n", 0, "no verdict"},
	    {"\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n", 5, "no verdict"},
	    /* an import error, and lines for the tests that could not run */
	    {"tests.test_m (unittest.loader._FailedTest.tests.test_m) ... ERROR\n"
	     "test_a (tests.test_m.C.test_a) ... ok\n\nRan 1 test in 0s\n\nFAILED (errors=1)\n",
	     1, "more results"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct tg_test_log log;

		parse(&log, bad[i].text, bad[i].code);
		assert_non_null(log.ungradable);
		assert_non_null(strstr(log.ungradable, bad[i].why));
		tg_test_log_fini(&log);
	}
}

static void hostile_bytes(void **state)
{
	static const char text[] =
	    "\x1b[2Jtest_a (m.C.test_a) ... ok\ntest_b (m.C.test_b) ... \x1b[32mok\n"
	    "test_c (m.C.\0test_c) ... ok\ntest_d (m.C.test_d\n(\n) (\n"
	    "test_e (m.C.test_e) ... ok";
	struct tg_test_log log;

	(void)state;
	tg_unittest_parse(&log, text, sizeof text - 1, 0);
	assert_int_equal(log.n, 1);
	assert_int_equal(tg_test_log_get(&log, "m.C.test_e"), TG_TEST_OK);
	assert_non_null(log.ungradable);
	tg_test_log_fini(&log);
	/* every prefix of a sound log, cut anywhere, is survived and never graded as a pass */
	static const char whole[] = "test_a (tests.test_m.C.test_a) ... ok\n"
				    "test_b (tests.test_m.C.test_b) ... ok\n" END_OK;
	for (size_t n = 0; n + 2 < sizeof whole - 1; n++) {
		tg_unittest_parse(&log, whole, n, 0);
		assert_non_null(log.ungradable);
		tg_test_log_fini(&log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_names),
		cmocka_unit_test(every_status),
		cmocka_unit_test(a_failure_beats_a_forged_pass),
		cmocka_unit_test(what_does_not_fit_is_not_graded),
		cmocka_unit_test(hostile_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
