#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "core/lib/file.h"

static bool read_fd(int fd, const char *name, size_t cap, struct tg_buf *out, struct tg_err *err)
{
	struct stat st;
	ssize_t r;

	tg_buf_clear(out);
	if (fstat(fd, &st) != 0)
		return tg_fail_sys(err, errno, "cannot stat %s", name);
	if (S_ISDIR(st.st_mode))
		return tg_fail(err, TG_E_INPUT, "%s is a directory, a file was expected", name);
	if (st.st_size > 0 && (uint64_t)st.st_size <= cap)
		tg_buf_reserve(out, (size_t)st.st_size + 1);
	for (;;) {
		tg_buf_reserve(out, 1 << 16);
		r = read(fd, out->p + out->n, out->cap - out->n - 1);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return tg_fail_sys(err, errno, "cannot read %s", name);
		if (r == 0)
			break;
		out->n += (size_t)r;
		if (out->n > cap)
			return tg_fail(err, TG_E_INPUT, "%s is larger than the limit of %zu bytes",
				       name, cap);
	}
	out->p[out->n] = '\0';
	return true;
}

bool tg_file_read(const char *path, size_t cap, struct tg_buf *out, struct tg_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool ok;

	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot open %s", path);
	ok = read_fd(fd, path, cap ? cap : (size_t)1 << 30, out, err);
	close(fd);
	return ok;
}

int tg_open_beneath(const char *root, const char *rel, struct tg_err *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0) {
		tg_fail_sys(err, errno, "cannot open folder %s", root);
		return -1;
	}
	do
		fd = (int)syscall(SYS_openat2, dir, rel, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN);
	if (fd < 0)
		tg_fail_sys(err, errno, "cannot open %s below %s", rel, root);
	close(dir);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)) {
		tg_fail(err, TG_E_INPUT, "%s/%s is not a plain file with one link", root, rel);
		close(fd);
		return -1;
	}
	return fd;
}

bool tg_file_read_beneath(const char *root, const char *rel, size_t cap, struct tg_buf *out,
			  struct tg_err *err)
{
	int fd = tg_open_beneath(root, rel, err);
	bool ok;

	tg_buf_clear(out);
	if (fd < 0)
		return false;
	ok = read_fd(fd, rel, cap ? cap : (size_t)1 << 30, out, err);
	close(fd);
	return ok;
}

