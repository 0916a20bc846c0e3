/*
 * Starting jobs. The order of the launch protocol is what makes it safe (reliability.md 2.5): a
 * number that nobody had, the directory, the lock, the specification, the durable record, and only
 * then the process. A crash between any two of these loses a number, never money.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/pipeline/pipeline.h"
#include "core/run/layout.h"
#include "core/run/lock.h"
#include "core/runner/gate.h"
#include "core/runner/loop.h"

struct launch {
	size_t inst;       /* TG_RUN_LEVEL: run-level */
	const char *iid;
	int attempt, k;
	enum tg_stage stage;
	char *dir;
	int lock;
	char spec_sha256[65];
};

/* The highest number among names "<prefix><digits>" in a folder; 0: none. */
static int highest(const char *folder, const char *prefix)
{
	struct tg_names names = { 0 };
	int most = 0;
	int64_t n;

	if (!tg_dir_list(folder, &names, NULL))
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (tg_starts_with(names.v[i], prefix) &&
		    tg_parse_i64(names.v[i] + strlen(prefix), &n) && n > most && n < INT32_MAX)
			most = (int)n;
	tg_names_free(&names);
	return most;
}

/* One more than any number that the disk or the journal knows. */
static int next_number(const struct launch *l, const char *folder, int journal)
{
	char prefix[32] = "";
	int disk;

	if (l->stage != TG_STAGE_AGENT)
		snprintf(prefix, sizeof prefix, "%s.", tg_stage_name(l->stage));
	disk = highest(folder, prefix);
	return (disk > journal ? disk : journal) + 1;
}

static bool make_directory(struct launch *l, const char *folder, struct tg_err *err)
{
	char *work = tg_path_join(l->dir, "work"), *tree = tg_path_join(l->dir, "tree.lock");
	char *parent = tg_path_dir(folder);
	/* The folder's own entry must be durable too, before an attempt can be billed to it. */
	bool ok = tg_is_dir(folder) ||
		  (tg_mkdirs(folder, 0700, err) && tg_fsync_dir(parent, err));

	ok = ok && tg_mkdir_new(l->dir, 0700, err) && tg_mkdirs(work, 0700, err) &&
	     tg_lock_take(tree, NULL, 2000, &l->lock, err);
	free(work);
	free(tree);
	free(parent);
	return ok;
}

static bool write_spec(struct tg_runner *r, struct launch *l, struct tg_err *err)
{
	struct tg_job job = { .stage = l->stage, .instance_id = tg_strdup(l->iid),
			      .attempt = l->attempt, .k = l->k, .dir = tg_strdup(l->dir) };
	bool ok = tg_pipeline_job(&r->run, &r->spec, &job, err) &&
		  tg_job_write(&job, l->spec_sha256, err);

	tg_job_fini(&job);
	return ok;
}

static const char *start_reason(const struct tg_runner *r, const struct launch *l)
{
	if (r->side[l->inst].resume)
		return "resume";
	return r->run.inst[l->inst].queue_why ? r->run.inst[l->inst].queue_why : "first";
}

static bool record_start(struct tg_runner *r, const struct launch *l)
{
	struct cJSON *o = tg_loop_body(l->iid, l->attempt);

	if (l->stage == TG_STAGE_AGENT) {
		tg_json_set_str(o, "config_sha256", r->spec.config.sha256);
		tg_json_set_str(o, "why", start_reason(r, l));
		tg_json_set_str(o, "spec_sha256", l->spec_sha256);
		return tg_loop_put(r, "att.start", o);
	}
	tg_json_set_str(o, "stage", tg_stage_name(l->stage));
	tg_json_set_int(o, "k", l->k);
	return tg_loop_put(r, "stage.begin", o);
}

/* After the record: whatever happens now, the slot will find out. */
static void start_job(struct tg_runner *r, struct launch *l)
{
	struct tg_err err = { 0 };
	int pidfd = -1;

	if (!r->exec->start(l->dir, l->lock, &pidfd, &err))
		tg_log(&r->log, TG_LOG_ERROR, "%s", err.msg); /* the slot's end counts it */
	tg_loop_add_slot(r, l->inst, l->attempt, l->stage, l->k, l->dir, pidfd)->ours = true;
	l->dir = NULL;
	r->did_work = true;
}

