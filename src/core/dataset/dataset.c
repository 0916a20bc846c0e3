#include <stdlib.h>
#include <string.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

#define MAX_FILE ((size_t)512 << 20)
#define MAX_ROW ((size_t)32 << 20)

/* The columns in SWE-bench's order. `text` is where the value goes; `tests`, for the two lists of
 * test names, which Lite encodes as JSON in a string and other sets give as a list. */
struct column {
	const char *name;
	size_t at;
	bool tests, optional;
};

#define TEXT(m)                                                                                    \
	{                                                                                          \
#m, offsetof(struct tg_row, m), false, false                                       \
	}
#define EXTRA(m)                                                                                   \
	{                                                                                          \
#m, offsetof(struct tg_row, m), false, true                                        \
	}

static const struct column columns[] = {
	TEXT(repo),
	TEXT(instance_id),
	TEXT(base_commit),
	TEXT(patch),
	TEXT(test_patch),
	TEXT(problem_statement),
	TEXT(hints_text),
	TEXT(created_at),
	TEXT(version),
	{ "FAIL_TO_PASS", offsetof(struct tg_row, fail_to_pass), true, false },
	{ "PASS_TO_PASS", offsetof(struct tg_row, pass_to_pass), true, false },
	TEXT(environment_setup_commit),
	EXTRA(image),
	EXTRA(eval_script),
	EXTRA(log_parser),
	EXTRA(eval_type),
};
#define N_COLUMNS (sizeof columns / sizeof *columns)

/* Columns of the other known sets (Verified, Multimodal, SWE-bench-extra and SWE-rebench) that
 * nothing here reads: any value will do, and the row's own text keeps them. */
static const char *const beside[] = {
	"difficulty",	"image_assets",	  "meta",	  "license",
	"license_name", "install_config", "requirements", "environment",
	"FAIL_TO_FAIL", "PASS_TO_FAIL",	  "docker_image", "image_name",
};

static bool known_beside(const char *name)
{
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
		if (strcmp(beside[i], name) == 0)
			return true;
	return false;
}

static char **text_slot(struct tg_row *row, const struct column *c)
{
	return (char **)(void *)((char *)row + c->at);
}

static char ***tests_slot(struct tg_row *row, const struct column *c)
{
	return (char ***)(void *)((char *)row + c->at);
}

void tg_row_fini(struct tg_row *row)
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		if (!columns[i].tests) {
			free(*text_slot(row, &columns[i]));
			continue;
		}
		char **list = *tests_slot(row, &columns[i]);

		for (char **t = list; t && *t; t++)
			free(*t);
		free(list);
	}
	free(row->raw);
	*row = (struct tg_row){ 0 };
}

void tg_dataset_fini(struct tg_dataset *ds)
{
	for (size_t i = 0; i < ds->n; i++)
		tg_row_fini(&ds->row[i]);
	free(ds->row);
	*ds = (struct tg_dataset){ 0 };
}

/* ---- one row -------------------------------------------------------------------------- */

/* Where a row stands, for messages: "lite.jsonl:17" or, in a JSON list, "lite.json: row 17". */
struct place {
	const char *path;
	size_t number;
	bool list;
};

static bool refuse(const struct place *at, struct tg_err *err, const char *field, const char *why)
{
	char *f = tg_text_line(field, strlen(field), 60);

	tg_fail(err, TG_E_INPUT,
		at->list ? "%s: row %zu: field '%s': %s" : "%s:%zu: field '%s': %s", at->path,
		at->number, f, why);
	free(f);
	return false;
}

