#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/run/attempt_files.h"
#include "tui/pager.h"
#include "views/app.h"
#include "views/frame.h"
#include "views/show.h"

#define LOG_CAP ((size_t)4 << 20) /* the end of a log is what one looks for */

/* The logs of one attempt, one after another by key; follows the end while the attempt runs. */

struct state {
	struct tg_buf bytes;
	size_t *line; /* where lines begin */
	size_t line_n, line_cap;
	struct tg_pager pager;
	enum tg_attempt_log which;
	int64_t skipped;
	char error[700];
	char iid[160];
	int attempt;
};

static size_t count_lines(void *user)
{
	return ((struct state *)user)->line_n;
}

static struct tg_str line_text(void *user, size_t i)
{
	const struct state *s = user;
	size_t at = s->line[i], end = i + 1 < s->line_n ? s->line[i + 1] : s->bytes.n;
	while (end > at && (s->bytes.p[end - 1] == '\n' || s->bytes.p[end - 1] == '\r'))
		end--;
	return (struct tg_str){ s->bytes.p + at, end - at };
}

static void draw_line(void *user, struct tg_canvas *cv, struct tg_rect r, size_t i, int skip)
{
	struct tg_str s = line_text(user, i);
	struct tg_at at = TG_AT(r.y, r.x, r.w, TG_ROLE_TEXT);
	at.skip = skip;
	at.flags = TG_PUT_TABS;
	tg_canvas_puts(cv, at, s.p, s.n);
}

static const struct tg_pager_ops pager_ops = { .count = count_lines,
					       .text = line_text,
					       .draw = draw_line };

static void index_lines(struct state *s)
{
	s->line_n = 0;
	for (size_t at = 0; at < s->bytes.n;) {
		const char *nl = memchr(s->bytes.p + at, '\n', s->bytes.n - at);
		TG_GROW(s->line, s->line_n, s->line_cap);
		s->line[s->line_n++] = at;
		at = nl ? (size_t)(nl + 1 - s->bytes.p) : s->bytes.n;
	}
}

static bool read_log(struct tg_view *v, enum tg_attempt_log which)
{
	struct state *s = v->state;
	const struct tg_attempt *att = tg_app_attempt(v->app);
	struct tg_err err = { 0 };
	bool ok = att && tg_attempt_log(v->app->data.run, v->app->iid, att, which, LOG_CAP,
					&s->bytes, &s->skipped, &err);
	s->error[0] = '\0';
	if (!ok) {
		tg_buf_clear(&s->bytes);
		snprintf(s->error, sizeof s->error, "%s: %s", tg_attempt_log_name(which),
			 att ? err.msg : "no attempt has begun yet");
	}
	index_lines(s);
	return ok && s->bytes.n > 0;
}

static void load(struct tg_view *v)
{
	struct state *s = v->state;
	const struct tg_attempt *att = tg_app_attempt(v->app);
	if (strcmp(s->iid, v->app->iid) != 0 || s->attempt != (att ? att->n : 0)) {
		snprintf(s->iid, sizeof s->iid, "%s", v->app->iid);
		s->attempt = att ? att->n : 0;
		s->pager.top = 0;
		s->pager.follow = att && att->running;
	}
	read_log(v, s->which);
}

/* The latest attempt is what one wants to see at work. */
static bool open_view(struct tg_view *v, struct tg_err *err)
{
	struct state *s = v->state;
	static const enum tg_attempt_log wanted[] = { TG_LOG_AGENT, TG_LOG_JOB };
	int i = tg_app_index(v->app);
	if (i < 0)
		return tg_fail(err, TG_E_INPUT, "no instance is selected");
	const struct tg_attempt *latest = tg_instance_latest(&v->app->data.run->inst[i]);
	if (latest && latest->running)
		v->app->attempt = latest->n;
	tg_pager_init(&s->pager, &pager_ops, s);
	for (size_t k = 0; k < 2; k++) {
		s->which = wanted[k];
		if (read_log(v, s->which))
			break;
	}
	load(v);
	return true;
}

static void close_view(struct tg_view *v)
{
	struct state *s = v->state;
	tg_buf_fini(&s->bytes);
	free(s->line);
}

/* The next log that holds something. */
static void next_source(struct tg_view *v)
{
	struct state *s = v->state;
	for (int k = 1; k <= TG_LOG_COUNT; k++) {
		enum tg_attempt_log which =
			(enum tg_attempt_log)(((int)s->which + k) % TG_LOG_COUNT);
		if (!read_log(v, which))
			continue;
		if (which == s->which)
			tg_app_say(v->app, TG_ROLE_TEXT, "This attempt has no other log");
		s->which = which;
		s->pager.top = 0;
		return;
	}
	read_log(v, s->which);
	tg_app_say(v->app, TG_ROLE_TEXT, "This attempt has no log yet");
}

static bool command(struct tg_view *v, enum tg_cmd cmd)
{
	if (cmd == TG_CMD_NEXT_SOURCE) {
		next_source(v);
		return true;
	}
	return tg_frame_pager_cmd(v, &((struct state *)v->state)->pager, cmd);
}

static void prompt(struct tg_view *v, int purpose, const char *text, int event)
{
	(void)purpose;
	tg_frame_search(v, &((struct state *)v->state)->pager, text, event);
}

static void draw(struct tg_view *v, struct tg_canvas *cv, struct tg_rect r)
{
	struct state *s = v->state;
	char note[96], size[TG_SHOW], skipped[TG_SHOW];
	if (s->skipped > 0)
		snprintf(note, sizeof note, "last %s, %s before",
			 tg_show_bytes((int64_t)s->bytes.n, size),
			 tg_show_bytes(s->skipped, skipped));
	else
		snprintf(note, sizeof note, "%zu lines%s", s->line_n,
			 s->pager.follow ? ", following" : "");
	struct tg_rect body = tg_frame_draw(v, cv, r, tg_attempt_log_name(s->which), note);
	if (s->line_n == 0)
		tg_canvas_put(cv, TG_AT(body.y, body.x, body.w, TG_ROLE_DIM),
			      s->error[0] ? s->error : "This log is empty.");
	tg_pager_draw(&s->pager, cv, body);
}

static const enum tg_scope scopes[] = { TG_SCOPE_LOG, TG_SCOPE_ATTEMPT, TG_SCOPE_PAGER,
					TG_SCOPE_ANY };

const struct tg_view_ops tg_view_log = {
	.name = "log",
	.title = "Logs",
	.scopes = scopes,
	.state_size = sizeof(struct state),
	.open = open_view,
	.close = close_view,
	.data = load,
	.cmd = command,
	.draw = draw,
	.prompt = prompt,
};
