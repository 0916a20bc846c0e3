#include <stdio.h>
#include <string.h>

#include "tui/pager.h"
#include "tui/layout.h"
#include "views/app.h"
#include "views/frame.h"

/* All keys, made from the command table: first those of the screen below, then the rest. */

static const struct {
	enum tg_scope scope;
	const char *title;
} groups[] = {
	{ TG_SCOPE_INSTANCES, "Instances" }, { TG_SCOPE_RUNS, "Runs" }, { TG_SCOPE_PATCH, "Patch" },
	{ TG_SCOPE_LOG, "Logs" }, { TG_SCOPE_ATTEMPT, "Screens of one attempt" },
	{ TG_SCOPE_PAGER, "Texts" }, { TG_SCOPE_ANY, "Everywhere" },
};
#define GROUPS (sizeof groups / sizeof groups[0])
#define MAX_LINES (TG_CMD_COUNT + 2 * (int)GROUPS)

struct line { /* a title (cmd NONE), a command, or a blank (both none) */
	enum tg_cmd cmd;
	const char *title;
};

struct state {
	struct tg_pager pager;
	struct line line[MAX_LINES];
	size_t n;
	char text[512];
	const char *disabled; /* why commands that mutate are, or NULL */
};

static void add_group(struct state *s, size_t g)
{
	if (s->n)
		s->line[s->n++] = (struct line){ TG_CMD_NONE, NULL };
	s->line[s->n++] = (struct line){ TG_CMD_NONE, groups[g].title };
	for (int c = 1; c < TG_CMD_COUNT; c++)
		if (tg_command((enum tg_cmd)c)->scope == groups[g].scope)
			s->line[s->n++] = (struct line){ (enum tg_cmd)c, NULL };
}

static bool uses(const struct tg_view *v, enum tg_scope scope)
{
	for (const enum tg_scope *s = v->ops->scopes;; s++) {
		if (*s == scope)
			return true;
		if (*s == TG_SCOPE_ANY)
			return false;
	}
}

static size_t count_lines(void *user)
{
	return ((struct state *)user)->n;
}

static struct tg_str line_text(void *user, size_t i)
{
	struct state *s = user;
	const struct line *l = &s->line[i];
	if (l->cmd == TG_CMD_NONE)
		snprintf(s->text, sizeof s->text, "%s", l->title ? l->title : "");
	else
		snprintf(s->text, sizeof s->text, "%s %s", tg_command(l->cmd)->name,
			 tg_command(l->cmd)->help);
	return (struct tg_str){ s->text, strlen(s->text) };
}

static void draw_line(void *user, struct tg_canvas *cv, struct tg_rect r, size_t i, int skip)
{
	const struct state *s = user;
	const struct line *l = &s->line[i];
	(void)skip;
	if (l->cmd == TG_CMD_NONE) {
		tg_canvas_put(cv, TG_AT(r.y, r.x, r.w, TG_ROLE_TITLE), l->title);
		return;
	}
	const struct tg_command *c = tg_command(l->cmd);
	bool off = s->disabled && c->flags & TG_CMD_MUTATES;
	int name = r.w >= TG_WIDE_60 ? 16 : 0;
	tg_canvas_put(cv, TG_AT(r.y, r.x + 2, 14, off ? TG_ROLE_DIM : TG_ROLE_HINT_KEY), c->keys);
	if (name)
		tg_canvas_put(cv, TG_AT(r.y, r.x + 18, name - 1, TG_ROLE_LABEL), c->name);
	struct tg_at at =
		TG_AT(r.y, r.x + 18 + name, r.w - 18 - name, off ? TG_ROLE_DIM : TG_ROLE_TEXT);
	if (at.w < 1)
		return;
	if (off)
		tg_canvas_fmt(cv, at, "%s - disabled: %s", c->help, s->disabled);
	else
		tg_canvas_put(cv, at, c->help);
}

static const struct tg_pager_ops pager_ops = {
	.count = count_lines, .text = line_text, .draw = draw_line,
};

static bool open_view(struct tg_view *v, struct tg_err *err)
{
	(void)err;
	struct state *s = v->state;
	const struct tg_view *below = tg_app_top(v->app);
	tg_app_read_only(v->app, &s->disabled);
	tg_pager_init(&s->pager, &pager_ops, s);
	for (size_t g = 0; g < GROUPS; g++)
		if (below && uses(below, groups[g].scope))
			add_group(s, g);
	for (size_t g = 0; g < GROUPS; g++)
		if (!below || !uses(below, groups[g].scope))
			add_group(s, g);
	return true;
}

static bool command(struct tg_view *v, enum tg_cmd cmd)
{
	return tg_frame_pager_cmd(v, &((struct state *)v->state)->pager, cmd);
}

static void prompt(struct tg_view *v, int purpose, const char *text, int event)
{
	(void)purpose;
	tg_frame_search(v, &((struct state *)v->state)->pager, text, event);
}

static void draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	if (r.h >= 4) {
		tg_canvas_put(cv, TG_AT(r.y, r.x + 1, r.w - 1, TG_ROLE_TITLE), "Keys");
		tg_canvas_hline(cv, r.y + 1, r.x, r.w, TG_ROLE_RULE);
		r = tg_layout_rows(r, 2, r.h);
	}
	r.x += 1;
	r.w -= 1;
	tg_pager_draw(&s->pager, cv, r);
}

static const enum tg_scope scopes[] = { TG_SCOPE_PAGER, TG_SCOPE_ANY };

const struct tg_view_ops tg_view_help = {
	.name = "help", .title = "Keys", .scopes = scopes, .state_size = sizeof(struct state),
	.open = open_view, .cmd = command, .draw = draw, .prompt = prompt,
};
