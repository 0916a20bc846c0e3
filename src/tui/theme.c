#include "tui/theme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "tui/theme_data.h"

#define MAX_INHERITS 4

static const char *const role_names[TG_ROLE_COUNT] = {
	[TG_ROLE_NONE] = "",
#define TG_ROLE(id, name) [TG_ROLE_##id] = name,
#include "tui/roles.def"
#undef TG_ROLE
};

static const char *const color_names[16] = {
	"black",	"red",		 "green",	"yellow",	  "blue",
	"magenta",	"cyan",		 "white",	"bright-black",	  "bright-red",
	"bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan",
	"bright-white",
};

static const struct {
	const char *name;
	unsigned bit;
} attr_names[] = {
	{ "bold", TG_BOLD }, { "dim", TG_DIM }, { "underline", TG_UNDERLINE },
	{ "reverse", TG_REVERSE }, { "italic", TG_ITALIC },
};

const char *tg_role_name(enum tg_role role)
{
	return role_names[role];
}

enum tg_role tg_role_parse(const char *name)
{
	for (int r = 1; r < TG_ROLE_COUNT; r++)
		if (!strcmp(role_names[r], name))
			return (enum tg_role)r;
	return TG_ROLE_NONE;
}

/* xterm's palette: a cube of six levels and a ramp of greys; the first 16 as most terminals show
 * them. */
void tg_color_rgb(int color, int rgb[3])
{
	static const int level[6] = { 0, 95, 135, 175, 215, 255 };
	static const int base[16][3] = {
		{ 0, 0, 0 }, { 205, 0, 0 }, { 0, 205, 0 }, { 205, 205, 0 }, { 0, 0, 238 },
		{ 205, 0, 205 }, { 0, 205, 205 }, { 229, 229, 229 }, { 127, 127, 127 },
		{ 255, 0, 0 }, { 0, 255, 0 }, { 255, 255, 0 }, { 92, 92, 255 }, { 255, 0, 255 },
		{ 0, 255, 255 }, { 255, 255, 255 },
	};
	if (color < 16) {
		memcpy(rgb, base[color < 0 ? 0 : color], 3 * sizeof(int));
	} else if (color < 232) {
		rgb[0] = level[(color - 16) / 36];
		rgb[1] = level[(color - 16) / 6 % 6];
		rgb[2] = level[(color - 16) % 6];
	} else {
		rgb[0] = rgb[1] = rgb[2] = 8 + 10 * (color - 232);
	}
}

static int nearest_color(const int want[3])
{
	int best = 16;
	long best_d = -1;
	for (int c = 16; c < 256; c++) {
		int rgb[3];
		tg_color_rgb(c, rgb);
		long d = 0;
		for (int i = 0; i < 3; i++)
			d += (long)(rgb[i] - want[i]) * (rgb[i] - want[i]);
		if (best_d < 0 || d < best_d) {
			best = c;
			best_d = d;
		}
	}
	return best;
}

static bool parse_color(const char *word, int *color)
{
	int64_t v;
	if (!strcmp(word, "default")) {
		*color = TG_COLOR_DEFAULT;
		return true;
	}
	if (word[0] == '#' && strlen(word) == 7 &&
	    strspn(word + 1, "0123456789abcdefABCDEF") == 6) {
		long x = strtol(word + 1, NULL, 16);
		const int want[3] = { (int)(x >> 16), (int)(x >> 8 & 255), (int)(x & 255) };
		*color = nearest_color(want);
		return true;
	}
	for (int i = 0; i < 16; i++)
		if (!strcmp(word, color_names[i])) {
			*color = i;
			return true;
		}
	if (tg_parse_i64(word, &v) && v >= 0 && v <= 255) {
		*color = (int)v;
		return true;
	}
	return false;
}

struct parser {
	struct tg_theme *theme;
	const char *name;
	int line, depth;
	const char *line_begin;
	bool in_roles;
	struct tg_err *err;
};

static bool bad(const struct parser *ps, const char *at, const char *what)
{
	return tg_fail(ps->err, TG_E_INPUT, "%s:%d:%d: %s", ps->name, ps->line,
		       (int)(at - ps->line_begin) + 1, what);
}

