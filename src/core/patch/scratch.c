/* See scratch.h. */
#include "core/patch/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"

#define FILES_MAX 20000
#define BYTES_MAX ((size_t)512 << 20)
#define UNSAFE (TG_PATH_OUTSIDE | TG_PATH_CONTROL | TG_PATH_EMPTY)

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tg_scratch_file *)a)->path,
		      ((const struct tg_scratch_file *)b)->path);
}

struct tg_scratch_file *tg_scratch_find(const struct tg_scratch *s, const char *path)
{
	struct tg_scratch_file want;

	if (!path || s->n == 0)
		return NULL;
	want.path = (char *)path;
	return bsearch(&want, s->file, s->n, sizeof *s->file, by_path);
}

static struct tg_scratch_file *add(struct tg_scratch *s, const char *path)
{
	TG_GROW(s->file, s->n, s->cap);
	s->file[s->n] = (struct tg_scratch_file){.path = tg_strdup(path)};
	return &s->file[s->n++];
}

/* ---- before ---- */

static void collect_paths(struct tg_scratch *s, const struct tg_diff *d)
{
	size_t i, kept = 0;

	for (i = 0; i < d->file_n; i++) {
		const char *path[2] = {d->file[i].old_path, d->file[i].new_path};
		int k;

		for (k = 0; k < 2; k++)
			if (path[k] && !(tg_diff_path_flags(path[k]) & UNSAFE) &&
			    tg_path_is_safe_relative(path[k]))
				add(s, path[k])->in_patch = true;
	}
	if (s->n == 0)
		return;
	qsort(s->file, s->n, sizeof *s->file, by_path);
	for (i = 0; i < s->n; i++) {
		if (kept > 0 && tg_streq(s->file[kept - 1].path, s->file[i].path))
			free(s->file[i].path);
		else
			s->file[kept++] = s->file[i];
	}
	s->n = kept;
}

/* Every parent of path comes from the base commit's own tree, where a name is a file or a folder
 * but never both, so that no link which we made can stand in the way. */
static bool write_file(const char *dir, const struct tg_scratch_file *f, struct tg_err *err)
{
	char *path = tg_path_join(dir, f->path), *parent = tg_path_dir(path);
	bool ok = tg_mkdirs(parent, 0755, err);
	int fd;

	if (ok && (f->before_mode & S_IFMT) == S_IFLNK) {
		if (symlink(tg_buf_cstr(&f->before_bytes), path) != 0)
			ok = tg_fail_sys(err, errno, "cannot make a link in the scratch tree");
	} else if (ok) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			  f->before_mode & 0111 ? 0755 : 0644);
		if (fd < 0) {
			ok = tg_fail_sys(err, errno, "cannot write a file of the scratch tree");
		} else {
			ok =
			    tg_write_all(fd, tg_buf_cstr(&f->before_bytes), f->before_bytes.n, err);
			close(fd);
		}
	}
	free(parent);
	free(path);
	return ok;
}

static bool read_base(struct tg_scratch_file *f, const char *repo_path, const char *commit,
		      struct tg_err *err)
{
	struct tg_err why = {0};

	if (!tg_repo_blob(repo_path, commit, f->path, &f->before_bytes, &f->before_mode, &why)) {
		if (why.code == TG_E_NONE)
			return true;
		if (err)
			*err = why;
		return false;
	}
	/* A submodule is a name without bytes: nothing to put there. */
	f->before = (f->before_mode & S_IFMT) == S_IFREG || (f->before_mode & S_IFMT) == S_IFLNK;
	return true;
}

bool tg_scratch_build(struct tg_scratch *s, const char *dir, const struct tg_diff *d,
		      const char *repo_path, const char *commit, struct tg_err *err)
{
	size_t i, total = 0;

	*s = (struct tg_scratch){.dir = tg_strdup(dir)};
	collect_paths(s, d);
	if (s->n > FILES_MAX)
		return tg_fail(err, TG_E_INPUT,
			       "the patch names %zu files, more than the %d that are tried", s->n,
			       FILES_MAX);
	if (!tg_mkdir_new(dir, 0755, err))
		return false;
	for (i = 0; i < s->n; i++) {
		struct tg_scratch_file *f = &s->file[i];

		if (!read_base(f, repo_path, commit, err))
			return false;
		total += f->before_bytes.n;
		if (total > BYTES_MAX)
			return tg_fail(err, TG_E_INPUT,
				       "the files of the patch are over %zu MiB at the base",
				       BYTES_MAX >> 20);
		if (f->before && !write_file(dir, f, err))
			return false;
	}
	return true;
}

/* ---- after ---- */

struct walk {
	struct tg_scratch *s;
	int root;
	char **todo; /* folders still to be read, relative */
	size_t n, cap, entries, bytes;
	size_t known; /* files that were there before the walk: the sorted part */
};

static int open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK),
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static struct tg_scratch_file *entry_for(struct walk *w, const char *path)
{
	struct tg_scratch known = {.file = w->s->file, .n = w->known};
	struct tg_scratch_file *f = tg_scratch_find(&known, path);

	return f ? f : add(w->s, path);
}

