#include "unit/cm.h"

#include <locale.h>

#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "tui/loop.h"
#include "unit/tui/vt.h"
#include "unit/views/canned.h"
#include "views/attention.h"
#include "views/show.h"

/* A console over a canned run, in a terminal of libvterm. */
struct con {
	struct canned c;
	struct tg_app app;
	struct tg_loop loop;
	struct vt v;
	char posted[512], verb[32];
	int posts, starts;
};

static struct con *current; /* the acts have no user pointer: they stand for runner.h's functions */

static bool act_post(const char *run, const char *verb, struct cJSON *args, char req[37], struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	(void)run, (void)err;
	tg_json_print(args, TG_JSON_CANONICAL, &text);
	snprintf(current->posted, sizeof current->posted, "%s", tg_buf_cstr(&text));
	snprintf(current->verb, sizeof current->verb, "%s", verb);
	tg_buf_fini(&text);
	tg_json_free(args);
	memset(req, 'x', 36);
	req[36] = '\0';
	current->posts++;
	return true;
}

static bool act_start(const char *run, struct tg_err *err)
{
	(void)run, (void)err;
	current->starts++;
	return true;
}

static void on_key(void *u, uint32_t k) { tg_app_key(u, k); }
static bool on_data(void *u) { return tg_app_data(u); }
static int data_fd(void *u) { (void)u; return -1; }
static int tick(void *u) { (void)u; return 0; }
static void on_draw(void *u, struct tg_canvas *cv) { tg_app_draw(u, cv); }
static const struct tg_theme *theme_of(void *u) { return &((struct tg_app *)u)->theme; }
static bool is_done(void *u) { return ((struct tg_app *)u)->quit; }
static const struct tg_loop_ops ops = { on_key, on_data, data_fd, tick, on_draw, theme_of, is_done };

static void open_con(struct con *k, int rows, int cols, const struct tg_app_opts *opts)
{
	static const struct tg_acts acts = { .post = act_post, .start = act_start };
	struct tg_err err = { 0 };
	current = k;
	k->posts = k->starts = 0;
	assert_true(tg_app_init(&k->app, opts, &acts, &err));
	k->app.clock = canned_clock;
	assert_true(tg_app_open_run(&k->app, (struct tg_source){ &canned_ops, &k->c }, &err));
	assert_true(vt_open(&k->v, rows, cols, "xterm-256color", false));
	tg_loop_init(&k->loop, &ops, &k->app, k->v.term, opts->ascii);
}

static void close_con(struct con *k)
{
	tg_loop_fini(&k->loop);
	vt_close(&k->v);
	tg_app_fini(&k->app);
	canned_fini(&k->c);
}

/* Turns until a frame was due; its bytes. */
static size_t turn(struct con *k)
{
	k->loop.last_frame_ms -= 1000; /* no waiting in a test */
	tg_loop_turn(&k->loop, 0);
	return vt_take(&k->v);
}

static size_t press(struct con *k, const char *keys)
{
	ssize_t n = (ssize_t)strlen(keys);
	assert_int_equal(n, write(k->v.in[1], keys, (size_t)n));
	return turn(k);
}

static bool shows(struct con *k, const char *text)
{
	return vt_find(&k->v, text) >= 0;
}

static char long_text[300][40];
static const char *long_id[300];

static void many(struct canned *c, const char *doing)
{
	static const struct canned_end ok = { "done", "Submitted", 31, 12.3456, "ok", NULL, NULL, 104857, "RESOLVED",
					      NULL, NULL, NULL, "OK", "resolved, no new violations" };
	for (size_t i = 0; i < 300; i++) {
		snprintf(long_text[i], sizeof long_text[i], "organisation__repository-name-%04zu", i * 17);
		long_id[i] = long_text[i];
	}
	assert_int_equal(34, strlen(long_id[0]));
	canned_init(c, long_id, 300);
	for (size_t i = 0; i < 120; i++) {
		canned_start(c, (int64_t)i, long_id[i], 1, "first");
		if (i < 90)
			canned_judged(c, 30 + (int64_t)i, long_id[i], 1, &ok);
		else
			canned_live(c, i, (int64_t)i % 40, 1.25, (int64_t)i % 9, doing);
	}
}

