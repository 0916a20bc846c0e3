/*
 * From the end of a job to records. One way for jobs of ours and for those of a runner that died:
 * look at the job's directory, decide, append. A slot is only dropped when its record is durable.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/pipeline/pipeline.h"
#include "core/runner/gate.h"
#include "core/runner/loop.h"

#define LOOK_STARTING_MS 50
#define LOOK_MS 1000
#define RESIDUE_PATIENCE_MS 60000
#define DIED_MAX 20     /* a stage whose shim is killed again and again has failed */
#define LOST_MAX 4      /* attempts lost in a row before a person must look */
#define RESULT_MAX (256 << 10)
#define SUM_MAX (48 << 10)

static struct tg_attempt *attempt_of(const struct tg_runner *r, const struct tg_slot *s)
{
	return s->inst == TG_RUN_LEVEL ? NULL
				       : tg_instance_attempt(&r->run.inst[s->inst], s->attempt);
}

static const char *iid_of(const struct tg_runner *r, const struct tg_slot *s)
{
	return s->inst == TG_RUN_LEVEL ? NULL : r->run.inst[s->inst].id;
}

/* ---- agents --------------------------------------------------------------------------------- */

/* The shim is gone, but the agent's own final trajectory is whole and says how it ended: it was
 * paid for, so it counts. */
static bool is_salvageable(const struct tg_runner *r, const struct tg_slot *s)
{
	const struct tg_json_limits limits = { .max_bytes = 128 << 20, .dup_keys_ok = true };
	struct tg_buf text = TG_BUF_INIT;
	char *rel = tg_asprintf("work/%s.traj.json", iid_of(r, s));
	struct cJSON *o = NULL;
	const char *status;
	bool ok;

	if (tg_file_read_beneath(s->dir, rel, limits.max_bytes, &text, NULL))
		o = tg_json_parse(text.p, text.n, rel, &limits, NULL);
	status = tg_json_text(tg_json_path(o, "info.exit_status"));
	ok = status && *status;
	tg_json_free(o);
	tg_buf_fini(&text);
	free(rel);
	return ok;
}

static bool finish_agent(struct tg_runner *r, struct tg_slot *s)
{
	const struct tg_attempt *att = attempt_of(r, s);
	struct cJSON *o;
	struct tg_exit x;
	bool known = tg_exit_load(&x, s->dir, NULL), began = tg_job_was_started(s->dir);

	if (!att || att->ended)
		return true;
	o = tg_loop_body(iid_of(r, s), s->attempt);
	if (known || (began && is_salvageable(r, s))) {
		tg_json_set_int(o, "code", x.code);
		tg_json_set_int(o, "sig", x.sig);
		tg_json_set_str(o, "why", known ? x.why : "salvaged");
		if (known)
			tg_json_set_int(o, "wall_ms_used", x.ended_ms - x.started_ms);
		else
			tg_json_set_null(o, "wall_ms_used");
		tg_json_set_bool(o, "oom", x.oom);
		tg_gate_worked(r);
		return tg_loop_put(r, "att.exit", o);
	}
	if (!began && s->ours)
		tg_gate_failed(r, 0,
			       "the shim of an attempt ended before it began (see runner.log)");
	tg_json_set_str(o, "why", began ? "shim_gone" : "never_started");
	return tg_loop_put(r, "att.lost", o);
}

/* ---- stages --------------------------------------------------------------------------------- */

/* result.json, when it is whole and of this job; NULL else, err says why. */
static struct cJSON *read_result(const struct tg_runner *r, const struct tg_slot *s, char sha[65],
				 struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;

	if (tg_file_read_beneath(s->dir, "result.json", RESULT_MAX, &text, err)) {
		tg_sha256_hex(text.p, text.n, sha);
		o = tg_json_parse(text.p, text.n, "result.json", NULL, err);
	}
	tg_buf_fini(&text);
	if (o && (!tg_streq(tg_json_str(o, "schema"), "tgmon.stage.v1") ||
		  !tg_streq(tg_json_str(o, "stage"), tg_stage_name(s->stage)) ||
		  !tg_streq(tg_json_str(o, "instance_id"), iid_of(r, s)) ||
		  tg_json_int(o, "attempt", 0) != s->attempt || tg_json_int(o, "k", 0) != s->k)) {
		tg_fail(err, TG_E_INPUT, "result.json is not the result of this job");
		tg_json_free(o);
		o = NULL;
	}
	return o;
}

static char *why_failed(const struct tg_exit *x, bool known, const struct cJSON *result,
			const struct tg_err *err)
{
	const char *said = tg_json_str(result, "error");

	if (!known)
		return tg_strdup("its shim was killed again and again");
	if (tg_streq(x->why, "timeout"))
		return tg_strdup("it took longer than its time limit");
	if (x->sig)
		return tg_asprintf("ended by signal %d%s", x->sig,
				   x->oom ? " (out of memory)" : "");
	if (said)
		return tg_strdup(said);
	if (x->code)
		return tg_asprintf("exit code %d; the job's out.log says more", x->code);
	return tg_asprintf("no usable result: %s", err->msg);
}

