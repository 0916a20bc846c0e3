/* The object of `tgmon status --json`. Unknown is null, never 0; fields are added, never changed.
 */
#include "core/run/watch.h"

#include <stdlib.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/json.h"

#define SCHEMA "tgmon.status.v1"

static void set_count(struct cJSON *o, const char *key, int64_t v)
{
	if (v < 0)
		tg_json_set_null(o, key);
	else
		tg_json_set_int(o, key, v);
}

/* Sums of binary fractions carry noise in the last digits; a millionth of a dollar is enough. */
static void set_usd(struct cJSON *o, const char *key, double v)
{
	if (v < 0 || v > 1e9)
		tg_json_set_null(o, key);
	else
		tg_json_set_float(o, key, (double)(int64_t)(v * 1e6 + 0.5) / 1e6);
}

static void set_time(struct cJSON *o, const char *key, int64_t ms)
{
	char iso[TG_ISO_LEN];

	if (ms <= 0) {
		tg_json_set_null(o, key);
		return;
	}
	tg_iso_utc(ms, iso);
	tg_json_set_str(o, key, iso);
}

static void set_tristate(struct cJSON *o, const char *key, int v)
{
	if (v < 0)
		tg_json_set_null(o, key);
	else
		tg_json_set_bool(o, key, v == 1);
}

/* ---- run ---- */

static struct cJSON *gate_json(const struct tg_gate_state *g)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_bool(o, "open", g->open);
	tg_json_set_str(o, "row", g->open ? NULL : g->row);
	tg_json_set_str(o, "text", g->open ? NULL : g->text);
	set_time(o, "since", g->since_ms);
	tg_json_set_str(o, "reopens", g->open ? NULL : g->reopens);
	return o;
}

static struct cJSON *runner_json(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	struct cJSON *o = tg_json_object();

	tg_json_set_bool(o, "alive", tg_watch_runner_alive(w));
	set_count(o, "pid", run->runner_pid > 0 ? run->runner_pid : -1);
	tg_json_set_str(o, "host", run->runner_host);
	tg_json_set_str(o, "ended", run->runner_end);
	return o;
}

static int64_t elapsed_s(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	int64_t to = run->done_ms;

	if (run->opened_ms <= 0)
		return -1;
	if (to == 0)
		to = tg_watch_runner_alive(w) ? tg_wall_ms() : run->last_ms;
	return to > run->opened_ms ? (to - run->opened_ms) / 1000 : 0;
}

static struct cJSON *run_json(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	const struct tg_spec *spec = tg_watch_spec(w);
	struct cJSON *o = tg_json_object();
	bool lower = false;

	tg_json_set_str(o, "dir", run->dir);
	tg_json_set_str(o, "run_id",
			run->run_id != NULL ? run->run_id
			: spec		    ? spec->run_id
					    : NULL);
	tg_json_set_str(o, "model_id", spec ? spec->model_id : NULL);
	tg_json_set_str(o, "slice", spec ? spec->slice : NULL);
	tg_json_set_str(o, "tag", spec ? spec->tag : NULL);
	tg_json_set_str(o, "state", tg_watch_run_state(w));
	set_time(o, "started", run->opened_ms);
	set_time(o, "done", run->done_ms);
	set_count(o, "elapsed_s", elapsed_s(w));
	set_usd(o, "cost_usd", tg_watch_run_cost(w, &lower));
	tg_json_set_bool(o, "cost_lower_bound", lower);
	set_usd(o, "budget_usd", run->budget_answered ? run->budget_usd : spec ? spec->budget_usd : -1);
	tg_json_set(o, "gate", gate_json(&run->gate));
	tg_json_set(o, "runner", runner_json(w));
	tg_json_set_str(o, "selection", spec ? spec->selection : NULL);
	tg_json_set_str(o, "expected_from", spec ? spec->expected_from : run->expected_from);
	tg_json_set_bool(o, "stale", run->stale);
	set_tristate(o, "gate_pass", run->gate_known ? run->gate_pass : -1);
	set_count(o, "config_digests", run->foreign ? -1 : run->config_digests);
	return o;
}

static struct cJSON *counts_json(const struct tg_run *run)
{
	struct cJSON *o = tg_json_object(), *states = tg_json_object(),
		     *verdicts = tg_json_object();
	struct tg_counts c;

