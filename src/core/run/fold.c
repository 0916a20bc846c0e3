/*
 * The fold: a table from event names to handlers. A record that does not fit (an instance that is
 * not expected, an attempt that never started, a stage that is none) changes nothing: the chain
 * proves that the runner wrote it, so it is kept, and a later version may understand it.
 */
#include "core/run/fold.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"

/* One record on its way; in and att are what it names, or NULL. */
struct event {
	struct tg_run *run;
	const struct tg_record *rec;
	const struct cJSON *body;
	struct tg_instance *in;
	struct tg_attempt *att;
};

void tg_fold_text(char **to, const char *s)
{
	char *copy = tg_strdup(s);

	free(*to);
	*to = copy;
}

int64_t tg_fold_int(const struct cJSON *o, const char *key, int64_t lo, int64_t hi,
		    int64_t otherwise)
{
	double v = tg_json_number(tg_json_get(o, key), (double)otherwise);

	if (tg_json_kind(tg_json_get(o, key)) != TG_JSON_NUMBER || v != v)
		return otherwise;
	if (v <= (double)lo)
		return lo;
	return v >= (double)hi ? hi : (int64_t)v;
}

static int attempt_number(const struct cJSON *body)
{
	return (int)tg_fold_int(body, "a", 0, INT32_MAX, 0);
}

/* ---- the run ---- */

static void on_run_open(struct event *e)
{
	if (e->run->opened)
		return;
	e->run->opened = true;
	e->run->opened_ms = e->rec->wall_ms;
	tg_fold_text(&e->run->run_id, tg_json_str(e->body, "run_id"));
	tg_fold_text(&e->run->run_sha256, tg_json_str(e->body, "run_sha256"));
}

static void on_runner_start(struct event *e)
{
	struct tg_run *run = e->run;

	run->runner_up = true;
	run->runner_pid = tg_fold_int(e->body, "pid", 0, INT32_MAX, 0);
	run->runner_seq = e->rec->seq;
	tg_fold_text(&run->runner_boot, tg_json_str(e->body, "boot_id"));
	tg_fold_text(&run->runner_host, tg_json_str(e->body, "host"));
	tg_fold_text(&run->runner_end, NULL);
	/* Starting it again is the wish to go on; the operator's pause outlives it. */
	run->draining = run->stopping = false;
}

static void on_runner_end(struct event *e)
{
	e->run->runner_up = false;
	tg_fold_text(&e->run->runner_end, tg_json_str(e->body, "why"));
}

static void on_gate(struct event *e)
{
	struct tg_gate_state *g = &e->run->gate;

	g->open = tg_json_bool(e->body, "open", false);
	g->since_ms = e->rec->wall_ms;
	tg_fold_text(&g->row, g->open ? NULL : tg_json_str(e->body, "row"));
	tg_fold_text(&g->text, g->open ? NULL : tg_json_str(e->body, "text"));
	tg_fold_text(&g->reopens, g->open ? NULL : tg_json_str(e->body, "reopens"));
}

static void on_run_stale(struct event *e)
{
	e->run->stale = true;
	e->run->complete = false;
	e->run->done_ms = 0;
}

static void on_run_done(struct event *e)
{
	e->run->done_ms = e->rec->wall_ms;
	e->run->stale = false;
	e->run->complete = tg_json_bool(e->body, "complete", false);
	if (tg_json_kind(tg_json_get(e->body, "gate_pass")) == TG_JSON_BOOL) {
		e->run->gate_known = true;
		e->run->gate_pass = tg_json_bool(e->body, "gate_pass", false);
	}
}

/* ---- attempts ---- */

static void count_configs(struct tg_run *run)
{
	const char *seen[64];
	int n = 0;

	for (size_t i = 0; i < run->inst_n; i++) {
		for (size_t a = 0; a < run->inst[i].att_n; a++) {
			const char *sha = run->inst[i].att[a].config_sha256;
			int k = 0;

			while (sha != NULL && k < n && strcmp(seen[k], sha) != 0)
				k++;
			if (sha != NULL && k == n && n < 64)
				seen[n++] = sha;
		}
	}
	run->config_digests = n;
}

