/* Planted secrets of thirty kinds are found, replaced, and nothing else is touched. The values are
 * put together here, so that no scanner of repositories takes them for real. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/proof/merkle.h"
#include "core/proof/secret.h"
#include "core/proof/sign.h"

#define KNOWN "a/known+value\"of=ours" /* as it stands in the environment */
#define R20 "Q7" "w2Er9TyU4iOp1AsD3f"
#define R40 R20 "G5h6JkL8zXcV0bNm2QwE"
#define HEX32 "0123456789abcdef" "fedcba9876543210"

struct sink {
	struct tg_buf out;
	size_t found, stays;
	char rule[64];
};

static void found(void *user, const struct tg_secret_place *p)
{
	struct sink *s = user;

	s->found++;
	s->stays += p->model && p->sure == TG_SECRET_GENERIC;
	strncpy(s->rule, p->rule, sizeof s->rule - 1);
	assert_null(strstr(p->where, "Q7"));
}

static void replace(void *user, const char *rule, const char *p, size_t n, struct tg_buf *out)
{
	(void)user;
	(void)p;
	tg_buf_addf(out, "[REDACTED:%s:%zu]", rule, n);
}

static bool write_out(void *user, const void *p, size_t n, struct tg_err *err)
{
	(void)err;
	tg_buf_add(&((struct sink *)user)->out, p, n);
	return true;
}

static struct tg_secrets *known(void)
{
	struct tg_secrets *s = tg_secrets_new();
	static const char name[] = "ZAI_API_KEY=" KNOWN;
	char *env[] = {(char *)(uintptr_t)name, (char *)(uintptr_t) "HOME=/root/a-long-path-here",
		       (char *)(uintptr_t) "MY_TOKEN=1", NULL};

	tg_secrets_add_environment(s, env);
	return s;
}

/* Scan text under a name; redacted when asked. */
static struct sink scan(const char *name, const char *text, size_t n, bool redact)
{
	char path[] = "/tmp/tg-secret-XXXXXX";
	int fd = mkstemp(path);
	struct sink s = {.out = TG_BUF_INIT};
	struct tg_secret_sink sink = {found, &s, redact ? replace : NULL,
				      redact ? write_out : NULL};
	struct tg_secrets *k = known();
	struct tg_err err = {0};

	assert_true(fd >= 0 && tg_write_all(fd, text, n, NULL));
	close(fd);
	if (!tg_secret_scan(k, path, name, &sink, &err))
		fail_msg("%s", err.msg);
	unlink(path);
	tg_secrets_free(k);
	return s;
}

