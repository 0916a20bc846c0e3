#include "views/frame.h"

#include <stdio.h>
#include <string.h>

#include "tui/layout.h"

struct tg_rect tg_frame_draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r,
			     const char *what, const char *note)
{
	int i = tg_app_index(v->app);
	const struct tg_attempt *att = tg_app_attempt(v->app);
	char attempt[48] = "";
	if (r.h < 4)
		return r;
	int note_w = tg_text_columns(note, strlen(note), cv->ascii), x = r.x + 1;
	if (note_w && note_w < r.w / 2)
		tg_canvas_put(cv, TG_AT(r.y, r.x + r.w - note_w - 1, note_w, TG_ROLE_DIM), note);
	else
		note_w = 0;
	int end = r.x + r.w - (note_w ? note_w + 3 : 1);
	if (i >= 0)
		x += tg_canvas_put(cv, TG_AT(r.y, x, end - x > 0 ? end - x : 0, TG_ROLE_TITLE),
				   v->app->data.run->inst[i].id);
	if (att)
		snprintf(attempt, sizeof attempt, "  attempt %d of %zu", att->n,
			 v->app->data.run->inst[i].att_n);
	if (end - x > 12)
		x += tg_canvas_put(cv, TG_AT(r.y, x, end - x, TG_ROLE_LABEL), attempt);
	if (end - x > 8)
		tg_canvas_fmt(cv, TG_AT(r.y, x, end - x, TG_ROLE_TEXT), "  %s", what);
	tg_canvas_hline(cv, r.y + 1, r.x, r.w, TG_ROLE_RULE);
	struct tg_rect body = tg_layout_rows(r, 2, r.h);
	body.x += 1;
	body.w -= body.w > 2 ? 2 : 0;
	return body;
}

bool tg_frame_pager_cmd(struct tg_view *v, struct tg_pager *p, enum tg_cmd cmd)
{
	if (cmd == TG_CMD_SEARCH) {
		tg_prompt_text(&v->app->prompt, 0, "/", "");
		return true;
	}
	if (cmd == TG_CMD_BACK && p->search[0]) {
		p->search[0] = '\0'; /* the first Esc takes the marks away */
		return true;
	}
	return tg_pager_cmd(p, cmd);
}

void tg_frame_search(struct tg_view *v, struct tg_pager *p, const char *text, int event)
{
	bool found = tg_pager_search(p, event == TG_PROMPT_REFUSED ? "" : text);
	if (!found && event == TG_PROMPT_ACCEPTED)
		tg_app_say(v->app, TG_ROLE_NOTICE, "\"%s\" is not in here", text);
}
