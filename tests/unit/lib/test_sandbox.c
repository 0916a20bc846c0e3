/* The sandbox's walls, tried from inside. Skipped (77) only where bubblewrap cannot start at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/sandbox.h"

struct box {
	char dir[64];
	struct tg_proc_result r;
};

static int set_up(void **state)
{
	struct box *b = tg_calloc(1, sizeof *b);

	snprintf(b->dir, sizeof b->dir, "/tmp/tgmon-sandbox-XXXXXX");
	*state = b;
	return mkdtemp(b->dir) && chmod(b->dir, 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct box *b = *state;

	tg_proc_result_fini(&b->r);
	tg_remove_tree(b->dir, NULL);
	free(b);
	return 0;
}

/* Run a script inside with the box's folder at /testbed; the code is in b->r. */
static const char *run(struct box *b, const char *script)
{
	const struct tg_bind binds[] = { { b->dir, "/testbed", true }, { NULL, NULL, false } };
	const char *const env[] = { "COLOUR=green", NULL };
	const struct tg_sandbox sb = { .binds = binds, .cwd = "/testbed", .env = env };
	struct tg_err err = { 0 };

	tg_proc_result_fini(&b->r);
	if (!tg_sandbox_run(&sb, (const char *const[]){ "bash", "-c", script, NULL }, NULL, 0,
			    20000, 1 << 20, true, &b->r, &err))
		fail_msg("%s", err.msg);
	return tg_buf_cstr(&b->r.out);
}

static void refuses(struct box *b, const char *script)
{
	const char *out = run(b, script);

	if (b->r.code == 0)
		fail_msg("this worked inside the sandbox: %s\n%s", script, out);
}

static void runs_commands(void **state)
{
	struct box *b = *state;

	assert_string_equal(run(b, "echo out; echo err >&2; pwd; echo $COLOUR; exit 7"),
			    "out\nerr\n/testbed\ngreen\n");
	assert_int_equal(b->r.code, 7);
	run(b, "kill -9 $$");
	assert_int_equal(b->r.code, 128 + 9);
	run(b, "id -u; python3 -c 'import sqlite3, json; print(1)'; git --version");
	assert_int_equal(b->r.code, 0);
	assert_memory_equal(b->r.out.p, "65534\n1\ngit version", 19);
}

static void has_no_network(void **state)
{
	refuses(*state, "exec 3<>/dev/tcp/127.0.0.1/22");
	refuses(*state, "exec 3<>/dev/tcp/1.1.1.1/53");
	assert_string_equal(run(*state, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"),
			    "lo\n");
}

static void hides_the_host(void **state)
{
	struct box *b = *state;
	char script[256];

	assert_string_equal(run(b, "ls /home /root /srv /var /sys /run /mnt /opt 2>/dev/null"),
			    "/home:\n");
	assert_string_equal(
	    run(b, "ls /etc | sort | tr '\\n' ' ' | sed 's/ld.so.cache //;s/alternatives //'"),
	    "group passwd ");
	assert_string_equal(run(b, "ls /tmp"), "");
	refuses(b, "cat /etc/shadow");
	snprintf(script, sizeof script, "test -e /proc/%d/status", (int)getpid());
	refuses(b, script);
	refuses(b, "env | grep -E 'USER|SECRET|SSH'");
}

static void root_is_read_only(void **state)
{
	static const char *const places[] = {
		"/usr/x", "/bin/x", "/x", "/dev/x", "/etc/x", "/lib/x"
	};
	char script[64];

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(script, sizeof script, "touch %s", places[i]);
		refuses(*state, script);
	}
	refuses(*state, "mount -o remount,bind,rw /usr");
	refuses(*state, "mount -t tmpfs none /mnt");
	refuses(*state, "unshare -Urm true");
	refuses(*state, "chmod 666 /dev/null"); /* the host's own node: even without a change */
	refuses(*state, "test -w /proc/sys/kernel/core_pattern");
	refuses(*state, "find /proc/sys -type f -writable | grep .");
	refuses(*state, "test -w /proc/sysrq-trigger");
	assert_string_equal(run(*state, "grep -c '^Cap.*:.*[1-9a-f]' /proc/self/status"), "0\n");
	assert_string_equal(run(*state, "grep NoNewPrivs /proc/self/status | cut -f2"), "1\n");
}