/* --- what is on screen ------------------------------------------------------------------------------- */

static void home_shows_the_fold(void **state)
{
	(void)state;
	struct con k;
	char row[1024];
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	turn(&k);
	assert_true(vt_equals(&k.v, &k.loop.canvas));
	vt_row(&k.v, 0, row, sizeof row);
	assert_non_null(strstr(row, "1 VETO: textkit__textkit-123"));
	assert_non_null(strstr(row, "! why"));
	assert_true(shows(&k, "msa_demo_lite_test_251122_190000"));
	assert_true(shows(&k, "done 6/14"));
	assert_true(shows(&k, "resolved 2"));
	assert_true(shows(&k, "of $5.00"));
	assert_true(shows(&k, "launch open"));
	for (size_t i = 0; i < 14; i++) {
		int y = vt_find(&k.v, canned_ids[i]);
		if (i == 3) /* the top line names it too */
			for (y = 5; y < 23 && !strstr(vt_row(&k.v, y, row, sizeof row), canned_ids[i]); y++)
				;
		assert_true(y > 0);
		vt_row(&k.v, y, row, sizeof row);
		assert_non_null(strstr(row, tg_state_name(tg_instance_state(&k.c.run.inst[i]))));
		const struct tg_attempt *a = tg_instance_counted(&k.c.run.inst[i]);
		if (a && a->decision)
			assert_non_null(strstr(row, tg_decision_name(a->decision)));
	}
	/* The veto is red and bold; a silent row is marked. */
	int y = vt_find(&k.v, "silent 2m14s");
	assert_true(y > 0);
	assert_non_null(strstr(vt_row(&k.v, y, row, sizeof row), "routes__routes-44"));
	close_con(&k);
}

static void any_size_is_drawn(void **state)
{
	(void)state;
	static const int sizes[][2] = { { 1, 1 }, { 2, 2 }, { 3, 10 }, { 5, 30 }, { 20, 60 }, { 24, 80 },
					{ 40, 140 }, { 50, 200 } };
	static const char *const screens[] = { "", "\r", "\033", "l", "\033", "v", "\033", "?" };
	for (int set = 0; set < 2; set++)
		for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
			struct con k;
			if (set)
				many(&k.c, "step 7: pytest -x");
			else
				canned_flight(&k.c);
			open_con(&k, sizes[s][0], sizes[s][1], &(struct tg_app_opts){ 0 });
			for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
				press(&k, screens[i]);
				usleep(30000 * (screens[i][0] == 27)); /* a lone Esc needs its 25 ms */
				turn(&k);
				assert_true(vt_equals(&k.v, &k.loop.canvas));
			}
			close_con(&k);
		}
}

static void resizing_goes_both_ways(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	turn(&k);
	static const int sizes[][2] = { { 40, 140 }, { 1, 1 }, { 24, 80 }, { 10, 33 }, { 60, 200 }, { 20, 60 } };
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		vt_resize(&k.v, sizes[s][0], sizes[s][1]);
		k.loop.key_dirty = true;
		turn(&k);
		assert_int_equal(sizes[s][0], k.loop.canvas.rows);
		assert_true(vt_equals(&k.v, &k.loop.canvas));
	}
	assert_true(shows(&k, "textkit__textkit-101"));
	close_con(&k);
}

/* --- bytes ------------------------------------------------------------------------------------------- */

static void an_unchanged_screen_costs_nothing(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 40, 120, &(struct tg_app_opts){ 0 });
	assert_true(turn(&k) > 0);
	k.loop.key_dirty = true;
	assert_int_equal(0, turn(&k));
	k.c.changed = true; /* a record came that shows nothing new */
	k.loop.data_dirty = tg_app_data(&k.app);
	assert_int_equal(0, turn(&k));
	close_con(&k);
}

