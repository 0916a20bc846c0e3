/*
 * The start path, and there is no other: whatever the journal has under way becomes a slot that is
 * looked at; settle.c then adopts what lives, ingests what ended, salvages or gives up what was
 * lost.
 */
#include <stdlib.h>
#include "core/lib/json.h"
#include "core/run/layout.h"
#include "core/runner/loop.h"

static void adopt_attempt(struct tg_runner *r, size_t i, const struct tg_attempt *att)
{
	const char *iid = r->run.inst[i].id;

	if (att->started && !att->ended)
		tg_loop_add_slot(r, i, att->n, TG_STAGE_AGENT, 1,
				 tg_layout_attempt(r->dir, iid, att->n), -1);
	for (int s = TG_STAGE_EXTRACT; s < TG_STAGE_ATTEMPT_COUNT; s++)
		if (att->stage[s].state == TG_JOB_ACTIVE)
			tg_loop_add_slot(r, i, att->n, (enum tg_stage)s, att->stage[s].k,
					 tg_layout_job(r->dir, iid, att->n, (enum tg_stage)s,
						       att->stage[s].k), -1);
}

/* An attempt that a stop cut off is nobody's result: its instance waits again. */
static bool was_cut_off(const struct tg_instance *in)
{
	const struct tg_attempt *att = tg_instance_latest(in);

	return att && att->ended && !att->lost && !in->queued && !in->cancelled &&
	       tg_streq(att->kill_reason, "stop") && tg_streq(att->end_why, "killed");
}

static bool queue_again(struct tg_runner *r, const struct tg_instance *in)
{
	struct cJSON *o = tg_loop_body(in->id, tg_instance_latest(in)->n);

	tg_json_set_str(o, "why", "stopped");
	tg_json_set_int(o, "not_before_ms", 0);
	return tg_loop_put(r, "inst.retry", o);
}

bool tg_recover(struct tg_runner *r)
{
	for (size_t i = 0; i < r->run.inst_n; i++)
		for (size_t a = 0; a < r->run.inst[i].att_n; a++)
			adopt_attempt(r, i, &r->run.inst[i].att[a]);
	for (int s = TG_STAGE_COLLECT; s < TG_STAGE_COUNT; s++)
		if (r->run.stage[s].state == TG_JOB_ACTIVE)
			tg_loop_add_slot(r, TG_RUN_LEVEL, 0, (enum tg_stage)s, r->run.stage[s].k,
					 tg_layout_job(r->dir, NULL, 0, (enum tg_stage)s,
						       r->run.stage[s].k), -1);
	tg_settle(r);
	for (size_t i = 0; r->journal && i < r->run.inst_n; i++)
		if (was_cut_off(&r->run.inst[i]) && !queue_again(r, &r->run.inst[i]))
			return false;
	return r->journal && tg_inbox_finish_pending(r);
}
