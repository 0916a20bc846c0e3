/* JSON for the secret scan: no parser that judges, a lexer that knows strings, keys and where it is.
 * Strings are decoded before they are looked at; one that holds a secret is written anew, everything
 * else as it was. */
#include "core/proof/secret_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lib/text.h"

enum { DEPTH = 64, KEY_SHOWN = 96, STRING_MAX = 4 << 20, CHUNK = 65536 };

struct frame {
	bool object, want_key;
	size_t index;
	char key[KEY_SHOWN + 1];
};

struct json {
	const struct tg_secrets *s;
	const struct tg_secret_sink *sink;
	const char *path;
	bool lines, bad;
	int64_t line;
	size_t depth; /* may be more than DEPTH: then the path is cut */
	struct frame stack[DEPTH];
	struct tg_buf raw, text, out, again;
	struct tg_secret_hits hits;
	unsigned char chunk[CHUNK];
	size_t at, n;
	int fd;
	struct tg_err *err;
	bool failed;
};

static int next(struct json *j)
{
	if (j->at == j->n) {
		ssize_t got = read(j->fd, j->chunk, sizeof j->chunk);

		if (got < 0) {
			tg_fail_sys(j->err, 0, "cannot read %s", j->path);
			j->failed = true;
		}
		if (got <= 0)
			return -1;
		j->at = 0;
		j->n = (size_t)got;
	}
	return j->chunk[j->at++];
}

static void flush(struct json *j, size_t above)
{
	if (j->out.n <= above)
		return;
	if (j->sink->replace && !j->failed &&
	    !j->sink->write(j->sink->user, j->out.p, j->out.n, j->err))
		j->failed = true;
	tg_buf_clear(&j->out);
}

static struct frame *top(struct json *j)
{
	return j->depth && j->depth <= DEPTH ? &j->stack[j->depth - 1] : NULL;
}

/* ---- strings ---------------------------------------------------------------------------------- */

static int hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)p[i]))
			return -1;
		v = v * 16 + (isdigit((unsigned char)p[i]) ? p[i] - '0'
							  : tolower((unsigned char)p[i]) - 'a' + 10);
	}
	return v;
}

static void add_utf8(struct tg_buf *b, unsigned c)
{
	if (c < 0x80)
		tg_buf_addc(b, (char)c);
	else if (c < 0x800) {
		tg_buf_addc(b, (char)(0xc0 | c >> 6));
		tg_buf_addc(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) { /* also lone surrogates, so that they can be written again */
		tg_buf_addc(b, (char)(0xe0 | c >> 12));
		tg_buf_addc(b, (char)(0x80 | (c >> 6 & 63)));
		tg_buf_addc(b, (char)(0x80 | (c & 63)));
	} else {
		tg_buf_addc(b, (char)(0xf0 | c >> 18));
		tg_buf_addc(b, (char)(0x80 | (c >> 12 & 63)));
		tg_buf_addc(b, (char)(0x80 | (c >> 6 & 63)));
		tg_buf_addc(b, (char)(0x80 | (c & 63)));
	}
}

/* p points behind "\u"; how many bytes were eaten, 0: bad. */
static size_t unescape_u(const char *p, size_t n, struct tg_buf *out)
{
	int a = n >= 4 ? hex4(p) : -1, b;

	if (a < 0)
		return 0;
	if (a >= 0xd800 && a < 0xdc00 && n >= 10 && p[4] == '\\' && p[5] == 'u' &&
	    (b = hex4(p + 6)) >= 0xdc00 && b < 0xe000) {
		add_utf8(out, 0x10000u + ((unsigned)(a - 0xd800) << 10) + (unsigned)(b - 0xdc00));
		return 10;
	}
	add_utf8(out, (unsigned)a);
	return 4;
}

static bool decode(const char *p, size_t n, struct tg_buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	size_t run = 0, k;

	tg_buf_clear(out);
	for (size_t i = 0; i < n; i += k) {
		const char *e = memchr(p + i, '\\', n - i), *f;

		run = e ? (size_t)(e - p) - i : n - i;
		tg_buf_add(out, p + i, run);
		k = run;
		if (!e)
			break;
		if (i + run + 1 >= n)
			return false;
		if (p[i + run + 1] == 'u') {
			size_t u = unescape_u(p + i + run + 2, n - i - run - 2, out);

			if (!u)
				return false;
			k += 2 + u;
		} else if ((f = strchr(from, p[i + run + 1])) != NULL && *f) {
			tg_buf_addc(out, to[f - from]);
			k += 2;
		} else
			return false;
	}
	return true;
}

static void encode(const char *p, size_t n, struct tg_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '"' || c == '\\')
			tg_buf_addf(out, "\\%c", c);
		else if (c < 0x20)
			tg_buf_addf(out, "\\u%04x", c);
		else if (c == 0xed && i + 2 < n && (unsigned char)p[i + 1] >= 0xa0) {
			unsigned u = 0xd000u | ((unsigned)(unsigned char)p[i + 1] & 63) << 6 |
				     ((unsigned char)p[i + 2] & 63);

			tg_buf_addf(out, "\\u%04x", u);
			i += 2;
		} else
			tg_buf_addc(out, (char)c);
	}
}

