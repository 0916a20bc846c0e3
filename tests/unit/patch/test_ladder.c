/*
 * The ladder and the triage stage on a small repository made here: every rung, what the tree says
 * after it, and patches that try to get out. Skipped, with the reason, where no sandbox can start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/lib/hash.h"
#include "core/lib/sandbox.h"
#include "core/patch/ladder.h"
#include "stage.h"

#define A_HEAD "diff --git a/pkg/a.py b/pkg/a.py\n--- a/pkg/a.py\n+++ b/pkg/a.py\n"
#define GOOD A_HEAD "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n"
#define OFFSET A_HEAD "@@ -4,3 +4,3 @@\n seven\n-eight\n+EIGHT\n nine\n"
/* The outermost context is wrong: git refuses, patch takes it with fuzz. */
#define FUZZ A_HEAD "@@ -2,5 +2,5 @@\n zwei\n three\n-four\n+FOUR\n five\n sechs\n"
#define WRONG A_HEAD "@@ -1,3 +1,3 @@\n one\n-deux\n+TWO\n three\n"
#define B_FUZZ                                                                                     \
	"diff --git a/pkg/b.py b/pkg/b.py\n--- a/pkg/b.py\n+++ b/pkg/b.py\n"                       \
	"@@ -1,5 +1,5 @@\n ALPHA\n beta\n-gamma\n+GAMMA\n delta\n EPSILON\n"
#define RENAME                                                                                     \
	"diff --git a/old.py b/pkg/new.py\nsimilarity index 80%\nrename from old.py\n"             \
	"rename to pkg/new.py\n--- a/old.py\n+++ b/pkg/new.py\n@@ -1,3 +1,3 @@\n to be renamed\n"  \
	"-second line\n+2nd line\n third line\n"
#define ADDED                                                                                      \
	"diff --git a/pkg/c.py b/pkg/c.py\nnew file mode 100755\n--- /dev/null\n+++ b/pkg/c.py\n"  \
	"@@ -0,0 +1 @@\n+x = 1\n"
#define DELETED                                                                                    \
	"diff --git a/gone.py b/gone.py\ndeleted file mode 100644\n--- a/gone.py\n+++ /dev/null\n" \
	"@@ -1 +0,0 @@\n-bye\n"

static bool no_sandbox(void)
{
	struct tg_err err = {0};

	if (tg_sandbox_check(&err))
		return false;
	print_message("no sandbox: %s; skipped\n", err.msg);
	return true;
}

/* Run the triage stage over a patch; the sum is the caller's. */
static struct cJSON *triage(struct place *p, const char *patch, const char *exit_status)
{
	struct cJSON *sum = tg_json_object();
	struct tg_err err = {0};
	char *work = tg_path_join(p->triage, "work");
	char *result = tg_asprintf(
	    "{\"ok\":true,\"sum\":{\"outcome\":\"done\",\"exit_status\":\"%s\"}}", exit_status);

	tg_remove_tree(p->triage, NULL);
	assert_true(tg_mkdirs(work, 0755, &err));
	put(p->extract, "work/patch.diff", patch);
	put(p->extract, "result.json", result);
	p->ctx.job_dir = p->triage;
	p->ctx.work_dir = work;
	if (!tg_stage_triage(&p->ctx, sum, &err))
		fail_msg("triage: %s", err.msg);
	free(result);
	free(work);
	return sum;
}

static void with_repository(struct place *p)
{
	place_init(p);
	make_repository(p);
	p->spec.repos_dir = p->repos;
	p->row = (struct tg_row){
	    .instance_id = (char *)"own__er-1", .repo = (char *)"own/er", .base_commit = p->commit};
	p->ctx.row = &p->row;
}

static bool has_flag(const struct cJSON *sum, const char *flag)
{
	const struct cJSON *f;

	for (f = tg_json_first(tg_json_get(sum, "flags")); f; f = tg_json_next(f))
		if (tg_streq(tg_json_text(f), flag))
			return true;
	return false;
}

