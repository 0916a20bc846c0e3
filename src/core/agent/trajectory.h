#ifndef TG_TRAJECTORY_H
#define TG_TRAJECTORY_H
/*
 * Trajectories of mini-swe-agent 1.x ("mini-swe-agent-1") and 2.x ("mini-swe-agent-1.1"); spec:
 * mini-swe-agent-and-swebench.md section 2. Every byte in them is hostile; what is absent is unknown,
 * never an error.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/run/words.h"

struct cJSON;

struct tg_traj {
	struct cJSON *root;        /* owned */
	int version;               /* 1, 2 (format 1.1); 0 unknown */
	const char *instance_id, *exit_status, *submission; /* borrowed; NULL when absent or null */
	bool has_submission;       /* info.submission is a string */
	int64_t api_calls;         /* -1 unknown */
	double cost_usd;           /* < 0 unknown */
	int64_t tokens;            /* sum over answers; -1 unknown */
	const char *model_config, *model_answered; /* borrowed or NULL */
	const char *traceback, *exception;
	bool no_trajectory;        /* "tgmon":{"no_trajectory":true} */
};

bool tg_traj_load(struct tg_traj *t, const char *path, struct tg_err *err);
bool tg_traj_parse(struct tg_traj *t, const char *p, size_t n, const char *name, struct tg_err *err);
void tg_traj_fini(struct tg_traj *t);

/* One step: an assistant message and its commands (1.x: the ```bash block; 2.x: extra.actions). */
struct tg_step {
	size_t message_index;
	const char *text;      /* assistant content, borrowed, may be NULL */
	char **command;        /* owned, n of them */
	size_t command_n;
	const char *output;    /* first observation that follows, borrowed or NULL */
	int returncode;        /* INT_MIN unknown */
};
bool tg_traj_steps(const struct tg_traj *t, struct tg_step **steps, size_t *n); /* false: no messages */
void tg_steps_free(struct tg_step *steps, size_t n);

/* The groups a person thinks in, from the agent's own word (spec 1.8), what it submitted and how the
 * process ended. `killed` = timeout|operator|NULL. */
enum tg_outcome tg_traj_outcome(const struct tg_traj *t, const char *killed, int code, int sig);
/* The same with the reason in a few plain words (static text). t may be NULL: there is none. A word of
 * the agent that says that it had finished (submitted, or a limit of its own) wins over `killed`: a
 * result that was paid for is not lost because the process was slow to go. */
enum tg_outcome tg_traj_outcome_why(const struct tg_traj *t, const char *killed, int code, int sig,
				    const char **why);
/* One exit status on its own (exit_statuses_*.yaml): status as written there, the exception's text or
 * NULL, and whether a non-blank submission is known. why may be NULL. */
enum tg_outcome tg_status_outcome(const char *status, const char *text, bool submitted,
				  const char **why);

#endif
