#ifndef TG_ATTENTION_H
#define TG_ATTENTION_H
/* The top line of every screen: the one thing that needs the operator, and where the key goes. */
#include "tui/theme.h"
#include "views/data.h"

enum tg_need { TG_NEED_NOTHING, TG_NEED_RESUME, TG_NEED_GATE, TG_NEED_VETO, TG_NEED_UNREADABLE,
	       TG_NEED_SILENT, TG_NEED_FAILED };

struct tg_attention {
	enum tg_need need;
	enum tg_role role;
	int more;        /* further needs behind this one */
	int instance;    /* index, -1: none */
	char text[400];  /* not safe: draw through a canvas */
	char key[96];    /* what to press */
};

void tg_attention_find(struct tg_attention *out, const struct tg_data *d, bool read_only);

#endif
