/* report.json and run reports: both generations as the real harness wrote them, and contradictions.
 */
#include "unit/cm.h"
#include "core/dataset/dataset.h"
#include "core/evaluate/report.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"

static const struct tg_report_hint unknown = { .applies = -1 };

static enum tg_eval_status outcome(const char *report, const char *run,
				   const struct tg_report_hint *hint, const char **why)
{
	struct cJSON *rr = run ? tg_json_parse(run, strlen(run), "run", NULL, NULL) : NULL;
	struct tg_report r;
	struct tg_err err = { 0 };
	enum tg_eval_status got;

	if (report && !tg_report_parse(&r, report, strlen(report), "report.json", "i__i-1", &err))
		fail_msg("%s", err.msg);
	got = tg_report_outcome(report ? &r : NULL, rr, "i__i-1", hint, why);
	tg_json_free(rr);
	return got;
}

#define REPORT(exists, applied, resolved, tests) \
	"{\"i__i-1\":{\"patch_is_None\":false,\"patch_exists\":" exists \
	",\"patch_successfully_applied\":" applied ",\"resolved\":" resolved tests "}}"
#define TESTS(f2p_ok, f2p_bad, p2p_ok, p2p_bad)                                                    \
	",\"tests_status\":{\"FAIL_TO_PASS\":{\"success\":[" f2p_ok "],\"failure\":[" f2p_bad      \
	"]},"                                                                                      \
	"\"PASS_TO_PASS\":{\"success\":[" p2p_ok "],\"failure\":[" p2p_bad "]}}"
#define GOOD TESTS("\"a\"", "", "\"b\"", "")

static void outcomes_of_a_report(void **state)
{
	static const struct {
		const char *report, *run;
		enum tg_eval_status want;
		const char *why;
	} t[] = {
	    {REPORT("true", "true", "true", GOOD), NULL, TG_EV_RESOLVED, NULL},
	    {REPORT("true", "true", "true", GOOD), "{\"resolved_ids\":[\"i__i-1\"]}",
	     TG_EV_RESOLVED, NULL},
	    {REPORT("true", "true", "false", TESTS("", "\"a\"", "\"b\"", "")), NULL,
	     TG_EV_UNRESOLVED, NULL},
	    {REPORT("true", "true", "false", TESTS("\"a\"", "", "", "\"b\"")), NULL,
	     TG_EV_UNRESOLVED, "regression"},
	    {REPORT("true", "false", "false", ""), NULL, TG_EV_UNRESOLVED, "graded"},
	    {REPORT("false", "false", "false", ""), NULL, TG_EV_EMPTY_PATCH, NULL},
	    {REPORT("true", "false", "false", ",\"infra_failure\":true"), NULL, TG_EV_INFRA,
	     "machine"},
	    /* what cannot be is no verdict */
	    {REPORT("true", "true", "true", ""), NULL, TG_EV_INFRA, "contradicts"},
	    {REPORT("true", "true", "true", TESTS("\"a\"", "", "", "\"b\"")), NULL, TG_EV_INFRA,
	     "contradicts"},
	    {REPORT("true", "true", "true", TESTS("", "", "\"b\"", "")), NULL, TG_EV_INFRA,
	     "contradicts"},
	    {REPORT("true", "false", "true", GOOD), NULL, TG_EV_INFRA, "contradicts"},
	    {REPORT("false", "false", "true", GOOD), NULL, TG_EV_INFRA, "contradicts"},
	    {REPORT("true", "true", "false", GOOD), NULL, TG_EV_INFRA, "contradicts"},
	    {REPORT("true", "true", "true", GOOD), "{\"unresolved_ids\":[\"i__i-1\"]}", TG_EV_INFRA,
	     "run report"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		const char *why;

		assert_int_equal(outcome(t[i].report, t[i].run, &unknown, &why), t[i].want);
		if (t[i].why && (!why || !strstr(why, t[i].why)))
			fail_msg("case %zu: %s", i, why ? why : "no reason");
	}
}

static void outcomes_without_a_report(void **state)
{
	static const struct tg_report_hint no = {.applies = 0},
					   slow = {.applies = 1, .timed_out = true};
	static const char errors[] = "{\"error_ids\":[\"i__i-1\"]}";
	const char *why;

	(void)state;
	assert_int_equal(outcome(NULL, NULL, &unknown, &why), TG_EV_NOT_RUN);
	assert_int_equal(outcome(NULL, "{}", &unknown, &why), TG_EV_NOT_RUN);
	assert_int_equal(outcome(NULL, "{\"empty_patch_ids\":[\"i__i-1\"]}", &unknown, &why),
			 TG_EV_EMPTY_PATCH);
	assert_int_equal(outcome(NULL, errors, &unknown, &why), TG_EV_INFRA);
	assert_int_equal(outcome(NULL, errors, &no, &why), TG_EV_PATCH_APPLY_FAILED);
	assert_int_equal(outcome(NULL, errors, &slow, &why), TG_EV_TIMEOUT);
	assert_int_equal(outcome(NULL,
				 "{\"error_ids\":[\"i__i-1\"],\"failure_reasons\":{\"i__i-1\":"
				 "\"tests_timed_out\"}}",
				 &unknown, &why),
			 TG_EV_TIMEOUT);
	assert_int_equal(outcome(NULL, "{\"infra_failure_ids\":[\"i__i-1\"]}", &unknown, &why),
			 TG_EV_INFRA);
	/* a list alone is no pass */
	assert_int_equal(outcome(NULL, "{\"resolved_ids\":[\"i__i-1\"]}", &unknown, &why),
			 TG_EV_INFRA);
}

static void bad_reports_are_refused(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{}", "{\"other\":{}}", "{\"i__i-1\":[]}"};
	struct tg_report r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct tg_err err = { 0 };

		assert_false(
		    tg_report_parse(&r, bad[i], strlen(bad[i]), "report.json", "i__i-1", &err));
		assert_true(err.msg[0]);
	}
}

