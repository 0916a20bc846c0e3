/* The shapes of keys, and the search for them: one pass over the bytes, which looks closer only
 * where a word begins or a name is given a value. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/proof/secret_in.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LOWHEX "0123456789abcdef"

/* A word that begins so, followed by so many of these characters. */
static const struct shape {
	const char *rule, *prefix, *chars;
	size_t least;
	bool digit; /* one of them is a digit: prose and names of packages have none */
} shapes[] = {
    {"sk-key", "sk-", ALNUM "_-", 20, true},
    {"stripe-key", "sk_live_", ALNUM, 16, false},
    {"stripe-key", "rk_live_", ALNUM, 16, false},
    {"github-token", "ghp_", ALNUM, 20, false},
    {"github-token", "gho_", ALNUM, 20, false},
    {"github-token", "ghu_", ALNUM, 20, false},
    {"github-token", "ghs_", ALNUM, 20, false},
    {"github-token", "ghr_", ALNUM, 20, false},
    {"github-token", "github_pat_", ALNUM "_", 22, false},
    {"gitlab-token", "glpat-", ALNUM "_-", 20, false},
    {"aws-key-id", "AKIA", UPPER, 16, false},
    {"aws-key-id", "ASIA", UPPER, 16, false},
    {"google-key", "AIza", ALNUM "_-", 30, false},
    {"google-oauth", "ya29.", ALNUM "_-", 20, false},
    {"slack-token", "xoxb-", ALNUM "-", 10, true},
    {"slack-token", "xoxp-", ALNUM "-", 10, true},
    {"slack-token", "xoxa-", ALNUM "-", 10, true},
    {"slack-token", "xoxr-", ALNUM "-", 10, true},
    {"slack-token", "xoxs-", ALNUM "-", 10, true},
    {"huggingface-token", "hf_", ALNUM, 30, false},
    {"npm-token", "npm_", ALNUM, 36, false},
    {"pypi-token", "pypi-AgE", ALNUM "_-", 40, false},
    {"groq-key", "gsk_", ALNUM, 40, false},
    {"sendgrid-key", "SG.", ALNUM "_-.", 60, true},
};

static bool is_word(unsigned char c)
{
	return isalnum(c) || c == '_';
}

static size_t span(const char *p, size_t n, const char *chars)
{
	size_t k = 0;

	while (k < n && p[k] && strchr(chars, p[k]))
		k++;
	return k;
}

static bool has_digit(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isdigit((unsigned char)p[i]))
			return true;
	return false;
}

static void add(struct tg_secret_hits *h, size_t at, size_t n, const char *rule,
		enum tg_secret_sure sure)
{
	TG_GROW(h->v, h->n, h->cap);
	h->v[h->n++] = (struct tg_secret_hit){
	    at, n > TG_SECRET_LONGEST ? TG_SECRET_LONGEST : n, rule, sure};
}

static size_t match_shape(const char *p, size_t n, const char **rule)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct shape *s = &shapes[i];
		size_t k = strlen(s->prefix), m;

		if (p[0] != s->prefix[0] || n < k + s->least || memcmp(p, s->prefix, k) != 0)
			continue;
		m = span(p + k, n - k, s->chars);
		if (m < s->least || (s->digit && !has_digit(p + k, m)))
			continue;
		*rule = s->rule;
		return k + m;
	}
	return 0;
}

/* Three parts of base64url, of which the first is a JSON object. */
static size_t match_jwt(const char *p, size_t n)
{
	size_t a, b, c;

	if (n < 30 || memcmp(p, "eyJ", 3) != 0)
		return 0;
	a = span(p, n, ALNUM "_-");
	if (a < 12 || a >= n || p[a] != '.')
		return 0;
	b = span(p + a + 1, n - a - 1, ALNUM "_-");
	if (b < 8 || a + 1 + b >= n || p[a + 1 + b] != '.')
		return 0;
	c = span(p + a + b + 2, n - a - b - 2, ALNUM "_-");
	return c < 8 ? 0 : a + b + c + 2;
}

