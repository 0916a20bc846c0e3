/* The launch gate when the batch goes wrong in one way: scripted providers over a fake pipeline. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include "unit/cm.h"
#include "runner/fake.h"
#include "core/run/journal.h"

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
		execl("/proc/self/exe", "test_outage", "foreground", run, (char *)NULL);
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

struct tally { /* what stands in a journal */
	const char *ev, *key, *value;
	int n, in_flight, most;
	char last[256];
};

static bool look(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct tally *t = user;
	const char *v = t->key ? tg_json_str(rec->body, t->key) : NULL;

	(void)err;
	t->in_flight += tg_streq(rec->ev, "att.start");
	t->in_flight -= tg_streq(rec->ev, "att.exit") || tg_streq(rec->ev, "att.lost");
	t->most = t->in_flight > t->most ? t->in_flight : t->most;
	if (tg_streq(rec->ev, t->ev) && (!t->value || tg_streq(v, t->value))) {
		const char *text = tg_json_str(rec->body, "text");

		t->n++;
		t->most = 0; /* counted from the last such record on */
		snprintf(t->last, sizeof t->last, "%s", text ? text : "");
	}
	return true;
}

static struct tally tally(const char *run, const char *ev, const char *key, const char *value)
{
	struct tg_journal_reader *r = tg_journal_reader_new(run, NULL);
	struct tally t = { .ev = ev, .key = key, .value = value };

	assert_non_null(r);
	assert_true(tg_journal_read(r, look, &t, NULL, NULL));
	tg_journal_reader_free(r);
	return t;
}

static int count(const char *run, const char *ev, const char *key, const char *value)
{
	return tally(run, ev, key, value).n;
}

static void wait_for(const char *run, const char *ev, const char *key, const char *value, int n)
{
	for (int64_t until = tg_mono_ms() + 15000; tg_mono_ms() < until; tg_sleep_ms(10))
		if (count(run, ev, key, value) >= n)
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

static void answer(const char *run, const char *row)
{
	struct cJSON *args = tg_json_object();
	struct tg_err err = { 0 };
	char req[37];

	tg_json_set_str(args, "row", row);
	if (!tg_inbox_post(run, "answer", args, req, &err))
		fail_msg("%s", err.msg);
}

static void limit(const char *run, bool on)
{
	char *path = tg_path_join(run, "limited");

	if (on)
		assert_true(tg_file_write(path, "x", 1, 0600, NULL));
	else
		assert_int_equal(unlink(path), 0);
	free(path);
}

static void headless(bool on)
{
	if (on)
		setenv("TGMON_HEADLESS", "1", 1);
	else
		unsetenv("TGMON_HEADLESS");
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void the_canary_runs_alone_to_its_verdict(void **state)
{
	const char *ids[] = { "slow-1", "a-2", "a-3", "a-4", "a-5", NULL };
	char *run = make(&(struct fake_run){ .workers = 4, .canary = 1 }, ids);
	struct tg_run r;

	(void)state;
	assert_int_equal(finish(start(run), 20000), 0);
	fold(&r, run);
	assert_true(r.done_ms != 0);
	for (int i = 1; i < 5; i++) /* nothing else began before it was judged */
		assert_true(r.inst[i].att[0].start_ms >=
			    r.inst[0].att[0].stage[TG_STAGE_GOVERN].end_ms);
	tg_run_fini(&r);
	assert_int_equal(count(run, "gate", "row", "canary"), 1);
	assert_non_null(strstr(tally(run, "gate", "row", "canary").last, "slow-1"));
	done(run);
	run = make(&(struct fake_run){ .workers = 4 }, ids); /* --canary 0 */
	assert_int_equal(finish(start(run), 20000), 0);
	assert_int_equal(count(run, "gate", "row", "canary"), 0);
	done(run);
}

static void a_dead_key_stops_at_once(void **state)
{
	const char *ids[] = { "key-1", "key-2", "key-3", "key-4", "key-5", "key-6", "key-7", NULL };
	char *run;

	(void)state;
	headless(true);
	run = make(&(struct fake_run){ .workers = 3, .canary = 1, .stop_after = 3 }, ids);
	assert_int_equal(finish(start(run), 20000), 5);
	assert_int_equal(count(run, "att.start", NULL, NULL), 1); /* the canary paid */
	assert_int_equal(count(run, "runner.end", "why", "gate"), 1);
	assert_int_equal(finish(start(run), 20000), 5); /* nobody answered: nothing more is spent */
	assert_int_equal(count(run, "att.start", NULL, NULL), 1);
	done(run);
	run = make(&(struct fake_run){ .workers = 3, .stop_after = 3 }, ids);
	assert_int_equal(finish(start(run), 20000), 5);
	assert_in_range(count(run, "att.start", NULL, NULL), 1, 4); /* workers + 1 */
	assert_int_equal(count(run, "gate", "row", "key"), 1);
	done(run);
	headless(false);
	run = make(&(struct fake_run){ .workers = 3 }, ids); /* --stop-after 0 */
	assert_int_equal(finish(start(run), 20000), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL), 7);
	assert_int_equal(count(run, "gate", NULL, NULL), 0);
	done(run);
}

/* An answer counts from there on, also for the runner after this one. */
static void an_answer_opens_the_key_row(void **state)
{
	const char *ids[] = { "key-1", "a-2", "a-3", NULL };
	char *run = make(&(struct fake_run){ .stop_after = 3 }, ids);
	pid_t pid = start(run);

	(void)state;
	wait_for(run, "gate", "row", "key", 1);
	tg_sleep_ms(200);
	assert_int_equal(count(run, "att.start", NULL, NULL), 1);
	answer(run, "pause"); /* no row for an answer */
	answer(run, "key");
	assert_int_equal(finish(pid, 15000), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL), 3);
	headless(true);
	assert_int_equal(finish(start(run), 15000), 0);
	headless(false);
	assert_int_equal(count(run, "gate", "row", "key"), 1);
	done(run);
}