/* The raw bytes between the quotes into j->raw. */
static bool take_string(struct json *j)
{
	int c;

	tg_buf_clear(&j->raw);
	for (;;) {
		const unsigned char *p = j->chunk + j->at, *e = p;
		const unsigned char *end = j->chunk + j->n;

		while (e < end && *e != '"' && *e != '\\')
			e++;
		tg_buf_add(&j->raw, p, (size_t)(e - p));
		j->at += (size_t)(e - p);
		c = next(j);
		if (c < 0 || j->raw.n > STRING_MAX)
			return false;
		if (c == '"')
			return true;
		tg_buf_addc(&j->raw, (char)c);
		if (c == '\\') {
			c = next(j);
			if (c < 0)
				return false;
			tg_buf_addc(&j->raw, (char)c);
		}
	}
}

/* ---- where, and what a name says -------------------------------------------------------------- */

static char *where(const struct json *j, bool is_key)
{
	struct tg_buf b = TG_BUF_INIT;
	size_t depth = j->depth < DEPTH ? j->depth : DEPTH;

	if (j->lines)
		tg_buf_addf(&b, "line %lld%s", (long long)j->line, depth ? ": " : "");
	for (size_t i = 0; i < depth; i++) {
		const struct frame *f = &j->stack[i];

		if (!f->object)
			tg_buf_addf(&b, "[%zu]", f->index);
		else if (is_key && i + 1 == depth)
			tg_buf_addf(&b, "%s(a name)", i ? "." : "");
		else
			tg_buf_addf(&b, "%s%s", i ? "." : "", f->key);
	}
	return tg_buf_detach(&b);
}

static bool in_config(const struct json *j)
{
	for (size_t i = 0; i < j->depth && i < DEPTH; i++)
		if (j->stack[i].object && strstr(j->stack[i].key, "config"))
			return true;
	return tg_starts_with(j->path, "config/");
}

static bool is_reference(const char *p, size_t n)
{
	static const char *const refs[] = {"[REDACTED:", "os.environ/", "${", "env:"};

	for (size_t i = 0; i < sizeof refs / sizeof *refs; i++)
		if (n >= strlen(refs[i]) && memcmp(p, refs[i], strlen(refs[i])) == 0)
			return true;
	return strspn(p, "*") == n;
}

/* A string under a name like api_key: in a config it is a key whatever it looks like. */
static bool is_member(const struct json *j, const char *key)
{
	const char *p = tg_buf_cstr(&j->text);
	size_t n = j->text.n;

	if (!n || is_reference(p, n) || !tg_secret_name(key, strlen(key)))
		return false;
	if (in_config(j))
		return true;
	return n >= 8 && strcspn(p, " \t\r\n") == n;
}

/* Text of the model's own making, by the names that the formats give it. */
static bool is_models(const struct json *j)
{
	static const char *const names[] = {"model_patch", "patch",   "submission", "prediction",
					    "snippet",	   "evidence", "match",	    "line"};
	size_t depth = j->depth < DEPTH ? j->depth : DEPTH;

	for (size_t i = 0; i < depth; i++)
		for (size_t k = 0; j->stack[i].object && k < sizeof names / sizeof *names; k++)
			if (strcmp(j->stack[i].key, names[k]) == 0)
				return true;
	return false;
}

/* ---- one string ------------------------------------------------------------------------------- */

