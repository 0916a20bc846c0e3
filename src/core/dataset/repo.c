#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"

#define MAX_DEPTH 128

/* libgit2 keeps what happened in thread-local storage; one line of it, for a message. */
static const char *git_says(void)
{
	const git_error *e = git_error_last();

	return e && e->message ? e->message : "unknown error";
}

/* Reading a bare repository through libgit2 runs no hook, no filter program and no command from its
 * config, so a mirror that belongs to another user is as safe to read as its objects are. The
 * user's own configuration plays no part: what is read must not depend on it. */
static bool open_repo(const char *path, git_repository **repo, struct tg_err *err)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
				      GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL };

	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	if (git_repository_open(repo, path) == 0)
		return true;
	tg_fail(err, TG_E_MACHINE, "cannot open the repository %s: %s", path, git_says());
	git_libgit2_shutdown();
	return false;
}

static void close_repo(git_repository *repo)
{
	git_repository_free(repo);
	git_libgit2_shutdown();
}

static bool find_tree(git_repository *repo, const char *path, const char *commit, git_tree **tree,
		      struct tg_err *err)
{
	git_commit *c = NULL;
	git_oid oid;
	bool ok;

	if (strlen(commit) != GIT_OID_HEXSZ || git_oid_fromstr(&oid, commit) != 0)
		return tg_fail(err, TG_E_INPUT, "%.60s is not a full commit id", commit);
	if (git_commit_lookup(&c, repo, &oid) != 0)
		return tg_fail(err, TG_E_INPUT, "%s has no commit %s: %s", path, commit,
			       git_says());
	ok = git_commit_tree(tree, c) == 0;
	if (!ok)
		tg_fail(err, TG_E_MACHINE, "%s: tree of %s: %s", path, commit, git_says());
	git_commit_free(c);
	return ok;
}

/* ---- writing a tree ------------------------------------------------------------------- */

struct writer {
	git_repository *repo;
	const char *dst; /* for messages */
	struct tg_err *err;
};

static bool name_ok(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
	       strcasecmp(name, ".git") != 0;
}

static bool write_tree(const struct writer *w, const git_tree *tree, int dir, int depth);

static bool write_file(const struct writer *w, const git_blob *blob, int dir, const char *name,
		       mode_t mode)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	bool ok;

	if (fd < 0)
		return tg_fail_sys(w->err, errno, "cannot make %s below %s", name, w->dst);
	ok = tg_write_all(fd, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob), w->err);
	if (ok && fchmod(fd, mode) != 0) /* whatever the umask is */
		ok = tg_fail_sys(w->err, errno, "cannot set the mode of %s below %s", name, w->dst);
	close(fd);
	return ok;
}

static bool write_link(const struct writer *w, const git_blob *blob, int dir, const char *name)
{
	char *target = tg_strndup(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	bool ok = symlinkat(target, dir, name) == 0;

	if (!ok)
		tg_fail_sys(w->err, errno, "cannot make the link %s below %s", name, w->dst);
	free(target);
	return ok;
}

static bool write_blob(const struct writer *w, const git_tree_entry *e, int dir)
{
	git_filemode_t mode = git_tree_entry_filemode(e);
	const char *name = git_tree_entry_name(e);
	git_blob *blob = NULL;
	bool ok;

	if (git_blob_lookup(&blob, w->repo, git_tree_entry_id(e)) != 0)
		return tg_fail(w->err, TG_E_MACHINE, "%s: blob of %s: %s", w->dst, name,
			       git_says());
	ok = mode == GIT_FILEMODE_LINK ?
		 write_link(w, blob, dir, name) :
		 write_file(w, blob, dir, name, mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644);
	git_blob_free(blob);
	return ok;
}

static bool write_dir(const struct writer *w, const git_tree_entry *e, int dir, int depth)
{
	const char *name = git_tree_entry_name(e);
	git_tree *sub = NULL;
	bool ok;
	int fd = -1;

	if (mkdirat(dir, name, 0755) != 0 ||
	    (fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return tg_fail_sys(w->err, errno, "cannot make the folder %s below %s", name,
				   w->dst);
	if (git_tree_entry_type(e) == GIT_OBJECT_COMMIT) { /* a submodule is an empty folder */
		close(fd);
		return true;
	}
	ok = git_tree_lookup(&sub, w->repo, git_tree_entry_id(e)) == 0;
	if (!ok)
		tg_fail(w->err, TG_E_MACHINE, "%s: tree of %s: %s", w->dst, name, git_says());
	ok = ok && write_tree(w, sub, fd, depth + 1);
	git_tree_free(sub);
	close(fd);
	return ok;
}

static bool write_tree(const struct writer *w, const git_tree *tree, int dir, int depth)
{
	if (depth > MAX_DEPTH)
		return tg_fail(w->err, TG_E_INPUT, "%s: a tree deeper than %d folders", w->dst,
			       MAX_DEPTH);
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *e = git_tree_entry_byindex(tree, i);

		if (!name_ok(git_tree_entry_name(e)))
			return tg_fail(w->err, TG_E_INPUT,
				       "%s: the tree holds a name that cannot be a file's", w->dst);
		if (!(git_tree_entry_type(e) == GIT_OBJECT_BLOB ? write_blob(w, e, dir) :
								  write_dir(w, e, dir, depth)))
			return false;
	}
	return true;
}

bool tg_repo_checkout(const char *repo_path, const char *commit, const char *dst,
		      struct tg_err *err)
{
	struct writer w = { .dst = dst, .err = err };
	git_tree *tree = NULL;
	int dir = -1;
	bool ok = false;

	if (!open_repo(repo_path, &w.repo, err))
		return false;
	if (!find_tree(w.repo, repo_path, commit, &tree, err))
		goto out;
	dir = open(dst, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		tg_fail_sys(err, errno, "cannot open %s", dst);
		goto out;
	}
	ok = write_tree(&w, tree, dir, 0);
out:
	if (dir >= 0)
		close(dir);
	git_tree_free(tree);
	close_repo(w.repo);
	return ok;
}

bool tg_repo_blob(const char *repo_path, const char *commit, const char *path, struct tg_buf *out,
		  unsigned *mode, struct tg_err *err)
{
	git_repository *repo;
	git_tree *tree = NULL;
	git_tree_entry *e = NULL;
	git_blob *blob = NULL;
	bool ok = false;

	tg_buf_clear(out);
	if (!open_repo(repo_path, &repo, err))
		return false;
	if (!find_tree(repo, repo_path, commit, &tree, err))
		goto out;
	if (git_tree_entry_bypath(&e, tree, path) != 0 ||
	    git_tree_entry_type(e) != GIT_OBJECT_BLOB) {
		tg_fail(err, TG_E_NONE, "no such file at %s", commit);
		goto out;
	}
	if (git_blob_lookup(&blob, repo, git_tree_entry_id(e)) != 0) {
		tg_fail(err, TG_E_MACHINE, "%s: %s", repo_path, git_says());
		goto out;
	}
	tg_buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	if (mode)
		*mode = git_tree_entry_filemode(e);
	ok = true;
out:
	git_blob_free(blob);
	git_tree_entry_free(e);
	git_tree_free(tree);
	close_repo(repo);
	return ok;
}
