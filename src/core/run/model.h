#ifndef TG_MODEL_H
#define TG_MODEL_H
/*
 * The state of a run: a fold over its journal through one function, tg_run_apply. Runner restart,
 * console, `status --json` and the proof all see this struct. Nothing here is read from anywhere else
 * (what changes every second, such as steps of a running agent, is in live.h and never journalled).
 *
 * Events (member `ev`; other members in brackets; iid = instance id, a = attempt, k = try of a stage):
 *   run.open      [run_sha256, run_id, expected: n]              first record
 *   runner.start  [pid, boot_id, host, version]                  each start; also ends an interruption
 *   runner.end    [why: done|stopped|drained|gate|signal|io]     an orderly end
 *   att.start     [iid, a, config_sha256, why: first|retry|rerun|resume, spec_sha256]   before money
 *   att.run       [iid, a]                                        shim seen alive
 *   att.kill      [iid, a, reason: operator|timeout|budget|stop|disk]
 *   att.orphan    [iid, a]
 *   att.exit      [iid, a, code, sig, why: exit|signal|timeout|killed|salvaged, wall_ms_used, oom]
 *   att.lost      [iid, a, why: never_started|shim_gone]
 *   att.import    [iid, a, source]                                a foreign run's attempt, taken as ended
 *   stage.begin   [iid|null, a, stage, k]
 *   stage.end     [iid|null, a, stage, k, ok, error, result_sha256, sum{}]
 *   inst.retry    [iid, a, why, not_before_ms]                    the runner itself reruns
 *   inst.rerun    [iid, req]                                      the operator reruns
 *   inst.done     [iid, a]                                        this attempt is judged
 *   inst.cancel   [iid, req]
 *   cmd           [req, verb, args{}, uid, user, host, pid, ok, error]
 *   gate          [open, row, text, reopens]
 *   amend         [what: config, old_sha256, new_sha256, path, diff]
 *   waiver, note  [text, ...]
 *   io.error      [op, text]
 *   run.stale     []                                              artefacts no longer fit the rows
 *   run.done      [complete, gate_pass]                           all stages of the run are through
 * Unknown events are kept in the chain and ignored by the fold.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/run/journal.h"
#include "core/run/words.h"

enum tg_job_state { TG_JOB_NONE, TG_JOB_ACTIVE, TG_JOB_OK, TG_JOB_FAILED };

struct tg_stage_mark {
	enum tg_job_state state;
	int k;              /* the latest try; 0: none */
	int failures;       /* tries that failed */
	int64_t begin_ms, end_ms;
	uint64_t begin_seq, end_seq; /* journal sequence numbers of the latest stage.begin, stage.end */
	char *error;        /* of the latest failure */
	char *result_sha256;
};

struct tg_violation {
	char *code, *severity;
};

struct tg_attempt {
	int n;
	char *why;                 /* first, retry, rerun, resume, import */
	char *config_sha256;
	int64_t start_ms, end_ms;  /* end_ms 0 while it runs */
	bool started, running, stopping, orphan, ended, lost, imported, judged;
	char *end_why;             /* exit, signal, timeout, killed, salvaged, never_started, ... */
	char *kill_reason;
	int code, sig;
	struct tg_stage_mark stage[TG_STAGE_ATTEMPT_COUNT];
	/* extract */
	enum tg_outcome outcome;
	char *exit_status;         /* the agent's own word, or NULL */
	char *model_answered;      /* from the trajectory's responses, or NULL */
	int64_t steps;             /* -1: unknown */
	double cost_usd;           /* < 0: unknown */
	int64_t tokens;            /* -1: unknown */
	bool cost_lower_bound, no_trajectory;
	char *no_trajectory_why;
	char *patch_source, *traj_sha256;
	/* triage */
	enum tg_patch_class patch_class;
	char *patch_reason, *patch_remedy, *rung, *patch_sha256;
	char *cause_id, *cause_text, *cause_remedy; /* NULL: a usable patch, or not known */
	int64_t patch_bytes;       /* -1: unknown */
	int applies;               /* 1, 0, -1 unknown */
	char **flags;
	size_t flags_n;
	/* scan */
	enum tg_scan_status scan;
	char *scan_reason;
	struct tg_violation *violation; /* new ones, one a code */
	size_t violation_n;
	/* evaluate */
	enum tg_eval_status eval;
	int resolved;              /* 1, 0, -1 unknown */
	char *eval_reason;
	/* govern */
	enum tg_decision decision;
	char *decision_reason;
	double cri;                /* < 0: none */
	enum tg_evidence_level evidence;
};