static void writable_bind_works(void **state)
{
	struct box *b = *state;
	struct tg_buf text = TG_BUF_INIT;
	char path[96];
	struct stat st;

	run(b, "echo inside > made; mkdir d && echo x > d/y && cat made");
	assert_int_equal(b->r.code, 0);
	snprintf(path, sizeof path, "%s/made", b->dir);
	assert_true(tg_file_read(path, 0, &text, NULL));
	assert_string_equal(tg_buf_cstr(&text), "inside\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, geteuid() == 0 ? 65533 : geteuid());
	tg_buf_fini(&text);
}

static void read_only_bind_is(void **state)
{
	struct box *b = *state;
	const struct tg_bind binds[] = { { b->dir, "/testbed", false }, { NULL, NULL, false } };
	const struct tg_sandbox sb = { .binds = binds, .cwd = "/testbed" };

	assert_true(tg_sandbox_run(&sb, (const char *const[]){ "touch", "x", NULL }, NULL, 0, 20000,
				   4096, false, &b->r, NULL));
	assert_int_not_equal(b->r.code, 0);
	assert_int_equal(b->r.out.n, 0);
	assert_true(b->r.err.n > 0);
}

/* decisions.md, "Two locks": whatever descriptor we hold, 9 most of all, ends at the border. */
static void no_descriptor_leaks(void **state)
{
	struct box *b = *state;
	int fd = open("/dev/null", O_RDWR); /* not close-on-exec, on purpose */

	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, 9), 9);
	assert_int_equal(dup2(fd, 42), 42);
	assert_string_equal(
	    run(b, "for f in /proc/self/fd/*; do echo ${f##*/}; done | grep -v '^3$'"),
	    "0\n1\n2\n"); /* 3: bash reads the folder */
	refuses(b, "ls -l /proc/1/fd | grep -E ' (9|42) -> '");
	close(9);
	close(42);
	close(fd);
}

static void feeds_input_and_caps_output(void **state)
{
	struct box *b = *state;
	const struct tg_sandbox sb = { .cwd = "/tmp" };

	assert_true(tg_sandbox_run(&sb, (const char *const[]){ "cat", NULL }, "hello", 5, 20000, 3,
				   true, &b->r, NULL));
	assert_string_equal(tg_buf_cstr(&b->r.out), "hel");
	assert_true(b->r.truncated);
}

static void time_limit_kills_the_tree(void **state)
{
	struct box *b = *state;
	const struct tg_bind binds[] = { { b->dir, "/testbed", true }, { NULL, NULL, false } };
	const struct tg_sandbox sb = { .binds = binds, .cwd = "/testbed" };
	int64_t start = tg_mono_ms(), size;
	char path[96];

	assert_true(
	    tg_sandbox_run(&sb,
			   (const char *const[]){ "bash", "-c",
						  "(setsid bash -c 'while :; do echo x >> beat; "
						  "sleep 0.02; done' >/dev/null 2>&1 &) ; "
						  "echo before; sleep 60",
						  NULL },
			   NULL, 0, 700, 4096, true, &b->r, NULL));
	assert_true(b->r.timed_out);
	assert_string_equal(tg_buf_cstr(&b->r.out), "before\n");
	assert_true(tg_mono_ms() - start < 6000);
	snprintf(path, sizeof path, "%s/beat", b->dir);
	size = tg_file_size(path);
	assert_true(size > 0);
	tg_sleep_ms(200);
	assert_int_equal(tg_file_size(path), size);
}

/* What a command leaves in the background ends with it. */
static void background_ends_with_command(void **state)
{
	struct box *b = *state;
	int64_t size;
	char path[96];

	run(b, "(setsid bash -c 'while :; do echo x >> beat; sleep 0.01; done' >/dev/null 2>&1 &); "
	       "sleep 0.2");
	snprintf(path, sizeof path, "%s/beat", b->dir);
	size = tg_file_size(path);
	assert_true(size > 0);
	tg_sleep_ms(200);
	assert_int_equal(tg_file_size(path), size);
}

