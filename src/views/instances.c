#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/lib/json.h"
#include "tui/layout.h"
#include "tui/table.h"
#include "views/app.h"
#include "views/facts.h"
#include "views/header.h"
#include "views/show.h"

enum column {
	C_ID,
	C_STATE,
	C_NOW,
	C_STEP,
	C_COST,
	C_IDLE,
	C_ATTEMPT,
	C_PATCH,
	C_BYTES,
	C_EVAL,
	C_NEW,
	C_VERDICT,
	C_COUNT
};

static const struct tg_column columns[C_COUNT] = {
	[C_ID] = { .title = "INSTANCE", .min = 12, .max = 36, .keep = 24, .cut_middle = true },
	[C_STATE] = { .title = "STATE", .min = 10, .max = 10, .drop = 2 },
	[C_NOW] = { .title = "NOW", .min = 14, .max = 200, .drop = 4, .fill = true },
	[C_STEP] = { .title = "STEP", .min = 4, .max = 4, .right = true, .drop = 5 },
	[C_COST] = { .title = "COST", .min = 6, .max = 9, .right = true, .drop = 6 },
	[C_IDLE] = { .title = "IDLE", .min = 5, .max = 6, .right = true, .drop = 7 },
	[C_ATTEMPT] = { .title = "TRY", .min = 3, .max = 5, .right = true, .drop = 9 },
	[C_PATCH] = { .title = "PATCH", .min = 9, .max = 18, .drop = 3 },
	[C_BYTES] = { .title = "SIZE", .min = 4, .max = 4, .right = true, .drop = 10 },
	[C_EVAL] = { .title = "EVALUATION", .min = 12, .max = 20, .drop = 8 },
	[C_NEW] = { .title = "NEW", .min = 3, .max = 3, .right = true, .drop = 11 },
	[C_VERDICT] = { .title = "VERDICT", .min = 9, .max = 9, .drop = 1 },
};

enum purpose { ASK_FILTER, ASK_RERUN, ASK_RERUN_ALL, ASK_PAUSE };

struct state {
	struct tg_table table;
	struct tg_patch_facts facts;
	struct tg_app *app;
};

/* --- cells -------------------------------------------------------------------------- */

static size_t count_rows(void *user)
{
	const struct tg_app *app = ((struct state *)user)->app;
	return app->data.run ? app->data.run->inst_n : 0;
}

static const char *row_id(void *user, size_t row)
{
	return ((struct state *)user)->app->data.run->inst[row].id;
}

static void patch_cell(const struct tg_attempt *att, struct tg_tcell *out)
{
	if (!att || att->patch_class == TG_PC_NONE)
		return;
	snprintf(out->s, sizeof out->s, "%s", tg_patch_class_name(att->patch_class));
	out->role = tg_role_of_class(att->patch_class);
}

static void eval_cell(const struct tg_instance *in, const struct tg_attempt *att,
		      struct tg_tcell *out)
{
	if (!att || att->eval == TG_EV_NONE)
		return;
	const struct tg_attempt *best = tg_instance_best(in);
	out->role = out->glyph = tg_role_of_eval(att->eval);
	/* A later sample that was resolved is said, and does not replace what counts. */
	if (best && best != att && best->eval == TG_EV_RESOLVED && att->eval != TG_EV_RESOLVED)
		snprintf(out->s, sizeof out->s, "%s (%d: yes)", tg_eval_status_name(att->eval),
			 best->n);
	else
		snprintf(out->s, sizeof out->s, "%s", tg_eval_status_name(att->eval));
}

static void verdict_cell(const struct tg_attempt *att, struct tg_tcell *out)
{
	if (!att || att->decision == TG_DEC_NONE)
		return;
	snprintf(out->s, sizeof out->s, "%s", tg_decision_name(att->decision));
	out->role = out->glyph = tg_role_of_decision(att->decision);
}

