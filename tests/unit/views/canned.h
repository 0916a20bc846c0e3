#ifndef TG_TEST_CANNED_H
#define TG_TEST_CANNED_H
/*
 * A run for the views' tests and for looking at screens: records made in memory, folded by tg_run_apply as any
 * journal is, and live observations beside them. No file, no clock of the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/json.h"
#include "core/run/model.h"
#include "views/app.h"

#define CANNED_T0 INT64_C(1763838000000) /* 2025-11-22T19:00:00Z */

struct canned {
	struct tg_run run;
	struct tg_spec spec;
	struct tg_live *live;
	uint64_t seq;
	int64_t now_ms;
	const char *state;
	bool alive, changed, broken;
};

static inline void canned_record(struct canned *c, int64_t at_s, const char *ev, const char *fmt, ...)
{
	struct tg_err err = { 0 };
	struct tg_buf text = TG_BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	tg_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	struct cJSON *body = tg_json_parse(tg_buf_cstr(&text), text.n, "canned", NULL, &err);
	if (!body) {
		fprintf(stderr, "canned record: %s\n", err.msg);
		abort();
	}
	struct tg_record rec = { .seq = ++c->seq, .wall_ms = CANNED_T0 + at_s * 1000, .ev = ev, .body = body };
	if (!tg_run_apply(&c->run, &rec, &err)) {
		fprintf(stderr, "canned fold: %s\n", err.msg);
		abort();
	}
	tg_json_free(body);
	tg_buf_fini(&text);
	c->changed = true;
}

static inline void canned_init(struct canned *c, const char *const *ids, size_t n)
{
	*c = (struct canned){ .now_ms = CANNED_T0 + 192000, .state = "running", .alive = true };
	tg_run_init(&c->run, "/nowhere/msa_demo_lite_test_251122_190000");
	tg_run_expect(&c->run, ids, n);
	c->spec = (struct tg_spec){ .model_id = tg_strdup("zai/glm-4.6"), .slice = tg_strdup("0:14"),
				    .workers = 3, .budget_usd = 5.0 };
	c->live = tg_calloc(n ? n : 1, sizeof *c->live);
	for (size_t i = 0; i < n; i++)
		c->live[i] = (struct tg_live){ .steps = -1, .cost_usd = -1 };
	canned_record(c, 0, "run.open", "{\"run_id\":\"msa_demo_lite_test_251122_190000\",\"expected\":%zu}", n);
	canned_record(c, 0, "runner.start", "{\"pid\":4242}");
	canned_record(c, 0, "gate", "{\"open\":true}");
}

static inline void canned_fini(struct canned *c)
{
	tg_run_fini(&c->run);
	free(c->spec.model_id);
	free(c->spec.slice);
	free(c->live);
}

static inline void canned_start(struct canned *c, int64_t at, const char *iid, int a, const char *why)
{
	canned_record(c, at, "att.start", "{\"iid\":\"%s\",\"a\":%d,\"why\":\"%s\",\"config_sha256\":\"c0\"}", iid, a,
		      why);
	canned_record(c, at, "att.run", "{\"iid\":\"%s\",\"a\":%d}", iid, a);
}

static inline void canned_live(struct canned *c, size_t i, int64_t steps, double cost, int64_t idle_s,
			       const char *doing)
{
	c->live[i] = (struct tg_live){ .known = true, .steps = steps, .cost_usd = cost,
				       .activity_ms = c->now_ms - idle_s * 1000 };
	snprintf(c->live[i].doing, sizeof c->live[i].doing, "%s", doing);
}

/* One stage that began and ended well. */
static inline void canned_stage(struct canned *c, int64_t at, const char *iid, int a, const char *stage,
				const char *sum)
{
	canned_record(c, at, "stage.begin", "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1}", iid, a, stage);
	canned_record(c, at + 1, "stage.end",
		      "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1,\"ok\":true,\"sum\":%s}", iid, a, stage, sum);
}

struct canned_end {
	const char *outcome, *exit_status;
	int steps;
	double cost;
	const char *class, *reason, *remedy;
	int bytes;
	const char *eval, *eval_reason, *violation, *severity, *decision, *why;
};

