/* The diff parser and the classes, by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/lib/clock.h"
#include "core/patch/classify.h"

#define HEAD "diff --git a/a.py b/a.py\nindex 1234567..89abcde 100644\n--- a/a.py\n+++ b/a.py\n"
#define HUNK "@@ -1,4 +1,4 @@ def f():\n a\n-b\n+c\n d\n e\n"

static const struct {
	const char *name, *text;
	enum tg_diff_fault fault;
	size_t files, hunks;
	enum tg_patch_class cls;
	const char *says; /* in the reason, or NULL */
} table[] = {
	{"sound", HEAD HUNK, TG_DIFF_SOUND, 1, 1, TG_PC_OK, "1 file, +1 -1"},
	{"two hunks", HEAD HUNK "@@ -10 +10,2 @@\n x\n+y\n", TG_DIFF_SOUND, 1, 2, TG_PC_OK, NULL},
	{"no git line", "--- a/a.py\n+++ b/a.py\n" HUNK, TG_DIFF_SOUND, 1, 1, TG_PC_OK, NULL},
	{"blank context without its space", HEAD "@@ -1,3 +1,3 @@\n-a\n+b\n\n c\n", TG_DIFF_SOUND, 1, 1,
     TG_PC_OK, NULL},
	{"no newline marker",
     HEAD "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
	  "\\ No newline at end of file\n",
     TG_DIFF_SOUND, 1, 1, TG_PC_OK, NULL},
	{"timed out in a comment", HEAD "@@ -1 +1 @@\n-a\n+# docker timed out after 30 seconds\n",
     TG_DIFF_SOUND, 1, 1, TG_PC_OK, NULL},
	{"form feed and U+2028", HEAD "@@ -1 +1 @@\n-a\f\n+b\xE2\x80\xA8 x\n", TG_DIFF_SOUND, 1, 1,
     TG_PC_OK, NULL},
	{"new empty file",
     "diff --git a/p/__init__.py b/p/__init__.py\nnew file mode 100644\n"
     "index 0000000..e69de29\n",
     TG_DIFF_SOUND, 1, 0, TG_PC_OK, NULL},
	{"deleted empty file", "diff --git a/x b/x\ndeleted file mode 100644\nindex e69de29..0000000\n",
     TG_DIFF_SOUND, 1, 0, TG_PC_OK, NULL},
	{"mode only", "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", TG_DIFF_SOUND, 1, 0,
     TG_PC_OK, NULL},
	{"rename only", "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
     TG_DIFF_SOUND, 1, 0, TG_PC_OK, NULL},
	{"prose before", "Here it is:\n\n" HEAD HUNK, TG_DIFF_SOUND, 1, 1, TG_PC_OK, NULL},
	{"format-patch signature", HEAD HUNK "-- \n2.39.5\n", TG_DIFF_SOUND, 1, 1, TG_PC_OK, NULL},
	{"binary with data",
     "diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 1\nIcmZPo000310RR91"
     "\n\nliteral 0\nHcmV?d00001\n\n",
     TG_DIFF_SOUND, 1, 0, TG_PC_OK, NULL},
	{"nothing", "", TG_DIFF_NO_DIFF, 0, 0, TG_PC_EMPTY, "submitted nothing"},
	{"blanks", " \n\t\n", TG_DIFF_NO_DIFF, 0, 0, TG_PC_PROSE, "white space"},
	{"prose", "I fixed the bug.\nHave fun.\n", TG_DIFF_NO_DIFF, 0, 0, TG_PC_PROSE,
     "I fixed the bug."},
	{"prose with diff words", "Run diff --git a/x b/x and see --- a/x, +++ b/x and @@ there\n",
     TG_DIFF_NO_DIFF, 0, 0, TG_PC_PROSE, NULL},
	{"prose with a git line", "diff --git a/src b/src\n+ // certified\n", TG_DIFF_NO_DIFF, 0, 0,
     TG_PC_PROSE, NULL},
	{"begin patch", "*** Begin Patch\n*** Update File: a.py\n@@\n-a\n+b\n*** End Patch\n",
     TG_DIFF_NO_DIFF, 0, 0, TG_PC_PROSE, "Begin Patch"},
	{"coloured", "\x1b[1mdiff --git a/x b/x\x1b[m\n\x1b[1mindex 1..2\x1b[m\n", TG_DIFF_NO_DIFF, 0,
     0, TG_PC_PROSE, NULL},
	{"docker error", "Command '['docker', 'run', '-d']' returned non-zero exit status 125.",
     TG_DIFF_NO_DIFF, 0, 0, TG_PC_INFRA, "docker"},
	{"API error", "litellm.RateLimitError: slow down", TG_DIFF_NO_DIFF, 0, 0, TG_PC_INFRA,
     "rate limit"},
	{"cut in a hunk", HEAD "@@ -1,9 +1,9 @@\n a\n-b\n", TG_DIFF_SHORT, 1, 1, TG_PC_TRUNCATED,
     "promises 9 old and 9 new lines, has 2 and 1"},
	{"cut behind a change", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+c\n", TG_DIFF_SHORT, 1, 1,
     TG_PC_TRUNCATED, NULL},
	{"cut in an @@ line", HEAD HUNK "@@ -20,3 +2", TG_DIFF_CUT_HEADER, 1, 1, TG_PC_TRUNCATED, NULL},
	{"cut in the header", HEAD HUNK "diff --git a/b.py b/b.py\nindex 1..2 100644\n--- a/b.py\n",
     TG_DIFF_CUT_HEADER, 2, 1, TG_PC_TRUNCATED, "b.py"},
	{"stripped blank context line", HEAD "@@ -1,4 +1,4 @@\n a\n-b\n+c\n d\n", TG_DIFF_SHORT, 1, 1,
     TG_PC_WHITESPACE_DAMAGED, "1 blank context line is missing"},
	{"stripped line end", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+c\n d", TG_DIFF_NO_NEWLINE, 1, 1,
     TG_PC_WHITESPACE_DAMAGED, "line end"},
	{"too few lines",
     HEAD "@@ -1,7 +1,7 @@\n a\n-b\n+c\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n" HUNK, TG_DIFF_COUNT,
     2, 2, TG_PC_CORRUPT, "hunk 1 of a.py promises 7 old and 7 new lines, has 2 and 2"},
	{"too many lines", HEAD "@@ -1,2 +1,2 @@\n a\n-b\n+c\n d\n e\n@@ -9 +9 @@\n-x\n+y\n",
     TG_DIFF_COUNT, 1, 2, TG_PC_CORRUPT, "fewer lines than it has"},
	{"one too many of a kind", HEAD "@@ -1,2 +1 @@\n a\n b\n", TG_DIFF_COUNT, 1, 1, TG_PC_CORRUPT,
     NULL},
	{"a fence in the hunk", HEAD "@@ -8,3 +8,3 @@\n a\n-b\n+c\n```", TG_DIFF_BAD_LINE, 1, 1,
     TG_PC_CORRUPT, "```"},
	{"context only", HEAD "@@ -1,2 +1,2 @@\n a\n b\n", TG_DIFF_NO_CHANGE, 1, 1, TG_PC_CORRUPT,
     "changes nothing"},
	{"unreadable @@ line", HEAD "@@ -1,x +1 @@\n-a\n+b\n", TG_DIFF_BAD_HUNK, 1, 0, TG_PC_CORRUPT,
     NULL},
	{"hunk without a header", HUNK, TG_DIFF_ORPHAN_HUNK, 0, 0, TG_PC_CORRUPT, NULL},
	{"header without content", "diff --git a/x b/x\nindex 1..2 100644\nand so on\n",
     TG_DIFF_NO_CONTENT, 1, 0, TG_PC_CORRUPT, NULL},
	{"binary without data",
     "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n", TG_DIFF_NO_DATA, 1,
     0, TG_PC_CORRUPT, "binary"},
	{"new file with old lines",
     "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n"
     "@@ -1 +1 @@\n-a\n+b\n",
     TG_DIFF_BAD_STATUS, 1, 1, TG_PC_CORRUPT, NULL},
	{"no name after -p1", "--- a.py\n+++ a.py\n@@ -1 +1 @@\n-a\n+b\n", TG_DIFF_BAD_NAME, 1, 1,
     TG_PC_CORRUPT, "-p1"},
};

