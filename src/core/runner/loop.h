#ifndef TG_LOOP_H
#define TG_LOOP_H
/*
 * Private to the runner: its state and the parts that work on it. Truth is the journal and its fold
 * (r->run); what stands here beside it can be lost at any moment and is found again by
 * tg_recover().
 *
 * After a failed append the fold may lag behind the disk, so: tg_loop_put() false means "stop what
 * you do and return"; the loop then mends (disk full) or ends (I/O error).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/lib/log.h"
#include "core/run/journal.h"
#include "core/run/live.h"
#include "core/run/model.h"
#include "core/run/spec.h"
#include "core/runner/executor.h"
#include "core/runner/notify.h"
#include "core/runner/outage.h"

#define TG_RUN_LEVEL ((size_t)-1) /* slot.inst of a run-level stage */

struct tg_slot { /* a job in flight */
	size_t inst;       /* index into run.inst */
	int attempt, k;
	enum tg_stage stage;
	char *dir;
	int pidfd;         /* -1: looked at now and then */
	bool ours;         /* started by this runner, not adopted */
	bool ended;        /* the pidfd said so */
	bool seen;         /* att.run is journalled */
	bool killed;       /* we asked for its end */
	bool stuck;        /* told */
	int64_t look_ms;   /* monotonic: when to look again */
	int64_t deadline;  /* monotonic: of an orphan; 0: none yet */
	struct tg_live live;
};

struct tg_side { /* beside an instance: derived from the journal, not part of the fold */
	int infra;         /* automatic reruns after infrastructure since the operator last asked */
	int lost;          /* attempts lost in a row */
	bool resume;       /* the next attempt takes up work that a stop or a crash cut off */
};

enum tg_ending { TG_END_NONE, TG_END_STOP, TG_END_SIGNAL };

struct tg_pending { /* effects of a journalled command that are not journalled yet */
	char *req;
	char **iid;
	size_t n;
	struct cJSON *amend; /* the amend record that belongs to it, or NULL */
};

struct tg_runner {
	char *dir;
	struct tg_spec spec;
	char spec_sha256[65];
	struct tg_run run;
	struct tg_journal_writer *journal;  /* NULL: could not be written, is opened again */
	bool poisoned;                      /* I/O error: nothing more is recorded */
	int64_t reopen_ms;
	const struct tg_executor_ops *exec;
	struct tg_slot *slot;
	size_t slot_n, slot_cap;
	struct tg_side *side;               /* run.inst_n */
	char **req;                         /* commands seen, for duplicates */
	size_t req_n, req_cap;
	struct tg_pending pending;
	int lock, inbox, signals;
	bool inbox_dirty;
	enum tg_ending ending;
	bool stop_now;
	int64_t ending_ms;                  /* monotonic, when the ending began */
	bool headless, did_work;
	/* gate */
	int64_t nospace_ms;                 /* monotonic: a job could not be made before this */
	int failures;                       /* launches that failed, in a row */
	int64_t retry_ms;                   /* monotonic: no launch before */
	char trouble[320];                  /* why launches fail */
	double budget_usd;                  /* < 0: none; raised or lifted by `answer` */
	int64_t disk_look_ms, live_look_ms;
	double cost;                        /* so far, live steps included */
	struct tg_outage outage;
	struct tg_notify notify;
	struct tg_log log;
};

/* loop.c */
bool tg_loop_put(struct tg_runner *r, const char *ev, struct cJSON *body);
struct cJSON *tg_loop_body(const char *iid, int attempt); /* {iid, a}; iid NULL: {iid: null} */
struct tg_slot *tg_loop_slot(struct tg_runner *r, size_t inst, int attempt, enum tg_stage stage);
void tg_loop_reap(struct tg_slot *s); /* close the pidfd, collect the shim when it was our child */
void tg_loop_drop_slot(struct tg_runner *r, size_t i);
/* Takes dir and pidfd over. */
struct tg_slot *tg_loop_add_slot(struct tg_runner *r, size_t inst, int attempt, enum tg_stage stage,
				 int k, char *dir, int pidfd);
int tg_loop_run(struct tg_runner *r); /* until the end; the exit code */

/* record.c: the fold and what the runner wants beside it; a tg_record_fn, user is the runner. */
bool tg_record_apply(void *user, const struct tg_record *rec, struct tg_err *err);
void tg_pending_fini(struct tg_pending *p);

/* schedule.c: start everything that may start. */
void tg_schedule(struct tg_runner *r);
/* Nothing in flight and no stage of an attempt due. */
bool tg_schedule_idle(const struct tg_runner *r);

/* settle.c: slots whose job ended become records. */
void tg_settle(struct tg_runner *r);
void tg_settle_judged(struct tg_runner *r); /* inst.done, automatic reruns */

/* recover.c: the start path: adopt, ingest, salvage; queue again what was cut off. */
bool tg_recover(struct tg_runner *r);

/* inbox.c */
void tg_inbox_scan(struct tg_runner *r);
bool tg_inbox_finish_pending(struct tg_runner *r);

/* stop.c: ask jobs for their end. */
void tg_stop_slot(struct tg_runner *r, struct tg_slot *s, const char *reason, bool now);
void tg_stop_all(struct tg_runner *r);

#endif
