/* policy.h: the built-in policy, and each way in which a policy can be wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/govern/policy.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"

static void built_in_is_the_data_file(void **state)
{
	const char *data = getenv("TGMON_DATA");
	char *path = tg_path_join(data ? data : TGMON_SOURCE_DATA, "policy/default_policy.yaml");
	struct tg_policy *p = tg_policy_load(NULL, NULL), *q = tg_policy_load(path, NULL);
	struct tg_buf b = TG_BUF_INIT;
	const char *bytes;
	size_t n;

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_true(tg_file_read(path, 0, &b, NULL));
	bytes = tg_policy_builtin(&n);
	assert_int_equal(n, b.n);
	assert_memory_equal(bytes, b.p, n);
	assert_string_equal(p->sha256, q->sha256);
	assert_string_equal(p->version, "0.1.0");
	assert_true(p->cri_threshold == 0.9);
	assert_int_equal(p->required_evidence, TG_EL_NONE);
	assert_int_equal(p->pattern_n, 6);
	assert_string_equal(p->pattern[0].code, "COMMAND_PACKAGE_INSTALL");
	assert_string_equal(tg_policy_severity(p, "WEAK_HASH"), "medium");
	assert_string_equal(tg_policy_severity(p, "HARDCODED_SECRETS"), "high");
	assert_string_equal(tg_policy_severity(p, "SQLI_FSTRING"), "high");
	assert_null(tg_policy_mapped(p, "SQLI_FSTRING"));
	assert_string_equal(tg_policy_severity(NULL, "WEAK_HASH"), "high");
	tg_policy_free(p);
	tg_policy_free(q);
	tg_buf_fini(&b);
	free(path);
}

static void what_blocks_and_what_is_capped(void **state)
{
	static const char text[] = "version: '1'\nast:\n  test_path_cap: medium\n  blocking_codes: [A]\n"
				   "  severity_map:\n    A: high\n    B: high\n    C: low\n"
				   "trajectory:\n  max_risk_level: medium\n";
	static const char *const bad[] = {
	    "ast:\n  test_path_cap: none\n", "ast:\n  blocking_codes: A\n",
	    "trajectory:\n  max_risk_level: extreme\n", "ast:\n  blocked: [A]\n"};
	struct tg_policy *p = tg_policy_parse(text, sizeof text - 1, "p", NULL),
			 *plain = tg_policy_load(NULL, NULL);
	struct tg_err err;
	size_t i;

	(void)state;
	assert_non_null(p);
	assert_string_equal(p->test_path_cap, "medium");
	assert_string_equal(p->max_risk, "medium");
	assert_string_equal(tg_policy_severity(p, "A"), "high");
	assert_string_equal(tg_policy_severity(p, "B"), "medium");
	assert_string_equal(tg_policy_severity(p, "C"), "low");
	assert_string_equal(tg_policy_severity(p, "not in the map"), "medium");
	assert_string_equal(plain->test_path_cap, "low");
	assert_null(plain->max_risk);
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		memset(&err, 0, sizeof err);
		assert_null(tg_policy_parse(bad[i], strlen(bad[i]), "bad.yaml", &err));
		assert_non_null(strstr(err.msg, "bad.yaml:2:"));
	}
	tg_policy_free(p);
	tg_policy_free(plain);
}

static void patterns_find_what_they_name(void **state)
{
	static const struct {
		const char *code, *hit, *miss;
	} t[] = {
	    {"COMMAND_PACKAGE_INSTALL", "pip install x", "pipeline"},
	    {"COMMAND_NETWORK_IO", "curl http://x", "curly"},
	    {"COMMAND_PRIV_ESC", "sudo ls", "pseudo ls"},
	    {"COMMAND_ENV_EXFIL", "printenv", "print env2"},
	    {"COMMAND_SYSTEM_FILE_ACCESS", "cat /etc/passwd", "cat etc"},
	    {"COMMAND_DANGEROUS_DELETE", "rm -rf /", "rm -rf build"},
	};
	struct tg_policy *p = tg_policy_load(NULL, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		const struct tg_policy_pattern *pt = &p->pattern[i];

		assert_string_equal(pt->code, t[i].code);
		assert_string_equal(pt->severity, "high");
		assert_true(*pt->explanation);
		if (!tg_regex_search(pt->re, t[i].hit, strlen(t[i].hit), NULL, NULL, NULL))
			fail_msg("%s misses %s", pt->code, t[i].hit);
		if (tg_regex_search(pt->re, t[i].miss, strlen(t[i].miss), NULL, NULL, NULL))
			fail_msg("%s finds %s", pt->code, t[i].miss);
	}
	tg_policy_free(p);
}

static void wrong_policies_are_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} t[] = {
	    {"- a\n", "p:1:1: a policy must be a mapping"},
	    {"hello\n", "must be a mapping"},
	    {"version: 1\nfoo: 2\n", "p:2:1: unknown key 'foo'"},
	    {"ast:\n  severity_map:\n    X: critical\n", "p:3:8: unknown severity 'critical'"},
	    {"ast: {severity_map: {X: High}}\n", "unknown severity 'High'"},
	    {"ast: {severity_map: {X: [high]}}\n", "a severity must be"},
	    {"ast: {severity_map: [X]}\n", "severity_map must be a mapping"},
	    {"ast: {other: 1}\n", "unknown key 'other' in ast"},
	    {"ast: 3\n", "ast must be a mapping"},
	    {"trajectory: {command_patterns: 3}\n", "must be a list"},
	    {"trajectory:\n  command_patterns:\n    - {code: BAD, regex: 'a('}\n",
	     "p:3:26: pattern 'BAD'; the regular expression 'a(' is wrong at offset 2"},
	    {"trajectory: {command_patterns: [{regex: a}]}\n", "lacks 'code'"},
	    {"trajectory: {command_patterns: [{code: A}]}\n", "lacks 'regex'"},
	    {"trajectory: {command_patterns: [{code: A, regex: a, sev: high}]}\n",
	     "unknown key 'sev'"},
	    {"trajectory: {command_patterns: [{code: A, regex: a, severity: no}]}\n",
	     "unknown severity 'no'"},
	    {"thresholds: {cri_threshold: 1.5}\n", "cri_threshold must be"},
	    {"thresholds: {cri_threshold: .nan}\n", "cri_threshold must be"},
	    {"thresholds: {cri_threshold: high}\n", "cri_threshold must be"},
	    {"required_evidence: none\n", "required_evidence must be"},
	    {"version: [1]\n", "version must be a text"},
	    {"a: [\n", "p:"},
	    {"\x1b[31m: 1\n", "p:"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_err err = {0};
		struct tg_policy *p = tg_policy_parse(t[i].text, strlen(t[i].text), "p", &err);

		if (p)
			fail_msg("accepted: %s", t[i].text);
		assert_int_equal(err.code, TG_E_INPUT);
		if (!strstr(err.msg, t[i].part))
			fail_msg("'%s' lacks '%s'", err.msg, t[i].part);
		assert_null(strchr(err.msg, '\x1b'));
	}
}

static void a_small_policy(void **state)
{
	static const char text[] = "version: 9\nrequired_evidence: imported\n"
				   "thresholds: {cri_threshold: 0.5}\nast:\n"
				   "trajectory: {command_patterns: [{code: A, regex: x}]}\n";
	struct tg_policy *p = tg_policy_parse(text, sizeof text - 1, "p", NULL);
	char sha[TG_SHA256_HEX];

	(void)state;
	assert_non_null(p);
	assert_string_equal(p->version, "9");
	assert_int_equal(p->required_evidence, TG_EL_IMPORTED);
	assert_true(p->cri_threshold == 0.5);
	assert_string_equal(p->pattern[0].severity, "high");
	tg_sha256_hex(text, sizeof text - 1, sha);
	assert_string_equal(p->sha256, sha);
	tg_policy_free(p);
}

static void a_missing_file_is_an_input_error(void **state)
{
	struct tg_err err;

	(void)state;
	assert_null(tg_policy_load("/nowhere/policy.yaml", &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_non_null(strstr(err.msg, "/nowhere/policy.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(built_in_is_the_data_file),
	    cmocka_unit_test(what_blocks_and_what_is_capped),
	    cmocka_unit_test(patterns_find_what_they_name),
	    cmocka_unit_test(wrong_policies_are_refused),
	    cmocka_unit_test(a_small_policy),
	    cmocka_unit_test(a_missing_file_is_an_input_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
