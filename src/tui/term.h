#ifndef TG_TERM_H
#define TG_TERM_H
/*
 * The terminal. ncurses draws into a memory file (the sink); a frame is what it left there, handed
 * to the terminal in one non-blocking write. So every byte is counted, a slow line gets no new
 * frame while the last one is unwritten, and a test reads the frames without any terminal at all
 * (out_fd -1).
 *
 * Since the sink is no terminal, this module does what curses would: modes, size, stopping (^Z) and
 * the restoration of the terminal at every end: close, SIGTERM, SIGHUP, SIGINT, out of memory, a
 * crash.
 *
 * Everything written: what terminfo has for TERM, and DEC 2026 (synchronised output), which is
 * asked for by DECRQM and used only after the terminal has said that it knows it. One terminal a
 * process: curses and signal handlers cannot have two.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "tui/canvas.h"
#include "tui/theme.h"

struct tg_term;

struct tg_term_opts {
	int in_fd;        /* keys are read here */
	int out_fd;       /* a terminal; -1: frames stay in the sink, tg_term_take reads them */
	int rows, cols;   /* used when out_fd is -1 */
	const char *term; /* NULL: $TERM */
	bool no_color;
};

struct tg_term *tg_term_open(const struct tg_term_opts *opts, struct tg_err *err);
/* Restores the terminal; frees. NULL is fine. */
void tg_term_close(struct tg_term *t);

void tg_term_size(const struct tg_term *t, int *rows, int *cols);
bool tg_term_utf8(const struct tg_term *t);
enum tg_depth tg_term_depth(const struct tg_term *t);

/* Draw the canvas: makes a frame out of what differs from the one before. Must not be called while
 * bytes are pending. Returns the frame's bytes (0: nothing changed). */
size_t tg_term_draw(struct tg_term *t, const struct tg_canvas *cv, const struct tg_theme *theme);
/* One write of what is pending. False: the terminal is gone. */
bool tg_term_flush(struct tg_term *t);
size_t tg_term_pending(const struct tg_term *t);
/* out_fd -1: the pending frame is moved to out. */
void tg_term_take(struct tg_term *t, struct tg_buf *out);
/* The next frame draws everything. */
void tg_term_redraw(struct tg_term *t);

/* The next key that is there, TG_KEY_NONE when none is (enum tg_key or a code point). */
uint32_t tg_term_key(struct tg_term *t);

int tg_term_in_fd(const struct tg_term *t);
int tg_term_out_fd(const struct tg_term *t);
int tg_term_signal_fd(const struct tg_term *t); /* readable when a signal came */

enum { TG_TERM_RESIZED = 1, TG_TERM_END = 2 };
/* Handle what signals brought: stopping and coming back happens inside. Returns what the caller
 * must do. */
unsigned tg_term_signals(struct tg_term *t);
int tg_term_end_signal(const struct tg_term *t); /* which one said END */
/* out_fd -1: a size as SIGWINCH would bring it. */
void tg_term_set_size(struct tg_term *t, int rows, int cols);

struct tg_term_stats {
	uint64_t frames, bytes, writes;
};
struct tg_term_stats tg_term_stats(const struct tg_term *t);

#endif