static void number_cell(const struct tg_data *d, size_t i, int col, struct tg_tcell *out)
{
	const struct tg_attempt *att = tg_show_attempt(d, i);
	const struct tg_instance *in = &d->run->inst[i];
	char t[TG_SHOW] = "";
	switch (col) {
	case C_STEP:
		if (d->row[i].steps >= 0)
			snprintf(t, sizeof t, "%lld", (long long)d->row[i].steps);
		break;
	case C_COST:
		if (d->row[i].cost >= 0)
			tg_show_cost(d->row[i].cost, t);
		break;
	case C_IDLE:
		if (tg_data_is_active(d, i) && d->row[i].idle_s >= 0)
			tg_show_duration(d->row[i].idle_s, t);
		if (tg_data_is_silent(d, i))
			out->role = TG_ROLE_ST_WARN;
		break;
	case C_ATTEMPT:
		if (att)
			snprintf(t, sizeof t, "%d/%zu", att->n, in->att_n);
		if (in->att_n > 1)
			out->role = TG_ROLE_STRONG;
		break;
	case C_BYTES:
		if (att && att->patch_bytes >= 0)
			tg_show_bytes(att->patch_bytes, t);
		break;
	case C_NEW:
		/* what was not scanned is unknown, not none */
		if (att && (att->scan == TG_SC_OK || att->violation_n))
			snprintf(t, sizeof t, "%zu", att->violation_n);
		else if (att && att->scan != TG_SC_NONE)
			snprintf(t, sizeof t, "%s", att->scan == TG_SC_SKIPPED ? "-" : "?");
		out->role = att && att->violation_n ? TG_ROLE_V_VETO : TG_ROLE_TEXT;
		break;
	default: break;
	}
	snprintf(out->s, sizeof out->s, "%s", t);
}

static void cell(void *user, size_t i, int col, struct tg_tcell *out)
{
	const struct tg_data *d = &((struct state *)user)->app->data;
	const struct tg_instance *in = &d->run->inst[i];
	switch (col) {
	case C_ID:
		snprintf(out->s, sizeof out->s, "%s", in->id);
		break;
	case C_STATE:
		snprintf(out->s, sizeof out->s, "%s", tg_state_name(tg_instance_state(in)));
		out->role = out->glyph = tg_role_of_state(d, i);
		break;
	case C_NOW: {
		tg_show_doing(d, i, out->s, sizeof out->s);
		enum tg_role role = tg_role_of_state(d, i);
		out->role = tg_instance_state(in) == TG_ST_DONE && role != TG_ROLE_ST_FAILED
				    ? TG_ROLE_DIM
			    : role == TG_ROLE_ST_RUNNING ? TG_ROLE_TEXT
							 : role;
		break;
	}
	case C_PATCH: patch_cell(tg_show_attempt(d, i), out); break;
	case C_EVAL: eval_cell(in, tg_show_attempt(d, i), out); break;
	case C_VERDICT: verdict_cell(tg_show_attempt(d, i), out); break;
	default: number_cell(d, i, col, out); break;
	}
}

static int sign(double a, double b)
{
	return a < b ? -1 : a > b;
}

static double sort_value(const struct tg_data *d, size_t i, int col)
{
	const struct tg_attempt *att = tg_show_attempt(d, i);
	switch (col) {
	case C_STATE: return (double)tg_instance_state(&d->run->inst[i]);
	case C_STEP: return -(double)d->row[i].steps;
	case C_COST: return -d->row[i].cost;
	case C_IDLE: return tg_data_is_active(d, i) ? -(double)d->row[i].idle_s : 1;
	case C_ATTEMPT: return -(double)d->run->inst[i].att_n;
	case C_PATCH: return att ? -(double)att->patch_class : 1;
	case C_BYTES: return att ? -(double)att->patch_bytes : 1;
	case C_EVAL: return att && att->eval ? (double)att->eval : 99;
	case C_NEW: return att ? -(double)att->violation_n : 1;
	case C_VERDICT: return att ? -(double)att->decision : 1;
	default: return 0;
	}
}

