/* What a reader sees of a run: locks, live trajectories, our runs, foreign ones, the registry. */
#include "unit/run/run_common.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/run/import.h"
#include "core/run/layout.h"
#include "core/run/lock.h"
#include "core/run/registry.h"
#include "core/run/watch.h"

static void put_file(const char *dir, const char *rel, const char *text)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0700, NULL));
	assert_true(tg_file_write(path, text, strlen(text), 0600, NULL));
	free(parent);
	free(path);
}

/* ---- locks ---- */

static void test_lock(void **state)
{
	char *dir = cm_tmpdir(), *path = tg_path_join(dir, "lock");
	struct tg_err err = { 0 };
	int fd, second;

	(void)state;
	assert_false(tg_lock_held(path));
	assert_true(tg_lock_take(path, "pid 1 on \x1b[31mhost", 0, &fd, &err));
	assert_true(tg_lock_held(path));
	assert_false(tg_lock_take(path, "me", 60, &second, &err));
	assert_int_equal(err.code, TG_E_BUSY);
	assert_int_equal(second, -1);
	assert_non_null(strstr(err.msg, "pid 1 on"));
	assert_null(strchr(err.msg, '\x1b'));
	close(fd);
	assert_false(tg_lock_held(path));
	assert_true(tg_lock_take(path, NULL, 0, &fd, &err));
	assert_int_equal(tg_file_size(path), 0);
	close(fd);
	assert_true(tg_remove_tree(dir, NULL));
	free(path);
	free(dir);
}

/* ---- live ---- */

#define V1 "{\"info\":{\"model_stats\":{\"api_calls\":%d,\"instance_cost\":0.125},\"exit_status\":null},"   \
	   "\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"assistant\",\"content\":"     \
	   "\"THOUGHT: x\\n\\n```bash\\n%s\\n```\\n\",\"timestamp\":1766057642.6}],"                        \
	   "\"trajectory_format\":\"mini-swe-agent-1\"}"

static void put_v1(const char *dir, int calls, const char *command)
{
	char text[2048];

	snprintf(text, sizeof text, V1, calls, command);
	put_file(dir, "work/live.traj.json", text);
}

static void test_live(void **state)
{
	char *dir = cm_tmpdir(), *path = tg_path_join(dir, "work/live.traj.json");
	struct tg_live live = { .steps = -1, .cost_usd = -1 };

	(void)state;
	tg_live_refresh(&live, dir, "a__a-1");
	assert_false(live.known);
	put_v1(dir, 4, "python -m unittest \\u001b[31mred\\ntwo");
	tg_live_refresh(&live, dir, "a__a-1");
	assert_true(live.known && !live.unreadable);
	assert_int_equal(live.steps, 4);
	assert_true(live.cost_usd == 0.125);
	assert_int_equal(strncmp(live.doing, "step 4: python -m unittest ", 27), 0);
	assert_null(strchr(live.doing, '\x1b'));
	assert_null(strchr(live.doing, '\n'));
	assert_true(live.activity_ms > 0);
	put_file(dir, "work/live.traj.json",
		 "{\"info\":{\"model_stats\":{\"api_calls\":5,\"instance_cost\":0.5},\"exit_status\":\"\"},"
		 "\"messages\":[{\"role\":\"assistant\",\"content\":\"t\",\"extra\":{\"actions\":["
		 "{\"command\":\"ls\"},{\"command\":\"pwd\"}]}},{\"role\":\"tool\",\"content\":\"o\"}]}");
	tg_live_refresh(&live, dir, "a__a-1");
	assert_string_equal(live.doing, "step 5: ls; pwd");
	/* half a file, later a whole one */
	put_file(dir, "work/live.traj.json", "{\"info\":{\"model_st");
	tg_live_refresh(&live, dir, "a__a-1");
	assert_true(live.unreadable);
	assert_int_equal(live.steps, 5);
	put_v1(dir, 6, "make");
	tg_live_refresh(&live, dir, "a__a-1");
	assert_false(live.unreadable);
	assert_string_equal(live.doing, "step 6: make");
	/* a link planted by an agent is not followed */
	assert_int_equal(unlink(path), 0);
	put_file(dir, "secret", "{\"info\":{\"model_stats\":{\"api_calls\":99}}}");
	assert_int_equal(symlink("../secret", path), 0);
	tg_live_refresh(&live, dir, "a__a-1");
	assert_true(live.unreadable);
	assert_int_equal(live.steps, 6);
	assert_int_equal(unlink(path), 0);
	put_file(dir, "work/progress.json", "{\"steps\":8,\"cost_usd\":1.5,\"doing\":\"building\"}");
	tg_live_refresh(&live, dir, "a__a-1");
	assert_string_equal(live.doing, "step 8: building");
	assert_true(tg_remove_tree(dir, NULL));
	free(path);
	free(dir);
}

