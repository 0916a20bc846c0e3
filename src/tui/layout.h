#ifndef TG_LAYOUT_TUI_H
#define TG_LAYOUT_TUI_H
/*
 * Splitting a rectangle. Items are FIXED (n cells), FIT (between min and want) or FILL (share of
 * the rest). When there is too little room, items with the largest `drop` lose first: FIT shrinks
 * to min, then items are left out (size 0); drop 0 is never left out while a cell remains. Pure.
 */
#include "tui/canvas.h"

enum tg_fit { TG_FIXED, TG_FIT, TG_FILL };

struct tg_slot {
	enum tg_fit fit;
	int min, want; /* FIXED: want. FILL: at least min */
	int drop;      /* order of leaving, larger first */
	int size;      /* the result */
};

/* Distribute `total` cells over the slots; the sum of sizes is at most total. */
void tg_layout_distribute(struct tg_slot *slot, int n, int total);
/* The part `offset..offset+size` of r, from above. */
struct tg_rect tg_layout_rows(struct tg_rect r, int offset, int size);
struct tg_rect tg_layout_cols(struct tg_rect r, int offset, int size);

/* Widths at which screens change shape. */
enum { TG_WIDE_60 = 60, TG_WIDE_100 = 100, TG_WIDE_160 = 160 };

#endif
