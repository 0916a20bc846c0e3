#ifndef TG_HEADER_H
#define TG_HEADER_H
/* The head of a run's screens: which run, how far, what it cost, what stands. */
#include "tui/canvas.h"
#include "views/data.h"

/* Rows that the header wants in a screen of h rows. */
int tg_header_rows(int h);
void tg_header_draw(const struct tg_data *d, struct tg_canvas *cv, struct tg_rect r);

#endif
