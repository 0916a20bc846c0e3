#ifndef TG_VIEW_H
#define TG_VIEW_H
/*
 * A screen. One const table of functions each; the app keeps a stack of them. draw() does no I/O
 * and asks no clock (app->data.now_ms is the time), at any size from 1x1.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"
#include "tui/canvas.h"
#include "tui/keys.h"

struct tg_app;
struct tg_view;

struct tg_view_ops {
	const char *name, *title;
	const enum tg_scope *scopes; /* narrowest first, ends with TG_SCOPE_ANY */
	size_t state_size;           /* bytes of view->state, zeroed before open */
	bool (*open)(struct tg_view *, struct tg_err *);
	void (*close)(struct tg_view *);
	void (*data)(struct tg_view *);              /* app->data changed */
	bool (*cmd)(struct tg_view *, enum tg_cmd);  /* false: not for this view */
	void (*draw)(struct tg_view *, struct tg_canvas *, struct tg_rect);
	/* The prompt that this view opened: text changed, accepted (true) or given up. */
	void (*prompt)(struct tg_view *, int purpose, const char *text, int event);
	/* The instance that the next or previous command means, as this screen orders them; or
	 * NULL. */
	const char *(*step)(struct tg_view *, int by);
};

struct tg_view {
	const struct tg_view_ops *ops;
	struct tg_app *app;
	void *state;
};

extern const struct tg_view_ops tg_view_instances, tg_view_runs, tg_view_patch, tg_view_detail,
	tg_view_log, tg_view_help;

#endif