/* Counting anew is only needed when a digest appears that its neighbours do not have. */
static void note_config(struct tg_run *run, const struct tg_attempt *att)
{
	if (att->config_sha256 == NULL)
		return;
	for (size_t i = 0; i < run->inst_n; i++)
		for (size_t a = 0; a < run->inst[i].att_n; a++) {
			const struct tg_attempt *o = &run->inst[i].att[a];

			if (o != att && tg_streq(o->config_sha256, att->config_sha256))
				return;
		}
	count_configs(run);
}

static struct tg_attempt *begin_attempt(struct event *e)
{
	bool fresh = false;
	struct tg_attempt *att;

	if (e->in == NULL)
		return NULL;
	att = tg_instance_add_attempt(e->in, attempt_number(e->body), &fresh);
	if (att == NULL || !fresh)
		return NULL;
	att->started = true;
	att->start_ms = e->rec->wall_ms;
	e->in->queued = e->in->cancelled = false;
	e->in->not_before_ms = 0;
	return att;
}

static void on_att_start(struct event *e)
{
	struct tg_attempt *att = begin_attempt(e);
	struct tg_stage_mark *m;

	if (att == NULL)
		return;
	tg_fold_text(&att->why, tg_json_str(e->body, "why"));
	tg_fold_text(&att->config_sha256, tg_json_str(e->body, "config_sha256"));
	note_config(e->run, att);
	m = &att->stage[TG_STAGE_AGENT];
	m->state = TG_JOB_ACTIVE;
	m->k = 1;
	m->begin_ms = e->rec->wall_ms;
	m->begin_seq = e->rec->seq;
}

static void on_att_import(struct event *e)
{
	struct tg_attempt *att = begin_attempt(e);

	if (att == NULL)
		return;
	tg_fold_text(&att->why, "import");
	att->imported = att->ended = true;
	att->end_ms = e->rec->wall_ms;
	tg_fold_text(&att->end_why, "import");
	att->stage[TG_STAGE_AGENT] = (struct tg_stage_mark){
		.state = TG_JOB_OK, .k = 1, .begin_ms = e->rec->wall_ms, .end_ms = e->rec->wall_ms,
		.begin_seq = e->rec->seq, .end_seq = e->rec->seq };
}

static void on_att_run(struct event *e)
{
	if (e->att != NULL && !e->att->ended)
		e->att->running = true;
}

static void on_att_kill(struct event *e)
{
	if (e->att == NULL || e->att->ended)
		return;
	e->att->stopping = true;
	tg_fold_text(&e->att->kill_reason, tg_json_str(e->body, "reason"));
}

static void on_att_orphan(struct event *e)
{
	if (e->att != NULL && !e->att->ended)
		e->att->orphan = true;
}

static void end_attempt(struct event *e, bool well)
{
	struct tg_attempt *att = e->att;
	struct tg_stage_mark *m = &att->stage[TG_STAGE_AGENT];

	att->ended = true;
	att->running = att->stopping = att->orphan = false;
	att->end_ms = e->rec->wall_ms;
	tg_fold_text(&att->end_why, tg_json_str(e->body, "why"));
	m->state = well ? TG_JOB_OK : TG_JOB_FAILED;
	m->failures += !well;
	m->end_ms = e->rec->wall_ms;
	m->end_seq = e->rec->seq;
}

static void on_att_exit(struct event *e)
{
	if (e->att == NULL || e->att->ended)
		return;
	e->att->code = (int)tg_fold_int(e->body, "code", -1, INT32_MAX, -1);
	e->att->sig = (int)tg_fold_int(e->body, "sig", 0, 128, 0);
	end_attempt(e, e->att->code == 0 && tg_streq(tg_json_str(e->body, "why"), "exit"));
}

/* Nothing is known of how it ended, so it is nobody's own; it may have cost money unless it never
 * began. One that never began does not use up a try: its instance waits again. */
static void on_att_lost(struct event *e)
{
	struct tg_attempt *att = e->att;

	if (att == NULL || att->ended)
		return;
	end_attempt(e, false);
	att->lost = true;
	att->code = -1;
	att->outcome = TG_OUT_INFRA;
	if (tg_streq(att->end_why, "never_started")) {
		att->cost_usd = 0;
		att->steps = 0;
		if (!e->in->cancelled && att == tg_instance_latest(e->in)) {
			e->in->queued = true;
			tg_fold_text(&e->in->queue_why, att->why);
		}
	} else {
		att->cost_lower_bound = true;
	}
}

