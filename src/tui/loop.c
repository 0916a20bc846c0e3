#include "tui/loop.h"

#include <errno.h>
#include <poll.h>

#include "core/lib/clock.h"
#include "tui/keys.h"

#define KEY_FRAME_MS 33
#define DATA_FRAME_MS 250

void tg_loop_init(struct tg_loop *l, const struct tg_loop_ops *ops, void *user,
		  struct tg_term *term, bool ascii)
{
	int rows, cols;
	*l = (struct tg_loop){ .ops = ops, .user = user, .term = term, .key_dirty = true };
	tg_term_size(term, &rows, &cols);
	tg_canvas_init(&l->canvas, rows, cols, ascii);
	l->last_frame_ms = l->last_data_ms =
		tg_mono_ms() - 1000; /* the first frame is due at once */
}

void tg_loop_fini(struct tg_loop *l)
{
	tg_canvas_fini(&l->canvas);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* When a frame is due: ms from now, -1: none is wanted. */
static int64_t frame_due(const struct tg_loop *l, int64_t now)
{
	int64_t due = -1;
	if (l->key_dirty)
		due = l->last_frame_ms + KEY_FRAME_MS - now;
	if (l->data_dirty)
		due = sooner(due, l->last_frame_ms + DATA_FRAME_MS - now);
	if (!l->key_dirty && !l->data_dirty)
		return -1;
	return due < 0 ? 0 : due;
}

static bool data_allowed(const struct tg_loop *l, int64_t now)
{
	return now - l->last_data_ms >= DATA_FRAME_MS;
}

static int wait_ms(const struct tg_loop *l, int64_t now, int max_wait_ms, bool have_fd)
{
	int64_t wait = tg_term_pending(l->term) ? -1 : frame_due(l, now);
	int tick = l->ops->tick_ms(l->user);
	int64_t since = now - l->last_data_ms;
	if (tick > 0)
		wait = sooner(wait, since >= tick ? 0 : tick - since);
	if (have_fd && !data_allowed(l, now)) /* a busy source is looked at four times a second */
		wait = sooner(wait, DATA_FRAME_MS - since);
	if (max_wait_ms >= 0)
		wait = sooner(wait, max_wait_ms);
	return (int)wait;
}

static void take_keys(struct tg_loop *l)
{
	uint32_t key;
	while (!l->ops->done(l->user) && (key = tg_term_key(l->term)) != TG_KEY_NONE) {
		l->ops->key(l->user, key);
		l->key_dirty = true;
	}
}

static void take_signals(struct tg_loop *l)
{
	unsigned todo = tg_term_signals(l->term);
	if (todo & TG_TERM_END)
		l->ended = true;
	if (todo & TG_TERM_RESIZED)
		l->key_dirty = true;
}

static void draw_frame(struct tg_loop *l, int64_t now)
{
	int rows, cols;
	tg_term_size(l->term, &rows, &cols);
	if (rows != l->canvas.rows || cols != l->canvas.cols)
		tg_canvas_resize(&l->canvas, rows, cols);
	else
		tg_canvas_clear(&l->canvas);
	l->ops->draw(l->user, &l->canvas);
	tg_term_draw(l->term, &l->canvas, l->ops->theme(l->user));
	l->key_dirty = l->data_dirty = false;
	l->last_frame_ms = now;
}

bool tg_loop_turn(struct tg_loop *l, int max_wait_ms)
{
	int64_t now = tg_mono_ms();
	int data_fd = l->ops->fd(l->user), out = tg_term_out_fd(l->term);
	bool want_data = data_fd >= 0 && data_allowed(l, now);
	struct pollfd p[4] = {
		{ .fd = tg_term_in_fd(l->term), .events = POLLIN },
		{ .fd = tg_term_signal_fd(l->term), .events = POLLIN },
		{ .fd = want_data ? data_fd : -1, .events = POLLIN },
		{ .fd = tg_term_pending(l->term) ? out : -1, .events = POLLOUT },
	};
	int n = poll(p, 4, wait_ms(l, now, max_wait_ms, data_fd >= 0));
	if (n < 0 && errno != EINTR)
		return false;
	take_signals(l);
	if (l->ended)
		return false;
	take_keys(l);
	if (n > 0 && p[0].revents & (POLLHUP | POLLERR | POLLNVAL) && !(p[0].revents & POLLIN))
		return false; /* the terminal is gone */
	now = tg_mono_ms();
	int tick = l->ops->tick_ms(l->user);
	if ((n > 0 && p[2].revents) || (tick > 0 && now - l->last_data_ms >= tick)) {
		l->last_data_ms = now;
		l->data_dirty |= l->ops->data(l->user);
	}
	if (!tg_term_flush(l->term))
		return false;
	if (!l->ops->done(l->user) && !tg_term_pending(l->term) && frame_due(l, now) == 0) {
		draw_frame(l, now);
		if (!tg_term_flush(l->term))
			return false;
	}
	return !l->ops->done(l->user);
}

int tg_tui_loop(struct tg_loop *l)
{
	while (tg_loop_turn(l, -1))
		;
	return l->ended ? tg_term_end_signal(l->term) : 0;
}
