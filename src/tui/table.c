#include "tui/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tui/layout.h"

#define MAX_COLUMNS 24
#define GAP 1

void tg_table_init(struct tg_table *t, const struct tg_table_ops *ops, void *user,
		   const struct tg_column *col, int col_n)
{
	assert(col_n > 0 && col_n <= MAX_COLUMNS);
	*t = (struct tg_table){
		.ops = ops, .user = user, .col = col, .col_n = col_n, .sort_col = -1
	};
	t->width = tg_calloc((size_t)col_n, sizeof *t->width);
}

void tg_table_fini(struct tg_table *t)
{
	for (size_t i = 0; i < t->marked_n; i++)
		free(t->marked[i]);
	free(t->marked);
	free(t->order);
	free(t->cursor_id);
	free(t->width);
	*t = (struct tg_table){ 0 };
}

static bool passes(const struct tg_table *t, size_t row)
{
	const char *word = t->filter;
	if (!word[0] || !t->ops->matches)
		return true;
	bool invert = word[0] == '!';
	if (invert && !word[1])
		return true;
	return t->ops->matches(t->user, row, word + invert) != invert;
}

static int compare_rows(const void *pa, const void *pb, void *arg)
{
	const struct tg_table *t = arg;
	size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
	int c = t->ops->compare(t->user, a, b, t->sort_col);
	if (t->sort_reverse)
		c = -c;
	return c ? c : a < b ? -1 : a > b; /* stable */
}

static void keep_cursor_id(struct tg_table *t)
{
	const char *id = t->n ? t->ops->row_id(t->user, t->order[t->cursor]) : NULL;
	if (id == t->cursor_id || (id && t->cursor_id && !strcmp(id, t->cursor_id)))
		return;
	free(t->cursor_id);
	t->cursor_id = tg_strdup(id);
}

bool tg_table_select(struct tg_table *t, const char *id)
{
	for (size_t i = 0; id && i < t->n; i++)
		if (!strcmp(t->ops->row_id(t->user, t->order[i]), id)) {
			t->cursor = i;
			keep_cursor_id(t);
			return true;
		}
	return false;
}

void tg_table_refresh(struct tg_table *t)
{
	size_t rows = t->ops->count(t->user);
	t->fit_again = true;
	if (rows > t->cap) {
		t->order = tg_realloc(t->order, rows * sizeof *t->order);
		t->cap = rows;
	}
	t->n = 0;
	for (size_t i = 0; i < rows; i++)
		if (passes(t, i))
			t->order[t->n++] = i;
	if (t->sort_col >= 0 && t->ops->compare && t->n > 1)
		qsort_r(t->order, t->n, sizeof *t->order, compare_rows, t);
	if (t->n == 0)
		t->cursor = 0; /* the identity stays: the row may come back */
	else if (!tg_table_select(t, t->cursor_id)) {
		if (t->cursor >= t->n)
			t->cursor = t->n - 1;
		keep_cursor_id(t);
	}
}

static void move_to(struct tg_table *t, long to)
{
	if (t->n == 0)
		return;
	t->cursor = to < 0 ? 0 : (size_t)to >= t->n ? t->n - 1 : (size_t)to;
	keep_cursor_id(t);
}

bool tg_table_is_marked(const struct tg_table *t, const char *id)
{
	for (size_t i = 0; i < t->marked_n; i++)
		if (!strcmp(t->marked[i], id))
			return true;
	return false;
}

static void toggle_mark(struct tg_table *t)
{
	if (t->n == 0)
		return;
	for (size_t i = 0; i < t->marked_n; i++)
		if (!strcmp(t->marked[i], t->cursor_id)) {
			free(t->marked[i]);
			t->marked[i] = t->marked[--t->marked_n];
			return;
		}
	TG_GROW(t->marked, t->marked_n, t->marked_cap);
	t->marked[t->marked_n++] = tg_strdup(t->cursor_id);
}

void tg_table_sort(struct tg_table *t, int col, bool reverse)
{
	t->sort_col = col;
	t->sort_reverse = reverse;
	tg_table_refresh(t);
}

