#include "views/console.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lib/file.h"
#include "core/runner/runner.h"
#include "tui/loop.h"
#include "views/app.h"
#include "views/source.h"

static bool open_run(void *user, const char *run_dir, struct tg_source *out, struct tg_err *err)
{
	(void)user;
	return tg_source_watch(out, run_dir, err);
}

static bool list_runs(void *user, struct tg_runs *out, struct tg_err *err)
{
	const struct tg_console_opts *opts = user;
	return tg_source_runs(opts->dir, out, err);
}

static void on_key(void *user, uint32_t key)
{
	tg_app_key(user, key);
}

static bool on_data(void *user)
{
	return tg_app_data(user);
}

static int data_fd(void *user)
{
	const struct tg_app *app = user;
	return app->source.ops ? app->source.ops->fd(app->source.user) : -1;
}

/* Once a second while something moves (idle times, the runner's health); else rarely, for what
 * inotify does not tell: a runner that died, a folder on a network. */
static int tick_ms(void *user)
{
	const struct tg_app *app = user;
	if (!app->source.ops)
		return 5000; /* the list of runs */
	return app->data.alive ? 1000 : 4000;
}

static void on_draw(void *user, struct tg_canvas *cv)
{
	tg_app_draw(user, cv);
}

static const struct tg_theme *theme_of(void *user)
{
	return &((struct tg_app *)user)->theme;
}

static bool is_done(void *user)
{
	return ((struct tg_app *)user)->quit;
}

static const struct tg_loop_ops loop_ops = {
	.key = on_key, .data = on_data, .fd = data_fd, .tick_ms = tick_ms, .draw = on_draw,
	.theme = theme_of, .done = is_done,
};

static bool no_color(void)
{
	const char *v = getenv("NO_COLOR"); /* no-color.org: set and not empty */
	return v && v[0];
}

static int env_size(const char *name, int otherwise)
{
	const char *v = getenv(name);
	int64_t n;
	return v && tg_parse_i64(v, &n) && n > 0 && n <= 1000 ? (int)n : otherwise;
}

/* One frame as plain text: as high as the run needs, so that no row is missing. */
static int print_once(struct tg_app *app, struct tg_err *err)
{
	struct tg_canvas cv;
	struct tg_buf text = TG_BUF_INIT;
	int rows = env_size("LINES", app->data.run ? (int)app->data.run->inst_n + 7 : 24);
	tg_canvas_init(&cv, rows < 12 ? 12 : rows, env_size("COLUMNS", 80), app->opts.ascii);
	tg_app_draw(app, &cv);
	tg_canvas_text(&cv, &text);
	bool ok = tg_write_all(STDOUT_FILENO, tg_buf_cstr(&text), text.n, err);
	tg_buf_fini(&text);
	tg_canvas_fini(&cv);
	return ok ? 0 : tg_err_exit(err);
}

static int run_loop(struct tg_app *app, struct tg_err *err)
{
	struct tg_term_opts to = { .in_fd = STDIN_FILENO,
				   .out_fd = STDOUT_FILENO,
				   .no_color = no_color() };
	struct tg_term *term = tg_term_open(&to, err);
	struct tg_loop loop;
	if (!term)
		return tg_err_exit(err);
	tg_loop_init(&loop, &loop_ops, app, term, app->opts.ascii);
	while (tg_loop_turn(&loop, -1))
		if (app->redraw) {
			tg_term_redraw(term);
			app->redraw = false;
			loop.key_dirty = true;
		}
	int sig = loop.ended ? tg_term_end_signal(term) : 0;
	tg_loop_fini(&loop);
	tg_term_close(term);
	return sig ? 128 + sig : 0;
}

static bool open_first(struct tg_app *app, const struct tg_console_opts *opts, struct tg_err *err)
{
	struct tg_source source;
	if (!opts->run_dir)
		return tg_app_push(app, &tg_view_runs) || tg_fail(err, TG_E_IO, "%s", app->message);
	return tg_source_watch(&source, opts->run_dir, err) && tg_app_open_run(app, source, err);
}

int tg_console_main(const struct tg_console_opts *opts, struct tg_err *err)
{
	struct tg_app app;
	setlocale(LC_ALL, "");
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	const struct tg_app_opts app_opts = {
		.read_only = opts->read_only, .ascii = opts->ascii || !utf8,
		.theme = opts->theme ? opts->theme : no_color() ? "mono" : NULL,
	};
	const struct tg_acts acts = {
		.user = (void *)(uintptr_t)opts, .post = tg_inbox_post, .start = tg_runner_start,
		.open = open_run, .list = list_runs,
	};
	if (!tg_app_init(&app, &app_opts, &acts, err))
		return tg_err_exit(err);
	int code;
	if (!open_first(&app, opts, err))
		code = tg_err_exit(err);
	else if (opts->once)
		code = print_once(&app, err);
	else
		code = run_loop(&app, err);
	if (!opts->run_dir && app.data.run && app.data.alive && !opts->once)
		fprintf(stderr, "tgmon: the run goes on; tgmon watch %s attaches again\n",
			app.data.run->dir);
	tg_app_fini(&app);
	return code;
}
