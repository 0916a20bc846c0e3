/*
 * The shim against jobs that will not die. This program is its own zoo: "job NAME" is one of the
 * animals below, "shim DIR" the shim, so that everything runs as it does in life.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "unit/cm.h"
#include "runner/fake.h"
#include "core/run/lock.h"
#include "core/runner/executor.h"
#include "core/runner/pidfile.h"
#include "core/runner/shim.h"

/* ---- the zoo: argv[2] is the animal, argv[3] a folder for its marks ---------------------------
 */

static void leave_mark(const char *folder, const char *name)
{
	char *path = tg_asprintf("%s/%s.%d", folder, name, (int)getpid());
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	free(path);
}

static void hang(void)
{
	for (;;)
		pause();
}

/* Sixty-four processes, half of them in sessions of their own, that hang. */
static int job_storm(const char *folder)
{
	for (int i = 0; i < 64; i++)
		if (fork() == 0) {
			if (i % 2 && fork() != 0)
				_exit(0);
			if (i % 2)
				setsid();
			signal(SIGTERM, SIG_IGN);
			leave_mark(folder, "storm");
			hang();
		}
	tg_sleep_ms(300);
	return 0;
}

/* Each generation starts a new session, forks the next and dies: there is never one pid to aim at.
 */
static int job_runner_away(const char *folder)
{
	if (fork() == 0)
		for (int64_t until = tg_mono_ms() + 20000; tg_mono_ms() < until;) {
			setsid();
			signal(SIGTERM, SIG_IGN);
			if (fork() != 0)
				_exit(0);
			usleep(500);
		}
	leave_mark(folder, "away");
	tg_sleep_ms(50);
	return 0;
}

static int job_escapee(const char *folder)
{
	if (fork() == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		leave_mark(folder, "escaped");
		hang();
	}
	tg_sleep_ms(100);
	return 7;
}

static int job_ignorer(const char *folder)
{
	signal(SIGTERM, SIG_IGN);
	leave_mark(folder, "ignorer");
	hang();
	return 0;
}

static int job_talker(void)
{
	char line[1000];

	memset(line, 'x', sizeof line);
	memcpy(line, "HEAD", 4);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 20000; i++) { /* 20 MB */
		snprintf(line, 20, "line %08d", i);
		line[13] = ' ';
		(void)!write(STDOUT_FILENO, line, sizeof line);
	}
	(void)!write(STDERR_FILENO, "the last word\n", 14);
	return 0;
}

/* Unlocks and closes every descriptor it finds, then goes on living. */
static int job_hostile(const char *folder)
{
	leave_mark(folder, "hostile");
	for (int fd = 0; fd < 256; fd++) {
		flock(fd, LOCK_UN);
		close(fd);
	}
	leave_mark(folder, "unlocked");
	hang();
	return 0;
}

static int job(const char *name, const char *folder)
{
	if (tg_streq(name, "storm"))
		return job_storm(folder);
	if (tg_streq(name, "away"))
		return job_runner_away(folder);
	if (tg_streq(name, "escapee"))
		return job_escapee(folder);
	if (tg_streq(name, "ignorer"))
		return job_ignorer(folder);
	if (tg_streq(name, "talker"))
		return job_talker();
	if (tg_streq(name, "hostile"))
		return job_hostile(folder);
	if (tg_streq(name, "env"))
		return getenv("SECRET_OF_OURS") == NULL && tg_streq(getenv("GIVEN"), "yes") &&
		       tg_streq(getenv("PASSED"), "on") && getenv("PATH") ? 0 : 1;
	return 99;
}

/* ---- helpers -------------------------------------------------------------------------------- */

