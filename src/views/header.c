#include "views/header.h"

#include <stdio.h>
#include <string.h>

#include "tui/layout.h"
#include "views/show.h"

int tg_header_rows(int h)
{
	return h >= 14 ? 3 : h >= 8 ? 2 : h >= 5 ? 1 : 0;
}

static const char *run_name(const struct tg_run *run)
{
	if (run->run_id)
		return run->run_id;
	const char *slash = run->dir ? strrchr(run->dir, '/') : NULL;
	return slash && slash[1] ? slash + 1 : run->dir ? run->dir : "";
}

static enum tg_role state_role(const struct tg_data *d)
{
	const char *s = d->state ? d->state : "";
	if (!strcmp(s, "running"))
		return TG_ROLE_ST_RUNNING;
	if (!strcmp(s, "done"))
		return TG_ROLE_V_OK;
	return !strcmp(s, "foreign") ? TG_ROLE_DIM : TG_ROLE_ST_WARN;
}

/* Run id on the left; state and elapsed time on the right. */
static void draw_title(const struct tg_data *d, struct tg_canvas *cv, struct tg_rect r)
{
	char t[TG_SHOW] = "", right[96];
	int64_t end = d->run->done_ms ? d->run->done_ms
		      : d->alive ? d->now_ms : d->run->last_ms;
	if (d->run->opened_ms)
		tg_show_duration((end - d->run->opened_ms) / 1000, t);
	snprintf(right, sizeof right, "%s %s", d->state ? d->state : "", t);
	int w = (int)strlen(right);
	if (r.w > w + 12) {
		struct tg_at at = TG_AT(r.y, r.x + r.w - w - 1, w, state_role(d));
		tg_canvas_put(cv, at, right);
		r.w -= w + 3;
	}
	int x = r.x + 1;
	if (r.w > 50)
		x += tg_canvas_put(cv, TG_AT(r.y, x, r.w - 1, TG_ROLE_DIM), "tgmon ");
	tg_canvas_put(cv, TG_AT(r.y, x, r.w - (x - r.x), TG_ROLE_TITLE), run_name(d->run));
}

struct line { /* fields of one row, separated, each left out whole when there is no room */
	struct tg_canvas *cv;
	struct tg_rect r;
	int x;
};

static void field(struct line *l, const char *label, const char *value, enum tg_role role)
{
	const char *dot = tg_glyph(l->cv, TG_G_DOT);
	if (!value || !value[0])
		return;
	bool first = l->x == l->r.x + 1;
	int lw = (int)strlen(label), vw = tg_text_columns(value, strlen(value), l->cv->ascii);
	int need = (first ? 0 : 3) + lw + (lw > 0) + vw;
	int left = l->r.x + l->r.w - l->x;
	if (need > left && !(first && left > 8))
		return;
	if (!first)
		l->x += tg_canvas_fmt(l->cv, TG_AT(l->r.y, l->x, left, TG_ROLE_RULE), " %s ", dot);
	if (lw)
		l->x += tg_canvas_fmt(l->cv, TG_AT(l->r.y, l->x, lw + 1, TG_ROLE_LABEL), "%s ", label);
	l->x += tg_canvas_put(l->cv, TG_AT(l->r.y, l->x, l->r.x + l->r.w - l->x, role), value);
}

static void eta_field(const struct tg_data *d, struct line *l)
{
	char a[TG_SHOW], b[TG_SHOW], text[80];
	if (d->run->foreign || d->run->done_ms || d->eta.left == 0)
		return;
	if (d->eta.known) {
		snprintf(text, sizeof text, "%s to %s", tg_show_duration(d->eta.low_s, a),
			 tg_show_duration(d->eta.high_s, b));
		field(l, "ETA", text, TG_ROLE_TEXT);
	} else {
		field(l, "ETA", "after 3 have ended", TG_ROLE_DIM);
	}
}

static void draw_facts(const struct tg_data *d, struct tg_canvas *cv, struct tg_rect r)
{
	struct line l = { cv, r, r.x + 1 };
	char cost[TG_SHOW], budget[TG_SHOW], text[96];
	const struct tg_spec *s = d->spec;
	double limit = d->run->budget_answered ? d->run->budget_usd : s ? s->budget_usd : -1;
	snprintf(text, sizeof text, "%s%s%s", d->cost_lower_bound ? tg_glyph(cv, TG_G_GE) : "",
		 d->cost_lower_bound ? " " : "", tg_show_cost(d->cost, cost));
	if (limit >= 0) {
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n, " of %s", tg_show_cost(limit, budget));
	}
	if (s)
		field(&l, "", s->model_id, TG_ROLE_TEXT);
	field(&l, "cost", text, limit >= 0 && d->cost >= 0.9 * limit ? TG_ROLE_NOTICE : TG_ROLE_TEXT);
	eta_field(d, &l);
	const struct tg_gate_state *g = &d->run->gate;
	if (!d->run->foreign && !d->run->done_ms && g->row && !g->open) {
		snprintf(text, sizeof text, "closed (%s)", g->row);
		field(&l, "launch", text, TG_ROLE_NOTICE);
	} else if (d->run->gate_known) {
		field(&l, "gate", d->run->stale ? "stale" : d->run->gate_pass ? "PASS" : "FAIL",
		      d->run->stale ? TG_ROLE_NOTICE : d->run->gate_pass ? TG_ROLE_V_OK : TG_ROLE_V_VETO);
	} else if (!d->run->foreign) {
		field(&l, "launch", "open", TG_ROLE_TEXT);
	}
	if (s && s->slice)
		field(&l, "slice", s->slice, TG_ROLE_TEXT);
	if (s && s->workers && !d->run->done_ms) {
		snprintf(text, sizeof text, "%d", s->workers);
		field(&l, "workers", text, TG_ROLE_TEXT);
	}
}

