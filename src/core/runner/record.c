/*
 * The fold of the runner: tg_run_apply() and what the runner needs beside it, from the same records
 * in the same order, so that a restart knows what the runner before it knew.
 */
#include <stdlib.h>
#include <string.h>
#include "core/lib/json.h"
#include "core/runner/gate.h"
#include "core/runner/loop.h"

static void set_text(char **to, const char *s)
{
	free(*to);
	*to = tg_strdup(s);
}

void tg_pending_fini(struct tg_pending *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->iid[i]);
	free(p->iid);
	free(p->req);
	tg_json_free(p->amend);
	*p = (struct tg_pending){ 0 };
}

/* From the next attempt on the amended config counts. */
static void on_amend(struct tg_runner *r, const struct cJSON *body)
{
	if (!tg_streq(tg_json_str(body, "what"), "config"))
		return;
	set_text(&r->spec.config.path, tg_json_str(body, "path"));
	set_text(&r->spec.config.frozen, tg_json_str(body, "frozen"));
	set_text(&r->spec.config.sha256, tg_json_str(body, "new_sha256"));
	tg_json_free(r->pending.amend);
	r->pending.amend = NULL;
}

/* A rerun is complete when its amendment and each inst.rerun are on record. */
static void note_pending(struct tg_runner *r, const struct cJSON *body, const struct cJSON *args)
{
	const struct cJSON *ids = tg_json_get(args, "ids"), *amend = tg_json_get(args, "amend");

	tg_pending_fini(&r->pending);
	r->pending.req = tg_strdup(tg_json_str(body, "req"));
	r->pending.iid = tg_calloc(tg_json_len(ids) + 1, sizeof *r->pending.iid);
	for (const struct cJSON *c = tg_json_first(ids); c; c = tg_json_next(c))
		if (tg_json_text(c))
			r->pending.iid[r->pending.n++] = tg_strdup(tg_json_text(c));
	if (tg_json_kind(amend) == TG_JSON_OBJECT)
		r->pending.amend = tg_json_dup(amend);
}

static void on_cmd(struct tg_runner *r, const struct cJSON *body)
{
	const char *verb = tg_json_str(body, "verb"), *req = tg_json_str(body, "req");
	const struct cJSON *args = tg_json_get(body, "args");

	if (req) {
		TG_GROW(r->req, r->req_n, r->req_cap);
		r->req[r->req_n++] = tg_strdup(req);
	}
	if (!tg_json_bool(body, "ok", false))
		return;
	if (tg_streq(verb, "rerun"))
		note_pending(r, body, args);
	else if (tg_streq(verb, "answer"))
		tg_gate_answer(r, args);
	else if (tg_streq(verb, "resume"))
		r->failures = 0;
}

static void on_rerun(struct tg_runner *r, struct tg_side *side, const struct cJSON *body)
{
	struct tg_pending *p = &r->pending;

	*side = (struct tg_side){ 0 };
	if (!tg_streq(tg_json_str(body, "req"), p->req))
		return;
	for (size_t i = 0; i < p->n; i++)
		if (tg_streq(p->iid[i], tg_json_str(body, "iid"))) {
			free(p->iid[i]);
			p->iid[i] = p->iid[--p->n];
			return;
		}
}

static void on_instance(struct tg_runner *r, struct tg_side *side, const struct tg_record *rec)
{
	const char *why = tg_json_str(rec->body, "why");

	if (tg_streq(rec->ev, "inst.retry")) {
		side->infra += tg_streq(why, "infra");
		side->resume = !tg_streq(why, "infra") && !tg_streq(why, "outage");
	} else if (tg_streq(rec->ev, "inst.rerun")) {
		on_rerun(r, side, rec->body);
	} else if (tg_streq(rec->ev, "att.start")) {
		side->resume = false;
	} else if (tg_streq(rec->ev, "att.lost")) {
		side->resume = true;
		side->lost += !tg_streq(why, "never_started");
	} else if (tg_streq(rec->ev, "att.exit")) {
		side->lost = 0;
	}
}

bool tg_record_apply(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct tg_runner *r = user;
	struct tg_instance *in;

	if (!tg_run_apply(&r->run, rec, err))
		return false;
	in = tg_run_instance(&r->run, tg_json_str(rec->body, "iid"));
	if (tg_streq(rec->ev, "cmd"))
		on_cmd(r, rec->body);
	else if (tg_streq(rec->ev, "amend"))
		on_amend(r, rec->body);
	else if (in)
		on_instance(r, &r->side[in - r->run.inst], rec);
	return true;
}
