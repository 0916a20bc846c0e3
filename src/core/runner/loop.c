/* The loop: one thread, poll over pidfds, inotify and a signalfd; it never waits for a job. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/json.h"
#include "core/pipeline/pipeline.h"
#include "core/run/watch.h"
#include "core/runner/gate.h"
#include "core/runner/loop.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define WAKE_MS 1000
#define REOPEN_MS 2000
#define LIVE_LOOK_MS 5000
#define STUCK_MS (10 * 60 * 1000)
#define SIGNAL_PATIENCE_MS 10000
#define STOP_PATIENCE_MS 60000

/* ---- records -------------------------------------------------------------------------------- */

struct cJSON *tg_loop_body(const char *iid, int attempt)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "iid", iid);
	tg_json_set_int(o, "a", attempt);
	return o;
}

static void journal_failed(struct tg_runner *r, const char *ev, const struct tg_err *err)
{
	tg_log(&r->log, TG_LOG_ERROR, "%s could not be recorded: %s", ev, err->msg);
	snprintf(r->trouble, sizeof r->trouble, "%.*s", (int)sizeof r->trouble - 1, err->msg);
	if (err->code == TG_E_INPUT)
		return; /* this record only */
	if (err->sys == ENOSPC || err->sys == EDQUOT) {
		tg_journal_close(r->journal);
		r->journal = NULL;
		r->reopen_ms = tg_mono_ms() + REOPEN_MS;
		r->nospace_ms = r->reopen_ms;
	} else {
		r->poisoned = true;
	}
}

bool tg_loop_put(struct tg_runner *r, const char *ev, struct cJSON *body)
{
	struct tg_err err = { 0 };

	if (!r->journal || r->poisoned) {
		tg_json_free(body);
		return false;
	}
	if (tg_journal_append(r->journal, ev, body, &err))
		return true;
	journal_failed(r, ev, &err);
	return false;
}

/* ---- slots ---------------------------------------------------------------------------------- */

struct tg_slot *tg_loop_slot(struct tg_runner *r, size_t inst, int attempt, enum tg_stage stage)
{
	for (size_t i = 0; i < r->slot_n; i++)
		if (r->slot[i].inst == inst && r->slot[i].attempt == attempt &&
		    r->slot[i].stage == stage)
			return &r->slot[i];
	return NULL;
}

struct tg_slot *tg_loop_add_slot(struct tg_runner *r, size_t inst, int attempt, enum tg_stage stage,
				 int k, char *dir, int pidfd)
{
	TG_GROW(r->slot, r->slot_n, r->slot_cap);
	r->slot[r->slot_n] = (struct tg_slot){ .inst = inst, .attempt = attempt, .stage = stage,
					       .k = k, .dir = dir, .pidfd = pidfd };
	return &r->slot[r->slot_n++];
}

void tg_loop_reap(struct tg_slot *s)
{
	siginfo_t si;

	if (s->pidfd < 0)
		return;
	waitid((idtype_t)P_PIDFD, (id_t)s->pidfd, &si, WEXITED | WNOHANG);
	close(s->pidfd);
	s->pidfd = -1;
}

void tg_loop_drop_slot(struct tg_runner *r, size_t i)
{
	tg_loop_reap(&r->slot[i]);
	free(r->slot[i].dir);
	r->slot[i] = r->slot[--r->slot_n];
}

/* ---- the journal after a full disk ---------------------------------------------------------- */

static void forget(struct tg_runner *r)
{
	while (r->slot_n)
		tg_loop_drop_slot(r, r->slot_n - 1);
	for (size_t i = 0; i < r->req_n; i++)
		free(r->req[i]);
	r->req_n = 0;
	tg_pending_fini(&r->pending);
	tg_run_fini(&r->run);
	tg_run_init(&r->run, r->dir);
	tg_run_expect(&r->run, (const char *const *)r->spec.expected, r->spec.expected_n);
	memset(r->side, 0, r->run.inst_n * sizeof *r->side);
	r->budget_usd = r->spec.budget_usd;
}

/* What was written is read again from the beginning: recovery is the normal start path. */
static void reopen(struct tg_runner *r)
{
	struct tg_err err = { 0 };

	forget(r);
	r->journal = tg_journal_open(r->dir, tg_record_apply, r, &err);
	if (r->journal) {
		tg_log(&r->log, TG_LOG_INFO, "the journal can be written again");
		tg_recover(r);
		return;
	}
	r->reopen_ms = tg_mono_ms() + REOPEN_MS;
	if (err.sys != ENOSPC && err.sys != EDQUOT) {
		r->poisoned = true;
		snprintf(r->trouble, sizeof r->trouble, "%.*s", (int)sizeof r->trouble - 1,
			 err.msg);
	}
}