/* ---- a run of ours ---- */

static char *expected[] = { (char *)"a__a-1", (char *)"b__b-2" };

struct ours {
	char *dir;
	struct tg_journal_writer *w;
};

static void append(struct ours *o, const char *ev, const char *body)
{
	struct tg_err err = { 0 };

	if (!tg_journal_append(o->w, ev, json(body), &err))
		fail_msg("%s", err.msg);
}

static void begin(struct ours *o)
{
	struct tg_spec spec = {
		.run_id = (char *)"r", .created_ms = 1, .model_id = (char *)"m", .tag = (char *)"t",
		.slice = (char *)"0:2", .agent = (char *)"replay", .evaluator = (char *)"local",
		.workers = 2, .eval_workers = 2, .budget_usd = 3, .timeout_s = 60,
		.eval_timeout_s = 60, .selection = (char *)"first-own", .expected = expected,
		.expected_n = 2, .expected_from = (char *)"slice" };
	char sha[65], body[200];

	o->dir = make_run();
	assert_true(tg_spec_write(&spec, o->dir, sha, NULL));
	o->w = tg_journal_open(o->dir, NULL, NULL, NULL);
	assert_non_null(o->w);
	snprintf(body, sizeof body, "{\"run_sha256\":\"%s\",\"run_id\":\"r\",\"expected\":2}", sha);
	append(o, "run.open", body);
	append(o, "runner.start", "{\"pid\":77,\"boot_id\":\"b\",\"host\":\"h\",\"version\":\"1\"}");
}

static void end(struct ours *o)
{
	tg_journal_close(o->w);
	drop_run(o->dir);
}

static void judge(struct ours *o, const char *iid, int a, const char *eval, const char *decision)
{
	static const char *const stages[][2] = {
		{ "extract", "{\"outcome\":\"done\",\"exit_status\":\"Submitted\",\"cost_usd\":0.1,"
			     "\"steps\":3,\"patch_bytes\":10,\"patch_sha256\":\"p\"}" },
		{ "triage", "{\"class\":\"ok\",\"reason\":\"applies\"}" },
		{ "scan", "{\"status\":\"ok\",\"new_violations\":[{\"code\":\"X\"}]}" },
		{ "evaluate", "{\"status\":\"%s\"}" },
		{ "govern", "{\"decision\":\"%s\",\"reason\":\"why\",\"cri\":0.5}" },
	};
	char body[512], sum[256];

	snprintf(body, sizeof body, "{\"iid\":\"%s\",\"a\":%d,\"code\":0,\"why\":\"exit\"}", iid, a);
	append(o, "att.exit", body);
	for (size_t i = 0; i < 5; i++) {
		snprintf(sum, sizeof sum, stages[i][1], i == 3 ? eval : decision);
		snprintf(body, sizeof body, "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1,\"ok\":true,"
			 "\"sum\":%s}", iid, a, stages[i][0], sum);
		append(o, "stage.end", body);
	}
	snprintf(body, sizeof body, "{\"iid\":\"%s\",\"a\":%d}", iid, a);
	append(o, "inst.done", body);
}

static const char *text_at(const struct cJSON *o, const char *path)
{
	const char *s = tg_json_text(tg_json_path(o, path));

	return s != NULL ? s : "(null)";
}