static struct cJSON *stage_end(const struct tg_runner *r, const struct tg_slot *s, bool ok,
			       const char *error, const char *sha, const struct cJSON *sum)
{
	struct cJSON *o = tg_loop_body(iid_of(r, s), s->attempt);
	char *line = error ? tg_strndup(error, strnlen(error, 4096)) : NULL;

	tg_json_set_str(o, "stage", tg_stage_name(s->stage));
	tg_json_set_int(o, "k", s->k);
	tg_json_set_bool(o, "ok", ok);
	tg_json_set_str(o, "error", line);
	tg_json_set_str(o, "result_sha256", sha[0] ? sha : NULL);
	tg_json_set(o, "sum", sum ? tg_json_dup(sum) : tg_json_object());
	free(line);
	return o;
}

static bool finish_stage(struct tg_runner *r, struct tg_slot *s)
{
	const struct tg_attempt *att = attempt_of(r, s);
	const struct tg_stage_mark *m = att ? &att->stage[s->stage] : &r->run.stage[s->stage];
	struct tg_err err = { 0 };
	struct tg_buf probe = TG_BUF_INIT;
	char sha[65] = "", *error = NULL;
	struct tg_exit x;
	struct cJSON *result;
	bool known = tg_exit_load(&x, s->dir, NULL), ok, done;

	if (m->state != TG_JOB_ACTIVE || m->k != s->k)
		return true; /* on record already */
	result = read_result(r, s, sha, &err);
	ok = result && tg_json_bool(result, "ok", false) &&
	     (!known || (tg_streq(x.why, "exit") && x.code == 0));
	if (ok)
		tg_json_print(tg_json_get(result, "sum"), TG_JSON_CANONICAL, &probe);
	if (probe.n > SUM_MAX) {
		ok = tg_fail(&err, TG_E_INPUT, "the summary of the stage is larger than %d bytes",
			     SUM_MAX);
		error = tg_strdup(err.msg);
	}
	tg_buf_fini(&probe);
	if (!ok && ((!known && s->k < DIED_MAX) || (known && tg_streq(x.why, "killed")))) {
		tg_json_free(result);
		free(error);
		if (!known && s->ours && !tg_job_was_started(s->dir))
			tg_gate_failed(
			    r, 0, "the shim of a stage ended before it began (see runner.log)");
		return true; /* its mark stays active: it is tried again */
	}
	if (!ok && !error)
		error = why_failed(&x, known, result, &err);
	if (!ok)
		tg_log(&r->log, TG_LOG_WARN, "%s of %s failed: %s", tg_stage_name(s->stage),
		       att ? iid_of(r, s) : "the run", error);
	tg_gate_worked(r);
	done = tg_loop_put(r, "stage.end",
			   stage_end(r, s, ok, error, sha, ok ? tg_json_get(result, "sum") : NULL));
	tg_json_free(result);
	free(error);
	return done;
}

/* ---- looking at a slot ---------------------------------------------------------------------- */

static bool finish(struct tg_runner *r, struct tg_slot *s)
{
	return s->stage == TG_STAGE_AGENT ? finish_agent(r, s) : finish_stage(r, s);
}

static bool shim_lives(struct tg_runner *r, struct tg_slot *s, int fd, int64_t now)
{
	const struct tg_attempt *att = attempt_of(r, s);

	if (s->pidfd < 0)
		s->pidfd = fd;
	else if (fd >= 0)
		close(fd);
	s->look_ms = s->pidfd >= 0 ? INT64_MAX : now + LOOK_STARTING_MS;
	if (s->stage != TG_STAGE_AGENT || !att)
		return true;
	if (att->stopping && !s->killed) { /* the record was made, the signal perhaps not */
		s->killed = true;
		r->exec->stop(s->dir, s->pidfd, att->kill_reason ? att->kill_reason : "stop", -1);
	}
	s->seen = true;
	return att->running || tg_loop_put(r, "att.run", tg_loop_body(iid_of(r, s), s->attempt));
}

/* How long an orphan may go on: what is left of the job's time limit. */
static int64_t orphan_deadline(struct tg_runner *r, const struct tg_slot *s, int64_t now)
{
	const struct tg_attempt *att = attempt_of(r, s);
	struct tg_job job;
	int64_t limit = 0, used = att ? tg_wall_ms() - att->start_ms : 0;

	if (tg_exit_load(&(struct tg_exit){ 0 }, s->dir, NULL))
		return now + RESIDUE_PATIENCE_MS; /* its shim did what it could */
	if (tg_job_load(&job, s->dir, NULL)) {
		limit = job.timeout_s * 1000LL;
		tg_job_fini(&job);
	}
	if (limit <= 0)
		return INT64_MAX;
	return now + (used < 0 ? limit : used > limit ? 0 : limit - used);
}

