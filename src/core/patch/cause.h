#ifndef TG_CAUSE_H
#define TG_CAUSE_H
/*
 * Why an attempt left no usable patch: one cause over all classes, because one fault has many faces
 * (a wrong working directory is prose in one version of the agent, a limit in another, an empty patch
 * elsewhere), with the one thing that mends it. A pure function; a cause decides nothing but what a
 * rerun is offered for, so that text which a model can forge may count here.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/run/words.h"

enum tg_cause_id {
	TG_CA_NONE, /* a usable patch */
	TG_CA_WORKDIR, TG_CA_CONTAINER, TG_CA_PROGRAM, TG_CA_RATE_LIMIT, TG_CA_KEY, TG_CA_CONTEXT,
	TG_CA_LIMIT, TG_CA_FORMAT, TG_CA_NOTHING, TG_CA_PROSE, TG_CA_PATCH, TG_CA_INFRA,
	TG_CA_UNKNOWN,
	TG_CA_COUNT
};

struct tg_cause_step { /* of the last steps, in order */
	const char *command; /* NULL: an answer without a command */
	const char *output;  /* NULL: none */
	int returncode;      /* INT_MIN unknown */
};

struct tg_cause_in { /* texts may be NULL */
	const char *exit_status;
	enum tg_outcome outcome;
	enum tg_patch_class cls;
	const char *submission; /* the head of what was handed in */
	const char *exception;  /* the exception's text, or the traceback */
	const char *log_tail;   /* of the agent's own standard error */
	const char *cwd;        /* the configured working directory */
	const struct tg_cause_step *step;
	size_t step_n;
};

struct tg_cause {
	enum tg_cause_id id;
	const char *text, *remedy; /* constants; NULL when there is no cause */
};

struct tg_cause tg_cause_find(const struct tg_cause_in *in);
const char *tg_cause_name(enum tg_cause_id id); /* "working-directory"; NULL for none */

#endif
