#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/agent.h"
#include "core/evaluate/evaluate.h"
#include "core/lib/buf.h"
#include "core/lib/proc.h"
#include "core/pipeline/pipeline.h"
#include "core/proof/secret.h"
#include "core/run/layout.h"

extern char **environ;

#define BIT(s) (1u << (s))

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* collect while agents still run: not more often than this, so that cost grows with what changed */
#define COLLECT_EVERY_MS 10000

static const struct tg_stage_def stages[TG_STAGE_COUNT] = {
	[TG_STAGE_AGENT] = { TG_STAGE_AGENT, 0, TG_POOL_AGENT, 0, 1, NULL },
	[TG_STAGE_EXTRACT] = { TG_STAGE_EXTRACT, BIT(TG_STAGE_AGENT), TG_POOL_LIGHT, 60, 2,
			       tg_stage_extract },
	[TG_STAGE_TRIAGE] = { TG_STAGE_TRIAGE, BIT(TG_STAGE_EXTRACT), TG_POOL_LIGHT, 120, 2,
			      tg_stage_triage },
	[TG_STAGE_SCAN] = { TG_STAGE_SCAN, BIT(TG_STAGE_TRIAGE), TG_POOL_LIGHT, 120, 2,
			    tg_stage_scan },
	[TG_STAGE_EVALUATE] = { TG_STAGE_EVALUATE, BIT(TG_STAGE_EXTRACT) | BIT(TG_STAGE_TRIAGE),
				TG_POOL_EVAL, 0, 2, tg_stage_evaluate },
	[TG_STAGE_RISK] = { TG_STAGE_RISK, BIT(TG_STAGE_EXTRACT), TG_POOL_LIGHT, 60, 2,
			    tg_stage_risk },
	[TG_STAGE_GOVERN] = { TG_STAGE_GOVERN,
			      BIT(TG_STAGE_SCAN) | BIT(TG_STAGE_EVALUATE) | BIT(TG_STAGE_RISK),
			      TG_POOL_LIGHT, 60, 2, tg_stage_govern },
	[TG_STAGE_COLLECT] = { TG_STAGE_COLLECT, 0, TG_POOL_LIGHT, 600, 3, tg_stage_collect },
	[TG_STAGE_GATE] = { TG_STAGE_GATE, BIT(TG_STAGE_COLLECT), TG_POOL_LIGHT, 120, 2,
			    tg_stage_gate },
	[TG_STAGE_AUDIT] = { TG_STAGE_AUDIT, BIT(TG_STAGE_GATE), TG_POOL_LIGHT, 120, 2,
			     tg_stage_audit },
	[TG_STAGE_MANIFEST] = { TG_STAGE_MANIFEST, BIT(TG_STAGE_AUDIT), TG_POOL_LIGHT, 600, 2,
				tg_stage_manifest },
	[TG_STAGE_BUNDLE] = { TG_STAGE_BUNDLE, BIT(TG_STAGE_MANIFEST), TG_POOL_LIGHT, 1800, 2,
			      tg_stage_bundle },
	[TG_STAGE_VERIFY] = { TG_STAGE_VERIFY, BIT(TG_STAGE_BUNDLE), TG_POOL_LIGHT, 1800, 2,
			      tg_stage_verify },
};

const struct tg_stage_def *tg_stage_def(enum tg_stage stage)
{
	return &stages[stage];
}

/* A stage has ended when it went well, or failed as often as the table allows. */
static bool ended(const struct tg_attempt *att, enum tg_stage s)
{
	const struct tg_stage_mark *m = &att->stage[s];

	if (s == TG_STAGE_AGENT)
		return att->ended && !att->lost;
	return m->state == TG_JOB_OK || (m->state == TG_JOB_FAILED && m->failures >= stages[s].tries);
}

static bool needs_ended(const struct tg_attempt *att, unsigned needs)
{
	for (int s = 0; s < TG_STAGE_ATTEMPT_COUNT; s++)
		if ((needs & BIT(s)) && !ended(att, (enum tg_stage)s))
			return false;
	return true;
}

size_t tg_pipeline_ready(const struct tg_run *run, const struct tg_attempt *att,
			 enum tg_stage out[TG_STAGE_ATTEMPT_COUNT])
{
	size_t n = 0;

	(void)run;
	if (!ended(att, TG_STAGE_AGENT) || att->judged)
		return 0;
	for (int s = TG_STAGE_EXTRACT; s < TG_STAGE_ATTEMPT_COUNT; s++)
		if (att->stage[s].state != TG_JOB_ACTIVE && !ended(att, (enum tg_stage)s) &&
		    needs_ended(att, stages[s].needs))
			out[n++] = (enum tg_stage)s;
	return n;
}

bool tg_pipeline_judged(const struct tg_attempt *att)
{
	return ended(att, TG_STAGE_GOVERN);
}

/* The run-level stages are a chain; one is fresh when it began after the one before it ended, and
 * collect when it began after the last thing that happened to an instance. */
static bool fresh(const struct tg_run *run, enum tg_stage s)
{
	const struct tg_stage_mark *m = &run->stage[s];

	if (m->state != TG_JOB_OK)
		return false;
	if (s == TG_STAGE_COLLECT)
		return m->begin_seq > run->work_seq;
	return m->begin_seq > run->stage[s - 1].end_seq;
}