static const char *next_word(const char *p, char word[64])
{
	size_t n = strcspn(p, " \t|");
	size_t k = n < 63 ? n : 63;
	memcpy(word, p, k);
	word[k] = '\0';
	p += n;
	return p + strspn(p, " \t");
}

static bool take_word(const struct parser *ps, const char *at, const char *word, bool *on,
		      struct tg_look *look)
{
	for (size_t i = 0; i < sizeof attr_names / sizeof attr_names[0]; i++)
		if (!strcmp(word, attr_names[i].name)) {
			look->attr |= attr_names[i].bit;
			return true;
		}
	if (!strcmp(word, "-"))
		return true;
	if (!strcmp(word, "on")) {
		*on = true;
		return true;
	}
	if (!parse_color(word, *on ? &look->bg : &look->fg))
		return bad(ps, at, "expected a colour (0 to 255, #rrggbb, a name) or bold, dim, "
				   "underline, reverse, italic, on");
	*on = false;
	return true;
}

/* "form | form | form  glyph X ascii Y" */
static bool parse_role(const struct parser *ps, const char *p, struct tg_role_spec *out)
{
	struct tg_role_spec spec = { .set = true };
	snprintf(spec.glyph, sizeof spec.glyph, "%s", out->glyph);
	snprintf(spec.ascii, sizeof spec.ascii, "%s", out->ascii);
	struct tg_look look = { -1, -1, 0 };
	int form = 0;
	bool on = false;
	for (;;) {
		char word[64];
		const char *at = p;
		if (*p == '|' || *p == '\0') {
			if (form >= TG_DEPTH_COUNT)
				return bad(ps, at, "more than three forms");
			spec.form[form] = look;
			spec.has[form++] = true;
			look = (struct tg_look){ -1, -1, 0 };
			on = false;
			if (*p == '\0')
				break;
			p++;
			p += strspn(p, " \t");
			continue;
		}
		p = next_word(p, word);
		if (!strcmp(word, "glyph") || !strcmp(word, "ascii")) {
			char *dst = word[0] == 'g' ? spec.glyph : spec.ascii;
			size_t cap = word[0] == 'g' ? sizeof spec.glyph : sizeof spec.ascii;
			p = next_word(p, word);
			if (!word[0] || strlen(word) >= cap)
				return bad(ps, at, "a glyph is one character");
			memcpy(dst, word, strlen(word) + 1);
		} else if (!take_word(ps, at, word, &on, &look)) {
			return false;
		}
	}
	if (!spec.has[TG_DEPTH_16])
		spec.form[TG_DEPTH_16] = (struct tg_look){ -1, -1, spec.form[0].attr };
	if (!spec.has[TG_DEPTH_MONO])
		spec.form[TG_DEPTH_MONO] = (struct tg_look){ -1, -1, spec.form[0].attr };
	*out = spec;
	return true;
}

static bool load_depth(struct tg_theme *theme, const char *name, int depth, struct tg_err *err);

static bool parse_line(struct parser *ps, char *line)
{
	char *p = line + strspn(line, " \t");
	char *end = p + strlen(p);
	while (end > p && strchr(" \t\r", end[-1]))
		*--end = '\0';
	if (!*p || *p == '#' || *p == ';')
		return true;
	if (*p == '[') {
		ps->in_roles = !strcmp(p, "[roles]");
		return ps->in_roles || bad(ps, p, "unknown section; the one there is is [roles]");
	}
	char *eq = strchr(p, '=');
	if (!eq)
		return bad(ps, p, "expected `name = value`");
	char *key_end = eq;
	while (key_end > p && strchr(" \t", key_end[-1]))
		key_end--;
	const char *value = eq + 1 + strspn(eq + 1, " \t");
	*key_end = '\0';
	if (ps->in_roles) {
		enum tg_role role = tg_role_parse(p);
		if (role == TG_ROLE_NONE)
			return bad(ps, p, "unknown role");
		return parse_role(ps, value, &ps->theme->role[role]);
	}
	if (!strcmp(p, "name")) {
		snprintf(ps->theme->name, sizeof ps->theme->name, "%s", value);
		return true;
	}
	if (!strcmp(p, "inherits")) {
		if (ps->depth >= MAX_INHERITS)
			return bad(ps, p, "themes inherit from one another in a circle");
		return load_depth(ps->theme, value, ps->depth + 1, ps->err) ||
		       tg_fail_in(ps->err, "%s:%d", ps->name, ps->line);
	}
	return bad(ps, p, "unknown name before [roles]; there are name and inherits");
}

