/* Evaluator swebench: what the harness is given, what its log says, and what real ones said. */
#include "unit/cm.h"
#include <sys/stat.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/images.h"
#include "core/evaluate/report.h"
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"

#define T "2026-11-22 17:25:30,886 - INFO - "
#define HEAD                                                                                       \
	T "Creating container for i__i-1...\n" T "Container for i__i-1 created: 0\n" T             \
	  "Container for i__i-1 started: 0\n" T "Intermediate patch for i__i-1 written to "        \
						"logs/patch.diff, now applying to container...\n"
#define FAIL(cmd) T "Failed to apply patch to container: " cmd "\n"
#define G "git apply --verbose"

static struct tg_swe_log read_log(const char *text, int generation)
{
	struct tg_swe_log log;

	tg_swe_log_read(&log, text, strlen(text), "i__i-1", generation);
	return log;
}

static void the_verdict_is_the_first(void **state)
{
	static const struct {
		const char *text;
		int generation, applies;
		enum tg_swe_phase phase;
		const char *rung;
	} t[] = {
	    {"", 5, -1, TG_SWE_STARTING, ""},
	    {T "Image not found locally, attempting to pull...\n", 5, -1, TG_SWE_PULLING, ""},
	    {T "Creating container for i__i-1...\n", 4, -1, TG_SWE_CREATING, ""},
	    {HEAD, 5, -1, TG_SWE_APPLYING, ""},
	    {HEAD T ">>>>> Applied Patch:\nok\n", 5, 1, TG_SWE_APPLYING, "git"},
	    {HEAD FAIL(G) T ">>>>> Applied Patch:\nok\n", 5, 1, TG_SWE_APPLYING, "git-3way"},
	    {HEAD FAIL(G) T ">>>>> Applied Patch:\nok\n", 4, 1, TG_SWE_APPLYING, "git-reject"},
	    {HEAD FAIL(G) FAIL("x") FAIL("x") FAIL("x") T
	     ">>>>> Applied Patch: verified already applied\n",
	     5, 1, TG_SWE_APPLYING, "reverse"},
	    {HEAD FAIL(G) FAIL("x") FAIL("x") T ">>>>> Applied Patch:\n", 4, 1, TG_SWE_APPLYING,
	     ""},
	    {HEAD T ">>>>> Patch Apply Failed:\nrubbish\n", 5, 0, TG_SWE_APPLYING, ""},
	    /* what git prints of a patch, in the harness's own form */
	    {HEAD T ">>>>> Applied Patch:\n" T ">>>>> Patch Apply Failed:\n", 5, 1, TG_SWE_APPLYING,
	     "git"},
	    {HEAD T ">>>>> Patch Apply Failed:\n" T ">>>>> Applied Patch:\n", 5, 0, TG_SWE_APPLYING,
	     ""},
	    /* before the patch was handed over, or not in the harness's form, or not whole: nothing
	     */
	    {T ">>>>> Patch Apply Failed:\n", 5, -1, TG_SWE_STARTING, ""},
	    {HEAD ">>>>> Patch Apply Failed:\n", 5, -1, TG_SWE_APPLYING, ""},
	    {HEAD "2026-11-22 - INFO - >>>>> Patch Apply Failed:\n", 5, -1, TG_SWE_APPLYING, ""},
	    {HEAD T ">>>>> Patch Apply Failed:", 5, -1, TG_SWE_APPLYING, ""},
	    {T "Intermediate patch for i__i-2 written to x\n" T ">>>>> Patch Apply Failed:\n", 5,
	     -1, TG_SWE_STARTING, ""},
	    {HEAD T ">>>>> Applied Patch:\n" T "Eval script for i__i-1 written to x; copying\n", 5,
	     1, TG_SWE_TESTING, "git"},
	    {HEAD T ">>>>> Applied Patch:\n" T "Eval script for i__i-1 written to x\n" T
		    "Grading answer for i__i-1...\n",
	     5, 1, TG_SWE_GRADING, "git"},
	    {HEAD T ">>>>> Applied Patch:\n" T
		    "Attempting to stop container sweb.eval.i__i-1.r...\n",
	     5, 1, TG_SWE_CLEANUP, "git"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_swe_log log = read_log(t[i].text, t[i].generation);

		if (log.applies != t[i].applies || log.phase != t[i].phase ||
		    strcmp(log.rung, t[i].rung) != 0)
			fail_msg("case %zu: applies %d phase %d rung \"%s\"", i, log.applies,
				 (int)log.phase, log.rung);
	}
}

static void texts_are_safe(void **state)
{
	struct tg_swe_log log =
	    read_log(HEAD T ">>>>> Patch Apply Failed:\nfirst\n\x1b[31mlast\n", 4);

	(void)state;
	assert_null(strchr(log.apply_error, '\x1b'));
	assert_non_null(strstr(log.apply_error, "last"));
	log = read_log(
	    "2026-11-22 17:25:30,886 - ERROR - Error creating container for i__i-1: 409\n", 4);
	assert_string_equal(log.failure, "Error creating container for i__i-1: 409");
	assert_int_equal(log.applies, -1);
	assert_false(log.created);
}

static void ends_of_a_test_output(void **state)
{
	static const char good[] = "x\n\nTimeout error: 30 seconds exceeded.";

	(void)state;
	assert_true(tg_swe_output_timed_out(good, strlen(good), 30));
	assert_false(tg_swe_output_timed_out(good, strlen(good), 3));
	assert_false(tg_swe_output_timed_out(good, strlen(good) - 1, 30));
	assert_false(tg_swe_output_timed_out("", 0, 30));
}

/* ---- input ---- */

static void names(void **state)
{
	struct tg_row row = {.instance_id = (char *)"Scikit-Learn__scikit-learn-1"};
	const char *sha = "0123456789abcdef", *run = "fedcba9876543210";
	char *s;

	(void)state;
	s = tg_swe_image(&row);
	assert_string_equal(s, "swebench/sweb.eval.x86_64.scikit-learn_1776_scikit-learn-1:latest");
	free(s);
	row.image = (char *)"mirror/x:1";
	s = tg_swe_image(&row);
	assert_string_equal(s, "mirror/x:1");
	free(s);
	s = tg_swe_run_id(run, 3, sha);
	assert_string_equal(s, "tg-fedcba98-3-0123456789ab");
	assert_null(strchr(s, '.'));
	free(s);
	s = tg_swe_container("A__b-1", "r");
	assert_string_equal(s, "sweb.eval.a__b-1.r");
	free(s);
	s = tg_swe_log_dir("r", "zai/glm", "A__b-1");
	assert_string_equal(s, "logs/run_evaluation/r/zai__glm/A__b-1");
	free(s);
	assert_string_equal(tg_swe_model("zai/glm-4.6"), "zai/glm-4.6");
	assert_string_equal(tg_swe_model(".."), "model");
	assert_string_equal(tg_swe_model("a\nb"), "model");
	assert_string_equal(tg_swe_model(NULL), "model");
	assert_int_equal(tg_swe_generation("4.1.0"), 4);
	assert_int_equal(tg_swe_generation("5.0.2"), 5);
	assert_int_equal(tg_swe_generation("50.1"), 0);
	assert_int_equal(tg_swe_generation("3.0.17"), 0);
	assert_int_equal(tg_swe_generation(NULL), 0);
}

/* The bytes that a Python would read back are those of the patch. */
static void exact_bytes(void **state)
{
	static const char patch[] = "diff --git\r\n+\"\\\x7f\x01\xc3\xa9\t\f\n\0+after a NUL\n \n";
	static const char script[] =
	    "import json,sys; sys.stdout.buffer.write(json.load(sys.stdin)[0]"
	    "['model_patch'].encode())";
	const char *const argv[] = {"python3", "-c", script, NULL};
	struct tg_buf b = TG_BUF_INIT;
	struct tg_proc_result r;
	struct tg_err err = {0};

	(void)state;
	assert_true(tg_swe_predictions("i__i-1", "m/x", patch, sizeof patch - 1, &b));
	assert_true(tg_proc_run(&(struct tg_spawn){.argv = argv}, b.p, b.n, 20000, 4096, &r, &err));
	assert_int_equal(r.out.n, sizeof patch - 1);
	assert_memory_equal(r.out.p, patch, sizeof patch - 1);
	tg_proc_result_fini(&r);
	assert_false(tg_swe_predictions("i__i-1", "m", "\xff\xfe", 2, &b));
	assert_false(tg_swe_predictions("i__i-1", "m", "\xed\xa0\x80", 3, &b)); /* a surrogate */
	tg_buf_fini(&b);
}

static void rows_of_both_generations(void **state)
{
	struct tg_row row = {.instance_id = (char *)"i__i-1",
			     .raw = (char *)"{\"instance_id\": \"i__i-1\", \"version\": \"1\"}"};
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = {0};
	struct cJSON *v;
	const char *lacks;

	(void)state;
	assert_true(tg_swe_dataset(&row, 4, &b, &lacks, &err));
	assert_null(lacks);
	assert_string_equal(b.p, "[{\"instance_id\": \"i__i-1\", \"version\": \"1\"}]\n");
	assert_true(tg_swe_dataset(&row, 5, &b, &lacks, &err));
	assert_string_equal(lacks, "eval_script");
	row.eval_script = (char *)"x";
	assert_true(tg_swe_dataset(&row, 5, &b, &lacks, &err));
	assert_string_equal(lacks, "log_parser");
	row.log_parser = (char *)"parse_log_pytest";
	assert_true(tg_swe_dataset(&row, 5, &b, &lacks, &err));
	assert_null(lacks);
	v = tg_json_parse(b.p, b.n, "rows", NULL, &err);
	assert_non_null(v);
	assert_string_equal(tg_json_str(tg_json_first(v), "image"),
			    "swebench/sweb.eval.x86_64.i_1776_i-1:latest");
	assert_string_equal(tg_json_str(tg_json_first(v), "eval_type"), "pass_and_fail");
	tg_json_free(v);
	row.image = (char *)"a:b";
	row.eval_type = (char *)"fail_only";
	assert_true(tg_swe_dataset(&row, 5, &b, &lacks, &err));
	assert_non_null(strstr(b.p, "\"version\": \"1\"}]")); /* as it is */
	tg_buf_fini(&b);
}

static void pulls(void **state)
{
	(void)state;
	assert_int_equal(
	    tg_pull_meaning("Error: toomanyrequests: You have reached your pull rate limit"),
	    TG_PULL_LIMITED);
	assert_int_equal(tg_pull_meaning("429 Too Many Requests"), TG_PULL_LIMITED);
	assert_int_equal(tg_pull_meaning("manifest for x:latest not found: manifest unknown"),
			 TG_PULL_ABSENT);
	assert_int_equal(tg_pull_meaning("dial tcp: i/o timeout"), TG_PULL_FAILED);
	assert_int_equal(tg_pull_hours(0, 100), 0);
	assert_int_equal(tg_pull_hours(100, 100), 0);
	assert_int_equal(tg_pull_hours(101, 100), 6);
	assert_int_equal(tg_pull_hours(300, 100), 12);
	assert_int_equal(tg_pull_hours(301, 100), 18);
}

/* ---- what real harnesses left ---- */

struct sample {
	const char *dir; /* below the corpus */
	const char *iid;
	int generation;
	int applies;
	const char *rung, *apply_error, *failure;
	enum tg_eval_status want; /* by the files alone, the harness having ended */
	int f2p_pass, f2p_fail, p2p_pass, p2p_fail; /* -1: no report */
	const char *reason;
	long log_at_least; /* bytes */
};

#define E41 "tool-outputs/eval41/logs/run_evaluation/"
#define E5 "tool-outputs/eval5/logs/run_evaluation/r1/stub__model/"
#define R20 "run20/eval/logs/run_evaluation/glm46_lite_run20/extracted_from_trajectory/"
#define GARBAGE "patch: **** Only garbage was found in the patch input."
#define NO_REPORT "the harness ended with an error and left no report"

static const struct sample samples[] = {
    {E41 "r1/stub__model/", "sympy__sympy-1", 4, 1, "git", "", "", TG_EV_RESOLVED, 1, 0, 1, 0, NULL,
     2000},
    {E41 "r1/stub__model/", "sympy__sympy-3", 4, 0, "", GARBAGE, "", TG_EV_PATCH_APPLY_FAILED, -1,
     0, 0, 0, NULL, 130000},
    {E41 "r1/stub__model/", "sympy__sympy-4", 4, 1, "git", "", "", TG_EV_UNRESOLVED, 0, 1, 1, 0,
     NULL, 2000},
    {E41 "c1/stub__model/", "sympy__sympy-1", 4, -1, "", "",
     "Error creating container for sympy__sympy-1: 500 Server Error", TG_EV_INFRA, -1, 0, 0, 0,
     NO_REPORT, 6000},
    {E5, "toy__repo-1", 5, 1, "git", "", "", TG_EV_RESOLVED, 1, 0, 1, 0, NULL, 2000},
    {E5, "toy__repo-3", 5, 0, "", GARBAGE, "", TG_EV_PATCH_APPLY_FAILED, -1, 0, 0, 0, NULL, 1500},
    {E5, "toy__repo-4", 5, 1, "git", "", "", TG_EV_UNRESOLVED, 0, 1, 1, 0, NULL, 2000},
    {R20, "django__django-15996", 4, 1, "git", "", "", TG_EV_UNRESOLVED, 0, 1, 51, 0, NULL, 9000},
    {R20, "django__django-16139", 4, 1, "git", "", "", TG_EV_RESOLVED, 1, 0, 86, 0, NULL, 11000},
    {R20, "django__django-11620", 4, -1, "", "",
     "Error creating container for django__django-11620: 409 Client Error", TG_EV_INFRA, -1, 0, 0,
     0, NO_REPORT, 7000},
    {R20, "django__django-11848", 4, -1, "", "",
     "Error creating container for django__django-11848: 409 Client Error", TG_EV_INFRA, -1, 0, 0,
     0, NO_REPORT, 7000},
    {R20, "django__django-12497", 4, -1, "", "",
     "Error creating container for django__django-12497: 409 Client Error", TG_EV_INFRA, -1, 0, 0,
     0, NO_REPORT, 7000},
    {R20, "django__django-15320", 4, -1, "", "",
     "Error creating container for django__django-15320: 409 Client Error", TG_EV_INFRA, -1, 0, 0,
     0, NO_REPORT, 7000},
};

static void check_log(const struct sample *s, const char *dir, struct tg_swe_log *log)
{
	char *path = tg_path_join(dir, "run_instance.log");
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = {0};

	assert_true(tg_file_read(path, 0, &b, &err));
	assert_true(b.n >= (size_t)s->log_at_least);
	tg_swe_log_read(log, b.p, b.n, s->iid, s->generation);
	assert_int_equal(log->applies, s->applies);
	assert_string_equal(log->rung, s->rung);
	assert_string_equal(log->apply_error, s->apply_error);
	assert_true(tg_starts_with(log->failure, s->failure) && !log->failure[0] == !s->failure[0]);
	assert_int_equal(log->created, s->applies >= 0);
	assert_int_equal(log->phase, s->applies == 1   ? TG_SWE_CLEANUP
				     : s->applies == 0 ? TG_SWE_APPLYING
						       : TG_SWE_CREATING);
	tg_buf_fini(&b);
	free(path);
}

static void check_sample(const struct sample *s, const char *dir)
{
	char *path = tg_path_join(dir, "report.json");
	struct tg_report_hint hint = {.gave_up = true};
	struct tg_report report = {0};
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = {0};
	struct tg_swe_log log;
	const char *why;
	bool there = tg_file_read(path, 0, &b, NULL);

	check_log(s, dir, &log);
	hint.applies = log.applies;
	assert_int_equal(there, s->f2p_pass >= 0);
	if (there) {
		assert_true(tg_report_parse(&report, b.p, b.n, path, s->iid, &err));
		assert_int_equal(report.tally.f2p_pass, s->f2p_pass);
		assert_int_equal(report.tally.f2p_fail, s->f2p_fail);
		assert_int_equal(report.tally.p2p_pass, s->p2p_pass);
		assert_int_equal(report.tally.p2p_fail, s->p2p_fail);
		hint.gave_up = false;
	}
	assert_int_equal(tg_report_outcome(there ? &report : NULL, NULL, s->iid, &hint, &why),
			 s->want);
	assert_true(tg_streq(why, s->reason));
	tg_buf_fini(&b);
	free(path);
}

static void real_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		char *rel = tg_asprintf("corpus/%s%s", samples[i].dir, samples[i].iid);
		char *dir = cm_shared(rel);

		free(rel);
		if (!dir)
			skip();
		printf("%s%s\n", samples[i].dir, samples[i].iid);
		check_sample(&samples[i], dir);
		free(dir);
	}
}

