#ifndef TG_GATE_H
#define TG_GATE_H
/*
 * The launch gate: one table of rows. A closed gate starts nothing and kills nothing; each change
 * is a `gate` record. The first row that is closed is the one that is shown.
 */
#include <stdbool.h>
#include "core/lib/buf.h"

struct tg_runner;

struct tg_gate_row {
	const char *name;
	/* Is this row closed? Then say why in text and what opens it in reopens. */
	bool (*closed)(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);
	bool stages;       /* holds back stage jobs as well, not only agents */
	bool self_reopens; /* false: only a person can open it */
	bool answerable;   /* the command `answer` opens it */
};

/* Look at all rows, journal a change, tell --notify. NULL: open. */
const struct tg_gate_row *tg_gate_check(struct tg_runner *r);
/* The row of that name, or NULL. */
const struct tg_gate_row *tg_gate_find(const char *name);
/* `answer {row, usd?}`: a person opens a row. False: err says why it cannot be opened so. */
struct cJSON;
bool tg_gate_answer(struct tg_runner *r, const struct cJSON *args);
/* Told when a launch failed (true: disk full), or went well. */
void tg_gate_failed(struct tg_runner *r, int sys, const char *text);
void tg_gate_worked(struct tg_runner *r);

#endif