/* The shim is gone, its tree is not. True: it can be finished now. */
static bool orphan(struct tg_runner *r, struct tg_slot *s, int64_t now, bool *ok)
{
	const struct tg_attempt *att = attempt_of(r, s);
	bool agent = s->stage == TG_STAGE_AGENT && att,
	     exited = tg_exit_load(&(struct tg_exit){0}, s->dir, NULL);

	tg_loop_reap(s);
	s->look_ms = now + LOOK_MS;
	if (!s->deadline)
		s->deadline = orphan_deadline(r, s, now);
	if (agent && !exited && !att->orphan)
		*ok = tg_loop_put(r, "att.orphan", tg_loop_body(iid_of(r, s), s->attempt));
	if (*ok && (now >= s->deadline || s->killed)) {
		if (!s->killed)
			tg_stop_slot(r, s, "timeout", true);
		r->exec->teardown(s->dir);
		s->look_ms = now + LOOK_STARTING_MS;
		return now >= s->deadline + RESIDUE_PATIENCE_MS;
	}
	return false;
}

/* True: the slot is done and can be dropped. */
static bool look_at(struct tg_runner *r, struct tg_slot *s, int64_t now, bool *ok)
{
	int fd = -1;

	if (s->ended) { /* from here on it is looked at, until it is on record */
		tg_loop_reap(s);
		s->ended = false;
		s->look_ms = now + LOOK_MS;
	}
	switch (r->exec->look(s->dir, &fd)) {
	case TG_ALIVE_SHIM:
		*ok = shim_lives(r, s, fd, now);
		return false;
	case TG_ALIVE_STARTING:
		s->look_ms = now + LOOK_STARTING_MS;
		return false;
	case TG_ALIVE_ORPHAN:
		if (!orphan(r, s, now, ok))
			return false;
		break;
	case TG_ALIVE_NO:
		break;
	}
	*ok = finish(r, s);
	return *ok;
}

void tg_settle(struct tg_runner *r)
{
	int64_t now = tg_mono_ms();
	bool ok = true;

	for (size_t i = r->slot_n; ok && r->journal && i-- > 0;)
		if ((r->slot[i].ended || now >= r->slot[i].look_ms) &&
		    look_at(r, &r->slot[i], now, &ok))
			tg_loop_drop_slot(r, i);
}

/* ---- judged, and what follows --------------------------------------------------------------- */

static int64_t retry_at(int tries)
{
	const char *env = getenv("TGMON_RETRY_BASE_MS");
	int64_t base = 30000;
	uint32_t dice = 0;

	if (env && (!tg_parse_i64(env, &base) || base < 0 || base > 3600000))
		base = 30000;
	(void)!getrandom(&dice, sizeof dice, GRND_NONBLOCK);
	base <<= tries < 6 ? tries : 6;
	return tg_wall_ms() + base * 4 / 5 +
	       (base ? (int64_t)(dice % (uint64_t)(base * 2 / 5 + 1)) : 0);
}

static bool put_retry(struct tg_runner *r, size_t i, int attempt, const char *why,
		      int64_t not_before)
{
	struct cJSON *o = tg_loop_body(r->run.inst[i].id, attempt);

	tg_json_set_str(o, "why", why);
	tg_json_set_int(o, "not_before_ms", not_before);
	return tg_loop_put(r, "inst.retry", o);
}

/* The queueing comes before inst.done: a crash between them must not lose it. */
static bool judge(struct tg_runner *r, size_t i, const struct tg_attempt *att)
{
	const struct tg_instance *in = &r->run.inst[i];
	const struct tg_side *side = &r->side[i];
	bool open = att == tg_instance_latest(in) && !in->queued && !in->cancelled;
	int n = att->n;

	if (att->lost) {
		if (open && side->lost <= LOST_MAX && !put_retry(r, i, n, "lost", 0))
			return false;
	} else if (open && tg_outage_requeues(r, att)) {
		if (!put_retry(r, i, n, "outage", 0)) /* the gate holds it until the outage is over */
			return false;
	} else if (open && att->outcome == TG_OUT_INFRA && !att->imported &&
		   side->infra < r->spec.retries) {
		if (!put_retry(r, i, n, "infra", retry_at(side->infra)))
			return false;
	}
	if (!tg_loop_put(r, "inst.done", tg_loop_body(in->id, n)))
		return false;
	att = tg_instance_attempt(in, n);
	if (att->decision == TG_DEC_VETO)
		tg_notify_post(&r->notify, "veto", in->id, att->decision_reason);
	return true;
}

void tg_settle_judged(struct tg_runner *r)
{
	for (size_t i = 0; i < r->run.inst_n; i++)
		for (size_t a = 0; a < r->run.inst[i].att_n; a++) {
			const struct tg_attempt *att = &r->run.inst[i].att[a];
			bool gone = att->lost && !tg_streq(att->end_why, "never_started");

			if (att->ended && !att->judged &&
			    (gone || (!att->lost && tg_pipeline_judged(att))) && !judge(r, i, att))
				return;
		}
}