/* The agent ended and everything after it did. */
static inline void canned_judged(struct canned *c, int64_t at, const char *iid, int a, const struct canned_end *e)
{
	char sum[2048];
	canned_record(c, at, "att.exit", "{\"iid\":\"%s\",\"a\":%d,\"code\":0,\"why\":\"exit\"}", iid, a);
	snprintf(sum, sizeof sum, "{\"outcome\":\"%s\",\"exit_status\":\"%s\",\"steps\":%d,\"cost_usd\":%.4f,"
		 "\"patch_bytes\":%d}", e->outcome, e->exit_status, e->steps, e->cost, e->bytes);
	canned_stage(c, at, iid, a, "extract", sum);
	snprintf(sum, sizeof sum, "{\"class\":\"%s\",\"reason\":\"%s\",\"remedy\":\"%s\",\"bytes\":%d,\"rung\":\"git\","
		 "\"sha256\":\"0f3c5a7e9b1d2c4f6a8e0b2d4f6a8c0e1f3a5c7e9b1d3f5a7c9e1b3d5f7a9c1e\"}", e->class,
		 e->reason ? e->reason : "", e->remedy ? e->remedy : "", e->bytes);
	canned_stage(c, at + 1, iid, a, "triage", sum);
	if (e->violation)
		snprintf(sum, sizeof sum, "{\"status\":\"ok\",\"new_violations\":[{\"code\":\"%s\",\"severity\":\"%s\"}]}",
			 e->violation, e->severity);
	else
		snprintf(sum, sizeof sum, "{\"status\":\"ok\",\"new_violations\":[]}");
	canned_stage(c, at + 2, iid, a, "scan", sum);
	snprintf(sum, sizeof sum, "{\"status\":\"%s\",\"reason\":\"%s\"}", e->eval, e->eval_reason ? e->eval_reason : "");
	canned_stage(c, at + 2, iid, a, "evaluate", sum);
	snprintf(sum, sizeof sum, "{\"decision\":\"%s\",\"reason\":\"%s\",\"cri\":0.71,\"level\":\"bound\"}", e->decision,
		 e->why);
	canned_stage(c, at + 4, iid, a, "govern", sum);
	canned_record(c, at + 5, "inst.done", "{\"iid\":\"%s\",\"a\":%d}", iid, a);
}

static const char *const canned_ids[14] = {
	"textkit__textkit-101", "textkit__textkit-104", "textkit__textkit-117", "textkit__textkit-123",
	"ledger__ledger-7", "ledger__ledger-12", "ledger__ledger-19", "ledger__ledger-31",
	"routes__routes-44", "routes__routes-58", "routes__routes-63", "routes__routes-71",
	"minidb__minidb-2", "minidb__minidb-9",
};

