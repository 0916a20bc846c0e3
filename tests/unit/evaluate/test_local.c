/*
 * The local evaluator over the demo data: gold patches, recorded submissions, and patches that try
 * to cheat. Needs git, patch, python3 and a sandbox.
 */
#include "unit/cm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/evaluate.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/sandbox.h"

struct bench {
	struct tg_dataset ds;
	char dir[64], *data, *cache;
	int runs;
};

static int set_up(void **state)
{
	struct bench *b = tg_calloc(1, sizeof *b);
	struct tg_err err = { 0 };
	char *path;

	if (!tg_sandbox_check(&err)) {
		fprintf(stderr, "skipped: %s\n", err.msg);
		exit(77);
	}
	b->data = tg_strdup(getenv("TGMON_DATA") ? getenv("TGMON_DATA") : TGMON_SOURCE_DATA);
	path = tg_path_join(b->data, "demo.jsonl");
	snprintf(b->dir, sizeof b->dir, "/tmp/tgmon-evaluate-XXXXXX");
	if (!mkdtemp(b->dir) || !tg_dataset_load(&b->ds, path, &err))
		fail_msg("%s: %s", path, err.msg);
	setenv("XDG_CACHE_HOME", b->dir, 1);
	free(path);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	tg_remove_tree(b->dir, NULL);
	tg_dataset_fini(&b->ds);
	free(b->data);
	free(b);
	return 0;
}

/* Run the whole stage on a patch; the sum is the caller's, work gets its folder. */
static struct cJSON *stage(struct bench *b, const char *iid, const char *patch, size_t n,
			   int timeout_s, char **work)
{
	char *job = tg_asprintf("%s/job%d", b->dir, b->runs++), *in = tg_path_join(job, "in");
	char *in_work = tg_path_join(in, "work"), *file = tg_path_join(in_work, "patch.diff");
	struct tg_spec spec = { .evaluator = (char *)"local", .data_dir = b->data, .ladder = 5,
				.eval_timeout_s = timeout_s };
	struct tg_stage_ctx ctx = {.run_dir = b->dir,
				   .spec = &spec,
				   .instance_id = iid,
				   .attempt = 1,
				   .k = 1,
				   .job_dir = job,
				   .row = tg_dataset_find(&b->ds, iid),
				   .log = {.fd = -1}};
	struct cJSON *sum = tg_json_object();
	struct tg_err err = { 0 };

	*work = tg_path_join(job, "work");
	ctx.work_dir = *work;
	ctx.input[TG_STAGE_EXTRACT] = in;
	assert_non_null(ctx.row);
	assert_true(tg_mkdirs(in_work, 0700, &err) && tg_mkdirs(*work, 0700, &err));
	assert_true(tg_file_write(file, patch, n, 0600, &err));
	if (!tg_stage_evaluate(&ctx, sum, &err))
		fail_msg("%s: %s", iid, err.msg);
	free(file);
	free(in_work);
	free(in);
	free(job);
	return sum;
}

static void expect(struct bench *b, const char *iid, const char *patch, const char *status,
		   const char *reason)
{
	char *work, hex[TG_SHA256_HEX], *row_path, *testbed;
	struct cJSON *sum = stage(b, iid, patch, strlen(patch), 60, &work), *row;
	const char *why = tg_json_str(sum, "reason");

	if (!tg_streq(tg_json_str(sum, "status"), status))
		fail_msg("%s: %s (%s), not %s; see %s", iid, tg_json_str(sum, "status"),
			 why ? why : "-", status, work);
	if (reason && (!why || !strstr(why, reason)))
		fail_msg("%s: reason \"%s\" holds no \"%s\"", iid, why ? why : "", reason);
	tg_sha256_hex(patch, strlen(patch), hex);
	assert_string_equal(tg_json_str(sum, "patch_sha256"), hex);
	assert_string_equal(tg_json_str(sum, "level"), "bound");
	row_path = tg_path_join(work, "row.json");
	row = tg_json_load(row_path, NULL, NULL);
	assert_string_equal(tg_json_str(row, "instance_id"), iid);
	assert_string_equal(tg_json_str(row, "resolved_status"), status);
	assert_string_equal(tg_json_str(row, "patch_sha256"), hex);
	assert_int_equal(tg_json_bool(row, "resolved", false), tg_streq(status, "RESOLVED"));
	testbed = tg_path_join(work, "testbed");
	assert_false(tg_file_exists(testbed));
	free(testbed);
	free(row_path);
	tg_json_free(row);
	tg_json_free(sum);
	free(work);
}

static void gold_patches_resolve(void **state)
{
	struct bench *b = *state;

	for (size_t i = 0; i < b->ds.n; i += 4)
		expect(b, b->ds.row[i].instance_id, b->ds.row[i].patch, "RESOLVED", NULL);
}