static void a_scrolled_line_is_cheap(void **state)
{
	(void)state;
	struct con k;
	size_t total = 0, most = 0;
	many(&k.c, "step 7: pytest -x tests/test_core.py");
	open_con(&k, 40, 120, &(struct tg_app_opts){ 0 });
	turn(&k);
	for (int i = 0; i < 60; i++)
		press(&k, "j"); /* to the lower edge and beyond */
	for (int i = 0; i < 100; i++) {
		size_t n = press(&k, "j");
		total += n;
		most = n > most ? n : most;
	}
	assert_true(vt_equals(&k.v, &k.loop.canvas));
	printf("scrolled line: mean %zu, most %zu bytes\n", total / 100, most);
	assert_true(total / 100 <= 300);
	close_con(&k);
}

static void keys_that_come_together_make_one_frame(void **state)
{
	(void)state;
	struct con k;
	char burst[101];
	many(&k.c, "step 7");
	open_con(&k, 40, 120, &(struct tg_app_opts){ 0 });
	turn(&k);
	uint64_t frames = tg_term_stats(k.v.term).frames;
	memset(burst, 'j', 100);
	burst[100] = '\0';
	size_t n = press(&k, burst);
	assert_int_equal(frames + 1, tg_term_stats(k.v.term).frames);
	assert_string_equal(long_id[100], k.app.iid); /* none was lost */
	assert_true(n < 6000);
	close_con(&k);
}

static void ten_rows_a_second_are_cheap(void **state)
{
	(void)state;
	struct con k;
	many(&k.c, "step 7");
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "G");
	for (int i = 0; i < 185; i++)
		tg_app_key(&k.app, 'k');
	k.loop.key_dirty = true;
	turn(&k);
	for (size_t i = 92; i < 120; i++)
		k.c.live[i].steps = 22;
	tg_app_data(&k.app);
	k.c.changed = true;
	tg_app_data(&k.app);
	k.loop.data_dirty = true;
	size_t n = turn(&k);
	printf("ten rows changed: %zu bytes\n", n);
	assert_true(n > 0 && n <= 400);
	close_con(&k);
}

/* --- doing ------------------------------------------------------------------------------------------- */

static void rerun_of_a_failed_one_needs_one_key(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "jjr");
	assert_int_equal(1, k.posts);
	assert_string_equal("rerun", k.verb);
	assert_string_equal("{\"ids\":[\"textkit__textkit-117\"]}", k.posted);
	assert_int_equal(0, k.starts); /* a runner is at work */
	assert_true(shows(&k, "Rerun sent: 1 new attempt"));
	close_con(&k);
}

static void rerun_of_a_result_asks(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 140, &(struct tg_app_opts){ 0 });
	press(&k, "jr");
	assert_int_equal(0, k.posts);
	assert_true(shows(&k, "another sample"));
	press(&k, "\r"); /* the preset answer is no */
	assert_int_equal(0, k.posts);
	press(&k, "r");
	press(&k, "y");
	assert_int_equal(1, k.posts);
	assert_string_equal("{\"ids\":[\"textkit__textkit-104\"]}", k.posted);
	press(&k, "R");
	assert_true(shows(&k, "Rerun all 3"));
	press(&k, "y");
	assert_string_equal("{\"failed\":true}", k.posted);
	close_con(&k);
}

static void what_runs_is_not_rerun(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "jjjjjjjr");
	assert_int_equal(0, k.posts);
	assert_true(shows(&k, "under way"));
	close_con(&k);
}

static void read_only_sends_nothing(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 100, &(struct tg_app_opts){ .read_only = true });
	press(&k, "jjr");
	assert_true(shows(&k, "read-only"));
	press(&k, "R");
	press(&k, "p");
	assert_int_equal(0, k.posts + k.starts);
	close_con(&k);
}

static void an_interrupted_run_is_resumed_by_r(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	k.c.state = "interrupted";
	k.c.alive = false;
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	turn(&k);
	char row[512];
	vt_row(&k.v, 0, row, sizeof row);
	assert_non_null(strstr(row, "Interrupted"));
	assert_non_null(strstr(row, "r resumes"));
	press(&k, "r");
	assert_int_equal(1, k.starts);
	assert_int_equal(0, k.posts);
	close_con(&k);
}