static void what_is_written_reads_back(void **state)
{
	static const char text[] =
	    "test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b) ... skipped 'x'\n"
	    "\nRan 2 tests in 0.1s\n\nOK (skipped=1)\n";
	char *f2p[] = { (char *)"m.C.test_a", NULL }, *p2p[] = { (char *)"test_b (m.C)", NULL };
	char *gone[] = { (char *)"m.C.test_a", (char *)"m.C.test_gone", NULL };
	struct tg_row row = {
	    .instance_id = (char *)"i__i-1", .fail_to_pass = f2p, .pass_to_pass = p2p};
	char **sets[] = { f2p, p2p, gone };
	const enum tg_eval_status want[] = { TG_EV_RESOLVED, TG_EV_UNRESOLVED, TG_EV_UNRESOLVED };
	struct tg_test_log log;
	char sha[65];
	const char *why;

	(void)state;
	memset(sha, 'a', 64);
	sha[64] = '\0';
	tg_unittest_parse(&log, text, sizeof text - 1, 0);
	for (size_t i = 0; i < 3; i++) {
		struct tg_buf out = TG_BUF_INIT;
		struct tg_report r;
		struct cJSON *v;

		row.fail_to_pass = sets[i];
		v = tg_report_make(&row, &log, sha);
		tg_json_print(v, TG_JSON_PY_INDENT4, &out);
		assert_true(tg_report_parse(&r, out.p, out.n, "report.json", "i__i-1", NULL));
		assert_int_equal(tg_report_outcome(&r, NULL, "i__i-1", &unknown, &why), want[i]);
		assert_string_equal(r.patch_sha256, sha);
		tg_json_free(v);
		tg_buf_fini(&out);
	}
	tg_test_log_fini(&log);
}

static void real_harness_outputs(void **state)
{
	static const struct { const char *dir, *run, *prefix; } gen[] = {
		{ "corpus/tool-outputs/eval5", "stub__model.r1.json", "toy__repo" },
		{ "corpus/tool-outputs/eval41", "stub__model.r1.json", "sympy__sympy" },
	};
	static const enum tg_eval_status want[] = { TG_EV_RESOLVED, TG_EV_EMPTY_PATCH,
						    TG_EV_PATCH_APPLY_FAILED, TG_EV_UNRESOLVED };

	(void)state;
	for (size_t g = 0; g < 2; g++) {
		char *dir = cm_shared(gen[g].dir), *run;
		struct cJSON *rr;

		if (!dir)
			skip();
		run = tg_path_join(dir, gen[g].run);
		rr = tg_json_load(run, NULL, NULL);
		assert_non_null(rr);
		for (int i = 1; i <= 4; i++) {
			char *iid = tg_asprintf("%s-%d", gen[g].prefix, i);
			char *path = tg_asprintf(
			    "%s/logs/run_evaluation/r1/stub__model/%s/report.json", dir, iid);
			const struct tg_report_hint hint = { .applies = i == 3 ? 0 : 1 };
			struct tg_buf text = TG_BUF_INIT;
			struct tg_report r;
			const char *why;
			bool there = tg_file_read(path, 0, &text, NULL);

			if (there)
				assert_true(tg_report_parse(&r, text.p, text.n, path, iid, NULL));
			assert_int_equal(tg_report_outcome(there ? &r : NULL, rr, iid, &hint, &why),
					 want[i - 1]);
			tg_buf_fini(&text);
			free(path);
			free(iid);
		}
		tg_json_free(rr);
		free(run);
		free(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_of_a_report),
		cmocka_unit_test(outcomes_without_a_report),
		cmocka_unit_test(bad_reports_are_refused),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(real_harness_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
