#include "unit/cm.h"

#include <locale.h>
#include <math.h>

#include "core/lib/buf.h"
#include "tui/keys.h"
#include "tui/layout.h"
#include "tui/pager.h"
#include "tui/prompt.h"
#include "tui/table.h"

/* --- themes ------------------------------------------------------------------------------------------ */

static double luminance(int color)
{
	int rgb[3];
	double l[3];
	tg_color_rgb(color, rgb);
	for (int i = 0; i < 3; i++) {
		double c = rgb[i] / 255.0;
		l[i] = c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
	}
	return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
}

static double contrast(int a, int b)
{
	double x = luminance(a), y = luminance(b);
	return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* Every role has all three forms; text stands out (WCAG 4.5:1) on the background the theme is for. */
static void themes_are_complete_and_readable(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int background;
	} t[] = { { "default", 234 }, { "light", 231 }, { "mono", -1 } };
	for (size_t i = 0; i < 3; i++) {
		struct tg_theme theme;
		struct tg_err err = { 0 };
		assert_true(tg_theme_load(&theme, t[i].name, &err));
		for (int r = 1; r < TG_ROLE_COUNT; r++) {
			assert_true(theme.role[r].set);
			for (int d = 0; d < TG_DEPTH_COUNT; d++)
				assert_true(theme.role[r].has[d]);
			struct tg_look look = theme.role[r].form[TG_DEPTH_256];
			if (look.fg < 0 || t[i].background < 0 || r == TG_ROLE_RULE)
				continue;
			int bg = look.bg >= 0 ? look.bg : t[i].background;
			if (contrast(look.fg, bg) < 4.5)
				fail_msg("%s: %s has contrast %.2f", t[i].name, tg_role_name(r),
					 contrast(look.fg, bg));
		}
		assert_string_equal("", tg_theme_glyph(&theme, TG_ROLE_TEXT, false));
		for (int r = TG_ROLE_ST_QUEUED; r <= TG_ROLE_V_VETO; r++) {
			assert_true(tg_theme_glyph(&theme, r, false)[0]);
			assert_int_equal(1, strlen(tg_theme_glyph(&theme, r, true)));
		}
		/* Without colour, a veto is still not an OK. */
		assert_int_not_equal(theme.role[TG_ROLE_V_VETO].form[TG_DEPTH_MONO].attr,
				     theme.role[TG_ROLE_V_OK].form[TG_DEPTH_MONO].attr);
	}
}

static void a_theme_says_where_it_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "[roles]\nverdict.veto = 999\n", "t:2:16: expected a colour" },
		{ "[roles]\nno.such = 1\n", "t:2:1: unknown role" },
		{ "[colours]\n", "t:1:1: unknown section" },
		{ "inherits = nowhere\n", "t:1: there is no theme" },
		{ "[roles]\ntext = 1 | 2 | - | 4\n", "more than three forms" },
		{ "[roles]\ntext\n", "t:2:1: expected `name = value`" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct tg_theme theme = { 0 };
		struct tg_err err = { 0 };
		assert_false(tg_theme_parse(&theme, bad[i].text, strlen(bad[i].text), "t", 0, &err));
		if (!strstr(err.msg, bad[i].message))
			fail_msg("\"%s\" instead of \"%s\"", err.msg, bad[i].message);
	}
}

/* --- keys -------------------------------------------------------------------------------------------- */

static void narrower_scopes_win(void **state)
{
	(void)state;
	static const enum tg_scope patch[] = { TG_SCOPE_PATCH, TG_SCOPE_PAGER, TG_SCOPE_ANY };
	static const enum tg_scope home[] = { TG_SCOPE_INSTANCES, TG_SCOPE_ANY };
	struct tg_keymap *km = tg_keymap_new();
	assert_int_equal(TG_CMD_SEARCH, tg_keymap_feed(km, patch, '/'));
	assert_int_equal(TG_CMD_FILTER, tg_keymap_feed(km, home, '/'));
	assert_int_equal(TG_CMD_DOWN, tg_keymap_feed(km, home, TG_KEY_DOWN));
	assert_int_equal(TG_CMD_QUIT, tg_keymap_feed(km, patch, 'q'));
	assert_int_equal(TG_CMD_NONE, tg_keymap_feed(km, patch, 'R'));
	assert_int_equal(TG_CMD_NONE, tg_keymap_feed(km, home, 0x1f600));
	assert_int_equal(TG_KEY_PGDN, tg_key_parse("PgDn", 4));
	assert_int_equal(6, tg_key_parse("C-f", 3));
	assert_int_equal(TG_KEY_NONE, tg_key_parse("Nonsense", 8));
	tg_keymap_free(km);
}

