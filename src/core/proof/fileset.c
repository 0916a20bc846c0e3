#include "core/proof/fileset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/lib/file.h"

enum { WALK_DEPTH = 12 };

void tg_fileset_fini(struct tg_fileset *set)
{
	for (size_t i = 0; i < set->n; i++) {
		free(set->v[i].path);
		free(set->v[i].source);
		tg_buf_fini(&set->v[i].data);
	}
	free(set->v);
	*set = (struct tg_fileset){NULL, 0, 0};
}

struct tg_file *tg_fileset_add(struct tg_fileset *set, const char *path, const char *source)
{
	struct tg_file *f;

	TG_GROW(set->v, set->n, set->cap);
	f = &set->v[set->n++];
	*f = (struct tg_file){.path = tg_strdup(path), .source = tg_strdup(source)};
	return f;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tg_file *)a)->path, ((const struct tg_file *)b)->path);
}

void tg_fileset_sort(struct tg_fileset *set)
{
	if (set->n)
		qsort(set->v, set->n, sizeof *set->v, by_path);
}

struct tg_file *tg_fileset_find(const struct tg_fileset *set, const char *path)
{
	struct tg_file key = {.path = (char *)(uintptr_t)path};

	return set->n ? bsearch(&key, set->v, set->n, sizeof key, by_path) : NULL;
}

bool tg_fileset_hash(struct tg_fileset *set, struct tg_err *err)
{
	for (size_t i = 0; i < set->n; i++) {
		struct tg_file *f = &set->v[i];

		if (f->source && !tg_sha256_file(f->source, f->sha256, &f->bytes, err))
			return false;
	}
	return true;
}

bool tg_fileset_read(const struct tg_fileset *set, const char *path, struct tg_buf *out,
		     struct tg_err *err)
{
	const struct tg_file *f = tg_fileset_find(set, path);

	tg_buf_clear(out);
	if (!f)
		return tg_fail(err, TG_E_NONE, "%s is not there", path);
	if (f->source)
		return tg_file_read(f->source, 0, out, err);
	if ((int64_t)f->data.n != f->bytes)
		return tg_fail(err, TG_E_INPUT, "%s is too large to look into", path);
	tg_buf_add(out, f->data.p, f->data.n);
	return true;
}

static bool walk(struct tg_fileset *set, const char *dir, const char *rel, int depth,
		 struct tg_err *err)
{
	struct tg_names names = {NULL, 0};
	bool ok = tg_dir_list(dir, &names, err);

	for (size_t i = 0; ok && i < names.n; i++) {
		char *path = tg_path_join(dir, names.v[i]);
		char *sub = *rel ? tg_path_join(rel, names.v[i]) : tg_strdup(names.v[i]);
		struct stat st;

		if (lstat(path, &st) != 0)
			ok = tg_fail_sys(err, 0, "cannot look at %s", path);
		else if (S_ISDIR(st.st_mode) && depth < WALK_DEPTH)
			ok = walk(set, path, sub, depth + 1, err);
		else if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !tg_path_is_safe_relative(sub))
			ok = tg_fail(err, TG_E_INPUT,
				     "%s is no plain file, or its name is not safe", path);
		else
			tg_fileset_add(set, sub, path);
		free(path);
		free(sub);
	}
	tg_names_free(&names);
	return ok;
}

bool tg_fileset_walk(struct tg_fileset *set, const char *dir, struct tg_err *err)
{
	if (!walk(set, dir, "", 0, err))
		return false;
	tg_fileset_sort(set);
	return tg_fileset_hash(set, err);
}
