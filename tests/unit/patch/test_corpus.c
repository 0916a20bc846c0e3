/*
 * Every real prediction of the shared corpus goes through parser and classes; what git said about
 * them (LADDER.jsonl) is the judge. Needs TGMON_SHARED; skipped without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/patch/classify.h"

enum said { SAID_NOTHING, SAID_CLEAN, SAID_CORRUPT, SAID_NO_PATCH, SAID_CONTEXT, SAID_COUNT };
static const char *const said_name[] = {"(unknown)", "clean", "corrupt", "no valid patch",
					"context"};

struct entry {
	char *key; /* "<iid> <sha1>" */
	enum said said;
};

struct corpus {
	struct entry *entry;
	size_t n, cap;
	size_t table[SAID_COUNT][TG_PC_COUNT], rows, null;
};

static char *folder(void)
{
	const char *shared = getenv("TGMON_SHARED");
	char *path = tg_path_join(shared ? shared : "../shared", "corpus/predictions");

	if (!tg_is_dir(path)) {
		print_message("no %s: set TGMON_SHARED; skipped\n", path);
		free(path);
		return NULL;
	}
	return path;
}

static char *key_of(const char *iid, const char *p, size_t n)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0, i;
	struct tg_buf b = TG_BUF_INIT;

	assert_int_equal(EVP_Digest(p, n, md, &len, EVP_sha1(), NULL), 1);
	tg_buf_addf(&b, "%s ", iid);
	for (i = 0; i < len; i++)
		tg_buf_addf(&b, "%02x", md[i]);
	return tg_buf_detach(&b);
}

static enum said said_of(const char *cls)
{
	if (tg_streq(cls, "clean"))
		return SAID_CLEAN;
	if (tg_starts_with(cls, "corrupt"))
		return SAID_CORRUPT;
	return tg_starts_with(cls, "no valid") ? SAID_NO_PATCH : SAID_CONTEXT;
}

typedef void (*row_fn)(struct corpus *c, const struct cJSON *row, const char *file);

static void each_line(struct corpus *c, const char *path, row_fn fn)
{
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err;
	const char *p, *end;

	assert_true(tg_file_read(path, 0, &text, &err));
	for (p = text.p; p < text.p + text.n; p = end + 1) {
		struct cJSON *row;

		end = memchr(p, '\n', (size_t)(text.p + text.n - p));
		if (!end)
			end = text.p + text.n;
		if (end == p)
			continue;
		row = tg_json_parse(p, (size_t)(end - p), path, NULL, &err);
		if (!row)
			fail_msg("%s", err.msg);
		fn(c, row, path);
		tg_json_free(row);
	}
	tg_buf_fini(&text);
}

static void add_entry(struct corpus *c, const struct cJSON *row, const char *file)
{
	(void)file;
	TG_GROW(c->entry, c->n, c->cap);
	c->entry[c->n].key =
	    tg_asprintf("%s %s", tg_json_str(row, "instance_id"), tg_json_str(row, "patch_sha1"));
	c->entry[c->n++].said = said_of(tg_json_str(row, "class"));
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static enum said look_up(const struct corpus *c, const char *iid, const char *patch)
{
	struct entry want = {.key = key_of(iid, patch, strlen(patch))};
	const struct entry *e = bsearch(&want, c->entry, c->n, sizeof *c->entry, by_key);

	free(want.key);
	return e ? e->said : SAID_NOTHING;
}

static void walk_lines(const struct tg_diff *d)
{
	size_t i, added = 0, deleted = 0, want_added = 0, want_deleted = 0;

	for (i = 0; i < d->hunk_n; i++) {
		struct tg_diff_line it = {0};

		assert_true(d->hunk[i].off + d->hunk[i].len <= d->n);
		while (tg_diff_line_next(d, &d->hunk[i], &it)) {
			assert_true(it.off + it.len <= d->n);
			added += it.sign == '+';
			deleted += it.sign == '-';
		}
	}
	for (i = 0; i < d->file_n; i++) {
		want_added += d->file[i].added;
		want_deleted += d->file[i].deleted;
	}
	assert_int_equal(added, want_added);
	assert_int_equal(deleted, want_deleted);
}

static void one(struct corpus *c, const struct cJSON *row, const char *file)
{
	const char *patch = tg_json_str(row, "model_patch"), *iid = tg_json_str(row, "instance_id");
	size_t n = patch ? strlen(patch) : 0;
	char *copy = tg_malloc(n ? n : 1); /* exactly n bytes, so that ASan sees a step too far */
	struct tg_diff d;
	struct tg_triage_out out;
	struct tg_triage_in in = {.patch = copy, .n = n, .diff = &d};
	enum said said = patch && n ? look_up(c, iid, patch) : SAID_NOTHING;

	if (n)
		memcpy(copy, patch, n);
	tg_diff_parse(&d, copy, n);
	walk_lines(&d);
	tg_triage_classify(&in, &out);
	assert_non_null(out.reason);
	c->rows++;
	c->null += !patch;
	c->table[said][out.cls]++;
	if (n == 0)
		assert_int_equal(out.cls, TG_PC_EMPTY);
	if (said == SAID_CLEAN && out.cls != TG_PC_OK)
		fail_msg("git takes %s of %s, we say %s", iid, file, out.reason);
	if (said == SAID_CORRUPT || said == SAID_NO_PATCH) {
		if (out.cls == TG_PC_OK)
			fail_msg("git refuses %s of %s (%s), we say ok", iid, file,
				 said_name[said]);
		if (said == SAID_NO_PATCH && out.cls != TG_PC_PROSE)
			fail_msg("git finds no patch in %s of %s, we say %s", iid, file,
				 out.reason);
	}
	tg_triage_out_fini(&out);
	tg_diff_fini(&d);
	free(copy);
}

static void print_table(const struct corpus *c)
{
	int s, k;

	print_message("%-15s", "git says");
	for (k = 1; k < TG_PC_COUNT; k++)
		print_message(" %s", tg_patch_class_name((enum tg_patch_class)k));
	for (s = 0; s < SAID_COUNT; s++) {
		print_message("\n%-15s", said_name[s]);
		for (k = 1; k < TG_PC_COUNT; k++)
			print_message(" %*zu",
				      (int)strlen(tg_patch_class_name((enum tg_patch_class)k)),
				      c->table[s][k]);
	}
	print_message("\n%zu predictions, %zu null\n", c->rows, c->null);
}

static void test_predictions(void **state)
{
	char *dir = folder(), *path;
	struct corpus c = {0};
	struct tg_names names;
	struct tg_err err;
	size_t i;

	(void)state;
	if (!dir)
		skip();
	path = tg_path_join(dir, "LADDER.jsonl");
	each_line(&c, path, add_entry);
	free(path);
	qsort(c.entry, c.n, sizeof *c.entry, by_key);
	assert_true(tg_dir_list(dir, &names, &err));
	for (i = 0; i < names.n; i++) {
		if (!tg_ends_with(names.v[i], ".jsonl") || tg_streq(names.v[i], "LADDER.jsonl"))
			continue;
		path = tg_path_join(dir, names.v[i]);
		each_line(&c, path, one);
		free(path);
	}
	print_table(&c);
	assert_true(c.rows >= 2226);
	assert_int_equal(c.table[SAID_CLEAN][TG_PC_OK] + c.table[SAID_CORRUPT][TG_PC_OK],
			 c.table[SAID_CLEAN][TG_PC_OK]);
	tg_names_free(&names);
	for (i = 0; i < c.n; i++)
		free(c.entry[i].key);
	free(c.entry);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_predictions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
