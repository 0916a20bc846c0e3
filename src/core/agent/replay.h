#ifndef TG_REPLAY_H
#define TG_REPLAY_H
/*
 * The replay agent, private to agent/. A recording is a trajectory of mini-swe-agent's; its
 * commands are executed again, for real, and what they print now is what counts. A member
 * `tgmon_replay` at its top says how an attempt ends that does not submit:
 *   {"end": "LimitsExceeded"}                 or any other exit status: the steps, then that
 *   {"end": "exception", "class", "text"}     as the tool ends when something is raised
 *   {"end": "crash"}                          the process aborts, no final trajectory
 *   {"end": "hang"}                           it never ends by itself
 *   {"no_trajectory": true}                   with an exception: only the log is left (2.x,
 * environment) and in a message {"delay_s": N} replaces the run's pace before that step.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/agent/trajectory.h"
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct cJSON;

/* data_dir/trajectories/<iid>.<turn>.traj.json, or the highest number below turn, or
 * <iid>.traj.json. Caller frees; NULL: there is none. */
char *tg_replay_recording(const char *data_dir, const char *iid, int turn);
/* Which turn an attempt is: 1 + the earlier attempts of the instance that came to an end. A number
 * that was burnt, or an attempt that was lost with the machine or stopped by the operator, used up
 * no recording: otherwise a crash of ours would change what the next attempt does. */
int tg_replay_turn(const char *run_dir, const char *iid, int attempt);

/* The trajectory that is being written. */
struct tg_tape {
	struct cJSON *root, *info, *messages; /* root is owned */
	int version;
	double cost;
	int64_t calls;
	char *live, *tmp, *final; /* paths in work/ */
};

void tg_tape_init(struct tg_tape *t, const struct tg_traj *rec, const char *work, const char *iid,
		  const char *recording);
void tg_tape_fini(struct tg_tape *t);
/* A recorded message, with the time it has now; ours members are left out. Returns the copy. */
void tg_tape_copy(struct tg_tape *t, const struct cJSON *message);
struct tg_result { /* of one command; out is valid UTF-8 without NUL, as the tool decodes it */
	struct tg_buf out;
	int code;
	bool timed_out;
	int limit_s;
};
void tg_tape_observe(struct tg_tape *t, const struct tg_result *r, const char *tool_call_id);
/* The end: exit status, submission ("" when none), exception text or NULL. */
void tg_tape_end(struct tg_tape *t, const char *status, const char *submission,
		 const char *exception);
bool tg_tape_save_live(struct tg_tape *t, struct tg_err *err); /* rename only: no fsync per step */
bool tg_tape_save(struct tg_tape *t, struct tg_err *err);

/* Bytes as Python decodes them with errors="replace"; NUL becomes U+FFFD too. */
void tg_replay_decode(struct tg_buf *out, const char *p, size_t n);
/* mini-swe-agent's submission rule (decisions.md). NULL: no submission, else the rest of the
 * output. */
const char *tg_replay_submission(int version, const char *output, int code);

#endif
