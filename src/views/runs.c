#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tui/layout.h"
#include "tui/table.h"
#include "views/app.h"
#include "views/runlist.h"
#include "views/show.h"

enum column {
	C_NAME,
	C_STATE,
	C_PROGRESS,
	C_RESOLVED,
	C_VERDICTS,
	C_COST,
	C_AGE,
	C_MODEL,
	C_SLICE,
	C_COUNT
};

static const struct tg_column columns[C_COUNT] = {
	[C_NAME] = { .title = "RUN", .min = 14, .max = 48, .keep = 34, .cut_middle = true },
	[C_STATE] = { .title = "STATE", .min = 11, .max = 20, .drop = 1 },
	[C_PROGRESS] = { .title = "DONE", .min = 7, .max = 7, .right = true, .drop = 2 },
	[C_RESOLVED] = { .title = "RESOLVED", .min = 8, .max = 8, .right = true, .drop = 3 },
	[C_VERDICTS] = { .title = "OK/ABST/VETO", .min = 12, .max = 12, .right = true, .drop = 5 },
	[C_COST] = { .title = "COST", .min = 8, .max = 10, .right = true, .drop = 6 },
	[C_AGE] = { .title = "AGE", .min = 6, .max = 6, .right = true, .drop = 4 },
	[C_MODEL] = { .title = "MODEL", .min = 10, .max = 30, .drop = 7 },
	[C_SLICE] = { .title = "SLICE", .min = 7, .max = 7, .drop = 8 },
};

struct state {
	struct tg_table table;
	struct tg_runs runs;
	struct tg_app *app;
};

void tg_runs_fini(struct tg_runs *runs)
{
	for (size_t i = 0; i < runs->n; i++) {
		free(runs->v[i].dir);
		free(runs->v[i].name);
		free(runs->v[i].model);
		free(runs->v[i].slice);
		free(runs->v[i].state);
	}
	free(runs->v);
	*runs = (struct tg_runs){ 0 };
}

static size_t count_rows(void *user)
{
	return ((struct state *)user)->runs.n;
}

static const char *row_id(void *user, size_t row)
{
	return ((struct state *)user)->runs.v[row].dir;
}

static bool is_interrupted(const struct tg_run_summary *r)
{
	return r->state && !strcmp(r->state, "interrupted");
}

static enum tg_role state_role(const struct tg_run_summary *r)
{
	const char *s = r->state ? r->state : "";
	return r->unreadable || is_interrupted(r) ? TG_ROLE_ST_WARN
	       : !strcmp(s, "running") ? TG_ROLE_ST_RUNNING
	       : !strcmp(s, "done") ? TG_ROLE_ST_DONE
	       : !strcmp(s, "foreign") ? TG_ROLE_DIM : TG_ROLE_ST_FAILED;
}

static void cell(void *user, size_t i, int col, struct tg_tcell *out)
{
	const struct state *s = user;
	const struct tg_run_summary *r = &s->runs.v[i];
	char t[TG_SHOW] = "";
	switch (col) {
	case C_NAME: snprintf(out->s, sizeof out->s, "%s", r->name); return;
	case C_STATE:
		snprintf(out->s, sizeof out->s, "%s", r->state ? r->state : "");
		out->role = out->glyph = state_role(r);
		return;
	case C_MODEL: snprintf(out->s, sizeof out->s, "%s", r->model ? r->model : ""); return;
	case C_SLICE: snprintf(out->s, sizeof out->s, "%s", r->slice ? r->slice : ""); return;
	case C_AGE:
		if (r->last_ms)
			tg_show_duration((s->app->clock() - r->last_ms) / 1000, t);
		snprintf(out->s, sizeof out->s, "%s", t);
		return;
	default: break;
	}
	if (r->unreadable)
		return;
	if (col == C_PROGRESS)
		snprintf(out->s, sizeof out->s, "%zu/%zu", r->done, r->total);
	else if (col == C_RESOLVED)
		snprintf(out->s, sizeof out->s, "%zu", r->resolved);
	else if (col == C_COST)
		snprintf(out->s, sizeof out->s, "%s%s", r->cost_lower_bound ? ">=" : "",
			 tg_show_cost(r->cost, t));
	else {
		snprintf(out->s, sizeof out->s, "%zu/%zu/%zu", r->ok, r->abstain, r->veto);
		out->role = r->veto ? TG_ROLE_V_VETO : TG_ROLE_TEXT;
	}
}

