#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"

/* Two commits: a file, an executable, a link that points outside, a folder; then a change. */
static const char import_text[] =
    "commit refs/heads/main\nmark :1\ncommitter A <a@example.org> 1700000000 +0000\ndata 3\none\n"
    "M 100644 inline calc.py\ndata 2\nx\n\n"
    "M 100755 inline bin/run\ndata 3\n#!\n\n"
    "M 120000 inline away\ndata 11\n/etc/passwd\n"
    "M 160000 0123456789012345678901234567890123456789 sub\n"
    "\n"
    "commit refs/heads/main\nmark :2\ncommitter A <a@example.org> 1700000001 +0000\ndata 3\ntwo\n"
    "from :1\nM 100644 inline calc.py\ndata 2\ny\n\n"
    "\ndone\n";

struct world {
	char dir[64];
	char *data, *fi, commit[2][41];
};

static void git(const char *repo, const char *rev, char out[41])
{
	const struct tg_spawn s = { .argv = (const char *const[]){ "git", "--git-dir", repo,
								   "rev-parse", rev, NULL } };
	struct tg_proc_result r;

	assert_true(tg_proc_run(&s, NULL, 0, 20000, 4096, &r, NULL));
	assert_int_equal(r.code, 0);
	snprintf(out, 41, "%.40s", r.out.p);
	tg_proc_result_fini(&r);
}