bool tg_theme_parse(struct tg_theme *theme, const char *p, size_t n, const char *name, int depth,
		    struct tg_err *err)
{
	struct parser ps = { .theme = theme, .name = name, .depth = depth, .err = err };
	char *copy = tg_strndup(p, n);
	bool ok = true;
	for (char *line = copy; ok && line;) {
		char *nl = strchr(line, '\n');
		if (nl)
			*nl = '\0';
		ps.line++;
		ps.line_begin = line;
		ok = parse_line(&ps, line);
		line = nl ? nl + 1 : NULL;
	}
	free(copy);
	return ok;
}

static bool load_file(struct tg_theme *theme, const char *path, int depth, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	bool ok = tg_file_read(path, 256 * 1024, &text, err) &&
		  tg_theme_parse(theme, tg_buf_cstr(&text), text.n, path, depth, err);
	tg_buf_fini(&text);
	return ok;
}

static char *user_path(const char *name)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (xdg && xdg[0] == '/')
		return tg_asprintf("%s/tgmon/themes/%s.theme", xdg, name);
	return home && home[0] == '/' ? tg_asprintf("%s/.config/tgmon/themes/%s.theme", home, name)
				      : NULL;
}

static bool load_depth(struct tg_theme *theme, const char *name, int depth, struct tg_err *err)
{
	if (strchr(name, '/'))
		return load_file(theme, name, depth, err);
	/* An own theme may inherit the built-in one of its name. */
	char *path = depth == 0 ? user_path(name) : NULL;
	if (path && tg_file_exists(path)) {
		bool ok = load_file(theme, path, depth, err);
		free(path);
		return ok;
	}
	free(path);
	for (const struct tg_theme_data *d = tg_theme_data; d->name; d++)
		if (!strcmp(d->name, name))
			return tg_theme_parse(theme, d->begin, (size_t)(d->end - d->begin), name,
					      depth, err);
	return tg_fail(err, TG_E_INPUT,
		       "there is no theme \"%s\"; built in are default, light and mono, "
		       "a path to a .theme file works too",
		       name);
}

bool tg_theme_load(struct tg_theme *theme, const char *name, struct tg_err *err)
{
	memset(theme, 0, sizeof *theme);
	for (int r = 0; r < TG_ROLE_COUNT; r++)
		for (int d = 0; d < TG_DEPTH_COUNT; d++)
			theme->role[r].form[d] = (struct tg_look){ -1, -1, 0 };
	return load_depth(theme, name, 0, err);
}

const char *const *tg_theme_names(void)
{
	static const char *const names[] = { "default", "light", "mono", NULL };
	return names;
}

struct tg_look tg_theme_look(const struct tg_theme *theme, enum tg_role role, enum tg_role over,
			     enum tg_depth depth)
{
	struct tg_look look = theme->role[role].form[depth];
	if (over == TG_ROLE_NONE)
		return look;
	const struct tg_look *top = &theme->role[over].form[depth];
	if (top->attr & TG_REVERSE) {
		/* A reversed row in many colours is unreadable: the overlay's own look, weight
		 * kept. */
		unsigned weight = look.attr & (TG_BOLD | TG_UNDERLINE);
		look = *top;
		look.attr |= weight;
		return look;
	}
	if (top->bg != TG_COLOR_DEFAULT)
		look.bg = top->bg;
	if (top->fg != TG_COLOR_DEFAULT)
		look.fg = top->fg;
	look.attr |= top->attr;
	return look;
}

const char *tg_theme_glyph(const struct tg_theme *theme, enum tg_role role, bool ascii)
{
	return ascii ? theme->role[role].ascii : theme->role[role].glyph;
}