/* Within what a screen can see, one key means one thing. */
static void every_key_is_reachable(void **state)
{
	(void)state;
	struct tg_keymap *km = tg_keymap_new();
	for (int c = 1; c < TG_CMD_COUNT; c++) {
		const struct tg_command *cmd = tg_command(c);
		const enum tg_scope only[] = { cmd->scope, TG_SCOPE_ANY };
		char key[32];
		assert_true(cmd->help[0] && cmd->name[0]);
		assert_true(strlen(cmd->help) <= 45); /* whole on the help screen at 80 columns */
		tg_command_key(c, key, sizeof key);
		assert_int_equal(c, tg_keymap_feed(km, only, tg_key_parse(key, strlen(key))));
	}
	tg_keymap_free(km);
}

/* --- layout ------------------------------------------------------------------------------------------ */

static void layout_never_overflows(void **state)
{
	(void)state;
	for (int total = -1; total < 60; total++) {
		struct tg_slot s[] = {
			{ .fit = TG_FIXED, .want = 5 },
			{ .fit = TG_FIT, .min = 6, .want = 12, .drop = 2 },
			{ .fit = TG_FILL, .min = 4, .drop = 3 },
			{ .fit = TG_FIT, .min = 8, .want = 8, .drop = 1 },
		};
		tg_layout_distribute(s, 4, total);
		int sum = s[0].size + s[1].size + s[2].size + s[3].size;
		assert_true(sum <= (total > 0 ? total : 0));
		if (total >= 5)
			assert_int_equal(5, s[0].size);
		if (total >= 23)
			assert_int_equal(total, sum); /* the fill takes the rest */
		if (s[2].size > 0) /* the larger drop leaves first */
			assert_true(s[1].size >= 6 && s[3].size == 8);
	}
}

/* --- table ------------------------------------------------------------------------------------------- */

struct rows {
	const char *id[400];
	char text[400][40];
	int value[400];
	size_t n;
};

static size_t rows_count(void *u) { return ((struct rows *)u)->n; }
static const char *rows_id(void *u, size_t i) { return ((struct rows *)u)->id[i]; }

static void rows_cell(void *u, size_t i, int col, struct tg_tcell *out)
{
	const struct rows *r = u;
	if (col == 0)
		snprintf(out->s, sizeof out->s, "%s", r->id[i]);
	else
		snprintf(out->s, sizeof out->s, "%d", r->value[i]);
}

static int rows_compare(void *u, size_t a, size_t b, int col)
{
	const struct rows *r = u;
	return col ? r->value[a] - r->value[b] : strcmp(r->id[a], r->id[b]);
}

static bool rows_matches(void *u, size_t i, const char *word)
{
	return strstr(((struct rows *)u)->id[i], word) != NULL;
}

static const struct tg_table_ops rows_ops = { rows_count, rows_id, rows_cell, rows_compare, rows_matches };
static const struct tg_column rows_col[] = {
	{ .title = "ID", .min = 8, .max = 40, .keep = 20 },
	{ .title = "VALUE", .min = 6, .max = 6, .right = true, .drop = 1 },
};

static void rows_make(struct rows *r, size_t n)
{
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		snprintf(r->text[i], sizeof r->text[i], "row-%03zu", i);
		r->id[i] = r->text[i];
		r->value[i] = (int)(i * 37 % 101);
	}
}

static void the_cursor_stays_on_its_row(void **state)
{
	(void)state;
	static struct rows r;
	struct tg_table t;
	rows_make(&r, 100);
	tg_table_init(&t, &rows_ops, &r, rows_col, 2);
	tg_table_refresh(&t);
	assert_true(tg_table_select(&t, "row-042"));
	tg_table_sort(&t, 1, false);
	assert_string_equal("row-042", t.cursor_id);
	assert_int_equal(42, tg_table_row(&t));
	for (size_t i = 1; i < t.n; i++)
		assert_true(r.value[t.order[i - 1]] <= r.value[t.order[i]]);
	tg_table_sort(&t, 1, true);
	assert_int_equal(42, tg_table_row(&t));
	r.value[42] = -5; /* the row moves, the cursor with it */
	tg_table_refresh(&t);
	assert_int_equal(42, tg_table_row(&t));
	assert_int_equal(99, t.cursor);
	tg_table_set_filter(&t, "row-00");
	assert_int_equal(10, t.n);
	assert_true(tg_table_row(&t) < 10);
	tg_table_set_filter(&t, "!row-00");
	assert_int_equal(90, t.n);
	tg_table_set_filter(&t, "nothing like it");
	assert_int_equal(TG_TABLE_NO_ROW, tg_table_row(&t));
	assert_true(tg_table_cmd(&t, TG_CMD_DOWN));
	assert_true(tg_table_cmd(&t, TG_CMD_MARK));
	tg_table_set_filter(&t, "");
	assert_int_equal(100, t.n);
	tg_table_fini(&t);
}

