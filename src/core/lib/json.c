#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

#define MAX_SAFE_INT 9007199254740992LL /* 2^53 */

/* ---- reading ------------------------------------------------------------------------------ */

static bool fail_at(struct tg_err *err, const char *name, const char *p, size_t n, size_t off,
		    const char *what)
{
	size_t line = 1, col = 1;

	for (size_t i = 0; i < off && i < n; i++) {
		col++;
		if (p[i] == '\n') {
			line++;
			col = 1;
		}
	}
	return tg_fail(err, TG_E_INPUT, "%s:%zu:%zu: %s", name, line, col, what);
}

static int hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* A string escape at p (p[0] == '\\', p[1] == 'u'): replace what cJSON cannot read; bytes passed.
 */
static size_t mend_unicode(char *p, size_t n)
{
	int hi = n >= 6 ? hex4(p + 2) : -1, lo;

	if (hi < 0)
		return 2;
	if (hi >= 0xD800 && hi <= 0xDBFF && n >= 12 && p[6] == '\\' && p[7] == 'u') {
		lo = hex4(p + 8);
		if (lo >= 0xDC00 && lo <= 0xDFFF)
			return 12;
	}
	if (hi == 0 || (hi >= 0xD800 && hi <= 0xDFFF))
		memcpy(p + 2, "fffd", 4);
	return 6;
}

/* One pass over the text: depth, control bytes, and the mends that building-blocks.md names. */
static bool prepare(char *p, size_t n, const char *name, int max_depth, struct tg_err *err)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n;) {
		char c = p[i];

		if (c == '\0')
			return fail_at(err, name, p, n, i, "NUL byte in JSON");
		if (in_string) {
			if (c == '\\')
				i += i + 1 < n && p[i + 1] == 'u' ? mend_unicode(p + i, n - i) : 2;
			else {
				in_string = c != '"';
				i++;
			}
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '[' || c == '{') {
			if (++depth > max_depth)
				return fail_at(err, name, p, n, i, "JSON nested too deeply");
		} else if (c == ']' || c == '}')
			depth--;
		else if (c == 'N' && n - i >= 3 && !memcmp(p + i, "NaN", 3)) {
			memcpy(p + i, "\"\xff\"", 3); /* null does not fit; see settle() */
			i += 2;
		}
		else if (c == 'I' && n - i >= 8 && !memcmp(p + i, "Infinity", 8)) {
			bool neg = i > 0 && p[i - 1] == '-';
			memcpy(p + i, "null    ", 8);
			if (neg)
				p[i - 1] = ' ';
		}
		i++;
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

static const char *duplicate_key(const cJSON *obj, size_t n)
{
	const cJSON **v = tg_malloc(n * sizeof *v);
	const cJSON *c;
	const char *found = NULL;
	size_t i = 0;

	cJSON_ArrayForEach(c, obj)
		v[i++] = c;
	qsort(v, n, sizeof *v, by_key);
	for (i = 1; i < n && !found; i++)
		if (!strcmp(v[i - 1]->string, v[i]->string))
			found = v[i]->string;
	free(v);
	return found;
}

/* Keep the last of equal keys, as Python does. */
static void keep_last(cJSON *obj)
{
	for (cJSON *c = obj->child, *next; c; c = next) {
		next = c->next;
		for (cJSON *d = next; d; d = d->next)
			if (!strcmp(c->string, d->string)) {
				cJSON_Delete(cJSON_DetachItemViaPointer(obj, c));
				break;
			}
	}
}

/* After parsing: NaN marks become null, duplicate keys an error (or the last one wins). */
static bool settle(cJSON *v, const char *name, bool fix, struct tg_err *err)
{
	const char *dup = NULL;
	cJSON *c;
	size_t n = 0;

	if (cJSON_IsString(v) && !strcmp(v->valuestring, "\xff")) {
		free(v->valuestring);
		v->valuestring = NULL;
		v->type = cJSON_NULL;
	}
	cJSON_ArrayForEach(c, v) {
		n++;
		if (!settle(c, name, fix, err))
			return false;
	}
	if (!cJSON_IsObject(v) || n < 2 || !(dup = duplicate_key(v, n)))
		return true;
	if (!fix) {
		char *key = tg_text_line(dup, strlen(dup), 60);
		tg_fail(err, TG_E_INPUT, "%s: the key \"%s\" stands twice in one object", name,
			key);
		free(key);
		return false;
	}
	keep_last(v);
	return true;
}

struct cJSON *tg_json_parse(const char *p, size_t n, const char *name,
			    const struct tg_json_limits *limits, struct tg_err *err)
{
	size_t max = limits && limits->max_bytes ? limits->max_bytes : 64u << 20;
	int depth = limits && limits->max_depth ? limits->max_depth : 64;
	const char *end = NULL;
	char *text;
	cJSON *v;

	if (n > max) {
		tg_fail(err, TG_E_INPUT, "%s: %zu bytes of JSON, more than the limit of %zu", name,
			n, max);
		return NULL;
	}
	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
		p += 3;
		n -= 3;
	}
	text = tg_strndup(p, n);
	if (!prepare(text, n, name, depth, err)) {
		free(text);
		return NULL;
	}
	v = cJSON_ParseWithLengthOpts(text, n + 1, &end, 1);
	if (!v)
		fail_at(err, name, text, n, end ? (size_t)(end - text) : 0,
			n ? "not valid JSON here" : "empty file where JSON was expected");
	else if (!settle(v, name, limits && limits->dup_keys_ok, err)) {
		cJSON_Delete(v);
		v = NULL;
	}
	free(text);
	return v;
}