static void test_ours(void **state)
{
	struct tg_err err = { 0 };
	struct ours o;
	struct tg_watch *w;
	struct cJSON *s;
	const struct cJSON *i0;
	char *lock, *attempt;
	bool changed;
	int fd;

	(void)state;
	begin(&o);
	lock = tg_layout_control(o.dir, "lock");
	w = tg_watch_open(o.dir, &err);
	if (w == NULL)
		fail_msg("%s", err.msg);
	assert_string_equal(tg_watch_run_state(w), "interrupted");
	assert_true(tg_lock_take(lock, "t", 100, &fd, &err));
	usleep(600 * 1000);
	assert_true(tg_watch_poll(w, &changed, &err) && changed);
	assert_true(tg_watch_runner_alive(w));
	assert_string_equal(tg_watch_run_state(w), "running");
	assert_int_equal(tg_watch_steps(w, 0), -1);

	append(&o, "att.start", "{\"iid\":\"a__a-1\",\"a\":1,\"why\":\"first\"}");
	append(&o, "att.run", "{\"iid\":\"a__a-1\",\"a\":1}");
	attempt = tg_layout_attempt(o.dir, "a__a-1", 1);
	put_v1(attempt, 2, "make");
	if (tg_watch_fd(w) >= 0) {
		struct pollfd p = { .fd = tg_watch_fd(w), .events = POLLIN };

		assert_int_equal(poll(&p, 1, 2000), 1);
	}
	assert_true(tg_watch_poll(w, &changed, &err) && changed);
	assert_int_equal(tg_watch_steps(w, 0), 2);
	assert_true(tg_watch_cost(w, 0) == 0.125);
	assert_string_equal(tg_watch_live(w, 0)->doing, "step 2: make");
	assert_false(tg_watch_live(w, 1)->known);
	assert_true(tg_watch_idle_s(w, 0, tg_watch_run(w)->last_ms + 9000) >= 8);
	assert_int_equal(tg_watch_idle_s(w, 1, 0), -1);
	assert_true(tg_watch_poll(w, &changed, &err) && !changed);

	judge(&o, "a__a-1", 1, "UNRESOLVED", "ABSTAIN");
	append(&o, "inst.rerun", "{\"iid\":\"a__a-1\",\"req\":\"q\"}");
	append(&o, "att.start", "{\"iid\":\"a__a-1\",\"a\":2,\"why\":\"rerun\"}");
	judge(&o, "a__a-1", 2, "RESOLVED", "OK");
	assert_true(tg_watch_poll(w, &changed, &err) && changed);
	s = tg_status_json(w);
	assert_string_equal(text_at(s, "schema"), "tgmon.status.v1");
	assert_string_equal(text_at(s, "run.state"), "running");
	assert_string_equal(text_at(s, "run.runner.host"), "h");
	assert_int_equal(tg_json_int(tg_json_path(s, "run.runner"), "pid", -1), 77);
	assert_true(tg_json_num(tg_json_get(s, "run"), "budget_usd", 0) == 3);
	assert_true(tg_json_num(tg_json_get(s, "run"), "cost_usd", 0) == 0.2);
	assert_false(tg_json_bool(tg_json_get(s, "run"), "cost_lower_bound", true));
	assert_true(tg_json_bool(tg_json_path(s, "run.gate"), "open", false));
	assert_int_equal(tg_json_int(tg_json_get(s, "counts"), "total", 0), 2);
	assert_int_equal(tg_json_int(tg_json_get(s, "counts"), "resolved", -1), 0);
	assert_int_equal(tg_json_int(tg_json_get(s, "counts"), "resolved_latest", -1), 1);
	assert_int_equal(tg_json_int(tg_json_get(s, "counts"), "resolved_best", -1), 1);
	assert_int_equal(tg_json_int(tg_json_path(s, "counts.by_decision"), "ABSTAIN", -1), 1);
	assert_int_equal(tg_json_int(tg_json_path(s, "counts.by_state"), "queued", -1), 1);
	assert_false(tg_json_bool(s, "complete", true));
	assert_int_equal(tg_json_len(tg_json_get(s, "artifacts")), 9);
	i0 = tg_json_first(tg_json_get(s, "instances"));
	assert_string_equal(text_at(i0, "state"), "done");
	assert_string_equal(text_at(i0, "evaluation.status"), "UNRESOLVED");
	assert_string_equal(text_at(i0, "verdict.decision"), "ABSTAIN");
	assert_int_equal(tg_json_int(i0, "attempt", 0), 1);
	assert_int_equal(tg_json_int(i0, "attempts", 0), 2);
	assert_string_equal(text_at(i0, "latest.evaluation.status"), "RESOLVED");
	assert_int_equal(tg_json_len(tg_json_get(i0, "attempts_detail")), 2);
	assert_true(tg_json_bool(tg_json_first(tg_json_get(i0, "attempts_detail")), "counted", false));
	i0 = tg_json_next(i0);
	assert_int_equal(tg_json_kind(tg_json_get(i0, "verdict")), TG_JSON_NULL);
	assert_int_equal(tg_json_kind(tg_json_get(i0, "outcome")), TG_JSON_NULL);
	assert_int_equal(tg_json_kind(tg_json_get(i0, "cost_usd")), TG_JSON_NULL);
	tg_json_free(s);

	append(&o, "runner.end", "{\"why\":\"gate\"}");
	close(fd);
	usleep(600 * 1000);
	assert_true(tg_watch_poll(w, &changed, &err));
	assert_string_equal(tg_watch_run_state(w), "stopped by the gate");
	tg_watch_close(w);
	free(attempt);
	free(lock);
	end(&o);
}

