#ifndef TG_PROMPT_H
#define TG_PROMPT_H
/*
 * The foot line as a question: a text to type, or yes/no with the safe answer preset. The caller
 * gets what happened with each key and does the rest.
 */
#include <stdbool.h>
#include <stdint.h>
#include "tui/canvas.h"

enum tg_prompt_kind { TG_PROMPT_NONE, TG_PROMPT_TEXT, TG_PROMPT_CONFIRM };
enum tg_prompt_event { TG_PROMPT_OPEN, TG_PROMPT_CHANGED, TG_PROMPT_ACCEPTED, TG_PROMPT_REFUSED };

struct tg_prompt {
	enum tg_prompt_kind kind;
	int purpose;        /* the caller's */
	char label[512];
	char text[128];
	size_t n;
};

void tg_prompt_text(struct tg_prompt *p, int purpose, const char *label, const char *text);
/* y says yes; Enter, Esc, n and all else say no. */
void tg_prompt_confirm(struct tg_prompt *p, int purpose, const char *question);
/* After ACCEPTED and REFUSED the prompt is closed; its text stays until the next one opens. */
enum tg_prompt_event tg_prompt_key(struct tg_prompt *p, uint32_t key);
void tg_prompt_draw(const struct tg_prompt *p, struct tg_canvas *cv, struct tg_rect r);

#endif
