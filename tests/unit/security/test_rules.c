/* The rule pack: a table of our own, the reference's vectors, and sources that mean harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/security/rules.h"
#include "core/security/scan.h"
#include "unit/security/departures.h"

#define SYNTAX TG_CODE_SYNTAX

static int load(void **state)
{
	struct tg_err err = { 0 };

	*state = tg_rules_load(NULL, &err);
	if (!*state)
		fprintf(stderr, "%s\n", err.msg);
	return *state ? 0 : -1;
}

static int unload(void **state)
{
	tg_rules_free(*state);
	return 0;
}

/* The codes as "A,B"; caller frees. */
static char *codes_of(const struct tg_rules *rules, const char *p, size_t n,
		      const char *const *active)
{
	struct tg_findings f;
	struct tg_buf b = TG_BUF_INIT;
	const char **codes;

	tg_rules_scan(rules, p, n, &f);
	codes = tg_findings_codes(&f, active);
	for (const char **c = codes; *c; c++)
		tg_buf_addf(&b, "%s%s", b.n ? "," : "", *c);
	tg_buf_adds(&b, "");
	free(codes);
	tg_findings_fini(&f);
	return tg_buf_detach(&b);
}

static const struct {
	const char *source, *codes;
} table[] = {
    {"", ""},
    {"x = 1\n", ""},
    /* code execution */
    {"def run(s):\n\treturn eval(s)\n", "DANGEROUS_EVAL"},
    {"(eval)(s)\n", "DANGEROUS_EVAL"},
    {"get().eval(s)\n", "DANGEROUS_EVAL"},
    {"df.eval(s)\n", ""},
    {"import builtins\nbuiltins.exec(s)\n", "DANGEROUS_EXEC"},
    {"exec(a + b)\n", "DANGEROUS_EXEC,SQLI_STRING_CONCAT"},
    {"\xF0\x9D\x93\xAE\xF0\x9D\x93\xBF\xF0\x9D\x93\xAA\xF0\x9D\x93\xB5(s)\n", "DANGEROUS_EVAL"},
    {"x = [*eval(s)]\n", "DANGEROUS_EVAL"},
    {"f(**eval(s))\n", "DANGEROUS_EVAL"},
    {"print(f'{eval(s)!r:>{eval(w)}}')\n", "DANGEROUS_EVAL"},
    {"'ev' 'al'(s)\n", "DANGEROUS_EVAL"},
    {"# eval(s)\n'''eval(s)'''\n", ""},
    /* shells */
    {"import os as system\nsystem.system('x')\n", "DANGEROUS_OS_SYSTEM"},
    {"from os import system\nsystem('x')\n", ""},
    {"import subprocess as sp\nsp.call(c, shell=(True))\n", "DANGEROUS_SUBPROCESS"},
    {"import subprocess\nsubprocess.call(c, shell=x, shell=True)\n", "DANGEROUS_SUBPROCESS"},
    {"import subprocess\nsubprocess.call(c, shell=False, shell=True)\n", ""},
    {"import subprocess\nsubprocess.getoutput(c)\n", ""},
    /* a body is reached before its decorator */
    {"@s.run(c, shell=True)\ndef f():\n    import subprocess as s\n", "DANGEROUS_SUBPROCESS"},
    {"s.run(c, shell=True)\ndef f():\n    import subprocess as s\n", ""},
    {"def f() -> s.run(c, shell=True):\n    import subprocess as s\n", "DANGEROUS_SUBPROCESS"},
    {"class A(s.run(c, shell=True)):\n    import subprocess as s\n", ""},
    /* loading */
    {"import pickle as p\np.load(f)\n", "DANGEROUS_PICKLE"},
    {"from pickle import load\nload(f)\n", "DANGEROUS_PICKLE"},
    {"import cPickle as pickle\npickle.loads(f)\n", "DANGEROUS_PICKLE"},
    {"yaml.load(f, Loader=get())\n", "UNSAFE_YAML_LOAD"},
    {"yaml.load(f, loader=yaml.SafeLoader)\n", ""},
    {"yaml.load(f, Loader=yaml.Loader, loader=yaml.SafeLoader)\n", "UNSAFE_YAML_LOAD"},
    {"import yaml as y\ny.unsafe_load(f)\n", "UNSAFE_YAML_LOAD_ALIAS"},
    /* hashes, TLS, debug */
    {"from hashlib import sha1 as s\ns(b'')\n", "WEAK_HASH"},
    {"from hashlib import sha256\nsha256(b'')\n", ""},
    {"import hashlib as h\nh.md5()\n", "WEAK_HASH"},
    {"requests.get(u, verify=False)\n", "REQUESTS_VERIFY_FALSE"},
    {"requests.get(u, verify=None, verify=False)\n", ""},
    {"get_app().run(debug=True)\n", "DEBUG_MODE_ENABLED"},
    {"app.run(debug=not False)\n", ""},
    /* queries */
    {"c.execute(('a' + b))\n", "SQLI_STRING_CONCAT"},
    {"c.execute(a << b)\n", "SQLI_STRING_CONCAT"},
    {"c.execute(-a)\n", ""},
    {"c.execute(sql=a + b)\n", ""},
    {"c.execute(x, a + b)\n", ""},
    {"c.execute(x=1, *[a + b])\n", ""},
    {"c.execute(*a + b)\n", ""},
    {"c.execute(a + b for a in c)\n", ""},
    {"c.execute(rf'{x}')\n", "SQLI_FSTRING"},
    {"c.execute('a' 'b')\n", ""},
    {"query('{}'.format(x))\n", "SQLI_STRING_CONCAT"},
    {"query(format(x))\n", ""},
    {"my_query(a + b)\n", ""},
    {"c.executemany(a + b)\n", ""},
    /* paths and XML */
    {"io.open(f'{x}/y')\n", "PATH_TRAVERSAL_OPEN"},
    {"Path(a).open(b % c)\n", "PATH_TRAVERSAL_OPEN"},
    {"reopen(a + b)\n", ""},
    {"import lxml.etree as E\nE.parse(x)\n", "XML_UNSAFE_PARSER"},
    {"from lxml.etree import fromstring as f\nf(x)\n", "XML_UNSAFE_PARSER"},
    {"import xmlrpc\nxmlrpc.parse(x)\n", "XML_UNSAFE_PARSER"},
    {"lxml.etree.fromstring(x)\n", "XML_UNSAFE_PARSER"},
    /* random */
    {"x = random.randint(1, 2)\n", "WEAK_RNG_USAGE"},
    {"a[0].random.choices(x)\n", "WEAK_RNG_USAGE"},
    {"[*random.choice(x)]\n", "WEAK_RNG_USAGE"},
    {"np.random.choice(x)\n", ""},
    {"random . \\\n  choice (x)\n", "WEAK_RNG_USAGE"},
    /* secrets */
    {"self.db_password = 'hunter2'\n", "HARDCODED_SECRETS"},
    {"(token) = 'abcdef'\n", "HARDCODED_SECRETS"},
    {"token, = 'abcd'\n", ""},
    {"token = ('abcd')\n", "HARDCODED_SECRETS"},
    {"token = b'abcdef'\n", ""},
    {"token = f'abcdef'\n", ""},
    {"token = '\\x65nv-name'\n", ""},
    {"token = '''\n   abc   \n'''\n", ""},
    {"token = '\\\nabcd'\n", "HARDCODED_SECRETS"},
    {"if (token := 'abcdef'): pass\n", ""},
    {"self.api_key: str = u'abcd'\n", "HARDCODED_SECRETS"},
    {"to\xE2\x84\xAA"
     "en = 'abcdef'\n",
     "HARDCODED_SECRETS"}, /* KELVIN SIGN is k under NFKC */
    /* what is no Python */
    {"print 'x'\n", SYNTAX},
    {"if x:\n    a\n     b\n", SYNTAX},
    {"if x:\n    a\n  b\n", SYNTAX},
    {"if x:\n\ta\n        b\n", SYNTAX},
    {" x = 1\n", SYNTAX},
    {"try:\n    a\n  except E:\n    b\n", SYNTAX},
    {"class A:\n    # nothing\n", SYNTAX},
    {"def f(a=1, b): pass\n", SYNTAX},
    {"def f((a, b)): pass\n", SYNTAX},
    {"del f()\n", SYNTAX},
    {"with a as f(): pass\n", SYNTAX},
    {"x = a as b\n", SYNTAX},
    {"x := 1\n", SYNTAX},
    {"None = 1\n", SYNTAX},
    {"async = 1\n", SYNTAX},
    {"raise E, 'm'\n", SYNTAX},
    {"x = 10L\n", SYNTAX},
    {"x = 1__0\n", SYNTAX},
    {"x = b'\xC3\xA9'\n", SYNTAX},
    {"x = 'a' b'b'\n", SYNTAX},
    {"x = '\\x1'\n", SYNTAX},
    {"x = ur'a'\n", SYNTAX},
    {"x = f'{}'\n", SYNTAX},
    {"x = f'a}'\n", SYNTAX},
    {"\xEF\xBB\xBFx = 1\n", SYNTAX},
    {"x\xE2\x80\x8B = 1\n", SYNTAX},
    {"x = 1\x0B\n", SYNTAX},
    {"from a import b,\n", SYNTAX},
    {"(*a)\n", SYNTAX},
    {"[x for x in a, b]\n", SYNTAX},
    /* aliases that the reference is blind to: codes of our own */
    {"import random as r\nr.random()\n", "WEAK_RNG_ALIAS"},
    {"import random\nrandom.random()\n", "WEAK_RNG_USAGE"},
    {"from random import choice as c\nc(x)\n", "WEAK_RNG_ALIAS"},
    {"from random import shuffle\nshuffle(x)\n", ""},
    {"import yaml\nyaml.unsafe_load(f)\n", "UNSAFE_YAML_LOAD"},
    {"import yaml as y\ny.unsafe_load_all(f)\n", "UNSAFE_YAML_LOAD_ALIAS"},
    {"import yaml\nyaml.load(f, yaml.Loader)\n", "UNSAFE_YAML_LOAD,UNSAFE_YAML_LOAD_ALIAS"},
    {"import yaml\nyaml.load_all(f, yaml.FullLoader)\n", "UNSAFE_YAML_LOAD_ALIAS"},
    {"import yaml\nyaml.load_all(f, yaml.CSafeLoader)\n", ""},
    /* what is */
    {"print >>f, eval(x)\n", "DANGEROUS_EVAL"},
    {"match = 1\nmatch x:\n  case {'a': 1, **r} if (y := eval(x)): pass\n", "DANGEROUS_EVAL"},
    {"try:\n  a\nexcept* E as e:\n  eval(e)\n", "DANGEROUS_EVAL"},
    {"try: a\nexcept *(A, B) as e: eval(e)\nexcept *C.d: b\n", "DANGEROUS_EVAL"},
    {"try: a\nexcept A: b\nexcept *B: c\n", SYNTAX},
    {"if a:\n    b\nelse:  # \\\n    eval(x)\n    c\n", "DANGEROUS_EVAL"},
    {"x = 1; \\\ny = eval(z)\n", "DANGEROUS_EVAL"},
    {"if x:\n    pass\n    \n  \ny = [\n1,\n]\n", ""},
    {"with (open(a) as f, open(b)): pass\n", ""},
    {"x = [*self.a, *b(c), *d[0], *e + f]\n", ""},
    {"\x0Cx = 1\r\nif x:\r\n    eval(y)\r\n", "DANGEROUS_EVAL"},
    {"x = 1\ry = eval(z)\r", "DANGEROUS_EVAL"},
    {"# \xE9t\xE9\ntoken = 'abcd\xE9'\n", "HARDCODED_SECRETS"}, /* latin-1 */
};