static void test_complete(void **state)
{
	static const char *const files[] = {
		"minisweagent.log", "a__a-1/a__a-1.traj.json", "b__b-2/b__b-2.traj.json",
		"preds_filled.json", "eval/instance_results.jsonl", "security_reports/a__a-1.json",
		"security_reports/b__b-2.json", "recomputed_governed_v2_agentic.jsonl", "ci_gate.txt",
		"proof_manifest.json", "proof_bundle.tgz" };
	const size_t n = sizeof files / sizeof files[0];
	struct tg_artifact a[TG_ARTIFACTS];
	struct tg_watch *w;
	struct ours o;

	(void)state;
	begin(&o);
	for (int i = 0; i < 2; i++) {
		char body[100];

		snprintf(body, sizeof body, "{\"iid\":\"%s\",\"a\":1,\"why\":\"first\"}", expected[i]);
		append(&o, "att.start", body);
		judge(&o, expected[i], 1, "RESOLVED", "OK");
	}
	append(&o, "run.done", "{\"complete\":true,\"gate_pass\":true}");
	for (size_t i = 0; i < n; i++)
		put_file(o.dir, files[i], "x");
	w = tg_watch_open(o.dir, NULL);
	assert_string_equal(tg_watch_run_state(w), "done");
	tg_artifacts(tg_watch_run(w), a);
	assert_true(tg_run_is_complete(tg_watch_run(w), a));
	for (size_t i = 0; i < n; i++) { /* each of them is needed */
		char *path = tg_path_join(o.dir, files[i]);

		assert_int_equal(unlink(path), 0);
		tg_artifacts(tg_watch_run(w), a);
		assert_false(tg_run_is_complete(tg_watch_run(w), a));
		put_file(o.dir, files[i], "x");
		free(path);
	}
	put_file(o.dir, "security_reports/zz.json", "x"); /* another's does not stand in */
	tg_artifacts(tg_watch_run(w), a);
	assert_int_equal(a[4].count, 2);
	append(&o, "inst.rerun", "{\"iid\":\"a__a-1\",\"req\":\"q\"}");
	assert_true(tg_watch_poll(w, NULL, NULL));
	assert_false(tg_run_is_complete(tg_watch_run(w), a));
	assert_string_equal(tg_watch_run_state(w), "interrupted");
	tg_watch_close(w);
	end(&o);
}