static const struct {
	const char *name, *text, *rule;
} planted[] = {
    {"a.log", "x " KNOWN " y", "known-value"},
    {"a.log", "YS9rbm93bit2YWx1ZSJvZj1vdXJz", "known-value"},	       /* base64 */
    {"a.log", "Basic dXNlcjphL2tub3duK3ZhbHVlIm9mPW91cnM=", "known-value"}, /* of user:value */
    {"a.log", "k=a%2Fknown%2Bvalue%22of%3Dours&", "known-value"},
    {"a.log", "k=a%2fknown%2bvalue%22of%3dours&", "known-value"},
    {"a.log", "say \"a\\/known+value\\\"of=ours\"", "known-value"},
    {"a.json", "{\"x\": \"a\\/known\\u002bvalue\\\"of=ours\"}", "known-value"},
    {"a.log", "612f6b6e6f776e2b76616c7565226f663d6f757273", "known-value"}, /* hexadecimal */
    {"a.json", "{\"x\": {\"info\": {\"config\": {\"api_key\": \"0000\"}}}}", "json-member"},
    {"a.json", "{\"model_kwargs\": {\"api_key\": \"correct-horse\"}}", "json-member"},
    {"a.jsonl", "{\"a\": 1}\n{\"Authorization\": \"Q7Token12345678\"}\n", "json-member"},
    {"a.json", "{\"headers\": {\"Set-Cookie\": \"Q7session=12345678\"}}", "json-member"},
    {"a.log", "key sk-" R20 " end", "sk-key"},
    {"a.log", "key sk-ant-api03-" R40, "sk-key"},
    {"a.log", "ghp" "_" R40, "github-token"},
    {"a.log", "gho" "_" R40, "github-token"},
    {"a.log", "github" "_pat_" R40, "github-token"},
    {"a.log", "glpat" "-" R20, "gitlab-token"},
    {"a.log", "AKIA" "Q7W2ER9TYU4IOP1A", "aws-key-id"},
    {"a.log", "AIza" R40, "google-key"},
    {"a.log", "xoxb" "-123456789012-" R20, "slack-token"},
    {"a.log", "sk" "_live_" R20, "stripe-key"},
    {"a.log", "hf" "_" R40, "huggingface-token"},
    {"a.log", "npm" "_" R40, "npm-token"},
    {"a.log", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." R20, "json-web-token"},
    {"a.log", "Authorization: Bearer Q7abcdefghij0123456789", "bearer-token"},
    {"a.log", "-----BEGIN RSA PRIVATE KEY-----\n" R40 "\n" R40 "\n-----END RSA PRIVATE KEY-----\n",
     "private-key"},
    {"a.json",
     "{\"t\": \"-----BEGIN PRIVATE KEY-----\\n" R40 "\\n" R40 "\\n-----END PRIVATE KEY-----\"}",
     "private-key"},
    {"a.log", "zai " HEX32 "." "Q7w2Er9TyU4iOp1A", "hex-dot-key"},
    {"a.yaml", "password: " R20 "\n", "named-value"},
    {"a.log", "export DB_SECRET='" R20 "'", "named-value"},
    {"a.json", "{\"content\": \"{\\\"api_key\\\": \\\"" R20 "\\\"}\"}", "named-value"},
};

static void thirty_kinds_are_found(void **state)
{
	(void)state;
	assert_true(sizeof planted / sizeof *planted >= 30);
	for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
		const char *t = planted[i].text;
		struct sink s = scan(planted[i].name, t, strlen(t), false), again;

		if (s.found != 1 || strcmp(s.rule, planted[i].rule) != 0)
			fail_msg("%zu (%s): %zu found, last %s", i, planted[i].rule, s.found, s.rule);
		s = scan(planted[i].name, t, strlen(t), true);
		assert_non_null(strstr(tg_buf_cstr(&s.out), "[REDACTED:"));
		if (tg_ends_with(planted[i].name, ".json")) {
			struct cJSON *v = tg_json_parse(s.out.p, s.out.n, "r", NULL, NULL);

			assert_non_null(v);
			tg_json_free(v);
		}
		again = scan(planted[i].name, s.out.p, s.out.n, false);
		if (again.found)
			fail_msg("%zu: %s is still found after redaction", i, again.rule);
		tg_buf_fini(&s.out);
	}
}

static void ordinary_text_is_left_alone(void **state)
{
	static const char *const fine[] = {
	    "pip install sk-learn-contrib-lightning", "self.token = token  # the parser's token",
	    "password = getpass()", "\"token_count\": 12345678",
	    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
	    "commit 0123456789abcdef0123456789abcdef01234567", "Bearer of good news, all of them",
	    "api_key: ${ZAI_API_KEY}", "secret = settings.SECRET_KEY_FALLBACKS", "risk-free-and-sk-",
	};

	(void)state;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		struct sink s = scan("a.log", fine[i], strlen(fine[i]), false);

		if (s.found)
			fail_msg("%s: %s", fine[i], s.rule);
	}
}

static void a_password_in_a_diff_is_told_and_stays(void **state)
{
	static const char text[] = "--- a/f.py\n+++ b/f.py\n+PASSWORD = \"" R20 "\"\n";
	struct sink s = scan("a.log", text, sizeof text - 1, true);

	(void)state;
	assert_int_equal(s.found, 1);
	assert_int_equal(s.stays, 1);
	assert_int_equal(s.out.n, sizeof text - 1);
	assert_memory_equal(s.out.p, text, sizeof text - 1);
	tg_buf_fini(&s.out);
}

/* A secret at each place around the border of a window, and files much larger than one. */
static void windows_hide_nothing(void **state)
{
	enum { WINDOW = 512 * 1024 };
	static const char secret[] = " sk-" R20 " ";

	(void)state;
	for (int d = -40; d <= 40; d += 5)
		for (int k = 1; k <= 2; k++) {
			size_t n = (size_t)WINDOW * 3, at = (size_t)(WINDOW * k + d * (k == 1 ? 1 : 400));
			char *text = tg_malloc(n);
			struct sink s;

			memset(text, '.', n);
			memcpy(text + at, secret, sizeof secret - 1);
			s = scan("a.log", text, n, false);
			assert_int_equal(s.found, 1);
			s = scan("a.log", text, n, true);
			assert_non_null(memmem(s.out.p, s.out.n, "[REDACTED:sk-key:23]", 20));
			assert_int_equal(s.out.n, n - 23 + 20);
			assert_memory_equal(s.out.p, text, at + 1);
			tg_buf_fini(&s.out);
			free(text);
		}
}

