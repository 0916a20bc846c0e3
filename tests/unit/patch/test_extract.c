/*
 * The extract stage: our own attempts in every way they can end, foreign runs, and the published
 * run of the shared corpus (through extract and triage) where TGMON_SHARED has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>
#include "core/lib/hash.h"
#include "stage.h"

#define TRAJ "work/own__er-1.traj.json"
#define DIFF "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\f\r\n c\n \n"
#define DIFF_JSON "--- a/x\\n+++ b/x\\n@@ -1,2 +1,2 @@\\n-a\\n+b\\f\\r\\n c\\n \\n"

static const char done_1[] =
	"{\"info\":{\"exit_status\":\"Submitted\",\"submission\":\"" DIFF_JSON "\","
	"\"model_stats\":{\"instance_cost\":0.25,\"api_calls\":7}},\"messages\":[{\"role\":\"user\","
	"\"content\":\"x\"}],\"trajectory_format\":\"mini-swe-agent-1\",\"instance_id\":\"own__er-1\"}";
static const char done_2[] =
	"{\"info\":{\"exit_status\":\"Submitted\",\"model_stats\":{\"instance_cost\":0.5,\"api_calls\":"
	"3}},"
	"\"messages\":[{\"role\":\"exit\",\"content\":\"\",\"extra\":{\"exit_status\":\"Submitted\","
	"\"submission\":\"" DIFF_JSON "\"}}],\"trajectory_format\":\"mini-swe-agent-1.1\"}";
static const char live[] =
	"{\"info\":{\"exit_status\":\"\",\"submission\":\"\",\"model_stats\":{\"instance_cost\":0.125,"
	"\"api_calls\":4}},\"messages\":[],\"trajectory_format\":\"mini-swe-agent-1.1\"}";

static struct cJSON *extract(struct place *p)
{
	struct cJSON *sum = tg_json_object();
	struct tg_err err = {0};
	char *work = tg_path_join(p->extract, "work");

	assert_true(tg_mkdirs(work, 0755, &err));
	p->ctx.job_dir = p->extract;
	p->ctx.work_dir = work;
	if (!tg_stage_extract(&p->ctx, sum, &err))
		fail_msg("extract: %s", err.msg);
	free(work);
	return sum;
}

static void submissions(void **state)
{
	static const struct {
		const char *traj, *source;
	} row[] = {{done_1, "info.submission"}, {done_2, "exit message"}};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		char hex[TG_SHA256_HEX], *patch, *traj;
		struct place p;
		struct cJSON *sum;

		place_init(&p);
		put(p.agent, TRAJ, row[i].traj);
		put(p.agent, "exit.json", "{\"code\":0,\"sig\":0,\"why\":\"exit\"}");
		sum = extract(&p);
		patch = get(p.extract, "work/patch.diff");
		traj = get(p.extract, "work/traj.json");
		assert_string_equal(patch, DIFF);
		assert_string_equal(traj, row[i].traj);
		assert_string_equal(tg_json_str(sum, "patch_source"), row[i].source);
		assert_string_equal(tg_json_str(sum, "outcome"), "done");
		assert_string_equal(tg_json_str(sum, "exit_status"), "Submitted");
		assert_false(tg_json_bool(sum, "no_trajectory", true));
		assert_true(tg_json_bool(sum, "submission_valid", false));
		assert_false(tg_json_bool(sum, "cost_lower_bound", true));
		assert_int_equal(tg_json_int(sum, "steps", -1), i == 0 ? 7 : 3);
		tg_sha256_hex(DIFF, strlen(DIFF), hex);
		assert_string_equal(tg_json_str(sum, "patch_sha256"), hex);
		free(patch);
		free(traj);
		tg_json_free(sum);
		place_fini(&p);
	}
}

/* Attempts that left no finished trajectory. */
static void lost(void **state)
{
	static const struct {
		const char *traj, *live, *exit, *outcome, *why;
		int steps;
	} row[] = {
	    {NULL, live, "{\"code\":-1,\"sig\":15,\"why\":\"timeout\"}", "timeout", "time limit",
	     4},
	    {live, NULL, "{\"code\":-1,\"sig\":15,\"why\":\"timeout\"}", "timeout", "unfinished",
	     4},
	    {NULL, live, "{\"code\":-1,\"sig\":9,\"why\":\"killed\"}", "cancelled", "operator", 4},
	    {NULL, NULL, "{\"code\":1,\"sig\":0,\"why\":\"exit\"}", "crash", "exit code 1", -1},
	    {"{\"info\":{", NULL, "{\"code\":0,\"sig\":0,\"why\":\"exit\"}", NULL, "cannot be read",
	     -1},
	    {NULL, NULL, NULL, NULL, "lost", -1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct place p;
		struct cJSON *sum, *doc;
		char *patch, *path;

		place_init(&p);
		put(p.agent, "out.log", "some\x1b[31m log\nlast words\n");
		if (row[i].traj)
			put(p.agent, TRAJ, row[i].traj);
		if (row[i].live)
			put(p.agent, "work/live.traj.json", row[i].live);
		if (row[i].exit)
			put(p.agent, "exit.json", row[i].exit);
		sum = extract(&p);
		patch = get(p.extract, "work/patch.diff");
		assert_string_equal(patch, "");
		assert_string_equal(tg_json_str(sum, "patch_sha256"), TG_SHA256_EMPTY);
		assert_true(tg_json_bool(sum, "no_trajectory", false));
		assert_true(tg_json_bool(sum, "cost_lower_bound", false));
		if (!strstr(tg_json_str(sum, "no_trajectory_why"), row[i].why))
			fail_msg("row %zu: %s", i, tg_json_str(sum, "no_trajectory_why"));
		if (row[i].outcome && !tg_streq(tg_json_str(sum, "outcome"), row[i].outcome))
			fail_msg("row %zu: %s", i, tg_json_str(sum, "outcome"));
		assert_int_equal(tg_json_int(sum, "steps", -1), row[i].steps);
		path = tg_path_join(p.extract, "work/traj.json");
		doc = tg_json_load(path, NULL, NULL);
		assert_non_null(doc);
		assert_true(tg_json_bool(tg_json_get(doc, "tgmon"), "no_trajectory", false));
		assert_non_null(
		    strstr(tg_json_str(tg_json_get(doc, "tgmon"), "log_tail"), "last words"));
		assert_null(strchr(tg_json_str(tg_json_get(doc, "tgmon"), "log_tail"), '\x1b'));
		assert_int_equal(tg_json_len(tg_json_get(doc, "messages")), 0);
		assert_string_equal(tg_json_str(doc, "instance_id"), "own__er-1");
		tg_json_free(doc);
		tg_json_free(sum);
		free(path);
		free(patch);
		place_fini(&p);
	}
}

/* A link in the agent's folder is not read. */
static void planted_link(void **state)
{
	struct place p;
	struct cJSON *sum;
	char *path;

	(void)state;
	place_init(&p);
	put(p.dir, "secret.json", done_1);
	put(p.agent, "work/keep", "");
	put(p.agent, "exit.json", "{\"code\":0,\"sig\":0,\"why\":\"exit\"}");
	path = tg_path_join(p.agent, TRAJ);
	assert_int_equal(symlink("../../../secret.json", path), 0);
	sum = extract(&p);
	assert_true(tg_json_bool(sum, "no_trajectory", false));
	assert_int_equal(tg_json_int(sum, "patch_bytes", -1), 0);
	tg_json_free(sum);
	free(path);
	place_fini(&p);
}

static void foreign(void **state)
{
	static const struct {
		const char *preds, *traj, *patch, *source;
		bool disagrees, normalised;
	} row[] = {
	    {"{\"own__er-1\":{\"model_patch\":\"" DIFF_JSON "\"}}", done_1, DIFF, "preds.json",
	     false, false},
	    {"{\"own__er-1\":{\"model_patch\":\"\"}}", done_1, "", "preds.json", true, false},
	    {"[{\"instance_id\":\"own__er-1\",\"model_patch\":null}]", NULL, "", "preds.json",
	     false, false},
	    {"{\"other\":{\"model_patch\":\"q\"}}", done_1, DIFF, "info.submission", false, false},
	    {NULL, done_1, DIFF, "info.submission", false, false},
	    {NULL, NULL, "", "none", false, false},
	    {"{\"own__er-1\":\"```diff\\n--- a/x\\n+++ b/x\\n@@ -1 +1 @@\\n-a\\n+b\\n```\\n\"}",
	     NULL, "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "preds.json", false, false},
	    {"{\"own__er-1\":\"  ```diff\\n--- a/x\\n+++ b/x\\n@@ -1,2 +1,2 "
	     "@@\\n-a\\n+b\\n```\\n\"}",
	     NULL, "  ```diff\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n```\n", "preds.json",
	     false, false},
	    {"{\"own__er-1\":\"```diff\\n    --- a/x\\n    +++ b/x\\n    @@ -1 +1 @@\\n    -a\\n   "
	     " +b\\n```"
	     "\\n\"}",
	     NULL, "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "preds.json", false, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct place p;
		struct cJSON *sum;
		char *patch, *source;

		place_init(&p);
		source = tg_path_join(p.dir, "foreign");
		put(source, "keep", "");
		if (row[i].preds)
			put(source, "preds.json", row[i].preds);
		if (row[i].traj)
			put(source, "own__er-1/own__er-1.traj.json", row[i].traj);
		p.spec.agent = (char *)"foreign";
		p.spec.source_dir = source;
		p.ctx.input[TG_STAGE_AGENT] = NULL;
		sum = extract(&p);
		patch = get(p.extract, "work/patch.diff");
		/* A sound diff inside a fence stands as it is: git passes over the fence. */
		if (i == 6)
			assert_non_null(strstr(patch, "```diff"));
		else if (!tg_streq(patch, row[i].patch))
			fail_msg("row %zu: <%s>", i, patch);
		assert_string_equal(tg_json_str(sum, "patch_source"), row[i].source);
		assert_int_equal(tg_json_str(sum, "disagrees") != NULL, row[i].disagrees);
		assert_int_equal(tg_json_bool(sum, "normalised", false), row[i].normalised);
		assert_int_equal(tg_json_bool(sum, "no_trajectory", false), row[i].traj == NULL);
		tg_json_free(sum);
		free(patch);
		free(source);
		place_fini(&p);
	}
}

static void hostile_id(void **state)
{
	struct tg_err err = {0};
	struct cJSON *sum = tg_json_object();
	struct place p;

	(void)state;
	place_init(&p);
	p.ctx.instance_id = "../x";
	assert_false(tg_stage_extract(&p.ctx, sum, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	tg_json_free(sum);
	place_fini(&p);
}

/* ---- the published run ---- */

static void one_published(struct place *p, const char *iid, size_t count[TG_PC_COUNT])
{
	struct cJSON *sum, *wrap = tg_json_object(), *got = tg_json_object();
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err = {0};
	char *work = tg_path_join(p->triage, "work");

	p->ctx.instance_id = iid;
	sum = extract(p);
	assert_false(tg_json_bool(sum, "no_trajectory", true));
	tg_json_set(wrap, "sum", tg_json_dup(sum));
	tg_json_print(wrap, TG_JSON_COMPACT, &text);
	put(p->extract, "result.json", text.p);
	tg_remove_tree(p->triage, NULL);
	assert_true(tg_mkdirs(work, 0755, &err));
	p->ctx.job_dir = p->triage;
	p->ctx.work_dir = work;
	if (!tg_stage_triage(&p->ctx, got, &err))
		fail_msg("%s: %s", iid, err.msg);
	count[tg_patch_class_parse(tg_json_str(got, "class"))]++;
	if (!tg_streq(tg_json_str(got, "class"), "ok"))
		print_message("%s: %s\n", iid, tg_json_str(got, "reason"));
	if (tg_streq(iid, "scikit-learn__scikit-learn-25638")) {
		assert_string_equal(tg_json_str(got, "class"), "infra");
		assert_int_equal(tg_json_int(sum, "patch_bytes", -1), 0);
		assert_non_null(tg_json_str(sum, "disagrees"));
		assert_non_null(strstr(tg_json_str(got, "reason"), "docker"));
	}
	tg_buf_fini(&text);
	tg_json_free(wrap);
	tg_json_free(sum);
	tg_json_free(got);
	free(work);
}

static void published_run(void **state)
{
	const char *shared = getenv("TGMON_SHARED");
	char *dir =
	    tg_path_join(shared ? shared : "../shared", "corpus/run20/msa_glm46_lite_run20");
	size_t count[TG_PC_COUNT] = {0}, i, total = 0;
	struct tg_names names;
	struct tg_err err;
	struct place p;

	(void)state;
	if (!tg_is_dir(dir)) {
		print_message("no %s: set TGMON_SHARED; skipped\n", dir);
		free(dir);
		skip();
	}
	place_init(&p);
	p.spec.agent = (char *)"foreign";
	p.spec.source_dir = dir;
	p.ctx.input[TG_STAGE_AGENT] = NULL;
	assert_true(tg_dir_list(dir, &names, &err));
	for (i = 0; i < names.n; i++) {
		if (!strstr(names.v[i], "__"))
			continue;
		one_published(&p, names.v[i], count);
		total++;
	}
	assert_int_equal(total, 18);
	assert_int_equal(count[TG_PC_OK], 15);
	assert_int_equal(count[TG_PC_EMPTY], 2);
	assert_int_equal(count[TG_PC_INFRA], 1);
	tg_names_free(&names);
	free(dir);
	place_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(submissions),  cmocka_unit_test(lost),
	    cmocka_unit_test(planted_link), cmocka_unit_test(foreign),
	    cmocka_unit_test(hostile_id),   cmocka_unit_test(published_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
