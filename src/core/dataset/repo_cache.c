#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define IMPORT_LIMIT_MS 120000
#define MAX_IMPORT ((size_t)512 << 20)

/* "owner/name" as the file name "owner__name"; NULL when it is not of that form. */
static char *flat_name(const char *repo)
{
	static const char word[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *slash = strchr(repo, '/');
	size_t n = slash ? strspn(repo, word) : 0;

	if (!n || repo + n != slash || *repo == '.' || slash[1] == '.' || !slash[1] ||
	    slash[1 + strspn(slash + 1, word)])
		return NULL;
	return tg_asprintf("%.*s__%s", (int)n, repo, slash + 1);
}

static char *cache_dir(struct tg_err *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		return tg_path_join(xdg, "tgmon/repos");
	if (home && *home == '/')
		return tg_path_join(home, ".cache/tgmon/repos");
	tg_fail(err, TG_E_INPUT,
		"there is no place for the repository cache: set XDG_CACHE_HOME or HOME");
	return NULL;
}

static bool run_git(const char *const *argv, const struct tg_buf *input, struct tg_err *err)
{
	static const char *const env[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",	     "LC_ALL=C",	  NULL
	};
	const struct tg_spawn s = { .argv = argv, .env = env, .cwd = "/" };
	struct tg_proc_result r;
	char *said;
	bool ok;

	if (!tg_proc_run(&s, input ? input->p : NULL, input ? input->n : 0, IMPORT_LIMIT_MS, 65536,
			 &r, err))
		return tg_fail_in(err, "git is needed for the repositories (apt-get install git)");
	ok = r.code == 0 && !r.timed_out;
	said = tg_text_line(r.err.p, r.err.n, 300);
	if (!ok)
		tg_fail(err, TG_E_MACHINE, "%s %s %s: %s", argv[0], argv[1], argv[2],
			r.timed_out ? "took too long" : said);
	free(said);
	tg_proc_result_fini(&r);
	return ok;
}

/* The rename must not be on disk before what it names. */
static void sync_all(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		syncfs(fd);
		close(fd);
	}
}

/* Make the repository in a folder of our own and rename it into place: whoever comes second finds
 * the place taken by the same content and drops its own. */
static bool import(const struct tg_buf *text, const char *cache, const char *final,
		   struct tg_err *err)
{
	char *tmp = tg_asprintf("%s/.new-XXXXXX", cache);
	char *git_dir = NULL;
	bool ok = false;

	if (!mkdtemp(tmp)) {
		tg_fail_sys(err, errno, "cannot make a folder in %s", cache);
		free(tmp);
		return false;
	}
	git_dir = tg_asprintf("--git-dir=%s", tmp);
	if (!run_git((const char *const[]){ "git", "init", "--quiet", "--bare", tmp, NULL }, NULL,
		     err) ||
	    !run_git((const char *const[]){ "git", git_dir, "fast-import", "--quiet", NULL }, text,
		     err))
		goto out;
	chmod(tmp, 0755);
	sync_all(tmp);
	ok = rename(tmp, final) == 0 || errno == ENOTEMPTY || errno == EEXIST;
	if (!ok)
		tg_fail_sys(err, errno, "cannot rename %s to %s", tmp, final);
out:
	tg_remove_tree(tmp, NULL); /* gone when the rename went well */
	free(tmp);
	free(git_dir);
	return ok;
}

static bool from_import_text(const char *fi, char **path, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	char sha[TG_SHA256_HEX], *cache = cache_dir(err), *final = NULL;
	bool ok = false;

	if (!cache || !tg_file_read(fi, MAX_IMPORT, &text, err) || !tg_mkdirs(cache, 0755, err))
		goto out;
	tg_sha256_hex(tg_buf_cstr(&text), text.n, sha);
	final = tg_asprintf("%s/%s.git", cache, sha);
	ok = tg_is_dir(final) || import(&text, cache, final, err);
	if (ok) {
		*path = final;
		final = NULL;
	} else {
		tg_fail_in(err, "%s", fi);
	}
out:
	free(final);
	free(cache);
	tg_buf_fini(&text);
	return ok;
}

static char *in_repos_dir(const char *repos_dir, const char *flat)
{
	static const char *const ends[] = { "", ".git" };

	for (size_t i = 0; repos_dir && i < sizeof ends / sizeof *ends; i++) {
		char *path = tg_asprintf("%s/%s%s", repos_dir, flat, ends[i]);

		if (tg_is_dir(path))
			return path;
		free(path);
	}
	return NULL;
}

bool tg_repo_path(const char *repos_dir, const char *data_dir, const char *repo, char **path,
		  struct tg_err *err)
{
	char *flat = flat_name(repo), *fi = NULL;
	bool ok = false;

	*path = NULL;
	if (!flat)
		return tg_fail(err, TG_E_INPUT, "not a repository of the form owner/name");
	*path = in_repos_dir(repos_dir, flat);
	if (*path) {
		ok = true;
	} else {
		fi = data_dir ? tg_asprintf("%s/repos/%s.fi", data_dir, flat) : NULL;
		if (fi && tg_file_exists(fi))
			ok = from_import_text(fi, path, err);
		else
			tg_fail(err, TG_E_NONE,
				"there is no repository for %s: neither %s/%s[.git] nor %s", repo,
				repos_dir ? repos_dir : "REPOS", flat, fi ? fi : "DATA/repos");
	}
	free(fi);
	free(flat);
	return ok;
}
