#ifndef TG_FACTS_H
#define TG_FACTS_H
/*
 * What is known of one instance, as labelled lines: the detail pane and the detail screen show the
 * same. All from the fold and the live observation; nothing is concluded here.
 */
#include "core/lib/buf.h"
#include "tui/canvas.h"
#include "views/data.h"

struct tg_fact {
	char *label; /* "" continues the one above */
	char *text;
	enum tg_role role;
};

struct tg_patch_facts {
	struct tg_fact *v;
	size_t n, cap;
};

/* att: the attempt that is looked at (may be NULL). brief: the pane's selection. */
void tg_patch_facts_make(struct tg_patch_facts *f, const struct tg_data *d, size_t i,
			 const struct tg_attempt *att, bool brief);
void tg_patch_facts_clear(struct tg_patch_facts *f);
void tg_patch_facts_fini(struct tg_patch_facts *f);
/* Draw one line; the label has 12 columns. Long texts are cut with a mark. */
void tg_fact_draw(const struct tg_fact *fact, struct tg_canvas *cv, struct tg_rect r, int skip);
/* Break texts that are wider than w columns into further lines. */
void tg_patch_facts_wrap(struct tg_patch_facts *f, int w);

#define TG_FACT_LABEL 12

#endif
