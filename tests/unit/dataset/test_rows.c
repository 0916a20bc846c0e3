#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"

#define HEX40 "0123456789abcdef0123456789abcdef01234567"

static const char *const names[] = { "repo",	     "instance_id",  "base_commit",
				     "patch",	     "test_patch",   "problem_statement",
				     "hints_text",   "created_at",   "version",
				     "FAIL_TO_PASS", "PASS_TO_PASS", "environment_setup_commit" };

/* A good row's members; `change` replaces one value (JSON text), NULL drops it; `more` is added. */
static char *row_text(const char *id, const char *field, const char *change, const char *more)
{
	struct tg_buf b = TG_BUF_INIT;
	const char *comma = "{";

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		bool hit = field && strcmp(field, names[i]) == 0;

		if (hit && !change)
			continue;
		tg_buf_addf(&b, "%s\"%s\": ", comma, names[i]);
		comma = ", ";
		if (hit)
			tg_buf_adds(&b, change);
		else if (strcmp(names[i], "instance_id") == 0)
			tg_buf_addf(&b, "\"%s\"", id);
		else if (strcmp(names[i], "repo") == 0)
			tg_buf_adds(&b, "\"own/name\"");
		else if (strcmp(names[i], "base_commit") == 0)
			tg_buf_adds(&b, "\"" HEX40 "\"");
		else if (strstr(names[i], "_TO_PASS"))
			tg_buf_adds(&b, "\"[\\\"a.B.c\\\", \\\"d \\u00e9\\\"]\"");
		else
			tg_buf_addf(&b, "\"%s text\"", names[i]);
	}
	tg_buf_addf(&b, "%s}", more ? more : "");
	return tg_buf_detach(&b);
}

static char path[64];

static void write_file(const char *text)
{
	assert_true(tg_file_write(path, text, strlen(text), 0644, NULL));
}

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "/tmp/tgmon-rows-XXXXXX");
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void expect_error(const char *text, const char *a, const char *b)
{
	struct tg_dataset ds;
	struct tg_err err = { 0 };

	write_file(text);
	if (tg_dataset_load(&ds, path, &err))
		fail_msg("taken: %s", text);
	assert_int_equal(err.code, TG_E_INPUT);
	assert_non_null(strstr(err.msg, path));
	if (!strstr(err.msg, a) || !strstr(err.msg, b))
		fail_msg("'%s' should name %s and %s", err.msg, a, b);
	assert_null(ds.row);
}