static char *make_job(const char *name, int timeout_s, int grace_s)
{
	char *base = cm_tmpdir(), *dir = tg_path_join(base, "job"),
	     *work = tg_path_join(dir, "work");
	struct tg_job j = {.stage = TG_STAGE_AGENT,
			   .instance_id = tg_strdup("x-1"),
			   .attempt = 1,
			   .k = 1,
			   .dir = tg_strdup(dir),
			   .timeout_s = timeout_s,
			   .grace_s = grace_s};
	struct tg_err err = { 0 };

	j.argv = tg_calloc(5, sizeof *j.argv);
	j.argv[0] = tg_self_exe();
	j.argv[1] = tg_strdup("job");
	j.argv[2] = tg_strdup(name);
	j.argv[3] = tg_strdup(work);
	j.env = tg_calloc(2, sizeof *j.env);
	j.env[0] = tg_strdup("GIVEN=yes");
	j.env_pass = tg_calloc(2, sizeof *j.env_pass);
	j.env_pass[0] = tg_strdup("PASSED");
	assert_true(tg_mkdirs(work, 0700, &err));
	assert_true(tg_job_write(&j, NULL, &err));
	tg_job_fini(&j);
	free(base);
	free(work);
	return dir;
}

static int start(const char *dir)
{
	char *tree = tg_path_join(dir, "tree.lock");
	struct tg_err err = { 0 };
	int lock, pidfd = -1;

	assert_true(tg_lock_take(tree, NULL, 100, &lock, &err));
	assert_true(tg_executor_find("local")->start(dir, lock, &pidfd, &err));
	close(lock);
	free(tree);
	return pidfd;
}

static bool wait_dead(const char *dir, int64_t ms)
{
	for (int64_t until = tg_mono_ms() + ms; tg_mono_ms() < until; tg_sleep_ms(10)) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (tg_job_alive(dir, NULL) == TG_ALIVE_NO)
			return true;
	}
	return false;
}

static bool wait_mark(const char *dir, const char *prefix, int64_t ms)
{
	char *work = tg_path_join(dir, "work");
	bool found = false;

	for (int64_t until = tg_mono_ms() + ms; !found && tg_mono_ms() < until; tg_sleep_ms(10)) {
		struct tg_names names;

		assert_true(tg_dir_list(work, &names, NULL));
		for (size_t i = 0; i < names.n; i++)
			found = found || tg_starts_with(names.v[i], prefix);
		tg_names_free(&names);
	}
	free(work);
	return found;
}

/* Every process that left a mark is dead. */
static size_t marked_alive(const char *dir, size_t *marks)
{
	char *work = tg_path_join(dir, "work");
	struct tg_names names;
	size_t alive = 0;
	int64_t pid;

	*marks = 0;
	assert_true(tg_dir_list(work, &names, NULL));
	for (size_t i = 0; i < names.n; i++) {
		const char *dot = strrchr(names.v[i], '.');

		if (dot && tg_parse_i64(dot + 1, &pid)) {
			(*marks)++;
			alive += kill((pid_t)pid, 0) == 0;
		}
	}
	tg_names_free(&names);
	free(work);
	return alive;
}

static struct tg_exit exit_of(const char *dir)
{
	struct tg_err err = { 0 };
	struct tg_exit x;

	if (!tg_exit_load(&x, dir, &err))
		fail_msg("%s", err.msg);
	return x;
}