void tg_table_set_filter(struct tg_table *t, const char *filter)
{
	size_t n = strlen(filter);
	if (n >= sizeof t->filter)
		n = sizeof t->filter - 1;
	memcpy(t->filter, filter, n);
	t->filter[n] = '\0';
	tg_table_refresh(t);
}

bool tg_table_cmd(struct tg_table *t, enum tg_cmd cmd)
{
	long page = t->page > 1 ? t->page : 1, at = (long)t->cursor;
	switch (cmd) {
	case TG_CMD_DOWN: move_to(t, at + 1); return true;
	case TG_CMD_UP: move_to(t, at - 1); return true;
	case TG_CMD_PAGE_DOWN: move_to(t, at + page); return true;
	case TG_CMD_PAGE_UP: move_to(t, at - page); return true;
	case TG_CMD_FIRST: move_to(t, 0); return true;
	case TG_CMD_LAST: move_to(t, (long)t->n - 1); return true;
	case TG_CMD_MARK:
		toggle_mark(t);
		move_to(t, at + 1);
		return true;
	case TG_CMD_UNMARK:
		while (t->marked_n)
			free(t->marked[--t->marked_n]);
		return true;
	case TG_CMD_SORT:
	case TG_CMD_SORT_RUNS:
		tg_table_sort(t, t->sort_col + 1 < t->col_n ? t->sort_col + 1 : -1, false);
		return true;
	case TG_CMD_SORT_REV: tg_table_sort(t, t->sort_col, !t->sort_reverse); return true;
	default: return false;
	}
}

size_t tg_table_row(const struct tg_table *t)
{
	return t->n ? t->order[t->cursor] : TG_TABLE_NO_ROW;
}

/* Growing columns are as wide as their widest cell was: a table whose columns dance cannot be read,
 * and costs bytes. */
static void fit_columns(struct tg_table *t, bool ascii)
{
	size_t rows = t->ops->count(t->user);
	if (!t->fit_again)
		return;
	t->fit_again = false;
	for (int c = 0; c < t->col_n; c++) {
		if (t->width[c] < t->col[c].min)
			t->width[c] = t->col[c].min;
		for (size_t i = 0; i < rows && t->col[c].max > t->col[c].min && !t->col[c].fill;
		     i++) {
			struct tg_tcell cell = { .role = TG_ROLE_TEXT };
			t->ops->cell(t->user, i, c, &cell);
			int w = tg_text_columns(cell.s, strlen(cell.s), ascii) +
				(cell.glyph ? 2 : 0);
			if (w > t->width[c])
				t->width[c] = w < t->col[c].max ? w : t->col[c].max;
		}
	}
}

static void lay_columns(struct tg_table *t, int total, struct tg_slot slot[MAX_COLUMNS])
{
	for (int c = 0; c < t->col_n; c++) {
		const struct tg_column *col = &t->col[c];
		int kept = t->width[c] < col->keep ? t->width[c] : col->keep;
		slot[c] = (struct tg_slot){
			.fit = col->fill ? TG_FILL : TG_FIT,
			.min = (kept > col->min ? kept : col->min) + GAP,
			.want = t->width[c] + GAP,
			.drop = col->drop,
		};
	}
	/* No gap behind the last column; two cells in front are the cursor's and the mark's. */
	tg_layout_distribute(slot, t->col_n, total - 2 + GAP);
}

static void draw_head(const struct tg_table *t, struct tg_canvas *cv, struct tg_rect r,
		      const struct tg_slot *slot)
{
	int x = r.x + 2;
	for (int c = 0; c < t->col_n; c++) {
		int w = slot[c].size - GAP;
		if (slot[c].size == 0)
			continue;
		bool sorted = c == t->sort_col;
		struct tg_at at = TG_AT(r.y, x, w, sorted ? TG_ROLE_COLUMN_SORT : TG_ROLE_COLUMN);
		at.flags = t->col[c].right ? TG_PUT_RIGHT : 0;
		const char *arrow = tg_glyph(cv, t->sort_reverse ? TG_G_DOWN : TG_G_UP);
		if (sorted && w > 2)
			tg_canvas_fmt(cv, at, "%s%s", t->col[c].title, arrow);
		else
			tg_canvas_put(cv, at, t->col[c].title);
		x += slot[c].size;
	}
}