	tg_run_count(run, &c);
	tg_json_set_int(o, "total", (int64_t)c.total);
	for (int s = 0; s < TG_ST_COUNT; s++)
		tg_json_set_int(states, tg_state_name((enum tg_state)s), (int64_t)c.by_state[s]);
	for (int d = TG_DEC_NONE + 1; d < TG_DEC_COUNT; d++)
		tg_json_set_int(verdicts, tg_decision_name((enum tg_decision)d),
				(int64_t)c.by_decision[d]);
	tg_json_set(o, "by_state", states);
	tg_json_set(o, "by_decision", verdicts);
	tg_json_set_int(o, "resolved", (int64_t)c.resolved);
	tg_json_set_int(o, "resolved_latest", (int64_t)c.resolved_latest);
	tg_json_set_int(o, "resolved_best", (int64_t)c.resolved_best);
	tg_json_set_int(o, "failed", (int64_t)c.failed);
	tg_json_set_int(o, "usable_patches", (int64_t)c.usable);
	tg_json_set_int(o, "no_trajectory", (int64_t)c.no_trajectory);
	tg_json_set_int(o, "new_violations", (int64_t)c.new_violations);
	tg_json_set_int(o, "attempts", (int64_t)c.attempts);
	return o;
}

/* ---- instances ---- */

/* Why there is no usable patch, and what mends it; null when there is one, or nothing is known. */
static void set_cause(struct cJSON *o, const struct tg_attempt *att)
{
	struct cJSON *c;

	if (att->cause_id == NULL) {
		tg_json_set_null(o, "cause");
		return;
	}
	c = tg_json_object();
	tg_json_set_str(c, "id", att->cause_id);
	tg_json_set_str(c, "text", att->cause_text);
	tg_json_set_str(c, "remedy", att->cause_remedy);
	tg_json_set(o, "cause", c);
}

/* What one attempt came to. att NULL: nothing is known yet, all members are null. */
static void set_result(struct cJSON *o, const struct tg_attempt *att)
{
	static const struct tg_attempt none = { .patch_bytes = -1, .applies = -1,
						.resolved = -1, .cri = -1 };
	struct cJSON *patch = tg_json_object(), *ev = tg_json_object(), *scan = tg_json_object();
	struct cJSON *codes = tg_json_array();

	if (att == NULL)
		att = &none;
	tg_json_set_str(o, "outcome", tg_outcome_name(att->outcome));
	tg_json_set_str(o, "exit_status", att->exit_status);
	tg_json_set_str(patch, "class", tg_patch_class_name(att->patch_class));
	tg_json_set_str(patch, "reason", att->patch_reason);
	set_count(patch, "bytes", att->patch_bytes);
	tg_json_set_str(patch, "sha256", att->patch_sha256);
	set_tristate(patch, "applies", att->applies);
	tg_json_set_str(patch, "rung", att->rung);
	tg_json_set_str(patch, "remedy", att->patch_remedy);
	tg_json_set(o, "patch", patch);
	set_cause(o, att);
	set_tristate(ev, "resolved", att->resolved);
	tg_json_set_str(ev, "status", tg_eval_status_name(att->eval));
	tg_json_set(o, "evaluation", ev);
	for (size_t i = 0; i < att->violation_n; i++)
		tg_json_push_str(codes, att->violation[i].code);
	tg_json_set_str(scan, "status", tg_scan_status_name(att->scan));
	tg_json_set(scan, "new_violations", codes);
	tg_json_set(o, "scan", scan);
	if (att->decision == TG_DEC_NONE) {
		tg_json_set_null(o, "verdict");
	} else {
		struct cJSON *v = tg_json_object();

		tg_json_set_str(v, "decision", tg_decision_name(att->decision));
		tg_json_set_str(v, "reason", att->decision_reason);
		if (att->cri >= 0)
			tg_json_set_float(v, "cri", att->cri);
		else
			tg_json_set_null(v, "cri");
		tg_json_set_str(v, "evidence_level", tg_evidence_level_name(att->evidence));
		tg_json_set(o, "verdict", v);
	}
}

static struct cJSON *detail_json(const struct tg_attempt *att, bool counted)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_int(o, "n", att->n);
	tg_json_set_str(o, "why", att->why);
	tg_json_set_str(o, "outcome", tg_outcome_name(att->outcome));
	set_tristate(o, "resolved", att->resolved);
	tg_json_set_str(o, "decision", tg_decision_name(att->decision));
	tg_json_set_bool(o, "counted", counted);
	tg_json_set_str(o, "exit_status", att->exit_status);
	tg_json_set_str(o, "end", att->end_why);
	set_count(o, "steps", att->steps);
	set_usd(o, "cost_usd", att->cost_usd);
	tg_json_set_bool(o, "cost_lower_bound", att->cost_usd < 0 || att->cost_lower_bound);
	tg_json_set_bool(o, "no_trajectory", att->no_trajectory);
	set_time(o, "started", att->start_ms);
	set_time(o, "ended", att->ended ? att->end_ms : 0);
	tg_json_set_str(o, "config_sha256", att->config_sha256);
	return o;
}

