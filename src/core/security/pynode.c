#include "core/security/pynode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/lib/text.h"

TSNode tg_py_field(TSNode node, const char *name)
{
	return ts_node_child_by_field_name(node, name, (uint32_t)strlen(name));
}

TSNode tg_py_first_named(const struct tg_py *py, TSNode node)
{
	uint32_t n = ts_node_child_count(node);

	for (uint32_t i = 0; i < n; i++) {
		TSNode kid = ts_node_child(node, i);
		enum tg_py_kind kind = tg_py_kind(py, kid);

		if (ts_node_is_named(kid) && kind != TG_PK_COMMENT &&
		    kind != TG_PK_LINE_CONTINUATION)
			return kid;
	}
	return (TSNode){ 0 };
}

TSNode tg_py_unwrap(const struct tg_py *py, TSNode node)
{
	for (;;) {
		enum tg_py_kind kind = tg_py_kind(py, node);
		TSNode inner;

		if (kind != TG_PK_PAREN && kind != TG_PK_LIST_SPLAT)
			break;
		inner = tg_py_first_named(py, node);

		if (!inner.id)
			break;
		node = inner;
	}
	return node;
}

void tg_py_identifier(const struct tg_py *py, TSNode node, struct tg_buf *out)
{
	uint32_t a = ts_node_start_byte(node), n = ts_node_end_byte(node) - a;
	const char *p = py->src + a;
	utf8proc_uint8_t *norm = NULL;
	utf8proc_ssize_t len;
	bool ascii = true;

	for (uint32_t i = 0; i < n; i++)
		ascii &= (unsigned char)p[i] < 0x80;
	if (ascii) {
		tg_buf_add(out, p, n);
		return;
	}
	len = utf8proc_map((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, &norm,
			   UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
	if (len < 0)
		tg_buf_add(out, p, n);
	else
		tg_buf_add(out, norm, (size_t)len);
	free(norm);
}

bool tg_py_is_space(uint32_t cp)
{
	return (cp >= 0x09 && cp <= 0x0D) || (cp >= 0x1C && cp <= 0x20) || cp == 0x85 ||
	       cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 ||
	       cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

static void add_cp(struct tg_buf *out, uint32_t cp)
{
	utf8proc_uint8_t b[4];
	utf8proc_ssize_t n;

	if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
		cp = 0xFFFD;
	n = utf8proc_encode_char((utf8proc_int32_t)cp, b);
	tg_buf_add(out, b, n > 0 ? (size_t)n : 0);
}

void tg_py_lower(const char *p, size_t n, struct tg_buf *out)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t k = tg_utf8_next(p + i, n - i, &cp);

		if (cp == 0xFFFFFFFF)
			tg_buf_add(out, p + i, k);
		else
			add_cp(out, (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp));
		i += k;
	}
}

/* Digits of \x, \u, \U: how many the escape takes. */
static size_t hex_digits(char c)
{
	return c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
}

static bool read_hex(const char *p, size_t n, size_t want, uint32_t *v)
{
	*v = 0;
	if (n < want)
		return false;
	for (size_t i = 0; i < want; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ?
			(c | 32) - 'a' + 10 : -1;

		if (d < 0)
			return false;
		*v = *v * 16 + (uint32_t)d;
	}
	return true;
}

static size_t read_octal(const char *p, size_t n, uint32_t *v)
{
	size_t i = 0;

	for (*v = 0; i < n && i < 3 && p[i] >= '0' && p[i] <= '7'; i++)
		*v = *v * 8 + (uint32_t)(p[i] - '0');
	return i;
}

/* \N{NAME}: one character whose identity does not matter to any rule. */
static const char *named_escape(const char *p, size_t n, struct tg_buf *out, size_t *used)
{
	const char *end = n > 2 && p[1] == '{' ? memchr(p, '}', n) : NULL;

	if (!end || end == p + 2)
		return "a malformed \\N escape";
	add_cp(out, 0xFFFD);
	*used = (size_t)(end - p) + 1;
	return NULL;
}

/* One escape behind the backslash at p[0]: how many bytes it takes, or why it is refused. */
static const char *decode_escape(const char *p, size_t n, bool bytes, struct tg_buf *out,
				 size_t *used)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
	const char *simple;
	uint32_t v;

	*used = 1;
	if (!n)
		return NULL;
	if (p[0] == '\n')
		return NULL;
	simple = memchr(from, p[0], sizeof from - 1);
	if (simple) {
		tg_buf_addc(out, to[simple - from]);
		return NULL;
	}
	if (p[0] >= '0' && p[0] <= '7') {
		*used = read_octal(p, n, &v);
		add_cp(out, bytes ? v & 0xFF : v);
		return NULL;
	}
	if (p[0] == 'x' || (!bytes && (p[0] == 'u' || p[0] == 'U'))) {
		size_t want = hex_digits(p[0]);

		if (!read_hex(p + 1, n - 1, want, &v))
			return "a truncated escape in a string";
		if (v > 0x10FFFF)
			return "an escape beyond Unicode";
		add_cp(out, v);
		*used = 1 + want;
		return NULL;
	}
	if (p[0] == 'N' && !bytes)
		return named_escape(p, n, out, used);
	tg_buf_addc(out, '\\'); /* unknown escapes keep their backslash */
	*used = 0;
	return NULL;
}