struct tg_instance {
	char *id;
	struct tg_attempt *att; /* in order; attempt numbers may have gaps (burnt ones) */
	size_t att_n, att_cap;
	bool queued;            /* waits for a (further) attempt */
	bool cancelled;
	int64_t not_before_ms;  /* retry back-off, wall; 0: now */
	int retries_used;       /* automatic ones */
	char *queue_why;        /* first, retry, rerun */
};

struct tg_gate_state {
	bool open;
	char *row, *text, *reopens;
	int64_t since_ms;
};

struct tg_run_note {
	int64_t wall_ms;
	char *kind; /* note, waiver, amend, cmd, io.error */
	char *text;
};

struct tg_run {
	char *dir;                 /* absolute */
	char *run_id, *run_sha256;
	bool opened, foreign;      /* foreign: no journal, made by the importer */
	struct tg_instance *inst;  /* in the expected order */
	size_t inst_n, inst_cap;
	uint64_t seq;
	uint64_t work_seq;         /* the latest record that names an instance (member iid) */
	uint64_t runner_seq;       /* the latest runner.start */
	char head[65];
	int64_t opened_ms, last_ms, done_ms; /* done_ms 0 while open */
	bool runner_up;            /* between runner.start and runner.end; not the same as alive */
	int64_t runner_pid;
	char *runner_boot, *runner_host, *runner_end;
	bool paused, draining, stopping;
	struct tg_gate_state gate;
	bool budget_answered;      /* a person gave another budget than the launch froze: */
	double budget_usd;         /* this one; negative: lifted */
	struct tg_stage_mark stage[TG_STAGE_COUNT]; /* run-level ones */
	bool gate_pass, gate_known, complete, stale, withheld;
	char *bundle_sha256, *manifest_sha256;
	int config_digests;        /* distinct config digests among started attempts */
	char *expected_from;       /* foreign: which files named the instances; else NULL */
	struct tg_run_note *note;
	size_t note_n, note_cap;
};

void tg_run_init(struct tg_run *run, const char *dir);
void tg_run_fini(struct tg_run *run);
/* Add the expected ids, in order, before folding (from run.json). */
void tg_run_expect(struct tg_run *run, const char *const *ids, size_t n);
/* The one fold. Has the signature of tg_record_fn with user = struct tg_run *. */
bool tg_run_apply(void *run, const struct tg_record *rec, struct tg_err *err);

struct tg_instance *tg_run_instance(const struct tg_run *run, const char *iid); /* NULL: none */
struct tg_attempt *tg_instance_attempt(const struct tg_instance *in, int n);
struct tg_attempt *tg_instance_latest(const struct tg_instance *in); /* NULL: none yet */
/* The attempt that counts (selection "first-own"): the first ended one whose outcome is the model's
 * own; else the latest ended one; else the latest; NULL when there is none. */
struct tg_attempt *tg_instance_counted(const struct tg_instance *in);
struct tg_attempt *tg_instance_best(const struct tg_instance *in); /* resolved if any attempt is */
enum tg_state tg_instance_state(const struct tg_instance *in);
/* No usable patch in the counted and in the latest attempt, and nothing under way: one key reruns. */
bool tg_instance_failed(const struct tg_instance *in);
bool tg_run_all_judged(const struct tg_run *run);
/* Sum over all attempts, in USD; *lower_bound is set when an attempt's cost is unknown. */
double tg_run_cost(const struct tg_run *run, bool *lower_bound);

struct tg_counts {
	size_t total, by_state[TG_ST_COUNT], by_decision[TG_DEC_COUNT];
	size_t resolved, resolved_latest, resolved_best, failed, usable, no_trajectory;
	size_t new_violations, attempts;
};
void tg_run_count(const struct tg_run *run, struct tg_counts *out);

#endif