/* The same rule as the run directory's (run/layout.h): only such an id becomes part of a path. */
static bool id_valid(const char *s)
{
	static const char first[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	return *s && strchr(first, *s) && strspn(s, rest) == strlen(s) && strlen(s) <= 128 &&
	       !strstr(s, "..");
}

static bool repo_valid(const char *s)
{
	const char *slash = strchr(s, '/');
	char *owner = slash ? tg_strndup(s, (size_t)(slash - s)) : NULL;
	bool ok = owner && id_valid(owner) && id_valid(slash + 1);

	free(owner);
	return ok;
}

static bool commit_valid(const char *s)
{
	return strlen(s) == 40 && strspn(s, "0123456789abcdef") == 40;
}

static bool add_tests(const struct place *at, const char *field, const struct cJSON *list,
		      char ***out, struct tg_err *err)
{
	size_t n = 0;

	if (tg_json_kind(list) != TG_JSON_ARRAY)
		return refuse(at, err, field,
			      "not a list of test names (nor one encoded in a string)");
	*out = tg_calloc(tg_json_len(list) + 1, sizeof **out);
	for (const struct cJSON *t = tg_json_first(list); t; t = tg_json_next(t)) {
		if (!tg_json_text(t))
			return refuse(at, err, field, "holds something that is not a test name");
		(*out)[n++] = tg_strdup(tg_json_text(t));
	}
	return true;
}

static bool read_tests(const struct place *at, const char *field, const struct cJSON *v,
		       char ***out, struct tg_err *err)
{
	const char *text = tg_json_text(v);
	struct cJSON *list;
	struct tg_err inner = { 0 };
	bool ok;

	if (!text)
		return add_tests(at, field, v, out, err);
	list = tg_json_parse(text, strlen(text), field, NULL, &inner);
	if (!list)
		return refuse(at, err, field, inner.msg);
	ok = add_tests(at, field, list, out, err);
	tg_json_free(list);
	return ok;
}

static const struct column *find_column(const char *name)
{
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

static bool read_field(const struct place *at, const struct cJSON *v, struct tg_row *row,
		       struct tg_err *err)
{
	const char *name = tg_json_key(v);
	const struct column *c = find_column(name);

	if (!c && known_beside(name))
		return true;
	if (!c)
		return refuse(at, err, name,
			      "unknown column (the 12 of SWE-bench Lite, 5.x's image, "
			      "eval_script, log_parser, eval_type, and those of Verified, "
			      "Multimodal, SWE-bench-extra and SWE-rebench are known)");
	if (c->tests)
		return read_tests(at, name, v, tests_slot(row, c), err);
	if (tg_json_kind(v) == TG_JSON_NULL && c->optional)
		return true;
	if (!tg_json_text(v))
		return refuse(at, err, name, "not a string");
	*text_slot(row, c) = tg_strdup(tg_json_text(v));
	return true;
}

static bool check_row(const struct place *at, struct tg_row *row, struct tg_err *err)
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (!c->optional && !(c->tests ? (void *)*tests_slot(row, c) : *text_slot(row, c)))
			return refuse(at, err, c->name, "missing");
	}
	if (!id_valid(row->instance_id))
		return refuse(at, err, "instance_id",
			      "not an id that can name a folder (letters, digits, "
			      "'.', '_', '-'; no '..'; at most 128)");
	if (!repo_valid(row->repo))
		return refuse(at, err, "repo", "not of the form owner/name");
	if (!commit_valid(row->base_commit))
		return refuse(at, err, "base_commit", "not 40 hexadecimal digits");
	return true;
}

static bool read_row(const struct place *at, const struct cJSON *v, struct tg_row *row,
		     struct tg_err *err)
{
	*row = (struct tg_row){ 0 };
	if (tg_json_kind(v) != TG_JSON_OBJECT)
		return tg_fail(err, TG_E_INPUT,
			       at->list ? "%s: row %zu: not an object" : "%s:%zu: not an object",
			       at->path, at->number);
	for (const struct cJSON *f = tg_json_first(v); f; f = tg_json_next(f))
		if (!read_field(at, f, row, err))
			goto fail;
	if (check_row(at, row, err))
		return true;
fail:
	tg_row_fini(row);
	return false;
}

static bool parse_line(const struct place *at, const char *p, size_t n, struct tg_row *row,
		       struct tg_err *err)
{
	static const struct tg_json_limits limits = { .max_bytes = MAX_ROW };
	struct cJSON *v;
	char *name = tg_asprintf("%s, line %zu", at->path, at->number);
	bool ok;

	v = tg_json_parse(p, n, name, &limits, err);
	free(name);
	if (!v) {
		if (err)
			err->code = TG_E_INPUT;
		return false;
	}
	ok = read_row(at, v, row, err);
	tg_json_free(v);
	if (ok)
		row->raw = tg_strndup(p, n);
	return ok;
}

/* ---- a file --------------------------------------------------------------------------- */

/* Next non-blank line of text, its ends trimmed; NULL at the end. */
static const char *next_line(const char **p, const char *end, size_t *n, size_t *number)
{
	while (*p < end) {
		const char *start = *p, *nl = memchr(start, '\n', (size_t)(end - start));
		const char *stop = nl ? nl : end;

		*p = nl ? nl + 1 : end;
		++*number;
		while (stop > start && strchr(" \t\r", stop[-1]))
			stop--;
		while (start < stop && (*start == ' ' || *start == '\t'))
			start++;
		if (start < stop) {
			*n = (size_t)(stop - start);
			return start;
		}
	}
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct tg_row *const *x = a, *const *y = b;

	return strcmp((*x)->instance_id, (*y)->instance_id);
}

