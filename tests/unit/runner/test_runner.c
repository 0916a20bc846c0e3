/* The runner as a whole over a fake pipeline: gate, inbox, stop and resume, retries, one writer. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include "unit/cm.h"
#include "runner/fake.h"
#include "core/run/journal.h"
#include "core/runner/inbox.h"

/* ---- helpers -------------------------------------------------------------------------------- */

static char *make(const struct fake_run *want, const char *const *ids)
{
	char *base = cm_tmpdir(), *run = tg_path_join(base, "run");
	struct tg_err err = { 0 };

	if (!fake_make_run(run, ids, want, &err))
		fail_msg("%s", err.msg);
	free(base);
	return run;
}

static void done(char *run)
{
	char *base = tg_path_dir(run);

	tg_remove_tree(base, NULL);
	free(base);
	free(run);
}

static pid_t start(const char *run)
{
	pid_t pid = fork();

	if (pid == 0) {
		int nul = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (!getenv("TGMON_TEST_LOUD"))
			dup2(nul, STDERR_FILENO);
		execl("/proc/self/exe", "test_runner", "foreground", run, (char *)NULL);
		_exit(99);
	}
	return pid;
}

static int finish(pid_t pid, int64_t ms)
{
	int status;

	for (int64_t until = tg_mono_ms() + ms; tg_mono_ms() < until; tg_sleep_ms(5))
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	fail_msg("the runner did not end within %d ms", (int)ms);
	return -1;
}

struct seen { /* what stands in a journal */
	const char *ev, *key, *value; /* looked for: member key of ev has this text */
	int n;
	char last[512];
};

static bool look(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct seen *s = user;
	const char *v = s->key ? tg_json_str(rec->body, s->key) : NULL;

	(void)err;
	if (tg_streq(rec->ev, s->ev) && (!s->value || tg_streq(v, s->value))) {
		const char *error = tg_json_str(rec->body, "error");

		s->n++;
		snprintf(s->last, sizeof s->last, "%s", error ? error : "");
	}
	return true;
}

static int count(const char *run, const char *ev, const char *key, const char *value, char *last)
{
	struct tg_journal_reader *r = tg_journal_reader_new(run, NULL);
	struct seen s = { ev, key, value, 0, "" };

	assert_non_null(r);
	assert_true(tg_journal_read(r, look, &s, NULL, NULL));
	tg_journal_reader_free(r);
	if (last)
		memcpy(last, s.last, sizeof s.last);
	return s.n;
}

static void wait_for(const char *run, const char *ev, const char *key, const char *value, int n)
{
	for (int64_t until = tg_mono_ms() + 15000; tg_mono_ms() < until; tg_sleep_ms(10))
		if (count(run, ev, key, value, NULL) >= n)
			return;
	fail_msg("no %s %s=%s within 15 s", ev, key ? key : "", value ? value : "");
}

static void fold(struct tg_run *run, const char *dir)
{
	struct tg_journal_reader *r = tg_journal_reader_new(dir, NULL);
	struct tg_spec spec;

	assert_true(tg_spec_load(&spec, dir, NULL, NULL));
	tg_run_init(run, dir);
	tg_run_expect(run, (const char *const *)spec.expected, spec.expected_n);
	assert_true(tg_journal_read(r, tg_run_apply, run, NULL, NULL));
	tg_journal_reader_free(r);
	tg_spec_fini(&spec);
}

