#ifndef TG_LOOP_H
#define TG_LOOP_H
/*
 * The console's loop: one thread, poll over terminal, signals and data. A turn: wait, apply all
 * keys that are there, look at the data, then at most one frame, and none while the last one is
 * unwritten. Keys show within 1/30 s, data within 1/4 s; with nothing to do it sleeps.
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "tui/term.h"

struct tg_loop_ops {
	void (*key)(void *user, uint32_t key);
	/* New data may be there; true: something visible changed. Called when fd is readable and
	 * with ticks. */
	bool (*data)(void *user);
	int (*fd)(void *user);      /* descriptor to wait for, or -1; asked each turn */
	int (*tick_ms)(void *user); /* how often to look without being woken; 0: never */
	void (*draw)(void *user, struct tg_canvas *cv);
	const struct tg_theme *(*theme)(void *user);
	bool (*done)(void *user);
};

struct tg_loop {
	const struct tg_loop_ops *ops;
	void *user;
	struct tg_term *term;
	struct tg_canvas canvas;
	bool key_dirty, data_dirty, ended;
	int64_t last_frame_ms, last_data_ms, started_ms;
};

void tg_loop_init(struct tg_loop *l, const struct tg_loop_ops *ops, void *user,
		  struct tg_term *term, bool ascii);
void tg_loop_fini(struct tg_loop *l);
/* One turn; waits at most max_wait_ms (< 0: as long as it takes). False: the loop is over. */
bool tg_loop_turn(struct tg_loop *l, int max_wait_ms);
/* Turns until done or a signal ends it. Returns the signal, or 0. */
int tg_tui_loop(struct tg_loop *l);

#endif
