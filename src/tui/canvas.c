#include "tui/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/lib/text.h"

#define TAB 8
#define TEXT_CAP (64 * 1024) /* no line on a screen needs more */

static const char *const glyphs[TG_G_COUNT][2] = {
	[TG_G_HLINE] = { "─", "-" },  [TG_G_VLINE] = { "│", "|" }, [TG_G_BLOCK] = { "█", "#" },
	[TG_G_REST] = { "░", "." },   [TG_G_CURSOR] = { "▸", ">" }, [TG_G_UP] = { "▲", "^" },
	[TG_G_DOWN] = { "▼", "v" },   [TG_G_CUT] = { "…", "~" },   [TG_G_DOT] = { "·", "-" },
	[TG_G_GE] = { "≥", ">=" },
};

const char *tg_glyph(const struct tg_canvas *cv, enum tg_glyph g)
{
	return glyphs[g][cv->ascii];
}

void tg_canvas_init(struct tg_canvas *cv, int rows, int cols, bool ascii)
{
	*cv = (struct tg_canvas){ .ascii = ascii };
	tg_canvas_resize(cv, rows, cols);
}

void tg_canvas_fini(struct tg_canvas *cv)
{
	free(cv->cell);
	tg_buf_fini(&cv->scratch);
	*cv = (struct tg_canvas){ 0 };
}

void tg_canvas_resize(struct tg_canvas *cv, int rows, int cols)
{
	cv->rows = rows < 1 ? 1 : rows > 4096 ? 4096 : rows;
	cv->cols = cols < 1 ? 1 : cols > 4096 ? 4096 : cols;
	cv->cell = tg_realloc(cv->cell, (size_t)cv->rows * (size_t)cv->cols * sizeof *cv->cell);
	tg_canvas_clear(cv);
}

static struct tg_cell *cell_at(const struct tg_canvas *cv, int y, int x)
{
	return &cv->cell[(size_t)y * (size_t)cv->cols + (size_t)x];
}

static void blank(struct tg_cell *c, enum tg_role role)
{
	*c = (struct tg_cell){ .s = " ", .n = 1, .width = 1, .role = (uint8_t)role };
}

void tg_canvas_clear(struct tg_canvas *cv)
{
	for (size_t i = 0; i < (size_t)cv->rows * (size_t)cv->cols; i++)
		blank(&cv->cell[i], TG_ROLE_TEXT);
}

/* Writing over half of a wide cell leaves no half behind. */
static void set_cell(struct tg_canvas *cv, int y, int x, const char *s, size_t n, int width,
		     enum tg_role role)
{
	struct tg_cell *c = cell_at(cv, y, x);
	if (c->width == 0 && x > 0)
		blank(c - 1, (enum tg_role)c[-1].role);
	if (x + width < cv->cols && c[width].width == 0)
		blank(c + width, (enum tg_role)c[width].role);
	blank(c, role);
	memcpy(c->s, s, n);
	c->n = (uint8_t)n;
	c->width = (uint8_t)width;
	if (width == 2) {
		c[1] = *c;
		c[1].width = 0;
	}
}

/* The next grapheme of safe text: its bytes, and its columns (1 or 2). */
struct grapheme {
	const char *s;
	size_t n;
	int width;
};

static size_t code_point(const char *p, size_t n, utf8proc_int32_t *cp)
{
	utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)n, cp);
	if (k < 1) { /* cannot happen in safe text; still never loop */
		*cp = '?';
		return 1;
	}
	return (size_t)k;
}

static bool next_grapheme(const char **p, const char *end, struct grapheme *g)
{
	if (*p >= end)
		return false;
	utf8proc_int32_t state = 0, cp, next;
	size_t n = code_point(*p, (size_t)(end - *p), &cp);
	g->width = utf8proc_charwidth(cp);
	size_t points = 1;
	bool alone =
		g->width < 1; /* a combining mark without a base would join the cell before it */
	while (*p + n < end) {
		size_t k = code_point(*p + n, (size_t)(end - *p) - n, &next);
		if (utf8proc_grapheme_break_stateful(cp, next, &state))
			break;
		int w = utf8proc_charwidth(next);
		if (w > g->width)
			g->width = w;
		n += k;
		cp = next;
		points++;
	}
	g->s = *p;
	g->n = n;
	*p += n;
	if (g->width < 1)
		g->width = 1;
	if (g->width > 2)
		g->width = 2;
	/* Too long for a cell (curses takes five code points): a substitute of the same width. */
	if (n > TG_CELL_BYTES || points > 5 || alone) {
		g->s = g->width == 2 ? "\xe3\x80\x93" /* GETA MARK, two columns */ : "\xef\xbf\xbd";
		g->n = 3;
	}
	return true;
}

static bool plain_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || (unsigned char)p[i] >= 0x7f)
			return false;
	return true;
}

/* The safe form of a text; borrowed until the next call. */
static struct tg_str safe_text(struct tg_buf *scratch, bool ascii, const char *p, size_t n,
			       bool tabs)
{
	if (n > TEXT_CAP)
		n = TEXT_CAP;
	if (plain_ascii(p, n))
		return (struct tg_str){ p, n };
	tg_buf_clear(scratch);
	tg_text_safe(scratch, p, n, (ascii ? TG_TEXT_ASCII : 0u) | (tabs ? TG_TEXT_KEEP_TAB : 0u));
	return (struct tg_str){ tg_buf_cstr(scratch), scratch->n };
}