struct cJSON *tg_json_load(const char *path, const struct tg_json_limits *limits,
			   struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *v = NULL;
	size_t cap = limits && limits->max_bytes ? limits->max_bytes : 64u << 20;

	if (tg_file_read(path, cap, &b, err))
		v = tg_json_parse(tg_buf_cstr(&b), b.n, path, limits, err);
	tg_buf_fini(&b);
	return v;
}

void tg_json_free(struct cJSON *v)
{
	cJSON_Delete(v);
}

struct cJSON *tg_json_dup(const struct cJSON *v)
{
	struct cJSON *d = v ? cJSON_Duplicate(v, 1) : NULL;

	if (v && !d)
		tg_oom();
	return d;
}

enum tg_json_kind tg_json_kind(const struct cJSON *v)
{
	if (!v)
		return TG_JSON_NONE;
	switch (v->type & 0xFF) {
	case cJSON_True: case cJSON_False:
		return TG_JSON_BOOL;
	case cJSON_Number: case cJSON_Raw:
		return TG_JSON_NUMBER;
	case cJSON_String:
		return TG_JSON_STRING;
	case cJSON_Array:
		return TG_JSON_ARRAY;
	case cJSON_Object:
		return TG_JSON_OBJECT;
	default:
		return TG_JSON_NULL;
	}
}

const struct cJSON *tg_json_get(const struct cJSON *obj, const char *key)
{
	return cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;
}

const struct cJSON *tg_json_path(const struct cJSON *obj, const char *dotted)
{
	char key[128];

	while (obj && *dotted) {
		size_t n = strcspn(dotted, ".");

		assert(n < sizeof key);
		memcpy(key, dotted, n);
		key[n] = '\0';
		obj = tg_json_get(obj, key);
		dotted += n + (dotted[n] == '.');
	}
	return obj;
}

const char *tg_json_text(const struct cJSON *v)
{
	return cJSON_IsString(v) ? v->valuestring : NULL;
}

const char *tg_json_str(const struct cJSON *obj, const char *key)
{
	return tg_json_text(tg_json_get(obj, key));
}

double tg_json_number(const struct cJSON *v, double otherwise)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble;
	return cJSON_IsRaw(v) ? strtod(v->valuestring, NULL) : otherwise;
}

int64_t tg_json_int(const struct cJSON *obj, const char *key, int64_t otherwise)
{
	const struct cJSON *v = tg_json_get(obj, key);
	double d;

	if (cJSON_IsRaw(v)) {
		int64_t exact;
		if (tg_parse_i64(v->valuestring, &exact))
			return exact;
	}
	if (tg_json_kind(v) != TG_JSON_NUMBER)
		return otherwise;
	d = tg_json_number(v, 0);
	if (!(d >= -9.2e18 && d <= 9.2e18))
		return otherwise;
	return (int64_t)d;
}

