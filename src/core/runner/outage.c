/* See outage.h: the rows about how the attempts end. */
#include <stdlib.h>
#include <string.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/runner/gate.h"
#include "core/runner/loop.h"
#include "core/runner/outage.h"

#define LOOK_MS 1000
#define PROBE_MS ((int64_t)10 * 60 * 1000)      /* the first probe */
#define PROBE_MORE 6                            /* later ones: so many times as long */

static bool is_rate_limit(const struct tg_attempt *att)
{
	return att->outcome == TG_OUT_MODEL_API && att->exit_status &&
	       tg_ends_with(att->exit_status, "RateLimitError");
}

static bool is_dead_key(const struct tg_attempt *att)
{
	return att->outcome == TG_OUT_MODEL_API && att->exit_status &&
	       (tg_ends_with(att->exit_status, "AuthenticationError") ||
		tg_ends_with(att->exit_status, "PermissionDeniedError"));
}

/* When it became known how an attempt ended; 0: it is not known. */
static uint64_t known_seq(const struct tg_attempt *att)
{
	const struct tg_stage_mark *m = &att->stage[TG_STAGE_EXTRACT];

	if (!att->ended || att->imported || att->outcome == TG_OUT_NONE)
		return 0;
	return m->state == TG_JOB_OK || m->state == TG_JOB_FAILED
		       ? m->end_seq : att->stage[TG_STAGE_AGENT].end_seq;
}

struct found {
	const struct tg_instance *in;
	const struct tg_attempt *att;
	uint64_t seq;
};

/* The attempt that ended last before `before`, later than `after`, among those that fit. */
static struct found latest(const struct tg_run *run, uint64_t after, uint64_t before,
			   bool (*fits)(const struct tg_attempt *))
{
	struct found f = { 0 };

	for (size_t i = 0; i < run->inst_n; i++)
		for (size_t a = 0; a < run->inst[i].att_n; a++) {
			const struct tg_attempt *att = &run->inst[i].att[a];
			uint64_t seq = known_seq(att);

			if (seq > after && seq < before && seq > f.seq && (!fits || fits(att)))
				f = (struct found){ &run->inst[i], att, seq };
		}
	return f;
}

bool tg_outage_costs_money(const struct tg_runner *r)
{
	return !tg_streq(r->spec.agent, "replay") && !tg_streq(r->spec.agent, "preds") &&
	       !tg_streq(r->spec.agent, "foreign");
}

/* ---- a dead key, once ----------------------------------------------------------------------- */

bool tg_outage_key(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	struct found f;

	if (r->spec.stop_after <= 0)
		return false;
	f = latest(&r->run, r->outage.key_seq, UINT64_MAX, is_dead_key);
	if (!f.att)
		return false;
	tg_buf_addf(text, "the provider refuses the key: %s ended with %s", f.in->id,
		    f.att->exit_status);
	tg_buf_adds(reopens, "when a person mended the key and says so: tgmon answer RUN key");
	return true;
}

/* ---- one cause, again and again ------------------------------------------------------------- */

static bool counts_for_cause(const struct tg_attempt *att)
{
	return !is_rate_limit(att) && att->outcome != TG_OUT_CANCELLED;
}

static bool same_cause(const struct tg_attempt *a, const struct tg_attempt *b)
{
	return a->outcome == b->outcome && tg_streq(a->exit_status, b->exit_status);
}

bool tg_outage_cause(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	struct found first = { 0 }, f;
	uint64_t before = UINT64_MAX;

	if (r->spec.stop_after <= 0)
		return false;
	for (int i = 0; i < r->spec.stop_after; i++) {
		f = latest(&r->run, r->outage.cause_seq, before, counts_for_cause);
		if (!f.att || tg_outcome_is_own(f.att->outcome) ||
		    (first.att && !same_cause(first.att, f.att)))
			return false;
		first = first.att ? first : f;
		before = f.seq;
	}
	tg_buf_addf(text, "%d attempts in a row ended in the same way: %s%s%s (the last: %s)",
		    r->spec.stop_after, tg_outcome_name(first.att->outcome),
		    first.att->exit_status ? ", " : "",
		    first.att->exit_status ? first.att->exit_status : "", first.in->id);
	tg_buf_adds(reopens, "when a person mended the cause and says so: tgmon answer RUN cause");
	return true;
}

/* ---- rate limit ----------------------------------------------------------------------------- */

/* --stop-after 0: the operator wants every instance tried once, whatever the provider says. */
static bool guards(const struct tg_runner *r)
{
	return tg_outage_costs_money(r) && r->spec.stop_after > 0;
}

static int64_t probe_wait(int probes)
{
	const char *env = getenv("TGMON_PROBE_MS");
	int64_t base;

	if (!env || !tg_parse_i64(env, &base) || base < 0 || base > 24 * 3600 * 1000LL)
		base = PROBE_MS;
	return probes > 0 ? base * PROBE_MORE : base;
}

static int agents_in_flight(const struct tg_runner *r)
{
	int n = 0;

	for (size_t i = 0; i < r->slot_n; i++)
		n += r->slot[i].stage == TG_STAGE_AGENT && r->slot[i].inst != TG_RUN_LEVEL;
	return n;
}

