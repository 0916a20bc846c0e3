#include "tui/pager.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SIDE_STEP 8

void tg_pager_init(struct tg_pager *p, const struct tg_pager_ops *ops, void *user)
{
	*p = (struct tg_pager){ .ops = ops, .user = user, .hit = TG_PAGER_NONE };
}

static size_t last_top(const struct tg_pager *p)
{
	size_t n = p->ops->count(p->user), page = p->page > 0 ? (size_t)p->page : 1;
	return n > page ? n - page : 0;
}

void tg_pager_goto(struct tg_pager *p, size_t line)
{
	size_t last = last_top(p);
	p->top = line < last ? line : last;
}

static bool has_capital(const char *s)
{
	for (; *s; s++)
		if (isupper((unsigned char)*s))
			return true;
	return false;
}

/* The first occurrence at or after `from`, or NULL. */
static const char *find_word(const char *word, struct tg_str s, size_t from)
{
	size_t n = strlen(word);
	bool exact = has_capital(word);
	for (size_t i = from; n && i + n <= s.n; i++)
		if (exact ? !memcmp(s.p + i, word, n) : !strncasecmp(s.p + i, word, n))
			return s.p + i;
	return NULL;
}

static bool find_line(struct tg_pager *p, size_t from, int step)
{
	size_t n = p->ops->count(p->user);
	for (size_t k = 0, i = from; k < n; k++, i = (i + n + (size_t)step) % n)
		if (find_word(p->search, p->ops->text(p->user, i), 0)) {
			p->hit = i;
			if (i < p->top || i >= p->top + (size_t)(p->page > 0 ? p->page : 1))
				tg_pager_goto(p, i > 2 ? i - 2 : 0);
			return true;
		}
	p->hit = TG_PAGER_NONE;
	return false;
}

bool tg_pager_search(struct tg_pager *p, const char *word)
{
	snprintf(p->search, sizeof p->search, "%s", word);
	p->hit = TG_PAGER_NONE;
	if (!word[0] || p->ops->count(p->user) == 0)
		return !word[0];
	p->follow = false;
	return find_line(p, p->top, 1);
}

static void search_again(struct tg_pager *p, int step)
{
	size_t n = p->ops->count(p->user);
	if (!p->search[0] || n == 0)
		return;
	size_t from = p->hit == TG_PAGER_NONE ? p->top : p->hit;
	p->follow = false;
	find_line(p, (from + n + (size_t)step) % n, step);
}

bool tg_pager_cmd(struct tg_pager *p, enum tg_cmd cmd)
{
	size_t page = p->page > 1 ? (size_t)p->page - 1 : 1, last = last_top(p);
	switch (cmd) {
	case TG_CMD_DOWN: tg_pager_goto(p, p->top + 1); break;
	case TG_CMD_PAGE_DOWN: tg_pager_goto(p, p->top + page); break;
	case TG_CMD_LAST: p->top = last; break;
	case TG_CMD_UP: p->top -= p->top > 0; p->follow = false; break;
	case TG_CMD_PAGE_UP: p->top = p->top > page ? p->top - page : 0; p->follow = false; break;
	case TG_CMD_FIRST: p->top = 0; p->follow = false; break;
	case TG_CMD_RIGHT: p->skip += p->skip < 4096 ? SIDE_STEP : 0; break;
	case TG_CMD_LEFT: p->skip -= p->skip >= SIDE_STEP ? SIDE_STEP : p->skip; break;
	case TG_CMD_FOLLOW: p->follow = !p->follow; break;
	case TG_CMD_SEARCH_NEXT: search_again(p, 1); break;
	case TG_CMD_SEARCH_PREV: search_again(p, -1); break;
	default: return false;
	}
	return true;
}

static void mark_hits(const struct tg_pager *p, struct tg_canvas *cv, struct tg_rect r, size_t line)
{
	struct tg_str s = p->ops->text(p->user, line);
	const char *at = s.p;
	while ((at = find_word(p->search, s, (size_t)(at - s.p)))) {
		size_t n = strlen(p->search);
		int x = tg_text_columns(s.p, (size_t)(at - s.p), cv->ascii) - p->skip +
			p->ops->gutter;
		int w = tg_text_columns(at, n, cv->ascii);
		if (x < p->ops->gutter) {
			w += x - p->ops->gutter;
			x = p->ops->gutter;
		}
		if (x + w > r.w)
			w = r.w - x;
		if (w > 0)
			tg_canvas_over(cv, (struct tg_rect){ r.y, r.x + x, 1, w }, TG_ROLE_HIT);
		at += n;
	}
}

void tg_pager_draw(struct tg_pager *p, struct tg_canvas *cv, struct tg_rect r)
{
	size_t n = p->ops->count(p->user);
	p->page = r.h;
	if (p->follow || p->top > last_top(p))
		p->top = last_top(p);
	for (int y = 0; y < r.h && p->top + (size_t)y < n; y++) {
		struct tg_rect row = { r.y + y, r.x, 1, r.w };
		p->ops->draw(p->user, cv, row, p->top + (size_t)y, p->skip);
		if (p->search[0])
			mark_hits(p, cv, row, p->top + (size_t)y);
	}
}