/* 32 hexadecimal digits, a dot, 16 letters and digits. */
static size_t match_hex_dot(const char *p, size_t n)
{
	if (n < 49 || p[32] != '.' || span(p, 33, LOWHEX) != 32 ||
	    span(p + 33, n - 33, ALNUM) != 16)
		return 0;
	return 49;
}

static size_t match_private_key(const char *p, size_t n)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	const char *nl, *stop;
	size_t head, body = 0;

	if (n < 80 || memcmp(p, begin, sizeof begin - 1) != 0)
		return 0;
	nl = memmem(p, n < 80 ? n : 80, "PRIVATE KEY", 11);
	if (!nl)
		return 0;
	head = (size_t)(nl - p) + 11;
	if (n > TG_SECRET_LONGEST)
		n = TG_SECRET_LONGEST;
	stop = memmem(p + head, n - head, end, sizeof end - 1);
	for (const char *q = p + head; q < (stop ? stop : p + n); q++)
		body += isalnum((unsigned char)*q) != 0;
	if (body < 60)
		return 0; /* somebody speaks of a key */
	if (!stop)
		return n;
	nl = memmem(stop + sizeof end - 1, (size_t)(p + n - stop) - sizeof end + 1, "-----", 5);
	return nl ? (size_t)(nl - p) + 5 : (size_t)(stop - p);
}

