#include "core/proof/rows.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/json.h"

static const struct tg_json_limits big = {.max_bytes = (size_t)512 << 20};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct tg_prow *)a)->id, ((const struct tg_prow *)b)->id);
}

static void finish(struct tg_prows *rows)
{
	if (rows->n)
		qsort(rows->v, rows->n, sizeof *rows->v, by_id);
	for (size_t i = 1; i < rows->n; i++)
		if (strcmp(rows->v[i - 1].id, rows->v[i].id) == 0)
			rows->duplicates = true;
}

/* Takes v over. */
static struct tg_prow *add(struct tg_prows *rows, struct cJSON *v, const char *fallback)
{
	const char *id = tg_json_str(v, "instance_id");

	if (!id)
		id = tg_json_str(v, "task");
	if (!id && fallback && tg_json_kind(v) == TG_JSON_OBJECT) {
		tg_json_set_str(v, "instance_id", fallback);
		id = tg_json_str(v, "instance_id");
	}
	if (!id) {
		rows->bad++;
		tg_json_free(v);
		return NULL;
	}
	TG_GROW(rows->v, rows->n, rows->cap);
	rows->v[rows->n] = (struct tg_prow){.v = v, .id = id};
	return &rows->v[rows->n++];
}

static bool read_file(struct tg_prows *rows, const struct tg_fileset *set, const char *path,
		      struct tg_buf *b, struct tg_err *err)
{
	*rows = (struct tg_prows){.exists = tg_fileset_find(set, path) != NULL};
	return !rows->exists || tg_fileset_read(set, path, b, err);
}

bool tg_prows_lines(struct tg_prows *rows, const struct tg_fileset *set, const char *path,
		    struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	bool ok = read_file(rows, set, path, &b, err);
	const char *p = tg_buf_cstr(&b), *end = p + b.n;

	while (ok && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		struct cJSON *v = n ? tg_json_parse(p, n, path, &big, NULL) : NULL;
		struct tg_prow *row = v ? add(rows, v, NULL) : NULL;

		rows->bad += v == NULL;
		if (row) {
			tg_sha256_hex(p, n, row->sha256);
			tg_sha256_hex(p, n + (nl != NULL), row->sha256_nl);
		}
		p += n + 1;
	}
	finish(rows);
	tg_buf_fini(&b);
	return ok;
}

bool tg_prows_predictions(struct tg_prows *rows, const struct tg_fileset *set, const char *path,
			  struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	bool ok = read_file(rows, set, path, &b, err);
	struct cJSON *root = NULL;

	if (ok && rows->exists) {
		root = tg_json_parse(tg_buf_cstr(&b), b.n, path, &big, err);
		ok = root != NULL;
	}
	for (const struct cJSON *c = tg_json_first(root); c; c = tg_json_next(c)) {
		bool map = tg_json_kind(root) == TG_JSON_OBJECT;

		add(rows, tg_json_dup(c), map ? tg_json_key(c) : NULL);
	}
	finish(rows);
	tg_json_free(root);
	tg_buf_fini(&b);
	return ok;
}

const struct tg_prow *tg_prows_find(const struct tg_prows *rows, const char *id)
{
	struct tg_prow key = {.id = id};

	return rows->n && id ? bsearch(&key, rows->v, rows->n, sizeof key, by_id) : NULL;
}

void tg_prows_fini(struct tg_prows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		tg_json_free(rows->v[i].v);
	free(rows->v);
	*rows = (struct tg_prows){.exists = false};
}
