#include "unit/cm.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"

static struct cJSON *parse(const char *s, struct tg_err *err)
{
	return tg_json_parse(s, strlen(s), "t", NULL, err);
}

static void floats_print_as_python_does(void **state)
{
	static const struct { double v; const char *text; } t[] = {
		{ 1, "1.0" }, { 0, "0.0" }, { -0.0, "-0.0" }, { 0.1, "0.1" }, { 0.3999999999999999, "0.3999999999999999" },
		{ 0.95, "0.95" }, { 1e16, "1e+16" }, { 123456789012345680.0, "1.2345678901234568e+17" },
		{ 1e15, "1000000000000000.0" }, { 1e-4, "0.0001" }, { 1e-5, "1e-05" }, { 2.5e-7, "2.5e-07" },
		{ 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 100, "100.0" }, { 1.0 / 3, "0.3333333333333333" }, { -12.5, "-12.5" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct tg_buf b = TG_BUF_INIT;
		tg_json_float_repr(t[i].v, &b);
		assert_string_equal(tg_buf_cstr(&b), t[i].text);
		tg_buf_fini(&b);
	}
}

static void styles(void **state)
{
	struct cJSON *v = tg_json_object(), *a = tg_json_array();
	struct tg_buf b = TG_BUF_INIT;

	(void)state;
	tg_json_set_str(v, "z", "\xcf\x84\"\n\x7f\x01");
	tg_json_set_float(v, "f", 1);
	tg_json_set_int(v, "i", 9007199254740993);
	tg_json_push_str(a, "x");
	tg_json_push(a, tg_json_null());
	tg_json_set(v, "a", a);
	tg_json_set(v, "e", tg_json_object());
	tg_json_print(v, TG_JSON_PY, &b);
	assert_string_equal(tg_buf_cstr(&b), "{\"z\": \"\\u03c4\\\"\\n\x7f\\u0001\", \"f\": 1.0, "
			    "\"i\": 9007199254740993, \"a\": [\"x\", null], \"e\": {}}");
	tg_buf_clear(&b);
	tg_json_print(v, TG_JSON_CANONICAL, &b);
	assert_string_equal(tg_buf_cstr(&b), "{\"a\":[\"x\",null],\"e\":{},\"f\":1.0,"
			    "\"i\":9007199254740993,\"z\":\"\xcf\x84\\\"\\n\\u007f\\u0001\"}");
	tg_buf_clear(&b);
	tg_json_print(v, TG_JSON_PY_INDENT2, &b);
	assert_non_null(strstr(tg_buf_cstr(&b), "  \"a\": [\n    \"x\",\n    null\n  ],\n  \"e\": {}\n}"));
	assert_int_equal(tg_json_int(v, "i", 0), 9007199254740993);
	tg_buf_fini(&b);
	tg_json_free(v);
}

static void bad_input_says_where(void **state)
{
	static const struct { const char *text, *msg; } t[] = {
		{ "", "t:1:1" }, { "{\n \"a\": }", "t:2:" }, { "{} x", "t:1:4" }, { "{\"a\":1,\"a\":2}", "stands twice" },
		{ "[1,]", "t:1:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct tg_err err = { 0 };
		assert_null(parse(t[i].text, &err));
		assert_int_equal(err.code, TG_E_INPUT);
		if (!strstr(err.msg, t[i].msg))
			fail_msg("%s: %s", t[i].text, err.msg);
	}
}

static void what_python_writes_can_be_read(void **state)
{
	struct tg_err err = { 0 };
	struct cJSON *v = parse("{\"s\":\"a\\ud800b\\u0000c\",\"p\":\"\\ud83d\\ude00\",\"n\":NaN,\"i\":-Infinity,"
				"\"t\":\"NaN\"}", &err);

	(void)state;
	assert_non_null(v);
	assert_string_equal(tg_json_str(v, "s"), "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c");
	assert_string_equal(tg_json_str(v, "p"), "\xf0\x9f\x98\x80");
	assert_int_equal(tg_json_kind(tg_json_get(v, "n")), TG_JSON_NULL);
	assert_int_equal(tg_json_kind(tg_json_get(v, "i")), TG_JSON_NULL);
	assert_string_equal(tg_json_str(v, "t"), "NaN");
	tg_json_free(v);
}

static void bombs_are_refused(void **state)
{
	struct tg_json_limits small = { .max_bytes = 10 }, dup = { .dup_keys_ok = true };
	struct tg_err err = { 0 };
	struct cJSON *v;
	char *deep = malloc(200001);

	(void)state;
	memset(deep, '[', 200000);
	deep[200000] = '\0';
	assert_null(parse(deep, &err));
	assert_non_null(strstr(err.msg, "deep"));
	assert_null(tg_json_parse("[1,2,3,4,5,6]", 13, "t", &small, &err));
	v = tg_json_parse("{\"a\":1,\"b\":3,\"a\":2}", 19, "t", &dup, &err);
	assert_int_equal(tg_json_int(v, "a", 0), 2);
	assert_int_equal(tg_json_len(v), 2);
	tg_json_free(v);
	free(deep);
}

static void digests(void **state)
{
	char hex[TG_SHA256_HEX];

	(void)state;
	tg_sha256_hex(NULL, 0, hex);
	assert_string_equal(hex, TG_SHA256_EMPTY);
	tg_sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(tg_crc32c("123456789", 9), 0xE3069283u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floats_print_as_python_does), cmocka_unit_test(styles),
		cmocka_unit_test(bad_input_says_where), cmocka_unit_test(what_python_writes_can_be_read),
		cmocka_unit_test(bombs_are_refused), cmocka_unit_test(digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