static void rungs(void **state)
{
	static const struct {
		const char *patch;
		int ladder;
		const char *cls, *rung; /* rung NULL: none took it */
		const char *says, *flag;
	} row[] = {
	    {GOOD, 4, "ok", "git", NULL, NULL},
	    {GOOD, 5, "ok", "git", NULL, NULL},
	    {OFFSET, 5, "ok", "git", NULL, NULL},
	    {FUZZ, 4, "applies-with-fuzz", "patch-fuzz", NULL, NULL},
	    {FUZZ, 5, "applies-with-fuzz", "patch-fuzz", NULL, NULL},
	    {GOOD B_FUZZ, 5, "applies-with-fuzz", "patch-fuzz", NULL, NULL},
	    /* 4.x does not reset: --reject edits a.py, patch takes that back and goes on. */
	    {GOOD B_FUZZ, 4, "applies-with-fuzz", "patch-fuzz", NULL, "silent-revert"},
	    {WRONG, 4, "does-not-apply", NULL, "expects \"deux\" at line 2, there stands \"two\"",
	     NULL},
	    {WRONG, 5, "does-not-apply", NULL, "deux", NULL},
	    {A_HEAD "@@ -1,3 +1,3 @@\n one\n-two\n+two\n three\n", 4, "ok", "git", NULL, "no-op"},
	    {A_HEAD "@@ -1,3 +1,3 @@\n one\n-TWO\n+two\n three\n", 5, "applies-with-fuzz",
	     "already", NULL, "no-op"},
	    {A_HEAD "@@ -1,8 +1,8 @@\n one\n-two\n+TWO\n", 4, "truncated", NULL, "promises 8",
	     NULL},
	    {A_HEAD "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three", 4, "applies-with-fuzz",
	     "patch-fuzz", NULL, "whitespace-damaged"},
	    {"no patch at all\n", 4, "prose", NULL, "no patch at all", NULL},
	};
	struct place p;
	size_t i;

	(void)state;
	if (no_sandbox())
		skip();
	with_repository(&p);
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct cJSON *sum;

		p.spec.ladder = row[i].ladder;
		sum = triage(&p, row[i].patch, "Submitted");
		if (!tg_streq(tg_json_str(sum, "class"), row[i].cls) ||
		    !tg_streq(tg_json_str(sum, "rung"), row[i].rung) ||
		    (row[i].says && !strstr(tg_json_str(sum, "reason"), row[i].says)) ||
		    (row[i].flag && !has_flag(sum, row[i].flag))) {
			struct tg_buf b = TG_BUF_INIT;
			char *log = get(p.triage, "work/ladder.log");

			tg_json_print(sum, TG_JSON_COMPACT, &b);
			fail_msg("row %zu: %s\n%s", i, b.p, log ? log : "");
		}
		assert_int_equal(tg_json_bool(sum, "applies", false), row[i].rung != NULL);
		tg_json_free(sum);
	}
	place_fini(&p);
}

static const struct cJSON *tree_entry(const struct cJSON *tree, const char *path)
{
	const struct cJSON *f;

	for (f = tg_json_first(tg_json_get(tree, "files")); f; f = tg_json_next(f))
		if (tg_streq(tg_json_str(f, "path"), path))
			return f;
	return NULL;
}

static void check_entry(const struct place *p, const struct cJSON *tree, const char *path,
			const char *status, const char *before, const char *after)
{
	const struct cJSON *e = tree_entry(tree, path);
	char *work = tg_path_join(p->triage, "work");
	char *b, *a;

	if (!e)
		fail_msg("%s is not in tree.json", path);
	assert_string_equal(tg_json_str(e, "status"), status);
	b = tg_json_str(e, "before") ? get(work, tg_json_str(e, "before")) : NULL;
	a = tg_json_str(e, "after") ? get(work, tg_json_str(e, "after")) : NULL;
	if (!tg_streq(b, before) || !tg_streq(a, after))
		fail_msg("%s: before <%s> after <%s>", path, b, a);
	free(a);
	free(b);
	free(work);
}

static struct cJSON *load_tree(const struct place *p)
{
	char *path = tg_path_join(p->triage, "work/tree.json");
	struct tg_err err = {0};
	struct cJSON *tree = tg_json_load(path, NULL, &err);

	if (!tree)
		fail_msg("%s", err.msg);
	free(path);
	return tree;
}

