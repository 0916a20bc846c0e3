/* Predictions files in every form, and the reference's normalisation by its vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/patch/preds.h"

static void forms(void **state)
{
	static const struct {
		const char *text, *id, *patch;
		size_t n;
		bool null;
	} row[] = {
	    {"[{\"instance_id\":\"a\",\"model_patch\":\"x\\n\"}]", "a", "x\n", 1, false},
	    {"[{\"task_id\":\"t\",\"model_patch\":null}]", "t", "", 1, true},
	    {"[{\"instance_id\":\"\",\"id\":\"b\"},\"p\"]", "b", "", 2, true},
	    {"[{\"model_patch\":\"x\"},\"p\"]", "instance_2", "p", 2, false},
	    {"{\"a__a-1\":{\"model_patch\":\"x\"},\"b__b-2\":\"y\"}", "b__b-2", "y", 2, false},
	    {"{\"a__a-1\":{\"model_patch\":\"x\"},\"b__b-2\":null}", "b__b-2", "", 2, true},
	    {"{\"instance_id\":\"one\",\"model_patch\":5}", "one", "5", 1, false},
	    {"\xEF\xBB\xBF{\"task\":\"one\",\"patch\":\"q\"}", "one", "q", 1, false},
	    {"{\"instance_id\":\"a\",\"model_patch\":\"1\"}\n\n{\"instance_id\":\"b\",\"model_"
	     "patch\":\"2\"}\n",
	     "b", "2", 2, false},
	    {"\"just text\"", "instance_unknown", "just text", 1, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct tg_preds preds;
		const struct tg_pred *p;
		struct tg_err err = {0};

		if (!tg_preds_parse(&preds, row[i].text, strlen(row[i].text), "t", &err))
			fail_msg("row %zu: %s", i, err.msg);
		assert_int_equal(preds.n, row[i].n);
		p = tg_preds_find(&preds, row[i].id);
		assert_non_null(p);
		assert_string_equal(p->patch, row[i].patch);
		assert_int_equal(p->null_patch, row[i].null);
		tg_preds_fini(&preds);
	}
}

static void nothing_and_rubbish(void **state)
{
	struct tg_preds preds;
	struct tg_err err;

	(void)state;
	assert_true(tg_preds_parse(&preds, " \n", 2, "t", &err));
	assert_int_equal(preds.n, 0);
	assert_true(tg_preds_parse(&preds, "null", 4, "t", &err));
	assert_int_equal(preds.n, 0);
	assert_false(tg_preds_parse(&preds, "{\"a\":", 5, "preds.json", &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_non_null(strstr(err.msg, "preds.json"));
	assert_false(tg_preds_parse(&preds, "{\"a\":1}\nrubbish\n", 16, "preds.json", &err));
	assert_int_equal(preds.n, 0);
}

static void check_vector(const struct cJSON *v)
{
	const struct cJSON *input = tg_json_get(v, "input");
	struct tg_buf text = TG_BUF_INIT, out = TG_BUF_INIT;

	if (tg_json_text(input))
		tg_buf_adds(&text, tg_json_text(input));
	else
		tg_json_print(input, TG_JSON_PY, &text);
	tg_preds_normalise(tg_buf_cstr(&text), text.n, &out);
	if (!tg_streq(tg_buf_cstr(&out), tg_json_str(v, "expected")))
		fail_msg("%s: got <%s> want <%s>", tg_json_str(v, "name"), tg_buf_cstr(&out),
			 tg_json_str(v, "expected"));
	tg_buf_fini(&text);
	tg_buf_fini(&out);
}

static void vectors(void **state)
{
	const char *shared = getenv("TGMON_SHARED");
	char *path =
	    tg_path_join(shared ? shared : "../shared", "corpus/vectors/patch_normalise.jsonl");
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err;
	char *line, *save = NULL;
	size_t n = 0;

	(void)state;
	if (!tg_file_exists(path)) {
		print_message("no %s: set TGMON_SHARED; skipped\n", path);
		free(path);
		skip();
	}
	assert_true(tg_file_read(path, 0, &text, &err));
	for (line = strtok_r(text.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save), n++) {
		struct cJSON *v = tg_json_parse(line, strlen(line), path, NULL, &err);

		assert_non_null(v);
		check_vector(v);
		tg_json_free(v);
	}
	print_message("%zu vectors\n", n);
	assert_true(n >= 27);
	tg_buf_fini(&text);
	free(path);
}

/* Text that makes a careless search quadratic must still end at once. */
static void many_fences(void **state)
{
	struct tg_buf text = TG_BUF_INIT, out = TG_BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		tg_buf_adds(&text, "x ``` \n ");
	tg_preds_normalise(text.p, text.n, &out);
	assert_true(out.n > 0);
	tg_buf_fini(&text);
	tg_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forms),
	    cmocka_unit_test(nothing_and_rubbish),
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(many_fences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
