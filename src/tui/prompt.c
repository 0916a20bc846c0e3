#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

#include "tui/keys.h"

void tg_prompt_text(struct tg_prompt *p, int purpose, const char *label, const char *text)
{
	*p = (struct tg_prompt){ .kind = TG_PROMPT_TEXT, .purpose = purpose };
	snprintf(p->label, sizeof p->label, "%s", label);
	snprintf(p->text, sizeof p->text, "%s", text);
	p->n = strlen(p->text);
}

void tg_prompt_confirm(struct tg_prompt *p, int purpose, const char *question)
{
	*p = (struct tg_prompt){ .kind = TG_PROMPT_CONFIRM, .purpose = purpose };
	snprintf(p->label, sizeof p->label, "%s", question);
}

static size_t encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 63));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 63));
		out[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 63));
	out[2] = (char)(0x80 | (cp >> 6 & 63));
	out[3] = (char)(0x80 | (cp & 63));
	return 4;
}

static enum tg_prompt_event close_prompt(struct tg_prompt *p, enum tg_prompt_event e)
{
	p->kind = TG_PROMPT_NONE;
	return e;
}

static enum tg_prompt_event text_key(struct tg_prompt *p, uint32_t key)
{
	char bytes[4];
	switch (key) {
	case TG_KEY_ENTER: return close_prompt(p, TG_PROMPT_ACCEPTED);
	case TG_KEY_ESC: return close_prompt(p, TG_PROMPT_REFUSED);
	case TG_KEY_BACKSPACE:
		if (p->n == 0)
			return close_prompt(p, TG_PROMPT_REFUSED);
		do
			p->n--;
		while (p->n && ((unsigned char)p->text[p->n] & 0xc0) == 0x80);
		p->text[p->n] = '\0';
		return TG_PROMPT_CHANGED;
	case 'u' & 31: /* C-u */
		p->text[p->n = 0] = '\0';
		return TG_PROMPT_CHANGED;
	default: break;
	}
	if (key < 0x20 || key == 0x7f || key > 0x10ffff)
		return TG_PROMPT_OPEN;
	size_t k = encode(key, bytes);
	if (p->n + k >= sizeof p->text)
		return TG_PROMPT_OPEN;
	memcpy(p->text + p->n, bytes, k);
	p->text[p->n += k] = '\0';
	return TG_PROMPT_CHANGED;
}

enum tg_prompt_event tg_prompt_key(struct tg_prompt *p, uint32_t key)
{
	if (p->kind == TG_PROMPT_TEXT)
		return text_key(p, key);
	return close_prompt(p, key == 'y' || key == 'Y' ? TG_PROMPT_ACCEPTED : TG_PROMPT_REFUSED);
}

void tg_prompt_draw(const struct tg_prompt *p, struct tg_canvas *cv, struct tg_rect r)
{
	static const char answer[] = " y/[N] ";
	if (p->kind == TG_PROMPT_CONFIRM) {
		/* The answer is never cut off, the question may be. */
		int room = r.w - (int)sizeof answer + 1;
		int x = tg_canvas_put(cv, TG_AT(r.y, r.x, room > 0 ? room : 1, TG_ROLE_PROMPT),
				      p->label);
		tg_canvas_put(cv, TG_AT(r.y, r.x + x, r.w - x, TG_ROLE_HINT_KEY), answer);
		return;
	}
	int x = tg_canvas_put(cv, TG_AT(r.y, r.x, r.w, TG_ROLE_PROMPT), p->label);
	int room = r.w - x - 1, cols = tg_text_columns(p->text, p->n, cv->ascii);
	struct tg_at at = TG_AT(r.y, r.x + x, room, TG_ROLE_TEXT);
	at.skip = cols > room ? cols - room : 0;
	x += tg_canvas_puts(cv, at, p->text, p->n);
	tg_canvas_over(cv, (struct tg_rect){ r.y, r.x + x, 1, 1 }, TG_ROLE_HIT); /* the caret */
}