static void done(char *dir)
{
	char *base = tg_path_dir(dir);

	tg_remove_tree(base, NULL);
	free(base);
	free(dir);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void a_job_survives_writing_and_reading(void **state)
{
	char *dir = make_job("env", 12, 3);
	struct tg_err err = { 0 };
	struct tg_job j;

	(void)state;
	assert_true(tg_job_load(&j, dir, &err));
	assert_int_equal(j.stage, TG_STAGE_AGENT);
	assert_string_equal(j.instance_id, "x-1");
	assert_int_equal(j.timeout_s, 12);
	assert_int_equal(j.grace_s, 3);
	assert_string_equal(j.argv[2], "env");
	assert_string_equal(j.env[0], "GIVEN=yes");
	assert_string_equal(j.env_pass[0], "PASSED");
	tg_job_fini(&j);
	done(dir);
}

static void the_environment_is_constructed(void **state)
{
	char *dir = make_job("env", 30, 1);

	(void)state;
	setenv("SECRET_OF_OURS", "x", 1);
	setenv("PASSED", "on", 1);
	close(start(dir));
	assert_true(wait_dead(dir, 10000));
	assert_int_equal(exit_of(dir).code, 0);
	assert_string_equal(exit_of(dir).why, "exit");
	done(dir);
}

static void a_fork_storm_is_dead_afterwards(void **state)
{
	char *dir = make_job("storm", 30, 1);
	size_t marks;

	(void)state;
	close(start(dir));
	assert_true(wait_dead(dir, 15000));
	assert_int_equal(exit_of(dir).code, 0);
	assert_int_equal(marked_alive(dir, &marks), 0);
	assert_true(marks > 30);
	done(dir);
}

static void what_changes_sessions_all_the_time_dies_too(void **state)
{
	char *dir = make_job("away", 30, 1);

	(void)state;
	close(start(dir));
	assert_true(wait_dead(dir, 15000));
	assert_string_equal(exit_of(dir).why, "exit");
	assert_int_equal(tg_members_count(dir), 0);
	done(dir);
}

static void a_setsid_escapee_is_dead_afterwards(void **state)
{
	char *dir = make_job("escapee", 30, 1);
	size_t marks;

	(void)state;
	close(start(dir));
	assert_true(wait_dead(dir, 10000));
	assert_int_equal(exit_of(dir).code, 7);
	assert_int_equal(marked_alive(dir, &marks), 0);
	assert_int_equal(marks, 1);
	done(dir);
}

/* No runner lives here: the limit is the shim's own. */
static void the_time_limit_holds_against_a_deaf_job(void **state)
{
	char *dir = make_job("ignorer", 1, 1);
	struct tg_exit x;

	(void)state;
	close(start(dir));
	assert_true(wait_dead(dir, 10000));
	x = exit_of(dir);
	assert_string_equal(x.why, "timeout");
	assert_int_equal(x.sig, SIGKILL);
	assert_in_range(x.ended_ms - x.started_ms, 1900, 2700);
	done(dir);
}

static void a_kill_order_is_followed(void **state)
{
	char *dir = make_job("ignorer", 60, 30);
	int pidfd = start(dir);
	struct tg_exit x;

	(void)state;
	assert_true(wait_mark(dir, "ignorer", 5000));
	tg_executor_find("local")->stop(dir, pidfd, "operator", 0);
	close(pidfd);
	assert_true(wait_dead(dir, 5000));
	x = exit_of(dir);
	assert_string_equal(x.why, "killed");
	assert_int_equal(x.sig, SIGKILL);
	done(dir);
}

/* The file alone is enough: who stops need not be able to signal. */
static void a_kill_order_needs_no_signal(void **state)
{
	char *dir = make_job("ignorer", 60, 30);

	(void)state;
	close(start(dir));
	assert_true(wait_mark(dir, "ignorer", 5000));
	tg_executor_find("local")->stop(dir, -1, "operator", 0);
	assert_true(wait_dead(dir, 5000));
	assert_string_equal(exit_of(dir).why, "killed");
	done(dir);
}

static void the_log_is_bounded_and_keeps_both_ends(void **state)
{
	char *dir = make_job("talker", 60, 1), *path = tg_path_join(dir, "out.log");
	struct tg_buf log = TG_BUF_INIT;

	(void)state;
	close(start(dir));
	assert_true(wait_dead(dir, 30000));
	assert_true(exit_of(dir).log_truncated);
	assert_true(tg_file_read(path, 0, &log, NULL));
	assert_in_range(log.n, TG_LOG_HEAD + TG_LOG_TAIL / 2, TG_LOG_HEAD + TG_LOG_TAIL);
	assert_memory_equal(log.p, "line 00000000", 13);
	assert_non_null(strstr(log.p, "bytes were cut out here"));
	assert_non_null(strstr(log.p, "line 00019999"));
	assert_string_equal(log.p + log.n - 14, "the last word\n");
	tg_buf_fini(&log);
	free(path);
	done(dir);
}

/* It frees tree.lock for the shim as well (one open file description). The shim's own lock and,
 * once the shim is gone, the sweep still say that it lives. */
static void a_job_that_unlocks_everything_is_still_alive(void **state)
{
	char *dir = make_job("hostile", 60, 1), *tree = tg_path_join(dir, "tree.lock");
	int pidfd = start(dir), dead = -1;

	(void)state;
	assert_true(wait_mark(dir, "unlocked", 5000));
	assert_false(tg_lock_held(tree));
	assert_int_equal(tg_job_alive(dir, NULL), TG_ALIVE_SHIM);
	assert_true(tg_pidfd_signal(pidfd, SIGKILL));
	for (int i = 0; i < 200 && dead <= 0; i++, tg_sleep_ms(5))
		dead = waitpid(-1, NULL, WNOHANG);
	assert_int_equal(tg_job_alive(dir, NULL), TG_ALIVE_ORPHAN);
	assert_int_equal(tg_members_kill(dir), 1);
	assert_true(wait_dead(dir, 5000));
	close(pidfd);
	free(tree);
	done(dir);
}

/* After a reboot the number belongs to somebody else. */
static void a_stranger_with_the_number_is_not_adopted(void **state)
{
	char *dir = make_job("env", 5, 1);
	struct tg_pid p;
	int pidfd = 5;

	(void)state;
	tg_pid_self(&p);
	p.starttime++;
	p.child = p.pid;
	p.child_starttime = p.starttime;
	assert_true(tg_pid_write(&p, dir, NULL));
	assert_int_equal(tg_job_alive(dir, &pidfd), TG_ALIVE_NO);
	assert_int_equal(pidfd, -1);
	tg_pid_self(&p);
	memset(p.boot_id, 'x', 36);
	assert_true(tg_pid_write(&p, dir, NULL));
	assert_int_equal(tg_job_alive(dir, &pidfd), TG_ALIVE_NO);
	done(dir);
}

static void garbage_is_no_exit(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{",
	    "[]",
	    "{\"schema\":\"tgmon.exit.v1\"}",
	    "{\"schema\":\"x\",\"why\":\"exit\"}",
	    "{\"schema\":\"tgmon.exit.v1\",\"why\":\"a word that is much too long\"}",
	};
	char *dir = make_job("env", 5, 1), *path = tg_path_join(dir, "exit.json");
	struct tg_exit x;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_true(tg_file_write(path, bad[i], strlen(bad[i]), 0600, NULL));
		assert_false(tg_exit_load(&x, dir, NULL));
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_false(tg_exit_load(&x, dir, NULL));
	free(path);
	done(dir);
}

static void a_program_that_is_not_there_is_an_exit(void **state)
{
	char *dir = make_job("env", 5, 1);
	struct tg_err err = { 0 };
	struct tg_job j;

	(void)state;
	assert_true(tg_job_load(&j, dir, &err));
	free(j.argv[0]);
	j.argv[0] = tg_strdup("/nonexistent/agent");
	assert_true(tg_job_write(&j, NULL, &err));
	tg_job_fini(&j);
	close(start(dir));
	assert_true(wait_dead(dir, 5000));
	assert_int_equal(exit_of(dir).code, 127);
	done(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_survives_writing_and_reading),
		cmocka_unit_test(the_environment_is_constructed),
		cmocka_unit_test(a_fork_storm_is_dead_afterwards),
		cmocka_unit_test(what_changes_sessions_all_the_time_dies_too),
		cmocka_unit_test(a_setsid_escapee_is_dead_afterwards),
		cmocka_unit_test(the_time_limit_holds_against_a_deaf_job),
		cmocka_unit_test(a_kill_order_is_followed),
		cmocka_unit_test(a_kill_order_needs_no_signal),
		cmocka_unit_test(the_log_is_bounded_and_keeps_both_ends),
		cmocka_unit_test(a_job_that_unlocks_everything_is_still_alive),
		cmocka_unit_test(a_stranger_with_the_number_is_not_adopted),
		cmocka_unit_test(garbage_is_no_exit),
		cmocka_unit_test(a_program_that_is_not_there_is_an_exit),
	};
	int rc;

	if (argc == 4 && tg_streq(argv[1], "job"))
		return job(argv[2], argv[3]);
	rc = fake_main(argc, argv);
	return rc >= 0 ? rc : cmocka_run_group_tests(tests, NULL, NULL);
}
