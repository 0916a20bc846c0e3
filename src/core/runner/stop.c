#include "core/lib/json.h"
#include "core/runner/loop.h"

/* The order is on record before the first signal. A stage has no record of its own for it: it is
 * simply tried again. */
void tg_stop_slot(struct tg_runner *r, struct tg_slot *s, const char *reason, bool now)
{
	const struct tg_attempt *att = s->inst == TG_RUN_LEVEL
		? NULL : tg_instance_attempt(&r->run.inst[s->inst], s->attempt);
	struct cJSON *o;

	if (s->stage == TG_STAGE_AGENT && att && !att->ended && !att->stopping) {
		o = tg_loop_body(r->run.inst[s->inst].id, s->attempt);
		tg_json_set_str(o, "reason", reason);
		if (!tg_loop_put(r, "att.kill", o))
			return;
	}
	s->killed = true;
	r->exec->stop(s->dir, s->ended ? -1 : s->pidfd, reason, now ? 0 : -1);
}

void tg_stop_all(struct tg_runner *r)
{
	for (size_t i = 0; i < r->slot_n; i++)
		tg_stop_slot(r, &r->slot[i], "stop", r->stop_now);
}
