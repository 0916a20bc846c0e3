#ifndef TG_PAGER_H
#define TG_PAGER_H
/*
 * A scrolling view of lines that come from callbacks as they are needed: search with marked hits,
 * sideways scrolling, following the end (which yields as soon as one scrolls up).
 */
#include <stdbool.h>
#include <stddef.h>
#include "tui/canvas.h"
#include "tui/keys.h"

struct tg_pager_ops {
	size_t (*count)(void *user);
	/* The searchable text of a line, borrowed until the next call. */
	struct tg_str (*text)(void *user, size_t line);
	/* Draw line into r (one row). `skip`: columns scrolled out. */
	void (*draw)(void *user, struct tg_canvas *cv, struct tg_rect r, size_t line, int skip);
	int gutter; /* columns at the left that are not text (line numbers) */
};

struct tg_pager {
	const struct tg_pager_ops *ops;
	void *user;
	size_t top;
	int page, skip;
	bool follow;
	char search[128];
	size_t hit; /* line of the current hit, or TG_PAGER_NONE */
};

#define TG_PAGER_NONE ((size_t)-1)

void tg_pager_init(struct tg_pager *p, const struct tg_pager_ops *ops, void *user);
/* Movement, search-next/prev, follow; false: not the pager's. */
bool tg_pager_cmd(struct tg_pager *p, enum tg_cmd cmd);
/* Search from the top of the screen on; false: not found (the place stays). Case matters only when
 * the word has a capital. */
bool tg_pager_search(struct tg_pager *p, const char *word);
void tg_pager_goto(struct tg_pager *p, size_t line);
void tg_pager_draw(struct tg_pager *p, struct tg_canvas *cv, struct tg_rect r);

#endif