static void faults_and_classes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof table / sizeof *table; i++) {
		size_t n = strlen(table[i].text);
		char *copy = malloc(n ? n : 1); /* exactly n bytes for ASan */
		struct tg_triage_in in = {.patch = copy, .n = n};
		struct tg_triage_out out;
		struct tg_diff d;

		memcpy(copy, table[i].text, n);
		tg_diff_parse(&d, copy, n);
		tg_triage_classify(&in, &out);
		if (d.fault != table[i].fault || d.file_n != table[i].files ||
		    d.hunk_n != table[i].hunks)
			fail_msg("%s: fault %d (%s), %zu files, %zu hunks", table[i].name, d.fault,
				 d.fault_text ? d.fault_text : "", d.file_n, d.hunk_n);
		if (out.cls != table[i].cls)
			fail_msg("%s: class %s: %s", table[i].name, tg_patch_class_name(out.cls),
				 out.reason);
		if (table[i].says && !strstr(out.reason, table[i].says))
			fail_msg("%s: reason \"%s\"", table[i].name, out.reason);
		if (out.cls != TG_PC_OK)
			assert_non_null(out.remedy);
		tg_triage_out_fini(&out);
		tg_diff_fini(&d);
		free(copy);
	}
}

static void names(void **state)
{
	static const struct {
		const char *text, *old_path, *new_path;
		enum tg_diff_status status;
		unsigned flags;
	} row[] = {
	    {HEAD HUNK, "a.py", "a.py", TG_DIFF_MODIFIED, 0},
	    {"diff --git \"a/h\\303\\251.py\" \"b/h\\303\\251.py\"\nnew file mode 100644\n", NULL,
	     "h\xC3\xA9.py", TG_DIFF_ADDED, 0},
	    {"diff --git a/a b.py b/a b.py\n--- a/a b.py\t\n+++ b/a b.py\t\n" HUNK, "a b.py",
	     "a b.py", TG_DIFF_MODIFIED, 0},
	    {"diff --git a/x b/y\nrename from x\nrename to d/y\n", "x", "d/y", TG_DIFF_RENAMED, 0},
	    {"diff --git a/x b/y\ncopy from x\ncopy to y\n", "x", "y", TG_DIFF_COPIED, 0},
	    {"diff --git a/x b/x\ndeleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 "
	     "@@\n-a\n",
	     "x", NULL, TG_DIFF_DELETED, 0},
	    {"--- a/../../etc/x\n+++ b/../../etc/x\n" HUNK, "../../etc/x", "../../etc/x",
	     TG_DIFF_MODIFIED, TG_PATH_DOTDOT},
	    {"--- a//etc/x\n+++ b//etc/x\n" HUNK, "/etc/x", "/etc/x", TG_DIFF_MODIFIED,
	     TG_PATH_ABSOLUTE},
	    {"--- /dev/null\n+++ b/.GIT/hooks/x\n@@ -0,0 +1 @@\n+a\n", NULL, ".GIT/hooks/x",
	     TG_DIFF_ADDED, TG_PATH_DOTGIT},
	    {"diff --git \"a/x\\ny\" \"b/x\\ny\"\nnew file mode 100644\n", NULL, "x\ny",
	     TG_DIFF_ADDED, TG_PATH_CONTROL},
	    {"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 "
	     "@@\n+/etc\n"
	     "\\ No newline at end of file\n",
	     NULL, "l", TG_DIFF_ADDED, TG_PATH_SYMLINK},
	    {"diff --git a/m b/m\nnew file mode 160000\nindex 0..1\n--- /dev/null\n+++ b/m\n@@ "
	     "-0,0 +1 @@\n"
	     "+Subproject commit 1\n",
	     NULL, "m", TG_DIFF_ADDED, TG_PATH_SUBMODULE},
	    {"--- a/.gitignore\n+++ b/.gitignore\n" HUNK, ".gitignore", ".gitignore",
	     TG_DIFF_MODIFIED, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct tg_diff d;

		tg_diff_parse(&d, row[i].text, strlen(row[i].text));
		assert_int_equal(d.file_n, 1);
		if (!tg_streq(d.file[0].old_path, row[i].old_path) ||
		    !tg_streq(d.file[0].new_path, row[i].new_path))
			fail_msg("row %zu: %s -> %s", i, d.file[0].old_path, d.file[0].new_path);
		assert_int_equal(d.file[0].status, row[i].status);
		if (d.file[0].path_flags != row[i].flags)
			fail_msg("row %zu: flags %x", i, d.file[0].path_flags);
		tg_diff_fini(&d);
	}
}

static void lines(void **state)
{
	const char *text = HEAD HUNK;
	struct tg_diff_line it = {0};
	struct tg_buf got = TG_BUF_INIT;
	struct tg_diff d;

	(void)state;
	tg_diff_parse(&d, text, strlen(text));
	while (tg_diff_line_next(&d, &d.hunk[0], &it))
		tg_buf_addf(&got, "%zu%c%.*s;", it.line, it.sign, (int)it.len, text + it.off);
	assert_string_equal(tg_buf_cstr(&got), "6 a;7-b;8+c;9 d;10 e;");
	assert_int_equal(d.hunk[0].old_start, 1);
	assert_int_equal(d.file[0].new_mode, 0100644);
	tg_buf_fini(&got);
	tg_diff_fini(&d);
}

static void flags(void **state)
{
	static const struct {
		const char *text;
		unsigned want;
	} row[] = {
	    {HEAD HUNK, 0},
	    {"--- a/tests/test_a.py\n+++ b/tests/test_a.py\n" HUNK, TG_TF_TESTS},
	    {"--- a/pkg/conftest.py\n+++ b/pkg/conftest.py\n" HUNK, TG_TF_TESTS},
	    {"--- /dev/null\n+++ b/reproduce_issue.py\n@@ -0,0 +1 @@\n+a\n", TG_TF_SCRATCH},
	    {"--- /dev/null\n+++ b/pkg/a.py.backup\n@@ -0,0 +1 @@\n+a\n", TG_TF_SCRATCH},
	    {"--- /dev/null\n+++ b/test_fix.py\n@@ -0,0 +1 @@\n+a\n", TG_TF_SCRATCH | TG_TF_TESTS},
	    {"--- /dev/null\n+++ b/pkg/new.py\n@@ -0,0 +1 @@\n+a\n", 0},
	    {"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", TG_TF_MODE},
	    {"--- a/../x\n+++ b/../x\n" HUNK, TG_TF_OUTSIDE},
	    {"words\n--- a/pkg/x\n+++ b/pkg/x\n" HUNK, TG_TF_PROSE_AROUND},
	    {HEAD "@@ -1,2 +1,2 @@\n a\n-b\n+c\n d\n e\n", TG_TF_EXTRA_LINES},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct tg_diff d;
		unsigned got;

		tg_diff_parse(&d, row[i].text, strlen(row[i].text));
		got = tg_diff_flags(&d);
		if (got != row[i].want)
			fail_msg("row %zu: %x, want %x", i, got, row[i].want);
		tg_diff_fini(&d);
	}
}

/* What stands in an empty patch's place depends on how the agent ended. */
static void ends(void **state)
{
	static const struct {
		const char *patch, *head, *exit_status;
		enum tg_outcome outcome;
		enum tg_patch_class cls;
		const char *says;
	} row[] = {
	    {"", NULL, "Submitted", TG_OUT_EMPTY, TG_PC_EMPTY, "submitted nothing"},
	    {"", NULL, "LimitsExceeded", TG_OUT_LIMIT, TG_PC_EMPTY, "limit"},
	    {"", "Command '['docker', 'run']' returned non-zero exit status 130.",
	     "CalledProcessError", TG_OUT_INFRA, TG_PC_INFRA, "docker"},
	    {"", NULL, "CalledProcessError", TG_OUT_INFRA, TG_PC_INFRA, "CalledProcessError"},
	    {"", NULL, "ContextWindowExceededError", TG_OUT_MODEL_API, TG_PC_EMPTY, NULL},
	    {"", NULL, "RateLimitError", TG_OUT_MODEL_API, TG_PC_INFRA, NULL},
	    {"", NULL, NULL, TG_OUT_TIMEOUT, TG_PC_EMPTY, "time limit"},
	    {"fatal: not a git repository\n", NULL, "Submitted", TG_OUT_DONE, TG_PC_PROSE, "fatal"},
	    {"pull timed out after 120 seconds", NULL, "Submitted", TG_OUT_DONE, TG_PC_PROSE, NULL},
	    {"pull timed out after 120 seconds", NULL, "TimeoutExpired", TG_OUT_INFRA, TG_PC_INFRA,
	     "timeout"},
	    {"something odd", NULL, "ValidationError", TG_OUT_BUG, TG_PC_INFRA, "ValidationError"},
	    {HEAD HUNK, NULL, "LimitsExceeded", TG_OUT_LIMIT, TG_PC_OK, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct tg_triage_in in = {.patch = row[i].patch,
					  .n = strlen(row[i].patch),
					  .exit_status = row[i].exit_status,
					  .outcome = row[i].outcome,
					  .submission_head = row[i].head};
		struct tg_triage_out out;

		tg_triage_classify(&in, &out);
		if (out.cls != row[i].cls || (row[i].says && !strstr(out.reason, row[i].says)))
			fail_msg("row %zu: %s: %s", i, tg_patch_class_name(out.cls), out.reason);
		tg_triage_out_fini(&out);
	}
}

static void ladder_word(void **state)
{
	static const char fenced[] = HEAD "@@ -8,3 +8,3 @@\n a\n-b\n+c\n```";
	struct tg_ladder_result l = {.applied = 1, .rung = "patch-fuzz"};
	struct tg_triage_in in = {.patch = fenced, .n = sizeof fenced - 1, .ladder = &l};
	struct tg_triage_out out;

	(void)state;
	tg_triage_classify(&in, &out);
	assert_int_equal(out.cls, TG_PC_APPLIES_WITH_FUZZ);
	assert_int_equal(out.applies, 1);
	assert_string_equal(out.rung, "patch-fuzz");
	assert_true(out.flags & TG_TF_CORRUPT);
	tg_triage_out_fini(&out);
	in.unchanged = in.reverted = true;
	tg_triage_classify(&in, &out);
	assert_true(out.flags & TG_TF_SILENT_REVERT);
	assert_true(out.flags & TG_TF_NO_OP);
	tg_triage_out_fini(&out);
	l = (struct tg_ladder_result){0};
	in.patch = HEAD HUNK;
	in.n = strlen(in.patch);
	in.unchanged = in.reverted = false;
	in.mismatch = "hunk 1 of a.py expects \"b\" at line 2, there stands \"z\"";
	tg_triage_classify(&in, &out);
	assert_int_equal(out.cls, TG_PC_DOES_NOT_APPLY);
	assert_int_equal(out.applies, 0);
	assert_non_null(strstr(out.reason, "there stands"));
	tg_triage_out_fini(&out);
}

static void repair(void **state)
{
	static const char cut[] = HEAD "@@ -1,4 +1,4 @@\n a\n-b\n+c\n d";
	struct tg_buf out = TG_BUF_INIT;
	struct tg_diff d;

	(void)state;
	tg_diff_parse(&d, cut, sizeof cut - 1);
	assert_true(tg_patch_repaired(&d, &out));
	tg_diff_fini(&d);
	assert_string_equal(out.p, HEAD "@@ -1,4 +1,4 @@\n a\n-b\n+c\n d\n \n");
	tg_diff_parse(&d, out.p, out.n);
	assert_int_equal(d.fault, TG_DIFF_SOUND);
	tg_diff_fini(&d);
	tg_buf_fini(&out);
}

static void mismatch(void **state)
{
	const char *text = HEAD HUNK;
	struct tg_base_file base = {.exists = true};
	struct tg_diff d;
	char *why;

	(void)state;
	tg_diff_parse(&d, text, strlen(text));
	tg_buf_adds(&base.bytes, "x\ny\na\nb\nd\ne\n");
	assert_null(tg_patch_mismatch(&d, &base));
	tg_buf_clear(&base.bytes);
	tg_buf_adds(&base.bytes, "a\nz\nd\ne\n");
	why = tg_patch_mismatch(&d, &base);
	assert_string_equal(why, "hunk 1 of a.py expects \"b\" at line 2, there stands \"z\"");
	free(why);
	base.exists = false;
	why = tg_patch_mismatch(&d, &base);
	assert_string_equal(why, "a.py is not in the base commit");
	free(why);
	tg_buf_fini(&base.bytes);
	tg_diff_fini(&d);
}

/* Every cut and every single-byte change of a diff must give a result, and quickly so for large
 * input. */
static void total(void **state)
{
	static const char text[] =
	    HEAD HUNK "diff --git \"a/x\\303\" b/y\nrename from x\nrename to y\n"
		      "--- a/q\n+++ b/q\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n";
	static const char bytes[] = {'\0', '\n', '@', '-', '+', ' ', '\\', '"', '\r', '9', '\xff'};
	size_t n, i;

	(void)state;
	for (n = 0; n < sizeof text - 1; n++) {
		char *copy = malloc(n ? n : 1);
		struct tg_diff d;

		memcpy(copy, text, n);
		tg_diff_parse(&d, copy, n);
		tg_diff_fini(&d);
		for (i = 0; n > 0 && i < sizeof bytes; i++) {
			copy[n - 1] = bytes[i];
			tg_diff_parse(&d, copy, n);
			tg_diff_fini(&d);
		}
		free(copy);
	}
}

static void large(void **state)
{
	struct tg_buf text = TG_BUF_INIT;
	struct tg_triage_in in = {0};
	struct tg_triage_out out;
	int64_t start = tg_mono_ms();
	size_t i;

	(void)state;
	for (i = 0; i < 300000; i++)
		tg_buf_addf(&text, "--- a/f%zu\n+++ b/f%zu\n@@ -1 +1 @@\n-a\n+b\n", i, i);
	in.patch = text.p;
	in.n = text.n;
	tg_triage_classify(&in, &out);
	assert_int_equal(out.cls, TG_PC_OK);
	assert_true(out.flags & TG_TF_LARGE);
	tg_triage_out_fini(&out);
	tg_buf_reserve(&text, TG_DIFF_MAX_BYTES);
	while (text.n <= TG_DIFF_MAX_BYTES)
		tg_buf_adds(&text, "@@ -1 +1 @@\n+diff --git a/x b/x\n--- a/x\n");
	in.patch = text.p;
	in.n = text.n;
	tg_triage_classify(&in, &out);
	assert_int_equal(out.cls, TG_PC_CORRUPT);
	assert_non_null(strstr(out.reason, "larger"));
	tg_triage_out_fini(&out);
	in.n = 50u << 20;
	tg_triage_classify(&in, &out);
	assert_int_not_equal(out.cls, TG_PC_OK);
	tg_triage_out_fini(&out);
	tg_buf_fini(&text);
	assert_true(tg_mono_ms() - start < 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults_and_classes),
	    cmocka_unit_test(names),
	    cmocka_unit_test(lines),
	    cmocka_unit_test(flags),
	    cmocka_unit_test(ends),
	    cmocka_unit_test(ladder_word),
	    cmocka_unit_test(repair),
	    cmocka_unit_test(mismatch),
	    cmocka_unit_test(total),
	    cmocka_unit_test(large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