static void test_table(void **state)
{
	size_t bad = 0;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char *got = codes_of(*state, table[i].source, strlen(table[i].source), NULL);

		if (strcmp(got, table[i].codes)) {
			bad++;
			print_error("%s\n  want %s\n  got  %s\n", table[i].source, table[i].codes,
				    got);
		}
		free(got);
	}
	assert_int_equal(bad, 0);
}

static void test_place(void **state)
{
	static const char source[] =
	    "class A:\n    async def f(self):\n        '\xC3\xA9'; x = random.choice(  # why\n"
	    "            [1])\n";
	struct tg_findings f;

	tg_rules_scan(*state, source, sizeof source - 1, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.v[0].line, 3);
	assert_int_equal(f.v[0].col, 18); /* characters, not bytes */
	assert_int_equal(f.v[0].end_line, 4);
	assert_int_equal(f.v[0].end_col, 17);
	assert_string_equal(f.v[0].scope, "A.f");
	assert_string_equal(f.v[0].text, "random . choice ( [ 1 ] )");
	assert_string_equal(f.v[0].rule->severity, "medium");
	assert_string_equal(f.v[0].rule->cwe, "CWE-338");
	assert_non_null(strstr(f.v[0].snippet, "random.choice(  # why"));
	tg_findings_fini(&f);
}