/* An id that stands twice would make two instances share one folder. */
static bool check_duplicates(const struct tg_dataset *ds, const char *path, struct tg_err *err)
{
	const struct tg_row **sorted = tg_malloc((ds->n + 1) * sizeof *sorted);
	const char *twice = NULL;

	for (size_t i = 0; i < ds->n; i++)
		sorted[i] = &ds->row[i];
	qsort(sorted, ds->n, sizeof *sorted, by_id);
	for (size_t i = 1; i < ds->n && !twice; i++)
		if (tg_streq(sorted[i - 1]->instance_id, sorted[i]->instance_id))
			twice = sorted[i]->instance_id;
	free(sorted);
	if (!twice)
		return true;
	for (size_t i = 0, seen = 0; i < ds->n; i++)
		if (tg_streq(ds->row[i].instance_id, twice) && ++seen == 2)
			return tg_fail(err, TG_E_INPUT,
				       "%s: row %zu: field 'instance_id': %s stands there "
				       "twice",
				       path, i + 1, twice);
	return false;
}

static struct tg_row *add_row(struct tg_dataset *ds, size_t *cap)
{
	TG_GROW(ds->row, ds->n, *cap);
	return &ds->row[ds->n];
}

static bool load_lines(struct tg_dataset *ds, const char *path, const struct tg_buf *text,
		       struct tg_err *err)
{
	const char *p = text->p, *end = p + text->n, *line;
	struct place at = { .path = path };
	size_t cap = 0, n;

	while ((line = next_line(&p, end, &n, &at.number))) {
		if (!parse_line(&at, line, n, add_row(ds, &cap), err))
			return false;
		ds->n++;
	}
	return true;
}

static bool load_list(struct tg_dataset *ds, const char *path, const struct tg_buf *text,
		      struct tg_err *err)
{
	static const struct tg_json_limits limits = { .max_bytes = MAX_FILE };
	struct cJSON *list = tg_json_parse(text->p, text->n, path, &limits, err);
	struct place at = { .path = path, .list = true };
	size_t cap = 0;
	bool ok = list;

	if (!list && err)
		err->code = TG_E_INPUT;
	for (const struct cJSON *v = tg_json_first(list); v && ok; v = tg_json_next(v)) {
		struct tg_row *row = add_row(ds, &cap);
		struct tg_buf raw = TG_BUF_INIT;

		at.number++;
		ok = read_row(&at, v, row, err);
		if (!ok)
			break;
		tg_json_print(v, TG_JSON_COMPACT, &raw);
		row->raw = tg_buf_detach(&raw);
		ds->n++;
	}
	tg_json_free(list);
	return ok;
}

bool tg_dataset_load(struct tg_dataset *ds, const char *path, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	size_t blank;
	bool ok;

	*ds = (struct tg_dataset){ 0 };
	if (!tg_file_read(path, MAX_FILE, &text, err)) {
		if (err)
			err->code = TG_E_INPUT;
		return tg_fail_in(err, "data set");
	}
	tg_sha256_hex(tg_buf_cstr(&text), text.n, ds->sha256);
	blank = strspn(tg_buf_cstr(&text), " \t\r\n");
	ok = text.n > blank && text.p[blank] == '[' ? load_list(ds, path, &text, err) :
						      load_lines(ds, path, &text, err);
	if (ok && ds->n == 0)
		ok = tg_fail(err, TG_E_INPUT,
			     "%s: no rows (JSON lines or a JSON list of SWE-bench rows "
			     "is wanted)",
			     path);
	ok = ok && check_duplicates(ds, path, err);
	tg_buf_fini(&text);
	if (!ok)
		tg_dataset_fini(ds);
	return ok;
}

const struct tg_row *tg_dataset_find(const struct tg_dataset *ds, const char *iid)
{
	for (size_t i = 0; i < ds->n; i++)
		if (tg_streq(ds->row[i].instance_id, iid))
			return &ds->row[i];
	return NULL;
}

bool tg_dataset_row(const char *path, const char *iid, struct tg_row *row, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	struct place at = { .path = path };
	const char *p, *end, *line;
	size_t n;
	bool ok = true, found = false;

	*row = (struct tg_row){ 0 };
	if (!tg_file_read(path, MAX_FILE, &text, err))
		return false;
	p = tg_buf_cstr(&text);
	end = p + text.n;
	while (ok && !found && (line = next_line(&p, end, &n, &at.number))) {
		if (!memmem(line, n, iid, strlen(iid))) /* most lines need no parsing */
			continue;
		ok = parse_line(&at, line, n, row, err);
		found = ok && tg_streq(row->instance_id, iid);
		if (!found)
			tg_row_fini(row);
	}
	tg_buf_fini(&text);
	if (ok && !found)
		return tg_fail(err, TG_E_NONE, "%s: no row for %s", path, iid);
	return ok;
}