/* We are killed: nothing inside lives on. */
static void dies_with_its_parent(void **state)
{
	struct box *b = *state;
	char path[96];
	int64_t size;
	pid_t pid = fork();

	if (pid == 0) {
		run(b, "while :; do echo x >> beat; sleep 0.01; done");
		_exit(0);
	}
	snprintf(path, sizeof path, "%s/beat", b->dir);
	for (int i = 0; i < 500 && tg_file_size(path) <= 0; i++)
		tg_sleep_ms(10);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tg_sleep_ms(300);
	size = tg_file_size(path);
	assert_true(size > 0);
	tg_sleep_ms(200);
	assert_int_equal(tg_file_size(path), size);
}

static void limits_hold(void **state)
{
	struct box *b = *state;
	const struct tg_bind binds[] = { { b->dir, "/testbed", true }, { NULL, NULL, false } };
	const struct tg_sandbox sb = {
		.binds = binds,
		.cwd = "/testbed",
		.tmp_bytes = 1 << 20,
		.limits = { .fsize_bytes = 100000, .as_bytes = 200 << 20, .cpu_s = 1, .nproc = 16 }
	};
	static const char *const hogs[] = {
		"dd if=/dev/zero of=big bs=1000 count=1000",
		"dd if=/dev/zero of=/tmp/a bs=99000 count=1 && cp /tmp/a /tmp/b && for i in $(seq "
		"20); do "
		"cp /tmp/a /tmp/c$i || exit 1; done",
		"python3 -c 'x = bytearray(400 << 20)'",
		"while :; do :; done",
	};

	for (size_t i = 0; i < sizeof hogs / sizeof *hogs; i++) {
		tg_proc_result_fini(&b->r);
		assert_true(tg_sandbox_run(&sb,
					   (const char *const[]){ "bash", "-c", hogs[i], NULL },
					   NULL, 0, 20000, 4096, true, &b->r, NULL));
		if (b->r.code == 0 || b->r.timed_out)
			fail_msg("no limit stopped: %s", hogs[i]);
	}
	tg_proc_result_fini(&b->r);
	assert_true(tg_sandbox_run(
	    &sb,
	    (const char *const[]){ "bash", "-c", "for i in $(seq 40); do sleep 5 & done", NULL },
	    NULL, 0, 20000, 4096, true, &b->r, NULL));
	assert_non_null(strstr(tg_buf_cstr(&b->r.out), "fork"));
}

/* A sandbox that cannot be set up is an error of ours, never a result of the command. */
static void failure_to_start_is_no_result(void **state)
{
	struct box *b = *state;
	const struct tg_bind binds[] = { { "/nonexistent/folder", "/testbed", true },
					 { NULL, NULL, false } };
	const struct tg_sandbox sb = { .binds = binds, .cwd = "/testbed" };
	struct tg_err err = { 0 };

	assert_false(tg_sandbox_run(&sb, (const char *const[]){ "true", NULL }, NULL, 0, 20000,
				    4096, true, &b->r, &err));
	assert_int_equal(err.code, TG_E_MACHINE);
	assert_non_null(strstr(err.msg, "/nonexistent/folder"));
}

static void missing_bubblewrap_is_explained(void **state)
{
	char *path = tg_strdup(getenv("PATH"));
	struct tg_err err = { 0 };

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_false(tg_sandbox_check(&err));
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(err.code, TG_E_MACHINE);
	assert_non_null(strstr(err.msg, "apt-get install bubblewrap"));
}

#define BOX(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX(runs_commands),
		BOX(has_no_network),
		BOX(hides_the_host),
		BOX(root_is_read_only),
		BOX(writable_bind_works),
		BOX(read_only_bind_is),
		BOX(no_descriptor_leaks),
		BOX(feeds_input_and_caps_output),
		BOX(time_limit_kills_the_tree),
		BOX(background_ends_with_command),
		BOX(dies_with_its_parent),
		BOX(limits_hold),
		BOX(failure_to_start_is_no_result),
		cmocka_unit_test(missing_bubblewrap_is_explained),
	};
	struct tg_err err;

	setenv("TGMON_SECRET", "x", 1);
	if (!tg_sandbox_check(&err)) {
		printf("skipped: %s\n", err.msg);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