static int columns_of(const char *p, const char *end)
{
	struct grapheme g;
	int col = 0;
	while (p < end) {
		if (*p == '\t') {
			col += TAB - col % TAB;
			p++;
		} else if (next_grapheme(&p, end, &g)) {
			col += g.width;
		}
	}
	return col;
}

int tg_text_columns(const char *p, size_t n, bool ascii)
{
	struct tg_buf scratch = TG_BUF_INIT;
	struct tg_str s = safe_text(&scratch, ascii, p, n, false);
	int cols = columns_of(s.p, s.p + s.n);
	tg_buf_fini(&scratch);
	return cols;
}

/* Put the columns [from, from + w) of the text at y, x. */
static int put_span(struct tg_canvas *cv, struct tg_at at, int x, int w, struct tg_str s, int from)
{
	const char *p = s.p, *end = s.p + s.n;
	struct grapheme g;
	int col = 0, used = 0;
	while (p < end && col < from + w) {
		int width;
		bool tab = *p == '\t';
		if (tab) {
			width = TAB - col % TAB;
			p++;
		} else {
			next_grapheme(&p, end, &g);
			width = g.width;
		}
		bool whole = !tab && col >= from && col + width <= from + w;
		for (int i = 0; i < width && !whole; i++)
			if (col + i >= from && col + i < from + w) {
				set_cell(cv, at.y, x + col + i - from, " ", 1, 1, at.role);
				used = col + i - from + 1;
			}
		if (whole) {
			set_cell(cv, at.y, x + col - from, g.s, g.n, width, at.role);
			used = col + width - from;
		}
		col += width;
	}
	return used;
}

static int put_cut(struct tg_canvas *cv, struct tg_at at, int w, struct tg_str s, int cols)
{
	const char *mark = tg_glyph(cv, TG_G_CUT);
	int head = w - 1, tail = 0;
	if (at.flags & TG_PUT_CUT_MIDDLE && w >= 8) {
		tail = (w - 1) * 3 / 5;
		head = w - 1 - tail;
	}
	put_span(cv, at, at.x, head, s, at.skip);
	for (int x = at.x + head - 1; x >= at.x && cell_at(cv, at.y, x)->width == 0; x--)
		;
	set_cell(cv, at.y, at.x + head, mark, strlen(mark), 1, at.role);
	if (tail)
		put_span(cv, at, at.x + head + 1, tail, s, cols - tail);
	return w;
}

int tg_canvas_puts(struct tg_canvas *cv, struct tg_at at, const char *p, size_t n)
{
	if (at.y < 0 || at.y >= cv->rows || at.x < 0 || at.x >= cv->cols || at.w == 0)
		return 0;
	int w = at.w < 0 || at.w > cv->cols - at.x ? cv->cols - at.x : at.w;
	struct tg_str s = safe_text(&cv->scratch, cv->ascii, p, n, at.flags & TG_PUT_TABS);
	int cols = columns_of(s.p, s.p + s.n);
	if (cols - at.skip > w)
		return put_cut(cv, at, w, s, cols);
	int x = at.x;
	if (at.flags & TG_PUT_RIGHT)
		x += w - cols;
	return put_span(cv, at, x, w, s, at.skip);
}

int tg_canvas_put(struct tg_canvas *cv, struct tg_at at, const char *s)
{
	return s ? tg_canvas_puts(cv, at, s, strlen(s)) : 0;
}

int tg_canvas_fmt(struct tg_canvas *cv, struct tg_at at, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return 0;
	return tg_canvas_puts(cv, at, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void tg_canvas_hline(struct tg_canvas *cv, int y, int x, int w, enum tg_role role)
{
	const char *g = tg_glyph(cv, TG_G_HLINE);
	if (y < 0 || y >= cv->rows)
		return;
	for (int i = x < 0 ? 0 : x; i < x + w && i < cv->cols; i++)
		set_cell(cv, y, i, g, strlen(g), 1, role);
}

void tg_canvas_over(struct tg_canvas *cv, struct tg_rect r, enum tg_role over)
{
	for (int y = r.y < 0 ? 0 : r.y; y < r.y + r.h && y < cv->rows; y++)
		for (int x = r.x < 0 ? 0 : r.x; x < r.x + r.w && x < cv->cols; x++)
			cell_at(cv, y, x)->over = (uint8_t)over;
}

void tg_canvas_blank(struct tg_canvas *cv, struct tg_rect r, enum tg_role role)
{
	for (int y = r.y < 0 ? 0 : r.y; y < r.y + r.h && y < cv->rows; y++)
		for (int x = r.x < 0 ? 0 : r.x; x < r.x + r.w && x < cv->cols; x++)
			set_cell(cv, y, x, " ", 1, 1, role);
}

void tg_canvas_text(const struct tg_canvas *cv, struct tg_buf *out)
{
	for (int y = 0; y < cv->rows; y++) {
		size_t keep = out->n;
		for (int x = 0; x < cv->cols; x++) {
			const struct tg_cell *c = cell_at(cv, y, x);
			if (c->width == 0)
				continue;
			tg_buf_add(out, c->s, c->n);
			if (c->n != 1 || c->s[0] != ' ')
				keep = out->n;
		}
		out->n = keep;
		tg_buf_addc(out, '\n');
	}
}