static void marks_outlive_sorting_and_filtering(void **state)
{
	(void)state;
	static struct rows r;
	struct tg_table t;
	rows_make(&r, 20);
	tg_table_init(&t, &rows_ops, &r, rows_col, 2);
	tg_table_refresh(&t);
	tg_table_select(&t, "row-003");
	tg_table_cmd(&t, TG_CMD_MARK);
	assert_string_equal("row-004", t.cursor_id);
	tg_table_sort(&t, 1, true);
	tg_table_set_filter(&t, "row-01");
	assert_true(tg_table_is_marked(&t, "row-003"));
	assert_false(tg_table_is_marked(&t, "row-004"));
	tg_table_cmd(&t, TG_CMD_UNMARK);
	assert_int_equal(0, t.marked_n);
	tg_table_fini(&t);
}

static void the_table_draws_at_any_size(void **state)
{
	(void)state;
	static struct rows r;
	struct tg_table t;
	struct tg_theme theme;
	assert_true(tg_theme_load(&theme, "default", NULL));
	rows_make(&r, 300);
	tg_table_init(&t, &rows_ops, &r, rows_col, 2);
	tg_table_refresh(&t);
	tg_table_cmd(&t, TG_CMD_LAST);
	for (int h = 1; h < 12; h++)
		for (int w = 1; w < 50; w += 3) {
			struct tg_canvas cv;
			struct tg_buf text = TG_BUF_INIT;
			tg_canvas_init(&cv, h, w, false);
			tg_table_draw(&t, &cv, (struct tg_rect){ 0, 0, h, w }, &theme, true);
			tg_canvas_text(&cv, &text);
			if (h > 1 && w > 25)
				assert_non_null(strstr(tg_buf_cstr(&text), "row-299"));
			tg_buf_fini(&text);
			tg_canvas_fini(&cv);
		}
	tg_table_fini(&t);
}

/* --- pager and prompt -------------------------------------------------------------------------------- */

static size_t lines_count(void *u) { return ((struct rows *)u)->n; }

static struct tg_str lines_text(void *u, size_t i)
{
	const char *s = ((struct rows *)u)->id[i];
	return (struct tg_str){ s, strlen(s) };
}

static void lines_draw(void *u, struct tg_canvas *cv, struct tg_rect r, size_t i, int skip)
{
	struct tg_at at = TG_AT(r.y, r.x, r.w, TG_ROLE_TEXT);
	at.skip = skip;
	tg_canvas_put(cv, at, ((struct rows *)u)->id[i]);
}

static const struct tg_pager_ops lines_ops = { lines_count, lines_text, lines_draw, 0 };

static void the_pager_follows_until_one_scrolls_up(void **state)
{
	(void)state;
	static struct rows r;
	struct tg_pager p;
	struct tg_canvas cv;
	rows_make(&r, 50);
	tg_pager_init(&p, &lines_ops, &r);
	tg_canvas_init(&cv, 10, 20, false);
	tg_pager_cmd(&p, TG_CMD_FOLLOW);
	tg_pager_draw(&p, &cv, (struct tg_rect){ 0, 0, 10, 20 });
	assert_int_equal(40, p.top);
	rows_make(&r, 60);
	tg_pager_draw(&p, &cv, (struct tg_rect){ 0, 0, 10, 20 });
	assert_int_equal(50, p.top);
	tg_pager_cmd(&p, TG_CMD_UP);
	rows_make(&r, 80);
	tg_pager_draw(&p, &cv, (struct tg_rect){ 0, 0, 10, 20 });
	assert_int_equal(49, p.top);
	tg_canvas_fini(&cv);
}

