/*
 * Prints or shows the console over a canned run, to look at screens without a run:
 *   demo_screen once|live [flight|many|hostile] [default|light|mono] [ascii]
 * Not a test; tests/unit/views/test_screens.c asserts on the same screens. Build it by hand against the
 * libraries of a build folder (gcc ... demo_screen.c libtg_views.a libtg_tui.a ...).
 */
#include <locale.h>
#include <unistd.h>

#include "canned.h"
#include "tui/loop.h"
#include "views/runlist.h"

static char many_text[300][40];
static const char *many_id[300];

static void many(struct canned *c, bool hostile)
{
	static const struct canned_end ok = { "done", "Submitted", 31, 12.3456, "ok", NULL, NULL, 104857, "RESOLVED",
					      NULL, NULL, NULL, "OK", "resolved, no new violations" };
	for (size_t i = 0; i < 300; i++) {
		snprintf(many_text[i], sizeof many_text[i], "organisation__repository-name-%05zu", i * 37);
		many_id[i] = many_text[i];
	}
	canned_init(c, many_id, 300);
	for (size_t i = 0; i < 120; i++) {
		canned_start(c, (int64_t)i, many_id[i], 1, "first");
		if (i < 90)
			canned_judged(c, 30 + (int64_t)i, many_id[i], 1, &ok);
		else
			canned_live(c, i, (int64_t)i % 40, 1.25, (int64_t)i % 9,
				    hostile ? "\033]52;c;ZXZpbA==\a\033[2J \xe2\x80\xae evil \xf0\x9f\x98\x80 \xff\xfe"
					    : "step 7: pytest -x tests/test_core.py");
	}
}

static void on_key(void *u, uint32_t k) { tg_app_key(u, k); }
static bool on_data(void *u) { return tg_app_data(u); }
static int data_fd(void *u) { (void)u; return -1; }
static int tick(void *u) { (void)u; return 1000; }
static void on_draw(void *u, struct tg_canvas *cv) { tg_app_draw(u, cv); }
static const struct tg_theme *theme(void *u) { return &((struct tg_app *)u)->theme; }
static bool done(void *u) { return ((struct tg_app *)u)->quit; }

static bool open_canned(void *user, const char *dir, struct tg_source *out, struct tg_err *err)
{
	(void)dir, (void)err;
	*out = (struct tg_source){ &canned_ops, user };
	return true;
}

static bool list_canned(void *user, struct tg_runs *out, struct tg_err *err)
{
	(void)user, (void)err;
	static const struct tg_run_summary run[] = {
		{ (char *)(uintptr_t)"/r/a", (char *)(uintptr_t)"msa_glm46_lite_test_251122_181500", (char *)(uintptr_t)"zai/glm-4.6", (char *)(uintptr_t)"0:50",
		  (char *)(uintptr_t)"done", 50, 50, 21, 19, 30, 1, 6, 41.22, false, false, CANNED_T0 - 7200000 },
		{ (char *)(uintptr_t)"/r/b", (char *)(uintptr_t)"msa_glm46_lite_test_251122_190000", (char *)(uintptr_t)"zai/glm-4.6", (char *)(uintptr_t)"50:100",
		  (char *)(uintptr_t)"interrupted", 50, 17, 5, 5, 12, 0, 3, 12.08, true, false, CANNED_T0 - 60000 },
		{ (char *)(uintptr_t)"/r/c", (char *)(uintptr_t)"msa_qwen_lite_run20", NULL, NULL, (char *)(uintptr_t)"foreign", 18, 18, 6, 6, 12, 0, 3, 2.5,
		  false, false, CANNED_T0 - 864000000 },
	};
	for (size_t i = 0; i < 3; i++) {
		TG_GROW(out->v, out->n, out->cap);
		struct tg_run_summary r = run[i];
		r.dir = tg_strdup(r.dir);
		r.name = tg_strdup(r.name);
		r.model = tg_strdup(r.model);
		r.slice = tg_strdup(r.slice);
		r.state = tg_strdup(r.state);
		out->v[out->n++] = r;
	}
	return true;
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	struct canned c;
	struct tg_app app;
	struct tg_err err = { 0 };
	const char *what = argc > 2 ? argv[2] : "flight";
	bool ascii = argc > 4 && !strcmp(argv[4], "ascii");
	if (!strcmp(what, "many") || !strcmp(what, "hostile"))
		many(&c, what[0] == 'h');
	else
		canned_flight(&c);
	if (getenv("RUN_DIR")) {
		free(c.run.dir);
		c.run.dir = tg_strdup(getenv("RUN_DIR"));
	}
	struct tg_app_opts opts = { .ascii = ascii, .theme = argc > 3 ? argv[3] : NULL };
	struct tg_acts acts = { .user = &c, .open = open_canned, .list = list_canned };
	if (!tg_app_init(&app, &opts, &acts, &err))
		return fprintf(stderr, "%s\n", err.msg), 2;
	app.clock = canned_clock;
	if (!strcmp(what, "runs"))
		tg_app_push(&app, &tg_view_runs);
	else
		tg_app_open_run(&app, (struct tg_source){ &canned_ops, &c }, &err);
	if (argc > 1 && !strcmp(argv[1], "live")) {
		static const struct tg_loop_ops ops = { on_key, on_data, data_fd, tick, on_draw, theme, done };
		struct tg_term_opts to = { .in_fd = 0, .out_fd = 1 };
		struct tg_term *term = tg_term_open(&to, &err);
		if (!term)
			return fprintf(stderr, "%s\n", err.msg), 2;
		struct tg_loop loop;
		tg_loop_init(&loop, &ops, &app, term, ascii);
		tg_tui_loop(&loop);
		tg_loop_fini(&loop);
		struct tg_term_stats st = tg_term_stats(term);
		tg_term_close(term);
		fprintf(stderr, "%llu frames, %llu bytes, %llu writes\n", (unsigned long long)st.frames,
			(unsigned long long)st.bytes, (unsigned long long)st.writes);
	} else {
		struct tg_canvas cv;
		struct tg_buf text = TG_BUF_INIT;
		tg_canvas_init(&cv, getenv("LINES") ? atoi(getenv("LINES")) : 24,
			       getenv("COLUMNS") ? atoi(getenv("COLUMNS")) : 80, ascii);
		tg_app_draw(&app, &cv);
		tg_canvas_text(&cv, &text);
		fputs(tg_buf_cstr(&text), stdout);
		tg_canvas_fini(&cv);
		tg_buf_fini(&text);
	}
	tg_app_fini(&app);
	canned_fini(&c);
	return 0;
}
