/* Reading predictions files: see preds.h. */
#include "core/run/preds.h"

#include <stdlib.h>
#include <string.h>
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"

static const struct tg_json_limits limits = {
    .max_bytes = (size_t)512 << 20, .max_depth = 64, .dup_keys_ok = true};

static const char *const id_keys[] = {"instance_id", "task", "id", "task_id"};
static const char *const patch_keys[] = {"model_patch", "patch", "prediction"};
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* A value as text: strings as they are, anything else as JSON writes it. */
static char *as_text(const struct cJSON *v)
{
	struct tg_buf b = TG_BUF_INIT;

	if (tg_json_text(v))
		return tg_strdup(tg_json_text(v));
	tg_json_print(v, TG_JSON_PY, &b);
	return tg_buf_detach(&b);
}

static const struct cJSON *id_of(const struct cJSON *record)
{
	size_t i;

	for (i = 0; i < COUNT(id_keys); i++)
		if (tg_json_truthy(tg_json_get(record, id_keys[i])))
			return tg_json_get(record, id_keys[i]);
	return NULL;
}

static bool has_id_key(const struct cJSON *record)
{
	size_t i;

	for (i = 0; i < COUNT(id_keys); i++)
		if (tg_json_get(record, id_keys[i]))
			return true;
	return false;
}

static const struct cJSON *patch_of(const struct cJSON *record)
{
	size_t i;

	for (i = 0; i < COUNT(patch_keys); i++)
		if (tg_json_get(record, patch_keys[i]))
			return tg_json_get(record, patch_keys[i]);
	return NULL;
}

/* One record; v may be an object or the patch itself. key: its id in a map, or NULL. */
static void add(struct tg_preds *preds, const struct cJSON *v, const char *key,
		const char *fallback)
{
	bool object = tg_json_kind(v) == TG_JSON_OBJECT;
	const struct cJSON *patch = object ? patch_of(v) : v, *id = object ? id_of(v) : NULL;
	enum tg_json_kind kind = tg_json_kind(patch);
	struct tg_pred *p;

	TG_GROW(preds->v, preds->n, preds->cap);
	p = &preds->v[preds->n++];
	*p = (struct tg_pred){.has_id = id || key};
	p->instance_id = id ? as_text(id) : tg_strdup(key ? key : fallback);
	p->model = object ? tg_strdup(tg_json_str(v, "model_name_or_path")) : NULL;
	p->null_patch = kind == TG_JSON_NONE || kind == TG_JSON_NULL;
	p->patch = p->null_patch ? tg_strdup("") : as_text(patch);
	p->patch_n = strlen(p->patch);
}

static void add_numbered(struct tg_preds *preds, const struct cJSON *v)
{
	char *name = tg_asprintf("instance_%zu", preds->n + 1);

	add(preds, v, NULL, name);
	free(name);
}

static void take_value(struct tg_preds *preds, const struct cJSON *root)
{
	const struct cJSON *v;

	switch (tg_json_kind(root)) {
	case TG_JSON_NONE:
	case TG_JSON_NULL:
		break;
	case TG_JSON_ARRAY:
		for (v = tg_json_first(root); v; v = tg_json_next(v))
			add_numbered(preds, v);
		break;
	case TG_JSON_OBJECT:
		if (has_id_key(root)) {
			add(preds, root, NULL, "instance_unknown");
			break;
		}
		for (v = tg_json_first(root); v; v = tg_json_next(v))
			add(preds, v, tg_json_key(v), "");
		break;
	default:
		add(preds, root, NULL, "instance_unknown");
		break;
	}
}

static bool blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strchr(" \t\r\n\v\f", p[i]) || !p[i])
			return false;
	return true;
}

static bool take_lines(struct tg_preds *preds, const char *p, size_t n, const char *name,
		       struct tg_err *err)
{
	size_t at = 0, line = 1;

	for (; at < n; line++) {
		const char *nl = memchr(p + at, '\n', n - at);
		size_t len = nl ? (size_t)(nl - (p + at)) : n - at;
		struct cJSON *v;

		if (!blank(p + at, len)) {
			v = tg_json_parse(p + at, len, name, &limits, err);
			if (!v)
				return tg_fail_in(err, "%s, line %zu as JSONL", name, line);
			add_numbered(preds, v);
			tg_json_free(v);
		}
		at += len + 1;
	}
	return true;
}

/* Is the text more than one line that holds something? Only then can it be JSONL. */
static bool several_lines(const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);

	return nl && !blank(nl, n - (size_t)(nl - p));
}

bool tg_preds_parse(struct tg_preds *preds, const char *p, size_t n, const char *name,
		    struct tg_err *err)
{
	struct tg_err whole = {0};
	struct cJSON *root;

	*preds = (struct tg_preds){0};
	if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (blank(p, n))
		return true;
	root = tg_json_parse(p, n, name, &limits, &whole);
	if (root) {
		take_value(preds, root);
		tg_json_free(root);
		return true;
	}
	if (several_lines(p, n) && take_lines(preds, p, n, name, NULL))
		return true;
	tg_preds_fini(preds);
	if (err)
		*err = whole;
	return false;
}

bool tg_preds_load(struct tg_preds *preds, const char *path, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	bool ok;

	*preds = (struct tg_preds){0};
	ok = tg_file_read(path, limits.max_bytes, &text, err) &&
	     tg_preds_parse(preds, tg_buf_cstr(&text), text.n, path, err);
	tg_buf_fini(&text);
	return ok;
}

void tg_preds_fini(struct tg_preds *preds)
{
	size_t i;

	for (i = 0; i < preds->n; i++) {
		free(preds->v[i].instance_id);
		free(preds->v[i].model);
		free(preds->v[i].patch);
	}
	free(preds->v);
	*preds = (struct tg_preds){0};
}

const struct tg_pred *tg_preds_find(const struct tg_preds *preds, const char *iid)
{
	size_t i;

	for (i = preds->n; i-- > 0;)
		if (tg_streq(preds->v[i].instance_id, iid))
			return &preds->v[i];
	return NULL;
}

static const char *const file_names[] = {"preds.json",	     "preds_filled.json", "preds.jsonl",
					 "predictions.json", "predictions.jsonl", "all_preds.json",
					 "all_preds.jsonl"};

char *tg_preds_file(const char *path)
{
	size_t i;

	if (!tg_is_dir(path))
		return tg_file_exists(path) &&
				       (tg_ends_with(path, ".json") || tg_ends_with(path, ".jsonl"))
			       ? tg_strdup(path)
			       : NULL;
	for (i = 0; i < COUNT(file_names); i++) {
		char *file = tg_path_join(path, file_names[i]);

		if (tg_file_exists(file) && !tg_is_dir(file))
			return file;
		free(file);
	}
	return NULL;
}

const char *tg_preds_name(const char *path)
{
	size_t i;

	for (i = 0; i < COUNT(file_names); i++)
		if (tg_streq(tg_path_base(path), file_names[i]))
			return file_names[i];
	return "predictions file";
}
