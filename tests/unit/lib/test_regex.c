/* regex.h: Python's re.search, Unicode words, bytes that are no UTF-8, and patterns that never end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/regex.h"

static bool finds(const char *pattern, unsigned flags, const char *text, size_t n)
{
	struct tg_err err;
	struct tg_regex *re = tg_regex_new(pattern, flags, &err);
	bool found;

	if (!re)
		fail_msg("%s", err.msg);
	found = tg_regex_search(re, text, n, NULL, NULL, NULL);
	tg_regex_free(re);
	return found;
}

static void searches(void **state)
{
	static const struct {
		const char *pattern;
		unsigned flags;
		const char *text;
		bool found;
	} t[] = {
	    {"\\bpip\\b", 0, "run pip now", true},
	    {"\\bpip\\b", 0, "pipe", false},
	    {"\\bpip\\b", 0, "\xc3\xa9pip", false}, /* é is a letter: no border */
	    {"^\\w+$", 0, "na\xc3\xafve", true},
	    {"PIP", 0, "pip", false},
	    {"PIP", TG_REGEX_ICASE, "pip", true},
	    {"a$", 0, "a\n", true},
	    {"a.b", 0, "a\rb", true},
	    {"a.b", 0, "a\nb", false},
	    {"", 0, "", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof *t; i++)
		if (finds(t[i].pattern, t[i].flags, t[i].text, strlen(t[i].text)) != t[i].found)
			fail_msg("%s in %s", t[i].pattern, t[i].text);
}

static void gives_the_span(void **state)
{
	struct tg_err err;
	struct tg_regex *re = tg_regex_new("b+", 0, &err);
	size_t from = 9, to = 9;
	bool limit = false;

	(void)state;
	assert_true(tg_regex_search(re, "abbc", 4, &from, &to, &limit));
	assert_int_equal(from, 1);
	assert_int_equal(to, 3);
	assert_false(limit);
	tg_regex_free(re);
}

static void bytes_that_are_no_utf8(void **state)
{
	(void)state;
	assert_true(finds("rm.*-rf", 0, "rm \xff\xfe -rf", 9));
	assert_true(finds("curl", 0, "\xc3(curl", 6));
	assert_true(finds("a\\x00b", 0, "a\0b", 3));
}

static void bad_patterns_say_where(void **state)
{
	struct tg_err err;

	(void)state;
	assert_null(tg_regex_new("a(b", 0, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_non_null(strstr(err.msg, "'a(b'"));
	assert_non_null(strstr(err.msg, "offset 3"));
	assert_null(tg_regex_new("\xff", 0, &err));
	assert_null(tg_regex_new("a\\Cb", 0, &err));
}

static void endless_patterns_end(void **state)
{
	struct tg_err err;
	struct tg_regex *re = tg_regex_new("(a|aa)+$", 0, &err);
	struct tg_buf b = TG_BUF_INIT;
	int64_t t0 = tg_mono_ms();
	bool limit = false;
	int i;

	(void)state;
	for (i = 0; i < 2000; i++)
		tg_buf_addc(&b, 'a');
	tg_buf_addc(&b, '!');
	assert_true(tg_regex_search(re, b.p, b.n, NULL, NULL, &limit)); /* counts as found */
	assert_true(limit);
	assert_true(tg_mono_ms() - t0 < 30000);
	tg_regex_free(re);
	tg_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(searches),
	    cmocka_unit_test(gives_the_span),
	    cmocka_unit_test(bytes_that_are_no_utf8),
	    cmocka_unit_test(bad_patterns_say_where),
	    cmocka_unit_test(endless_patterns_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