static int compare(void *user, size_t a, size_t b, int col)
{
	const struct tg_data *d = &((struct state *)user)->app->data;
	if (col == C_ID)
		return strcmp(d->run->inst[a].id, d->run->inst[b].id);
	if (col == C_NOW) {
		struct tg_tcell ca = { 0 }, cb = { 0 };
		cell(user, a, col, &ca);
		cell(user, b, col, &cb);
		return strcmp(ca.s, cb.s);
	}
	return sign(sort_value(d, a, col), sort_value(d, b, col));
}

/* A word matches when a cell of the row holds it; "column:word" asks one column. */
static bool matches(void *user, size_t row, const char *word)
{
	int only = -1;
	for (int c = 0; c < C_COUNT; c++) {
		size_t n = strlen(columns[c].title);
		if (!strncasecmp(word, columns[c].title, n) && word[n] == ':') {
			only = c;
			word += n + 1;
			break;
		}
	}
	for (int c = 0; c < C_COUNT; c++) {
		struct tg_tcell t = { 0 };
		if (only >= 0 && c != only)
			continue;
		cell(user, row, c, &t);
		if (strcasestr(t.s, word))
			return true;
	}
	return false;
}

static const struct tg_table_ops table_ops = {
	.count = count_rows, .row_id = row_id, .cell = cell, .compare = compare, .matches = matches,
};

/* --- the view ----------------------------------------------------------------------- */

static void follow_cursor(struct tg_view *v)
{
	struct state *s = v->state;
	if (tg_table_row(&s->table) != TG_TABLE_NO_ROW)
		tg_app_select(v->app, s->table.cursor_id);
}

static bool open_view(struct tg_view *v, struct tg_err *err)
{
	(void)err;
	struct state *s = v->state;
	s->app = v->app;
	tg_table_init(&s->table, &table_ops, s, columns, C_COUNT);
	tg_table_refresh(&s->table);
	follow_cursor(v);
	return true;
}

static void close_view(struct tg_view *v)
{
	struct state *s = v->state;
	tg_table_fini(&s->table);
	tg_patch_facts_fini(&s->facts);
}

static void new_data(struct tg_view *v)
{
	struct state *s = v->state;
	tg_table_refresh(&s->table);
	/* Another screen may have gone to another instance. */
	if (v->app->iid[0])
		tg_table_select(&s->table, v->app->iid);
	follow_cursor(v);
}

/* The ids that a command means: the marked ones, else the one under the cursor. */
static struct cJSON *chosen_ids(const struct state *s, size_t *n)
{
	struct cJSON *ids = tg_json_array();
	*n = 0;
	for (size_t i = 0; i < s->table.marked_n; i++, (*n)++)
		tg_json_push_str(ids, s->table.marked[i]);
	if (*n == 0 && s->table.n) {
		tg_json_push_str(ids, s->table.cursor_id);
		*n = 1;
	}
	return ids;
}

static void send_rerun(struct tg_view *v)
{
	char done[128];
	size_t n;
	struct cJSON *args = tg_json_object();
	tg_json_set(args, "ids", chosen_ids(v->state, &n));
	snprintf(done, sizeof done, "Rerun sent: %zu new attempt%s; the earlier ones are kept", n,
		 n == 1 ? "" : "s");
	tg_app_post(v->app, "rerun", args, true, done);
}

/* What one rerun would mean: refuse, ask, or just do it. */
static void rerun(struct tg_view *v)
{
	struct state *s = v->state;
	const struct tg_data *d = &v->app->data;
	char ask[512];
	size_t n, results = 0, busy = 0;
	const char *one = NULL;
	if (d->state && !strcmp(d->state, "interrupted")) {
		tg_app_resume(v->app);
		return;
	}
	struct cJSON *ids = chosen_ids(s, &n);
	for (const struct cJSON *id = tg_json_first(ids); id; id = tg_json_next(id)) {
		const struct tg_instance *in = tg_run_instance(d->run, tg_json_text(id));
		if (!in)
			continue;
		enum tg_state st = tg_instance_state(in);
		one = in->id;
		if (st != TG_ST_DONE && st != TG_ST_CANCELLED)
			busy++;
		else if (!tg_instance_failed(in) && st == TG_ST_DONE)
			results++;
	}
	if (busy)
		tg_app_say(v->app, TG_ROLE_NOTICE,
			   n == 1 ? "%s is under way; there is nothing to rerun yet"
				  : "%s and others are under way; unmark them first",
			   one);
	else if (n && results == 0)
		send_rerun(v);
	else if (n) {
		const struct tg_attempt *att = tg_instance_counted(tg_run_instance(d->run, one));
		snprintf(ask, sizeof ask,
			 "%s has a result (%s): a rerun is another sample and never counts "
			 "instead. Rerun %zu?",
			 one, att && att->decision ? tg_decision_name(att->decision) : "judged", n);
		tg_prompt_confirm(&v->app->prompt, ASK_RERUN, ask);
	}
	tg_json_free(ids);
}

