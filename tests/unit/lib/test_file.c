#include <fcntl.h>
#include <sys/stat.h>
#include "unit/cm.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

static void writes_are_whole_and_leave_no_rubbish(void **state)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_names names;
	struct tg_err err = { 0 };
	char *dir = cm_tmpdir(), *file = tg_path_join(dir, "a/b.json");
	bool changed;

	(void)state;
	assert_false(tg_file_write(file, "x", 1, 0644, &err));
	assert_int_equal(err.code, TG_E_MACHINE);
	char *sub = tg_path_join(dir, "a");
	assert_true(tg_mkdirs(sub, 0700, &err));
	assert_true(tg_file_write(file, "one", 3, 0644, &err));
	assert_true(tg_file_write_if_changed(file, "one", 3, 0644, &changed, &err));
	assert_false(changed);
	assert_true(tg_file_write_if_changed(file, "two!", 4, 0644, &changed, &err));
	assert_true(changed);
	assert_true(tg_file_read(file, 100, &b, &err));
	assert_string_equal(tg_buf_cstr(&b), "two!");
	assert_false(tg_file_read(file, 3, &b, &err));
	assert_true(tg_dir_list(sub, &names, &err));
	assert_int_equal(names.n, 1);
	tg_names_free(&names);
	assert_false(tg_mkdir_new(sub, 0700, &err));
	assert_int_equal(err.code, TG_E_BUSY);
	assert_true(tg_remove_tree(dir, &err));
	assert_false(tg_file_exists(dir));
	tg_buf_fini(&b);
	free(sub);
	free(file);
	free(dir);
}

static void planted_files_are_refused(void **state)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = { 0 };
	char *dir = cm_tmpdir(), *p;
	static const char *const bad[] = { "link", "hard", "hard2", "fifo", "../x", "/etc/passwd", "d/passwd" };

	(void)state;
	p = tg_path_join(dir, "link");
	assert_int_equal(symlink("/etc/passwd", p), 0);
	free(p);
	p = tg_path_join(dir, "d");
	assert_int_equal(symlink("/etc", p), 0);
	free(p);
	p = tg_path_join(dir, "fifo");
	assert_int_equal(mkfifo(p, 0600), 0);
	free(p);
	p = tg_path_join(dir, "hard");
	char *q = tg_path_join(dir, "hard2");
	assert_true(tg_file_write(p, "x", 1, 0600, &err));
	assert_int_equal(link(p, q), 0);
	free(p);
	free(q);
	p = tg_path_join(dir, "good");
	assert_true(tg_file_write(p, "x", 1, 0600, &err));
	free(p);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(tg_file_read_beneath(dir, bad[i], 100, &b, &err));
	assert_true(tg_file_read_beneath(dir, "good", 100, &b, &err));
	assert_true(tg_remove_tree(dir, &err));
	assert_true(tg_file_exists("/etc/passwd"));
	tg_buf_fini(&b);
	free(dir);
}

static void paths(void **state)
{
	char *p;

	(void)state;
	p = tg_path_abs("/a/./b/../c//d");
	assert_string_equal(p, "/a/c/d");
	free(p);
	p = tg_path_abs("/../..");
	assert_string_equal(p, "/");
	free(p);
	assert_true(tg_path_is_safe_relative("a/b.c"));
	static const char *const bad[] = { "", "/a", "../a", "a/..", "a//b", "a/./b", "a\\b", "a\nb", "a/" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(tg_path_is_safe_relative(bad[i]));
}

static void hostile_text_becomes_visible(void **state)
{
	static const struct { const char *in, *out; } t[] = {
		{ "a\033[31mb", "a^[[31mb" }, { "\xc2\x9b" "1m", "<U+009B>1m" }, { "x\xe2\x80\xae" "y", "x<U+202E>y" },
		{ "\xff\xc0\x80", "\\xff\\xc0\\x80" }, { "\xed\xa0\x80", "\\xed\\xa0\\x80" }, { "\x7f\r\n", "^?^M^J" },
		{ "\xe4\xb8\xad\xc3\xa9", "\xe4\xb8\xad\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct tg_buf b = TG_BUF_INIT, again = TG_BUF_INIT;
		tg_text_safe(&b, t[i].in, strlen(t[i].in), 0);
		assert_string_equal(tg_buf_cstr(&b), t[i].out);
		tg_text_safe(&again, b.p, b.n, 0);
		assert_string_equal(tg_buf_cstr(&again), t[i].out);
		tg_buf_fini(&b);
		tg_buf_fini(&again);
	}
	char *line = tg_text_line("one\ntwo three", 13, 10);
	assert_string_equal(line, "one two...");
	free(line);
}

static void processes(void **state)
{
	static const char *const cat[] = { "cat", NULL }, *const spin[] = { "sleep", "30", NULL },
		*const none[] = { "no-such-program-here", NULL }, *const sh[] = { "ls", "/proc/self/fd", NULL };
	struct tg_proc_result r;
	struct tg_err err = { 0 };
	char *big = malloc(300000);
	int leak = open("/dev/null", O_RDONLY);

	(void)state;
	memset(big, 'x', 300000);
	assert_true(tg_proc_run(&(struct tg_spawn){ .argv = cat }, big, 300000, 10000, 1 << 20, &r, &err));
	assert_int_equal(r.code, 0);
	assert_int_equal(r.out.n, 300000);
	tg_proc_result_fini(&r);
	assert_true(tg_proc_run(&(struct tg_spawn){ .argv = cat }, big, 300000, 10000, 1000, &r, &err));
	assert_int_equal(r.out.n, 1000);
	assert_true(r.truncated);
	tg_proc_result_fini(&r);
	int64_t t0 = tg_mono_ms();
	assert_true(tg_proc_run(&(struct tg_spawn){ .argv = spin }, NULL, 0, 200, 1000, &r, &err));
	assert_true(r.timed_out && r.sig == 9);
	assert_true(tg_mono_ms() - t0 < 5000);
	tg_proc_result_fini(&r);
	assert_false(tg_proc_run(&(struct tg_spawn){ .argv = none }, NULL, 0, 200, 1000, &r, &err));
	assert_int_equal(err.code, TG_E_MACHINE);
	assert_true(tg_proc_run(&(struct tg_spawn){ .argv = sh }, NULL, 0, 5000, 1000, &r, &err));
	assert_string_equal(tg_buf_cstr(&r.out), "0\n1\n2\n3\n"); /* 3 is ls reading the folder */
	tg_proc_result_fini(&r);
	assert_true(tg_proc_starttime(getpid()) > 0);
	close(leak);
	free(big);
}

static void numbers(void **state)
{
	int64_t i;
	double d;

	(void)state;
	assert_true(tg_parse_i64("-12", &i) && i == -12);
	assert_false(tg_parse_i64(" 1", &i) || tg_parse_i64("1x", &i) || tg_parse_i64("", &i) ||
		     tg_parse_i64("+1", &i) || tg_parse_i64("99999999999999999999", &i) || tg_parse_i64("-", &i));
	assert_true(tg_parse_f64("2.50", &d) && d == 2.5);
	assert_false(tg_parse_f64("nan", &d) || tg_parse_f64("1e5", &d) || tg_parse_f64("", &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_are_whole_and_leave_no_rubbish),
		cmocka_unit_test(planted_files_are_refused), cmocka_unit_test(paths),
		cmocka_unit_test(hostile_text_becomes_visible), cmocka_unit_test(processes),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
