/* The values that we know: where they come from, and the forms they may take. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "core/lib/file.h"
#include "core/proof/secret_in.h"

enum { SHORTEST = 8 };

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct tg_secrets *tg_secrets_new(void)
{
	return tg_calloc(1, sizeof(struct tg_secrets));
}

void tg_secrets_free(struct tg_secrets *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		OPENSSL_cleanse(s->v[i].p, s->v[i].n);
		free(s->v[i].p);
	}
	free(s->v);
	free(s);
}

static void add_form(struct tg_secrets *s, const char *p, size_t n)
{
	unsigned two;

	if (n < SHORTEST)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n == n && memcmp(s->v[i].p, p, n) == 0)
			return;
	TG_GROW(s->v, s->n, s->cap);
	s->v[s->n].p = tg_strndup("", 0);
	s->v[s->n].p = tg_realloc(s->v[s->n].p, n + 1);
	memcpy(s->v[s->n].p, p, n);
	s->v[s->n].p[n] = '\0';
	s->v[s->n++].n = n;
	two = (unsigned)(unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8;
	s->starts[two >> 3] |= (unsigned char)(1u << (two & 7));
}

/* Base64 of the value as it stands at byte `shift` of a longer text: the digits that also depend on
 * its neighbours are left away. */
static void add_base64(struct tg_secrets *s, const char *p, size_t n, size_t shift, bool url)
{
	struct tg_buf out = TG_BUF_INIT;
	size_t first = shift == 0 ? 0 : shift == 1 ? 2 : 3, digits = ((shift + n) * 8) / 6;

	for (size_t d = first; d < digits; d++) {
		size_t bit = d * 6, byte = bit / 8;
		unsigned hi = byte < shift ? 0 : (unsigned char)p[byte - shift];
		unsigned lo = byte + 1 < shift || byte + 1 - shift >= n
				  ? 0
				  : (unsigned char)p[byte + 1 - shift];
		unsigned v = ((hi << 8 | lo) >> (10 - bit % 8)) & 63;
		char c = b64[v];

		tg_buf_addc(&out, !url ? c : c == '+' ? '-' : c == '/' ? '_' : c);
	}
	add_form(s, tg_buf_cstr(&out), out.n);
	tg_buf_fini(&out);
}

static void add_escaped(struct tg_secrets *s, const char *p, size_t n)
{
	struct tg_buf url = TG_BUF_INIT, low = TG_BUF_INIT, json = TG_BUF_INIT, hex = TG_BUF_INIT,
		      big = TG_BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		bool plain = isalnum(c) || strchr("-._~", c);

		tg_buf_addf(&hex, "%02x", c);
		tg_buf_addf(&big, "%02X", c);
		tg_buf_addf(&url, plain ? "%c" : "%%%02X", c);
		tg_buf_addf(&low, plain ? "%c" : "%%%02x", c);
		if (c == '"' || c == '\\' || c == '/')
			tg_buf_addf(&json, "\\%c", c);
		else
			tg_buf_addf(&json, c < 0x20 ? "\\u%04x" : "%c", c);
	}
	add_form(s, tg_buf_cstr(&url), url.n);
	add_form(s, tg_buf_cstr(&low), low.n);
	add_form(s, tg_buf_cstr(&json), json.n);
	add_form(s, tg_buf_cstr(&hex), hex.n);
	add_form(s, tg_buf_cstr(&big), big.n);
	tg_buf_fini(&url);
	tg_buf_fini(&low);
	tg_buf_fini(&json);
	tg_buf_fini(&hex);
	tg_buf_fini(&big);
}

void tg_secrets_add(struct tg_secrets *s, const char *value, size_t n)
{
	if (n < SHORTEST || n > TG_SECRET_LONGEST / 4)
		return;
	add_form(s, value, n);
	for (size_t shift = 0; shift < 3; shift++) {
		add_base64(s, value, n, shift, false);
		add_base64(s, value, n, shift, true);
	}
	add_escaped(s, value, n);
}

static bool is_secret_variable(const char *name, size_t n)
{
	static const char *const ends[] = {"API_KEY",  "APIKEY",     "TOKEN",	   "SECRET",
					   "PASSWORD", "PASSWD",     "ACCESS_KEY", "SECRET_KEY",
					   "KEY_ID",   "CREDENTIAL", "AUTH",	   "PRIVATE_KEY"};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t k = strlen(ends[i]);

		if (n >= k && strncasecmp(name + n - k, ends[i], k) == 0 &&
		    (n == k || name[n - k - 1] == '_'))
			return true;
	}
	return false;
}

/* A switch or a path is no secret, whatever its name. */
static bool is_secret_value(const char *v, size_t n)
{
	return n >= SHORTEST && v[0] != '/' && v[strspn(v, "0123456789.")] != '\0';
}

void tg_secrets_add_environment(struct tg_secrets *s, char *const *env)
{
	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');

		if (eq && is_secret_variable(*env, (size_t)(eq - *env)) &&
		    is_secret_value(eq + 1, strlen(eq + 1)))
			tg_secrets_add(s, eq + 1, strlen(eq + 1));
	}
}

char **tg_secret_env_names(char *const *env)
{
	char **names = NULL;
	size_t n = 0, cap = 0;

	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');

		if (!eq || !is_secret_variable(*env, (size_t)(eq - *env)))
			continue;
		TG_GROW(names, n + 1, cap);
		names[n++] = tg_strndup(*env, (size_t)(eq - *env));
		names[n] = NULL;
	}
	return names;
}

bool tg_secrets_add_file(struct tg_secrets *s, const char *path, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	char *save = NULL, *line;
	bool ok;

	if (!tg_file_exists(path))
		return true;
	ok = tg_file_read(path, 1 << 20, &b, err);
	for (line = ok && b.n ? strtok_r(b.p, "\r\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		char *eq = strchr(line, '='), *name, *value;
		size_t n;

		name = line + strspn(line, " \t");
		if (tg_starts_with(name, "export "))
			name += strlen("export ");
		if (!eq || *name == '#')
			continue;
		value = eq + 1 + strspn(eq + 1, " \t");
		n = strlen(value);
		while (n && strchr(" \t", value[n - 1]))
			n--;
		if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value) {
			value++;
			n -= 2;
		}
		value[n] = '\0';
		if (is_secret_variable(name, (size_t)(eq - name)) && is_secret_value(value, n))
			tg_secrets_add(s, value, n);
	}
	if (b.p)
		OPENSSL_cleanse(b.p, b.n);
	tg_buf_fini(&b);
	return ok;
}