static void a_rerun_wakes_a_finished_run(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	k.c.state = "done";
	k.c.alive = false;
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "jjr");
	assert_int_equal(1, k.posts);
	assert_int_equal(1, k.starts);
	close_con(&k);
}

static void pause_says_what_it_does(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "p");
	assert_string_equal("pause", k.verb);
	canned_record(&k.c, 190, "cmd", "{\"verb\":\"pause\",\"ok\":true,\"user\":\"op\"}");
	canned_record(&k.c, 190, "gate", "{\"open\":false,\"row\":\"operator\",\"text\":\"paused by op\","
					"\"reopens\":\"when the operator resumes\"}");
	tg_app_data(&k.app);
	k.loop.key_dirty = true;
	turn(&k);
	assert_true(shows(&k, "Launching paused by operator since 19:03 UTC"));
	assert_false(shows(&k, "launch open"));
	press(&k, "p");
	assert_string_equal("resume", k.verb);
	close_con(&k);
}

static void the_cursor_stays_while_rows_move(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "jjjjjjjj");
	assert_string_equal("routes__routes-44", k.app.iid);
	press(&k, "ss"); /* by state */
	assert_string_equal("routes__routes-44", k.app.iid);
	canned_record(&k.c, 191, "att.exit", "{\"iid\":\"routes__routes-44\",\"a\":1,\"code\":0,\"why\":\"exit\"}");
	tg_app_data(&k.app);
	assert_string_equal("routes__routes-44", k.app.iid);
	press(&k, "/");
	press(&k, "veto\r");
	assert_true(shows(&k, "Shown: 1 of 14"));
	assert_string_equal("textkit__textkit-123", k.app.iid);
	close_con(&k);
}

static void what_needs_you_is_one_key_away(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	press(&k, "!");
	assert_true(shows(&k, "VETO: new violation SQLI_STRING_CONCAT (high)"));
	assert_true(shows(&k, "verdict and evidence"));
	close_con(&k);
}

static void help_is_the_command_table(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 80, 140, &(struct tg_app_opts){ 0 });
	press(&k, "?");
	for (int c = 1; c < TG_CMD_COUNT; c++) {
		const struct tg_command *cmd = tg_command(c);
		char row[1024];
		bool found = false;
		for (int y = 0; y < 80 && !found; y++) {
			vt_row(&k.v, y, row, sizeof row);
			found = strstr(row, cmd->help) && strstr(row, cmd->name) && strstr(row, cmd->keys);
		}
		if (!found)
			fail_msg("help does not show %s", cmd->name);
	}
	close_con(&k);
}

/* --- hostile and broken ------------------------------------------------------------------------------ */

static void a_hostile_row_stays_text(void **state)
{
	(void)state;
	struct con k;
	many(&k.c, "\033]52;c;ZXZpbA==\a\033[2J\xc2\x9b" "31m \xe2\x80\xae evil \xf0\x9f\x98\x80\xe6\x97\xa5 \xff\xfe");
	open_con(&k, 24, 160, &(struct tg_app_opts){ 0 });
	press(&k, "G");
	for (int i = 0; i < 190; i++)
		tg_app_key(&k.app, 'k');
	k.loop.key_dirty = true;
	turn(&k);
	assert_true(shows(&k, "^[]52;c;"));
	assert_null(memmem(k.v.frame.p, k.v.frame.n, "\033]", 2));
	assert_null(memchr(k.v.frame.p, 7, k.v.frame.n));
	assert_null(memmem(k.v.frame.p, k.v.frame.n, "\xc2\x9b", 2));
	assert_null(memmem(k.v.frame.p, k.v.frame.n, "\xe2\x80\xae", 3));
	assert_int_equal(0, k.v.osc);
	assert_true(vt_equals(&k.v, &k.loop.canvas));
	close_con(&k);
}