double tg_json_num(const struct cJSON *obj, const char *key, double otherwise)
{
	return tg_json_number(tg_json_get(obj, key), otherwise);
}

bool tg_json_bool(const struct cJSON *obj, const char *key, bool otherwise)
{
	const struct cJSON *v = tg_json_get(obj, key);

	return cJSON_IsBool(v) ? cJSON_IsTrue(v) != 0 : otherwise;
}

bool tg_json_truthy(const struct cJSON *v)
{
	switch (tg_json_kind(v)) {
	case TG_JSON_BOOL:
		return cJSON_IsTrue(v) != 0;
	case TG_JSON_NUMBER:
		return tg_json_number(v, 0) != 0;
	case TG_JSON_STRING:
		return v->valuestring[0] != '\0';
	case TG_JSON_ARRAY: case TG_JSON_OBJECT:
		return v->child != NULL;
	default:
		return false;
	}
}

size_t tg_json_len(const struct cJSON *v)
{
	size_t n = 0;

	for (const struct cJSON *c = tg_json_first(v); c; c = c->next)
		n++;
	return n;
}

const struct cJSON *tg_json_first(const struct cJSON *v)
{
	return cJSON_IsArray(v) || cJSON_IsObject(v) ? v->child : NULL;
}

const struct cJSON *tg_json_next(const struct cJSON *v)
{
	return v ? v->next : NULL;
}

const char *tg_json_key(const struct cJSON *v)
{
	return v ? v->string : NULL;
}

/* ---- building ----------------------------------------------------------------------------- */

static struct cJSON *made(struct cJSON *v)
{
	if (!v)
		tg_oom();
	return v;
}

struct cJSON *tg_json_object(void)
{
	return made(cJSON_CreateObject());
}

struct cJSON *tg_json_array(void)
{
	return made(cJSON_CreateArray());
}

struct cJSON *tg_json_string(const char *s)
{
	return made(s ? cJSON_CreateString(s) : cJSON_CreateNull());
}

struct cJSON *tg_json_null(void)
{
	return made(cJSON_CreateNull());
}

void tg_json_set(struct cJSON *obj, const char *key, struct cJSON *v)
{
	if (tg_json_get(obj, key))
		cJSON_ReplaceItemInObjectCaseSensitive(obj, key, v);
	else
		cJSON_AddItemToObject(obj, key, v);
}

void tg_json_set_str(struct cJSON *obj, const char *key, const char *s)
{
	tg_json_set(obj, key, tg_json_string(s));
}

void tg_json_set_strn(struct cJSON *obj, const char *key, const char *p, size_t n)
{
	char *s = tg_strndup(p, n);

	tg_json_set_str(obj, key, s);
	free(s);
}

void tg_json_set_int(struct cJSON *obj, const char *key, int64_t v)
{
	char text[32];

	if (v > -MAX_SAFE_INT && v < MAX_SAFE_INT) {
		tg_json_set(obj, key, made(cJSON_CreateNumber((double)v)));
		return;
	}
	snprintf(text, sizeof text, "%lld", (long long)v);
	tg_json_set(obj, key, made(cJSON_CreateRaw(text)));
}

void tg_json_set_float(struct cJSON *obj, const char *key, double v)
{
	struct tg_buf b = TG_BUF_INIT;

	if (!isfinite(v)) {
		tg_json_set_null(obj, key);
		return;
	}
	tg_json_float_repr(v, &b);
	tg_json_set(obj, key, made(cJSON_CreateRaw(tg_buf_cstr(&b))));
	tg_buf_fini(&b);
}

void tg_json_set_bool(struct cJSON *obj, const char *key, bool v)
{
	tg_json_set(obj, key, made(cJSON_CreateBool(v)));
}

void tg_json_set_null(struct cJSON *obj, const char *key)
{
	tg_json_set(obj, key, tg_json_null());
}

void tg_json_del(struct cJSON *obj, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
}

void tg_json_push(struct cJSON *arr, struct cJSON *v)
{
	cJSON_AddItemToArray(arr, v);
}

void tg_json_push_str(struct cJSON *arr, const char *s)
{
	tg_json_push(arr, tg_json_string(s));
}