static double entropy(const char *p, size_t n)
{
	size_t count[256] = {0};
	double bits = 0;

	for (size_t i = 0; i < n; i++)
		count[(unsigned char)p[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (count[i])
			bits -= (double)count[i] / (double)n * log2((double)count[i] / (double)n);
	return bits;
}

bool tg_secret_name(const char *name, size_t n)
{
	static const char *const ends[] = {"apikey",   "apitoken", "accesskey", "secretkey",
					   "privatekey", "secret", "token",     "password",
					   "passwd",   "passphrase", "authorization", "cookie",
					   "credential", "credentials"};
	char flat[64];
	size_t k = 0;

	for (size_t i = n > 60 ? n - 60 : 0; i < n; i++)
		if (isalnum((unsigned char)name[i]))
			flat[k++] = (char)tolower((unsigned char)name[i]);
	flat[k] = '\0';
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (tg_ends_with(flat, ends[i]))
			return true;
	return false;
}

/* Looks like chance: long, mixed, no word of a program. */
static bool is_random(const char *p, size_t n)
{
	bool letter = false;

	for (size_t i = 0; i < n; i++)
		letter = letter || isalpha((unsigned char)p[i]);
	return n >= 16 && letter && has_digit(p, n) && entropy(p, n) >= 3.5 &&
	       !memmem(p, n, "..", 2) && !memmem(p, n, "://", 3);
}

/* p[at] is ':' or '='; the name before it, the value behind it. */
static void match_named(const char *p, size_t n, size_t at, struct tg_secret_hits *out)
{
	size_t end = at, begin, v = at + 1, m;

	while (end > 0 && strchr(" \t\"'\\]", p[end - 1]) && at - end < 8)
		end--;
	for (begin = end; begin > 0 && at - begin < 80 &&
			  (is_word((unsigned char)p[begin - 1]) || p[begin - 1] == '-');)
		begin--;
	if (begin == end || !tg_secret_name(p + begin, end - begin))
		return;
	while (v < n && v - at < 12 && p[v] && strchr(" \t\"'\\=>bfru", p[v])) {
		if (strchr("bfru", p[v]) && (v + 1 >= n || !strchr("\"'", p[v + 1])))
			break;
		v++;
	}
	m = span(p + v, n - v, ALNUM "+/_=.~-!@#$%^&*");
	if (is_random(p + v, m))
		add(out, v, m, "named-value", TG_SECRET_GENERIC);
}

static void match_bearer(const char *p, size_t n, size_t at, struct tg_secret_hits *out)
{
	size_t k = 6, m;

	if (n - at < 23 || strncasecmp(p + at, "bearer", 6) != 0)
		return;
	while (k < 10 && (p[at + k] == ' ' || p[at + k] == ':'))
		k++;
	m = span(p + at + k, n - at - k, ALNUM "._~+/=-");
	if (k > 6 && m >= 16 && has_digit(p + at + k, m))
		add(out, at + k, m, "bearer-token", TG_SECRET_SHAPE);
}

static void at_word(const char *p, size_t n, size_t i, struct tg_secret_hits *out)
{
	const char *rule = "json-web-token";
	size_t m = 0;

	switch (p[i]) {
	case 'b':
	case 'B':
		match_bearer(p, n, i, out);
		break;
	case 'e':
		m = match_jwt(p + i, n - i);
		break;
	default:
		m = match_shape(p + i, n - i, &rule);
	}
	if (!m && strchr(LOWHEX, p[i]) && (m = match_hex_dot(p + i, n - i)) != 0)
		rule = "hex-dot-key";
	if (m)
		add(out, i, m, rule, TG_SECRET_SHAPE);
}

static void find_shapes(const char *p, size_t n, size_t from, size_t cut,
			struct tg_secret_hits *out)
{
	bool before = from > 0 && is_word((unsigned char)p[from - 1]);

	for (size_t i = from; i < cut; i++) {
		unsigned char c = (unsigned char)p[i];
		bool word = is_word(c);
		size_t m;

		if (word && !before)
			at_word(p, n, i, out);
		else if (c == ':' || c == '=')
			match_named(p, n, i, out);
		else if (c == '-' && n - i > 10 && p[i + 1] == '-' &&
			 (m = match_private_key(p + i, n - i)) != 0)
			add(out, i, m, "private-key", TG_SECRET_SHAPE);
		before = word;
	}
}

static void find_known(const struct tg_secrets *s, const char *p, size_t n, size_t from, size_t cut,
		       struct tg_secret_hits *out)
{
	for (size_t i = from; s->n && i < cut && i + 1 < n; i++) {
		unsigned two = (unsigned)(unsigned char)p[i] |
			       (unsigned)(unsigned char)p[i + 1] << 8;

		if (!(s->starts[two >> 3] >> (two & 7) & 1))
			continue;
		for (size_t k = 0; k < s->n; k++)
			if (s->v[k].n <= n - i && memcmp(p + i, s->v[k].p, s->v[k].n) == 0)
				add(out, i, s->v[k].n, "known-value", TG_SECRET_KNOWN);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct tg_secret_hit *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : (int)x->sure - (int)y->sure;
}

/* Hits that overlap become one, of the surer rule. */
static void merge(struct tg_secret_hits *h, size_t first)
{
	size_t n = first;

	if (h->n > first + 1)
		qsort(h->v + first, h->n - first, sizeof *h->v, by_place);
	for (size_t i = first; i < h->n; i++) {
		struct tg_secret_hit *last = n > first ? &h->v[n - 1] : NULL, hit = h->v[i];

		if (last && hit.at < last->at + last->n) {
			size_t end = hit.at + hit.n > last->at + last->n ? hit.at + hit.n
									 : last->at + last->n;

			last->n = end - last->at;
			if (hit.sure < last->sure) {
				last->sure = hit.sure;
				last->rule = hit.rule;
			}
		} else
			h->v[n++] = hit;
	}
	h->n = n;
}

void tg_secret_find(const struct tg_secrets *s, const char *p, size_t n, size_t from, size_t cut,
		    struct tg_secret_hits *out)
{
	size_t first = out->n;

	find_known(s, p, n, from, cut, out);
	find_shapes(p, n, from, cut, out);
	merge(out, first);
}

bool tg_secret_in_diff(const char *p, size_t at)
{
	size_t bol = at;

	while (bol > 0 && p[bol - 1] != '\n')
		bol--;
	return p[bol] == '+' || p[bol] == '-';
}
