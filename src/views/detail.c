#include <stdio.h>
#include <string.h>

#include "tui/layout.h"
#include "tui/pager.h"
#include "views/app.h"
#include "views/facts.h"
#include "views/frame.h"

/* Everything known of one instance: verdict with reason and evidence, triage and remedy, attempts,
 * stages. */

struct state {
	struct tg_patch_facts facts;
	struct tg_pager pager;
	int wrapped_at;
};

static size_t count_lines(void *user)
{
	return ((struct state *)user)->facts.n;
}

static struct tg_str line_text(void *user, size_t i)
{
	const char *s = ((struct state *)user)->facts.v[i].text;
	return (struct tg_str){ s, strlen(s) };
}

static void draw_line(void *user, struct tg_canvas *cv, struct tg_rect r, size_t i, int skip)
{
	tg_fact_draw(&((struct state *)user)->facts.v[i], cv, r, skip);
}

static const struct tg_pager_ops pager_ops = {
	.count = count_lines, .text = line_text, .draw = draw_line, .gutter = TG_FACT_LABEL,
};

static void refresh(struct tg_view *v)
{
	struct state *s = v->state;
	int i = tg_app_index(v->app);
	tg_patch_facts_clear(&s->facts);
	s->wrapped_at = 0;
	if (i >= 0)
		tg_patch_facts_make(&s->facts, &v->app->data, (size_t)i, tg_app_attempt(v->app),
				    false);
}

static bool open_view(struct tg_view *v, struct tg_err *err)
{
	struct state *s = v->state;
	if (tg_app_index(v->app) < 0)
		return tg_fail(err, TG_E_INPUT, "no instance is selected");
	tg_pager_init(&s->pager, &pager_ops, s);
	refresh(v);
	return true;
}

static void close_view(struct tg_view *v)
{
	tg_patch_facts_fini(&((struct state *)v->state)->facts);
}

static bool command(struct tg_view *v, enum tg_cmd cmd)
{
	struct state *s = v->state;
	return tg_frame_pager_cmd(v, &s->pager, cmd);
}

static void prompt(struct tg_view *v, int purpose, const char *text, int event)
{
	(void)purpose;
	tg_frame_search(v, &((struct state *)v->state)->pager, text, event);
}

static void draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	struct tg_rect body = tg_frame_draw(v, cv, r, "verdict and evidence", "");
	int w = body.w - (body.w > 40 ? TG_FACT_LABEL : 0);
	if (s->wrapped_at != w) {
		refresh(v);
		tg_patch_facts_wrap(&s->facts, w);
		s->wrapped_at = w;
	}
	tg_pager_draw(&s->pager, cv, body);
}

static const enum tg_scope scopes[] = { TG_SCOPE_ATTEMPT, TG_SCOPE_PAGER, TG_SCOPE_ANY };

const struct tg_view_ops tg_view_detail = {
	.name = "detail", .title = "Verdict and evidence", .scopes = scopes,
	.state_size = sizeof(struct state), .open = open_view, .close = close_view, .data = refresh,
	.cmd = command, .draw = draw, .prompt = prompt,
};