static int ledger_lines(const char *run, const char *prefix)
{
	char *path = tg_path_join(run, "ledger"), *save = NULL;
	struct tg_buf text = TG_BUF_INIT;
	int n = 0;

	if (tg_file_read(path, 0, &text, NULL))
		for (char *l = strtok_r(text.p, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
			n += tg_starts_with(l, prefix);
	tg_buf_fini(&text);
	free(path);
	return n;
}

static void post(const char *run, const char *verb, const char *args, char req[37])
{
	char own[37];
	struct tg_err err = { 0 };

	if (!tg_inbox_post(run, verb,
			   args ? tg_json_parse(args, strlen(args), "args", NULL, NULL) : NULL,
			   req ? req : own, &err))
		fail_msg("%s", err.msg);
}

static void put_file(const char *run, const char *name, const char *text)
{
	char *path = tg_asprintf("%s/.tgmon/inbox/%s", run, name);

	assert_true(tg_file_write(path, text, strlen(text), 0600, NULL));
	free(path);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void a_run_goes_through(void **state)
{
	const char *ids[] = { "a-1", "a-2", "veto-3", "crash-4", NULL };
	char *run = make(&(struct fake_run){ .workers = 2 }, ids);
	struct tg_run r;

	(void)state;
	assert_int_equal(finish(start(run), 20000), 0);
	fold(&r, run);
	assert_true(r.done_ms != 0);
	assert_string_equal(r.runner_end, "done");
	assert_true(tg_run_all_judged(&r));
	assert_int_equal(r.inst[2].att[0].decision, TG_DEC_VETO);
	assert_int_equal(r.inst[3].att[0].outcome, TG_OUT_CRASH);
	assert_int_equal(r.inst[3].att[0].code, 3);
	assert_int_equal(ledger_lines(run, "a-"), 2);
	tg_run_fini(&r);
	assert_int_equal(finish(start(run), 10000), 0); /* again: nothing left to do */
	assert_int_equal(count(run, "att.start", NULL, NULL, NULL), 4);
	assert_int_equal(count(run, "run.done", NULL, NULL, NULL), 1);
	done(run);
}

static void infrastructure_is_tried_again(void **state)
{
	const char *ids[] = { "infra-1", "a-2", NULL };
	char *run;
	struct tg_run r;

	(void)state;
	setenv("TGMON_RETRY_BASE_MS", "300", 1);
	run = make(&(struct fake_run){ .retries = 1 }, ids);
	assert_int_equal(finish(start(run), 20000), 0);
	fold(&r, run);
	assert_int_equal(r.inst[0].att_n, 2);
	assert_int_equal(r.inst[0].att[0].outcome, TG_OUT_INFRA);
	assert_int_equal(r.inst[0].att[1].outcome, TG_OUT_DONE);
	assert_string_equal(r.inst[0].att[1].why, "retry");
	assert_true(r.inst[0].att[1].start_ms - r.inst[0].att[0].end_ms >= 240);
	tg_run_fini(&r);
	done(run);
	run = make(&(struct fake_run){ .retries = 0 }, ids);
	assert_int_equal(finish(start(run), 20000), 0);
	assert_int_equal(count(run, "inst.retry", NULL, NULL, NULL), 0);
	done(run);
}

static void a_second_runner_is_refused_by_name(void **state)
{
	const char *ids[] = { "slow-1", "slow-2", "slow-3", "slow-4", "slow-5", "slow-6", NULL };
	char *run = make(&(struct fake_run){ .workers = 1 }, ids), who[128], *want;
	pid_t first;
	struct tg_err err = { 0 };

	(void)state;
	assert_false(tg_runner_alive(run, who));
	assert_true(tg_runner_start(run, &err));
	assert_true(tg_runner_alive(run, who));
	assert_true(tg_starts_with(who, "pid "));
	assert_false(tg_runner_start(run, &err));
	assert_int_equal(err.code, TG_E_BUSY);
	want = tg_strndup(who, strcspn(who + 4, " ") + 4); /* "pid 123" */
	assert_non_null(strstr(err.msg, want));
	free(want);
	first = start(run);
	assert_int_equal(finish(first, 10000), 75);
	wait_for(run, "runner.end", "why", "done", 1);
	assert_int_equal(count(run, "runner.start", NULL, NULL, NULL), 1);
	assert_int_equal(ledger_lines(run, "slow-"), 6);
	for (int i = 0; i < 200 && tg_runner_alive(run, NULL); i++)
		tg_sleep_ms(10);
	assert_false(tg_runner_alive(run, NULL));
	done(run);
}

static void stop_cuts_off_and_resume_goes_on(void **state)
{
	const char *ids[] = { "slow-1", "a-2", NULL };
	char *run = make(&(struct fake_run){ .workers = 1 }, ids);
	struct tg_run r;
	pid_t pid = start(run);

	(void)state;
	wait_for(run, "att.run", "iid", "slow-1", 1);
	post(run, "stop", "{\"now\":true}", NULL);
	assert_int_equal(finish(pid, 10000), 0);
	fold(&r, run);
	assert_string_equal(r.runner_end, "stopped");
	assert_string_equal(r.inst[0].att[0].end_why, "killed");
	assert_string_equal(r.inst[0].att[0].kill_reason, "stop");
	assert_int_equal(r.inst[1].att_n, 0);
	tg_run_fini(&r);
	assert_int_equal(finish(start(run), 20000), 0);
	fold(&r, run);
	assert_string_equal(r.inst[0].att[1].why, "resume");
	assert_int_equal(r.inst[0].att[0].outcome, TG_OUT_CANCELLED);
	assert_int_equal(r.inst[0].att[1].outcome, TG_OUT_DONE);
	assert_true(r.done_ms != 0);
	assert_int_equal(ledger_lines(run, "slow-1"), 1);
	tg_run_fini(&r);
	done(run);
}

static void sigterm_stops_and_sighup_does_not(void **state)
{
	const char *ids[] = { "slow-1", NULL };
	char *run = make(&(struct fake_run){ .workers = 1 }, ids);
	pid_t pid = start(run);

	(void)state;
	wait_for(run, "att.run", NULL, NULL, 1);
	kill(pid, SIGHUP);
	kill(pid, SIGINT);
	kill(pid, SIGTERM);
	assert_int_equal(finish(pid, 10000), 0);
	assert_int_equal(count(run, "runner.end", "why", "signal", NULL), 1);
	assert_int_equal(count(run, "att.exit", "why", "killed", NULL), 1);
	done(run);
}

static void drain_finishes_what_runs(void **state)
{
	const char *ids[] = { "slow-1", "slow-2", NULL };
	char *run = make(&(struct fake_run){ .workers = 1 }, ids);
	pid_t pid = start(run);

	(void)state;
	wait_for(run, "att.run", NULL, NULL, 1);
	post(run, "drain", NULL, NULL);
	assert_int_equal(finish(pid, 15000), 0);
	assert_int_equal(count(run, "runner.end", "why", "drained", NULL), 1);
	assert_int_equal(count(run, "inst.done", NULL, NULL, NULL), 1);
	assert_int_equal(count(run, "att.start", NULL, NULL, NULL), 1);
	done(run);
}

static void a_pause_closes_the_gate_and_resume_opens_it(void **state)
{
	const char *ids[] = { "slow-1", "a-2", NULL };
	char *run = make(&(struct fake_run){ .workers = 1 }, ids);
	pid_t pid = start(run);

	(void)state;
	wait_for(run, "att.run", NULL, NULL, 1);
	post(run, "pause", NULL, NULL);
	wait_for(run, "gate", "row", "pause", 1);
	wait_for(run, "inst.done", "iid", "slow-1", 1); /* kills nothing */
	tg_sleep_ms(300);
	assert_int_equal(count(run, "att.start", NULL, NULL, NULL), 1); /* starts nothing */
	post(run, "resume", NULL, NULL);
	assert_int_equal(finish(pid, 10000), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL, NULL), 2);
	assert_int_equal(count(run, "gate", NULL, NULL, NULL), 2);
	done(run);
}

/* Each attempt costs 0.25: the gate closes after the second; headless, that ends the runner. */
static void the_budget_closes_the_gate(void **state)
{
	const char *ids[] = { "a-1", "a-2", "a-3", "a-4", NULL };
	char *run = make(&(struct fake_run){ .budget_usd = 0.5 }, ids);
	pid_t pid;

	(void)state;
	setenv("TGMON_HEADLESS", "1", 1);
	assert_int_equal(finish(start(run), 15000), 5);
	unsetenv("TGMON_HEADLESS");
	assert_int_equal(count(run, "gate", "row", "budget", NULL), 1);
	assert_int_equal(count(run, "runner.end", "why", "gate", NULL), 1);
	assert_int_equal(count(run, "inst.done", NULL, NULL, NULL), 2);
	pid = start(run); /* with a person: it waits */
	tg_sleep_ms(500);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	post(run, "answer", "{\"row\":\"budget\",\"usd\":0.1}", NULL);
	wait_for(run, "cmd", "verb", "answer", 1);
	assert_int_equal(count(run, "att.start", NULL, NULL, NULL), 2);
	post(run, "answer", "{\"row\":\"budget\",\"usd\":5}", NULL);
	assert_int_equal(finish(pid, 15000), 0);
	assert_int_equal(count(run, "inst.done", NULL, NULL, NULL), 4);
	done(run);
}

static void a_full_disk_pauses_and_reopens_by_itself(void **state)
{
	const char *ids[] = { "a-1", NULL };
	char *run = make(&(struct fake_run){ 0 }, ids);
	pid_t pid;

	(void)state;
	setenv("TGMON_DISK_MIN_MB", "1000000000", 1);
	setenv("TGMON_HEADLESS", "1", 1); /* it opens by itself, so headless waits too */
	pid = start(run);
	wait_for(run, "gate", "row", "disk", 1);
	tg_sleep_ms(300);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL, NULL), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unsetenv("TGMON_DISK_MIN_MB");
	unsetenv("TGMON_HEADLESS");
	assert_int_equal(finish(start(run), 10000), 0);
	assert_int_equal(count(run, "gate", NULL, NULL, NULL), 2);
	done(run);
}

static void a_command_has_one_effect(void **state)
{
	const char *ids[] = { "a-1", NULL };
	char *run = make(&(struct fake_run){ 0 }, ids), req[37], *text, name[48];

	(void)state;
	assert_int_equal(finish(start(run), 10000), 0);
	post(run, "rerun", "{\"ids\":[\"a-1\"]}", req);
	assert_int_equal(finish(start(run), 10000), 0);
	assert_int_equal(count(run, "inst.rerun", NULL, NULL, NULL), 1);
	assert_int_equal(count(run, "run.stale", NULL, NULL, NULL), 1);
	assert_int_equal(count(run, "run.done", NULL, NULL, NULL), 2);
	/* the same command once more, as after a lost acknowledgement */
	text = tg_asprintf("{\"req\":\"%s\",\"verb\":\"rerun\",\"args\":{\"ids\":[\"a-1\"]}}", req);
	snprintf(name, sizeof name, "%s.json", req);
	put_file(run, name, text);
	assert_int_equal(finish(start(run), 10000), 0);
	assert_int_equal(count(run, "inst.rerun", NULL, NULL, NULL), 1);
	assert_int_equal(count(run, "cmd", NULL, NULL, NULL), 1);
	assert_int_equal(ledger_lines(run, "a-1"), 2);
	free(text);
	done(run);
}

static void garbage_in_the_inbox_is_put_aside(void **state)
{
	static const struct {
		const char *name, *text;
	} bad[] = {
	    {"rubbish.json", "{}"},
	    {"00000000-0000-4000-8000-000000000001.json", "{"},
	    {"00000000-0000-4000-8000-000000000002.json", "[]"},
	    {"00000000-0000-4000-8000-000000000003.json", "{\"req\":\"other\",\"verb\":\"stop\"}"},
	    {"00000000-0000-4000-8000-000000000004.json",
	     "{\"req\":\"00000000-0000-4000-8000-000000000004\"}"},
	    {"\x1b[31m.json", "{}"},
	};
	const size_t n = sizeof bad / sizeof *bad;
	const char *ids[] = { "a-1", NULL };
	char *run = make(&(struct fake_run){0}, ids),
	     *aside = tg_path_join(run, ".tgmon/inbox/bad");
	char *link = tg_path_join(run, ".tgmon/inbox/00000000-0000-4000-8000-000000000009.json");
	struct tg_names names;
	char last[512];

	(void)state;
	for (size_t i = 0; i < n; i++)
		put_file(run, bad[i].name, bad[i].text);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	post(run, "dance", NULL, NULL);
	post(run, "kill", "{\"id\":\"nobody\"}", NULL);
	post(run, "rerun", "{\"failed\":true}", NULL);
	assert_int_equal(finish(start(run), 10000), 0);
	assert_int_equal(count(run, "cmd", "verb", "malformed", NULL), (int)n + 1);
	assert_true(tg_dir_list(aside, &names, NULL));
	assert_int_equal(names.n, n + 1);
	tg_names_free(&names);
	assert_int_equal(count(run, "cmd", "verb", "dance", last), 1);
	assert_string_equal(last, "there is no command of that name");
	assert_int_equal(count(run, "cmd", "verb", "kill", last), 1);
	assert_non_null(strstr(last, "no such instance"));
	assert_int_equal(count(run, "cmd", "verb", "rerun", last), 1);
	assert_int_equal(count(run, "inst.rerun", NULL, NULL, NULL), 0);
	assert_int_equal(count(run, "runner.end", "why", "done", NULL), 1);
	free(aside);
	free(link);
	done(run);
}

static void failed_means_without_a_usable_patch(void **state)
{
	const char *ids[] = { "crash-1", "hang-2", NULL };
	char *run = make(&(struct fake_run){ .timeout_s = 1, .workers = 2 }, ids);
	struct tg_run r;

	(void)state;
	assert_int_equal(finish(start(run), 20000), 0);
	post(run, "rerun", "{\"failed\":true}", NULL);
	assert_int_equal(finish(start(run), 20000), 0);
	fold(&r, run);
	assert_int_equal(r.inst[0].att_n, 2);
	assert_int_equal(r.inst[1].att_n, 2);
	assert_string_equal(r.inst[1].att[0].end_why, "timeout");
	assert_string_equal(r.inst[0].att[1].why, "rerun");
	tg_run_fini(&r);
	done(run);
}

static void an_amended_config_is_on_the_record(void **state)
{
	const char *ids[] = { "a-1", NULL }, *text = "model:\n  name: x\n";
	char *run = make(&(struct fake_run){0}, ids), *config = tg_path_join(run, "mended.yaml"),
	     *args;
	char *frozen = tg_path_join(run, "config/2-mended.yaml"), sha[65];
	struct tg_run r;

	(void)state;
	assert_int_equal(finish(start(run), 10000), 0);
	assert_true(tg_file_write(config, text, strlen(text), 0600, NULL));
	args = tg_asprintf("{\"ids\":[\"a-1\"],\"config\":\"%s\"}", config);
	post(run, "rerun", args, NULL);
	assert_int_equal(finish(start(run), 10000), 0);
	fold(&r, run);
	tg_sha256_hex(text, strlen(text), sha);
	assert_string_equal(r.inst[0].att[1].config_sha256, sha);
	assert_true(tg_file_exists(frozen));
	assert_int_equal(count(run, "amend", "new_sha256", sha, NULL), 1);
	tg_run_fini(&r);
	assert_true(tg_file_write(config, "a: [", 4, 0600, NULL));
	post(run, "rerun", args, NULL); /* a config that does not parse is refused, on the record */
	assert_int_equal(finish(start(run), 10000), 0);
	fold(&r, run);
	assert_int_equal(r.inst[0].att_n, 2);
	tg_run_fini(&r);
	/* without a command that tells of it, a changed file is a changed input */
	assert_int_equal(finish(start(run), 10000), 2);
	free(args);
	free(config);
	free(frozen);
	done(run);
}

static void a_difference_is_short_and_hides_secrets(void **state)
{
	const char *was = "a: 1\nb: 2\napi_key: old\nc: 3\n",
		   *is = "a: 1\nb: 2\napi_key: new\nextra\nc: 3\n";
	struct tg_buf out = TG_BUF_INIT;

	(void)state;
	tg_amend_diff(was, strlen(was), is, strlen(is), &out);
	assert_string_equal(tg_buf_cstr(&out), "-api_key: [hidden]\n+api_key: [hidden]\n+extra\n");
	tg_buf_clear(&out);
	tg_amend_diff("", 0, "x\x1b[2J", 5, &out);
	assert_null(strchr(tg_buf_cstr(&out), '\x1b'));
	tg_buf_clear(&out);
	tg_amend_diff(was, strlen(was), was, strlen(was), &out);
	assert_int_equal(out.n, 0);
	tg_buf_fini(&out);
}

static void people_are_told(void **state)
{
	const char *ids[] = { "veto-1", NULL };
	char *base = cm_tmpdir(), *out = tg_path_join(base, "events"), *self = tg_self_exe();
	char *notify = tg_asprintf("[\"%s\",\"told\",\"%s\"]", self, out), *run;
	struct tg_buf text = TG_BUF_INIT;
	pid_t pid;

	(void)state;
	run = make(&(struct fake_run){ .notify = notify }, ids);
	pid = start(run);
	wait_for(run, "runner.start", NULL, NULL, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(finish(start(run), 20000), 0);
	assert_true(tg_file_read(out, 0, &text, NULL));
	assert_non_null(strstr(text.p, "\"event\": \"runner-lost\""));
	assert_non_null(strstr(text.p, "\"event\": \"veto\""));
	assert_non_null(strstr(text.p, "\"instance_id\": \"veto-1\""));
	assert_non_null(strstr(text.p, "\"event\": \"done\""));
	tg_buf_fini(&text);
	tg_remove_tree(base, NULL);
	free(base);
	free(out);
	free(self);
	free(notify);
	done(run);
}

/* The notify command of the test above: appends its standard input to a file. */
static int told(const char *path)
{
	char text[4096];
	ssize_t n = read(STDIN_FILENO, text, sizeof text);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0 && n > 0 && write(fd, text, (size_t)n) == n ? 0 : 1;
}

/* A killed shim's agent goes on: it is waited for, its work is salvaged, nothing is started twice.
 */
static void an_orphan_is_waited_for(void **state)
{
	const char *ids[] = { "slow-1", NULL };
	char *run = make(&(struct fake_run){ 0 }, ids);
	char *pidfile = tg_path_join(run, ".tgmon/attempts/slow-1/001/pid.json");
	struct cJSON *o;
	struct tg_run r;
	pid_t pid = start(run);

	(void)state;
	wait_for(run, "att.run", NULL, NULL, 1);
	tg_sleep_ms(100);
	o = tg_json_load(pidfile, NULL, NULL);
	kill((pid_t)tg_json_int(o, "pid", 0), SIGKILL);
	assert_int_equal(finish(pid, 15000), 0);
	fold(&r, run);
	assert_int_equal(count(run, "att.orphan", NULL, NULL, NULL), 1);
	assert_int_equal(r.inst[0].att_n, 1);
	assert_string_equal(r.inst[0].att[0].end_why, "salvaged");
	assert_int_equal(r.inst[0].att[0].decision, TG_DEC_OK);
	assert_int_equal(ledger_lines(run, "slow-1"), 1);
	tg_run_fini(&r);
	tg_json_free(o);
	free(pidfile);
	done(run);
}

static void a_folder_that_is_no_run_is_refused(void **state)
{
	char *base = cm_tmpdir(), req[37];
	struct tg_err err = { 0 };

	(void)state;
	assert_false(tg_runner_start(base, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_false(tg_inbox_post(base, "stop", NULL, req, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	tg_remove_tree(base, NULL);
	free(base);
}

static int64_t cpu_ticks(pid_t pid)
{
	char *path = tg_asprintf("/proc/%d/stat", (int)pid), *p;
	struct tg_buf text = TG_BUF_INIT;
	long u = 0, s = 0;

	if (tg_file_read(path, 4096, &text, NULL) && (p = strrchr(text.p, ')')))
		sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &u, &s);
	tg_buf_fini(&text);
	free(path);
	return u + s;
}

/* One agent hangs, nothing happens: less than 1 % of a core over three seconds (ticks of 10 ms). */
static void waiting_costs_nothing(void **state)
{
	const char *ids[] = { "hang-1", NULL };
	char *run = make(&(struct fake_run){ 0 }, ids);
	pid_t pid = start(run);
	int64_t before;

	(void)state;
	wait_for(run, "att.run", NULL, NULL, 1);
	tg_sleep_ms(300);
	before = cpu_ticks(pid);
	tg_sleep_ms(3000);
	assert_true(cpu_ticks(pid) - before <= 3);
	post(run, "kill", "{\"id\":\"hang-1\"}", NULL);
	assert_int_equal(finish(pid, 15000), 0);
	assert_int_equal(count(run, "att.kill", "reason", "operator", NULL), 1);
	done(run);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_goes_through),
		cmocka_unit_test(infrastructure_is_tried_again),
		cmocka_unit_test(a_second_runner_is_refused_by_name),
		cmocka_unit_test(stop_cuts_off_and_resume_goes_on),
		cmocka_unit_test(sigterm_stops_and_sighup_does_not),
		cmocka_unit_test(drain_finishes_what_runs),
		cmocka_unit_test(a_pause_closes_the_gate_and_resume_opens_it),
		cmocka_unit_test(the_budget_closes_the_gate),
		cmocka_unit_test(a_full_disk_pauses_and_reopens_by_itself),
		cmocka_unit_test(a_command_has_one_effect),
		cmocka_unit_test(garbage_in_the_inbox_is_put_aside),
		cmocka_unit_test(failed_means_without_a_usable_patch),
		cmocka_unit_test(an_amended_config_is_on_the_record),
		cmocka_unit_test(a_difference_is_short_and_hides_secrets),
		cmocka_unit_test(people_are_told),
		cmocka_unit_test(an_orphan_is_waited_for),
		cmocka_unit_test(a_folder_that_is_no_run_is_refused),
		cmocka_unit_test(waiting_costs_nothing),
	};
	int rc = fake_main(argc, argv);

	if (rc >= 0)
		return rc;
	if (argc == 3 && tg_streq(argv[1], "foreground"))
		return tg_runner_main(argv[2], true);
	if (argc == 3 && tg_streq(argv[1], "told"))
		return told(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
