#ifndef TG_JSON_H
#define TG_JSON_H
/*
 * JSON over cJSON; the only place that includes it. `struct cJSON` stays opaque to callers.
 *
 * Reading makes good what cJSON lacks (design: building-blocks.md section 7): lone surrogate
 * escapes and \u0000 become U+FFFD, bare NaN/Infinity become null, trailing rubbish, duplicate keys
 * (unless allowed), too deep and too large input are errors with line and column. Look-ups are
 * case-sensitive and NULL-safe: tg_json_get(NULL, ..) is NULL.
 *
 * Writing has its own printer: Python's json.dumps forms (the reference pipeline's files) and a
 * compact canonical one (sorted keys; journal and digests). Numbers keep their kind:
 * tg_json_set_int prints an integer, tg_json_set_float a Python float repr ("1.0",
 * "0.3999999999999999").
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct cJSON;

struct tg_json_limits {
	size_t max_bytes; /* 0: 64 MiB */
	int max_depth;    /* 0: 64 */
	bool dup_keys_ok; /* the last one wins, as in Python */
};

/* Parse exactly one JSON value. `name` stands in messages ("preds.json:3:17: ..."). Free with
 * tg_json_free. limits may be NULL. */
struct cJSON *tg_json_parse(const char *p, size_t n, const char *name,
			    const struct tg_json_limits *limits, struct tg_err *err);
/* Read and parse a trusted path (our own file, or one the user named). */
struct cJSON *tg_json_load(const char *path, const struct tg_json_limits *limits,
			   struct tg_err *err);
void tg_json_free(struct cJSON *v);
struct cJSON *tg_json_dup(const struct cJSON *v);

enum tg_json_kind { TG_JSON_NONE, TG_JSON_NULL, TG_JSON_BOOL, TG_JSON_NUMBER, TG_JSON_STRING,
		    TG_JSON_ARRAY, TG_JSON_OBJECT };
enum tg_json_kind tg_json_kind(const struct cJSON *v); /* NONE for NULL */

const struct cJSON *tg_json_get(const struct cJSON *obj, const char *key);
const struct cJSON *tg_json_path(const struct cJSON *obj,
				 const char *dotted);		  /* "info.model_stats" */
const char *tg_json_text(const struct cJSON *v);                  /* string value or NULL */
const char *tg_json_str(const struct cJSON *obj, const char *key); /* NULL when absent/not string */
int64_t tg_json_int(const struct cJSON *obj, const char *key, int64_t otherwise);
double tg_json_num(const struct cJSON *obj, const char *key, double otherwise);
bool tg_json_bool(const struct cJSON *obj, const char *key, bool otherwise);
double tg_json_number(const struct cJSON *v, double otherwise);
bool tg_json_truthy(const struct cJSON *v); /* Python truthiness */
size_t tg_json_len(const struct cJSON *v);  /* children of an array or object: O(n) */
/* for (c = tg_json_first(v); c; c = tg_json_next(c)) ... tg_json_key(c) */
const struct cJSON *tg_json_first(const struct cJSON *v);
const struct cJSON *tg_json_next(const struct cJSON *v);
const char *tg_json_key(const struct cJSON *v);

struct cJSON *tg_json_object(void);
struct cJSON *tg_json_array(void);
struct cJSON *tg_json_string(const char *s); /* NULL gives null */
struct cJSON *tg_json_null(void);
/* Setting a key that exists replaces it in place. obj takes ownership of v. */
void tg_json_set(struct cJSON *obj, const char *key, struct cJSON *v);
void tg_json_set_str(struct cJSON *obj, const char *key, const char *s); /* NULL: null */
void tg_json_set_strn(struct cJSON *obj, const char *key, const char *p, size_t n);
void tg_json_set_int(struct cJSON *obj, const char *key, int64_t v);
void tg_json_set_float(struct cJSON *obj, const char *key, double v); /* non-finite: null */
void tg_json_set_bool(struct cJSON *obj, const char *key, bool v);
void tg_json_set_null(struct cJSON *obj, const char *key);
void tg_json_del(struct cJSON *obj, const char *key);
void tg_json_push(struct cJSON *arr, struct cJSON *v);
void tg_json_push_str(struct cJSON *arr, const char *s);

enum tg_json_style {
	TG_JSON_COMPACT,    /* {"a":1}: insertion order, UTF-8 kept, control characters escaped */
	TG_JSON_CANONICAL,  /* the same, keys sorted by bytes (journal, digests) */
	TG_JSON_PY,         /* Python json.dumps(x): ", " and ": ", non-ASCII escaped */
	TG_JSON_PY_INDENT2, /* json.dumps(x, indent=2) */
	TG_JSON_PY_INDENT2_SORTED,
	TG_JSON_PY_INDENT4
};
/* Append v to out; no newline at the end. */
void tg_json_print(const struct cJSON *v, enum tg_json_style style, struct tg_buf *out);
/* Python's repr of a double: shortest digits that read back the same, "1.0", "1e-07", "1e+16". */
void tg_json_float_repr(double v, struct tg_buf *out);

#endif