static void reads_lines(void **state)
{
	char *a = row_text("own__name-1", NULL, NULL, NULL);
	char *b = row_text("own__name-2", "PASS_TO_PASS", "[\"x\"]",
			   ", \"image\": \"i\", \"eval_script\": \"e\", \"log_parser\": null");
	char *text = tg_asprintf("%s\r\n\n  %s", a, b);
	struct tg_dataset ds;
	struct tg_row row;
	struct tg_err err = { 0 };

	(void)state;
	write_file(text);
	if (!tg_dataset_load(&ds, path, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(ds.n, 2);
	assert_string_equal(ds.row[0].raw, a);
	assert_string_equal(ds.row[0].fail_to_pass[0], "a.B.c");
	assert_string_equal(ds.row[0].fail_to_pass[1], "d \xc3\xa9");
	assert_null(ds.row[0].fail_to_pass[2]);
	assert_null(ds.row[0].image);
	assert_string_equal(ds.row[1].pass_to_pass[0], "x");
	assert_string_equal(ds.row[1].image, "i");
	assert_null(ds.row[1].log_parser);
	assert_ptr_equal(tg_dataset_find(&ds, "own__name-2"), &ds.row[1]);
	assert_null(tg_dataset_find(&ds, "own__name-3"));
	tg_dataset_fini(&ds);
	assert_true(tg_dataset_row(path, "own__name-2", &row, &err));
	assert_string_equal(row.eval_script, "e");
	tg_row_fini(&row);
	assert_false(tg_dataset_row(path, "own__name-3", &row, &err));
	assert_int_equal(err.code, TG_E_NONE);
	free(text);
	free(a);
	free(b);
}

static void reads_list(void **state)
{
	char *a = row_text("own__name-1", NULL, NULL, NULL);
	char *text = tg_asprintf(" [%s]\n", a);
	struct tg_dataset ds;
	struct cJSON *raw;

	(void)state;
	write_file(text);
	assert_true(tg_dataset_load(&ds, path, NULL));
	assert_int_equal(ds.n, 1);
	assert_null(strchr(ds.row[0].raw, '\n'));
	raw = tg_json_parse(ds.row[0].raw, strlen(ds.row[0].raw), "raw", NULL, NULL);
	assert_string_equal(tg_json_str(raw, "instance_id"), "own__name-1");
	tg_json_free(raw);
	tg_dataset_fini(&ds);
	free(text);
	free(a);
}

static void refuses_bad_rows(void **state)
{
	static const struct {
		const char *field, *change, *more, *says;
	} bad[] = {
		{ NULL, NULL, ", \"extra\": \"x\"", "unknown column" },
		{ "version", NULL, NULL, "missing" },
		{ "PASS_TO_PASS", NULL, NULL, "missing" },
		{ "patch", "7", NULL, "not a string" },
		{ "hints_text", "null", NULL, "not a string" },
		{ "FAIL_TO_PASS", "\"not json\"", NULL, "FAIL_TO_PASS" },
		{ "FAIL_TO_PASS", "\"{}\"", NULL, "not a list" },
		{ "FAIL_TO_PASS", "[1]", NULL, "not a test name" },
		{ "instance_id", "\"../x\"", NULL, "instance_id" },
		{ "instance_id", "\"a/b\"", NULL, "instance_id" },
		{ "instance_id", "\"a..b\"", NULL, "instance_id" },
		{ "instance_id", "\".hidden\"", NULL, "instance_id" },
		{ "instance_id", "\"\"", NULL, "instance_id" },
		{ "instance_id", "\"a\\u001b[31m\"", NULL, "instance_id" },
		{ "repo", "\"../..\"", NULL, "repo" },
		{ "repo", "\"own\"", NULL, "repo" },
		{ "repo", "\"own/na/me\"", NULL, "repo" },
		{ "base_commit", "\"HEAD\"", NULL, "base_commit" },
		{ "base_commit", "\"--help\"", NULL, "base_commit" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *good = row_text("own__name-1", NULL, NULL, NULL);
		char *row = row_text("own__name-2", bad[i].field, bad[i].change, bad[i].more);
		char *text = tg_asprintf("%s\n%s\n", good, row),
		     *list = tg_asprintf("[%s,%s]", good, row);

		expect_error(text, ":2:", bad[i].says);
		expect_error(text, bad[i].field ? bad[i].field : "extra", "field");
		expect_error(list, "row 2", bad[i].says);
		free(good);
		free(row);
		free(text);
		free(list);
	}
}

static void refuses_bad_files(void **state)
{
	char *good = row_text("own__name-1", NULL, NULL, NULL),
	     *twice = tg_asprintf("%s\n%s\n", good, good);
	char *torn = tg_asprintf("%s\n%.*s", good, 40, good);
	struct tg_dataset ds;
	struct tg_err err = { 0 };

	(void)state;
	expect_error("", "no rows", "");
	expect_error("[]", "no rows", "");
	expect_error("{\"a\": 1}\n", ":1:", "unknown column");
	expect_error("42\n", ":1:", "not an object");
	expect_error(twice, "row 2", "twice");
	expect_error(torn, "line 2", "");
	assert_false(tg_dataset_load(&ds, "/nonexistent/x.jsonl", &err));
	assert_int_equal(err.code, TG_E_INPUT);
	free(good);
	free(twice);
	free(torn);
}

/* The 300 rows of Lite and its 23 dev rows, where they are at hand. */
static void reads_swebench_lite(void **state)
{
	static const struct {
		const char *name;
		size_t rows;
	} file[] = { { "lite.jsonl.xz", 300 }, { "lite_dev.jsonl.xz", 23 } };
	const char *shared = getenv("TGMON_SHARED");

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *xz = tg_asprintf("%s/corpus/swebench-lite/%s", shared ? shared : "../shared",
				       file[i].name);
		const struct tg_spawn s = { .argv =
						(const char *const[]){ "xz", "-dc", xz, NULL } };
		struct tg_proc_result r;
		struct tg_dataset ds;
		struct tg_err err = { 0 };

		if (!tg_file_exists(xz)) {
			print_message("skipped: %s is not there\n", xz);
			free(xz);
			skip();
		}
		assert_true(tg_proc_run(&s, NULL, 0, 60000, 100 << 20, &r, NULL));
		assert_int_equal(r.code, 0);
		assert_true(tg_file_write(path, r.out.p, r.out.n, 0644, NULL));
		if (!tg_dataset_load(&ds, path, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(ds.n, file[i].rows);
		for (size_t k = 0; k < ds.n; k++) {
			assert_non_null(ds.row[k].fail_to_pass[0]);
			assert_non_null(strstr(ds.row[k].patch, "diff --git "));
		}
		tg_dataset_fini(&ds);
		tg_proc_result_fini(&r);
		free(xz);
	}
}

#define ROWS(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROWS(reads_lines),	 ROWS(reads_list),	    ROWS(refuses_bad_rows),
		ROWS(refuses_bad_files), ROWS(reads_swebench_lite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
