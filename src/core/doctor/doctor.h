#ifndef TG_DOCTOR_H
#define TG_DOCTOR_H
/*
 * Everything that would spoil a run, found before money is spent: one table of checks, one line
 * each (ok, warning, failure), what it means, and the command that mends it. The sections are those
 * of the runbook (A, B, C, E1, F, G1, G2, G3) and "machine". A check that does not apply gives no
 * line.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/doctor/facts.h"
#include "core/lib/err.h"

struct cJSON;

struct tg_doctor_ask { /* as the command line gives them; NULL: not given */
	const char *config, *model_id, *dataset, *split, *slice, *output, *tag, *repos;
	const char *agent, *evaluator; /* NULL: what the command line's rules make of the rest */
	bool force;   /* a hard line cannot be forced: it alone still counts */
};

enum tg_doctor_state { TG_DOCTOR_OK, TG_DOCTOR_WARNING, TG_DOCTOR_FAILURE };

struct tg_doctor_line {
	const char *id, *section, *title; /* static */
	enum tg_doctor_state state;
	bool input; /* a failure is the caller's input, not the machine */
	bool hard;  /* --force does not lift it */
	bool ends_run; /* this would end a run that was left alone: said again at detaching */
	char *text, *mend; /* owned; mend may be NULL */
};

struct tg_doctor {
	struct tg_doctor_line *v;
	size_t n;
	size_t warnings, failures, hard;
	size_t input_failures;
};

/* The agent's config as the checks want it, before any fact is read: model name and class and the
 * container program, so that the probe can look for the right ones. */
void tg_doctor_examine(struct tg_doctor *d, const struct tg_doctor_ask *ask);
/* The same over given facts (tests). */
void tg_doctor_check(struct tg_doctor *d, const struct tg_doctor_ask *ask,
		     const struct tg_machine *f);
void tg_doctor_fini(struct tg_doctor *d);
const struct tg_doctor_line *tg_doctor_find(const struct tg_doctor *d, const char *id);
/* 0, 2 (only inputs failed) or 3; with force: only hard lines count. */
int tg_doctor_exit(const struct tg_doctor *d, bool force);
const char *tg_doctor_state_name(enum tg_doctor_state s); /* ok, warning, failure */
/* {"schema":"tgmon.doctor.v1", "ok", "warnings", "failures", "checks":[...]} */
struct cJSON *tg_doctor_json(const struct tg_doctor *d);
/* One text line and, where there is one, the mend below it; only from `least` on. */
void tg_doctor_print(const struct tg_doctor *d, enum tg_doctor_state least, struct tg_buf *out);
/* The lines that would end a run that nobody watches (WSL, linger), or "". Reads the few facts that
 * it needs, starts no program but the sandbox check's. Caller frees. */
char *tg_doctor_detach_text(void);

/* --- a live key (doctor --ping) --- */
struct tg_ping {
	char *model; /* what would be called */
	double at_most; /* USD by litellm's price list; < 0: unknown */
};
/* What would be called? False: there is no config or no model in it. */
bool tg_ping_plan(struct tg_ping *p, const struct tg_doctor_ask *ask, struct tg_err *err);
/* Make the call and add its line to d. */
void tg_ping_run(struct tg_doctor *d, const struct tg_doctor_ask *ask);
void tg_ping_fini(struct tg_ping *p);

#endif