/* A batch in full flight, with something of everything. */
static inline void canned_flight(struct canned *c)
{
	static const struct canned_end end[] = {
		{ "done", "Submitted", 11, 0.0412, "ok", NULL, NULL, 731, "RESOLVED", NULL, NULL, NULL, "OK",
		  "resolved, no new violations" },
		{ "done", "Submitted", 17, 0.0630, "ok", NULL, NULL, 1240, "UNRESOLVED", "1 of 2 FAIL_TO_PASS still fails",
		  NULL, NULL, "ABSTAIN", "not resolved" },
		{ "empty", "Submitted", 6, 0.0188, "empty", "the submission holds no byte after the marker",
		  "rerun: R", 0, "EMPTY_PATCH", "no patch to evaluate", NULL, NULL, "ABSTAIN", "no patch" },
		{ "done", "Submitted", 14, 0.0531, "ok", NULL, NULL, 2210, "RESOLVED", NULL, "SQLI_STRING_CONCAT", "high",
		  "VETO", "new violation SQLI_STRING_CONCAT (high)" },
		{ "limit", "LimitsExceeded", 50, 0.2210, "empty", "the step limit came before a submission",
		  "raise the limit, then rerun", 0, "EMPTY_PATCH", "no patch to evaluate", NULL, NULL, "ABSTAIN",
		  "no patch" },
		{ "done", "Submitted", 9, 0.0377, "truncated", "ends within hunk 2 of textkit/wrap.py, 3 lines missing",
		  "rerun; the cut is in the submission itself", 998, "PATCH_APPLY_FAILED", "patch does not apply", NULL,
		  NULL, "ABSTAIN", "patch does not apply" },
	};
	canned_init(c, canned_ids, 14);
	for (size_t i = 0; i < 6; i++) {
		canned_start(c, (int64_t)i * 14, canned_ids[i], 1, "first");
		canned_judged(c, 40 + (int64_t)i * 17, canned_ids[i], 1, &end[i]);
	}
	canned_start(c, 80, canned_ids[6], 1, "first");
	canned_record(c, 150, "att.exit", "{\"iid\":\"%s\",\"a\":1,\"code\":0,\"why\":\"exit\"}", canned_ids[6]);
	canned_stage(c, 150, canned_ids[6], 1, "extract",
		     "{\"outcome\":\"done\",\"exit_status\":\"Submitted\",\"steps\":12,\"cost_usd\":0.044,\"patch_bytes\":1802}");
	canned_stage(c, 151, canned_ids[6], 1, "triage", "{\"class\":\"applies-with-fuzz\",\"bytes\":1802,\"rung\":\"patch-fuzz\"}");
	canned_record(c, 170, "stage.begin", "{\"iid\":\"%s\",\"a\":1,\"stage\":\"evaluate\",\"k\":1}", canned_ids[6]);
	canned_start(c, 100, canned_ids[7], 1, "first");
	canned_live(c, 7, 8, 0.0290, 3, "step 9: python -m unittest tests.test_balance -v");
	canned_start(c, 110, canned_ids[8], 1, "first");
	canned_live(c, 8, 4, 0.0110, 134, "step 5: grep -rn 'def match' routes/");
	canned_start(c, 120, canned_ids[9], 1, "first");
	canned_record(c, 130, "att.exit", "{\"iid\":\"%s\",\"a\":1,\"code\":125,\"why\":\"exit\"}", canned_ids[9]);
	canned_stage(c, 131, canned_ids[9], 1, "extract", "{\"outcome\":\"infra\",\"exit_status\":null,\"steps\":0,\"cost_usd\":0}");
	canned_record(c, 140, "inst.done", "{\"iid\":\"%s\",\"a\":1}", canned_ids[9]);
	canned_record(c, 141, "inst.retry", "{\"iid\":\"%s\",\"a\":1,\"why\":\"infra\"}", canned_ids[9]);
	canned_start(c, 160, canned_ids[9], 2, "retry");
	canned_live(c, 9, 2, 0.0041, 0, "step 3: sed -n '1,80p' routes/table.py");
}

/* --- as a source --- */

static inline bool canned_poll(void *user, bool *changed, struct tg_err *err)
{
	struct canned *c = user;
	if (c->broken)
		return tg_fail(err, TG_E_CORRUPT, "journal.000001: the frame at 4711 is damaged");
	*changed = c->changed;
	c->changed = false;
	return true;
}

static inline int canned_fd(void *user)
{
	(void)user;
	return -1;
}

static inline const struct tg_run *canned_run(void *user)
{
	return &((struct canned *)user)->run;
}

static inline void canned_close(void *user)
{
	(void)user;
}

static inline void canned_fill(void *user, struct tg_data *d)
{
	struct canned *c = user;
	d->spec = c->run.foreign ? NULL : &c->spec;
	d->state = c->state;
	d->alive = c->alive;
	d->cost = tg_run_cost(&c->run, &d->cost_lower_bound);
	for (size_t i = 0; i < c->run.inst_n; i++) {
		const struct tg_attempt *att = tg_instance_latest(&c->run.inst[i]);
		struct tg_data_row *row = &d->row[i];
		bool runs = att && !att->ended;
		*row = (struct tg_data_row){ .live = c->live[i], .steps = -1, .idle_s = -1, .cost = -1 };
		if (!att)
			continue;
		row->steps = runs ? c->live[i].steps : att->steps;
		row->cost = runs ? c->live[i].cost_usd : att->cost_usd;
		if (runs && c->live[i].activity_ms)
			row->idle_s = (d->now_ms - c->live[i].activity_ms) / 1000;
		if (runs && row->cost > 0)
			d->cost += row->cost;
	}
}

static const struct tg_source_ops canned_ops = {
	.poll = canned_poll, .fd = canned_fd, .fill = canned_fill, .run = canned_run, .close = canned_close,
};

static inline int64_t canned_clock(void)
{
	return CANNED_T0 + 192000;
}

#endif