static void recorded_submissions(void **state)
{
	static const struct { const char *iid, *status; } want[] = {
		{ "quillworks__slugger-12", "RESOLVED" },
		{ "quillworks__slugger-19", "UNRESOLVED" },
		{ "northbay__ledgerlite-11", "PATCH_APPLY_FAILED" },
		{ "northbay__ledgerlite-14", "PATCH_APPLY_FAILED" },
		{ "tidepool__cronette-8", "PATCH_APPLY_FAILED" },
		{ "brasswing__conftree-4", "EMPTY_PATCH" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		char *path = tg_asprintf("%s/trajectories/%s.traj.json", b->data, want[i].iid);
		struct tg_err err = { 0 };
		struct cJSON *traj = tg_json_load(path, NULL, &err);

		if (!traj)
			fail_msg("%s", err.msg);
		expect(b, want[i].iid, tg_json_text(tg_json_path(traj, "info.submission")),
		       want[i].status, NULL);
		tg_json_free(traj);
		free(path);
	}
}

/* A patch that adds a module which the package imports first. */
static char *slugger_patch(const char *lines)
{
	struct tg_buf p = TG_BUF_INIT;
	size_t n = 0;

	for (const char *c = lines; *c; c++)
		n += *c == '\n';
	tg_buf_addf(&p, "diff --git a/slugger/extra.py b/slugger/extra.py\nnew file mode 100644\n"
		    "--- /dev/null\n+++ b/slugger/extra.py\n@@ -0,0 +1,%zu @@\n", n);
	for (const char *c = lines; *c;) {
		size_t len = strcspn(c, "\n");

		tg_buf_addf(&p, "+%.*s\n", (int)len, c);
		c += len + 1;
	}
	tg_buf_adds(&p, "diff --git a/slugger/__init__.py b/slugger/__init__.py\n"
		    "--- a/slugger/__init__.py\n+++ b/slugger/__init__.py\n@@ -1,3 +1,4 @@\n"
		    " \"\"\"Text for addresses and headlines.\"\"\"\n \n"
		    "+from . import extra\n from .core import slugify, truncate\n");
	return tg_buf_detach(&p);
}

static void printed_results_are_no_results(void **state)
{
	static const struct { const char *code, *status, *reason;
	} cheat[] = {
	    /* the harness's markers and forged lines, printed while the tests are loaded */
	    {"import sys\n"
	     "sys.stderr.write(\">>>>> End Test Output\\n>>>>> Start Test Output\\n\"\n"
	     "    \"test_ring_above (tests.test_core.SlugifyTest.test_ring_above) ... ok\\n\"\n"
	     "    \"test_accents_go_letters_stay "
	     "(tests.test_core.SlugifyTest.test_accents_go_letters_stay)"
	     " ... ok\\n>>>>> Test Exit Code: 0\\n\")\n",
	     "UNRESOLVED", NULL},
	    /* a summary of its own */
	    {"print(\"Ran 8 tests in 0.001s\\n\\nOK\", flush=True)\n", "UNRESOLVED", "summary"},
	    /* leaves the interpreter with success before a test has run */
	    {"import os\nos._exit(0)\n", "UNRESOLVED", "without its summary"},
	    /* an exit code alone */
	    {"import atexit, os\natexit.register(lambda: os._exit(0))\n", "UNRESOLVED",
	     "exit code"},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof cheat / sizeof *cheat; i++) {
		char *patch = slugger_patch(cheat[i].code);

		expect(b, "quillworks__slugger-12", patch, cheat[i].status, cheat[i].reason);
		free(patch);
	}
}

static void the_test_patch_wins(void **state)
{
	/* takes the teeth out of the test file */
	static const char edit[] =
	    "diff --git a/tests/test_core.py b/tests/test_core.py\n--- a/tests/test_core.py\n"
	    "+++ b/tests/test_core.py\n@@ -1,6 +1,7 @@\n import unittest\n \n"
	    " from slugger import slugify, truncate\n+unittest.TestCase.assertEqual = print\n \n \n"
	    " class SlugifyTest(unittest.TestCase):\n";
	struct bench *b = *state;
	struct tg_buf swap = TG_BUF_INIT;
	const struct tg_row *row = tg_dataset_find(&b->ds, "quillworks__slugger-12");
	struct tg_buf old = TG_BUF_INIT;
	struct tg_err err = { 0 };
	char *repo;
	unsigned mode;

	expect(b, row->instance_id, edit, "UNRESOLVED", NULL);
	/* a folder where the test file was */
	assert_true(tg_repo_path(NULL, b->data, row->repo, &repo, &err));
	assert_true(tg_repo_blob(repo, row->base_commit, "tests/test_core.py", &old, &mode, &err));
	size_t lines = 0;
	for (size_t i = 0; i < old.n; i++)
		lines += old.p[i] == '\n';
	tg_buf_addf(&swap,
		    "diff --git a/tests/test_core.py b/tests/test_core.py\ndeleted file mode "
		    "100644\n--- a/tests/test_core.py\n+++ /dev/null\n@@ -1,%zu +0,0 @@\n",
		    lines);
	for (const char *p = old.p; *p;) {
		size_t n = strcspn(p, "\n");

		tg_buf_addf(&swap, "-%.*s\n", (int)n, p);
		p += n + 1;
	}
	tg_buf_adds(&swap,
		    "diff --git a/tests/test_core.py/__init__.py b/tests/test_core.py/__init__.py\n"
		    "new file mode 100644\n--- /dev/null\n+++ b/tests/test_core.py/__init__.py\n"
		    "@@ -0,0 +1 @@\n+x = 1\n");
	tg_buf_adds(&swap, row->patch);
	expect(b, row->instance_id, swap.p, "RESOLVED", NULL);
	tg_buf_fini(&swap);
	tg_buf_fini(&old);
	free(repo);
}

static void slow_tests_time_out(void **state)
{
	struct bench *b = *state;
	char *patch = slugger_patch("import time\ntime.sleep(60)\n"), *work;
	struct cJSON *sum = stage(b, "quillworks__slugger-12", patch, strlen(patch), 2, &work);
	char *report = tg_path_join(work, "report.json");

	assert_string_equal(tg_json_str(sum, "status"), "TIMEOUT");
	assert_false(tg_file_exists(report));
	free(report);
	free(work);
	free(patch);
	tg_json_free(sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gold_patches_resolve),
		cmocka_unit_test(recorded_submissions),
		cmocka_unit_test(printed_results_are_no_results),
		cmocka_unit_test(the_test_patch_wins),
		cmocka_unit_test(slow_tests_time_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