/* ---- watching agents ------------------------------------------------------------------------ */

static void look_at_agent(struct tg_runner *r, struct tg_slot *s, int64_t now, double *cost)
{
	const char *iid = r->run.inst[s->inst].id;
	const char *env = getenv("TGMON_STUCK_MS");
	int64_t limit;

	tg_live_refresh(&s->live, s->dir, iid);
	if (s->live.cost_usd > 0)
		*cost += s->live.cost_usd;
	if (!env || !tg_parse_i64(env, &limit) || limit <= 0)
		limit = STUCK_MS;
	if (!s->stuck && s->live.activity_ms && now - s->live.activity_ms > limit) {
		s->stuck = true;
		tg_notify_post(&r->notify, "stuck", iid, "no sign of life for a long time");
	}
}

static void look_at_agents(struct tg_runner *r)
{
	double cost = tg_run_cost(&r->run, NULL);
	int64_t wall = tg_wall_ms();

	r->live_look_ms = tg_mono_ms() + LIVE_LOOK_MS;
	for (size_t i = 0; i < r->slot_n; i++)
		if (r->slot[i].stage == TG_STAGE_AGENT && r->slot[i].inst != TG_RUN_LEVEL)
			look_at_agent(r, &r->slot[i], wall, &cost);
	r->cost = cost;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Nothing under way: the inbox wakes us, so a look at the disk every few seconds is enough. */
static int wait_ms(const struct tg_runner *r)
{
	int64_t now = tg_mono_ms(), wall = tg_wall_ms(), wait = r->slot_n ? WAKE_MS : 5 * WAKE_MS;

	if (!r->run.gate.open || r->ending != TG_END_NONE || r->notify.pid > 0 || !r->journal)
		wait = WAKE_MS;
	for (size_t i = 0; i < r->slot_n; i++)
		wait = earliest(wait, r->slot[i].ended ? 0 : r->slot[i].look_ms - now);
	for (size_t i = 0; i < r->run.inst_n; i++)
		if (r->run.inst[i].queued && r->run.inst[i].not_before_ms > wall)
			wait = earliest(wait, r->run.inst[i].not_before_ms - wall);
	if (r->retry_ms > now)
		wait = earliest(wait, r->retry_ms - now);
	wait = tg_outage_wait(r, wait);
	return wait < 0 ? 0 : (int)wait;
}

static void swallow_inotify(int fd)
{
	char block[4096] __attribute__((aligned(8)));

	while (read(fd, block, sizeof block) > 0)
		;
}

static void read_signals(struct tg_runner *r)
{
	struct signalfd_siginfo si;

	while (read(r->signals, &si, sizeof si) == (ssize_t)sizeof si)
		if (si.ssi_signo == SIGTERM && r->ending == TG_END_NONE) {
			tg_log(&r->log, TG_LOG_INFO, "SIGTERM: ending");
			r->ending = TG_END_SIGNAL;
			r->ending_ms = tg_mono_ms();
			tg_stop_all(r);
		}
}

static void wait_for_something(struct tg_runner *r, int wait)
{
	struct pollfd *pf = tg_calloc(r->slot_n + 3, sizeof *pf);
	size_t n = 0;

	pf[n++] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	pf[n++] = (struct pollfd){ .fd = r->inbox, .events = POLLIN };
	pf[n++] = (struct pollfd){ .fd = r->notify.pidfd, .events = POLLIN };
	for (size_t i = 0; i < r->slot_n; i++)
		pf[n++] = (struct pollfd){ .fd = r->slot[i].ended ? -1 : r->slot[i].pidfd,
					   .events = POLLIN };
	if (poll(pf, n, wait) < 0 && errno != EINTR)
		tg_sleep_ms(50);
	for (size_t i = 0; i < r->slot_n; i++)
		if (pf[i + 3].revents)
			r->slot[i].ended = true;
	if (pf[1].revents) {
		swallow_inotify(r->inbox);
		r->inbox_dirty = true;
	}
	if (pf[0].revents)
		read_signals(r);
	free(pf);
}

/* ---- the end -------------------------------------------------------------------------------- */

static int end_run(struct tg_runner *r, const char *why, int code)
{
	struct cJSON *o = tg_json_object();
	int64_t until = tg_mono_ms() + 30000;

	while (!tg_notify_idle(&r->notify) && tg_mono_ms() < until) {
		tg_notify_tick(&r->notify);
		tg_sleep_ms(10);
	}
	tg_json_set_str(o, "why", why);
	tg_loop_put(r, "runner.end", o);
	tg_log(&r->log, TG_LOG_INFO, "runner ends: %s", why);
	return r->poisoned ? 70 : code;
}

static bool all_stages_well(const struct tg_run *run)
{
	for (int s = TG_STAGE_COLLECT; s < TG_STAGE_COUNT; s++)
		if (run->stage[s].state != TG_JOB_OK)
			return false;
	return true;
}

static bool put_done(struct tg_runner *r)
{
	struct tg_artifact a[TG_ARTIFACTS];
	struct tg_run as_done = r->run; /* read only: everything was just rebuilt */
	struct cJSON *o = tg_json_object();
	bool complete;

	as_done.stale = false;
	tg_artifacts(&as_done, a);
	complete = all_stages_well(&r->run) && tg_run_is_complete(&as_done, a);
	tg_json_set_bool(o, "complete", complete);
	if (r->run.gate_known)
		tg_json_set_bool(o, "gate_pass", r->run.gate_pass);
	else
		tg_json_set_null(o, "gate_pass");
	if (!tg_loop_put(r, "run.done", o))
		return false;
	tg_notify_post(&r->notify, "done", NULL,
		       complete ? "the run is complete" : "the run ended, but it is not complete");
	return true;
}

static bool is_through(const struct tg_runner *r)
{
	return !r->inbox_dirty && tg_schedule_idle(r) && tg_run_all_judged(&r->run) &&
	       tg_pipeline_run_stage(&r->run) == TG_STAGE_COUNT;
}

/* -1: go on. */
static int check_end(struct tg_runner *r)
{
	const struct tg_gate_row *row = r->run.gate.open ? NULL : tg_gate_find(r->run.gate.row);
	int64_t patience = r->ending == TG_END_SIGNAL ? SIGNAL_PATIENCE_MS : STOP_PATIENCE_MS;

	if (r->ending != TG_END_NONE) {
		if (r->slot_n && tg_mono_ms() < r->ending_ms + patience)
			return -1;
		return end_run(r, r->ending == TG_END_SIGNAL ? "signal" : "stopped", 0);
	}
	if (is_through(r)) {
		if ((r->run.done_ms == 0 || r->did_work) && !put_done(r))
			return -1;
		return end_run(r, "done", 0);
	}
	if (r->run.draining && tg_schedule_idle(r) && !r->inbox_dirty)
		return end_run(r, "drained", 0);
	if (r->headless && row && !row->self_reopens && r->slot_n == 0 && !r->inbox_dirty &&
	    (row->stages || tg_schedule_idle(r)))
		return end_run(r, "gate", 5);
	return -1;
}

/* Nothing can be recorded any more: let the shims finish, they keep their results. */
static int check_poisoned_end(struct tg_runner *r)
{
	for (size_t i = r->slot_n; i-- > 0;)
		if (r->slot[i].ended)
			tg_loop_drop_slot(r, i);
	for (size_t i = 0; i < r->slot_n; i++)
		if (r->slot[i].pidfd >= 0)
			return -1;
	tg_log(&r->log, TG_LOG_ERROR, "runner ends after an I/O error: %s", r->trouble);
	return 70;
}

static int turn(struct tg_runner *r)
{
	tg_notify_tick(&r->notify);
	tg_outage_tick(r);
	if (r->poisoned)
		return check_poisoned_end(r);
	if (!r->journal && tg_mono_ms() >= r->reopen_ms)
		reopen(r);
	if (!r->journal)
		return r->ending != TG_END_NONE ? 70 : -1;
	if (r->inbox_dirty) {
		r->inbox_dirty = false;
		tg_inbox_scan(r);
	}
	tg_settle(r);
	tg_settle_judged(r);
	if (tg_mono_ms() >= r->live_look_ms || r->budget_usd >= 0)
		look_at_agents(r);
	tg_schedule(r);
	return r->journal && !r->poisoned ? check_end(r) : -1;
}

int tg_loop_run(struct tg_runner *r)
{
	int code;

	r->inbox_dirty = true;
	while ((code = turn(r)) < 0) {
		int wait = wait_ms(r);

		wait_for_something(r, r->poisoned ? WAKE_MS : wait);
		if (wait >= 5 * WAKE_MS)
			r->inbox_dirty = true; /* in case a notice was lost */
	}
	return code;
}