static const char *decode_text(const char *p, size_t n, bool raw, const struct tg_py_string *s,
			       struct tg_buf *out)
{
	for (size_t i = 0; i < n;) {
		char c = p[i];

		if (s->is_bytes && (unsigned char)c >= 0x80)
			return "bytes hold ASCII only";
		if (c == '\\' && !raw) {
			size_t used;
			const char *why =
			    decode_escape(p + i + 1, n - i - 1, s->is_bytes, out, &used);

			if (why)
				return why;
			i += 1 + used;
		} else if (s->is_f && (c == '{' || c == '}')) {
			if (i + 1 >= n || p[i + 1] != c)
				return "a single brace in an f-string";
			tg_buf_addc(out, c);
			i += 2;
		} else {
			tg_buf_addc(out, c);
			i++;
		}
	}
	return NULL;
}

const char *tg_py_string_decode(const struct tg_py *py, TSNode string, struct tg_buf *out,
				struct tg_py_string *what)
{
	struct tg_py_kids kids = { 0 };
	const char *why = NULL;
	bool raw = false;

	memset(what, 0, sizeof *what);
	tg_py_kids(py, &kids, string);
	for (size_t i = 0; i < kids.n && !why; i++) {
		uint32_t a = ts_node_start_byte(kids.v[i].node);
		uint32_t n = ts_node_end_byte(kids.v[i].node) - a;

		if (kids.v[i].kind == TG_PK_STRING_START) {
			for (uint32_t k = 0; k < n; k++) {
				char c = (char)(py->src[a + k] | 32);

				what->is_bytes |= c == 'b';
				what->is_f |= c == 'f';
				raw |= c == 'r';
			}
		} else if (kids.v[i].kind == TG_PK_STRING_CONTENT) {
			why = decode_text(py->src + a, n, raw, what, out);
		}
	}
	tg_py_kids_fini(&kids);
	return why;
}

bool tg_py_string_is_bytes(const struct tg_py *py, TSNode string)
{
	TSNode start = ts_node_child(string, 0);
	uint32_t a = ts_node_start_byte(start), b = ts_node_end_byte(start);

	for (; a < b; a++) {
		if ((py->src[a] | 32) == 'b')
			return true;
	}
	return false;
}

bool tg_py_string_value(const struct tg_py *py, TSNode node, struct tg_buf *out,
			struct tg_py_string *what)
{
	enum tg_py_kind kind = tg_py_kind(py, node);
	struct tg_py_kids kids = { 0 };

