#include "unit/cm.h"

#include <locale.h>
#include <unistd.h>

#include "tui/keys.h"
#include "unit/tui/vt.h"

static const char *row_text(const struct tg_canvas *cv, int y)
{
	static struct tg_buf text;
	static char line[8192];
	tg_buf_clear(&text);
	tg_canvas_text(cv, &text);
	const char *p = tg_buf_cstr(&text);
	while (y-- > 0)
		p = strchr(p, '\n') + 1;
	size_t n = strcspn(p, "\n");
	memcpy(line, p, n);
	line[n] = '\0';
	tg_buf_fini(&text);
	text = (struct tg_buf)TG_BUF_INIT;
	return line;
}

static void a_cut_is_marked(void **state)
{
	(void)state;
	struct tg_canvas cv;
	tg_canvas_init(&cv, 4, 20, false);
	assert_int_equal(10, tg_canvas_put(&cv, TG_AT(0, 0, 10, TG_ROLE_TEXT), "0123456789"));
	assert_string_equal("0123456789", row_text(&cv, 0));
	assert_int_equal(10, tg_canvas_put(&cv, TG_AT(1, 0, 10, TG_ROLE_TEXT), "0123456789a"));
	assert_string_equal("012345678…", row_text(&cv, 1));
	struct tg_at at = TG_AT(2, 0, 12, TG_ROLE_TEXT);
	at.flags = TG_PUT_CUT_MIDDLE;
	tg_canvas_put(&cv, at, "astropy__astropy-12907");
	assert_string_equal("astro…-12907", row_text(&cv, 2));
	at = TG_AT(3, 2, 10, TG_ROLE_TEXT);
	at.flags = TG_PUT_RIGHT;
	tg_canvas_put(&cv, at, "42");
	assert_string_equal("          42", row_text(&cv, 3));
	tg_canvas_fini(&cv);
}

static void all_is_clipped(void **state)
{
	(void)state;
	struct tg_canvas cv;
	tg_canvas_init(&cv, 1, 1, false);
	tg_canvas_put(&cv, TG_AT(0, 0, -1, TG_ROLE_TEXT), "wide \xe6\x97\xa5");
	tg_canvas_put(&cv, TG_AT(5, 5, 9, TG_ROLE_TEXT), "outside");
	tg_canvas_put(&cv, TG_AT(-1, -1, 9, TG_ROLE_TEXT), "outside");
	tg_canvas_hline(&cv, 7, 0, 9, TG_ROLE_RULE);
	tg_canvas_over(&cv, (struct tg_rect){ -3, -3, 20, 20 }, TG_ROLE_CURSOR);
	assert_string_equal("…", row_text(&cv, 0));
	tg_canvas_fini(&cv);
}