static void three_of_a_kind_close_it(void **state)
{
	const char *ids[] = { "bug-1", "a-2", "bug-3", "bug-4", "a-5", "bug-6", "bug-7",
			      "bug-8", "a-9", "a-10", NULL };
	char *run = make(&(struct fake_run){ .stop_after = 3 }, ids);
	pid_t pid;
	struct tg_run r;

	(void)state;
	headless(true);
	assert_int_equal(finish(start(run), 20000), 5);
	headless(false);
	fold(&r, run);
	assert_int_equal(r.inst[7].att_n, 1); /* bug-6, -7, -8 were the three */
	assert_int_equal(r.inst[8].att_n, 0);
	assert_string_equal(r.gate.row, "cause");
	assert_non_null(strstr(r.gate.text, "TypeError"));
	tg_run_fini(&r);
	pid = start(run);
	tg_sleep_ms(300);
	assert_int_equal(count(run, "att.start", NULL, NULL), 8);
	answer(run, "cause");
	assert_int_equal(finish(pid, 15000), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL), 10);
	done(run);
}

/* A provider that limits the rate "for an hour": workers + 1 attempts, and no instance is lost. */
static void a_rate_limit_spends_no_instance(void **state)
{
	const char *ids[] = { "limit-1", "limit-2", "limit-3", "limit-4", "limit-5", "limit-6", NULL };
	char *run = make(&(struct fake_run){ .workers = 3, .stop_after = 3 }, ids);
	struct tg_run r;
	int before;
	pid_t pid;

	(void)state;
	setenv("TGMON_PROBE_MS", "400", 1); /* the second probe: 2.4 s later; the "hour": 2 s */
	limit(run, true);
	pid = start(run);
	wait_for(run, "gate", "row", "rate-limit", 1);
	tg_sleep_ms(2000);
	before = count(run, "att.start", NULL, NULL);
	assert_in_range(before, 2, 4);
	assert_int_equal(count(run, "inst.retry", "why", "outage"), before);
	assert_int_equal(count(run, "gate", "row", "cause"), 0);
	limit(run, false);
	assert_int_equal(finish(pid, 20000), 0);
	unsetenv("TGMON_PROBE_MS");
	fold(&r, run);
	assert_true(r.done_ms != 0);
	for (size_t i = 0; i < r.inst_n; i++) {
		const struct tg_attempt *att = tg_instance_counted(&r.inst[i]);

		assert_int_equal(att->outcome, TG_OUT_DONE);
		if (att->n > 1)
			assert_string_equal(att->why, "retry");
	}
	tg_run_fini(&r);
	assert_int_equal(count(run, "att.start", NULL, NULL), before + 6);
	done(run);
}

static void one_probe_at_a_time(void **state)
{
	const char *ids[] = { "limit-1", "limit-2", "limit-3", "limit-4", NULL };
	char *run = make(&(struct fake_run){ .workers = 4, .stop_after = 3 }, ids);
	struct tally t;
	pid_t pid;

	(void)state;
	setenv("TGMON_PROBE_MS", "100", 1);
	limit(run, true);
	pid = start(run);
	wait_for(run, "gate", "row", "rate-limit", 1);
	wait_for(run, "att.start", "why", "retry", 3);
	t = tally(run, "gate", "row", "rate-limit");
	assert_int_equal(t.n, 1); /* a probe does not open the gate for the others */
	limit(run, false);
	assert_int_equal(finish(pid, 20000), 0);
	unsetenv("TGMON_PROBE_MS");
	done(run);
}