static void test_refused(void **state)
{
	struct tg_err err = { 0 };
	struct ours o;
	char *dir = cm_tmpdir(), *path;

	(void)state;
	assert_null(tg_watch_open(dir, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_null(tg_watch_open("/nonexistent/x", &err));
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
	begin(&o);
	path = tg_layout_control(o.dir, "run.json");
	put_file(o.dir, "copy", "");
	{
		struct tg_buf b = TG_BUF_INIT;

		assert_true(tg_file_read(path, 0, &b, NULL));
		tg_buf_addc(&b, '\n');
		assert_true(tg_file_write(path, b.p, b.n, 0600, NULL));
		tg_buf_fini(&b);
	}
	assert_null(tg_watch_open(o.dir, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_non_null(strstr(err.msg, "run.json"));
	free(path);
	end(&o);
}

/* ---- foreign runs ---- */

static void test_foreign_made_up(void **state)
{
	char *dir = cm_tmpdir();
	struct tg_err err = { 0 };
	const struct tg_run *run;
	struct tg_watch *w;
	struct tg_names before, after;

	(void)state;
	put_file(dir, "preds.json",
		 "{\"a__a-1\":{\"model_patch\":\"diff --git a/x b/x\\n\"},\"../evil\":{\"model_patch\":\"\"},"
		 "\"b__b-2\":{\"model_patch\":null},\"c__c-3\":{\"model_patch\":\"litellm.Error: no\"}}");
	put_file(dir, "d__d-4/d__d-4.traj.json", "{\"info\":{\"exit_status\":\"\",\"model_stats\":"
		 "{\"api_calls\":2,\"instance_cost\":0.5}},\"messages\":[]}");
	put_file(dir, "exit_statuses_1.yaml", "instances_by_exit_status:\n    Submitted:\n    - a__a-1\n"
		 "    RateLimitError:\n    - b__b-2\n");
	put_file(dir, "exit_statuses_2.yaml", "instances_by_exit_status:\n    ContextWindowExceededError:\n"
		 "    - c__c-3\n    - nobody\n");
	assert_true(tg_dir_list(dir, &before, NULL));
	w = tg_watch_open(dir, &err);
	if (w == NULL)
		fail_msg("%s", err.msg);
	run = tg_watch_run(w);
	assert_null(tg_watch_spec(w));
	assert_string_equal(tg_watch_run_state(w), "foreign");
	assert_int_equal(run->inst_n, 4);
	assert_int_equal(run->inst[0].att[0].outcome, TG_OUT_DONE);
	assert_int_equal(run->inst[0].att[0].patch_bytes, 19);
	assert_int_equal(run->inst[1].att[0].outcome, TG_OUT_MODEL_API);
	assert_int_equal(run->inst[1].att[0].patch_class, TG_PC_EMPTY);
	assert_int_equal(run->inst[2].att[0].outcome, TG_OUT_LIMIT);
	/* 1.x: the exception's text stands in the patch's place */
	assert_int_equal(run->inst[2].att[0].patch_class, TG_PC_INFRA);
	assert_int_equal(tg_instance_state(&run->inst[3]), TG_ST_RUNNING);
	assert_int_equal(tg_watch_steps(w, 3), 2);
	assert_true(tg_instance_failed(&run->inst[1]) && !tg_instance_failed(&run->inst[0]));
	assert_int_equal(run->note_n, 1); /* the hostile id */
	assert_true(tg_dir_list(dir, &after, NULL));
	assert_int_equal(before.n, after.n); /* nothing was written */
	tg_names_free(&before);
	tg_names_free(&after);
	tg_watch_close(w);
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
}

/* List form, and files that are not what their names say: what can be read is shown, the rest is said
 * to be unreadable. */
static void test_foreign_rubbish(void **state)
{
	static const char *const rubbish[] = { "", "null", "[1,{},[]]", "\"x\"", "{\"a__a-1\":7}",
					       "{\"info\":3,\"messages\":{}}", "{", "\xff\xfe" };
	struct tg_err err = { 0 };
	struct tg_watch *w;

	(void)state;
	for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
		char *dir = cm_tmpdir();

		put_file(dir, "preds_filled.json",
			 "[{\"instance_id\":\"a__a-1\",\"model_patch\":\"--- a\\n\"}]");
		put_file(dir, "a__a-1/a__a-1.traj.json", rubbish[i]);
		put_file(dir, "exit_statuses_1.yaml", rubbish[i]);
		put_file(dir, "eval/instance_results.jsonl", rubbish[i]);
		put_file(dir, "x_governed_v2.jsonl", rubbish[i]);
		put_file(dir, "security_reports/a__a-1.json", rubbish[i]);
		w = tg_watch_open(dir, &err);
		if (w == NULL)
			fail_msg("%s", err.msg);
		assert_int_equal(tg_watch_run(w)->inst_n, 1);
		assert_int_equal(tg_watch_run(w)->inst[0].att[0].patch_bytes, 6);
		assert_int_equal(tg_watch_run(w)->inst[0].att[0].decision, TG_DEC_NONE);
		tg_json_free(tg_status_json(w));
		tg_watch_close(w);
		put_file(dir, "preds.json", rubbish[i]);
		w = tg_watch_open(dir, &err);
		if (w == NULL)
			fail_msg("%s", err.msg);
		tg_watch_close(w);
		assert_true(tg_remove_tree(dir, NULL));
		free(dir);
	}
}

static void test_run20(void **state)
{
	char *dir = cm_shared("corpus/run20/msa_glm46_lite_run20");
	size_t with_patch = 0, steps = 0;
	struct tg_err err = { 0 };
	const struct tg_run *run;
	const struct tg_attempt *att;
	struct tg_artifact a[TG_ARTIFACTS];
	struct tg_counts n;
	struct tg_watch *w;
	struct cJSON *s;

	(void)state;
	if (dir == NULL)
		skip();
	w = tg_watch_open(dir, &err);
	if (w == NULL)
		fail_msg("%s", err.msg);
	run = tg_watch_run(w);
	assert_int_equal(run->inst_n, 18);
	for (size_t i = 0; i < run->inst_n; i++) {
		att = tg_instance_counted(&run->inst[i]);
		with_patch += att->patch_bytes > 0;
		steps += att->steps > 0;
		assert_int_equal(tg_instance_state(&run->inst[i]), TG_ST_DONE);
	}
	assert_int_equal(with_patch, 15);
	assert_true(steps >= 17);
	tg_run_count(run, &n);
	assert_int_equal(n.resolved, 6);
	assert_int_equal(n.by_decision[TG_DEC_OK], 6);
	assert_int_equal(n.by_decision[TG_DEC_ABSTAIN], 12);
	assert_int_equal(n.by_decision[TG_DEC_VETO], 0);
	assert_int_equal(n.failed, 3);
	assert_int_equal(n.new_violations, 0);
	att = tg_instance_counted(tg_run_instance(run, "scikit-learn__scikit-learn-25638"));
	assert_int_equal(att->outcome, TG_OUT_INFRA);
	assert_int_equal(att->patch_class, TG_PC_INFRA);
	assert_string_equal(att->exit_status, "CalledProcessError");
	att = tg_instance_counted(tg_run_instance(run, "django__django-12284"));
	assert_int_equal(att->outcome, TG_OUT_LIMIT);
	att = tg_instance_counted(tg_run_instance(run, "sympy__sympy-11897"));
	assert_int_equal(att->outcome, TG_OUT_EMPTY);
	tg_artifacts(run, a);
	assert_int_equal(a[1].count, 18);
	assert_int_equal(a[4].count, 18);
	assert_false(a[8].present || tg_run_is_complete(run, a));
	s = tg_status_json(w);
	assert_string_equal(text_at(s, "run.state"), "foreign");
	assert_string_equal(text_at(s, "run.run_id"), "msa_glm46_lite_run20");
	tg_json_free(s);
	tg_watch_close(w);
	free(dir);
}

/* ---- registry ---- */

static void test_registry(void **state)
{
	char *base = cm_tmpdir(), *runs = tg_path_join(base, "runs"), *one, *two, *file;
	struct tg_names names = { 0 };
	struct tg_err err = { 0 };

	(void)state;
	assert_int_equal(setenv("XDG_STATE_HOME", base, 1), 0);
	assert_true(tg_registry_list(NULL, &names, &err));
	assert_int_equal(names.n, 0);
	tg_names_free(&names);
	put_file(runs, "one/.tgmon/run.json", "{}");
	put_file(runs, "two/x__x-1/x__x-1.traj.json", "{}");
	put_file(runs, "none/readme", "");
	one = tg_path_join(runs, "one");
	two = tg_path_join(runs, "two");
	assert_true(tg_registry_add(one, &err));
	assert_true(tg_registry_add(one, &err));
	assert_true(tg_registry_add("/gone/away", &err));
	file = tg_path_join(base, "tgmon/runs");
	assert_int_equal(tg_file_size(file), (int64_t)(strlen(one) + 1 + strlen("/gone/away") + 1));
	assert_true(tg_registry_list(NULL, &names, &err));
	assert_int_equal(names.n, 1);
	assert_string_equal(names.v[0], one);
	tg_names_free(&names);
	usleep(20 * 1000);
	put_file(one, ".tgmon/journal.000001", ""); /* now the newest */
	assert_true(tg_registry_list(runs, &names, &err));
	assert_int_equal(names.n, 2);
	assert_string_equal(names.v[0], one);
	assert_string_equal(names.v[1], two);
	tg_names_free(&names);
	assert_true(tg_registry_list(two, &names, &err)); /* a run itself */
	assert_int_equal(names.n, 2);
	tg_names_free(&names);
	assert_false(tg_registry_list("/nonexistent/dir", &names, &err));
	assert_true(tg_remove_tree(base, NULL));
	free(file);
	free(two);
	free(one);
	free(runs);
	free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock),     cmocka_unit_test(test_live),
		cmocka_unit_test(test_ours),     cmocka_unit_test(test_complete),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_foreign_made_up),
		cmocka_unit_test(test_foreign_rubbish),
		cmocka_unit_test(test_run20),    cmocka_unit_test(test_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
