#ifndef TG_THEME_H
#define TG_THEME_H
/*
 * Themes by role. A theme is an INI text:
 *
 *   name = light
 *   inherits = default
 *   [roles]
 *   verdict.veto = 196 bold | red bold | bold reverse   glyph ✗ ascii !
 *
 * A role's value has up to three forms, for 256 colours, 16 colours and none:
 *   fg [on bg] [bold dim underline reverse italic]
 * A colour is 0..255, #rrggbb (taken to the nearest of the 256), a name (red, bright-red, ...) or
 * `default`. A form that is left out falls back: 16 to the terminal's own colours, mono to the
 * attributes of the first form. "-" names no colour and no attribute.
 *
 * The themes of the project are inside the program; a name with a '/' in it is a file's path, and
 * $XDG_CONFIG_HOME/tgmon/themes/<name>.theme comes before a built-in of that name.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"

enum tg_role {
	TG_ROLE_NONE,
#define TG_ROLE(id, name) TG_ROLE_##id,
#include "tui/roles.def"
#undef TG_ROLE
	TG_ROLE_COUNT
};

enum tg_depth { TG_DEPTH_256, TG_DEPTH_16, TG_DEPTH_MONO, TG_DEPTH_COUNT };
enum { TG_BOLD = 1, TG_DIM = 2, TG_UNDERLINE = 4, TG_REVERSE = 8, TG_ITALIC = 16 };
#define TG_COLOR_DEFAULT (-1)

struct tg_look { /* colours -1: the terminal's own */
	int fg, bg;
	unsigned attr;
};

struct tg_role_spec {
	bool set, has[TG_DEPTH_COUNT];
	struct tg_look form[TG_DEPTH_COUNT];
	char glyph[8], ascii[4];
};

struct tg_theme {
	char name[32];
	struct tg_role_spec role[TG_ROLE_COUNT];
};

const char *tg_role_name(enum tg_role role);
enum tg_role tg_role_parse(const char *name); /* TG_ROLE_NONE when unknown */

/* Load by name or path, following `inherits`. Errors carry file, line and column. */
bool tg_theme_load(struct tg_theme *theme, const char *name, struct tg_err *err);
/* Parse one text over what is already in theme; `inherits` in it is loaded first. */
bool tg_theme_parse(struct tg_theme *theme, const char *p, size_t n, const char *name, int depth,
		    struct tg_err *err);
/* Names of the built-in themes, NULL-terminated. */
const char *const *tg_theme_names(void);
/* How a cell of `role` under the overlay `over` (TG_ROLE_NONE: none) looks. */
struct tg_look tg_theme_look(const struct tg_theme *theme, enum tg_role role, enum tg_role over,
			     enum tg_depth depth);
/* The role's mark; "" when it has none. */
const char *tg_theme_glyph(const struct tg_theme *theme, enum tg_role role, bool ascii);
/* The red, green, blue (0..255) of one of the 256 colours. */
void tg_color_rgb(int color, int rgb[3]);

#endif