static bool launch(struct tg_runner *r, struct launch *l, const char *folder)
{
	struct tg_err err = { 0 };
	bool ok;

	l->lock = -1;
	ok = make_directory(l, folder, &err) && write_spec(r, l, &err);
	if (!ok) {
		tg_fail_in(&err, "cannot prepare %s of %s", tg_stage_name(l->stage),
			   l->iid ? l->iid : "the run");
		tg_gate_failed(r, err.sys, err.msg);
	} else if (record_start(r, l)) {
		start_job(r, l);
	} else {
		ok = false;
	}
	if (l->lock >= 0)
		close(l->lock);
	free(l->dir);
	return ok;
}

static bool launch_agent(struct tg_runner *r, size_t i)
{
	const struct tg_instance *in = &r->run.inst[i];
	const struct tg_attempt *latest = tg_instance_latest(in);
	struct launch l = { .inst = i, .iid = in->id, .stage = TG_STAGE_AGENT, .k = 1 };
	char *any = tg_layout_attempt(r->dir, in->id, 1), *folder = tg_path_dir(any);
	bool ok;

	l.attempt = next_number(&l, folder, latest ? latest->n : 0);
	l.dir = tg_layout_attempt(r->dir, in->id, l.attempt);
	ok = launch(r, &l, folder);
	free(any);
	free(folder);
	return ok;
}

static bool launch_stage(struct tg_runner *r, size_t i, int attempt, enum tg_stage stage)
{
	struct launch l = { .inst = i, .attempt = attempt, .stage = stage };
	const struct tg_stage_mark *m = &r->run.stage[stage];
	char *any, *folder;
	bool ok;

	if (i != TG_RUN_LEVEL) {
		l.iid = r->run.inst[i].id;
		m = &tg_instance_attempt(&r->run.inst[i], attempt)->stage[stage];
	}
	any = tg_layout_job(r->dir, l.iid, attempt, stage, 1);
	folder = tg_path_dir(any);
	l.k = next_number(&l, folder, m->k);
	l.dir = tg_layout_job(r->dir, l.iid, attempt, stage, l.k);
	ok = launch(r, &l, folder);
	free(any);
	free(folder);
	return ok;
}

/* An attempt of a run that something else made: nothing runs, it is taken as ended. */
static bool import_attempt(struct tg_runner *r, size_t i)
{
	const struct tg_instance *in = &r->run.inst[i];
	struct launch l = { .inst = i, .iid = in->id, .stage = TG_STAGE_AGENT, .lock = -1 };
	char *any = tg_layout_attempt(r->dir, in->id, 1), *folder = tg_path_dir(any);
	const struct tg_attempt *latest = tg_instance_latest(in);
	struct tg_err err = { 0 };
	struct cJSON *o;
	bool ok;

	l.attempt = next_number(&l, folder, latest ? latest->n : 0);
	l.dir = tg_layout_attempt(r->dir, in->id, l.attempt);
	ok = make_directory(&l, folder, &err);
	if (ok) {
		o = tg_loop_body(in->id, l.attempt);
		tg_json_set_str(o, "source", r->spec.source_dir);
		ok = tg_loop_put(r, "att.import", o);
		r->did_work = true;
	} else {
		tg_gate_failed(r, err.sys, err.msg);
	}
	if (l.lock >= 0)
		close(l.lock);
	free(l.dir);
	free(any);
	free(folder);
	return ok;
}

/* ---- what may start ------------------------------------------------------------------------- */

static int in_pool(const struct tg_runner *r, enum tg_pool pool)
{
	int n = 0;

	for (size_t i = 0; i < r->slot_n; i++)
		n += tg_stage_def(r->slot[i].stage)->pool == pool;
	return n;
}

static bool pool_has_room(const struct tg_runner *r, enum tg_stage stage)
{
	enum tg_pool pool = tg_stage_def(stage)->pool;

	return in_pool(r, pool) < tg_pipeline_pool_size(&r->spec, pool);
}

/* A stage that the journal has active without a job of ours died with its shim: it is tried again,
 * which is no failure of its own. */
static bool died(struct tg_runner *r, size_t i, const struct tg_attempt *att, enum tg_stage s)
{
	const struct tg_stage_mark *m = att ? &att->stage[s] : &r->run.stage[s];

	return m->state == TG_JOB_ACTIVE && !tg_loop_slot(r, i, att ? att->n : 0, s);
}

static bool schedule_attempt(struct tg_runner *r, size_t i, int attempt)
{
	enum tg_stage ready[TG_STAGE_ATTEMPT_COUNT];
	const struct tg_attempt *att = tg_instance_attempt(&r->run.inst[i], attempt);
	size_t n = tg_pipeline_ready(&r->run, att, ready);

	for (int s = TG_STAGE_EXTRACT; s < TG_STAGE_ATTEMPT_COUNT && n < TG_STAGE_ATTEMPT_COUNT;
	     s++)
		if (att->ended && !att->judged && died(r, i, att, (enum tg_stage)s))
			ready[n++] = (enum tg_stage)s;
	for (size_t j = 0; j < n; j++) /* launching only moves marks, so the list stays good */
		if (pool_has_room(r, ready[j]) && !launch_stage(r, i, attempt, ready[j]))
			return false;
	return true;
}

