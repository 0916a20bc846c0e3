/* The replay agent on a repository and recordings made here, and on the demo data where it is built
 * in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/agent/agent.h"
#include "core/agent/replay.h"
#include "core/dataset/dataset.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/sandbox.h"
#include "core/run/layout.h"
#include "core/run/job.h"

#define IID "own__name-1"

static const char import_text[] =
    "commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 3\none\n"
    "M 100644 inline calc.py\ndata 32\ndef add(a, b):\n    return a - b\n\n"
    "M 100644 inline .gitignore\ndata 6\n*.log\n\n"
    "M 100644 inline kept.log\ndata 2\nx\n\ndone\n";

struct world {
	char dir[64];
	char *data, *run, *attempt;
	struct tg_traj t; /* what the attempt left */
	struct tg_step *s;
	size_t n;
};

static void put(const char *dir, const char *name, const char *text)
{
	char *path = tg_path_join(dir, name);
	struct tg_err err = { 0 };

	if (!tg_file_write(path, text, strlen(text), 0644, &err))
		fail_msg("%s", err.msg);
	free(path);
}

static void put_row(struct world *w)
{
	struct tg_buf row = TG_BUF_INIT;
	char *repo, *git_dir, *control = tg_layout_control(w->run, "");
	struct tg_proc_result r;
	struct tg_err err = { 0 };

	if (!tg_repo_path(NULL, w->data, "own/name", &repo, &err))
		fail_msg("%s", err.msg);
	git_dir = tg_asprintf("--git-dir=%s", repo);
	const struct tg_spawn s = { .argv = (const char *const[]){ "git", git_dir, "rev-parse",
								   "main", NULL } };
	assert_true(tg_proc_run(&s, NULL, 0, 20000, 4096, &r, NULL));
	tg_buf_addf(&row,
		    "{\"instance_id\":\"" IID "\",\"repo\":\"own/name\",\"base_commit\":\"%.40s\"",
		    r.out.p);
	static const char *const rest[] = {
		"patch",      "test_patch", "problem_statement",       "hints_text",
		"created_at", "version",    "environment_setup_commit"
	};
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		tg_buf_addf(&row, ",\"%s\":\"\"", rest[i]);
	tg_buf_adds(&row, ",\"FAIL_TO_PASS\":\"[]\",\"PASS_TO_PASS\":\"[]\"}\n");
	put(control, "dataset.jsonl", tg_buf_cstr(&row));
	tg_buf_fini(&row);
	tg_proc_result_fini(&r);
	free(repo);
	free(git_dir);
	free(control);
}

static void put_spec(struct world *w, const char *data, const char *id)
{
	char *ids[] = { tg_strdup(id) };
	struct tg_spec spec = { .run_id = tg_strdup("r"),
				.model_id = tg_strdup("m"),
				.tag = tg_strdup("t"),
				.slice = tg_strdup(":"),
				.dataset_name = tg_strdup("d"),
				.split = tg_strdup("test"),
				.agent = tg_strdup("replay"),
				.evaluator = tg_strdup("local"),
				.reports = tg_strdup("scan"),
				.tgmon_version = tg_strdup("0"),
				.data_dir = tg_strdup(data),
				.budget_usd = -1,
				.ladder = 5,
				.selection = tg_strdup("first-own"),
				.workers = 1,
				.eval_workers = 1,
				.timeout_s = 60,
				.eval_timeout_s = 60,
				.expected_n = 1,
				.expected_from = tg_strdup("slice") };
	struct tg_err err = { 0 };
	char sha[65];

	spec.expected = tg_malloc(sizeof *spec.expected);
	spec.expected[0] = ids[0];
	if (!tg_spec_write(&spec, w->run, sha, &err))
		fail_msg("%s", err.msg);
	tg_spec_fini(&spec);
}

