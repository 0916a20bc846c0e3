#ifndef TG_TABLE_H
#define TG_TABLE_H
/*
 * A table of rows whose cells come from callbacks: columns by priority and width, sorting,
 * filtering, marks, and a cursor that stays on its row by identity (row_id), whatever is sorted in
 * or out around it. The table owns no data; after the rows changed, call tg_table_refresh.
 */
#include <stdbool.h>
#include <stddef.h>
#include "tui/canvas.h"
#include "tui/keys.h"

struct tg_tcell {
	char s[192];            /* untrusted is fine: the canvas makes it safe */
	enum tg_role role;
	enum tg_role glyph;     /* the mark of this role stands before the text */
};

struct tg_column {
	const char *title;
	int min, max;           /* columns; max > min: grows to its content when there is room */
	int keep; /* content up to this width is kept before other columns come (0: min) */
	int drop;               /* 0: stays; else the larger leaves first when there is no room */
	bool right, fill, cut_middle;
};

struct tg_table_ops {
	size_t (*count)(void *user);
	const char *(*row_id)(void *user, size_t row);
	void (*cell)(void *user, size_t row, int col, struct tg_tcell *out);
	int (*compare)(void *user, size_t a, size_t b, int col); /* NULL: no sorting */
	bool (*matches)(void *user, size_t row, const char *word); /* NULL: no filter */
};

struct tg_table {
	const struct tg_table_ops *ops;
	void *user;
	const struct tg_column *col;
	int col_n;
	size_t *order;          /* shown rows, in order */
	size_t n, cap;
	size_t cursor, top;     /* in order[] */
	char *cursor_id;
	int sort_col;           /* -1: the rows' own order */
	bool sort_reverse;
	char filter[128];
	char **marked;
	size_t marked_n, marked_cap;
	int page;               /* body rows of the last drawing */
	int *width; /* fitted width of each column: grows with its content, never shrinks */
	bool fit_again;
};

#define TG_TABLE_NO_ROW ((size_t)-1)

void tg_table_init(struct tg_table *t, const struct tg_table_ops *ops, void *user,
		   const struct tg_column *col, int col_n);
void tg_table_fini(struct tg_table *t);
/* Filter and sort again; the cursor follows its row (or the nearest place when the row is gone). */
void tg_table_refresh(struct tg_table *t);
/* DOWN, UP, PAGE_*, FIRST, LAST, MARK, UNMARK, SORT, SORT_REV; false: not the table's. */
bool tg_table_cmd(struct tg_table *t, enum tg_cmd cmd);
size_t tg_table_row(const struct tg_table *t); /* row under the cursor or TG_TABLE_NO_ROW */
bool tg_table_select(struct tg_table *t, const char *id); /* false: not shown */
bool tg_table_is_marked(const struct tg_table *t, const char *id);
void tg_table_set_filter(struct tg_table *t, const char *filter);
void tg_table_sort(struct tg_table *t, int col, bool reverse);
/* Head line and body; `focus`: the cursor is drawn. Scrolls so that the cursor is seen. */
void tg_table_draw(struct tg_table *t, struct tg_canvas *cv, struct tg_rect r,
		   const struct tg_theme *theme, bool focus);

#endif
