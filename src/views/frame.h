#ifndef TG_FRAME_H
#define TG_FRAME_H
/* What the screens about one attempt share: the title line, paging, searching. */
#include "tui/pager.h"
#include "views/app.h"

/* Title ("<instance>  attempt 1 of 2  <what>", note at the right) and rule; returns the rest. */
struct tg_rect tg_frame_draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r,
			     const char *what, const char *note);
/* Pager commands and `/`. */
bool tg_frame_pager_cmd(struct tg_view *v, struct tg_pager *p, enum tg_cmd cmd);
/* The search prompt: finds while one types. */
void tg_frame_search(struct tg_view *v, struct tg_pager *p, const char *text, int event);

#endif