static void the_pager_finds_and_marks(void **state)
{
	(void)state;
	static struct rows r;
	struct tg_pager p;
	struct tg_canvas cv;
	rows_make(&r, 90);
	tg_pager_init(&p, &lines_ops, &r);
	tg_canvas_init(&cv, 10, 20, false);
	tg_pager_draw(&p, &cv, (struct tg_rect){ 0, 0, 10, 20 });
	assert_true(tg_pager_search(&p, "ROW-07") == false); /* a capital: exact */
	assert_true(tg_pager_search(&p, "row-07"));
	assert_int_equal(70, p.hit);
	tg_pager_cmd(&p, TG_CMD_SEARCH_NEXT);
	assert_int_equal(71, p.hit);
	tg_pager_cmd(&p, TG_CMD_SEARCH_PREV);
	tg_pager_cmd(&p, TG_CMD_SEARCH_PREV);
	assert_int_equal(79, p.hit); /* round the end */
	tg_canvas_clear(&cv);
	tg_pager_draw(&p, &cv, (struct tg_rect){ 0, 0, 10, 20 });
	int y = (int)(p.hit - p.top);
	assert_int_equal(TG_ROLE_HIT, cv.cell[y * 20].over);
	assert_int_equal(TG_ROLE_HIT, cv.cell[y * 20 + 5].over);
	assert_int_equal(TG_ROLE_NONE, cv.cell[y * 20 + 6].over);
	assert_false(tg_pager_search(&p, "absent"));
	tg_canvas_fini(&cv);
}

static void the_safe_answer_is_preset(void **state)
{
	(void)state;
	static const struct {
		uint32_t key;
		enum tg_prompt_event e;
	} t[] = {
		{ 'y', TG_PROMPT_ACCEPTED }, { 'Y', TG_PROMPT_ACCEPTED }, { TG_KEY_ENTER, TG_PROMPT_REFUSED },
		{ 'n', TG_PROMPT_REFUSED }, { TG_KEY_ESC, TG_PROMPT_REFUSED }, { ' ', TG_PROMPT_REFUSED },
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct tg_prompt p;
		tg_prompt_confirm(&p, 1, "Rerun?");
		assert_int_equal(t[i].e, tg_prompt_key(&p, t[i].key));
		assert_int_equal(TG_PROMPT_NONE, p.kind);
	}
	/* A question that does not fit keeps its answer on screen. */
	struct tg_prompt p;
	struct tg_canvas cv;
	struct tg_buf text = TG_BUF_INIT;
	tg_prompt_confirm(&p, 1, "a very long question that goes on and on and on");
	tg_canvas_init(&cv, 1, 30, true);
	tg_prompt_draw(&p, &cv, (struct tg_rect){ 0, 0, 1, 30 });
	tg_canvas_text(&cv, &text);
	assert_non_null(strstr(tg_buf_cstr(&text), "~ y/[N]"));
	tg_buf_fini(&text);
	tg_canvas_fini(&cv);
}

static void typing_edits_by_characters(void **state)
{
	(void)state;
	struct tg_prompt p;
	tg_prompt_text(&p, 1, "/", "");
	tg_prompt_key(&p, 'a');
	tg_prompt_key(&p, 0x65e5);
	assert_string_equal("a\xe6\x97\xa5", p.text);
	tg_prompt_key(&p, TG_KEY_BACKSPACE);
	assert_string_equal("a", p.text);
	assert_int_equal(TG_PROMPT_OPEN, tg_prompt_key(&p, 7)); /* no control gets in */
	for (int i = 0; i < 1000; i++)
		tg_prompt_key(&p, 0x1f600);
	assert_true(p.n < sizeof p.text);
	assert_int_equal(TG_PROMPT_ACCEPTED, tg_prompt_key(&p, TG_KEY_ENTER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(themes_are_complete_and_readable),
		cmocka_unit_test(a_theme_says_where_it_is_wrong),
		cmocka_unit_test(narrower_scopes_win),
		cmocka_unit_test(every_key_is_reachable),
		cmocka_unit_test(layout_never_overflows),
		cmocka_unit_test(the_cursor_stays_on_its_row),
		cmocka_unit_test(marks_outlive_sorting_and_filtering),
		cmocka_unit_test(the_table_draws_at_any_size),
		cmocka_unit_test(the_pager_follows_until_one_scrolls_up),
		cmocka_unit_test(the_pager_finds_and_marks),
		cmocka_unit_test(the_safe_answer_is_preset),
		cmocka_unit_test(typing_edits_by_characters),
	};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
