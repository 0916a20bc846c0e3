#ifndef TG_OUTAGE_H
#define TG_OUTAGE_H
/*
 * The rows of the launch gate that look at how the batch goes: the canary, one cause again and
 * again, a dead key, a rate limit, Docker. What happened is read from the fold, so a restart knows
 * it; only what is being looked at this moment stands here.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/buf.h"

struct tg_runner;
struct tg_gate_row;

struct tg_outage {
	/* Journal positions up to which a person has answered; from the records of `answer`. */
	uint64_t key_seq, cause_seq, rate_seq, canary_seq;
	/* rate limit */
	uint64_t limited_seq;  /* the latest attempt that a rate limit ended */
	int64_t limited_ms;    /* monotonic, when that was noticed */
	int64_t probe_ms;      /* monotonic: no probe before */
	int probes;            /* since the limit began */
	int64_t look_ms;       /* monotonic: when running agents are looked at again */
	int limited_live;      /* running agents that say that they wait for a rate limit */
	/* Docker: `docker info`, asked without waiting */
	char *docker;          /* NULL: this run needs none */
	bool looked_up, asked, answered;
	pid_t pid;
	int pidfd, out;
	int64_t ask_ms, asked_ms; /* monotonic: when to ask again, when the answer came */
	char root[512], trouble[256];
};

void tg_outage_fini(struct tg_runner *r);
/* outage_docker.c */
void tg_docker_tick(struct tg_runner *r);
void tg_docker_fini(struct tg_runner *r);
/* Attempts of a recorded or foreign agent cost nothing and meet no provider. */
bool tg_outage_costs_money(const struct tg_runner *r);
/* Once a turn: look at Docker's answer and at running agents. Never waits. */
void tg_outage_tick(struct tg_runner *r);
/* Is what must be known before an agent starts known? False: soon. */
bool tg_outage_ready(struct tg_runner *r);
/* This closed row lets one attempt try whether it can open again. */
bool tg_outage_may_probe(struct tg_runner *r, const struct tg_gate_row *row);
void tg_outage_probed(struct tg_runner *r);
/* Milliseconds until tg_outage_tick has something to do, at most `wait`. */
int64_t tg_outage_wait(const struct tg_runner *r, int64_t wait);
/* Did a rate limit end this attempt, so that it is queued again? */
struct tg_attempt;
bool tg_outage_requeues(const struct tg_runner *r, const struct tg_attempt *att);
/* The effect of an answer, at journal position r->run.seq. False: no row of these. */
bool tg_outage_answer(struct tg_runner *r, const char *row);

/* Rows of the gate (gate.c). */
bool tg_outage_key(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);
bool tg_outage_cause(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);
bool tg_outage_rate(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);
bool tg_outage_canary(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);
bool tg_outage_docker(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);
bool tg_outage_docker_disk(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens);

#endif