static int set_up(void **state)
{
	struct world *w = tg_calloc(1, sizeof *w);
	char *repos, *path;

	snprintf(w->dir, sizeof w->dir, "/tmp/tgmon-repo-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	w->data = tg_path_join(w->dir, "data");
	repos = tg_path_join(w->data, "repos");
	w->fi = tg_path_join(repos, "own__name.fi");
	path = tg_path_join(w->dir, "cache");
	setenv("XDG_CACHE_HOME", path, 1);
	if (!tg_mkdirs(repos, 0755, NULL) ||
	    !tg_file_write(w->fi, import_text, sizeof import_text - 1, 0644, NULL))
		return -1;
	free(repos);
	free(path);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	tg_remove_tree(w->dir, NULL);
	free(w->data);
	free(w->fi);
	free(w);
	return 0;
}

static char *get_repo(struct world *w)
{
	struct tg_err err = { 0 };
	char *path;

	if (!tg_repo_path(NULL, w->data, "own/name", &path, &err))
		fail_msg("%s", err.msg);
	git(path, "main~1", w->commit[0]);
	git(path, "main", w->commit[1]);
	return path;
}

static void imports_once(void **state)
{
	struct world *w = *state;
	char *a = get_repo(w), *b = get_repo(w), *c, *cache;
	struct tg_names names;

	assert_string_equal(a, b);
	cache = tg_path_dir(a);
	assert_true(tg_dir_list(cache, &names, NULL));
	assert_int_equal(names.n, 1); /* no temporary folder stays */
	tg_names_free(&names);
	/* another text, another repository */
	char *changed = tg_strdup(import_text);
	strstr(changed, "data 2\ny")[7] = 'z';
	assert_true(tg_file_write(w->fi, changed, strlen(changed), 0644, NULL));
	assert_true(tg_repo_path(NULL, w->data, "own/name", &c, NULL));
	assert_string_not_equal(a, c);
	free(changed);
	free(a);
	free(b);
	free(c);
	free(cache);
}

static void two_at_once(void **state)
{
	struct world *w = *state;
	pid_t pid[6];
	int status;

	for (int i = 0; i < 6; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct tg_buf blob = TG_BUF_INIT;
			char *path, commit[41];
			bool ok = tg_repo_path(NULL, w->data, "own/name", &path, NULL);

			if (ok) {
				git(path, "main", commit);
				ok = tg_repo_blob(path, commit, "calc.py", &blob, NULL, NULL);
			}
			_exit(ok ? 0 : 1);
		}
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	imports_once(state);
}

static void checks_out_safely(void **state)
{
	struct world *w = *state;
	char *repo = get_repo(w), *dst = tg_path_join(w->dir, "tree"), *p;
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err = { 0 };
	struct stat st;
	char target[64] = "";

	assert_int_equal(mkdir(dst, 0755), 0);
	if (!tg_repo_checkout(repo, w->commit[0], dst, &err))
		fail_msg("%s", err.msg);
	p = tg_path_join(dst, "calc.py");
	assert_true(tg_file_read(p, 0, &text, NULL));
	assert_string_equal(tg_buf_cstr(&text), "x\n");
	assert_int_equal(stat(p, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	free(p);
	p = tg_path_join(dst, "bin/run");
	assert_int_equal(stat(p, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	free(p);
	p = tg_path_join(dst, "away");
	assert_int_equal(readlink(p, target, sizeof target - 1), 11);
	assert_string_equal(target, "/etc/passwd");
	free(p);
	p = tg_path_join(dst, "sub");
	assert_true(tg_is_dir(p));
	free(p);
	p = tg_path_join(dst, ".git");
	assert_false(tg_file_exists(p));
	free(p);
	/* a second time: nothing is overwritten */
	assert_false(tg_repo_checkout(repo, w->commit[1], dst, &err));
	assert_false(tg_repo_checkout(repo, "main", dst, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_false(tg_repo_checkout(repo, "0123456789012345678901234567890123456789", dst, &err));
	tg_buf_fini(&text);
	free(repo);
	free(dst);
}

static void reads_blobs(void **state)
{
	struct world *w = *state;
	char *repo = get_repo(w);
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err = { 0 };
	unsigned mode = 0;

	assert_true(tg_repo_blob(repo, w->commit[1], "calc.py", &text, &mode, &err));
	assert_string_equal(tg_buf_cstr(&text), "y\n");
	assert_int_equal(mode, 0100644);
	assert_true(tg_repo_blob(repo, w->commit[0], "bin/run", &text, &mode, &err));
	assert_int_equal(mode, 0100755);
	assert_true(tg_repo_blob(repo, w->commit[0], "away", &text, &mode, &err));
	assert_int_equal(mode, 0120000);
	static const char *const none[] = { "nothing",	 "bin",	       "sub",
					    "bin/run/x", "../calc.py", "/calc.py" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		assert_false(tg_repo_blob(repo, w->commit[0], none[i], &text, &mode, &err));
		assert_int_equal(err.code, TG_E_NONE);
	}
	assert_false(tg_repo_blob("/nonexistent", w->commit[0], "x", &text, &mode, &err));
	assert_int_equal(err.code, TG_E_MACHINE);
	tg_buf_fini(&text);
	free(repo);
}

/* A mirror of another user is read all the same (only root can make one). */
static void reads_others_mirror(void **state)
{
	struct world *w = *state;
	char *repo = get_repo(w);
	struct tg_buf text = TG_BUF_INIT;

	if (geteuid() != 0) {
		free(repo);
		print_message("skipped: only root can give a folder away\n");
		skip();
	}
	assert_int_equal(chown(repo, 12345, 12345), 0);
	assert_true(tg_repo_blob(repo, w->commit[0], "calc.py", &text, NULL, NULL));
	tg_buf_fini(&text);
	free(repo);
}

static void finds_repositories(void **state)
{
	struct world *w = *state;
	char *mirror = tg_path_join(w->dir, "mirrors/own__name.git"), *dir = tg_path_dir(mirror),
	     *path;
	static const char *const bad[] = { "own", "../x", "own/..", "own/na/me",
					   "/x",  "own/", "a b/c",  "own/.git" };
	struct tg_err err = { 0 };

	assert_true(tg_mkdirs(mirror, 0755, NULL));
	assert_true(tg_repo_path(dir, w->data, "own/name", &path, NULL));
	assert_string_equal(path, mirror);
	free(path);
	assert_false(tg_repo_path(dir, w->data, "own/other", &path, &err));
	assert_int_equal(err.code, TG_E_NONE);
	assert_null(path);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(tg_repo_path(dir, w->data, bad[i], &path, &err));
		assert_int_equal(err.code, TG_E_INPUT);
	}
	assert_true(tg_file_write(w->fi, "commit nonsense\n", 16, 0644, NULL));
	assert_false(tg_repo_path(NULL, w->data, "own/name", &path, &err));
	assert_non_null(strstr(err.msg, "own__name.fi"));
	free(mirror);
	free(dir);
}

static void finds_data_dir(void **state)
{
	struct world *w = *state;
	char *old = tg_strdup(getenv("TGMON_DATA")), *found;

	setenv("TGMON_DATA", w->data, 1);
	found = tg_data_dir();
	assert_string_equal(found, w->data);
	free(found);
	setenv("TGMON_DATA", "/nonexistent", 1);
	assert_null(tg_data_dir());
	unsetenv("TGMON_DATA");
	found = tg_data_dir();
	assert_non_null(found);
	free(found);
	if (old)
		setenv("TGMON_DATA", old, 1);
	free(old);
}

#define WORLD(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(imports_once),   WORLD(two_at_once),	   WORLD(checks_out_safely),
		WORLD(reads_blobs),    WORLD(reads_others_mirror), WORLD(finds_repositories),
		WORLD(finds_data_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
