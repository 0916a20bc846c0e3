#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/dataset/dataset.h"
#include "core/lib/proc.h"

static void add_ours(struct tg_buf *out, const char *text, size_t n)
{
	size_t *idx, count;
	struct tg_err err = { 0 };

	if (!tg_slice_indices(text, n, &idx, &count, &err))
		fail_msg("%s refused: %s", text, err.msg);
	tg_buf_addf(out, "%s|%zu:", text, n);
	for (size_t i = 0; i < count; i++)
		tg_buf_addf(out, " %zu", idx[i]);
	tg_buf_addc(out, '\n');
	free(idx);
}

/* Every combination of these parts, against Python itself. */
static void agrees_with_python(void **state)
{
	static const char *const parts[] = { "",
					     "0",
					     "1",
					     "3",
					     "7",
					     "9",
					     "-1",
					     "-4",
					     "-7",
					     "-20",
					     "50",
					     " 2 ",
					     "99999999999999999999999",
					     "+2" };
	static const char *const steps[] = { "", ":", ":1", ":2", ":-1", ":-3", ":50", ": -2 " };
	static const size_t lengths[] = { 0, 1, 7 };
	static const char oracle[] =
	    "import sys\n"
	    "for line in sys.stdin.read().split('\\n')[:-1]:\n"
	    "    text, n = line.split('|')\n"
	    "    n = int(n)\n"
	    "    s = slice(*[int(x) if x.strip() else None for x in text.split(':')])\n"
	    "    print(f'{text}|{n}:' + ''.join(f' {i}' for i in range(n)[s]))\n";
	struct tg_buf asked = TG_BUF_INIT, ours = TG_BUF_INIT;
	struct tg_proc_result r;
	const struct tg_spawn py = { .argv =
					 (const char *const[]){ "python3", "-c", oracle, NULL } };
	char text[96];

	(void)state;
	for (size_t a = 0; a < sizeof parts / sizeof *parts; a++)
		for (size_t b = 0; b < sizeof parts / sizeof *parts; b++)
			for (size_t c = 0; c < sizeof steps / sizeof *steps; c++)
				for (size_t l = 0; l < 3; l++) {
					snprintf(text, sizeof text, "%s:%s%s", parts[a], parts[b],
						 steps[c]);
					tg_buf_addf(&asked, "%s|%zu\n", text, lengths[l]);
					add_ours(&ours, text, lengths[l]);
				}
	assert_true(tg_proc_run(&py, asked.p, asked.n, 60000, 64 << 20, &r, NULL));
	assert_int_equal(r.code, 0);
	assert_int_equal(r.out.n, ours.n);
	assert_memory_equal(r.out.p, ours.p, ours.n);
	tg_proc_result_fini(&r);
	tg_buf_fini(&asked);
	tg_buf_fini(&ours);
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = { "",	   "abc",   "1",     "1:2:3:4", "::0",
					   "::-0", "a:b",   "1:2:x", "1-2",	"1:2 3",
					   "--1:", "1.5:2", "0x10:", ":+",	"\033[31m:" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t *idx, count;
		struct tg_err err = { 0 };

		if (tg_slice_indices(bad[i], 5, &idx, &count, &err))
			fail_msg("'%s' was taken for a slice", bad[i]);
		assert_int_equal(err.code, TG_E_INPUT);
		assert_null(idx);
		assert_null(strchr(err.msg, 27));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_python),
		cmocka_unit_test(refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