static void expect_repeated(const struct tg_rules *rules, const char *head, const char *unit,
			    size_t times, const char *tail, const char *codes)
{
	struct tg_buf b = TG_BUF_INIT;
	char *got;

	tg_buf_adds(&b, head);
	for (size_t i = 0; i < times; i++)
		tg_buf_adds(&b, unit);
	tg_buf_adds(&b, tail);
	got = codes_of(rules, b.p, b.n, NULL);
	if (codes)
		assert_string_equal(got, codes);
	free(got);
	tg_buf_fini(&b);
}

static void test_hostile(void **state)
{
	static const char nul[] = "x = 1\0\neval(x)\n";
	char *got = codes_of(*state, nul, sizeof nul - 1, NULL);

	assert_string_equal(got, SYNTAX);
	free(got);
	expect_repeated(*state, "x = [", "1,", 70000, "eval(x)]\n", "DANGEROUS_EVAL");
	expect_repeated(*state, "", "x = 1\n", 70000, "eval(x)\n", "DANGEROUS_EVAL");
	expect_repeated(*state, "f(", "a,", 70000, "shell=True)\neval(x)\n", "DANGEROUS_EVAL");
	expect_repeated(*state, "x = ", "(", 5000, "", SYNTAX);
	expect_repeated(*state, "", "[", 70000, "", NULL); /* corrupts tree-sitter 0.20.7's heap */
	expect_repeated(*state, "", "x=f(", 20000, "", NULL);
	expect_repeated(*state, "", ") ", 70000, "", NULL);
	expect_repeated(*state, "x = ", "-", 70000, "1\neval(x)\n", NULL);
	expect_repeated(*state, "x = ", "-", 5000, "1\neval(x)\n", "DANGEROUS_EVAL");
	expect_repeated(*state, "x = 1", "+1", 20000, "\neval(x)\n", "DANGEROUS_EVAL");
	expect_repeated(*state, "x = a", ".b", 20000, "\neval(x)\n", "DANGEROUS_EVAL");
	expect_repeated(*state, "x = ", "(", 200, "", SYNTAX);
}