/* ---- stages ---- */

static struct tg_stage_mark *mark_of(struct event *e, enum tg_stage *stage)
{
	*stage = tg_stage_parse(tg_json_str(e->body, "stage"));
	if (*stage >= TG_STAGE_COUNT)
		return NULL;
	if (*stage >= TG_STAGE_ATTEMPT_COUNT)
		return tg_json_str(e->body, "iid") == NULL ? &e->run->stage[*stage] : NULL;
	/* How the agent did is told by att.* alone. */
	if (*stage == TG_STAGE_AGENT || e->att == NULL)
		return NULL;
	return &e->att->stage[*stage];
}

static void on_stage_begin(struct event *e)
{
	enum tg_stage stage;
	struct tg_stage_mark *m = mark_of(e, &stage);
	int k = (int)tg_fold_int(e->body, "k", 0, INT32_MAX, 0);

	if (m == NULL || k < m->k)
		return;
	m->state = TG_JOB_ACTIVE;
	m->k = k;
	m->begin_ms = e->rec->wall_ms;
	m->begin_seq = e->rec->seq;
	m->end_ms = 0;
}

static void on_stage_end(struct event *e)
{
	enum tg_stage stage;
	struct tg_stage_mark *m = mark_of(e, &stage);
	int k = (int)tg_fold_int(e->body, "k", 0, INT32_MAX, 0);
	const struct cJSON *sum = tg_json_get(e->body, "sum");

	if (m == NULL || k < m->k)
		return;
	m->k = k;
	m->end_ms = e->rec->wall_ms;
	m->end_seq = e->rec->seq;
	tg_fold_text(&m->result_sha256, tg_json_str(e->body, "result_sha256"));
	if (!tg_json_bool(e->body, "ok", false)) {
		m->state = TG_JOB_FAILED;
		if (m->failures < INT32_MAX)
			m->failures++;
		tg_fold_text(&m->error, tg_json_str(e->body, "error"));
		return;
	}
	m->state = TG_JOB_OK;
	m->failures = 0;
	if (stage < TG_STAGE_ATTEMPT_COUNT)
		tg_fold_attempt_sum(e->att, stage, sum);
	else
		tg_fold_run_sum(e->run, stage, sum);
}

/* ---- instances ---- */

static void queue(struct event *e, const char *why, int64_t not_before_ms)
{
	e->in->queued = true;
	e->in->cancelled = false;
	e->in->not_before_ms = not_before_ms;
	tg_fold_text(&e->in->queue_why, why);
	if (e->run->done_ms != 0)
		on_run_stale(e); /* what was collected no longer is the whole */
}

static void on_inst_retry(struct event *e)
{
	if (e->in == NULL)
		return;
	if (e->in->retries_used < INT32_MAX)
		e->in->retries_used++;
	queue(e, "retry", tg_fold_int(e->body, "not_before_ms", 0, (int64_t)1 << 53, 0));
}

static void on_inst_rerun(struct event *e)
{
	if (e->in != NULL)
		queue(e, "rerun", 0);
}

/* Judged though no stage could say how it ended: a fault of ours, not the model's. */
static void on_inst_done(struct event *e)
{
	if (e->att == NULL || !e->att->ended)
		return;
	e->att->judged = true;
	if (e->att->outcome == TG_OUT_NONE)
		e->att->outcome = TG_OUT_BUG;
}

static void on_inst_cancel(struct event *e)
{
	const struct tg_attempt *latest;

	if (e->in == NULL)
		return;
	e->in->queued = false;
	latest = tg_instance_latest(e->in);
	/* A judged result stays what it is; then only the further attempt is called off. */
	if (latest == NULL || !latest->judged)
		e->in->cancelled = true;
}

/* ---- the record ---- */

