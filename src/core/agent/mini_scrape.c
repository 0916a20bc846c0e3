/*
 * What the tool shows: a row per instance, redrawn four times a second,
 *     <spinner> <id, 35 wide (1.x: 25), cut on its left>  Step   3 ($0.02)               0:01:07
 * and, on stderr only, that a call to the model is tried again,
 *     Retrying <unknown> in 32.0 seconds as it raised RateLimitError: ...
 * All of it is hostile: nothing is taken but numbers and a class name.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/mini.h"
#include "core/lib/text.h"

#define LINE_MAX_BYTES 4096

enum { ESC_NONE, ESC_BEGIN, ESC_CSI, ESC_STRING };

static void end_line(struct tg_mini_screen *s, tg_mini_line_fn *fn, void *ctx)
{
	if (s->line.n && !s->too_long)
		fn(ctx, tg_buf_cstr(&s->line), s->line.n);
	tg_buf_clear(&s->line);
	s->too_long = false;
}

static void feed_escape(struct tg_mini_screen *s, unsigned char c)
{
	switch (s->esc) {
	case ESC_BEGIN:
		s->esc = c == '[' ? ESC_CSI : c == ']' || c == 'P' || c == '_' ? ESC_STRING : ESC_NONE;
		return;
	case ESC_CSI:
		if (c >= 0x40 && c <= 0x7e)
			s->esc = ESC_NONE;
		return;
	default: /* a string ends with BEL or ESC \ */
		if (c == 7)
			s->esc = ESC_NONE;
		else if (c == 27)
			s->esc = ESC_BEGIN;
	}
}

void tg_mini_screen_feed(struct tg_mini_screen *s, const char *p, size_t n, tg_mini_line_fn *fn,
			 void *ctx)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\n' || c == '\r') {
			s->esc = ESC_NONE;
			end_line(s, fn, ctx);
		} else if (s->esc != ESC_NONE) {
			feed_escape(s, c);
		} else if (c == 27) {
			s->esc = ESC_BEGIN;
		} else if (s->line.n >= LINE_MAX_BYTES) {
			s->too_long = true;
		} else {
			tg_buf_addc(&s->line, p[i]);
		}
	}
}

void tg_mini_screen_fini(struct tg_mini_screen *s)
{
	tg_buf_fini(&s->line);
	*s = (struct tg_mini_screen){ 0 };
}

void tg_mini_progress_init(struct tg_mini_progress *p)
{
	*p = (struct tg_mini_progress){ .cost_usd = -1 };
}

static void set_text(struct tg_mini_progress *p, char *to, size_t cap, const char *text)
{
	if (strcmp(to, text) == 0)
		return;
	snprintf(to, cap, "%s", text);
	p->changed = true;
}

/* ---- rows ---- */

static const char *after_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* The id as a row of that width shows it; returns what follows, or NULL. */
static const char *after_id(const char *p, const char *end, const char *iid, size_t width)
{
	size_t n = strlen(iid);
	const char *shown = iid;

	if (n > width) {
		if (end - p < 3 || memcmp(p, "...", 3) != 0)
			return NULL;
		p += 3;
		shown = iid + n - (width - 3);
		n = width - 3;
	}
	if ((size_t)(end - p) <= n || memcmp(p, shown, n) != 0 || p[n] != ' ')
		return NULL;
	return after_blanks(p + n, end);
}

/* "Step   3 ($0.02)" */
static bool take_step(struct tg_mini_progress *p, const char *text)
{
	char *end;
	long long step;
	double cost;

	if (strncmp(text, "Step ", 5) != 0)
		return false;
	step = strtoll(text + 5, &end, 10);
	if (end == text + 5 || step < 1 || step > 1000000 || strncmp(end, " ($", 3) != 0)
		return false;
	text = end + 3;
	if (*text < '0' || *text > '9')
		return false;
	cost = strtod(text, &end);
	if (*end != ')' || !isfinite(cost) || cost < 0 || cost > 1e6)
		return false;
	if (step == p->step && cost <= p->cost_usd && cost >= p->cost_usd)
		return true;
	p->step = step;
	p->cost_usd = cost;
	p->changed = true;
	set_text(p, p->doing, sizeof p->doing, "");
	tg_mini_moved(p);
	return true;
}

bool tg_mini_row(struct tg_mini_progress *p, const char *line, size_t n, const char *iid)
{
	static const char *const states[] = { "Task initialized", "Pulling/starting environment",
					      "Pulling/starting docker" };
	static const size_t widths[] = { 35, 25 };
	const char *end = line + n, *text = NULL;
	uint32_t cp;

	if (!n || *line == ' ')
		return false;
	line += tg_utf8_next(line, n, &cp); /* the spinner */
	if (line >= end || *line != ' ')
		return false;
	for (size_t i = 0; i < sizeof widths / sizeof widths[0] && !text; i++)
		text = after_id(line + 1, end, iid, widths[i]);
	if (!text || text >= end)
		return false;
	if (take_step(p, text))
		return true;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strncmp(text, states[i], strlen(states[i])) == 0) {
			if (!p->step)
				set_text(p, p->doing, sizeof p->doing,
					 i ? "starting the container" : "beginning");
			return true;
		}
	return false;
}

/* ---- retries ---- */

static void clear_notice(struct tg_mini_progress *p)
{
	if (p->notice[0] || p->rate_limited)
		p->changed = true;
	p->notice[0] = '\0';
	p->rate_limited = false;
	p->retry_at_ms = 0;
}

/* While a call waits for its next try no step is made: what comes then is an older one, seen late (the screen is
 * redrawn four times a second, stderr comes at once). */
void tg_mini_moved(struct tg_mini_progress *p)
{
	if (!p->retry_at_ms)
		clear_notice(p);
}

/* The last name in "litellm.exceptions.RateLimitError: text". */
static void class_name(const char *p, char out[64])
{
	static const char name_chars[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t n = 0;

	for (;;) {
		n = strspn(p, name_chars);
		if (p[n] != '.' || !strspn(p + n + 1, name_chars))
			break;
		p += n + 1;
	}
	snprintf(out, 64, "%.*s", n > 60 ? 60 : (int)n, p);
}

bool tg_mini_retry(struct tg_mini_progress *p, const char *line, size_t n, int64_t now_ms)
{
	char *copy = tg_strndup(line, n), *at, *end, name[64], text[160];
	const char *raised = "seconds as it raised ";
	bool found = false;
	double s;

	/* logging may have put something before it */
	at = strstr(copy, "Retrying ");
	at = at ? strstr(at, " in ") : NULL;
	if (at) {
		s = strtod(at + 4, &end);
		found = end > at + 4 && *end == ' ' && isfinite(s) && s >= 0 && s < 1e6 &&
			strncmp(end + 1, raised, strlen(raised)) == 0;
	}
	if (found) {
		class_name(end + 1 + strlen(raised), name);
		p->rate_limited = strcmp(name, "RateLimitError") == 0;
		snprintf(text, sizeof text, "%s, next try in %.0f s",
			 p->rate_limited ? "rate limited" : name[0] ? name : "an error", s);
		p->retry_at_ms = now_ms + (int64_t)(s * 1000);
		snprintf(p->notice, sizeof p->notice, "%s", text);
		p->changed = true;
	}
	free(copy);
	return found;
}

void tg_mini_tick(struct tg_mini_progress *p, int64_t now_ms)
{
	if (!p->retry_at_ms || now_ms < p->retry_at_ms)
		return;
	p->retry_at_ms = 0;
	set_text(p, p->notice, sizeof p->notice,
		 p->rate_limited ? "rate limited, trying again" : "trying again after an error");
}
