/*
 * What real tools left behind (samples beside the repository), asserted row by row, and a folder
 * that another process rewrites all the time.
 */
#include "unit/run/run_common.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/lib/clock.h"
#include "core/lib/proc.h"
#include "core/run/import.h"
#include "core/run/layout.h"
#include "core/run/watch.h"

#define OUTPUTS "corpus/tool-outputs/"

static void put_file(const char *dir, const char *rel, const char *text)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0700, NULL));
	assert_true(tg_file_write(path, text, strlen(text), 0600, NULL));
	free(parent);
	free(path);
}

/* ---- status --json of a sample, one line an instance ---- */

static void add_member(struct tg_buf *b, const struct cJSON *row, const char *path)
{
	const struct cJSON *v = tg_json_path(row, path);
	struct tg_buf one = TG_BUF_INIT;

	if (v == NULL)
		tg_buf_adds(&one, "missing");
	else if (tg_json_text(v) != NULL)
		tg_buf_addf(&one, "%.*s", tg_streq(path, "patch.sha256") ? 12 : 80, tg_json_text(v));
	else
		tg_json_print(v, TG_JSON_COMPACT, &one);
	tg_buf_addf(b, "%s%s", b->n > 0 && b->p[b->n - 1] != '\n' ? "|" : "", tg_buf_cstr(&one));
	tg_buf_fini(&one);
}

static char *rows_of(const struct cJSON *status)
{
	static const char *const fields[] = {
		"instance_id", "state", "outcome", "exit_status", "patch.class", "patch.bytes",
		"patch.sha256", "patch.applies", "evaluation.status", "evaluation.resolved", "attempts",
		"steps", "cost_usd", "failed", "doing",
	};
	struct tg_buf b = TG_BUF_INIT;

	for (const struct cJSON *r = tg_json_first(tg_json_get(status, "instances")); r != NULL;
	     r = tg_json_next(r)) {
		for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
			add_member(&b, r, fields[i]);
		tg_buf_addc(&b, '\n');
	}
	return tg_buf_detach(&b);
}

static const char *note_with(const struct cJSON *status, const char *words)
{
	for (const struct cJSON *n = tg_json_first(tg_json_get(status, "notes")); n != NULL;
	     n = tg_json_next(n))
		if (strstr(tg_json_str(n, "text"), words) != NULL)
			return tg_json_str(n, "text");
	return NULL;
}

static struct cJSON *status_of(const char *path)
{
	struct tg_err err = { 0 };
	struct tg_watch *w = tg_watch_open(path, &err);
	struct cJSON *s;

	if (w == NULL)
		fail_msg("%s: %s", path, err.msg);
	assert_string_equal(tg_watch_run_state(w), "foreign");
	s = tg_status_json(w);
	tg_watch_close(w);
	return s;
}

static struct cJSON *check_sample(const char *rel, const char *from, const char *want)
{
	char *dir = cm_shared(rel), *rows;
	struct cJSON *s;

	if (dir == NULL)
		skip();
	assert_int_equal(tg_layout_kind(dir), TG_DIR_FOREIGN);
	s = status_of(dir);
	rows = rows_of(s);
	assert_string_equal(rows, want);
	assert_string_equal(tg_json_text(tg_json_path(s, "run.expected_from")), from);
	assert_false(tg_json_bool(s, "complete", true));
	free(rows);
	free(dir);
	return s;
}

#define SHA_1 "137153ea5f7b"
#define SHA_0 "e3b0c44298fc"

static void sample_v1(void **state)
{
	struct cJSON *s = check_sample(OUTPUTS "v1", "preds.json and trajectories",
		"toy__repo-1|done|done|Submitted|null|127|" SHA_1 "|null|null|null|1|4|0.04|false|null\n"
		"toy__repo-3|done|limit|ContextWindowExceededError|infra|86|d49fb70f9554|null|null|null|1|2|"
		"0.02|true|null\n"
		"toy__repo-2|done|limit|LimitsExceeded|empty|0|" SHA_0 "|null|null|null|1|6|0.06|true|null\n"
		"toy__repo-4|done|empty|Submitted|empty|0|" SHA_0 "|null|null|null|1|4|0.04|true|null\n");

	(void)state;
	assert_int_equal(tg_json_len(tg_json_get(s, "notes")), 0);
	tg_json_free(s);
}