static void a_source_that_breaks_says_so(void **state)
{
	(void)state;
	struct con k;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	turn(&k);
	k.c.broken = true;
	assert_true(tg_app_data(&k.app));
	k.loop.key_dirty = true;
	turn(&k);
	assert_true(shows(&k, "What you see is old: journal.000001"));
	k.c.broken = false;
	k.c.live[7].unreadable = true;
	k.c.changed = true;
	assert_true(tg_app_data(&k.app));
	k.loop.key_dirty = true;
	turn(&k);
	assert_true(shows(&k, "its files"));
	close_con(&k);
}

static void random_keys_do_no_harm(void **state)
{
	(void)state;
	struct con k;
	static const char keys[] = "jkgG \r\033lvrRp/sSmu!?fF]}[{wnNaJKyq\tx\x06\x02\x7f";
	unsigned seed = 1;
	canned_flight(&k.c);
	open_con(&k, 24, 80, &(struct tg_app_opts){ 0 });
	for (int i = 0; i < 4000; i++) {
		seed = seed * 1103515245 + 12345;
		uint32_t key = (uint32_t)keys[seed / 65536 % (sizeof keys - 1)];
		tg_app_key(&k.app, key == '\r' ? TG_KEY_ENTER : key == '\t' ? TG_KEY_TAB : key);
		k.app.quit = false;
		if (i % 50 == 0) {
			vt_resize(&k.v, 1 + (int)(seed / 7 % 50), 1 + (int)(seed / 91 % 150));
			k.c.changed = true;
			tg_app_data(&k.app);
		}
		if (i % 10 == 0) {
			k.loop.key_dirty = true;
			turn(&k);
		}
	}
	close_con(&k);
}

/* --- patch ------------------------------------------------------------------------------------------- */

static const char sound_patch[] =
	"diff --git a/pkg/one.py b/pkg/one.py\n--- a/pkg/one.py\n+++ b/pkg/one.py\n@@ -1,3 +1,4 @@ def f():\n"
	" first\n-old line\n+new \033[31mline\n+second new\n last\n"
	"diff --git a/two.py b/two.py\nnew file mode 100644\n--- /dev/null\n+++ b/two.py\n@@ -0,0 +1 @@\n+x = 1\n";

static void write_patch(const char *run, const char *iid, const char *text)
{
	struct tg_err err = { 0 };
	char dir[512], path[600];
	snprintf(dir, sizeof dir, "%s/.tgmon/attempts/%s/001/extract.1/work", run, iid);
	assert_true(tg_mkdirs(dir, 0755, &err));
	snprintf(path, sizeof path, "%s/patch.diff", dir);
	assert_true(tg_file_write(path, text, strlen(text), 0644, &err));
}

static void a_patch_is_drawn_from_its_bytes(void **state)
{
	(void)state;
	struct con k;
	char *dir = cm_tmpdir();
	canned_flight(&k.c);
	free(k.c.run.dir);
	k.c.run.dir = tg_strdup(dir);
	write_patch(dir, canned_ids[0], sound_patch);
	write_patch(dir, canned_ids[5], "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n cut\n+he");
	open_con(&k, 24, 100, &(struct tg_app_opts){ 0 });
	press(&k, "\r");
	char row[1024];
	assert_true(shows(&k, "2 files  +3 -1"));
	int y = vt_find(&k.v, "second new");
	assert_true(y > 0);
	vt_row(&k.v, y, row, sizeof row);
	assert_non_null(strstr(row, "3 + second new")); /* its line number, its sign */
	assert_int_equal(114, vt_cell(&k.v, y, 13).fg.indexed.idx);
	assert_true(shows(&k, "new ^[[31mline"));
	assert_true(shows(&k, "M pkg/one.py"));
	assert_true(shows(&k, "A two.py"));
	press(&k, "/");
	press(&k, "second\r");
	assert_true(shows(&k, "second new"));
	/* One that libgit2 refuses: the raw bytes, with triage's reason. */
	press(&k, "J");
	press(&k, "JJJJ");
	assert_true(shows(&k, "ledger__ledger-12"));
	assert_true(shows(&k, "truncated: ends within hunk 2"));
	assert_true(shows(&k, "Raw bytes below"));
	assert_true(shows(&k, "+he"));
	close_con(&k);
	tg_remove_tree(dir, NULL);
	free(dir);
}