/* A wide character that does not fit wholly is not cut in half, and half of one is never left behind. */
static void wide_characters_stay_whole(void **state)
{
	(void)state;
	struct tg_canvas cv;
	tg_canvas_init(&cv, 2, 8, false);
	tg_canvas_put(&cv, TG_AT(0, 0, 5, TG_ROLE_TEXT), "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
	assert_string_equal("\xe6\x97\xa5\xe6\x9c\xac…", row_text(&cv, 0));
	tg_canvas_put(&cv, TG_AT(1, 0, 4, TG_ROLE_TEXT), "\xe6\x97\xa5\xe6\x9c\xac");
	tg_canvas_put(&cv, TG_AT(1, 1, 1, TG_ROLE_TEXT), "x");
	assert_string_equal(" x\xe6\x9c\xac", row_text(&cv, 1));
	tg_canvas_fini(&cv);
}

static void ascii_mode_is_ascii(void **state)
{
	(void)state;
	struct tg_canvas cv;
	tg_canvas_init(&cv, 1, 30, true);
	tg_canvas_put(&cv, TG_AT(0, 0, 20, TG_ROLE_TEXT), "caf\xc3\xa9 and a good deal more");
	for (const char *p = row_text(&cv, 0); *p; p++)
		assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	tg_canvas_fini(&cv);
}

/* What a model may print, put on a screen: nothing of it reaches the terminal as a control. */
static const char hostile[] = "\033]52;c;ZXZpbA==\a\033[2J\033[1;1H\x9b"
			      "31m\xc2\x9b"
			      "31m\r\n\t\b\x7f\xe2\x80\xae" "gpj.exe\xe2\x80\x8b|\xe6\x97\xa5\xe6\x9c\xac|e\xcc\x81|"
			      "\xff\xfe\xc0\xaf\xf0\x9f\x98\x80|a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86|"
			      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb|\xcc\x81 lonely";

static void hostile_text_never_becomes_a_control(void **state)
{
	(void)state;
	struct vt v;
	struct tg_canvas cv;
	struct tg_theme theme;
	assert_true(tg_theme_load(&theme, "mono", NULL));
	assert_true(vt_open(&v, 6, 200, "xterm-256color", true));
	tg_canvas_init(&cv, 6, 200, false);
	tg_term_draw(v.term, &cv, &theme);
	vt_take(&v);
	tg_canvas_puts(&cv, TG_AT(2, 0, -1, TG_ROLE_TEXT), hostile, sizeof hostile - 1);
	tg_term_draw(v.term, &cv, &theme);
	vt_take(&v);
	/* Escapes in the frame are terminfo's cursor movements and attributes, never OSC, DCS, C1, BEL. */
	for (size_t i = 0; i < v.frame.n; i++) {
		unsigned char c = (unsigned char)v.frame.p[i];
		assert_true(c != 7 && c != 0x7f && c != 14 && c != 15);
		if (c == 0x1b)
			assert_true(v.frame.p[i + 1] == '[' || v.frame.p[i + 1] == '(');
		if (c == 0xc2)
			assert_true((unsigned char)v.frame.p[i + 1] >= 0xa0);
	}
	assert_int_equal(0, v.osc);
	assert_null(memmem(v.frame.p, v.frame.n, "\033]", 2));
	assert_null(memmem(v.frame.p, v.frame.n, "\033[2J", 4));
	assert_null(memmem(v.frame.p, v.frame.n, "\xe2\x80\xae", 3));
	assert_null(memmem(v.frame.p, v.frame.n, "\xe2\x80\x8b", 3));
	char row[2048];
	vt_row(&v, 2, row, sizeof row);
	assert_non_null(strstr(row, "^[]52;c;"));
	assert_non_null(strstr(row, "<U+202E>gpj.exe<U+200B>"));
	assert_non_null(strstr(row, "lonely"));
	assert_true(vt_equals(&v, &cv));
	assert_int_equal(' ', vt_cell(&v, 3, 0).chars[0] ? vt_cell(&v, 3, 0).chars[0] : ' ');
	tg_canvas_fini(&cv);
	vt_close(&v);
}

static void safe_text_is_what_it_measures(void **state)
{
	(void)state;
	struct tg_canvas cv;
	tg_canvas_init(&cv, 1, 400, false);
	int w = tg_text_columns(hostile, sizeof hostile - 1, false);
	assert_int_equal(w, tg_canvas_puts(&cv, TG_AT(0, 0, -1, TG_ROLE_TEXT), hostile, sizeof hostile - 1));
	tg_canvas_fini(&cv);
}

static void nothing_changed_costs_nothing(void **state)
{
	(void)state;
	struct vt v;
	struct tg_canvas cv;
	struct tg_theme theme;
	assert_true(tg_theme_load(&theme, "default", NULL));
	assert_true(vt_open(&v, 24, 80, "xterm-256color", false));
	tg_canvas_init(&cv, 24, 80, false);
	tg_canvas_put(&cv, TG_AT(3, 4, -1, TG_ROLE_V_VETO), "VETO");
	assert_true(tg_term_draw(v.term, &cv, &theme) > 0);
	vt_take(&v);
	assert_int_equal('V', vt_cell(&v, 3, 4).chars[0]);
	assert_true(vt_cell(&v, 3, 4).attrs.bold);
	assert_int_equal(210, vt_cell(&v, 3, 4).fg.indexed.idx);
	assert_int_equal(0, tg_term_draw(v.term, &cv, &theme));
	assert_int_equal(0, vt_take(&v));
	tg_canvas_fini(&cv);
	vt_close(&v);
}

static void depths_follow_the_terminal(void **state)
{
	(void)state;
	static const struct {
		const char *term;
		bool no_color;
		enum tg_depth depth;
	} t[] = {
		{ "xterm-256color", false, TG_DEPTH_256 }, { "xterm", false, TG_DEPTH_16 },
		{ "vt100", false, TG_DEPTH_MONO }, { "xterm-256color", true, TG_DEPTH_MONO },
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct vt v;
		assert_true(vt_open(&v, 5, 20, t[i].term, t[i].no_color));
		assert_int_equal(t[i].depth, tg_term_depth(v.term));
		struct tg_canvas cv;
		struct tg_theme theme;
		assert_true(tg_theme_load(&theme, "default", NULL));
		tg_canvas_init(&cv, 5, 20, false);
		tg_canvas_put(&cv, TG_AT(1, 1, -1, TG_ROLE_ALARM), "gate");
		tg_term_draw(v.term, &cv, &theme);
		vt_take(&v);
		assert_true(vt_find(&v, "gate") == 1);
		if (t[i].depth == TG_DEPTH_MONO)
			assert_null(memmem(v.frame.p, v.frame.n, "38;5", 4));
		tg_canvas_fini(&cv);
		vt_close(&v);
	}
}

static void keys_come_back_as_they_were_typed(void **state)
{
	(void)state;
	struct vt v;
	static const uint32_t want[] = { 'j', TG_KEY_UP, TG_KEY_PGDN, 0xe9, TG_KEY_ENTER, TG_KEY_BACKSPACE, 6 };
	assert_true(vt_open(&v, 5, 20, "xterm-256color", false));
	assert_int_equal(15, write(v.in[1], "j\033OA\033[6~\xc3\xa9\r\x7f\x06\0\0", 15));
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
		assert_int_equal(want[i], tg_term_key(v.term));
	assert_int_equal(TG_KEY_NONE, tg_term_key(v.term));
	vt_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_is_marked),
		cmocka_unit_test(all_is_clipped),
		cmocka_unit_test(wide_characters_stay_whole),
		cmocka_unit_test(ascii_mode_is_ascii),
		cmocka_unit_test(hostile_text_never_becomes_a_control),
		cmocka_unit_test(safe_text_is_what_it_measures),
		cmocka_unit_test(nothing_changed_costs_nothing),
		cmocka_unit_test(depths_follow_the_terminal),
		cmocka_unit_test(keys_come_back_as_they_were_typed),
	};
	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