static void tell(struct json *j, const struct tg_secret_hit *h, bool model, bool is_key)
{
	char *place = where(j, is_key);
	struct tg_secret_place found = {j->path, place, h->rule, h->n, model, h->sure};

	j->sink->found(j->sink->user, &found);
	free(place);
}

static void find(struct json *j, const struct frame *f, bool is_key)
{
	j->hits.n = 0;
	if (f && f->object && !is_key && is_member(j, f->key)) {
		struct tg_secret_hit whole = {0, j->text.n, "json-member", TG_SECRET_SHAPE};

		TG_GROW(j->hits.v, j->hits.n, j->hits.cap);
		j->hits.v[j->hits.n++] = whole;
	} else
		tg_secret_find(j->s, tg_buf_cstr(&j->text), j->text.n, 0, j->text.n, &j->hits);
}

/* The string anew, with its secrets replaced; false: nothing had to be. */
static bool write_again(struct json *j, bool is_key)
{
	const char *p = tg_buf_cstr(&j->text);
	size_t done = 0, replaced = 0;

	tg_buf_clear(&j->again);
	for (size_t i = 0; i < j->hits.n; i++) {
		const struct tg_secret_hit *h = &j->hits.v[i];
		bool model = is_models(j) || tg_secret_in_diff(p, h->at);

		tell(j, h, model, is_key);
		if (!j->sink->replace || tg_secret_stays(h, model))
			continue;
		tg_buf_add(&j->again, p + done, h->at - done);
		j->sink->replace(j->sink->user, h->rule, p + h->at, h->n, &j->again);
		done = h->at + h->n;
		replaced++;
	}
	tg_buf_add(&j->again, p + done, j->text.n - done);
	return replaced > 0;
}

static bool do_string(struct json *j)
{
	struct frame *f = top(j);
	bool is_key = f && f->object && f->want_key;

	if (!take_string(j) || !decode(tg_buf_cstr(&j->raw), j->raw.n, &j->text))
		return false;
	find(j, f, is_key);
	if (is_key)
		snprintf(f->key, sizeof f->key, "%s",
			 j->hits.n ? "(redacted)" : tg_buf_cstr(&j->text));
	tg_buf_addc(&j->out, '"');
	if (write_again(j, is_key))
		encode(tg_buf_cstr(&j->again), j->again.n, &j->out);
	else
		tg_buf_add(&j->out, j->raw.p, j->raw.n);
	tg_buf_addc(&j->out, '"');
	return true;
}

/* ---- the rest --------------------------------------------------------------------------------- */

static bool do_mark(struct json *j, int c)
{
	struct frame *f;

	if (c == '{' || c == '[') {
		if (++j->depth <= DEPTH)
			j->stack[j->depth - 1] =
			    (struct frame){.object = c == '{', .want_key = c == '{'};
	} else if (c == '}' || c == ']') {
		if (j->depth == 0)
			return false;
		j->depth--;
	} else if (c == ',' && (f = top(j)) != NULL) {
		f->want_key = f->object;
		f->index++;
	} else if (c == ':' && (f = top(j)) != NULL)
		f->want_key = false;
	return true;
}

bool tg_secret_scan_json(int fd, const struct tg_secrets *s, const char *path,
			 const struct tg_secret_sink *sink, bool *is_json, struct tg_err *err)
{
	struct json *j = tg_calloc(1, sizeof *j);
	bool good = true, ok;
	int c;

	*j = (struct json){.s = s, .sink = sink, .path = path, .line = 1, .fd = fd, .err = err};
	j->lines = tg_ends_with(path, ".jsonl");
	while (good && !j->failed && (c = next(j)) >= 0) {
		if (c == '"')
			good = do_string(j);
		else {
			good = strchr(" \t\r\n{}[],:-+.0123456789eEtrufalsnNIity", c) && c &&
			       do_mark(j, c);
			j->line += c == '\n';
			tg_buf_addc(&j->out, (char)c);
		}
		flush(j, CHUNK);
	}
	flush(j, 0);
	*is_json = good;
	ok = !j->failed;
	tg_buf_fini(&j->raw);
	tg_buf_fini(&j->text);
	tg_buf_fini(&j->out);
	tg_buf_fini(&j->again);
	free(j->hits.v);
	free(j);
	return ok;
}