struct share { /* one colour of the gauge */
	enum tg_role role;
	size_t n;
};

/* A gauge of all instances: what stands, what moves, what waits. Each share that is not empty is seen. */
static int draw_gauge(const struct tg_data *d, struct tg_canvas *cv, struct tg_rect r)
{
	const struct tg_counts *c = &d->counts;
	size_t done = c->by_state[TG_ST_DONE] + c->by_state[TG_ST_CANCELLED];
	size_t wait = c->by_state[TG_ST_QUEUED];
	size_t judged = c->by_decision[TG_DEC_OK] + c->by_decision[TG_DEC_ABSTAIN] +
			c->by_decision[TG_DEC_VETO];
	struct share share[] = {
		{ TG_ROLE_V_OK, c->by_decision[TG_DEC_OK] },
		{ TG_ROLE_V_ABSTAIN, c->by_decision[TG_DEC_ABSTAIN] },
		{ TG_ROLE_V_VETO, c->by_decision[TG_DEC_VETO] },
		{ TG_ROLE_ST_DONE, done > judged ? done - judged : 0 },
		{ TG_ROLE_ST_RUNNING, c->total > done + wait ? c->total - done - wait : 0 },
	};
	int x = r.x, w = r.w;
	size_t seen = 0, total = c->total ? c->total : 1;
	for (size_t i = 0; i < sizeof share / sizeof share[0]; i++) {
		int from = (int)(seen * (size_t)w / total);
		seen += share[i].n;
		int to = (int)(seen * (size_t)w / total);
		if (share[i].n && to == from)
			to++;
		from = r.x + from > x ? r.x + from : x;
		for (; from < r.x + to && from < r.x + w; from++)
			tg_canvas_put(cv, TG_AT(r.y, from, 1, share[i].role), tg_glyph(cv, TG_G_BLOCK));
		x = from > x ? from : x;
	}
	for (; x < r.x + w; x++)
		tg_canvas_put(cv, TG_AT(r.y, x, 1, TG_ROLE_RULE), tg_glyph(cv, TG_G_REST));
	return w;
}

static void count_field(struct line *l, size_t n, const char *word, enum tg_role role, bool always)
{
	char text[64];
	if (!n && !always)
		return;
	snprintf(text, sizeof text, "%s %zu", word, n);
	field(l, "", text, n ? role : TG_ROLE_DIM);
}

static void draw_counts(const struct tg_data *d, struct tg_canvas *cv, struct tg_rect r)
{
	const struct tg_counts *c = &d->counts;
	int gauge = r.w / 5 > 10 ? r.w / 5 : r.w > 40 ? 10 : 0;
	if (gauge)
		draw_gauge(d, cv, (struct tg_rect){ r.y, r.x + 1, 1, gauge });
	struct line l = { cv, tg_layout_cols(r, gauge ? gauge + 1 : 0, r.w), 0 };
	l.x = l.r.x + 1;
	char text[64];
	size_t done = c->by_state[TG_ST_DONE], running = 0;
	for (int s = TG_ST_STARTING; s <= TG_ST_GOVERN; s++)
		running += c->by_state[s];
	snprintf(text, sizeof text, "%zu/%zu", done, c->total);
	field(&l, "done", text, TG_ROLE_STRONG);
	count_field(&l, c->by_decision[TG_DEC_OK], "OK", TG_ROLE_V_OK, true);
	count_field(&l, c->by_decision[TG_DEC_ABSTAIN], "ABSTAIN", TG_ROLE_V_ABSTAIN, true);
	count_field(&l, c->by_decision[TG_DEC_VETO], "VETO", TG_ROLE_V_VETO, true);
	count_field(&l, c->resolved, "resolved", TG_ROLE_EV_GOOD, true);
	count_field(&l, c->failed, "failed", TG_ROLE_ST_FAILED, false);
	count_field(&l, running, "running", TG_ROLE_ST_RUNNING, false);
	count_field(&l, c->by_state[TG_ST_QUEUED], "queued", TG_ROLE_ST_QUEUED, false);
	count_field(&l, c->by_state[TG_ST_CANCELLED], "cancelled", TG_ROLE_ST_CANCELLED, false);
}

void tg_header_draw(const struct tg_data *d, struct tg_canvas *cv, struct tg_rect r)
{
	if (r.h >= 1)
		draw_title(d, cv, (struct tg_rect){ r.y, r.x, 1, r.w });
	if (r.h >= 3)
		draw_facts(d, cv, (struct tg_rect){ r.y + 1, r.x, 1, r.w });
	if (r.h >= 2)
		draw_counts(d, cv, (struct tg_rect){ r.y + r.h - 1, r.x, 1, r.w });
}