static void tree(void **state)
{
	struct place p;
	struct cJSON *sum, *t;

	(void)state;
	if (no_sandbox())
		skip();
	with_repository(&p);
	sum = triage(&p, GOOD RENAME ADDED DELETED, "Submitted");
	assert_string_equal(tg_json_str(sum, "class"), "ok");
	assert_int_equal(tg_json_int(sum, "files", -1), 4);
	t = load_tree(&p);
	assert_true(tg_json_bool(t, "applied", false));
	assert_string_equal(tg_json_str(t, "patch_sha256"), tg_json_str(sum, "sha256"));
	check_entry(&p, t, "pkg/a.py", "modified", base_a,
		    "one\nTWO\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n");
	check_entry(&p, t, "pkg/new.py", "renamed", "to be renamed\nsecond line\nthird line\n",
		    "to be renamed\n2nd line\nthird line\n");
	assert_string_equal(tg_json_str(tree_entry(t, "pkg/new.py"), "old_path"), "old.py");
	check_entry(&p, t, "pkg/c.py", "added", NULL, "x = 1\n");
	assert_string_equal(tg_json_str(tree_entry(t, "pkg/c.py"), "new_mode"), "100755");
	check_entry(&p, t, "gone.py", "deleted", "bye\n", NULL);
	assert_int_equal(tg_json_len(tg_json_get(t, "files")), 4);
	tg_json_free(t);
	tg_json_free(sum);
	/* A patch that does not apply leaves the base's side only. */
	sum = triage(&p, WRONG, "Submitted");
	t = load_tree(&p);
	assert_int_equal(tg_json_kind(tg_json_get(t, "applied")), TG_JSON_BOOL);
	assert_false(tg_json_bool(t, "applied", true));
	check_entry(&p, t, "pkg/a.py", "modified", base_a, NULL);
	tg_json_free(t);
	tg_json_free(sum);
	place_fini(&p);
}

static void without_repository(void **state)
{
	struct place p;
	struct cJSON *sum, *t;

	(void)state;
	place_init(&p);
	sum = triage(&p, GOOD ADDED, "Submitted");
	assert_string_equal(tg_json_str(sum, "class"), "ok");
	assert_int_equal(tg_json_kind(tg_json_get(sum, "applies")), TG_JSON_NULL);
	assert_non_null(tg_json_str(sum, "no_base"));
	t = load_tree(&p);
	assert_int_equal(tg_json_kind(tg_json_get(t, "applied")), TG_JSON_NULL);
	check_entry(&p, t, "pkg/c.py", "added", NULL, NULL);
	tg_json_free(t);
	tg_json_free(sum);
	sum = triage(&p, "", "Submitted");
	assert_string_equal(tg_json_str(sum, "class"), "empty");
	tg_json_free(sum);
	sum = triage(&p, A_HEAD "@@ -1,4 +1,4 @@\n one\n-two\n+TWO\n three\n", "Submitted");
	assert_string_equal(tg_json_str(sum, "class"), "whitespace-damaged");
	tg_json_free(sum);
	{
		char *repaired = get(p.triage, "work/repaired.diff");

		assert_string_equal(repaired,
				    A_HEAD "@@ -1,4 +1,4 @@\n one\n-two\n+TWO\n three\n \n");
		free(repaired);
	}
	place_fini(&p);
}

