/*
 * Which attempt counts, what state an instance is in, and the counts made of both. The rule is
 * frozen in run.json (selection "first-own"): a rerun can neither take a result away nor improve
 * the headline.
 */
#include "core/run/model.h"

#include <stddef.h>

/* An attempt that is judged stays what it was then; one that is under way cannot count before one
 * that has ended. */
struct tg_attempt *tg_instance_counted(const struct tg_instance *in)
{
	struct tg_attempt *latest_ended = NULL;

	for (size_t i = 0; i < in->att_n; i++) {
		struct tg_attempt *att = &in->att[i];

		if (!att->ended)
			continue;
		if (tg_outcome_is_own(att->outcome))
			return att;
		latest_ended = att;
	}
	return latest_ended != NULL ? latest_ended : tg_instance_latest(in);
}

struct tg_attempt *tg_instance_best(const struct tg_instance *in)
{
	for (size_t i = 0; i < in->att_n; i++)
		if (in->att[i].resolved == 1)
			return &in->att[i];
	return tg_instance_counted(in);
}

/* What an ended attempt waits for; risk shows as the stage it runs beside. */
static enum tg_state stage_state(const struct tg_attempt *att)
{
	static const struct {
		enum tg_stage stage;
		enum tg_state state;
	} shown[] = {
		{ TG_STAGE_EXTRACT, TG_ST_EXTRACT },
		{ TG_STAGE_TRIAGE, TG_ST_TRIAGE },
		{ TG_STAGE_SCAN, TG_ST_SCAN },
		{ TG_STAGE_EVALUATE, TG_ST_EVALUATE },
		{ TG_STAGE_GOVERN, TG_ST_GOVERN },
	};
	const size_t n = sizeof shown / sizeof shown[0];

	for (size_t i = 0; i < n; i++)
		if (att->stage[shown[i].stage].state == TG_JOB_ACTIVE)
			return shown[i].state;
	for (size_t i = 0; i < n; i++)
		if (att->stage[shown[i].stage].state == TG_JOB_NONE)
			return shown[i].state;
	return TG_ST_GOVERN;
}

enum tg_state tg_instance_state(const struct tg_instance *in)
{
	const struct tg_attempt *att = tg_instance_latest(in);

	/* What runs is shown running, also when a further attempt is asked for already. */
	if (att != NULL && !att->ended) {
		if (att->orphan)
			return TG_ST_ORPHAN;
		if (att->stopping)
			return TG_ST_STOPPING;
		return att->running ? TG_ST_RUNNING : TG_ST_STARTING;
	}
	if (in->cancelled)
		return TG_ST_CANCELLED;
	if (att == NULL || in->queued)
		return TG_ST_QUEUED;
	return att->judged ? TG_ST_DONE : stage_state(att);
}

/* A foreign run has no triage: bytes that an evaluator or nobody refused may be a patch. */
static bool has_usable_patch(const struct tg_attempt *att)
{
	if (tg_patch_usable(att->patch_class))
		return true;
	return att->imported && att->patch_class == TG_PC_NONE && att->patch_bytes > 0;
}

static bool settled(enum tg_state s)
{
	return s == TG_ST_DONE || s == TG_ST_CANCELLED;
}

bool tg_instance_failed(const struct tg_instance *in)
{
	const struct tg_attempt *counted = tg_instance_counted(in),
				*latest = tg_instance_latest(in);

	if (!settled(tg_instance_state(in)))
		return false;
	if (counted != NULL && has_usable_patch(counted))
		return false;
	return latest == NULL || !has_usable_patch(latest);
}

bool tg_run_all_judged(const struct tg_run *run)
{
	for (size_t i = 0; i < run->inst_n; i++)
		if (!settled(tg_instance_state(&run->inst[i])))
			return false;
	return run->inst_n > 0;
}

double tg_run_cost(const struct tg_run *run, bool *lower_bound)
{
	double sum = 0;
	bool lower = false;

	for (size_t i = 0; i < run->inst_n; i++) {
		for (size_t a = 0; a < run->inst[i].att_n; a++) {
			const struct tg_attempt *att = &run->inst[i].att[a];

			if (att->cost_usd >= 0)
				sum += att->cost_usd;
			lower = lower || att->cost_usd < 0 || att->cost_lower_bound;
		}
	}
	if (lower_bound != NULL)
		*lower_bound = lower;
	return sum;
}

static const struct tg_attempt *latest_ended(const struct tg_instance *in)
{
	for (size_t i = in->att_n; i > 0; i--)
		if (in->att[i - 1].ended)
			return &in->att[i - 1];
	return NULL;
}

static void count_instance(const struct tg_instance *in, struct tg_counts *out)
{
	const struct tg_attempt *counted = tg_instance_counted(in);
	const struct tg_attempt *best = tg_instance_best(in), *last = latest_ended(in);

	out->by_state[tg_instance_state(in)]++;
	out->attempts += in->att_n;
	out->failed += tg_instance_failed(in);
	out->resolved_best += best != NULL && best->resolved == 1;
	out->resolved_latest += last != NULL && last->resolved == 1;
	if (counted == NULL) {
		out->by_decision[TG_DEC_NONE]++;
		return;
	}
	out->by_decision[counted->decision]++;
	out->resolved += counted->resolved == 1;
	out->usable += has_usable_patch(counted);
	out->no_trajectory += counted->no_trajectory;
	out->new_violations += counted->violation_n;
}

void tg_run_count(const struct tg_run *run, struct tg_counts *out)
{
	*out = (struct tg_counts){ .total = run->inst_n };
	for (size_t i = 0; i < run->inst_n; i++)
		count_instance(&run->inst[i], out);
}