static const char *doing(const struct tg_watch *w, size_t i)
{
	const struct tg_live *live = tg_watch_live(w, i);

	if (live->unreadable)
		return "its live trajectory cannot be read";
	return live->known && live->doing[0] != '\0' ? live->doing : NULL;
}

/* Is what is known of an instance's cost less than what it cost? */
static bool cost_is_lower(const struct tg_instance *in)
{
	for (size_t a = 0; a < in->att_n; a++)
		if (in->att[a].cost_usd < 0 || in->att[a].cost_lower_bound)
			return true;
	return false;
}

static struct cJSON *instance_json(const struct tg_watch *w, size_t i)
{
	const struct tg_instance *in = &tg_watch_run(w)->inst[i];
	const struct tg_attempt *counted = tg_instance_counted(in),
				*latest = tg_instance_latest(in);
	struct cJSON *o = tg_json_object(), *list = tg_json_array();

	tg_json_set_str(o, "instance_id", in->id);
	tg_json_set_str(o, "state", tg_state_name(tg_instance_state(in)));
	set_result(o, counted);
	set_count(o, "attempt", counted != NULL ? counted->n : -1);
	tg_json_set_int(o, "attempts", (int64_t)in->att_n);
	set_count(o, "steps", tg_watch_steps(w, i));
	set_usd(o, "cost_usd", tg_watch_cost(w, i));
	tg_json_set_bool(o, "cost_lower_bound", cost_is_lower(in));
	set_count(o, "idle_s", tg_watch_idle_s(w, i, tg_wall_ms()));
	tg_json_set_str(o, "doing", doing(w, i));
	tg_json_set_bool(o, "failed", tg_instance_failed(in));
	for (size_t a = 0; a < in->att_n; a++)
		tg_json_push(list, detail_json(&in->att[a], &in->att[a] == counted));
	tg_json_set(o, "attempts_detail", list);
	if (latest != NULL && latest != counted) {
		struct cJSON *l = tg_json_object();

		tg_json_set_int(l, "attempt", latest->n);
		set_result(l, latest);
		tg_json_set(o, "latest", l);
	}
	return o;
}

/* The causes of the instances that have no usable patch, in the order of their first one. */
static struct cJSON *causes_json(const struct tg_run *run)
{
	struct cJSON *list = tg_json_array();

	for (size_t i = 0; i < run->inst_n; i++) {
		const struct tg_attempt *att = tg_instance_failed(&run->inst[i]) ?
						   tg_instance_latest(&run->inst[i]) : NULL;
		struct cJSON *o = NULL, *ids;

		if (att == NULL || att->cause_id == NULL)
			continue;
		for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c))
			if (tg_streq(tg_json_str(c, "id"), att->cause_id))
				o = (struct cJSON *)c; /* of our own list */
		if (o == NULL) {
			o = tg_json_object();
			tg_json_set_str(o, "id", att->cause_id);
			tg_json_set_str(o, "text", att->cause_text);
			tg_json_set_str(o, "remedy", att->cause_remedy);
			tg_json_set(o, "instances", tg_json_array());
			tg_json_push(list, o);
		}
		ids = (struct cJSON *)tg_json_get(o, "instances");
		tg_json_push_str(ids, run->inst[i].id);
		tg_json_set_int(o, "count", (int64_t)tg_json_len(ids));
	}
	return list;
}

static struct cJSON *notes_json(const struct tg_run *run)
{
	struct cJSON *list = tg_json_array();

	for (size_t i = 0; i < run->note_n; i++) {
		struct cJSON *o = tg_json_object();

		set_time(o, "time", run->note[i].wall_ms);
		tg_json_set_str(o, "kind", run->note[i].kind);
		tg_json_set_str(o, "text", run->note[i].text);
		tg_json_push(list, o);
	}
	return list;
}

struct cJSON *tg_status_json(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	struct cJSON *o = tg_json_object(), *files = tg_json_object(), *list = tg_json_array();
	struct tg_artifact a[TG_ARTIFACTS];

	tg_artifacts(run, a);
	for (size_t i = 0; i < TG_ARTIFACTS; i++) {
		struct cJSON *f = tg_json_object();

		tg_json_set_bool(f, "present", a[i].present);
		tg_json_set_int(f, "count", a[i].count);
		tg_json_set(files, a[i].name, f);
	}
	for (size_t i = 0; i < run->inst_n; i++)
		tg_json_push(list, instance_json(w, i));
	tg_json_set_str(o, "schema", SCHEMA);
	tg_json_set(o, "run", run_json(w));
	tg_json_set(o, "counts", counts_json(run));
	tg_json_set(o, "artifacts", files);
	tg_json_set_bool(o, "complete", tg_run_is_complete(run, a));
	tg_json_set(o, "instances", list);
	tg_json_set(o, "causes", causes_json(run));
	tg_json_set(o, "notes", notes_json(run));
	return o;
}