static void count_reports(const char *dir, int n[TG_EV_NOT_RUN + 1])
{
	struct tg_names ids;
	struct tg_err err = {0};

	assert_true(tg_dir_list(dir, &ids, &err));
	for (size_t i = 0; i < ids.n; i++) {
		const struct tg_report_hint hint = {.applies = -1};
		char *path = tg_asprintf("%s/%s/report.json", dir, ids.v[i]);
		struct tg_buf b = TG_BUF_INIT;
		struct tg_report r;
		const char *why;

		assert_true(tg_file_read(path, 0, &b, &err));
		assert_true(tg_report_parse(&r, b.p, b.n, path, ids.v[i], &err));
		n[tg_report_outcome(&r, NULL, ids.v[i], &hint, &why)]++;
		tg_buf_fini(&b);
		free(path);
	}
	tg_names_free(&ids);
}

/* 146 reports of a 4.x harness, in one archive. */
static void a_published_batch(void **state)
{
	static const struct {
		const char *run;
		int resolved, unresolved;
	} t[] = {{"deepseek_bench_eval", 8, 15},
		 {"deepseek_lite_dev", 6, 17},
		 {"deepseek_bench1_eval", 61, 39}};
	char *tar = cm_shared("corpus/batch-runs/mini-swe-agent-deepseek.tar.xz"), *tmp;
	struct tg_proc_result r;
	struct tg_err err = {0};

	(void)state;
	if (!tar)
		skip();
	tmp = cm_tmpdir();
	const char *const argv[] = {
	    "tar", "xJf", tar, "-C", tmp, "--wildcards", "*/logs/run_evaluation/*/report.json",
	    NULL};
	if (!tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, 120000, 4096, &r, &err) ||
	    r.code != 0) {
		printf("[  SKIPPED ] tar cannot read %s here: %s\n", tar, tg_buf_cstr(&r.err));
		skip();
	}
	tg_proc_result_fini(&r);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char *dir = tg_asprintf("%s/msa-deepseek-a/logs/run_evaluation/%s/"
					"deepseek__deepseek-chat",
					tmp, t[i].run);
		int n[TG_EV_NOT_RUN + 1] = {0};

		count_reports(dir, n);
		assert_int_equal(n[TG_EV_RESOLVED], t[i].resolved);
		assert_int_equal(n[TG_EV_UNRESOLVED], t[i].unresolved);
		for (int s = 0; s <= TG_EV_NOT_RUN; s++)
			if (s != TG_EV_RESOLVED && s != TG_EV_UNRESOLVED)
				assert_int_equal(n[s], 0);
		free(dir);
	}
	assert_true(tg_remove_tree(tmp, &err));
	free(tmp);
	free(tar);
}