static bool gave_up(const struct tg_run *run, enum tg_stage s)
{
	const struct tg_stage_mark *m = &run->stage[s];

	return m->state == TG_JOB_FAILED && m->failures >= stages[s].tries &&
	       m->end_seq > run->runner_seq && m->end_seq > run->work_seq;
}

enum tg_stage tg_pipeline_run_stage(const struct tg_run *run)
{
	const struct tg_stage_mark *collect = &run->stage[TG_STAGE_COLLECT];

	for (int s = TG_STAGE_COLLECT; s < TG_STAGE_COUNT; s++)
		if (run->stage[s].state == TG_JOB_ACTIVE)
			return TG_STAGE_COUNT; /* one at a time */
	if (!tg_run_all_judged(run)) {
		bool due = run->work_seq > collect->begin_seq && run->opened &&
			   run->last_ms - (collect->end_ms ? collect->end_ms : run->opened_ms) >=
				COLLECT_EVERY_MS;
		return due && !gave_up(run, TG_STAGE_COLLECT) ? TG_STAGE_COLLECT : TG_STAGE_COUNT;
	}
	for (int s = TG_STAGE_COLLECT; s < TG_STAGE_COUNT; s++) {
		if (gave_up(run, (enum tg_stage)s))
			return TG_STAGE_COUNT;
		if (!fresh(run, (enum tg_stage)s))
			return (enum tg_stage)s;
	}
	return TG_STAGE_COUNT;
}

int tg_pipeline_pool_size(const struct tg_spec *spec, enum tg_pool pool)
{
	switch (pool) {
	case TG_POOL_AGENT:
		return spec->workers > 0 ? spec->workers : 1;
	case TG_POOL_EVAL:
		return spec->eval_workers > 0 ? spec->eval_workers
					      : spec->workers > 0 ? spec->workers : 1;
	default:
		return 2;
	}
}

/* Job directories of the stages that went well, relative to RUN. */
static void fill_inputs(const struct tg_run *run, struct tg_job *job)
{
	const struct tg_instance *in = job->instance_id ? tg_run_instance(run, job->instance_id) : NULL;
	const struct tg_attempt *att = in ? tg_instance_attempt(in, job->attempt) : NULL;
	size_t skip = strlen(run->dir) + 1;

	for (int s = 0; att && s < TG_STAGE_ATTEMPT_COUNT && s < (int)job->stage; s++) {
		char *dir;

		if (s == TG_STAGE_AGENT ? !att->started || att->imported
					: att->stage[s].state != TG_JOB_OK)
			continue;
		dir = tg_layout_job(run->dir, job->instance_id, job->attempt, (enum tg_stage)s,
				    att->stage[s].k);
		free(job->inputs[s]);
		job->inputs[s] = tg_strdup(dir + skip);
		free(dir);
	}
}

static bool stage_argv(const struct tg_run *run, struct tg_job *job, struct tg_err *err)
{
	char *self = tg_self_exe();
	char **argv;

	if (!self)
		return tg_fail(err, TG_E_MACHINE, "cannot find the path of this program");
	argv = tg_calloc(8, sizeof *argv);
	argv[0] = self;
	argv[1] = tg_strdup("stage");
	argv[2] = tg_strdup(tg_stage_name(job->stage));
	argv[3] = tg_strdup("--run");
	argv[4] = tg_strdup(run->dir);
	argv[5] = tg_strdup("--job");
	argv[6] = tg_strdup(job->dir);
	job->argv = argv;
	return true;
}

bool tg_pipeline_job(const struct tg_run *run, const struct tg_spec *spec, struct tg_job *job,
		     struct tg_err *err)
{
	const struct tg_stage_def *def = &stages[job->stage];
	const struct tg_evaluator_ops *evaluator = tg_evaluator_find(spec->evaluator);
	const struct tg_agent_ops *agent;

	fill_inputs(run, job);
	job->grace_s = 10;
	if (job->stage == TG_STAGE_AGENT) {
		agent = tg_agent_find(spec->agent);
		if (!agent || !agent->job)
			return tg_fail(err, TG_E_INPUT, "no agent backend \"%s\"", spec->agent);
		job->timeout_s = spec->timeout_s;
		return agent->job(spec, run->dir, job, err);
	}
	/* The stage bounds its own tests; the job's limit is the outer fence. */
	job->timeout_s = def->timeout_s ? def->timeout_s : spec->eval_timeout_s + 120;
	job->grace_s = 3;
	if (job->stage == TG_STAGE_MANIFEST) /* it looks for these values in what would leave */
		job->env_pass = tg_secret_env_names(environ);
	if (!SANITIZED) /* a sanitizer's shadow memory alone is larger */
		job->limits.as_bytes = (int64_t)8 << 30;
	job->limits.fsize_bytes = (int64_t)4 << 30;
	if (job->stage == TG_STAGE_EVALUATE && evaluator && evaluator->job)
		evaluator->job(spec, run->run_sha256, job);
	return stage_argv(run, job, err);
}