/* Nothing beside the tree may change, whatever the patch names. */
static void hostile(void **state)
{
	static const char *const patches[] = {
	    "--- /dev/null\n+++ b/../escaped\n@@ -0,0 +1 @@\n+x\n",
	    "diff --git a/../escaped b/../escaped\nnew file mode 100644\n--- /dev/null\n"
	    "+++ b/../escaped\n@@ -0,0 +1 @@\n+x\n",
	    "--- /dev/null\n+++ b//tmp/tgmon-escaped-abs\n@@ -0,0 +1 @@\n+x\n",
	    "--- /dev/null\n+++ /tmp/tgmon-escaped-abs\n@@ -0,0 +1 @@\n+x\n",
	    "diff --git a/.git/hooks/post-checkout b/.git/hooks/post-checkout\nnew file mode "
	    "100755\n"
	    "--- /dev/null\n+++ b/.git/hooks/post-checkout\n@@ -0,0 +1,2 @@\n+#!/bin/sh\n"
	    "+touch /testbed/../escaped\n",
	    "--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1,2 @@\n+[core]\n+\tfsmonitor = touch "
	    "../escaped\n",
	    "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+..\n"
	    "\\ No newline at end of file\ndiff --git a/l/escaped b/l/escaped\nnew file mode "
	    "100644\n"
	    "--- /dev/null\n+++ b/l/escaped\n@@ -0,0 +1 @@\n+x\n",
	    "diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 "
	    "@@\n"
	    "+/etc/passwd\n\\ No newline at end of file\n",
	    "diff --git \"a/x\\n/../../escaped\" \"b/x\\n/../../escaped\"\nnew file mode "
	    "100644\n--- /dev/null\n"
	    "+++ \"b/x\\n/../../escaped\"\n@@ -0,0 +1 @@\n+x\n",
	    GOOD "--- a/pkg/a.py\n+++ b/../escaped\n@@ -1,3 +1,3 @@\n one\n-zwei\n+x\n three\n",
	};
	struct place p;
	size_t i;
	int generation;

	(void)state;
	if (no_sandbox())
		skip();
	with_repository(&p);
	for (i = 0; i < sizeof patches / sizeof *patches; i++) {
		for (generation = 4; generation <= 5; generation++) {
			struct tg_names names;
			struct tg_err err;
			struct cJSON *sum, *t;
			const struct cJSON *f;

			p.spec.ladder = generation;
			sum = triage(&p, patches[i], "Submitted");
			t = load_tree(&p);
			/* Neither beside the tree, nor beside the job, nor on the machine. */
			assert_false(tg_file_exists("/tmp/tgmon-escaped-abs"));
			assert_false(tg_file_exists("/tmp/escaped"));
			assert_true(tg_dir_list(p.dir, &names, &err));
			assert_int_equal(names.n, 3); /* job, repos, work */
			tg_names_free(&names);
			{
				char *work = tg_path_join(p.triage, "work");
				size_t k;

				assert_true(tg_dir_list(work, &names, &err));
				for (k = 0; k < names.n; k++)
					assert_string_not_equal(names.v[k], "escaped");
				tg_names_free(&names);
				assert_true(tg_dir_list(p.triage, &names, &err));
				assert_int_equal(names.n, 1);
				tg_names_free(&names);
				free(work);
			}
			/* A link is shown as what it is, never followed. */
			for (f = tg_json_first(tg_json_get(t, "files")); f; f = tg_json_next(f))
				if (tg_streq(tg_json_str(f, "path"), "link") &&
				    tg_json_str(f, "after")) {
					char *work = tg_path_join(p.triage, "work");
					char *text = get(work, tg_json_str(f, "after"));

					assert_string_equal(text, "/etc/passwd");
					assert_string_equal(tg_json_str(f, "new_mode"), "120000");
					free(text);
					free(work);
				}
			assert_true(has_flag(sum, "outside-tree") || has_flag(sum, "symlink"));
			tg_json_free(t);
			tg_json_free(sum);
		}
	}
	place_fini(&p);
}

/* A hostile .gitattributes and a tree that is a repository already. */
static void prepare(void **state)
{
	struct place p;
	struct tg_ladder_result r;
	struct tg_err err = {0};
	char *dir, *text;

	(void)state;
	if (no_sandbox())
		skip();
	place_init(&p);
	dir = tg_path_join(p.dir, "tree");
	put(dir, "pkg/a.py", base_a);
	put(dir, ".gitattributes", "* filter=evil diff=evil merge=evil\n");
	put(dir, ".gitignore", "*\n");
	if (!tg_ladder_prepare(dir, &err))
		fail_msg("%s", err.msg);
	assert_true(tg_ladder_apply(dir, FUZZ, strlen(FUZZ), 4, &r, &err));
	assert_int_equal(r.applied, 1);
	assert_non_null(strstr(tg_buf_cstr(&r.log), "$ git apply --verbose\n"));
	assert_non_null(strstr(tg_buf_cstr(&r.log), "$ patch --batch --fuzz=5 -p1\n"));
	tg_ladder_result_fini(&r);
	text = get(dir, "pkg/a.py");
	assert_non_null(strstr(text, "FOUR"));
	free(text);
	assert_false(tg_ladder_prepare(dir, &err));
	assert_non_null(strstr(err.msg, ".git"));
	free(dir);
	place_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rungs),
	    cmocka_unit_test(tree),
	    cmocka_unit_test(without_repository),
	    cmocka_unit_test(hostile),
	    cmocka_unit_test(prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
