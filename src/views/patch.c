#include <stdio.h>
#include <string.h>

#include "core/run/attempt_files.h"
#include "tui/layout.h"
#include "tui/pager.h"
#include "views/app.h"
#include "views/diffmodel.h"
#include "views/frame.h"
#include "views/show.h"

#define LINENO 5

struct state {
	struct tg_diffmodel model;
	struct tg_pager pager;
	struct tg_app *app;
	bool raw;
	char error[700]; /* why there are no bytes */
	/* what is loaded */
	char iid[160];
	int attempt, k;
};

static size_t count_lines(void *user)
{
	return ((struct state *)user)->model.line_n;
}

static struct tg_str line_text(void *user, size_t i)
{
	return ((struct state *)user)->model.line[i].text;
}

static void draw_file_line(const struct state *s, struct tg_canvas *cv, struct tg_rect r,
			   const struct tg_dline *l)
{
	const struct tg_dfile *f = &s->model.file[l->file];
	char counts[64];
	int n = snprintf(counts, sizeof counts, " +%zu -%zu ", f->added, f->deleted);
	tg_canvas_hline(cv, r.y, r.x, r.w, TG_ROLE_RULE);
	tg_canvas_fmt(cv, TG_AT(r.y, r.x, 3, TG_ROLE_DIFF_FILE), "%c ", f->status);
	struct tg_at at = TG_AT(r.y, r.x + 2, r.w - 2 - n - 2, TG_ROLE_DIFF_FILE);
	at.flags = TG_PUT_CUT_MIDDLE;
	int w = at.w > 0 ? tg_canvas_puts(cv, at, l->text.p, l->text.n) : 0;
	tg_canvas_put(cv, TG_AT(r.y, r.x + 2 + w, 1, TG_ROLE_TEXT), " ");
	if (r.w > n + 10)
		tg_canvas_put(cv, TG_AT(r.y, r.x + r.w - n, n, TG_ROLE_DIM), counts);
}

static void draw_number(struct tg_canvas *cv, int y, int x, int no)
{
	struct tg_at at = TG_AT(y, x, LINENO - 1, TG_ROLE_DIFF_LINENO);
	at.flags = TG_PUT_RIGHT;
	if (no)
		tg_canvas_fmt(cv, at, "%d", no);
}

static void draw_line(void *user, struct tg_canvas *cv, struct tg_rect r, size_t i, int skip)
{
	static const struct {
		enum tg_role role;
		const char *sign;
	} look[] = {
		[TG_DL_FILE] = { TG_ROLE_DIFF_FILE, "" },
		[TG_DL_HUNK] = { TG_ROLE_DIFF_HUNK, "" },
		[TG_DL_CONTEXT] = { TG_ROLE_DIFF_CONTEXT, "" },
		[TG_DL_ADD] = { TG_ROLE_DIFF_ADD, "+" },
		[TG_DL_DEL] = { TG_ROLE_DIFF_DEL, "-" },
		[TG_DL_NOTE] = { TG_ROLE_ST_WARN, "" },
		[TG_DL_RAW] = { TG_ROLE_TEXT, "" },
	};
	const struct state *s = user;
	const struct tg_dline *l = &s->model.line[i];
	int gutter = r.w >= 40 ? s->pager.ops->gutter : 0;
	if (l->kind == TG_DL_FILE) {
		draw_file_line(s, cv, r, l);
		return;
	}
	if (gutter && l->kind != TG_DL_HUNK && l->kind != TG_DL_NOTE) {
		draw_number(cv, r.y, r.x, l->old_no);
		draw_number(cv, r.y, r.x + LINENO, l->new_no);
		tg_canvas_put(cv, TG_AT(r.y, r.x + 2 * LINENO, 1, look[l->kind].role),
			      look[l->kind].sign);
	} else if (!gutter && look[l->kind].sign[0]) {
		tg_canvas_put(cv, TG_AT(r.y, r.x, 1, look[l->kind].role), look[l->kind].sign);
		r.x++;
		r.w--;
	}
	struct tg_at at = TG_AT(r.y, r.x + gutter, r.w - gutter, look[l->kind].role);
	at.skip = skip;
	at.flags = TG_PUT_TABS;
	tg_canvas_puts(cv, at, l->text.p, l->text.n);
}