static void on_cmd(struct event *e)
{
	const char *verb = tg_json_str(e->body, "verb"), *user = tg_json_str(e->body, "user");
	const char *host = tg_json_str(e->body, "host"), *error = tg_json_str(e->body, "error");
	bool ok = tg_json_bool(e->body, "ok", true);
	struct tg_buf text = TG_BUF_INIT;

	if (verb == NULL)
		return;
	tg_buf_addf(&text, "%s", verb);
	if (tg_json_len(tg_json_get(e->body, "args")) > 0) {
		tg_buf_addc(&text, ' ');
		tg_json_print(tg_json_get(e->body, "args"), TG_JSON_COMPACT, &text);
	}
	if (user != NULL)
		tg_buf_addf(&text, " by %s%s%s", user, host ? "@" : "", host ? host : "");
	if (!ok)
		tg_buf_addf(&text, ": refused: %s", error ? error : "no reason given");
	tg_run_add_note(e->run, e->rec->wall_ms, "cmd", tg_buf_cstr(&text));
	tg_buf_fini(&text);
	if (!ok)
		return;
	if (strcmp(verb, "answer") == 0 &&
	    tg_streq(tg_json_str(tg_json_get(e->body, "args"), "row"), "budget")) {
		e->run->budget_answered = true;
		e->run->budget_usd = tg_json_num(tg_json_get(e->body, "args"), "usd", -1);
	}
	if (strcmp(verb, "pause") == 0)
		e->run->paused = true;
	else if (strcmp(verb, "resume") == 0)
		e->run->paused = e->run->draining = false;
	else if (strcmp(verb, "drain") == 0)
		e->run->draining = true;
	else if (strcmp(verb, "stop") == 0)
		e->run->stopping = true;
}

static void on_note(struct event *e)
{
	tg_run_add_note(e->run, e->rec->wall_ms, e->rec->ev, tg_json_str(e->body, "text"));
}

static void on_amend(struct event *e)
{
	const char *what = tg_json_str(e->body, "what"), *path = tg_json_str(e->body, "path");
	const char *was = tg_json_str(e->body, "old_sha256"),
		   *is = tg_json_str(e->body, "new_sha256");
	char *text = tg_asprintf("%s amended: sha256 %.12s -> %.12s (%s)", what ? what : "config",
				 was ? was : "?", is ? is : "?", path ? path : "?");

	tg_run_add_note(e->run, e->rec->wall_ms, "amend", text);
	free(text);
}

static void on_io_error(struct event *e)
{
	const char *op = tg_json_str(e->body, "op"), *what = tg_json_str(e->body, "text");
	char *text = tg_asprintf("%s: %s", op ? op : "?", what ? what : "?");

	tg_run_add_note(e->run, e->rec->wall_ms, "io.error", text);
	free(text);
}

static const struct {
	const char *ev;
	void (*fn)(struct event *e);
} handlers[] = {
	{ "run.open", on_run_open },
	{ "runner.start", on_runner_start },
	{ "runner.end", on_runner_end },
	{ "att.start", on_att_start },
	{ "att.run", on_att_run },
	{ "att.kill", on_att_kill },
	{ "att.orphan", on_att_orphan },
	{ "att.exit", on_att_exit },
	{ "att.lost", on_att_lost },
	{ "att.import", on_att_import },
	{ "stage.begin", on_stage_begin },
	{ "stage.end", on_stage_end },
	{ "inst.retry", on_inst_retry },
	{ "inst.rerun", on_inst_rerun },
	{ "inst.done", on_inst_done },
	{ "inst.cancel", on_inst_cancel },
	{ "cmd", on_cmd },
	{ "gate", on_gate },
	{ "amend", on_amend },
	{ "waiver", on_note },
	{ "note", on_note },
	{ "io.error", on_io_error },
	{ "run.stale", on_run_stale },
	{ "run.done", on_run_done },
};

bool tg_run_apply(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct tg_run *run = user;
	struct event e = { .run = run, .rec = rec, .body = rec->body };

	(void)err;
	run->seq = rec->seq;
	run->last_ms = rec->wall_ms;
	memcpy(run->head, rec->sha256, sizeof run->head);
	run->head[sizeof run->head - 1] = '\0';
	e.in = tg_run_instance(run, tg_json_str(rec->body, "iid"));
	if (e.in != NULL) {
		run->work_seq = rec->seq;
		e.att = tg_instance_attempt(e.in, attempt_number(rec->body));
	}
	for (size_t i = 0; rec->ev != NULL && i < sizeof handlers / sizeof handlers[0]; i++) {
		if (strcmp(handlers[i].ev, rec->ev) == 0) {
			handlers[i].fn(&e);
			break;
		}
	}
	return true;
}