	memset(what, 0, sizeof *what);
	if (kind == TG_PK_STRING) {
		tg_py_string_decode(py, node, out, what);
		return true;
	}
	if (kind != TG_PK_CONCAT_STRING)
		return false;
	tg_py_kids(py, &kids, node);
	for (size_t i = 0; i < kids.n; i++) {
		struct tg_py_string part;

		if (kids.v[i].kind != TG_PK_STRING)
			continue;
		tg_py_string_decode(py, kids.v[i].node, out, &part);
		what->is_bytes |= part.is_bytes;
		what->is_f |= part.is_f;
	}
	tg_py_kids_fini(&kids);
	return true;
}

bool tg_py_is_constant(const struct tg_py *py, TSNode node)
{
	struct tg_buf value = TG_BUF_INIT;
	struct tg_py_string s;
	bool ok;

	switch (tg_py_kind(py, node)) {
	case TG_PK_INTEGER: case TG_PK_FLOAT: case TG_PK_TRUE: case TG_PK_FALSE: case TG_PK_NONE:
	case TG_PK_ELLIPSIS:
		return true;
	default:
		break;
	}
	ok = tg_py_string_value(py, node, &value, &s) && !s.is_f;
	tg_buf_fini(&value);
	return ok;
}

/* str(constant). */
static void add_constant(const struct tg_py *py, TSNode node, struct tg_buf *out)
{
	struct tg_buf value = TG_BUF_INIT;
	struct tg_py_string s;

	if (!tg_py_string_value(py, node, &value, &s)) {
		uint32_t a = ts_node_start_byte(node);

		tg_buf_add(out, py->src + a, ts_node_end_byte(node) - a);
	} else if (!s.is_f) {
		if (s.is_bytes)
			tg_buf_adds(out, "b'");
		tg_buf_add(out, value.p ? value.p : "", value.n);
		if (s.is_bytes)
			tg_buf_addc(out, '\'');
	}
	tg_buf_fini(&value);
}

void tg_py_dotted(const struct tg_py *py, TSNode node, struct tg_buf *out)
{
	TSNode *chain = NULL;
	size_t n = 0, cap = 0;
	bool first = true;

	node = tg_py_unwrap(py, node);
	if (tg_py_is_constant(py, node)) {
		add_constant(py, node, out);
		return;
	}
	while (tg_py_kind(py, node) == TG_PK_ATTRIBUTE) {
		TG_GROW(chain, n, cap);
		chain[n++] = tg_py_field(node, "attribute");
		node = tg_py_unwrap(py, tg_py_field(node, "object"));
	}
	if (tg_py_kind(py, node) == TG_PK_IDENTIFIER) {
		tg_py_identifier(py, node, out);
		first = false;
	}
	while (n > 0) {
		if (!first)
			tg_buf_addc(out, '.');
		first = false;
		tg_py_identifier(py, chain[--n], out);
	}
	free(chain);
}

/* `(x)` on the left of "=" is a tuple_pattern for tree-sitter; a comma makes it one for Python. */
static bool is_parenthesised(const struct tg_py *py, TSNode node)
{
	struct tg_py_kids kids = { 0 };
	bool one;

	tg_py_kids(py, &kids, node);
	one = kids.n == 3 && kids.v[1].named;
	tg_py_kids_fini(&kids);
	return one;
}

TSNode tg_py_target_name_node(const struct tg_py *py, TSNode target)
{
	for (;;) {
		switch (tg_py_kind(py, target)) {
		case TG_PK_IDENTIFIER:
			return target;
		case TG_PK_ATTRIBUTE:
			return tg_py_field(target, "attribute");
		case TG_PK_PAREN:
			target = tg_py_first_named(py, target);
			break;
		case TG_PK_TUPLE_PATTERN:
			if (!is_parenthesised(py, target))
				return (TSNode){ 0 };
			target = tg_py_first_named(py, target);
			break;
		default:
			return (TSNode){ 0 };
		}
	}
}