static int compare(void *user, size_t a, size_t b, int col)
{
	const struct tg_run_summary *x = &((struct state *)user)->runs.v[a],
				    *y = &((struct state *)user)->runs.v[b];
	double dx = 0, dy = 0;
	switch (col) {
	case C_PROGRESS: dx = (double)x->done; dy = (double)y->done; break;
	case C_RESOLVED: dx = (double)y->resolved; dy = (double)x->resolved; break;
	case C_VERDICTS: dx = (double)y->veto; dy = (double)x->veto; break;
	case C_COST: dx = y->cost; dy = x->cost; break;
	case C_AGE: dx = (double)y->last_ms; dy = (double)x->last_ms; break;
	default: {
		struct tg_tcell ca = { 0 }, cb = { 0 };
		cell(user, a, col, &ca);
		cell(user, b, col, &cb);
		return strcmp(ca.s, cb.s);
	}
	}
	return dx < dy ? -1 : dx > dy;
}

static const struct tg_table_ops table_ops = {
	.count = count_rows, .row_id = row_id, .cell = cell, .compare = compare,
};

/* An interrupted run is said first, and stands first. */
static void interrupted_first(struct tg_runs *runs)
{
	size_t to = 0;
	for (size_t i = 0; i < runs->n; i++) {
		struct tg_run_summary r = runs->v[i];
		if (!is_interrupted(&r))
			continue;
		memmove(&runs->v[to + 1], &runs->v[to], (i - to) * sizeof r);
		runs->v[to++] = r;
	}
}

static void load(struct tg_view *v)
{
	struct state *s = v->state;
	struct tg_err err = { 0 };
	tg_runs_fini(&s->runs);
	if (v->app->acts.list && !v->app->acts.list(v->app->acts.user, &s->runs, &err))
		tg_app_say(v->app, TG_ROLE_ERROR, "%s", err.msg);
	interrupted_first(&s->runs);
	tg_table_refresh(&s->table);
}

static bool open_view(struct tg_view *v, struct tg_err *err)
{
	struct state *s = v->state;
	(void)err;
	s->app = v->app;
	tg_table_init(&s->table, &table_ops, s, columns, C_COUNT);
	load(v);
	return true;
}

static void close_view(struct tg_view *v)
{
	struct state *s = v->state;
	tg_table_fini(&s->table);
	tg_runs_fini(&s->runs);
}

static void open_run(struct tg_view *v, const struct tg_run_summary *r)
{
	struct tg_source source = { 0 };
	struct tg_err err = { 0 };
	if (!v->app->acts.open || !v->app->acts.open(v->app->acts.user, r->dir, &source, &err) ||
	    !tg_app_open_run(v->app, source, &err))
		tg_app_say(v->app, TG_ROLE_ERROR, "%s", err.msg);
}

static void resume_run(struct tg_view *v, const struct tg_run_summary *r)
{
	struct tg_err err = { 0 };
	if (!is_interrupted(r))
		tg_app_say(v->app, TG_ROLE_TEXT, "This run is %s; there is nothing to resume",
			   r->state ? r->state : "unreadable");
	else if (!v->app->acts.start || !v->app->acts.start(r->dir, &err))
		tg_app_say(v->app, TG_ROLE_ERROR, "%s", err.msg);
	else
		open_run(v, r);
}

