/* yaml.h: the tree with places, the limits, PyYAML's scalars. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/yaml.h"

static struct tg_yaml_node *parse(const char *text, unsigned flags, struct tg_err *err)
{
	tg_err_clear(err);
	return tg_yaml_parse(text, strlen(text), "t.yaml", flags, err);
}

static void refuses(const char *text, unsigned flags, const char *part)
{
	struct tg_err err;
	struct tg_yaml_node *n = parse(text, flags, &err);

	if (n)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.code, TG_E_INPUT);
	if (!strstr(err.msg, part))
		fail_msg("'%s' lacks '%s'", err.msg, part);
}

static void tree_with_places(void **state)
{
	const struct tg_yaml_node *a, *l;
	struct tg_err err;
	struct tg_yaml_node *n = parse("a: 1\nlist:\n  - x\n  - {k: 'v'}\n", 0, &err);

	(void)state;
	assert_non_null(n);
	assert_int_equal(n->kind, TG_YAML_MAP);
	assert_int_equal(n->n, 2);
	a = tg_yaml_get(n, "a");
	assert_string_equal(a->text, "1");
	assert_int_equal(a->line, 1);
	assert_int_equal(a->col, 4);
	l = tg_yaml_get(n, "list");
	assert_int_equal(l->kind, TG_YAML_LIST);
	assert_int_equal(l->key_line, 2);
	assert_int_equal(l->n, 2);
	assert_string_equal(tg_yaml_get(l->first->next, "k")->text, "v");
	assert_true(tg_yaml_get(l->first->next, "k")->quoted);
	assert_int_equal(l->first->next->line, 4);
	assert_null(tg_yaml_get(n, "none"));
	assert_null(tg_yaml_get(l, "a"));
	tg_yaml_free(n);
}

static void empty_is_an_empty_map(void **state)
{
	struct tg_err err;
	struct tg_yaml_node *n = parse("# only this\n", 0, &err);

	(void)state;
	assert_non_null(n);
	assert_int_equal(n->kind, TG_YAML_MAP);
	assert_int_equal(n->n, 0);
	tg_yaml_free(n);
}

static void refused(void **state)
{
	(void)state;
	refuses("a: 1\nb: 2\na: 3\n", 0, "t.yaml:3:1: the key 'a' stands twice (first in line 1)");
	refuses("a: !!str 1\n", 0, "t.yaml:1:4: tags");
	refuses("a: !x {b: 1}\n", 0, "tags");
	refuses("a: 1\n---\nb: 2\n", 0, "more than one document");
	refuses("a: &x 1\nb: *x\n", 0, "t.yaml:2:4: aliases");
	refuses("[a]: 1\n", 0, "a key must be");
	refuses("a: [1, 2\n", 0, "t.yaml:");
	refuses("a: b: c\n", 0, "t.yaml:1:");
	refuses("a: \"x\\0y\"\n", 0, "NUL");
	refuses("a: \xff\xfe\n", 0, "t.yaml: byte");
	refuses("a: &x [*x]\n", TG_YAML_ALIASES, "inside what it stands for");
	refuses("a: *y\n", TG_YAML_ALIASES, "");
}

static void aliases_expand(void **state)
{
	struct tg_err err;
	struct tg_yaml_node *n = parse("a: &x {k: [1, 2]}\nb: *x\n", TG_YAML_ALIASES, &err);
	const struct tg_yaml_node *b;

	(void)state;
	assert_non_null(n);
	b = tg_yaml_get(n, "b");
	assert_int_equal(b->line, 2);
	assert_int_equal(tg_yaml_get(b, "k")->n, 2);
	tg_yaml_free(n);
}

static void bombs_end_at_once(void **state)
{
	struct tg_buf deep = TG_BUF_INIT, laugh = TG_BUF_INIT, wide = TG_BUF_INIT;
	int64_t t0 = tg_mono_ms();
	struct tg_err err;
	struct tg_yaml_node *n;
	int i;

	(void)state;
	for (i = 0; i < 80000; i++)
		tg_buf_adds(&deep, "[");
	refuses(tg_buf_cstr(&deep), 0, "deeper than 64");
	tg_buf_adds(&laugh, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (i = 1; i < 9; i++)
		tg_buf_addf(&laugh,
			    "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
			    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	refuses(tg_buf_cstr(&laugh), TG_YAML_ALIASES, "more than 100000");
	for (i = 0; i < 25000; i++)
		tg_buf_addf(&wide, "k%d: 1\n", i);
	n = tg_yaml_parse(wide.p, wide.n, "w", 0, &err);
	assert_non_null(n);
	tg_yaml_free(n);
	while (wide.n <= 256 * 1024)
		tg_buf_adds(&wide, "# filler\n");
	refuses(tg_buf_cstr(&wide), 0, "256 KiB");
	assert_true(tg_mono_ms() - t0 < 10000); /* seconds, not minutes, even under a sanitizer */
	tg_buf_fini(&deep);
	tg_buf_fini(&laugh);
	tg_buf_fini(&wide);
}

static void scalars_as_pyyaml_reads_them(void **state)
{
	static const struct {
		const char *text;
		int is_null, is_bool, is_number;
		double value;
	} t[] = {
	    {"", 1, 0, 0, 0},	       {"~", 1, 0, 0, 0},
	    {"Null", 1, 0, 0, 0},      {"'null'", 0, 0, 0, 0},
	    {"yes", 0, 1, 0, 1},       {"Off", 0, 1, 0, 0},
	    {"\"true\"", 0, 0, 0, 0},  {"tRue", 0, 0, 0, 0},
	    {"12", 0, 0, 1, 12},       {"-1_000", 0, 0, 1, -1000},
	    {"010", 0, 0, 1, 8},       {"0x1F", 0, 0, 1, 31},
	    {"0b101", 0, 0, 1, 5},     {"1:30", 0, 0, 1, 90},
	    {"0.9", 0, 0, 1, 0.9},     {".5", 0, 0, 1, 0.5},
	    {"1.5e+3", 0, 0, 1, 1500}, {"1e3", 0, 0, 0, 0},
	    {"1.5e3", 0, 0, 0, 0},     {"-.inf", 0, 0, 1, -INFINITY},
	    {"0", 0, 0, 1, 0},	       {"1.2.3", 0, 0, 0, 0},
	    {"12x", 0, 0, 0, 0},       {"08", 0, 0, 0, 0},
	    {"-", 0, 0, 0, 0},	       {".", 0, 0, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		char *text = tg_asprintf("a: %s\n", t[i].text);
		struct tg_err err;
		struct tg_yaml_node *n;
		const struct tg_yaml_node *a;
		double v = -7;
		bool b = false;

		if (strcmp(t[i].text, "-") == 0) { /* a list dash when bare */
			free(text);
			continue;
		}
		n = parse(text, 0, &err);
		assert_non_null(n);
		a = tg_yaml_get(n, "a");
		if (tg_yaml_is_null(a) != t[i].is_null || tg_yaml_bool(a, &b) != t[i].is_bool ||
		    tg_yaml_number(a, &v) != t[i].is_number)
			fail_msg("wrong kind: %s", t[i].text);
		if (t[i].is_bool)
			assert_int_equal(b, (int)t[i].value);
		if (t[i].is_number && v != t[i].value)
			fail_msg("%s read as %g", t[i].text, v);
		tg_yaml_free(n);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tree_with_places),	 cmocka_unit_test(empty_is_an_empty_map),
	    cmocka_unit_test(refused),		 cmocka_unit_test(aliases_expand),
	    cmocka_unit_test(bombs_end_at_once), cmocka_unit_test(scalars_as_pyyaml_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