static void draw_cell(struct tg_canvas *cv, const struct tg_column *col,
		      const struct tg_tcell *cell, struct tg_at at, const struct tg_theme *theme)
{
	const char *glyph = cell->glyph ? tg_theme_glyph(theme, cell->glyph, cv->ascii) : "";
	at.role = cell->role;
	if (col->right)
		at.flags |= TG_PUT_RIGHT;
	if (col->cut_middle)
		at.flags |= TG_PUT_CUT_MIDDLE;
	if (glyph[0] && at.w > 2) {
		struct tg_at g = TG_AT(at.y, at.x, 1, cell->glyph);
		tg_canvas_put(cv, g, glyph);
		at.x += 2;
		at.w -= 2;
	}
	tg_canvas_put(cv, at, cell->s);
}

static void draw_row(struct tg_table *t, struct tg_canvas *cv, struct tg_rect r, size_t row,
		     const struct tg_slot *slot, const struct tg_theme *theme)
{
	int x = r.x + 2;
	if (tg_table_is_marked(t, t->ops->row_id(t->user, row)))
		tg_canvas_put(cv, TG_AT(r.y, r.x + 1, 1, TG_ROLE_MARK),
			      tg_theme_glyph(theme, TG_ROLE_MARK, cv->ascii));
	for (int c = 0; c < t->col_n; c++) {
		if (slot[c].size == 0)
			continue;
		struct tg_tcell cell = { .role = TG_ROLE_TEXT };
		t->ops->cell(t->user, row, c, &cell);
		draw_cell(cv, &t->col[c], &cell, TG_AT(r.y, x, slot[c].size - GAP, TG_ROLE_TEXT),
			  theme);
		x += slot[c].size;
	}
}

/* A thumb in the last column says where in a long list we are. */
static void draw_scrollbar(const struct tg_table *t, struct tg_canvas *cv, struct tg_rect body)
{
	if (t->n <= (size_t)body.h || body.h < 3)
		return;
	int thumb = (int)((size_t)body.h * (size_t)body.h / t->n);
	thumb = thumb < 1 ? 1 : thumb;
	int at = (int)((size_t)(body.h - thumb) * t->top / (t->n - (size_t)body.h));
	for (int y = 0; y < body.h; y++)
		tg_canvas_put(cv, TG_AT(body.y + y, body.x + body.w - 1, 1, TG_ROLE_RULE),
			      y >= at && y < at + thumb ? tg_glyph(cv, TG_G_BLOCK)
							: tg_glyph(cv, TG_G_VLINE));
}

void tg_table_draw(struct tg_table *t, struct tg_canvas *cv, struct tg_rect r,
		   const struct tg_theme *theme, bool focus)
{
	struct tg_slot slot[MAX_COLUMNS];
	if (r.h < 1 || r.w < 1)
		return;
	struct tg_rect body = r.h > 1 ? tg_layout_rows(r, 1, r.h - 1) : r;
	t->page = body.h;
	if (t->cursor < t->top)
		t->top = t->cursor;
	if (t->cursor >= t->top + (size_t)body.h)
		t->top = t->cursor - (size_t)body.h + 1;
	if (t->top + (size_t)body.h > t->n)
		t->top = t->n > (size_t)body.h ? t->n - (size_t)body.h : 0;
	fit_columns(t, cv->ascii);
	bool bar = t->n > (size_t)body.h && body.h >= 3;
	lay_columns(t, r.w - (bar ? 2 : 0), slot);
	if (r.h > 1)
		draw_head(t, cv, r, slot);
	for (int y = 0; y < body.h && t->top + (size_t)y < t->n; y++) {
		struct tg_rect line = tg_layout_rows(body, y, 1);
		size_t at = t->top + (size_t)y;
		draw_row(t, cv, line, t->order[at], slot, theme);
		if (focus && at == t->cursor) {
			tg_canvas_put(cv, TG_AT(line.y, line.x, 1, TG_ROLE_MARK),
				      tg_glyph(cv, TG_G_CURSOR));
			/* Not the whole row: repainting two rows in all their colours for one step
			 * of the cursor would double what a scrolled line costs. */
			line.w = 2 + slot[0].size;
			tg_canvas_over(cv, line, TG_ROLE_CURSOR);
		}
	}
	draw_scrollbar(t, cv, body);
}
