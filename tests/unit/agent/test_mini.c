/* What is read off the screen, the stderr and the files of mini-swe-agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/agent/mini.h"
#include "core/agent/trajectory.h"
#include "core/lib/file.h"

struct seen {
	struct tg_mini_progress p;
	const char *iid;
	int rows, retries;
	int64_t most;
	double cost;
	bool steps[16];
};

static void on_line(void *ctx, const char *line, size_t n)
{
	struct seen *s = ctx;

	s->retries += tg_mini_retry(&s->p, line, n, 1000);
	if (!tg_mini_row(&s->p, line, n, s->iid))
		return;
	s->rows++;
	if (s->p.step > 0 && s->p.step < 16)
		s->steps[s->p.step] = true;
	if (s->p.step > s->most)
		s->most = s->p.step;
	s->cost = s->p.cost_usd;
}

static void feed(struct seen *s, const char *iid, const char *text, size_t n, size_t piece)
{
	struct tg_mini_screen screen = { 0 };

	*s = (struct seen){ .iid = iid };
	tg_mini_progress_init(&s->p);
	for (size_t at = 0; at < n; at += piece)
		tg_mini_screen_feed(&screen, text + at, n - at < piece ? n - at : piece, on_line, s);
	tg_mini_screen_feed(&screen, "\n", 1, on_line, s);
	tg_mini_screen_fini(&screen);
}

static void rows_of_both_widths(void **state)
{
	static const char v2[] = "\033[32m\xe2\xa3\xbb\033[0m own__name-1                         Step   3 "
				 "($0.02)               \033[33m0:01:07\033[0m";
	static const char cut[] = "\xe2\xa3\xbb ...cikit-learn__name-25638 Step 121 ($1.50)      0:00:00";
	static const char shown[] = "* ...ikit-learn__name-25638   Step 121 ($1.50)   0:00:00";
	struct seen s;

	(void)state;
	for (size_t piece = 1; piece < 9; piece++) {
		feed(&s, "own__name-1", v2, sizeof v2 - 1, piece);
		assert_int_equal(s.p.step, 3);
		assert_true(s.p.cost_usd == 0.02);
	}
	feed(&s, "own__name-11", v2, sizeof v2 - 1, 64); /* another instance whose id begins so */
	assert_int_equal(s.rows, 0);
	feed(&s, "own__name-", v2, sizeof v2 - 1, 64);
	assert_int_equal(s.rows, 0);
	/* 1.x shows 25 characters: three dots and the last 22 */
	feed(&s, "scikit-learn__scikit-learn__name-25638", cut, sizeof cut - 1, 64);
	assert_int_equal(s.rows, 0);
	feed(&s, "x__scikit-learn__name-25638", shown, sizeof shown - 1, 64);
	assert_int_equal(s.p.step, 121);
}

static void what_is_no_row(void **state)
{
	static const char *const bad[] = {
		"* i  Step 0 ($0.01)", "* i  Step x ($0.01)", "* i  Step 3 ($nan)", "* i  Step 3 ($-1)",
		"* i  Step 3 ($1e999)", "  i  Step 3 ($0.01)", "i Step 3 ($0.01)", "* i", "*", "",
		"* i  Step 99999999999999999999 ($0.01)",
	};
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		feed(&s, "i", bad[i], strlen(bad[i]), 64);
		assert_int_equal(s.p.step, 0);
		assert_true(s.p.cost_usd < 0);
	}
}

static void retries_are_noticed(void **state)
{
	static const char line[] = "Retrying <unknown> in 32.0 seconds as it raised RateLimitError: "
				   "litellm.RateLimitError: 429 slow down.";
	static const char other[] = "Retrying m.f in 4 seconds as it raised litellm.exceptions.Timeout: x";
	struct tg_mini_progress p;

	(void)state;
	tg_mini_progress_init(&p);
	assert_true(tg_mini_retry(&p, line, sizeof line - 1, 1000));
	assert_string_equal(p.notice, "rate limited, next try in 32 s");
	assert_true(p.rate_limited);
	assert_int_equal(p.retry_at_ms, 33000);
	tg_mini_moved(&p); /* a step that was drawn late */
	tg_mini_tick(&p, 32999);
	assert_string_equal(p.notice, "rate limited, next try in 32 s");
	tg_mini_tick(&p, 33000);
	assert_string_equal(p.notice, "rate limited, trying again");
	assert_true(p.rate_limited);
	tg_mini_moved(&p);
	assert_string_equal(p.notice, "");
	assert_false(p.rate_limited);
	assert_true(tg_mini_retry(&p, other, sizeof other - 1, 0));
	assert_string_equal(p.notice, "Timeout, next try in 4 s");
	assert_false(p.rate_limited);
	assert_false(tg_mini_retry(&p, "Retrying x in y seconds as it raised Z", 38, 0));
}

static void versions(void **state)
{
	static const char v1[] = "a v2.0 is coming; the current major version for now\n"
				 "This is \033[1mmini-swe-agent\033[0m version \033[1;32m1.17\033[0m\033[1m."
				 "\033[0m\033[1;32m5\033[0m.\r\n";
	char *v = tg_mini_banner_version(v1, sizeof v1 - 1);

	(void)state;
	assert_string_equal(v, "1.17.5");
	assert_int_equal(tg_mini_major(v), 1);
	free(v);
	assert_null(tg_mini_banner_version("version of nothing", 18));
	assert_int_equal(tg_mini_major("2.4.6"), 2);
	assert_int_equal(tg_mini_major("3.0"), 0);
	assert_int_equal(tg_mini_major(NULL), 0);
}

