#ifndef TG_TEST_VT_H
#define TG_TEST_VT_H
/* A terminal in the test: frames from the sink go into libvterm, and the test asks what one would see. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vterm.h>

#include "tui/term.h"

struct vt {
	VTerm *vt;
	VTermScreen *screen;
	struct tg_term *term;
	struct tg_buf frame; /* the last one's bytes */
	int in[2];           /* keys are written to in[1] */
	int rows, cols, osc;
};

static inline int vt_osc(const char *cmd, size_t n, void *user)
{
	(void)cmd, (void)n;
	((struct vt *)user)->osc++;
	return 1;
}

/* LeakSanitizer: curses keeps what it allocated until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libncursesw\nleak:libtinfo\nleak:newterm\nleak:_nc_";
}

static inline bool vt_open(struct vt *v, int rows, int cols, const char *term, bool no_color)
{
	static VTermParserCallbacks fallbacks = { .osc = vt_osc };
	struct tg_err err = { 0 };
	*v = (struct vt){ .rows = rows, .cols = cols };
	if (pipe(v->in) < 0)
		return false;
	struct tg_term_opts opts = { .in_fd = v->in[0], .out_fd = -1, .rows = rows, .cols = cols, .term = term,
				     .no_color = no_color };
	v->term = tg_term_open(&opts, &err);
	if (!v->term) {
		fprintf(stderr, "vt: %s\n", err.msg);
		return false;
	}
	v->vt = vterm_new(rows, cols);
	vterm_set_utf8(v->vt, 1);
	v->screen = vterm_obtain_screen(v->vt);
	vterm_screen_enable_altscreen(v->screen, 1);
	vterm_screen_set_unrecognised_fallbacks(v->screen, &fallbacks, v);
	vterm_screen_reset(v->screen, 1);
	return true;
}

static inline void vt_close(struct vt *v)
{
	tg_term_close(v->term);
	vterm_free(v->vt);
	close(v->in[0]);
	close(v->in[1]);
	tg_buf_fini(&v->frame);
}

/* Take the pending frame: its number of bytes. */
static inline size_t vt_take(struct vt *v)
{
	tg_buf_clear(&v->frame);
	tg_term_take(v->term, &v->frame);
	if (v->frame.n)
		vterm_input_write(v->vt, v->frame.p, v->frame.n);
	return v->frame.n;
}

static inline void vt_resize(struct vt *v, int rows, int cols)
{
	v->rows = rows;
	v->cols = cols;
	tg_term_set_size(v->term, rows, cols);
	vterm_set_size(v->vt, rows, cols);
}

static inline const char *vt_row(const struct vt *v, int y, char *out, size_t cap)
{
	VTermRect r = { .start_row = y, .end_row = y + 1, .start_col = 0, .end_col = v->cols };
	size_t n = vterm_screen_get_text(v->screen, out, cap - 1, r);
	out[n < cap ? n : cap - 1] = '\0';
	return out;
}

static inline VTermScreenCell vt_cell(const struct vt *v, int y, int x)
{
	VTermScreenCell c;
	vterm_screen_get_cell(v->screen, (VTermPos){ y, x }, &c);
	return c;
}

/* Row that holds a text, or -1. */
static inline int vt_find(const struct vt *v, const char *text)
{
	char row[4096];
	for (int y = 0; y < v->rows; y++)
		if (strstr(vt_row(v, y, row, sizeof row), text))
			return y;
	return -1;
}

/* What the terminal shows equals the canvas, cell for cell (text only). */
static inline bool vt_equals(const struct vt *v, const struct tg_canvas *cv)
{
	for (int y = 0; y < cv->rows && y < v->rows; y++)
		for (int x = 0; x < cv->cols && x < v->cols; x++) {
			const struct tg_cell *c = &cv->cell[(size_t)y * (size_t)cv->cols + (size_t)x];
			VTermScreenCell s = vt_cell(v, y, x);
			if (c->width == 0)
				continue;
			if (c->n == 1 && (unsigned char)c->s[0] < 0x80 &&
			    (s.chars[0] ? s.chars[0] : ' ') != (uint32_t)c->s[0]) {
				fprintf(stderr, "cell %d,%d: canvas '%c', terminal U+%04X\n", y, x, c->s[0],
					(unsigned)s.chars[0]);
				return false;
			}
		}
	return true;
}

#endif