bool tg_write_all(int fd, const void *p, size_t n, struct tg_err *err)
{
	const char *b = p;
	ssize_t r;

	while (n) {
		r = write(fd, b, n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return tg_fail_sys(err, errno, "write");
		b += r;
		n -= (size_t)r;
	}
	return true;
}

/* A new temporary file beside `path`; its name goes to *tmp (caller frees). */
static int open_tmp(const char *path, mode_t mode, char **tmp, struct tg_err *err)
{
	unsigned long long salt = 0;
	int fd;

	for (int i = 0; i < 16; i++) {
		(void)!getrandom(&salt, sizeof salt, GRND_NONBLOCK);
		*tmp = tg_asprintf("%s.%d.%llx.tmp", path, (int)getpid(), salt + (unsigned)i);
		fd = open(*tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0) {
			(void)!fchmod(fd, mode); /* exactly: the runner's umask is 077 */
			return fd;
		}
		free(*tmp);
		*tmp = NULL;
		if (errno != EEXIST)
			break;
	}
	tg_fail_sys(err, errno, "cannot create a temporary file beside %s", path);
	return -1;
}

/* fsync, close, rename into place, fsync the folder; removes tmp when anything fails. */
static bool commit_tmp(int fd, char *tmp, const char *path, bool written, struct tg_err *err)
{
	char *dir = NULL;
	bool ok = written;

	if (ok && fsync(fd) != 0)
		ok = tg_fail_sys(err, errno, "fsync of %s", tmp);
	if (close(fd) != 0 && ok)
		ok = tg_fail_sys(err, errno, "close of %s", tmp);
	if (ok && rename(tmp, path) != 0)
		ok = tg_fail_sys(err, errno, "cannot rename %s to %s", tmp, path);
	if (!ok)
		unlink(tmp);
	else {
		dir = tg_path_dir(path);
		ok = tg_fsync_dir(dir, err);
	}
	free(dir);
	free(tmp);
	return ok;
}

bool tg_file_write(const char *path, const void *p, size_t n, mode_t mode, struct tg_err *err)
{
	char *tmp;
	int fd = open_tmp(path, mode, &tmp, err);
	bool ok;

	if (fd < 0)
		return false;
	ok = tg_write_all(fd, p, n, err);
	if (!ok)
		tg_fail_in(err, "cannot write %s", path);
	return commit_tmp(fd, tmp, path, ok, err);
}

bool tg_file_write_if_changed(const char *path, const void *p, size_t n, mode_t mode, bool *changed,
			      struct tg_err *err)
{
	struct tg_buf old = TG_BUF_INIT;
	bool same = tg_file_size(path) == (int64_t)n && tg_file_read(path, n + 1, &old, NULL) &&
		    old.n == n && (n == 0 || !memcmp(old.p, p, n));

	tg_buf_fini(&old);
	if (changed)
		*changed = !same;
	return same || tg_file_write(path, p, n, mode, err);
}

static bool copy_bytes(int in, int out, struct tg_err *err)
{
	enum { CHUNK = 1 << 16 };
	char *block = tg_malloc(CHUNK);
	bool ok = true;
	ssize_t r;

	while (ok && (r = read(in, block, CHUNK)) != 0) {
		if (r < 0 && errno == EINTR)
			continue;
		ok = r > 0 ? tg_write_all(out, block, (size_t)r, err)
			   : tg_fail_sys(err, errno, "read");
	}
	free(block);
	return ok;
}

bool tg_file_copy(const char *src, const char *dst, mode_t mode, struct tg_err *err)
{
	int in = open(src, O_RDONLY | O_CLOEXEC | O_NOCTTY), out;
	char *tmp;
	bool ok;

	if (in < 0)
		return tg_fail_sys(err, errno, "cannot open %s", src);
	out = open_tmp(dst, mode, &tmp, err);
	if (out < 0) {
		close(in);
		return false;
	}
	ok = copy_bytes(in, out, err);
	if (!ok)
		tg_fail_in(err, "cannot copy %s to %s", src, dst);
	close(in);
	return commit_tmp(out, tmp, dst, ok, err);
}

bool tg_file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool tg_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t tg_file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int64_t tg_file_mtime_ms(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0
		? (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 : 0;
}

bool tg_fsync_dir(const char *path, struct tg_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = true;

	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot open folder %s", path);
	if (fsync(fd) != 0 && errno != EINVAL)
		ok = tg_fail_sys(err, errno, "fsync of folder %s", path);
	close(fd);
	return ok;
}

bool tg_mkdirs(const char *path, mode_t mode, struct tg_err *err)
{
	char *copy = tg_strdup(path);
	bool ok = true;

	for (char *p = copy + 1; ok && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) != 0 && errno != EEXIST)
			ok = tg_fail_sys(err, errno, "cannot make folder %s", copy);
		*p = '/';
	}
	if (ok && mkdir(copy, mode) != 0 && errno != EEXIST)
		ok = tg_fail_sys(err, errno, "cannot make folder %s", copy);
	if (ok && !tg_is_dir(path))
		ok = tg_fail(err, TG_E_MACHINE, "%s is not a folder", path);
	free(copy);
	return ok;
}

bool tg_mkdir_new(const char *path, mode_t mode, struct tg_err *err)
{
	char *parent;
	bool ok;

	if (mkdir(path, mode) != 0) {
		if (errno == EEXIST)
			return tg_fail(err, TG_E_BUSY, "%s exists already", path);
		return tg_fail_sys(err, errno, "cannot make folder %s", path);
	}
	parent = tg_path_dir(path);
	ok = tg_fsync_dir(parent, err);
	free(parent);
	return ok;
}

static bool remove_at(int dirfd, const char *name, int depth, struct tg_err *err);

static bool empty_dir(int fd, const char *name, int depth, struct tg_err *err)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	bool ok = true;

	if (!d) {
		close(fd);
		return tg_fail_sys(err, errno, "cannot read folder %s", name);
	}
	while (ok && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			ok = remove_at(fd, e->d_name, depth + 1, err);
	closedir(d);
	return ok;
}

static bool remove_at(int dirfd, const char *name, int depth, struct tg_err *err)
{
	int fd;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return tg_fail_sys(err, errno, "cannot remove %s", name);
	if (depth > 200)
		return tg_fail(err, TG_E_MACHINE, "folders nested too deeply below %s", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot open folder %s", name);
	if (!empty_dir(fd, name, depth, err))
		return false;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return tg_fail_sys(err, errno, "cannot remove folder %s", name);
	return true;
}

bool tg_remove_tree(const char *path, struct tg_err *err)
{
	return remove_at(AT_FDCWD, path, 0, err);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool tg_dir_list(const char *path, struct tg_names *out, struct tg_err *err)
{
	DIR *d = opendir(path);
	struct dirent *e;
	size_t cap = 0;

	*out = (struct tg_names){ 0 };
	if (!d)
		return tg_fail_sys(err, errno, "cannot read folder %s", path);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		TG_GROW(out->v, out->n, cap);
		out->v[out->n++] = tg_strdup(e->d_name);
	}
	closedir(d);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_bytes);
	return true;
}

void tg_names_free(struct tg_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct tg_names){ 0 };
}