/* Running agents say that they wait: nothing new starts, and nothing was spent for knowing it. */
static void agents_that_wait_close_it(void **state)
{
	const char *ids[] = { "live-1", "live-2", "slow-3", "slow-4", "a-5", "a-6", NULL };
	char *run = make(&(struct fake_run){ .workers = 3, .stop_after = 3 }, ids);
	pid_t pid;
	int n;

	(void)state;
	limit(run, true);
	pid = start(run);
	wait_for(run, "gate", "row", "rate-limit", 1);
	n = count(run, "att.start", NULL, NULL);
	assert_in_range(n, 3, 4);
	tg_sleep_ms(1500);
	assert_int_equal(count(run, "att.start", NULL, NULL), n);
	limit(run, false);
	assert_int_equal(finish(pid, 30000), 0);
	assert_int_equal(count(run, "inst.retry", NULL, NULL), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL), 6);
	done(run);
}

/* A docker whose `info` does what the file `how` beside it says. */
static char *make_docker(const char *dir)
{
	static const char text[] = "#!/bin/sh\nhow=$(cat \"${0%/*}/how\")\n"
				   "case $how in hang) sleep 60;; down) exit 1;; *) echo \"$how\";; esac\n";
	char *path = tg_path_join(dir, "docker");

	assert_true(tg_file_write(path, text, strlen(text), 0700, NULL));
	return path;
}

static void docker_says(const char *dir, const char *how)
{
	char *path = tg_path_join(dir, "how");

	assert_true(tg_file_write(path, how, strlen(how), 0600, NULL));
	free(path);
}

/* Docker is down, then up, then its disk is full: nothing starts meanwhile, and nothing ends. */
static void docker_is_asked_before_anything_starts(void **state)
{
	const char *ids[] = { "a-1", "a-2", NULL };
	char *dir = cm_tmpdir(), *docker = make_docker(dir);
	char *run = make(&(struct fake_run){ .docker = docker }, ids);
	pid_t pid;

	(void)state;
	headless(true); /* these rows open by themselves: no reason to end */
	docker_says(dir, "down");
	pid = start(run);
	wait_for(run, "gate", "row", "docker", 1);
	assert_int_equal(count(run, "att.start", NULL, NULL), 0);
	setenv("TGMON_DOCKER_DISK_MIN_MB", "999999999", 1);
	docker_says(dir, dir);
	assert_int_equal(finish(pid, 15000), 0);
	assert_int_equal(count(run, "att.start", NULL, NULL), 2);
	done(run);
	run = make(&(struct fake_run){ .docker = docker }, ids);
	pid = start(run); /* with that much needed */
	wait_for(run, "gate", "row", "docker-disk", 1);
	assert_non_null(strstr(tally(run, "gate", "row", "docker-disk").last, dir));
	tg_sleep_ms(300);
	assert_int_equal(count(run, "att.start", NULL, NULL), 0);
	kill(pid, SIGTERM);
	assert_int_equal(finish(pid, 5000), 0);
	unsetenv("TGMON_DOCKER_DISK_MIN_MB");
	headless(false);
	done(run);
	assert_true(tg_remove_tree(dir, NULL));
	free(docker);
	free(dir);
}

/* A daemon that hangs closes the gate after 5 s and does not stop the loop: commands are taken. */
static void a_docker_that_hangs_blocks_nothing(void **state)
{
	const char *ids[] = { "a-1", NULL };
	char *dir = cm_tmpdir(), *docker = make_docker(dir);
	char *run = make(&(struct fake_run){ .docker = docker }, ids);
	int64_t began = tg_mono_ms();
	char req[37];
	pid_t pid;

	(void)state;
	docker_says(dir, "hang");
	pid = start(run);
	wait_for(run, "runner.start", NULL, NULL, 1);
	assert_true(tg_inbox_post(run, "pause", NULL, req, NULL));
	wait_for(run, "cmd", "verb", "pause", 1);
	assert_true(tg_mono_ms() - began < 3000);
	assert_true(tg_inbox_post(run, "resume", NULL, req, NULL));
	wait_for(run, "gate", "row", "docker", 1);
	assert_in_range(tg_mono_ms() - began, 4900, 9000);
	assert_non_null(strstr(tally(run, "gate", "row", "docker").last, "within 5 s"));
	docker_says(dir, "/nowhere");
	assert_int_equal(finish(pid, 15000), 0);
	done(run);
	assert_true(tg_remove_tree(dir, NULL));
	free(docker);
	free(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_canary_runs_alone_to_its_verdict),
		cmocka_unit_test(a_dead_key_stops_at_once),
		cmocka_unit_test(an_answer_opens_the_key_row),
		cmocka_unit_test(three_of_a_kind_close_it),
		cmocka_unit_test(a_rate_limit_spends_no_instance),
		cmocka_unit_test(one_probe_at_a_time),
		cmocka_unit_test(agents_that_wait_close_it),
		cmocka_unit_test(docker_is_asked_before_anything_starts),
		cmocka_unit_test(a_docker_that_hangs_blocks_nothing),
	};
	int rc = fake_main(argc, argv);

	if (rc >= 0)
		return rc;
	if (argc == 3 && !strcmp(argv[1], "foreground"))
		return tg_runner_main(argv[2], true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