static void dotenv_and_masks(void **state)
{
	static const char text[] = "# A_KEY=no\nA_KEY='one two'\nexport B_KEY=\"x=y\"\r\nC=3 \nA_KEY=last\n";
	struct tg_mini_secrets s = { .v = (char *[]){ (char[]){ "sk-123456789" } }, .n = 1 };
	struct tg_buf out = TG_BUF_INIT;
	char *v;

	(void)state;
	v = tg_mini_dotenv_get(text, "A_KEY");
	assert_string_equal(v, "last");
	free(v);
	v = tg_mini_dotenv_get(text, "B_KEY");
	assert_string_equal(v, "x=y");
	free(v);
	assert_null(tg_mini_dotenv_get(text, "KEY"));
	tg_mini_mask(&s, &out, "a sk-123456789sk-12345678 b", 27);
	assert_string_equal(out.p, "a ***sk-12345678 b");
	tg_buf_fini(&out);
}

static void containers_of_the_log(void **state)
{
	static const char head[] = "2025-12-18 12:17:24,375 - minisweagent.environment - DEBUG - Starting "
				   "container with command: docker run -d --name ";
	struct tg_mini_boxes b = { 0 };
	char line[400];

	(void)state;
	snprintf(line, sizeof line, "%sminisweagent-b92a82dc -w /testbed --rm x sleep 2h", head);
	tg_mini_boxes_line(&b, line, strlen(line));
	assert_int_equal(b.n, 1);
	assert_true(b.starting);
	assert_string_equal(b.name[0], "minisweagent-b92a82dc");
	tg_mini_boxes_line(&b, line, strlen(line));
	assert_int_equal(b.n, 1);
	snprintf(line, sizeof line, "2025-12-18 12:20:11,899 - minisweagent.environment - INFO - Started "
				    "container minisweagent-b92a82dc with ID 00");
	tg_mini_boxes_line(&b, line, strlen(line));
	assert_false(b.starting);
	/* nothing but such names, and not in the middle of somebody's text */
	snprintf(line, sizeof line, "%sminisweagent-b92a82d; -w", head);
	tg_mini_boxes_line(&b, line, strlen(line));
	snprintf(line, sizeof line, "%spostgres-production-01 -w", head);
	tg_mini_boxes_line(&b, line, strlen(line));
	snprintf(line, sizeof line, "the model wrote this here to be clever, and then %sminisweagent-00000000 -w",
		 head);
	tg_mini_boxes_line(&b, line, strlen(line));
	assert_int_equal(b.n, 1);
	tg_mini_boxes_fini(&b);
}

static const char *shared(void)
{
	const char *dir = getenv("TGMON_SHARED");

	if (!dir || !tg_is_dir(dir)) {
		print_message("SKIPPED: no folder of samples (TGMON_SHARED)\n");
		skip();
	}
	return dir;
}

static void sample(const char *name, struct tg_buf *out)
{
	char *path = tg_asprintf("%s/corpus/tool-outputs/%s", shared(), name);
	struct tg_err err = { 0 };

	if (!tg_file_read(path, 0, out, &err))
		fail_msg("%s", err.msg);
	free(path);
}

/* What the real tools drew and said. */
static void real_screens(void **state)
{
	static const struct {
		const char *file, *version;
	} screens[] = { { "c.pty", "2.4.6" }, { "v1.pty", "1.17.5" } };
	struct tg_buf b = TG_BUF_INIT;
	struct seen s;
	char *v;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		sample(screens[i].file, &b);
		v = tg_mini_banner_version(b.p, b.n);
		assert_string_equal(v, screens[i].version);
		free(v);
		feed(&s, "toy__repo-2", b.p, b.n, 777);
		assert_int_equal(s.most, 7); /* the call that its limit of 6 refuses */
		for (int k = 1; k <= 7; k++)
			assert_true(s.steps[k]);
	}
	sample("r.err", &b);
	feed(&s, "toy__repo-1", b.p, b.n, 10);
	assert_int_equal(s.retries, 9);
	assert_string_equal(s.p.notice, "rate limited, next try in 60 s");
	tg_buf_fini(&b);
}

static void last_words(void **state)
{
	static const struct {
		const char *dir, *iid;
		enum tg_outcome outcome;
	} ends[] = { { "v2_uncaught", "toy__repo-1", TG_OUT_BUG }, { "v2_null", "toy__repo-3", TG_OUT_BUG } };
	char work[] = "/tmp/tgmon-mini-XXXXXX", *to;
	struct tg_err err = { 0 };
	struct tg_traj t;
	bool submitted;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *from = tg_asprintf("%s/corpus/tool-outputs/%s", shared(), ends[i].dir);
		char *link;

		memcpy(work + sizeof work - 7, "XXXXXX", 6);
		assert_non_null(mkdtemp(work));
		link = tg_path_join(work, "mini");
		assert_int_equal(symlink(from, link), 0);
		assert_true(tg_mini_harvest(work, ends[i].iid, &submitted, &err));
		assert_false(submitted);
		to = tg_asprintf("%s/%s.traj.json", work, ends[i].iid);
		if (!tg_traj_load(&t, to, &err))
			fail_msg("%s", err.msg);
		assert_true(t.no_trajectory);
		assert_int_equal(tg_traj_outcome(&t, NULL, 1, 0), ends[i].outcome);
		if (i == 0)
			assert_non_null(strstr(t.exception, "1 validation error for LitellmModelConfig"));
		tg_traj_fini(&t);
		unlink(link);
		tg_remove_tree(work, NULL);
		free(link);
		free(from);
		free(to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_both_widths),	cmocka_unit_test(what_is_no_row),
		cmocka_unit_test(retries_are_noticed),	cmocka_unit_test(versions),
		cmocka_unit_test(dotenv_and_masks),	cmocka_unit_test(containers_of_the_log),
		cmocka_unit_test(real_screens),		cmocka_unit_test(last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
