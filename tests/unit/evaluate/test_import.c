/* Imported rows, the backends' table, and eval scripts with the tests' own channel. */
#include "unit/cm.h"
#include "core/evaluate/evaluate.h"
#include "core/evaluate/script.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static enum tg_eval_status status_of(const char *text, const char *reason)
{
	struct tg_evaluation ev;
	struct tg_err err = { 0 };
	enum tg_eval_status got;

	if (!tg_import_row(text, strlen(text), "rows", "i__i-1", SHA, &ev, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(ev.level, TG_EL_IMPORTED);
	if (reason && (!ev.reason || !strstr(ev.reason, reason)))
		fail_msg("reason: %s", ev.reason ? ev.reason : "none");
	assert_int_equal(ev.resolved == 1, ev.status == TG_EV_RESOLVED);
	got = ev.status;
	tg_evaluation_fini(&ev);
	return got;
}

static void rows(void **state)
{
	static const struct { const char *text; enum tg_eval_status want; const char *why;
	} t[] = {
	    {"", TG_EV_NOT_RUN, "no row"},
	    {"{\"instance_id\": \"other\", \"resolved_status\": \"RESOLVED\"}\n", TG_EV_NOT_RUN,
	     "no row"},
	    {"{\"instance_id\": \"i__i-1\", \"resolved\": true, \"resolved_status\": \"RESOLVED\"}",
	     TG_EV_RESOLVED, NULL},
	    {"{\"instance_id\": \"i__i-1\", \"resolved\": false, \"resolved_status\": "
	     "\"unresolved\"}",
	     TG_EV_UNRESOLVED, NULL},
	    {"{\"instance_id\": \"i__i-1\", \"resolved\": true}", TG_EV_RESOLVED, NULL},
	    {"{\"instance_id\": \"i__i-1\"}", TG_EV_NOT_RUN, "no verdict"},
	    {"{\"instance_id\": \"i__i-1\", \"resolved_status\": \"GREAT\\u001b[1m\"}",
	     TG_EV_NOT_RUN, "unknown"},
	    {"{\"instance_id\": \"i__i-1\", \"resolved\": true, \"resolved_status\": "
	     "\"UNRESOLVED\"}",
	     TG_EV_UNRESOLVED, "contradicts"},
	    {"{\"instance_id\": \"i__i-1\", \"resolved\": false, \"resolved_status\": "
	     "\"RESOLVED\"}",
	     TG_EV_UNRESOLVED, "contradicts"},
	    /* the last one wins; blank lines and CR are nothing */
	    {"{\"instance_id\": \"i__i-1\", \"resolved\": true}\n\r\n  \n"
	     "{\"instance_id\": \"i__i-1\", \"resolved\": false}\r\n",
	     TG_EV_UNRESOLVED, NULL},
	    {"{\"instance_id\": \"i__i-1\", \"resolved_status\": \"RESOLVED\", \"patch_sha256\": "
	     "\"" SHA "\"}",
	     TG_EV_RESOLVED, NULL},
	    {"{\"instance_id\": \"i__i-1\", \"resolved_status\": \"RESOLVED\", \"patch_sha256\": "
	     "\"bb\"}",
	     TG_EV_NOT_RUN, "another patch"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		assert_int_equal(status_of(t[i].text, t[i].why), t[i].want);
}

static void a_bad_line_is_named(void **state)
{
	static const char text[] = "{\"instance_id\": \"i__i-1\", \"resolved\": true}\n{\"insta";
	struct tg_evaluation ev;
	struct tg_err err = { 0 };

	(void)state;
	assert_false(tg_import_row(text, strlen(text), "rows", "i__i-1", SHA, &ev, &err));
	assert_non_null(strstr(err.msg, "row 2"));
	tg_evaluation_fini(&ev);
}

static void the_published_run(void **state)
{
	static const struct { const char *iid; enum tg_eval_status want; } t[] = {
		{ "django__django-11620", TG_EV_RESOLVED },
		{ "django__django-11848", TG_EV_UNRESOLVED },
		{ "sympy__sympy-11897", TG_EV_PATCH_APPLY_FAILED },
		{ "pydata__xarray-4248", TG_EV_NOT_RUN },
	};
	char *path = cm_shared("corpus/run20/eval/instance_results.jsonl");
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err = { 0 };

	(void)state;
	if (!path)
		skip();
	assert_true(tg_file_read(path, 0, &text, &err));
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_evaluation ev;

		assert_true(tg_import_row(text.p, text.n, path, t[i].iid, SHA, &ev, &err));
		assert_int_equal(ev.status, t[i].want);
		/* kept byte for byte */
		assert_true(!ev.row || strstr(text.p, ev.row));
		tg_evaluation_fini(&ev);
	}
	tg_buf_fini(&text);
	free(path);
}

static void backends(void **state)
{
	struct tg_spec none = { .evaluator = (char *)"import" };
	struct tg_err err = { 0 };

	(void)state;
	assert_non_null(tg_evaluator_find("local"));
	assert_null(tg_evaluator_find("docker"));
	assert_null(tg_evaluator_find(NULL));
	assert_non_null(tg_evaluator_find("swebench")); /* its preflight: test_swebench.c */
	assert_false(tg_evaluator_find("import")->preflight(&none, &err));
	assert_non_null(strstr(err.msg, "--eval-results"));
}

static void scripts(void **state)
{
	static const char start[] = ": '>>>>> Start Test Output'\n",
			  end[] = ": '>>>>> End Test Output'\n";
	static const struct { const char *form; bool good; } t[] = {
		{ "#!/bin/bash\nset -x\n%1$sx\n%2$s", true },
		{ "%1$sx\n%2$secho done", true },
		{ "x\n", false }, { "%1$sx\n", false }, { "%2$s%1$s", false },
		{ "%1$s%1$s%2$s", false }, { "%1$s%2$s%2$s", false }, { "", false },
		{ "echo \"x >>>>> Start Test Output\"\n%2$s", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_buf script = TG_BUF_INIT, out = TG_BUF_INIT;

		for (const char *p = t[i].form; *p; p++)
			if (*p == '%') {
				tg_buf_adds(&script, p[1] == '1' ? start : end);
				p += 3;
			} else {
				tg_buf_addc(&script, *p);
			}
		assert_int_equal(tg_eval_script_build(tg_buf_cstr(&script), &out), t[i].good);
		assert_null(strstr(out.p, start));
		if (t[i].good)
			assert_non_null(strstr(out.p, "exec 8>&1 1>&2"));
		tg_buf_fini(&script);
		tg_buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(a_bad_line_is_named),
		cmocka_unit_test(the_published_run),
		cmocka_unit_test(backends),
		cmocka_unit_test(scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