/* --- pieces ------------------------------------------------------------------------------------------ */

static void eta_is_a_range_or_nothing(void **state)
{
	(void)state;
	struct canned c;
	struct tg_eta eta;
	canned_init(&c, canned_ids, 14);
	for (size_t i = 0; i < 2; i++) {
		canned_start(&c, 0, canned_ids[i], 1, "first");
		canned_record(&c, 60, "att.exit", "{\"iid\":\"%s\",\"a\":1,\"code\":0,\"why\":\"exit\"}", canned_ids[i]);
	}
	tg_eta_compute(&eta, &c.run, 2, CANNED_T0 + 60000);
	assert_false(eta.known); /* two samples are none */
	for (size_t i = 2; i < 8; i++) {
		canned_start(&c, 0, canned_ids[i], 1, "first");
		canned_record(&c, 50 + (int64_t)i * 3, "att.exit",
			      "{\"iid\":\"%s\",\"a\":1,\"code\":0,\"why\":\"exit\"}", canned_ids[i]);
	}
	tg_eta_compute(&eta, &c.run, 2, CANNED_T0 + 75000);
	assert_true(eta.known);
	assert_int_equal(14, eta.left);
	/* six instances of about a minute for two workers: about three minutes */
	assert_true(eta.low_s > 60 && eta.low_s < 190);
	assert_true(eta.high_s > 190 && eta.high_s < 420);
	canned_fini(&c);
}

static void values_are_written_short(void **state)
{
	(void)state;
	char t[TG_SHOW];
	assert_string_equal("-", tg_show_duration(-1, t));
	assert_string_equal("59s", tg_show_duration(59, t));
	assert_string_equal("3m12s", tg_show_duration(192, t));
	assert_string_equal("2h05m", tg_show_duration(7500, t));
	assert_string_equal("3d04h", tg_show_duration(3 * 86400 + 4 * 3600, t));
	assert_string_equal("999", tg_show_bytes(999, t));
	assert_string_equal("1.0k", tg_show_bytes(1000, t));
	assert_string_equal("105k", tg_show_bytes(104857, t));
	assert_string_equal("5.6M", tg_show_bytes(5600000, t));
	assert_string_equal("$12.35", tg_show_cost(12.3456, t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(home_shows_the_fold),
		cmocka_unit_test(any_size_is_drawn),
		cmocka_unit_test(resizing_goes_both_ways),
		cmocka_unit_test(an_unchanged_screen_costs_nothing),
		cmocka_unit_test(a_scrolled_line_is_cheap),
		cmocka_unit_test(keys_that_come_together_make_one_frame),
		cmocka_unit_test(ten_rows_a_second_are_cheap),
		cmocka_unit_test(rerun_of_a_failed_one_needs_one_key),
		cmocka_unit_test(rerun_of_a_result_asks),
		cmocka_unit_test(what_runs_is_not_rerun),
		cmocka_unit_test(read_only_sends_nothing),
		cmocka_unit_test(an_interrupted_run_is_resumed_by_r),
		cmocka_unit_test(a_rerun_wakes_a_finished_run),
		cmocka_unit_test(pause_says_what_it_does),
		cmocka_unit_test(the_cursor_stays_while_rows_move),
		cmocka_unit_test(what_needs_you_is_one_key_away),
		cmocka_unit_test(help_is_the_command_table),
		cmocka_unit_test(a_hostile_row_stays_text),
		cmocka_unit_test(a_source_that_breaks_says_so),
		cmocka_unit_test(random_keys_do_no_harm),
		cmocka_unit_test(a_patch_is_drawn_from_its_bytes),
		cmocka_unit_test(eta_is_a_range_or_nothing),
		cmocka_unit_test(values_are_written_short),
	};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