static void sample_v2(void **state)
{
	(void)state;
	tg_json_free(check_sample(OUTPUTS "v2", "preds.json and trajectories",
		"toy__repo-1|done|done|Submitted|null|127|" SHA_1 "|null|null|null|1|4|0.04|false|null\n"
		"toy__repo-3|done|limit|ContextWindowExceededError|empty|0|" SHA_0 "|null|null|null|1|3|0.02|"
		"true|null\n"
		"toy__repo-2|done|limit|LimitsExceeded|empty|0|" SHA_0 "|null|null|null|1|6|0.06|true|null\n"
		"toy__repo-4|done|empty|Submitted|empty|0|" SHA_0 "|null|null|null|1|4|0.04|true|null\n"));
	tg_json_free(check_sample(OUTPUTS "v2_live", "preds.json and trajectories",
		"toy__repo-1|done|done|Submitted|null|127|" SHA_1 "|null|null|null|1|4|0.04|false|null\n"));
}

static void sample_uncaught(void **state)
{
	struct cJSON *s = check_sample(OUTPUTS "v2_uncaught", "exit statuses",
		"toy__repo-1|done|bug|Uncaught ValidationError|null|null|null|null|null|null|1|null|null|"
		"true|null\n");
	const struct cJSON *row = tg_json_first(tg_json_get(s, "instances"));

	(void)state;
	assert_true(tg_json_bool(tg_json_first(tg_json_get(row, "attempts_detail")), "no_trajectory",
				 false));
	tg_json_free(s);
}

static void sample_null(void **state)
{
	(void)state;
	tg_json_free(check_sample(OUTPUTS "v2_null", "preds.json and trajectories",
		"toy__repo-1|done|bug|null|empty|0|" SHA_0 "|null|null|null|1|null|null|true|null\n"
		"toy__repo-2|done|bug|null|empty|0|" SHA_0 "|null|null|null|1|null|null|true|null\n"
		"toy__repo-3|done|bug|null|empty|0|" SHA_0 "|null|null|null|1|null|null|true|null\n"
		"toy__repo-4|done|bug|null|empty|0|" SHA_0 "|null|null|null|1|null|null|true|null\n"));
}

static void sample_harness(void **state)
{
	(void)state;
	tg_json_free(check_sample(OUTPUTS "eval5", "preds.json and trajectories",
		"toy__repo-1|done|done|null|ok|147|44a76e85d595|true|RESOLVED|true|1|null|null|false|null\n"
		"toy__repo-2|done|empty|null|empty|0|" SHA_0 "|null|EMPTY_PATCH|false|1|null|null|true|null\n"
		"toy__repo-3|done|done|null|prose|54|353de851ae21|null|null|null|1|null|null|true|null\n"
		"toy__repo-4|done|done|null|ok|147|59461f531d77|true|UNRESOLVED|false|1|null|null|false|null\n"));
	tg_json_free(check_sample(OUTPUTS "eval41", "harness logs",
		"sympy__sympy-1|done|done|null|ok|147|44a76e85d595|true|RESOLVED|true|1|null|null|false|null\n"
		"sympy__sympy-4|done|done|null|ok|147|59461f531d77|true|UNRESOLVED|false|1|null|null|false|null\n"
		"sympy__sympy-3|done|done|null|prose|7|795b6904e54f|null|null|null|1|null|null|true|null\n"
		"sympy__sympy-2|done|empty|null|empty|null|null|null|EMPTY_PATCH|false|1|null|null|true|null\n"));
	/* the folder of the logs alone, and a predictions file alone */
	tg_json_free(check_sample(OUTPUTS "eval5/logs/run_evaluation", "harness logs",
		"toy__repo-1|done|done|null|ok|147|44a76e85d595|true|RESOLVED|true|1|null|null|false|null\n"
		"toy__repo-4|done|done|null|ok|147|59461f531d77|true|UNRESOLVED|false|1|null|null|false|null\n"
		"toy__repo-3|done|done|null|prose|54|353de851ae21|null|null|null|1|null|null|true|null\n"));
	tg_json_free(check_sample(OUTPUTS "eval5/preds.json", "preds.json",
		"toy__repo-1|done|done|null|null|147|44a76e85d595|null|null|null|1|null|null|false|null\n"
		"toy__repo-2|done|empty|null|empty|0|" SHA_0 "|null|null|null|1|null|null|true|null\n"
		"toy__repo-3|done|done|null|prose|54|353de851ae21|null|null|null|1|null|null|true|null\n"
		"toy__repo-4|done|done|null|null|147|59461f531d77|null|null|null|1|null|null|false|null\n"));
}