static void rerun_all(struct tg_view *v)
{
	const struct tg_data *d = &v->app->data;
	char ask[256], cost[TG_SHOW];
	double each = 0, n = 0;
	for (size_t i = 0; i < d->run->inst_n; i++)
		if (d->row[i].cost > 0) {
			each += d->row[i].cost;
			n++;
		}
	if (d->counts.failed == 0) {
		tg_app_say(v->app, TG_ROLE_TEXT, "No instance is without a usable patch");
		return;
	}
	if (n > 0)
		snprintf(ask, sizeof ask,
			 "Rerun all %zu without a usable patch (about %s at this run's mean)?",
			 d->counts.failed, tg_show_cost(each / n * (double)d->counts.failed, cost));
	else
		snprintf(ask, sizeof ask, "Rerun all %zu without a usable patch?",
			 d->counts.failed);
	tg_prompt_confirm(&v->app->prompt, ASK_RERUN_ALL, ask);
}

static void pause_or_resume(struct tg_view *v)
{
	bool paused = v->app->data.run->paused;
	if (!v->app->data.alive) {
		tg_app_say(v->app, TG_ROLE_NOTICE,
			   "No runner is at work; there is nothing to pause");
		return;
	}
	tg_app_post(v->app, paused ? "resume" : "pause", tg_json_object(), false,
		    paused ? "Launching goes on"
			   : "Launching is paused; what runs goes on (p resumes)");
}

static bool command(struct tg_view *v, enum tg_cmd cmd)
{
	struct state *s = v->state;
	switch (cmd) {
	case TG_CMD_OPEN: tg_app_push(v->app, &tg_view_patch); return true;
	case TG_CMD_DETAIL: tg_app_push(v->app, &tg_view_detail); return true;
	case TG_CMD_LOG: tg_app_push(v->app, &tg_view_log); return true;
	case TG_CMD_RERUN: rerun(v); return true;
	case TG_CMD_RERUN_ALL: rerun_all(v); return true;
	case TG_CMD_PAUSE: pause_or_resume(v); return true;
	case TG_CMD_FILTER:
		tg_prompt_text(&v->app->prompt, ASK_FILTER, "/", s->table.filter);
		return true;
	case TG_CMD_BACK:
		if (!s->table.filter[0])
			return false;
		tg_table_set_filter(&s->table, "");
		return true;
	default: break;
	}
	if (!tg_table_cmd(&s->table, cmd))
		return false;
	if (cmd == TG_CMD_SORT || cmd == TG_CMD_SORT_REV)
		tg_app_say(v->app, TG_ROLE_TEXT,
			   s->table.sort_col < 0 ? "In the run's own order" : "Sorted by %s%s",
			   s->table.sort_col < 0 ? "" : columns[s->table.sort_col].title,
			   s->table.sort_reverse ? ", turned round" : "");
	follow_cursor(v);
	return true;
}

