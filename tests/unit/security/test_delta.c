/* What counts as new: identity of findings, files that stop parsing, files that are not text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/security/delta.h"

static const struct {
	const char *name, *path, *before, *after;
	const char *fresh;  /* codes of new findings, "A,B"; NULL: not scanned */
} cases[] = {
    {"same", "a.py", "eval(x)\n", "eval(x)\n", ""},
    {"moved down", "a.py", "eval(x)\n", "y = 1\n\n\nz = eval( x )  # here now\n", ""},
    {"reformatted", "a.py", "random.choice(a, b)\n", "random.choice(\n    a,\n    b)\n", ""},
    {"second of a kind", "a.py", "random.random()\n", "random.random()\nrandom.random()\n",
     "WEAK_RNG_USAGE"},
    {"two more", "a.py", "random.random()\n", "random.random()\nrandom.random()\nrandom.random()\n",
     "WEAK_RNG_USAGE,WEAK_RNG_USAGE"},
    {"one fewer", "a.py", "random.random()\nrandom.random()\n", "random.random()\n", ""},
    {"another scope", "a.py", "def f():\n  return random.random()\n",
     "def f():\n  return 1\ndef g():\n  return random.random()\n", ""},
    {"another scope, and one stays", "a.py", "def f():\n  return random.random()\n",
     "def f():\n  return random.random()\ndef g():\n  return random.random()\n", "WEAK_RNG_USAGE"},
    {"two swap places", "a.py", "def f():\n  eval(x)\ndef g():\n  eval(y)\n",
     "def f():\n  eval(y)\ndef g():\n  eval(x)\n", ""},
    {"another secret", "a.py", "token = 'abcdef'\n", "token = 'ghijkl'\n", "HARDCODED_SECRETS"},
    {"string's blanks count", "a.py", "token = 'abc def'\n", "token = 'abc  def'\n",
     "HARDCODED_SECRETS"},
    {"removed", "a.py", "token = 'abcdef'\n", "x = 1\n", ""},
    {"deleted file", "a.py", "token = 'abcdef'\n", NULL, ""},
    {"new file", "a.py", NULL, "token = 'abcdef'\nc.execute('a' + b)\n",
     "HARDCODED_SECRETS,SQLI_STRING_CONCAT"},
    {"empty new file", "a.py", NULL, "", ""},
    {"stops parsing", "a.py", "x = 1\n", "x = = 1\n", TG_CODE_SYNTAX},
    {"new and broken", "a.py", NULL, "print 'x'\n", TG_CODE_SYNTAX},
    {"new broken script", "tool", NULL, "#!/usr/bin/python\nprint 'x'\n", NULL},
    {"never parsed", "a.py", "print 'x'\n", "print 'x'\ntoken = 'abcdef'\n", NULL},
    {"parses only now", "a.py", "print 'x'\n", "print('x')\ntoken = 'abcdef'\n", NULL},
    {"byte order mark stays", "a.py", "\xEF\xBB\xBFx = 1\n", "\xEF\xBB\xBFtoken = 'abcdef'\n",
     NULL},
    {"byte order mark comes", "a.py", "x = 1\n", "\xEF\xBB\xBFx = 1\n", TG_CODE_SYNTAX},
    {"latin-1", "a.py", "# \xE9\n", "# \xE9\ntoken = 'abcdef'\n", "HARDCODED_SECRETS"},
    {"line ends", "a.py", "eval(x)\n", "eval(x)\r\n", ""},
};

static int load(void **state)
{
	*state = tg_rules_load(NULL, NULL);
	return *state ? 0 : -1;
}

static int unload(void **state)
{
	tg_rules_free(*state);
	return 0;
}

static void run_case(const struct tg_rules *rules, size_t i, struct tg_delta *d)
{
	struct tg_buf before = TG_BUF_INIT, after = TG_BUF_INIT;

	if (cases[i].before)
		tg_buf_adds(&before, cases[i].before);
	if (cases[i].after)
		tg_buf_adds(&after, cases[i].after);
	tg_delta_scan(rules, cases[i].path, cases[i].before ? &before : NULL,
		      cases[i].after ? &after : NULL, d);
	tg_buf_fini(&before);
	tg_buf_fini(&after);
}

static void test_cases(void **state)
{
	size_t bad = 0;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tg_buf fresh = TG_BUF_INIT;
		struct tg_delta d;
		bool same;

		run_case(*state, i, &d);
		for (size_t k = 0; k < d.after.n; k++) {
			if (d.is_new[k])
				tg_buf_addf(&fresh, "%s%s", fresh.n ? "," : "",
					    d.after.v[k].rule->code);
		}
		same = d.scanned == (cases[i].fresh != NULL) &&
		       !strcmp(tg_buf_cstr(&fresh), cases[i].fresh ? cases[i].fresh : "") &&
		       (d.scanned || d.reason);
		if (!same) {
			print_error("%s: scanned %d, new %s\n", cases[i].name, d.scanned,
				    tg_buf_cstr(&fresh));
			bad++;
		}
		tg_buf_fini(&fresh);
		tg_delta_fini(&d);
	}
	assert_int_equal(bad, 0);
}

static void test_is_python(void **state)
{
	struct tg_buf sh = TG_BUF_INIT, py = TG_BUF_INIT;

	(void)state;
	tg_buf_adds(&sh, "#!/bin/sh\npython x\n");
	tg_buf_adds(&py, "#!/usr/bin/env python3\n");
	assert_true(tg_is_python("a/b.py", NULL));
	assert_false(tg_is_python("a/b.pyx", NULL));
	assert_false(tg_is_python("tool", &sh));
	assert_true(tg_is_python("tool", &py));
	tg_buf_fini(&sh);
	tg_buf_fini(&py);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_is_python),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