static void json_elsewhere_stays_byte_for_byte(void **state)
{
	static const char text[] = "{ \"a\":\t[1.50, -0e1, null, \"\\ud83d\\ude00 \\ud800 \\u0000\"],\n"
				   "\"api_key\" : \"12345678\\n\", \"z\": \"\xc3\xa9\" }\n";
	struct sink s = scan("a.json", text, sizeof text - 1, true);
	const char *key = strstr(text, "\"12345678");

	(void)state;
	assert_int_equal(s.out.n > 0, 1);
	assert_memory_equal(s.out.p, text, (size_t)(key - text));
	assert_true(tg_ends_with(tg_buf_cstr(&s.out), ", \"z\": \"\xc3\xa9\" }\n"));
	tg_buf_fini(&s.out);
}

/* RFC 6962: the vectors of certificate-transparency's reference implementation. */
static void merkle_roots_are_those_of_the_rfc(void **state)
{
	static const char *const d[] = {"", "\x00", "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43",
					"\x50\x51\x52\x53\x54\x55\x56\x57",
					"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
	static const size_t len[] = {0, 1, 1, 2, 2, 4, 8, 16};
	static const struct {
		size_t n;
		const char *begin;
	} want[] = {{1, "6e340b9c"}, {2, "fac54203"}, {3, "aeb6bcfe"}, {8, "5dc9da79"}};
	struct tg_merkle m = {NULL, 0, 0};
	unsigned char root[TG_MERKLE_HASH], path[TG_MERKLE_PATH_MAX][TG_MERKLE_HASH];
	char hex[TG_SHA256_HEX];

	(void)state;
	for (size_t n = 1; n <= 8; n++) {
		tg_merkle_add(&m, d[n - 1], len[n - 1]);
		tg_merkle_root(&m, root);
		tg_merkle_hex(root, hex);
		for (size_t k = 0; k < 4; k++)
			if (want[k].n == n)
				assert_memory_equal(hex, want[k].begin, 8);
		for (size_t i = 0; i < n; i++) {
			size_t depth = tg_merkle_path(&m, i, path);

			assert_true(tg_merkle_check(d[i], len[i], i, n, path, depth, root));
			assert_false(tg_merkle_check("x", 1, i, n, path, depth, root));
			assert_false(tg_merkle_check(d[i], len[i], (i + 1) % (n + 1), n, path, depth, root));
			if (depth)
				path[0][0] ^= 1;
			assert_true(!depth || !tg_merkle_check(d[i], len[i], i, n, path, depth, root));
		}
	}
	tg_merkle_fini(&m);
}

static void weak_keys_and_lenient_base64_are_refused(void **state)
{
	struct tg_pubkey weak = {.raw = {1}}, pub;
	struct tg_buf pem = TG_BUF_INIT, out = TG_BUF_INIT;

	(void)state;
	tg_pubkey_pem(&weak, &pem);
	assert_false(tg_pubkey_parse(pem.p, pem.n, &pub, NULL));
	assert_true(tg_base64_decode("QUI=", 4, &out));
	assert_false(tg_base64_decode("QUJ=", 4, &out)); /* bits behind the end */
	assert_false(tg_base64_decode(" UI=", 4, &out));
	assert_false(tg_base64_decode("QUI", 3, &out));
	tg_buf_fini(&pem);
	tg_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(thirty_kinds_are_found),
	    cmocka_unit_test(ordinary_text_is_left_alone),
	    cmocka_unit_test(a_password_in_a_diff_is_told_and_stays),
	    cmocka_unit_test(windows_hide_nothing),
	    cmocka_unit_test(json_elsewhere_stays_byte_for_byte),
	    cmocka_unit_test(merkle_roots_are_those_of_the_rfc),
	    cmocka_unit_test(weak_keys_and_lenient_base64_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