static void test_deep_parentheses(void **state)
{
	static const size_t depth[] = { 200, 201, 5000 };

	for (size_t d = 0; d < 3; d++) {
		struct tg_buf b = TG_BUF_INIT;
		char *got;

		for (size_t i = 0; i < depth[d]; i++)
			tg_buf_addc(&b, '(');
		tg_buf_adds(&b, "eval(x)");
		for (size_t i = 0; i < depth[d]; i++)
			tg_buf_addc(&b, ')');
		tg_buf_addc(&b, '\n');
		got = codes_of(*state, b.p, b.n, NULL);
		assert_string_equal(got, SYNTAX); /* eval's own pair makes 201 at the least */
		free(got);
		tg_buf_fini(&b);
	}
}

static void test_too_large(void **state)
{
	size_t n = TG_PY_MAX_BYTES + 1;
	char *p = tg_malloc(n);
	struct tg_findings f;

	memset(p, '\n', n);
	tg_rules_scan(*state, p, n, &f);
	assert_int_equal(f.status, TG_PY_LIMIT);
	assert_int_equal(f.n, 0);
	tg_findings_fini(&f);
	free(p);
}

static void test_scan_json(void **state)
{
	static const char good[] = "eval(x)\n", broken[] = "x = = 1\n";
	struct cJSON *o = tg_scan_source(*state, "a.py", good, sizeof good - 1);

	assert_true(tg_json_bool(o, "parsed", false));
	assert_string_equal(tg_json_str(tg_json_first(tg_json_get(o, "findings")), "file"), "a.py");
	assert_int_equal(tg_json_int(tg_json_first(tg_json_get(o, "findings")), "line", 0), 1);
	tg_json_free(o);
	o = tg_scan_source(*state, "b.py", broken, sizeof broken - 1);
	assert_false(tg_json_bool(o, "parsed", true));
	assert_string_equal(tg_json_text(tg_json_first(tg_json_get(o, "codes"))), SYNTAX);
	assert_int_equal(tg_json_len(tg_json_get(o, "codes")), 1);
	tg_json_free(o);
}