/* The agent's wrapper says in progress.json that its model makes it wait. */
static bool says_limited(const struct tg_slot *s)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;
	bool yes;

	if (tg_file_read_beneath(s->dir, "work/progress.json", 1 << 16, &text, NULL))
		o = tg_json_parse(text.p, text.n, "progress.json", NULL, NULL);
	yes = tg_json_bool(o, "rate_limited", false);
	tg_json_free(o);
	tg_buf_fini(&text);
	return yes;
}

static void look_at_agents(struct tg_runner *r)
{
	r->outage.look_ms = tg_mono_ms() + LOOK_MS;
	r->outage.limited_live = 0;
	for (size_t i = 0; i < r->slot_n; i++)
		if (r->slot[i].stage == TG_STAGE_AGENT && r->slot[i].inst != TG_RUN_LEVEL)
			r->outage.limited_live += says_limited(&r->slot[i]);
}

static bool model_answered(const struct tg_attempt *att)
{
	return tg_outcome_is_own(att->outcome) && att->outcome != TG_OUT_TIMEOUT;
}

/* An agent ends with a rate limit after minutes of trying: since then nobody got an answer. */
static bool limit_holds(struct tg_runner *r)
{
	struct tg_outage *o = &r->outage;
	struct found f = latest(&r->run, o->rate_seq, UINT64_MAX, is_rate_limit);

	if (!f.att || latest(&r->run, f.seq, UINT64_MAX, model_answered).att) {
		o->limited_seq = 0;
		o->probes = 0;
		return false;
	}
	if (o->limited_seq != f.seq) {
		o->limited_seq = f.seq;
		o->limited_ms = tg_mono_ms();
		o->probe_ms = o->limited_ms + probe_wait(o->probes);
	}
	return true;
}

bool tg_outage_rate(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	const struct tg_outage *o = &r->outage;
	int workers = r->spec.workers > 0 ? r->spec.workers : 1;

	if (!guards(r))
		return false;
	if (limit_holds(r)) {
		tg_buf_adds(text, "the model's provider limits the rate: an attempt gave up, and none "
				  "got an answer since");
		tg_buf_adds(reopens, "by itself: one attempt at a time tries, or tgmon answer RUN "
				     "rate-limit");
		return true;
	}
	if (o->limited_live * 2 <= workers)
		return false;
	tg_buf_addf(text, "the model's provider limits the rate of %d of %d workers",
		    o->limited_live, workers);
	tg_buf_adds(reopens, "by itself, when most of them get answers again");
	return true;
}

bool tg_outage_may_probe(struct tg_runner *r, const struct tg_gate_row *row)
{
	const struct tg_outage *o = &r->outage;

	return tg_streq(row->name, "rate-limit") && o->limited_seq && agents_in_flight(r) == 0 &&
	       tg_mono_ms() >= o->probe_ms;
}

void tg_outage_probed(struct tg_runner *r)
{
	r->outage.probes++;
	r->outage.probe_ms = tg_mono_ms() + probe_wait(r->outage.probes);
}

bool tg_outage_requeues(const struct tg_runner *r, const struct tg_attempt *att)
{
	return guards(r) && is_rate_limit(att);
}

/* ---- the canary ----------------------------------------------------------------------------- */

static bool was_judged(const struct tg_attempt *att)
{
	return att->judged && !att->lost && tg_outcome_is_own(att->outcome);
}

/* Until one instance has its verdict, one at a time. An attempt that ended for a cause that is not
 * the model's own shows nothing about the rest, so the next one is alone again. */
bool tg_outage_canary(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	const struct tg_run *run = &r->run;
	const struct tg_instance *under_way = NULL;
	bool waits = false;

	if (r->spec.canary <= 0 || r->outage.canary_seq)
		return false;
	for (size_t i = 0; i < run->inst_n; i++) {
		waits = waits || run->inst[i].queued;
		for (size_t a = 0; a < run->inst[i].att_n; a++) {
			const struct tg_attempt *att = &run->inst[i].att[a];

			if (was_judged(att))
				return false;
			if (!att->judged && !(att->lost && att->ended))
				under_way = &run->inst[i];
		}
	}
	if (!under_way || !waits)
		return false;
	tg_buf_addf(text, "the first instance runs alone to its verdict: %s", under_way->id);
	tg_buf_adds(reopens, "by itself, when it is judged");
	return true;
}

/* ---- the rest ------------------------------------------------------------------------------- */

bool tg_outage_answer(struct tg_runner *r, const char *row)
{
	struct tg_outage *o = &r->outage;
	const struct {
		const char *row;
		uint64_t *seq;
	} rows[] = { { "key", &o->key_seq }, { "cause", &o->cause_seq },
		     { "rate-limit", &o->rate_seq }, { "canary", &o->canary_seq } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (tg_streq(row, rows[i].row)) {
			*rows[i].seq = r->run.seq;
			return true;
		}
	return false;
}

void tg_outage_tick(struct tg_runner *r)
{
	tg_docker_tick(r);
	if (guards(r) && tg_mono_ms() >= r->outage.look_ms)
		look_at_agents(r);
}

int64_t tg_outage_wait(const struct tg_runner *r, int64_t wait)
{
	int64_t probe = r->outage.probe_ms - tg_mono_ms();

	if (r->outage.pid > 0)
		return wait < 20 ? wait : 20;
	if (r->outage.limited_seq && probe > 0 && probe < wait)
		return probe;
	return wait;
}

void tg_outage_fini(struct tg_runner *r)
{
	tg_docker_fini(r);
}
