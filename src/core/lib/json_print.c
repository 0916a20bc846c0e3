/* Printing JSON: Python's json.dumps forms and the compact ones (json.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "core/lib/json.h"
#include "core/lib/text.h"

struct form {
	const char *comma, *colon;
	int indent;
	bool ascii, sorted;
};

static const struct form forms[] = {
	[TG_JSON_COMPACT] = { ",", ":", 0, false, false },
	[TG_JSON_CANONICAL] = { ",", ":", 0, false, true },
	[TG_JSON_PY] = { ", ", ": ", 0, true, false },
	[TG_JSON_PY_INDENT2] = { ",", ": ", 2, true, false },
	[TG_JSON_PY_INDENT2_SORTED] = { ",", ": ", 2, true, true },
	[TG_JSON_PY_INDENT4] = { ",", ": ", 4, true, false },
};

void tg_json_float_repr(double v, struct tg_buf *out)
{
	char digits[40], *e;
	int exp10, prec;
	size_t n;

	if (v == 0) {
		tg_buf_adds(out, signbit(v) ? "-0.0" : "0.0");
		return;
	}
	for (prec = 0; prec < 17; prec++) {
		snprintf(digits, sizeof digits, "%.*e", prec, v);
		if (strtod(digits, NULL) == v)
			break;
	}
	e = strchr(digits, 'e');
	exp10 = (int)strtol(e + 1, NULL, 10);
	if (exp10 >= 16 || exp10 < -4) { /* Python switches to an exponent there */
		*e = '\0';
		tg_buf_addf(out, "%se%c%02d", digits, exp10 < 0 ? '-' : '+', abs(exp10));
		return;
	}
	prec = prec > exp10 ? prec - exp10 : 0;
	snprintf(digits, sizeof digits, "%.*f", prec, v);
	n = strlen(digits);
	tg_buf_add(out, digits, n);
	if (!strchr(digits, '.'))
		tg_buf_adds(out, ".0");
}

static void print_number(double v, struct tg_buf *out)
{
	if (!isfinite(v))
		tg_buf_adds(out, "null");
	else if (v == floor(v) && fabs(v) < 9007199254740992.0)
		tg_buf_addf(out, "%.0f", v == 0 ? 0.0 : v);
	else
		tg_json_float_repr(v, out);
}

static void print_escaped(uint32_t c, struct tg_buf *out)
{
	if (c > 0xFFFF) {
		c -= 0x10000;
		tg_buf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + (c >> 10)),
			    (unsigned)(0xDC00 + (c & 0x3FF)));
	} else
		tg_buf_addf(out, "\\u%04x", (unsigned)c);
}

static void print_string(const char *s, bool ascii, struct tg_buf *out)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	size_t n = strlen(s), len;
	const char *hit;
	uint32_t c;

	tg_buf_reserve(out, n + 2);
	tg_buf_addc(out, '"');
	for (size_t i = 0; i < n; i += len) {
		len = tg_utf8_next(s + i, n - i, &c);
		if (c == 0xFFFFFFFF)
			print_escaped(0xFFFD, out);
		else if (c < 0x80 && (hit = strchr(plain, (int)c))) {
			tg_buf_addc(out, '\\');
			tg_buf_addc(out, letter[hit - plain]);
		} else if (c < 0x20 || (!ascii && c == 0x7F) || (ascii && c > 0x7E && c != 0x7F))
			print_escaped(c, out);
		else
			tg_buf_add(out, s + i, len);
	}
	tg_buf_addc(out, '"');
}

static void newline(struct tg_buf *out, int columns)
{
	tg_buf_addc(out, '\n');
	for (int i = 0; i < columns; i++)
		tg_buf_addc(out, ' ');
}

static int by_key(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

static void print_value(const cJSON *v, const struct form *f, int depth, struct tg_buf *out);

static void print_items(const cJSON *v, const struct form *f, int depth, struct tg_buf *out)
{
	bool object = cJSON_IsObject(v);
	size_t n = tg_json_len(v), i = 0;
	const cJSON **item, *c;

	tg_buf_addc(out, object ? '{' : '[');
	item = tg_malloc(n * sizeof *item);
	cJSON_ArrayForEach(c, v)
		item[i++] = c;
	if (object && f->sorted)
		qsort(item, n, sizeof *item, by_key);
	for (i = 0; i < n; i++) {
		if (i)
			tg_buf_adds(out, f->comma);
		if (f->indent)
			newline(out, f->indent * (depth + 1));
		if (object) {
			print_string(item[i]->string, f->ascii, out);
			tg_buf_adds(out, f->colon);
		}
		print_value(item[i], f, depth + 1, out);
	}
	free(item);
	if (n && f->indent)
		newline(out, f->indent * depth);
	tg_buf_addc(out, object ? '}' : ']');
}

static void print_value(const cJSON *v, const struct form *f, int depth, struct tg_buf *out)
{
	switch (tg_json_kind(v)) {
	case TG_JSON_BOOL:
		tg_buf_adds(out, cJSON_IsTrue(v) ? "true" : "false");
		break;
	case TG_JSON_NUMBER:
		if (cJSON_IsRaw(v))
			tg_buf_adds(out, v->valuestring);
		else
			print_number(v->valuedouble, out);
		break;
	case TG_JSON_STRING:
		print_string(v->valuestring, f->ascii, out);
		break;
	case TG_JSON_ARRAY: case TG_JSON_OBJECT:
		print_items(v, f, depth, out);
		break;
	default:
		tg_buf_adds(out, "null");
	}
}

void tg_json_print(const struct cJSON *v, enum tg_json_style style, struct tg_buf *out)
{
	print_value(v, &forms[style], 0, out);
}