static bool schedule_stages(struct tg_runner *r)
{
	for (size_t i = 0; i < r->run.inst_n; i++)
		for (size_t a = 0; a < r->run.inst[i].att_n; a++) {
			const struct tg_attempt *att = &r->run.inst[i].att[a];

			if (att->ended && !att->lost && !att->judged &&
			    !schedule_attempt(r, i, att->n))
				return false;
		}
	return true;
}

/* A stage of an attempt is under way or could start. */
static bool stages_left(const struct tg_runner *r)
{
	for (size_t i = 0; i < r->run.inst_n; i++)
		for (size_t a = 0; a < r->run.inst[i].att_n; a++) {
			const struct tg_attempt *att = &r->run.inst[i].att[a];

			if (att->ended && !att->lost && !att->judged)
				return true;
		}
	return false;
}

static bool schedule_run_stage(struct tg_runner *r)
{
	enum tg_stage stage = TG_STAGE_COUNT;

	for (size_t i = 0; i < r->slot_n; i++)
		if (r->slot[i].inst == TG_RUN_LEVEL)
			return true; /* one at a time */
	for (int s = TG_STAGE_COLLECT; s < TG_STAGE_COUNT && stage == TG_STAGE_COUNT; s++)
		if (died(r, TG_RUN_LEVEL, NULL, (enum tg_stage)s))
			stage = (enum tg_stage)s;
	if (stage == TG_STAGE_COUNT)
		stage = tg_pipeline_run_stage(&r->run);
	/* The verdict over all waits for earlier attempts' stages as well. */
	if (stage == TG_STAGE_COUNT || (stage != TG_STAGE_COLLECT && stages_left(r)) ||
	    !pool_has_room(r, stage))
		return true;
	return launch_stage(r, TG_RUN_LEVEL, 0, stage);
}

static bool may_start(const struct tg_runner *r, size_t i, int64_t now)
{
	const struct tg_instance *in = &r->run.inst[i];
	const struct tg_attempt *latest = tg_instance_latest(in);

	return in->queued && !in->cancelled && in->not_before_ms <= now &&
	       (!latest || latest->ended);
}

/* Where attempts cost money, how an ended one ended (and what it cost) must be known before more is
 * spent: the next one would meet the same dead key. */
static bool end_is_open(const struct tg_runner *r)
{
	int tries = tg_stage_def(TG_STAGE_EXTRACT)->tries;
	bool matters = r->budget_usd >= 0 || tg_outage_costs_money(r);

	for (size_t i = 0; matters && i < r->run.inst_n; i++)
		for (size_t a = 0; a < r->run.inst[i].att_n; a++) {
			const struct tg_attempt *att = &r->run.inst[i].att[a];
			const struct tg_stage_mark *m = &att->stage[TG_STAGE_EXTRACT];

			if (att->ended && !att->lost && !att->judged && m->state != TG_JOB_OK &&
			    m->failures < tries)
				return true;
		}
	return false;
}

/* The gate is asked before every launch: each one may be the one that closes it. */
static void schedule_agents(struct tg_runner *r)
{
	bool foreign = tg_streq(r->spec.agent, "foreign");
	const struct tg_gate_row *row;
	int64_t now = tg_wall_ms();

	if (!foreign && end_is_open(r))
		return;
	for (size_t i = 0; i < r->run.inst_n; i++) {
		if (!may_start(r, i, now))
			continue;
		if ((!foreign && !pool_has_room(r, TG_STAGE_AGENT)) || !tg_outage_ready(r))
			return;
		row = tg_gate_check(r);
		if (row && !tg_outage_may_probe(r, row))
			return;
		if (!(foreign ? import_attempt(r, i) : launch_agent(r, i)))
			return;
		if (row)
			tg_outage_probed(r);
	}
}

void tg_schedule(struct tg_runner *r)
{
	const struct tg_gate_row *row = tg_gate_check(r);

	if (!r->journal || r->poisoned || (row && row->stages))
		return;
	if (schedule_stages(r) && schedule_run_stage(r) && (!row || tg_outage_may_probe(r, row)))
		schedule_agents(r);
}

bool tg_schedule_idle(const struct tg_runner *r)
{
	return r->slot_n == 0 && !stages_left(r);
}
