#ifndef TG_CANVAS_H
#define TG_CANVAS_H
/*
 * A grid of cells that views draw into; pure memory, no terminal. The whole grid is drawn anew for
 * each frame: the terminal layer (term.h) finds out what changed.
 *
 * tg_canvas_puts is the only way to put text, ours or untrusted: bytes pass through core/lib/text.h
 * (escapes, C1, bidi, zero width and invalid UTF-8 become visible), are split into graphemes and
 * measured with utf8proc's pinned table. Everything is clipped; a text that does not fit ends in a
 * mark of the cut.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"
#include "tui/theme.h"

struct tg_rect {
	int y, x, h, w;
};

#define TG_CELL_BYTES 12

struct tg_cell {
	char s[TG_CELL_BYTES]; /* one grapheme, n bytes, not terminated */
	uint8_t n, width;      /* width 0: the second column of the cell before it */
	uint8_t role, over;
};

struct tg_canvas {
	int rows, cols;
	bool ascii;
	struct tg_cell *cell; /* rows * cols */
	struct tg_buf scratch;
};

void tg_canvas_init(struct tg_canvas *cv, int rows, int cols, bool ascii);
void tg_canvas_fini(struct tg_canvas *cv);
void tg_canvas_resize(struct tg_canvas *cv, int rows, int cols);
void tg_canvas_clear(struct tg_canvas *cv);

enum {
	TG_PUT_TABS = 1,       /* tabs go to the next multiple of 8 columns of the text */
	TG_PUT_CUT_MIDDLE = 2, /* a text that does not fit loses its middle, not its end */
	TG_PUT_RIGHT = 4       /* aligned to the right end of w */
};

struct tg_at {
	int y, x, w; /* w: at most so many columns; < 0: to the right edge */
	enum tg_role role;
	unsigned flags;
	int skip; /* columns of the text that are scrolled out to the left */
};

#define TG_AT(row, col, width, r)                                                                  \
	((struct tg_at){ .y = (row), .x = (col), .w = (width), .role = (r) })

/* Returns how many columns were used. */
int tg_canvas_puts(struct tg_canvas *cv, struct tg_at at, const char *p, size_t n);
int tg_canvas_put(struct tg_canvas *cv, struct tg_at at, const char *s);
int tg_canvas_fmt(struct tg_canvas *cv, struct tg_at at, const char *fmt, ...) TG_PRINTF(3, 4);

/* Marks of our own drawing. */
enum tg_glyph {
	TG_G_HLINE,
	TG_G_VLINE,
	TG_G_BLOCK,
	TG_G_REST,
	TG_G_CURSOR,
	TG_G_UP,
	TG_G_DOWN,
	TG_G_CUT,
	TG_G_DOT,
	TG_G_GE,
	TG_G_COUNT
};
const char *tg_glyph(const struct tg_canvas *cv, enum tg_glyph g);

void tg_canvas_hline(struct tg_canvas *cv, int y, int x, int w, enum tg_role role);
/* Lay an overlay (cursor, search hit) over cells that are there. */
void tg_canvas_over(struct tg_canvas *cv, struct tg_rect r, enum tg_role over);
void tg_canvas_blank(struct tg_canvas *cv, struct tg_rect r, enum tg_role role);

/* Columns that the safe form of a text takes. */
int tg_text_columns(const char *p, size_t n, bool ascii);
/* The canvas as text, one line a row, blanks at line ends dropped. */
void tg_canvas_text(const struct tg_canvas *cv, struct tg_buf *out);

#endif
