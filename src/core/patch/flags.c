/* Flags that a patch's own files and size give. */
#include "core/patch/classify.h"

#include <fnmatch.h>
#include <string.h>
#include "core/lib/file.h"

static const char *const test_names[] = {"test_*",	"*_test.py",  "tests.py",    "test.py",
					 "conftest.py", "pytest.ini", "tox.ini",     "noxfile.py",
					 "runtests.py", "runtest.py", ".coveragerc", NULL};

static const char *const scratch_names[] = {
	"reproduce*", "repro_*", "repro.*", "*.backup", "*.bak",	 "*.orig", "*.rej",
	"*.tmp",	  "*~",	     "*.swp",	"*.pyc",    "nohup.out", NULL};

/* Files that may well be new at the root of a repository. */
static const char *const root_names[] = {"setup.py", "conftest.py", "noxfile.py",
					 "tasks.py", "manage.py",   NULL};

static bool any_match(const char *const *patterns, const char *name)
{
	for (; *patterns; patterns++)
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	return false;
}

static bool has_test_folder(const char *path)
{
	static const char *const folder[] = {"tests", "test", "testing", "__tests__", NULL};
	const char *p = path, *slash;

	while ((slash = strchr(p, '/'))) {
		size_t i, n = (size_t)(slash - p);

		for (i = 0; folder[i]; i++)
			if (strlen(folder[i]) == n && memcmp(folder[i], p, n) == 0)
				return true;
		p = slash + 1;
	}
	return false;
}

static bool is_scratch(const struct tg_diff_file *f, const char *path, const char *name)
{
	if (f->status != TG_DIFF_ADDED && f->status != TG_DIFF_COPIED)
		return false;
	if (any_match(scratch_names, name))
		return true;
	return !strchr(path, '/') && tg_ends_with(name, ".py") && !any_match(root_names, name);
}

static unsigned file_flags(const struct tg_diff_file *f)
{
	const char *path = tg_diff_path(f), *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	unsigned flags = 0;

	if (has_test_folder(path) || any_match(test_names, name) ||
	    (f->old_path && has_test_folder(f->old_path)))
		flags |= TG_TF_TESTS;
	if (is_scratch(f, path, name))
		flags |= TG_TF_SCRATCH;
	if (f->binary)
		flags |= TG_TF_BINARY;
	if (f->old_mode && f->new_mode && f->old_mode != f->new_mode)
		flags |= TG_TF_MODE;
	if (f->path_flags & TG_PATH_SYMLINK)
		flags |= TG_TF_SYMLINK;
	if (f->path_flags & TG_PATH_SUBMODULE)
		flags |= TG_TF_SUBMODULE;
	if (f->path_flags & TG_PATH_OUTSIDE)
		flags |= TG_TF_OUTSIDE;
	if (f->path_flags & (TG_PATH_CONTROL | TG_PATH_EMPTY))
		flags |= TG_TF_NAME;
	if (f->extra_after)
		flags |= TG_TF_EXTRA_LINES;
	return flags;
}

unsigned tg_diff_flags(const struct tg_diff *d)
{
	unsigned flags = 0;
	size_t i;

	for (i = 0; i < d->file_n; i++)
		flags |= file_flags(&d->file[i]);
	if (d->file_n > TG_LARGE_FILES || d->n > TG_LARGE_BYTES)
		flags |= TG_TF_LARGE;
	if (d->file_n > 0 && d->prose_lines > 0)
		flags |= TG_TF_PROSE_AROUND;
	return flags;
}

const char *tg_triage_flag_name(unsigned bit)
{
	static const char *const name[TG_TF_COUNT_BITS] = {
		"tests", "scratch", "binary", "mode", "symlink", "submodule", "outside-tree",
		"odd-name", "large", "no-op", "silent-revert", "truncated", "corrupt",
		"whitespace-damaged", "prose-around", "extra-lines", "unsure",
	};
	unsigned i;

	for (i = 0; i < TG_TF_COUNT_BITS; i++)
		if (bit == 1u << i)
			return name[i];
	return "";
}