static void new_attempt(struct world *w, const char *id, int number)
{
	struct tg_job job = { .stage = TG_STAGE_AGENT, .attempt = number, .k = 1, .timeout_s = 60 };
	char *work;
	char sha[65];

	free(w->attempt);
	w->attempt = tg_layout_attempt(w->run, id, number);
	work = tg_path_join(w->attempt, "work");
	assert_true(tg_mkdirs(work, 0755, NULL));
	job.dir = tg_strdup(w->attempt);
	job.instance_id = tg_strdup(id);
	job.argv = tg_calloc(2, sizeof *job.argv);
	job.argv[0] = tg_strdup("x");
	assert_true(tg_job_write(&job, sha, NULL));
	tg_job_fini(&job);
	free(work);
}

static int set_up(void **state)
{
	struct world *w = tg_calloc(1, sizeof *w);
	char *repos, *traj, *cache, *control;

	snprintf(w->dir, sizeof w->dir, "/tmp/tgmon-replay-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->data = tg_path_join(w->dir, "data");
	w->run = tg_path_join(w->dir, "run");
	repos = tg_path_join(w->data, "repos");
	traj = tg_path_join(w->data, "trajectories");
	cache = tg_path_join(w->dir, "cache");
	control = tg_layout_control(w->run, "");
	assert_true(tg_mkdirs(repos, 0755, NULL) && tg_mkdirs(traj, 0755, NULL) &&
		    tg_mkdirs(control, 0755, NULL));
	setenv("XDG_CACHE_HOME", cache, 1);
	put(repos, "own__name.fi", import_text);
	put_spec(w, w->data, IID);
	put_row(w);
	new_attempt(w, IID, 1);
	free(repos);
	free(traj);
	free(cache);
	free(control);
	*state = w;
	return 0;
}

static void forget(struct world *w)
{
	tg_steps_free(w->s, w->n);
	tg_traj_fini(&w->t);
	w->s = NULL;
	w->n = 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	forget(w);
	tg_remove_tree(w->dir, NULL);
	free(w->data);
	free(w->run);
	free(w->attempt);
	free(w);
	return 0;
}

/* ---- recordings ----------------------------------------------------------------------- */

static void add_answer(struct cJSON *messages, int version, const char *const *commands)
{
	struct cJSON *m = tg_json_object(), *extra = tg_json_object(), *actions = tg_json_array();
	char *text = tg_asprintf("think\n```bash\n%s\n```", commands[0]);

	tg_json_set_str(m, "role", "assistant");
	tg_json_set_str(m, "content", version == 1 ? text : "think");
	tg_json_set_float(extra, "cost", 0.125);
	for (size_t i = 0; version == 2 && commands[i]; i++) {
		struct cJSON *a = tg_json_object();
		char id[32];

		snprintf(id, sizeof id, "call_%zu", i);
		tg_json_set_str(a, "command", commands[i]);
		tg_json_set_str(a, "tool_call_id", id);
		tg_json_push(actions, a);
	}
	if (version == 2) {
		tg_json_set_float(extra, "timestamp", 5);
		tg_json_set(extra, "actions", actions);
	} else {
		tg_json_free(actions);
	}
	tg_json_set(m, "extra", extra);
	tg_json_push(messages, m);
	m = tg_json_object();
	tg_json_set_str(m, "role", version == 1 ? "user" : "tool");
	tg_json_set_str(m, "content", "<returncode>0</returncode>\nWHAT WAS RECORDED");
	tg_json_push(messages, m);
	free(text);
}

/* A recording whose answers hold one command each; status and steer (JSON or NULL) end it. */
static void record(struct world *w, const char *name, int version, const char *const *commands,
		   const char *status, const char *steer)
{
	struct cJSON *root = tg_json_object(), *messages = tg_json_array(), *m = tg_json_object();
	struct cJSON *info = tg_json_object();
	struct tg_buf text = TG_BUF_INIT;
	char *dir = tg_path_join(w->data, "trajectories");

	tg_json_set_str(info, "exit_status", status);
	tg_json_set_str(info, "submission", "WHAT WAS RECORDED");
	tg_json_set_str(info, "mini_version", version == 1 ? "1.17.5" : "2.4.6");
	tg_json_set_str(m, "role", "system");
	tg_json_set_str(m, "content", "sys");
	tg_json_push(messages, m);
	for (; commands && *commands; commands++)
		add_answer(messages, version, (const char *const[]){ *commands, NULL });
	if (!commands)
		tg_json_free(messages), messages = tg_json_array();
	tg_json_set(root, "info", info);
	tg_json_set(root, "messages", messages);
	tg_json_set_str(root, "trajectory_format",
			version == 1 ? "mini-swe-agent-1" : "mini-swe-agent-1.1");
	if (steer)
		tg_json_set(root, "tgmon_replay",
			    tg_json_parse(steer, strlen(steer), "steer", NULL, NULL));
	tg_json_print(root, TG_JSON_PY_INDENT2, &text);
	put(dir, name, tg_buf_cstr(&text));
	tg_buf_fini(&text);
	tg_json_free(root);
	free(dir);
}

static pid_t start(struct world *w)
{
	pid_t pid = fork();

	if (pid == 0) {
		int nul = open("/dev/null", O_RDWR);

		dup2(nul, 1);
		if (!getenv("TEST_VERBOSE"))
			dup2(nul, 2);
		setsid();
		_exit(tg_agent_replay_main(w->run, w->attempt));
	}
	return pid;
}

static int wait_end(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool load(struct world *w, const char *name)
{
	char *path = tg_asprintf("%s/work/%s", w->attempt, name);
	bool ok;

	forget(w);
	ok = tg_traj_load(&w->t, path, NULL);
	if (ok)
		tg_traj_steps(&w->t, &w->s, &w->n);
	free(path);
	return ok;
}

/* Run to the end and load the final trajectory. */
static void run(struct world *w)
{
	assert_int_equal(wait_end(start(w)), 0);
	assert_true(load(w, IID ".traj.json"));
}

static const char *log_text(struct world *w, struct tg_buf *text)
{
	char *path = tg_path_join(w->attempt, "work/agent.log");

	assert_true(tg_file_read(path, 0, text, NULL));
	free(path);
	return tg_buf_cstr(text);
}

/* ---- tests ---------------------------------------------------------------------------- */

#define SUBMIT "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && git add -A && git diff --cached"
#define MEND "sed -i 's/a - b/a + b/' calc.py"

static void submits(void **state, int version)
{
	struct world *w = *state;
	struct tg_buf log = TG_BUF_INIT;
	const struct cJSON *m;

	record(w, IID ".traj.json", version,
	       (const char *const[]){ "pwd; git status --short; ls; exit 3", MEND, SUBMIT,
				      "echo never", NULL },
	       "Submitted", NULL);
	run(w);
	assert_int_equal(w->t.version, version);
	assert_string_equal(w->t.exit_status, "Submitted");
	assert_int_equal(w->t.api_calls, 3);
	assert_true(w->t.cost_usd == 0.375);
	assert_string_equal(w->t.instance_id, IID);
	assert_string_equal(tg_json_text(tg_json_path(w->t.root, "info.mini_version")),
			    version == 1 ? "1.17.5" : "2.4.6");
	assert_non_null(strstr(w->t.submission, "-    return a - b\n+    return a + b\n"));
	assert_int_equal(strncmp(w->t.submission, "diff --git a/calc.py b/calc.py\n", 31), 0);
	assert_int_equal(w->n, 3);
	/* what the command printed now, not what was recorded */
	assert_int_equal(w->s[0].returncode, 3);
	assert_non_null(strstr(w->s[0].output, "/testbed\ncalc.py\nkept.log\n"));
	for (m = tg_json_first(tg_json_get(w->t.root, "messages")); m; m = tg_json_next(m)) {
		assert_null(strstr(tg_json_str(m, "content"), "WHAT WAS RECORDED"));
		if (version == 1)
			assert_true(tg_json_num(m, "timestamp", 0) > 1.6e9);
		if (!tg_json_next(m)) {
			assert_string_equal(tg_json_str(m, "role"), version == 1 ? "user" : "exit");
			assert_string_equal(tg_json_str(m, "content"), w->t.submission);
		}
	}
	assert_non_null(
	    strstr(log_text(w, &log), " - minisweagent - INFO - Saved trajectory to '" IID));
	tg_buf_fini(&log);
	assert_true(load(w, "live.traj.json"));
}

static void submits_in_format_1(void **state)
{
	submits(state, 1);
}

static void submits_in_format_2(void **state)
{
	submits(state, 2);
}

/* The submission rule on its own. */
static void follows_the_rule(void **state)
{
	static const struct {
		int version, code;
		const char *output, *want;
	} row[] = {
		{ 1, 0, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\nx\ny", "x\ny" },
		{ 2, 0, "\n  COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT \r\nx\n", "x\n" },
		{ 2, 0, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "" },
		{ 1, 1, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\nx", "x" },
		{ 2, 1, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\nx", NULL },
		{ 1, 0, "MINI_SWE_AGENT_FINAL_OUTPUT\nx", "x" },
		{ 2, 0, "MINI_SWE_AGENT_FINAL_OUTPUT\nx", NULL },
		{ 1, 0, "first\nCOMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT\nx", NULL },
		{ 1, 0, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT!\nx", NULL },
		{ 1, 0, "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		const char *got = tg_replay_submission(row[i].version, row[i].output, row[i].code);

		if (!tg_streq(got, row[i].want) || !got != !row[i].want)
			fail_msg("row %zu: %s", i, got ? got : "(none)");
	}
}

static void failed_submission_goes_on(void **state)
{
	struct world *w = *state;

	record(w, IID ".traj.json", 2,
	       (const char *const[]){ "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT; false", SUBMIT,
				      NULL },
	       "Submitted", NULL);
	run(w);
	assert_string_equal(w->t.exit_status, "Submitted");
	assert_string_equal(w->t.submission, "");
	assert_int_equal(w->n, 2);
	assert_int_equal(w->s[0].returncode, 1);
	assert_int_equal(tg_traj_outcome(&w->t, NULL, 0, 0), TG_OUT_EMPTY);
}

static void ends_as_recorded(void **state)
{
	struct world *w = *state;
	const char *const one[] = { "true", NULL };

	record(w, IID ".traj.json", 1, one, "LimitsExceeded", "{\"end\":\"LimitsExceeded\"}");
	run(w);
	assert_string_equal(w->t.exit_status, "LimitsExceeded");
	assert_string_equal(w->t.submission, "");
	new_attempt(w, IID, 2);
	record(w, IID ".traj.json", 2, one, "Submitted", NULL); /* says so, but does not */
	run(w);
	assert_string_equal(w->t.exit_status, "LimitsExceeded");
	new_attempt(w, IID, 3);
	record(w, IID ".traj.json", 2, one, "",
	       "{\"end\":\"exception\",\"class\":\"RateLimitError\",\"text\":"
	       "\"slow down\"}");
	run(w);
	assert_string_equal(w->t.exit_status, "RateLimitError");
	assert_string_equal(w->t.exception, "slow down");
	assert_string_equal(w->t.submission, "");
	assert_int_equal(tg_traj_outcome(&w->t, NULL, 0, 0), TG_OUT_MODEL_API);
	new_attempt(w, IID, 4);
	record(w, IID ".traj.json", 1, NULL, "CalledProcessError",
	       "{\"end\":\"exception\",\"class\":"
	       "\"CalledProcessError\",\"text\":\"no container\"}");
	run(w);
	assert_string_equal(w->t.submission, "no container");
	assert_int_equal(w->n, 0);
	assert_int_equal(tg_traj_outcome(&w->t, NULL, 0, 0), TG_OUT_INFRA);
	new_attempt(w, IID, 5);
	record(w, IID ".traj.json", 2, NULL, "",
	       "{\"end\":\"exception\",\"class\":\"CalledProcessError\",\"text\":"
	       "\"no container\",\"no_trajectory\":true}");
	struct tg_buf log = TG_BUF_INIT;
	assert_int_equal(wait_end(start(w)), 0);
	assert_false(load(w, IID ".traj.json"));
	assert_false(load(w, "live.traj.json"));
	assert_non_null(strstr(log_text(w, &log),
			       " - ERROR - Error processing instance " IID ": no container"));
	tg_buf_fini(&log);
}

static void crashes(void **state)
{
	struct world *w = *state;
	int status;

	record(w, IID ".traj.json", 2, (const char *const[]){ "true", NULL }, "",
	       "{\"end\":\"crash\"}");
	status = wait_end(start(w));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(load(w, IID ".traj.json"));
	assert_true(load(w, "live.traj.json"));
	assert_int_equal(tg_traj_outcome(&w->t, NULL, -1, SIGABRT), TG_OUT_CRASH);
}

/* It hangs in a command or after them; SIGTERM ends it at once and what it had stays readable. */
static void sigterm_ends_it(void **state)
{
	struct world *w = *state;
	char *beat = tg_asprintf("%s/work/testbed/beat", w->attempt);

	record(w, IID ".traj.json", 2,
	       (const char *const[]){ "echo one",
				      "while :; do echo x >> beat; "
				      "sleep 0.02; done",
				      NULL },
	       "", NULL);
	pid_t pid = start(w);
	for (int i = 0; i < 500 && !tg_file_exists(beat); i++)
		tg_sleep_ms(20);
	assert_true(tg_file_exists(beat));
	int64_t began = tg_mono_ms();
	kill(pid, SIGTERM);
	int status = wait_end(pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_true(tg_mono_ms() - began < 1000);
	tg_sleep_ms(300); /* the sandbox dies with its parent */
	int64_t size = tg_file_size(beat);
	tg_sleep_ms(200);
	assert_int_equal(tg_file_size(beat), size);
	assert_false(load(w, IID ".traj.json"));
	assert_true(load(w, "live.traj.json"));
	assert_int_equal(w->n, 2);
	assert_string_equal(w->s[0].output, "one\n");
	assert_string_equal(w->t.exit_status, "");
	assert_int_equal(tg_traj_outcome(&w->t, "timeout", -1, SIGTERM), TG_OUT_TIMEOUT);
	free(beat);
	new_attempt(w, IID, 2);
	record(w, IID ".traj.json", 2, (const char *const[]){ "true", NULL }, "",
	       "{\"end\":\"hang\"}");
	pid = start(w);
	tg_sleep_ms(1500);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGTERM);
	wait_end(pid);
}

/* tree.lock, held on descriptor 9, is out of a command's reach (decisions.md, "Two locks"). */
static void lock_stays_held(void **state)
{
	struct world *w = *state;
	char *path = tg_path_join(w->attempt, "tree.lock");
	int fd = open(path, O_RDWR | O_CREAT, 0644), other;

	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(dup2(fd, 9), 9);
	record(w, IID ".traj.json", 1,
	       (const char *const[]){
		   "for f in $(seq 3 255); do flock -u $f; eval \"exec $f>&-\"; done; ls "
		   "/proc/[0-9]*/fd; "
		   "ls -l /proc/[0-9]*/fd | grep tree.lock && touch found; ls found",
		   NULL },
	       "", "{\"end\":\"LimitsExceeded\"}");
	run(w);
	other = open(path, O_RDWR);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_not_equal(w->s[0].returncode, 0); /* nothing was found */
	close(other);
	close(9);
	close(fd);
	free(path);
}

static void keeps_odd_output(void **state)
{
	struct world *w = *state;
	struct tg_buf cmd = TG_BUF_INIT;

	tg_buf_adds(&cmd, "true '");
	for (int i = 0; i < 15000; i++) /* longer than an argument may be */
		tg_buf_adds(&cmd, "0123456789");
	tg_buf_adds(&cmd, "'; echo fine");
	record(w, IID ".traj.json", 2,
	       (const char *const[]){ "printf '\\033[31mred\\0\\377\\xc3\\xa9'",
				      "head -c 300000 /dev/zero | tr '\\0' x; echo END",
				      tg_buf_cstr(&cmd), "kill -9 $$", NULL },
	       "", "{\"end\":\"LimitsExceeded\"}");
	run(w);
	assert_string_equal(w->s[0].output, "\033[31mred\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
	assert_true(strlen(w->s[1].output) < 110000);
	assert_true(tg_ends_with(w->s[1].output, "xEND\n"));
	assert_non_null(strstr(w->s[1].output, "bytes left out"));
	assert_string_equal(w->s[2].output, "fine\n");
	assert_int_equal(w->s[3].returncode, 137);
	tg_buf_fini(&cmd);
}

static void stays_inside(void **state)
{
	struct world *w = *state;
	char *escape = tg_path_join(w->dir, "escaped");
	char *cmd = tg_asprintf("echo x > %s; echo x > ../escaped; cat /etc/shadow; "
				"ln -s %s link && echo x > link; exec 3<>/dev/tcp/127.0.0.1/22",
				escape, escape);

	record(w, IID ".traj.json", 1, (const char *const[]){ cmd, NULL }, "",
	       "{\"end\":\"LimitsExceeded\"}");
	run(w);
	assert_int_not_equal(w->s[0].returncode, 0);
	assert_false(tg_file_exists(escape));
	free(escape);
	free(cmd);
}

static const char *who(struct world *w)
{
	run(w);
	return w->s[0].output ? w->s[0].output : "";
}

/* A recording is used up by an attempt that came to an end, not by a number. */
static void takes_the_right_recording(void **state)
{
	struct world *w = *state;

	record(w, IID ".1.traj.json", 2, (const char *const[]){ "echo first", NULL }, "", NULL);
	record(w, IID ".2.traj.json", 2, (const char *const[]){ "echo second", NULL }, "", NULL);
	record(w, IID ".traj.json", 2, (const char *const[]){ "echo any", NULL }, "", NULL);
	new_attempt(w, IID, 2); /* attempt 1 never began */
	assert_string_equal(who(w), "first\n");
	new_attempt(w, IID, 3);
	assert_string_equal(who(w), "second\n");
	new_attempt(w, IID, 4);
	assert_string_equal(who(w), "second\n");
	put(w->attempt, "exit.json", "{}");
	char *data = tg_path_join(w->data, "trajectories/" IID ".1.traj.json");
	unlink(data);
	free(data);
	data = tg_replay_recording(w->data, IID, 1);
	assert_true(tg_ends_with(data, IID ".traj.json"));
	free(data);
	assert_null(
	    tg_replay_recording(w->data, "own__name", 1)); /* own__name-1's files are not its */
}

/* Our own failure leaves an error and no trajectory. */
static void says_what_is_missing(void **state)
{
	struct world *w = *state;
	struct tg_buf log = TG_BUF_INIT;
	int status = wait_end(start(w));

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), TG_E_INPUT);
	assert_non_null(strstr(log_text(w, &log), "there is no recording for " IID));
	assert_false(load(w, IID ".traj.json"));
	tg_buf_fini(&log);
}

static void knows_backends(void **state)
{
	struct world *w = *state;
	struct tg_spec spec = { .data_dir = w->data,
				.expected_n = 1,
				.expected = (char *[]){ (char *)(uintptr_t)IID } };
	struct tg_job job = { .dir = tg_strdup(w->attempt) };
	struct tg_err err = { 0 };

	assert_null(tg_agent_find("nothing"));
	assert_null(tg_agent_find(NULL));
	assert_false(tg_agent_find("mini")->preflight(&spec, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_false(tg_agent_find("preds")->preflight(&spec, &err));
	assert_true(tg_agent_find("foreign")->preflight(&spec, &err));
	assert_false(tg_agent_find("replay")->preflight(&spec, &err));
	assert_non_null(strstr(err.msg, IID));
	record(w, IID ".traj.json", 1, NULL, "", NULL);
	if (!tg_agent_find("replay")->preflight(&spec, &err))
		fail_msg("%s", err.msg);
	assert_true(tg_agent_find("replay")->job(&spec, w->run, &job, &err));
	assert_string_equal(job.argv[1], "agent-replay");
	assert_string_equal(job.argv[5], w->attempt);
	assert_null(job.argv[6]);
	tg_job_fini(&job);
}

/* The demo: what was recorded as submitted is what is submitted now, byte for byte. */
static void replays_the_demo(void **state)
{
	struct world *w = *state;
	const char *data = getenv("TGMON_DATA");
	char *rows = data ? tg_path_join(data, "demo.jsonl") : NULL;
	char *control = tg_layout_control(w->run, ""), *spec = tg_path_join(control, "run.json");
	struct tg_dataset ds;
	struct tg_err err = { 0 };
	size_t compared = 0;

	if (!rows || !tg_file_exists(rows)) {
		print_message("skipped: TGMON_DATA names no demo.jsonl\n");
		free(rows), free(control), free(spec);
		skip();
	}
	if (!tg_dataset_load(&ds, rows, &err))
		fail_msg("%s", err.msg);
	unlink(spec);
	put_spec(w, data, ds.row[0].instance_id);
	for (size_t i = 0; i < ds.n; i++) {
		char *path = tg_replay_recording(data, ds.row[i].instance_id, 1);
		char *name = tg_asprintf("%s.traj.json", ds.row[i].instance_id), *line;
		struct tg_traj rec;

		assert_non_null(path);
		assert_true(tg_traj_load(&rec, path, NULL));
		if (tg_streq(rec.exit_status, "Submitted")) {
			line = tg_asprintf("%s\n", ds.row[i].raw);
			put(control, "dataset.jsonl", line);
			free(line);
			new_attempt(w, ds.row[i].instance_id, 1);
			assert_int_equal(wait_end(start(w)), 0);
			assert_true(load(w, name));
			assert_string_equal(w->t.exit_status, "Submitted");
			if (!tg_streq(w->t.submission, rec.submission))
				fail_msg("%s submits something else:\n%s", ds.row[i].instance_id,
					 w->t.submission);
			assert_true(w->t.cost_usd > rec.cost_usd - 1e-6 &&
				    w->t.cost_usd < rec.cost_usd + 1e-6);
			compared++;
		}
		tg_traj_fini(&rec);
		free(path);
		free(name);
	}
	assert_true(compared >= 8);
	tg_dataset_fini(&ds);
	free(rows);
	free(control);
	free(spec);
}

#define WORLD(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(submits_in_format_1),
		WORLD(submits_in_format_2),
		WORLD(follows_the_rule),
		WORLD(failed_submission_goes_on),
		WORLD(ends_as_recorded),
		WORLD(crashes),
		WORLD(sigterm_ends_it),
		WORLD(lock_stays_held),
		WORLD(keeps_odd_output),
		WORLD(stays_inside),
		WORLD(takes_the_right_recording),
		WORLD(says_what_is_missing),
		WORLD(knows_backends),
		WORLD(replays_the_demo),
	};
	struct tg_err err;

	if (!tg_sandbox_check(&err)) {
		printf("skipped: %s\n", err.msg);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