/* ---- preflight ---- */

static void put_program(const char *dir, const char *name, const char *text)
{
	char *path = tg_path_join(dir, name);
	struct tg_err err = {0};

	assert_true(tg_file_write(path, text, strlen(text), 0755, &err));
	free(path);
}

static void preflight_says_what_is_missing(void **state)
{
	char *dir = cm_tmpdir(), *old = tg_strdup(getenv("PATH"));
	struct tg_spec spec = {0};
	struct tg_swe_tools tools;
	struct tg_err err = {0};

	(void)state;
	unsetenv("VIRTUAL_ENV");
	setenv("PATH", dir, 1);
	assert_false(tg_swe_find(&spec, &err));
	assert_int_equal(err.code, TG_E_MACHINE);
	assert_non_null(strstr(err.msg, "python3 is not in PATH"));
	put_program(dir, "python3",
		    "#!/bin/sh\necho 'ModuleNotFoundError: No module' >&2\nexit 1\n");
	assert_false(tg_swe_find(&spec, &err));
	assert_non_null(strstr(err.msg, "ModuleNotFoundError"));
	put_program(dir, "python3", "#!/bin/sh\nprintf 'hello\\n\\ntgmon-version 3.0.1\\n'\n");
	assert_false(tg_swe_find(&spec, &err));
	assert_non_null(strstr(err.msg, "3.0.1"));
	put_program(dir, "python3",
		    "#!/bin/sh\nprintf '\\ntgmon-version 4.1.0\\ntgmon-python /x/bin/python\\n'\n");
	assert_false(tg_swe_find(&spec, &err));
	assert_non_null(strstr(err.msg, "neither docker nor podman"));
	put_program(dir, "docker", "#!/bin/sh\necho 'Cannot connect' >&2\nexit 1\n");
	assert_false(tg_swe_find(&spec, &err));
	assert_non_null(strstr(err.msg, "Cannot connect"));
	assert_int_equal(spec.tools_n, 0);
	assert_false(tg_swe_tools(&spec, &tools, &err));
	put_program(dir, "podman", "#!/bin/sh\necho 4.3.1\n");
	assert_true(tg_swe_find(&spec, &err));
	assert_true(tg_swe_tools(&spec, &tools, &err));
	assert_string_equal(tools.python, "/x/bin/python"); /* what it calls itself */
	assert_int_equal(tools.generation, 4);
	assert_true(tg_ends_with(tools.docker, "/podman"));
	setenv("PATH", old, 1);
	tg_spec_fini(&spec);
	assert_true(tg_remove_tree(dir, &err));
	free(dir);
	free(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_verdict_is_the_first),
	    cmocka_unit_test(texts_are_safe),
	    cmocka_unit_test(ends_of_a_test_output),
	    cmocka_unit_test(names),
	    cmocka_unit_test(exact_bytes),
	    cmocka_unit_test(rows_of_both_generations),
	    cmocka_unit_test(pulls),
	    cmocka_unit_test(real_logs),
	    cmocka_unit_test(a_published_batch),
	    cmocka_unit_test(preflight_says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