static bool command(struct tg_view *v, enum tg_cmd cmd)
{
	struct state *s = v->state;
	size_t row = tg_table_row(&s->table);
	if (cmd == TG_CMD_OPEN_RUN || cmd == TG_CMD_RESUME_RUN) {
		if (row == TG_TABLE_NO_ROW)
			tg_app_say(v->app, TG_ROLE_TEXT, "There is no run yet");
		else if (cmd == TG_CMD_OPEN_RUN)
			open_run(v, &s->runs.v[row]);
		else
			resume_run(v, &s->runs.v[row]);
		return true;
	}
	return cmd != TG_CMD_MARK && cmd != TG_CMD_UNMARK && tg_table_cmd(&s->table, cmd);
}

static void draw_top(const struct state *s, struct tg_canvas *cv, struct tg_rect r)
{
	const struct tg_theme *theme = &s->app->theme;
	size_t n = 0;
	for (size_t i = 0; i < s->runs.n; i++)
		n += is_interrupted(&s->runs.v[i]);
	enum tg_role role = n ? TG_ROLE_ALARM : TG_ROLE_CALM;
	tg_canvas_blank(cv, r, n ? TG_ROLE_ALARM : TG_ROLE_TEXT);
	tg_canvas_put(cv, TG_AT(r.y, r.x + 1, 1, role), tg_theme_glyph(theme, role, cv->ascii));
	if (n)
		tg_canvas_fmt(cv, TG_AT(r.y, r.x + 3, r.w - 3, role),
			      "%zu run%s interrupted: r resumes %s, nothing is lost", n,
			      n == 1 ? " was" : "s were", n == 1 ? "it" : "the selected one");
	else
		tg_canvas_put(cv, TG_AT(r.y, r.x + 3, r.w - 3, role), "Nothing needs you");
}

/* The first screen of a new user says what to do. */
static void draw_empty(struct tg_canvas *cv, struct tg_rect r)
{
	static const struct {
		enum tg_role role;
		const char *text;
	} line[] = {
		{ TG_ROLE_TITLE, "No run here yet." },
		{ TG_ROLE_TEXT, "" },
		{ TG_ROLE_TEXT, "Launch one from the shell; it goes on when you leave:" },
		{ TG_ROLE_HINT_KEY,
		  "  tgmon run --config agent.yaml --model-id MODEL --slice 0:5 --tag first" },
		{ TG_ROLE_TEXT, "Look at one that something else made:" },
		{ TG_ROLE_HINT_KEY, "  tgmon watch RUN" },
		{ TG_ROLE_TEXT, "Try it without a key, a container or a network:" },
		{ TG_ROLE_HINT_KEY, "  scripts/bootstrap.sh demo" },
	};
	for (int y = 0; y < r.h && y < (int)(sizeof line / sizeof line[0]); y++)
		tg_canvas_put(cv, TG_AT(r.y + y, r.x + 2, r.w - 2, line[y].role), line[y].text);
}

static void draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	if (r.h >= 3) {
		draw_top(s, cv, tg_layout_rows(r, 0, 1));
		r = tg_layout_rows(r, 1, r.h);
	}
	if (r.h >= 4) {
		tg_canvas_put(cv, TG_AT(r.y, r.x + 1, r.w - 1, TG_ROLE_TITLE), "tgmon");
		tg_canvas_fmt(cv, TG_AT(r.y, r.x + 7, r.w - 7, TG_ROLE_DIM), "%zu run%s", s->runs.n,
			      s->runs.n == 1 ? "" : "s");
		r = tg_layout_rows(r, 1, r.h);
	}
	if (s->runs.n == 0)
		draw_empty(cv, r);
	else
		tg_table_draw(&s->table, cv, r, &s->app->theme, true);
}

static const enum tg_scope scopes[] = { TG_SCOPE_RUNS, TG_SCOPE_ANY };

const struct tg_view_ops tg_view_runs = {
	.name = "runs", .title = "Runs", .scopes = scopes, .state_size = sizeof(struct state),
	.open = open_view, .close = close_view, .data = load, .cmd = command, .draw = draw,
};