static void test_bad_pack(void **state)
{
	static const char *const packs[] = {
	    "version: a\nrules: []\n",
	    "version: a\nrules:\n  - {code: A, on: call, cwe: C, severity: huge, message: m, "
	    "match: [{name: [a]}]}\n",
	    "version: a\nrules:\n  - {code: A, on: call, cwe: C, severity: high, message: m, "
	    "match: [{nam: [a]}]}\n",
	    "version: a\nrules:\n  - {code: A, on: call, cwe: C, severity: high, message: m, "
	    "match: [{keyword: a, is: 'True'}]}\n",
	    "version: a\nrules:\n  - {code: A, on: call, cwe: C, severity: high, message: m}\n",
	    "version: a\ntables:\n  - {module: a}\n",
	};
	char path[] = "/tmp/tgmon-rules-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof packs / sizeof *packs; i++) {
		struct tg_err err = { 0 };

		assert_true(tg_file_write(path, packs[i], strlen(packs[i]), 0600, &err));
		assert_null(tg_rules_load(path, &err));
		assert_int_equal(err.code, TG_E_INPUT);
		assert_non_null(strstr(err.msg, ":"));
	}
	unlink(path);
}

/* "A,B" of a JSON list of texts. */
static char *joined(const struct cJSON *list)
{
	struct tg_buf b = TG_BUF_INIT;

	for (const struct cJSON *c = tg_json_first(list); c; c = tg_json_next(c))
		tg_buf_addf(&b, "%s%s", b.n ? "," : "", tg_json_text(c));
	tg_buf_adds(&b, "");
	return tg_buf_detach(&b);
}

static bool vector_holds(const struct tg_rules *rules, const struct cJSON *v)
{
	static const char *const six[] = {
	    "SQLI", "SECRETS", "MISSING_AUTH", "NO_TRANSACTION", "XSS", "WEAK_RNG", NULL};
	const char *code = tg_json_str(v, "code"), *active[16];
	char *want = joined(tg_json_get(v, "expected")),
	     *want6 = joined(tg_json_get(v, "expected_postapply"));
	char *got, *got6;
	size_t n = 0;
	bool same;

	for (const struct cJSON *c = tg_json_first(tg_json_get(v, "active_rules")); c && n < 15;
	     c = tg_json_next(c))
		active[n++] = tg_json_text(c);
	active[n] = NULL;
	got = codes_of(rules, code, strlen(code), active);
	got6 = codes_of(rules, code, strlen(code), six);
	same = !strcmp(got, want) && !strcmp(got6, want6);
	if (!same)
		print_message("%s: want %s / %s, got %s / %s\n", tg_json_str(v, "name"), want,
			      want6, got, got6);
	free(got);
	free(got6);
	free(want);
	free(want6);
	return same;
}

static void test_vectors(void **state)
{
	struct departures d;
	struct tg_buf b = TG_BUF_INIT;
	size_t n = 0;

	if (!vectors_read("security_rules.jsonl", &b)) {
		print_message(
		    "skipped: the vectors of the reference are not here (TGMON_SHARED)\n");
		skip();
	}
	departures_load(&d, "rules_departures.txt");
	for (char *line = strtok(b.p, "\n"); line; line = strtok(NULL, "\n")) {
		struct cJSON *v = tg_json_parse(line, strlen(line), "vector", NULL, NULL);

		assert_non_null(v);
		departures_judge(&d, tg_json_str(v, "name"), vector_holds(*state, v));
		tg_json_free(v);
		n++;
	}
	assert_true(n > 100);
	departures_end(&d);
	tg_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	     cmocka_unit_test(test_place),
		cmocka_unit_test(test_hostile),	     cmocka_unit_test(test_deep_parentheses),
		cmocka_unit_test(test_too_large),    cmocka_unit_test(test_scan_json),
		cmocka_unit_test(test_bad_pack),     cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