static const struct tg_pager_ops pager_ops = {
	.count = count_lines, .text = line_text, .draw = draw_line, .gutter = 2 * LINENO + 2,
};

/* Load again when another attempt is looked at, or when it has got its patch. */
static void load(struct tg_view *v, bool force)
{
	struct state *s = v->state;
	const struct tg_attempt *att = tg_app_attempt(v->app);
	int n = att ? att->n : 0, k = att ? att->stage[TG_STAGE_EXTRACT].k * 8 +
					  (int)att->stage[TG_STAGE_EXTRACT].state : 0;
	struct tg_buf bytes = TG_BUF_INIT;
	struct tg_err err = { 0 };
	if (!force && !strcmp(s->iid, v->app->iid) && s->attempt == n && s->k == k)
		return;
	bool other = strcmp(s->iid, v->app->iid) != 0 || s->attempt != n;
	snprintf(s->iid, sizeof s->iid, "%s", v->app->iid);
	s->attempt = n;
	s->k = k;
	s->error[0] = '\0';
	tg_diffmodel_fini(&s->model);
	if (!att)
		snprintf(s->error, sizeof s->error, "No attempt has begun yet.");
	else if (!tg_attempt_patch(v->app->data.run, s->iid, att, &bytes, &err))
		snprintf(s->error, sizeof s->error, "%s", err.msg);
	tg_diffmodel_make(&s->model, &bytes, s->raw);
	if (other)
		s->pager.top = 0;
	s->pager.hit = TG_PAGER_NONE;
}

static void new_data(struct tg_view *v)
{
	load(v, false);
}

static bool open_view(struct tg_view *v, struct tg_err *err)
{
	struct state *s = v->state;
	if (tg_app_index(v->app) < 0)
		return tg_fail(err, TG_E_INPUT, "no instance is selected");
	s->app = v->app;
	tg_pager_init(&s->pager, &pager_ops, s);
	load(v, true);
	return true;
}

static void close_view(struct tg_view *v)
{
	tg_diffmodel_fini(&((struct state *)v->state)->model);
}

/* The next line of a kind below (or above) the top. */
static void jump(struct tg_view *v, enum tg_diff_line kind, int by)
{
	struct state *s = v->state;
	for (size_t i = s->pager.top + (size_t)by; i < s->model.line_n; i += (size_t)by)
		if (s->model.line[i].kind == kind) {
			tg_pager_goto(&s->pager, i);
			return;
		}
	tg_app_say(v->app, TG_ROLE_TEXT, by > 0 ? "None further down" : "None further up");
}

static bool command(struct tg_view *v, enum tg_cmd cmd)
{
	struct state *s = v->state;
	switch (cmd) {
	case TG_CMD_NEXT_FILE: jump(v, TG_DL_FILE, 1); return true;
	case TG_CMD_PREV_FILE: jump(v, TG_DL_FILE, -1); return true;
	case TG_CMD_NEXT_HUNK: jump(v, TG_DL_HUNK, 1); return true;
	case TG_CMD_PREV_HUNK: jump(v, TG_DL_HUNK, -1); return true;
	case TG_CMD_RAW:
		s->raw = !s->raw;
		load(v, true);
		return true;
	default: return tg_frame_pager_cmd(v, &s->pager, cmd);
	}
}

static void prompt(struct tg_view *v, int purpose, const char *text, int event)
{
	(void)purpose;
	tg_frame_search(v, &((struct state *)v->state)->pager, text, event);
}