static bool read_fd(int fd, struct tg_buf *out, size_t cap, struct tg_err *err)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) > 0) {
		if (out->n + (size_t)n > cap)
			return tg_fail(err, TG_E_INPUT,
				       "a file after the patch is larger than %zu MiB", cap >> 20);
		tg_buf_add(out, chunk, (size_t)n);
	}
	return n == 0 || tg_fail_sys(err, errno, "cannot read a file of the scratch tree");
}

static bool read_entry(struct walk *w, const char *path, const struct stat *st, struct tg_err *err)
{
	struct tg_scratch_file *f = entry_for(w, path);
	char target[PATH_MAX];
	bool ok = true;
	ssize_t n;
	int fd;

	f->after = true;
	if (S_ISLNK(st->st_mode)) {
		f->after_mode = 0120000;
		n = readlinkat(w->root, path, target, sizeof target);
		if (n < 0)
			return tg_fail_sys(err, errno, "cannot read a link of the scratch tree");
		tg_buf_add(&f->after_bytes, target, (size_t)n);
	} else {
		f->after_mode = st->st_mode & 0111 ? 0100755 : 0100644;
		fd = open_beneath(w->root, path, O_RDONLY);
		if (fd < 0)
			return tg_fail_sys(err, errno, "cannot open a file of the scratch tree");
		ok = read_fd(fd, &f->after_bytes, BYTES_MAX - w->bytes, err);
		close(fd);
	}
	w->bytes += f->after_bytes.n;
	return ok;
}

static bool visit(struct walk *w, int fd, const char *folder, const char *name, struct tg_err *err)
{
	char *path = *folder ? tg_path_join(folder, name) : tg_strdup(name);
	struct stat st;
	bool ok = true;

	if (++w->entries > FILES_MAX)
		ok = tg_fail(err, TG_E_INPUT, "over %d entries in the tree after the patch",
			     FILES_MAX);
	else if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		ok = tg_fail_sys(err, errno, "cannot look at an entry of the scratch tree");
	else if (S_ISDIR(st.st_mode)) {
		TG_GROW(w->todo, w->n, w->cap);
		w->todo[w->n++] = path;
		return true;
	} else if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) {
		ok = read_entry(w, path, &st, err);
	}
	free(path);
	return ok;
}

static bool read_folder(struct walk *w, const char *folder, struct tg_err *err)
{
	int fd = open_beneath(w->root, *folder ? folder : ".", O_RDONLY | O_DIRECTORY);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	bool ok = true;

	if (!dir) {
		tg_fail_sys(err, errno, "cannot read a folder of the scratch tree");
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (ok && (e = readdir(dir))) {
		if (tg_streq(e->d_name, ".") || tg_streq(e->d_name, ".."))
			continue;
		if (!*folder && tg_streq(e->d_name, ".git"))
			continue;
		ok = visit(w, dirfd(dir), folder, e->d_name, err);
	}
	closedir(dir);
	return ok;
}

bool tg_scratch_read(struct tg_scratch *s, struct tg_err *err)
{
	struct walk w = {.s = s, .known = s->n};
	bool ok;

	w.root = open(s->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w.root < 0)
		return tg_fail_sys(err, errno, "cannot open the scratch tree");
	ok = read_folder(&w, "", err);
	while (ok && w.n > 0) {
		char *folder = w.todo[--w.n];

		ok = read_folder(&w, folder, err);
		free(folder);
	}
	while (w.n > 0)
		free(w.todo[--w.n]);
	free(w.todo);
	close(w.root);
	if (s->n > 0)
		qsort(s->file, s->n, sizeof *s->file, by_path);
	return ok;
}

bool tg_scratch_changed(const struct tg_scratch_file *f)
{
	if (f->before != f->after)
		return true;
	if (!f->before)
		return false;
	return f->before_mode != f->after_mode || f->before_bytes.n != f->after_bytes.n ||
	       memcmp(tg_buf_cstr(&f->before_bytes), tg_buf_cstr(&f->after_bytes),
		      f->before_bytes.n) != 0;
}

bool tg_scratch_litter(const struct tg_scratch_file *f)
{
	return !f->before && !f->in_patch &&
	       (tg_ends_with(f->path, ".rej") || tg_ends_with(f->path, ".orig"));
}

struct tg_base_file *tg_scratch_base(const struct tg_scratch *s, const struct tg_diff *d)
{
	struct tg_base_file *base = tg_calloc(d->file_n ? d->file_n : 1, sizeof *base);
	size_t i;

	for (i = 0; i < d->file_n; i++) {
		const struct tg_diff_file *p = &d->file[i];
		const struct tg_scratch_file *f =
		    tg_scratch_find(s, p->old_path ? p->old_path : p->new_path);

		if (f && f->before)
			base[i] = (struct tg_base_file){true, f->before_mode, f->before_bytes};
	}
	return base;
}

void tg_scratch_fini(struct tg_scratch *s)
{
	size_t i;

	if (s->dir)
		tg_remove_tree(s->dir, NULL);
	for (i = 0; i < s->n; i++) {
		free(s->file[i].path);
		tg_buf_fini(&s->file[i].before_bytes);
		tg_buf_fini(&s->file[i].after_bytes);
	}
	free(s->file);
	free(s->dir);
	*s = (struct tg_scratch){0};
}