static void prompt(struct tg_view *v, int purpose, const char *text, int event)
{
	struct state *s = v->state;
	struct cJSON *args;
	char done[96];
	if (purpose == ASK_FILTER) {
		tg_table_set_filter(&s->table, event == TG_PROMPT_REFUSED ? "" : text);
		follow_cursor(v);
	} else if (event != TG_PROMPT_ACCEPTED) {
		tg_app_say(v->app, TG_ROLE_TEXT, "Nothing was done");
	} else if (purpose == ASK_RERUN) {
		send_rerun(v);
	} else if (purpose == ASK_RERUN_ALL) {
		args = tg_json_object();
		tg_json_set_bool(args, "failed", true);
		snprintf(done, sizeof done, "Rerun sent: %zu new attempts",
			 v->app->data.counts.failed);
		tg_app_post(v->app, "rerun", args, true, done);
	}
}

static const char *step(struct tg_view *v, int by)
{
	struct state *s = v->state;
	if (!tg_table_cmd(&s->table, by > 0 ? TG_CMD_DOWN : TG_CMD_UP) || !s->table.n)
		return NULL;
	return s->table.cursor_id;
}

/* --- drawing ------------------------------------------------------------------------ */

static void draw_pane(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	int i = tg_app_index(v->app);
	if (i < 0 || r.h < 2)
		return;
	tg_canvas_hline(cv, r.y, r.x, r.w, TG_ROLE_RULE);
	int w = tg_canvas_fmt(cv, TG_AT(r.y, r.x + 2, r.w - 4, TG_ROLE_TITLE), " %s ",
			      v->app->data.run->inst[i].id);
	(void)w;
	tg_patch_facts_make(&s->facts, &v->app->data, (size_t)i, tg_app_attempt(v->app), true);
	tg_patch_facts_wrap(&s->facts, r.w - 4 - TG_FACT_LABEL);
	for (int y = 1; y < r.h && (size_t)(y - 1) < s->facts.n; y++) {
		bool last = y == r.h - 1 && s->facts.n > (size_t)y;
		struct tg_rect line = { r.y + y, r.x + 2, 1, r.w - 4 };
		if (last)
			tg_canvas_fmt(cv, TG_AT(line.y, line.x, line.w, TG_ROLE_DIM),
				      "%s v shows all", tg_glyph(cv, TG_G_CUT));
		else
			tg_fact_draw(&s->facts.v[y - 1], cv, line, 0);
	}
}

static int pane_rows(const struct tg_app *app, int h)
{
	int n = (int)app->data.run->inst_n + 1;
	if (h < 24)
		return 0;
	int spare = h - n, most = h * 2 / 5;
	return spare > most ? (spare < 16 ? spare : 16) : most < 8 ? 0 : most;
}

static void draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	int head = tg_header_rows(r.h);
	tg_header_draw(&v->app->data, cv, tg_layout_rows(r, 0, head));
	r = tg_layout_rows(r, head, r.h);
	if (s->table.filter[0] && r.h > 3) {
		tg_canvas_fmt(cv, TG_AT(r.y, r.x + 1, r.w - 1, TG_ROLE_NOTICE),
			      "Shown: %zu of %zu with \"%s\" (Esc shows all)", s->table.n,
			      v->app->data.run->inst_n, s->table.filter);
		r = tg_layout_rows(r, 1, r.h);
	}
	int pane = pane_rows(v->app, r.h);
	struct tg_rect body = tg_layout_rows(r, 0, r.h - pane);
	tg_table_draw(&s->table, cv, body, &v->app->theme, true);
	if (s->table.n == 0 && body.h > 1)
		tg_canvas_put(cv, TG_AT(body.y + 1, body.x + 2, body.w - 2, TG_ROLE_DIM),
			      s->table.filter[0] ? "No instance matches."
						 : "This run expects no instance.");
	if (pane)
		draw_pane(v, cv, tg_layout_rows(r, r.h - pane, pane));
}

static const enum tg_scope scopes[] = { TG_SCOPE_INSTANCES, TG_SCOPE_ANY };

const struct tg_view_ops tg_view_instances = {
	.name = "instances",
	.title = "Instances",
	.scopes = scopes,
	.state_size = sizeof(struct state),
	.open = open_view,
	.close = close_view,
	.data = new_data,
	.cmd = command,
	.draw = draw,
	.prompt = prompt,
	.step = step,
};