/* Lines above the diff: what triage said of it, when there is something to say. */
static struct tg_rect draw_triage(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	const struct state *s = v->state;
	const struct tg_attempt *att = tg_app_attempt(v->app);
	if (r.h < 4)
		return r;
	if (att && att->patch_class != TG_PC_NONE && att->patch_class != TG_PC_OK) {
		tg_canvas_fmt(cv, TG_AT(r.y, r.x, r.w, tg_role_of_class(att->patch_class)),
			      "%s: %s", tg_patch_class_name(att->patch_class),
			      att->patch_reason ? att->patch_reason : "");
		r = tg_layout_rows(r, 1, r.h);
	}
	if (s->model.refused[0]) {
		tg_canvas_fmt(cv, TG_AT(r.y, r.x, r.w, TG_ROLE_DIM),
			      "Raw bytes below: libgit2 cannot read it (%s)", s->model.refused);
		r = tg_layout_rows(r, 1, r.h);
	}
	return r;
}

/* At the left from 120 columns on: the files, with counts, the one on screen marked. */
static struct tg_rect draw_files(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	const struct state *s = v->state;
	const struct tg_diffmodel *m = &s->model;
	if (r.w < 120 || m->file_n < 2)
		return r;
	int w = r.w / 4, now = m->line_n ? m->line[s->pager.top].file : -1;
	int first = now >= r.h ? now - r.h + 1 : 0;
	for (int y = 0; y < r.h && (size_t)(first + y) < m->file_n; y++) {
		const struct tg_dfile *f = &m->file[first + y];
		char counts[48];
		int n = snprintf(counts, sizeof counts, "+%zu -%zu", f->added, f->deleted);
		tg_canvas_fmt(cv, TG_AT(r.y + y, r.x, 2, TG_ROLE_LABEL), "%c", f->status);
		struct tg_at at = TG_AT(r.y + y, r.x + 2, w - 5 - n, TG_ROLE_TEXT);
		at.flags = TG_PUT_CUT_MIDDLE;
		tg_canvas_puts(cv, at, f->path.p, f->path.n);
		tg_canvas_put(cv, TG_AT(r.y + y, r.x + w - 2 - n, n, TG_ROLE_DIM), counts);
		if (first + y == now)
			tg_canvas_over(cv, (struct tg_rect){ r.y + y, r.x, 1, w - 1 },
				       TG_ROLE_CURSOR);
	}
	for (int y = 0; y < r.h; y++)
		tg_canvas_put(cv, TG_AT(r.y + y, r.x + w - 1, 1, TG_ROLE_RULE),
			      tg_glyph(cv, TG_G_VLINE));
	return tg_layout_cols(r, w + 1, r.w);
}

static void draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	char note[96] = "", size[TG_SHOW];
	if (s->model.bytes.n && !s->model.raw)
		snprintf(note, sizeof note, "%zu file%s  +%zu -%zu  %s bytes", s->model.file_n,
			 s->model.file_n == 1 ? "" : "s", s->model.added, s->model.deleted,
			 tg_show_bytes((int64_t)s->model.bytes.n, size));
	else if (s->model.bytes.n)
		snprintf(note, sizeof note, "raw, %s bytes",
			 tg_show_bytes((int64_t)s->model.bytes.n, size));
	struct tg_rect body = tg_frame_draw(v, cv, r, "patch", note);
	body = draw_triage(v, cv, body);
	if (s->model.line_n == 0) {
		tg_canvas_put(cv, TG_AT(body.y, body.x, body.w, TG_ROLE_DIM),
			      s->error[0] ? s->error
					  : "The submission is empty: there is no patch.");
		return;
	}
	tg_pager_draw(&s->pager, cv, draw_files(v, cv, body));
}

static const enum tg_scope scopes[] = { TG_SCOPE_PATCH, TG_SCOPE_ATTEMPT, TG_SCOPE_PAGER,
					TG_SCOPE_ANY };

const struct tg_view_ops tg_view_patch = {
	.name = "patch", .title = "Patch", .scopes = scopes, .state_size = sizeof(struct state),
	.open = open_view, .close = close_view, .data = new_data, .cmd = command, .draw = draw,
	.prompt = prompt,
};