/* ---- the 100-instance batch ---- */

static char *unpack(const char *archive)
{
	char *dir = cm_tmpdir();
	const char *argv[] = { "tar", "xJf", archive, "-C", dir, NULL };
	struct tg_proc_result r;
	struct tg_err err = { 0 };

	if (!tg_proc_run(&(struct tg_spawn){ .argv = argv }, NULL, 0, 120000, 4096, &r, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(r.code, 0);
	tg_proc_result_fini(&r);
	return dir;
}

static int64_t count_of(const struct cJSON *s, const char *name)
{
	return tg_json_int(tg_json_get(s, "counts"), name, -1);
}

static void batch_of_a_hundred(void **state)
{
	char *archive = cm_shared("corpus/batch-runs/mini-swe-agent-deepseek.tar.xz"), *dir, *run, *logs;
	char *from, *to;
	struct cJSON *s;
	size_t steps = 0, evaluated;

	(void)state;
	if (archive == NULL)
		skip();
	dir = unpack(archive);
	run = tg_path_join(dir, "msa-deepseek-a/output/deepseek_bench1");
	s = status_of(run);
	assert_int_equal(count_of(s, "total"), 100);
	assert_int_equal(tg_json_int(tg_json_path(s, "counts.by_state"), "done", -1), 100);
	assert_int_equal(count_of(s, "failed"), 0);
	assert_true(tg_json_num(tg_json_get(s, "run"), "cost_usd", 0) == 6.555294);
	assert_true(tg_json_bool(tg_json_get(s, "run"), "cost_lower_bound", false));
	for (const struct cJSON *r = tg_json_first(tg_json_get(s, "instances")); r; r = tg_json_next(r)) {
		bool lost = tg_streq(tg_json_str(r, "instance_id"), "django__django-13220");

		assert_string_equal(tg_json_str(r, "outcome"), "done");
		assert_int_equal(tg_json_int(r, "steps", -1) < 0, lost);
		steps += (size_t)(lost ? 0 : tg_json_int(r, "steps", 0));
	}
	assert_int_equal(steps, 7925);
	tg_json_free(s);
	/* With the harness's logs inside. Its copies of the patches are the predictions' bytes for 22 of the
	 * 100 only (17 of them resolved): the other reports are of other patches. */
	logs = tg_path_join(run, "logs/run_evaluation");
	assert_true(tg_mkdirs(logs, 0700, NULL));
	from = tg_path_join(dir, "msa-deepseek-a/logs/run_evaluation/deepseek_bench1_eval");
	to = tg_path_join(logs, "deepseek_bench1_eval");
	assert_int_equal(rename(from, to), 0);
	s = status_of(run);
	assert_int_equal(count_of(s, "total"), 100);
	assert_int_equal(count_of(s, "resolved"), 17);
	evaluated = 0;
	for (const struct cJSON *r = tg_json_first(tg_json_get(s, "instances")); r; r = tg_json_next(r))
		evaluated += tg_json_text(tg_json_path(r, "evaluation.status")) != NULL;
	assert_int_equal(evaluated, 22);
	assert_int_equal(tg_json_len(tg_json_get(s, "notes")), 78);
	assert_non_null(note_with(s, "other bytes"));
	tg_json_free(s);
	assert_true(tg_remove_tree(dir, NULL));
	free(from);
	free(to);
	free(logs);
	free(run);
	free(dir);
	free(archive);
}

/* ---- made-up folders ---- */

static void put_log(const char *dir, int64_t now_ms, const char *lines)
{
	struct tg_buf b = TG_BUF_INIT;
	time_t t = (time_t)(now_ms / 1000);
	struct tm tm;
	char at[64];

	localtime_r(&t, &tm);
	strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S,500 - ", &tm);
	for (const char *l = lines; *l != '\0'; l += strcspn(l, "\n") + 1)
		tg_buf_addf(&b, "%s%.*s\n", at, (int)strcspn(l, "\n"), l);
	put_file(dir, "minisweagent.log", tg_buf_cstr(&b));
	tg_buf_fini(&b);
}

#define START(name, id) "minisweagent.environment - DEBUG - Starting container with command: docker run " \
	"-d --name " name " -w /testbed --rm docker.io/swebench/sweb.eval.x86_64." id ":latest sleep 2h\n"
#define UP(name) "minisweagent.environment - INFO - Started container " name " with ID 0123\n"

/* The log alone knows what runs; a file of its own (agent.output_path) what it does. */
static void a_running_batch(void **state)
{
	char *dir = cm_tmpdir(), *rows;
	struct cJSON *s;

	(void)state;
	put_log(dir, tg_wall_ms() - 60000,
		"minisweagent - INFO - Running on 5 instances...\n"
		START("m-0", "d_1776_d-4") UP("m-0")
		"minisweagent - INFO - Running on 4 instances...\n"
		"minisweagent - INFO - Building agent config from specs: ['x', 'agent.output_path=o/step.traj.json']\n"
		START("m-1", "a_1776_a-1") START("m-2", "b_1776_b-2") UP("m-1")
		START("m-3", "c_1776_c-3")
		"minisweagent - ERROR - Error processing instance C__c-3: Command '['docker']' failed\n");
	put_file(dir, "preds.json", "{\"C__c-3\":{\"model_patch\":\"\"}}");
	put_file(dir, "exit_statuses_10.5.yaml", "instances_by_exit_status:\n    CalledProcessError:\n"
		 "    - C__c-3\n");
	put_file(dir, "exit_statuses_9.5.yaml", "instances_by_exit_status:\n    Submitted:\n    - C__c-3\n"
		 "    RateLimitError:\n    - a__a-1\n");
	put_file(dir, "step.traj.json", "{\"info\":{\"exit_status\":\"\",\"model_stats\":{\"api_calls\":3,"
		 "\"instance_cost\":0.5},\"config\":{\"environment\":{\"image\":"
		 "\"docker.io/swebench/sweb.eval.x86_64.a_1776_a-1:latest\"}}},\"messages\":[{\"role\":"
		 "\"assistant\",\"extra\":{\"actions\":[{\"command\":\"make\"}]}}]}");
	s = status_of(dir);
	rows = rows_of(s);
	assert_string_equal(rows,
		"C__c-3|done|infra|CalledProcessError|infra|0|" SHA_0 "|null|null|null|1|null|null|true|null\n"
		"a__a-1|running|null|null|null|null|null|null|null|null|1|3|0.5|false|step 3: make\n"
		"d__d-4|queued|null|null|null|null|null|null|null|null|0|null|null|false|null\n"
		"b__b-2|starting|null|null|null|null|null|null|null|null|1|null|null|false|pulling or starting "
		"container m-2\n");
	free(rows);
	tg_json_free(s);
	put_log(dir, tg_wall_ms() - 3 * 3600 * 1000,
		"minisweagent - INFO - Running on 1 instances...\n" START("m-9", "z_1776_z-9") UP("m-9"));
	s = status_of(dir);
	assert_int_equal(count_of(s, "total"), 2); /* no container lives that long */
	assert_non_null(note_with(s, "z__z-9: was begun"));
	tg_json_free(s);
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
}

#define DIFF "diff --git a/x b/x\\n"

static void predictions_in_every_form(void **state)
{
	static const struct {
		const char *name, *text;
	} forms[] = {
		{ "preds.json", "[{\"instance_id\":\"a__a-1\",\"model_patch\":\"" DIFF "\"},"
				"{\"task\":\"b__b-2\",\"model_patch\":null}]" },
		{ "preds.jsonl", "{\"id\":\"a__a-1\",\"patch\":\"" DIFF "\"}\n\n{\"task_id\":\"b__b-2\"}\n" },
		{ "all_preds.jsonl", "{\"instance_id\":\"a__a-1\",\"prediction\":\"" DIFF "\"}\n"
				     "{\"instance_id\":\"b__b-2\",\"model_patch\":\"\"}" },
		{ "predictions.json", "\xEF\xBB\xBF{\"a__a-1\":\"" DIFF "\",\"b__b-2\":\"\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		char *dir = cm_tmpdir(), *file = tg_path_join(dir, forms[i].name);
		const char *const paths[] = { dir, file };

		put_file(dir, forms[i].name, forms[i].text);
		for (size_t k = 0; k < 2; k++) {
			struct cJSON *s = status_of(paths[k]);
			const struct cJSON *row = tg_json_first(tg_json_get(s, "instances"));

			assert_int_equal(count_of(s, "total"), 2);
			assert_string_equal(tg_json_str(row, "instance_id"), "a__a-1");
			assert_string_equal(tg_json_str(row, "outcome"), "done");
			assert_int_equal(tg_json_int(tg_json_get(row, "patch"), "bytes", -1), 19);
			row = tg_json_next(row);
			assert_string_equal(tg_json_str(row, "instance_id"), "b__b-2");
			assert_string_equal(tg_json_str(row, "outcome"), "empty");
			tg_json_free(s);
		}
		assert_true(tg_remove_tree(dir, NULL));
		free(file);
		free(dir);
	}
}

/* A report stays when the patch changes: it says nothing about the new one. */
static void an_old_report_is_no_evaluation(void **state)
{
	char *dir = cm_tmpdir();
	struct cJSON *s;

	(void)state;
	put_file(dir, "preds.json", "{\"a__a-1\":{\"model_patch\":\"" DIFF "\"}}");
	put_file(dir, "logs/run_evaluation/r/m/a__a-1/patch.diff", "diff --git a/y b/y\n");
	put_file(dir, "logs/run_evaluation/r/m/a__a-1/report.json",
		 "{\"a__a-1\":{\"patch_exists\":true,\"patch_successfully_applied\":true,\"resolved\":true,"
		 "\"tests_status\":{}}}");
	s = status_of(dir);
	assert_int_equal(count_of(s, "resolved"), 0);
	assert_non_null(note_with(s, "other bytes"));
	tg_json_free(s);
	put_file(dir, "logs/run_evaluation/r/m/a__a-1/patch.diff", "diff --git a/x b/x\n");
	s = status_of(dir);
	assert_int_equal(count_of(s, "resolved"), 1);
	tg_json_free(s);
	/* runs beside logs/: then those are meant */
	put_file(dir, "sub/preds.json", "{}");
	assert_int_equal(tg_layout_kind(dir), TG_DIR_FOREIGN);
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
	dir = cm_tmpdir();
	put_file(dir, "logs/run_evaluation/r/m/a__a-1/report.json", "{}");
	assert_int_equal(tg_layout_kind(dir), TG_DIR_FOREIGN);
	put_file(dir, "out/preds.json", "{}");
	assert_int_equal(tg_layout_kind(dir), TG_DIR_NONE);
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
}

/* ---- a folder that is rewritten all the time ---- */

#define N 40

/* Truncate, write in two parts, close: what a reader may meet at any moment. */
static void rewrite(const char *dir, const char *rel, const struct tg_buf *text)
{
	char *path = tg_path_join(dir, rel);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t half = text->n / 2;

	if (fd < 0 || write(fd, text->p, half) != (ssize_t)half ||
	    write(fd, text->p + half, text->n - half) != (ssize_t)(text->n - half))
		_exit(1);
	close(fd);
	free(path);
}

/* The first `ended` instances have a prediction, a trajectory, a status and a verdict. */
static void write_all(const char *dir, int ended)
{
	struct tg_buf preds = TG_BUF_INIT, yaml = TG_BUF_INIT, rows = TG_BUF_INIT, traj = TG_BUF_INIT;
	char rel[64];

	tg_buf_adds(&preds, "{");
	tg_buf_adds(&yaml, "instances_by_exit_status:\n    Submitted:\n");
	for (int i = 0; i < ended; i++) {
		tg_buf_addf(&preds, "%s\"i__i-%d\":{\"model_patch\":\"" DIFF "%0200d\"}", i ? "," : "", i, i);
		tg_buf_addf(&yaml, "    - i__i-%d\n", i);
		tg_buf_addf(&rows, "{\"instance_id\":\"i__i-%d\",\"final_decision\":\"OK\",\"resolved_status\":"
			    "\"RESOLVED\"}\n", i);
	}
	tg_buf_adds(&preds, "}");
	for (int i = 0; i < N; i++) {
		tg_buf_clear(&traj);
		tg_buf_addf(&traj, "{\"info\":{\"exit_status\":\"%s\",\"submission\":\"" DIFF "%0200d\","
			    "\"model_stats\":{\"api_calls\":%d,\"instance_cost\":0.25}},\"messages\":[]}",
			    i < ended ? "Submitted" : "", i, i + 1);
		snprintf(rel, sizeof rel, "i__i-%d/i__i-%d.traj.json", i, i);
		rewrite(dir, rel, &traj);
	}
	rewrite(dir, "preds.json", &preds);
	rewrite(dir, "exit_statuses_1.0.yaml", &yaml);
	rewrite(dir, "x_governed.jsonl", &rows);
	tg_buf_fini(&preds);
	tg_buf_fini(&yaml);
	tg_buf_fini(&rows);
	tg_buf_fini(&traj);
}

static void writer(const char *dir, int64_t ms)
{
	int64_t began = tg_mono_ms();

	for (int64_t at; (at = tg_mono_ms() - began) < ms; tg_sleep_ms(10))
		write_all(dir, 1 + (int)((N - 1) * at / ms));
	write_all(dir, N);
	_exit(0);
}

/* No row goes back, none disappears, no count drops, no value is ever another. */
static void check_rows(const struct tg_run *run, bool ended[N], size_t *most)
{
	struct tg_counts c;

	assert_int_equal(run->inst_n, N);
	tg_run_count(run, &c);
	assert_true(c.by_state[TG_ST_DONE] >= *most);
	*most = c.by_state[TG_ST_DONE];
	for (int i = 0; i < N; i++) {
		const struct tg_instance *in = &run->inst[i];
		const struct tg_attempt *att = tg_instance_latest(in);
		int n = (int)strtol(in->id + strlen("i__i-"), NULL, 10);

		assert_non_null(att);
		if (ended[n] && !att->ended)
			fail_msg("%s went back from ended", in->id);
		ended[n] = att->ended;
		if (!att->ended) {
			assert_int_equal(tg_instance_state(in), TG_ST_RUNNING);
			continue;
		}
		assert_int_equal(att->steps, n + 1);
		assert_true(att->cost_usd == 0.25);
		assert_int_equal(att->patch_bytes, 219);
		assert_int_equal(att->outcome, TG_OUT_DONE);
		assert_string_equal(att->exit_status, "Submitted");
	}
	assert_int_equal(run->note_n, 0); /* a cut reading is no trouble */
}

static void rewritten_all_the_time(void **state)
{
	const char *env = getenv("TGMON_TORN_SECONDS");
	int64_t seconds = 10;
	char *dir = cm_tmpdir();
	struct tg_err err = { 0 };
	bool ended[N] = { false };
	size_t most = 0, polls = 0, news = 0;
	struct tg_watch *w;
	int status = -1;
	pid_t pid;

	(void)state;
	if (env != NULL)
		assert_true(tg_parse_i64(env, &seconds));
	for (int i = 0; i < N; i++) {
		char *sub = tg_asprintf("%s/i__i-%d", dir, i);

		assert_true(tg_mkdirs(sub, 0700, NULL));
		free(sub);
	}
	write_all(dir, 1);
	pid = fork();
	if (pid == 0)
		writer(dir, seconds * 1000);
	w = tg_watch_open(dir, &err);
	if (w == NULL)
		fail_msg("%s", err.msg);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		bool changed = false;

		if (!tg_watch_poll(w, &changed, &err))
			fail_msg("%s", err.msg);
		check_rows(tg_watch_run(w), ended, &most);
		polls++;
		news += changed;
		if (polls % 50 == 0) { /* and for someone who looks for the first time */
			bool fresh[N] = { false };
			size_t none = 0;
			struct tg_run run;

			assert_true(tg_import_run(&run, dir, &err));
			check_rows(&run, fresh, &none);
			tg_run_fini(&run);
		}
		tg_sleep_ms(7);
	}
	assert_int_equal(status, 0);
	for (int i = 0; i < 100 && most < N; i++, tg_sleep_ms(50)) {
		assert_true(tg_watch_poll(w, NULL, &err));
		check_rows(tg_watch_run(w), ended, &most);
	}
	assert_int_equal(most, N);
	assert_true(news >= 5); /* it was followed, not only opened */
	print_message("%zu polls in %lld s, %zu with news\n", polls, (long long)seconds, news);
	tg_watch_close(w);
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_v1),
		cmocka_unit_test(sample_v2),
		cmocka_unit_test(sample_uncaught),
		cmocka_unit_test(sample_null),
		cmocka_unit_test(sample_harness),
		cmocka_unit_test(batch_of_a_hundred),
		cmocka_unit_test(a_running_batch),
		cmocka_unit_test(predictions_in_every_form),
		cmocka_unit_test(an_old_report_is_no_evaluation),
		cmocka_unit_test(rewritten_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
