/* The fold and the selection: sequences of events against what they must come to. */
#include "unit/run/run_common.h"

#define RUNS 10000
#define PER_RUN 60

static const char *const ids[] = { "a__a-1", "b__b-2", "c__c-3" };

static void begin(struct tg_run *run)
{
	tg_run_init(run, "/run");
	tg_run_expect(run, ids, 3);
	fold(run, "run.open", "{\"run_sha256\":\"abc\",\"run_id\":\"x\",\"expected\":3}");
	fold(run, "runner.start", "{\"pid\":42,\"boot_id\":\"b\",\"host\":\"h\",\"version\":\"1\"}");
}

static void foldf(struct tg_run *run, const char *ev, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fold(run, ev, text);
}

static void start(struct tg_run *run, const char *iid, int a, const char *why)
{
	foldf(run, "att.start", "{\"iid\":\"%s\",\"a\":%d,\"why\":\"%s\",\"config_sha256\":\"c0\"}", iid,
	      a, why);
	foldf(run, "att.run", "{\"iid\":\"%s\",\"a\":%d}", iid, a);
}

static void stage(struct tg_run *run, const char *iid, int a, const char *name, const char *sum)
{
	foldf(run, "stage.begin", "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1}", iid, a, name);
	foldf(run, "stage.end", "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1,\"ok\":true,\"sum\":%s}",
	      iid, a, name, sum);
}

/* A whole attempt with this end. */
static void attempt(struct tg_run *run, const char *iid, int a, const char *outcome,
		    const char *class, const char *eval)
{
	bool resolved = strcmp(eval, "RESOLVED") == 0;
	char sum[256];

	start(run, iid, a, a == 1 ? "first" : "rerun");
	foldf(run, "att.exit", "{\"iid\":\"%s\",\"a\":%d,\"code\":0,\"sig\":0,\"why\":\"exit\"}", iid, a);
	snprintf(sum, sizeof sum, "{\"outcome\":\"%s\",\"cost_usd\":0.25,\"steps\":7}", outcome);
	stage(run, iid, a, "extract", sum);
	snprintf(sum, sizeof sum, "{\"class\":\"%s\",\"applies\":null,\"flags\":[\"x\"]}", class);
	stage(run, iid, a, "triage", sum);
	stage(run, iid, a, "scan", "{\"status\":\"ok\",\"new_violations\":[]}");
	snprintf(sum, sizeof sum, "{\"status\":\"%s\",\"resolved\":%s}", eval,
		 resolved ? "true" : "false");
	stage(run, iid, a, "evaluate", sum);
	stage(run, iid, a, "risk", "{}");
	snprintf(sum, sizeof sum, "{\"decision\":\"%s\",\"reason\":\"r\",\"cri\":1.0,\"level\":\"bound\"}",
		 resolved ? "OK" : "ABSTAIN");
	stage(run, iid, a, "govern", sum);
	foldf(run, "inst.done", "{\"iid\":\"%s\",\"a\":%d}", iid, a);
}

static void rerun(struct tg_run *run, const char *iid)
{
	foldf(run, "inst.rerun", "{\"iid\":\"%s\",\"req\":\"r\"}", iid);
}

/* ---- selection ---- */

static const struct selection_case {
	const char *name;
	struct {
		const char *outcome, *class, *eval;
	} att[3];
	int counted;
	size_t resolved, latest, best, failed;
} selection_cases[] = {
	{ "resolved at once", { { "done", "ok", "RESOLVED" } }, 1, 1, 1, 1, 0 },
	{ "unresolved is a result", { { "done", "ok", "UNRESOLVED" } }, 1, 0, 0, 0, 0 },
	{ "unresolved, rerun resolved: the headline stays",
	  { { "done", "ok", "UNRESOLVED" }, { "done", "ok", "RESOLVED" } }, 1, 0, 1, 1, 0 },
	{ "empty, rerun resolved: the headline stays",
	  { { "empty", "empty", "EMPTY_PATCH" }, { "done", "ok", "RESOLVED" } }, 1, 0, 1, 1, 0 },
	{ "infrastructure, then resolved: counts",
	  { { "infra", "infra", "INFRA" }, { "done", "ok", "RESOLVED" } }, 2, 1, 1, 1, 0 },
	{ "infrastructure, crash, then unresolved",
	  { { "infra", "empty", "NOT_RUN" }, { "crash", "empty", "NOT_RUN" },
	    { "done", "ok", "UNRESOLVED" } }, 3, 0, 0, 0, 0 },
	{ "infrastructure, unresolved, resolved: the second counts",
	  { { "infra", "empty", "NOT_RUN" }, { "done", "ok", "UNRESOLVED" },
	    { "done", "ok", "RESOLVED" } }, 2, 0, 1, 1, 0 },
	{ "resolved, rerun empty: keeps",
	  { { "done", "ok", "RESOLVED" }, { "empty", "empty", "EMPTY_PATCH" } }, 1, 1, 0, 1, 0 },
	{ "infrastructure twice: the latest stands, failed",
	  { { "infra", "infra", "INFRA" }, { "infra", "infra", "INFRA" } }, 2, 0, 0, 0, 1 },
	{ "limit is the model's own",
	  { { "limit", "empty", "EMPTY_PATCH" }, { "done", "ok", "RESOLVED" } }, 1, 0, 1, 1, 0 },
	{ "model API is not", { { "model_api", "empty", "NOT_RUN" }, { "done", "ok", "RESOLVED" } },
	  2, 1, 1, 1, 0 },
	{ "garbage is the model's own, and failed", { { "done", "prose", "PATCH_APPLY_FAILED" } },
	  1, 0, 0, 0, 1 },
	{ "does not apply is failed", { { "done", "does-not-apply", "PATCH_APPLY_FAILED" } },
	  1, 0, 0, 0, 1 },
	{ "fuzz is usable", { { "done", "applies-with-fuzz", "UNRESOLVED" } }, 1, 0, 0, 0, 0 },
};

static void test_selection(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof selection_cases / sizeof selection_cases[0]; i++) {
		const struct selection_case *c = &selection_cases[i];
		struct tg_counts n;
		struct tg_run run;

		begin(&run);
		for (int a = 0; a < 3 && c->att[a].outcome != NULL; a++) {
			if (a > 0)
				rerun(&run, ids[0]);
			attempt(&run, ids[0], a + 1, c->att[a].outcome, c->att[a].class,
				c->att[a].eval);
		}
		tg_run_count(&run, &n);
		if (tg_instance_counted(&run.inst[0])->n != c->counted || n.resolved != c->resolved ||
		    n.resolved_latest != c->latest || n.resolved_best != c->best ||
		    n.failed != c->failed)
			fail_msg("%s: counted %d, resolved %zu, latest %zu, best %zu, failed %zu", c->name,
				 tg_instance_counted(&run.inst[0])->n, n.resolved, n.resolved_latest,
				 n.resolved_best, n.failed);
		assert_int_equal(tg_instance_state(&run.inst[0]), TG_ST_DONE);
		tg_run_fini(&run);
	}
}

/* While the rerun is under way the headline is still the first attempt's. */
static void test_rerun_in_flight(void **state)
{
	struct tg_counts n;
	struct tg_run run;

	(void)state;
	begin(&run);
	attempt(&run, ids[0], 1, "done", "ok", "RESOLVED");
	rerun(&run, ids[0]);
	assert_int_equal(tg_instance_state(&run.inst[0]), TG_ST_QUEUED);
	start(&run, ids[0], 2, "rerun");
	assert_int_equal(tg_instance_state(&run.inst[0]), TG_ST_RUNNING);
	tg_run_count(&run, &n);
	assert_int_equal(n.resolved, 1);
	assert_int_equal(n.by_decision[TG_DEC_OK], 1);
	assert_int_equal(n.attempts, 2);
	assert_false(tg_instance_failed(&run.inst[0]));
	tg_run_fini(&run);
}

/* ---- states ---- */

static void assert_state(const struct tg_run *run, enum tg_state want)
{
	assert_string_equal(tg_state_name(tg_instance_state(&run->inst[0])), tg_state_name(want));
}

static void test_states(void **state)
{
	struct tg_run run;
	const char *id = ids[0];

	(void)state;
	begin(&run);
	assert_state(&run, TG_ST_QUEUED);
	foldf(&run, "att.start", "{\"iid\":\"%s\",\"a\":1,\"why\":\"first\"}", id);
	assert_state(&run, TG_ST_STARTING);
	foldf(&run, "att.run", "{\"iid\":\"%s\",\"a\":1}", id);
	assert_state(&run, TG_ST_RUNNING);
	foldf(&run, "att.kill", "{\"iid\":\"%s\",\"a\":1,\"reason\":\"operator\"}", id);
	assert_state(&run, TG_ST_STOPPING);
	foldf(&run, "att.orphan", "{\"iid\":\"%s\",\"a\":1}", id);
	assert_state(&run, TG_ST_ORPHAN);
	foldf(&run, "att.exit", "{\"iid\":\"%s\",\"a\":1,\"code\":-1,\"sig\":9,\"why\":\"killed\"}", id);
	assert_state(&run, TG_ST_EXTRACT);
	assert_int_equal(run.inst[0].att[0].sig, 9);
	assert_int_equal(run.inst[0].att[0].code, -1);
	assert_int_equal(run.inst[0].att[0].stage[TG_STAGE_AGENT].state, TG_JOB_FAILED);
	stage(&run, id, 1, "extract", "{\"outcome\":\"done\"}");
	assert_state(&run, TG_ST_TRIAGE);
	stage(&run, id, 1, "triage", "{\"class\":\"ok\"}");
	assert_state(&run, TG_ST_SCAN);
	foldf(&run, "stage.begin", "{\"iid\":\"%s\",\"a\":1,\"stage\":\"evaluate\",\"k\":1}", id);
	assert_state(&run, TG_ST_EVALUATE);
	stage(&run, id, 1, "scan", "{\"status\":\"ok\"}");
	stage(&run, id, 1, "evaluate", "{\"status\":\"UNRESOLVED\"}");
	assert_state(&run, TG_ST_GOVERN);
	stage(&run, id, 1, "govern", "{\"decision\":\"ABSTAIN\"}");
	foldf(&run, "inst.done", "{\"iid\":\"%s\",\"a\":1}", id);
	assert_state(&run, TG_ST_DONE);
	assert_false(tg_run_all_judged(&run));
	foldf(&run, "inst.cancel", "{\"iid\":\"%s\",\"req\":\"r\"}", ids[1]);
	foldf(&run, "inst.cancel", "{\"iid\":\"%s\",\"req\":\"r\"}", ids[2]);
	assert_int_equal(tg_instance_state(&run.inst[1]), TG_ST_CANCELLED);
	assert_true(tg_run_all_judged(&run));
	rerun(&run, ids[1]);
	assert_int_equal(tg_instance_state(&run.inst[1]), TG_ST_QUEUED);
	tg_run_fini(&run);
}

static void test_lost(void **state)
{
	bool lower = false;
	struct tg_run run;

	(void)state;
	begin(&run);
	foldf(&run, "att.start", "{\"iid\":\"%s\",\"a\":1,\"why\":\"first\"}", ids[0]);
	foldf(&run, "att.lost", "{\"iid\":\"%s\",\"a\":1,\"why\":\"never_started\"}", ids[0]);
	assert_state(&run, TG_ST_QUEUED);
	assert_int_equal(run.inst[0].retries_used, 0);
	tg_run_cost(&run, &lower);
	assert_false(lower);
	start(&run, ids[0], 2, "first");
	foldf(&run, "att.lost", "{\"iid\":\"%s\",\"a\":2,\"why\":\"shim_gone\"}", ids[0]);
	tg_run_cost(&run, &lower);
	assert_true(lower);
	assert_false(run.inst[0].queued);
	foldf(&run, "inst.retry", "{\"iid\":\"%s\",\"a\":2,\"why\":\"lost\",\"not_before_ms\":5}", ids[0]);
	assert_int_equal(run.inst[0].retries_used, 1);
	assert_int_equal(run.inst[0].not_before_ms, 5);
	attempt(&run, ids[0], 3, "done", "ok", "RESOLVED");
	assert_int_equal(tg_instance_counted(&run.inst[0])->n, 3);
	tg_run_fini(&run);
}

/* ---- sums, run-level events ---- */

static void test_sums(void **state)
{
	struct tg_attempt *att;
	struct tg_run run;

	(void)state;
	begin(&run);
	attempt(&run, ids[0], 1, "done", "ok", "RESOLVED");
	stage(&run, ids[0], 1, "extract",
	      "{\"outcome\":\"done\",\"exit_status\":\"Submitted\",\"model_answered\":\"m\",\"steps\":12,"
	      "\"cost_usd\":0.5,\"cost_lower_bound\":true,\"tokens\":900,\"no_trajectory\":false,"
	      "\"no_trajectory_why\":null,\"patch_source\":\"submission\",\"patch_bytes\":1754,"
	      "\"patch_sha256\":\"8d\",\"traj_sha256\":\"t\",\"submission_valid\":true}");
	stage(&run, ids[0], 1, "triage", "{\"class\":\"applies-with-fuzz\",\"reason\":\"why\",\"remedy\":"
	      "\"do\",\"applies\":true,\"rung\":\"patch\",\"flags\":[\"a\",3,\"b\"],\"bytes\":1754}");
	stage(&run, ids[0], 1, "scan", "{\"status\":\"partial\",\"reason\":\"p\",\"new_violations\":["
	      "{\"code\":\"SQLI_FSTRING\",\"severity\":\"high\"},{\"code\":\"SQLI_FSTRING\"},\"X\"]}");
	stage(&run, ids[0], 1, "govern", "{\"decision\":\"VETO\",\"reason\":\"high\",\"cri\":0.0,"
	      "\"level\":\"bound\"}");
	att = tg_instance_attempt(&run.inst[0], 1);
	assert_string_equal(att->exit_status, "Submitted");
	assert_int_equal(att->steps, 12);
	assert_int_equal(att->tokens, 900);
	assert_int_equal(att->patch_bytes, 1754);
	assert_true(att->cost_lower_bound);
	assert_int_equal(att->patch_class, TG_PC_APPLIES_WITH_FUZZ);
	assert_int_equal(att->applies, 1);
	assert_int_equal(att->flags_n, 2);
	assert_string_equal(att->flags[1], "b");
	assert_int_equal(att->scan, TG_SC_PARTIAL);
	assert_int_equal(att->violation_n, 2);
	assert_string_equal(att->violation[0].severity, "high");
	assert_int_equal(att->decision, TG_DEC_VETO);
	assert_true(att->cri >= 0.0 && att->cri < 0.001);
	assert_int_equal(att->evidence, TG_EL_BOUND);
	/* resolved is believed only together with the status */
	stage(&run, ids[0], 1, "evaluate", "{\"status\":\"UNRESOLVED\",\"resolved\":true}");
	assert_int_equal(att->resolved, 0);
	stage(&run, ids[0], 1, "evaluate", "{\"status\":\"RESOLVED\",\"resolved\":false}");
	assert_int_equal(att->resolved, 0);
	stage(&run, ids[0], 1, "evaluate", "{\"status\":\"NOT_RUN\",\"resolved\":null}");
	assert_int_equal(att->resolved, -1);
	tg_run_fini(&run);
}

static void test_failed_stage(void **state)
{
	const struct tg_stage_mark *m;
	struct tg_run run;

	(void)state;
	begin(&run);
	start(&run, ids[0], 1, "first");
	fold(&run, "att.exit", "{\"iid\":\"a__a-1\",\"a\":1,\"code\":0,\"why\":\"exit\"}");
	for (int k = 1; k <= 2; k++) {
		foldf(&run, "stage.begin", "{\"iid\":\"a__a-1\",\"a\":1,\"stage\":\"extract\",\"k\":%d}", k);
		foldf(&run, "stage.end", "{\"iid\":\"a__a-1\",\"a\":1,\"stage\":\"extract\",\"k\":%d,"
		      "\"ok\":false,\"error\":\"crash\",\"sum\":{\"outcome\":\"done\"}}", k);
	}
	m = &run.inst[0].att[0].stage[TG_STAGE_EXTRACT];
	assert_int_equal(m->state, TG_JOB_FAILED);
	assert_int_equal(m->failures, 2);
	assert_string_equal(m->error, "crash");
	assert_true(m->begin_seq > 0 && m->end_seq > m->begin_seq);
	assert_int_equal(run.inst[0].att[0].outcome, TG_OUT_NONE);
	fold(&run, "stage.end", "{\"iid\":\"a__a-1\",\"a\":1,\"stage\":\"extract\",\"k\":1,\"ok\":true,"
	     "\"sum\":{\"outcome\":\"done\"}}"); /* late news of an earlier try */
	assert_int_equal(m->state, TG_JOB_FAILED);
	fold(&run, "inst.done", "{\"iid\":\"a__a-1\",\"a\":1}");
	assert_int_equal(run.inst[0].att[0].outcome, TG_OUT_BUG);
	tg_run_fini(&run);
}

static void test_run_events(void **state)
{
	struct tg_run run;

	(void)state;
	begin(&run);
	assert_true(run.opened && run.runner_up && run.gate.open);
	assert_int_equal(run.runner_pid, 42);
	fold(&run, "gate", "{\"open\":false,\"row\":\"budget\",\"text\":\"t\",\"reopens\":\"r\"}");
	assert_false(run.gate.open);
	assert_string_equal(run.gate.row, "budget");
	assert_int_equal(run.gate.since_ms, run.last_ms);
	fold(&run, "gate", "{\"open\":true,\"row\":\"budget\"}");
	assert_true(run.gate.open);
	assert_null(run.gate.row);
	fold(&run, "cmd", "{\"req\":\"1\",\"verb\":\"pause\",\"args\":{},\"user\":\"u\",\"host\":\"h\","
	     "\"ok\":true}");
	assert_true(run.paused);
	fold(&run, "cmd", "{\"req\":\"2\",\"verb\":\"resume\",\"ok\":false,\"error\":\"no\"}");
	assert_true(run.paused);
	fold(&run, "cmd", "{\"req\":\"3\",\"verb\":\"drain\",\"ok\":true}");
	assert_true(run.draining);
	fold(&run, "runner.end", "{\"why\":\"drained\"}");
	assert_string_equal(run.runner_end, "drained");
	fold(&run, "runner.start", "{\"pid\":43}");
	assert_true(run.paused && !run.draining && run.runner_end == NULL);
	fold(&run, "amend", "{\"what\":\"config\",\"old_sha256\":\"aaaa\",\"new_sha256\":\"bbbb\",\"path\":"
	     "\"p\"}");
	fold(&run, "io.error", "{\"op\":\"write\",\"text\":\"full\"}");
	assert_int_equal(run.note_n, 5);
	assert_string_equal(run.note[3].kind, "amend");
	assert_non_null(strstr(run.note[1].text, "refused: no"));
	fold(&run, "never.heard.of", "{\"x\":1}");
	tg_run_fini(&run);
}

static void test_done_and_stale(void **state)
{
	struct tg_run run;

	(void)state;
	begin(&run);
	for (int i = 0; i < 3; i++)
		attempt(&run, ids[i], 1, i == 0 ? "empty" : "done", i == 0 ? "empty" : "ok",
			i == 0 ? "EMPTY_PATCH" : "RESOLVED");
	fold(&run, "stage.begin", "{\"iid\":null,\"stage\":\"gate\",\"k\":1}");
	fold(&run, "stage.end", "{\"iid\":null,\"stage\":\"gate\",\"k\":1,\"ok\":true,\"sum\":{\"pass\":"
	     "false}}");
	assert_true(run.gate_known && !run.gate_pass);
	assert_true(run.work_seq < run.stage[TG_STAGE_GATE].begin_seq);
	fold(&run, "stage.end", "{\"iid\":null,\"stage\":\"bundle\",\"k\":1,\"ok\":true,\"sum\":{\"sha256\":"
	     "\"b\",\"withheld\":false}}");
	assert_string_equal(run.bundle_sha256, "b");
	fold(&run, "run.done", "{\"complete\":true,\"gate_pass\":false}");
	assert_true(run.complete && run.done_ms > 0 && !run.stale);
	rerun(&run, ids[0]);
	assert_true(run.stale && !run.complete && run.done_ms == 0);
	attempt(&run, ids[0], 2, "done", "ok", "RESOLVED");
	fold(&run, "run.done", "{\"complete\":true,\"gate_pass\":true}");
	assert_true(run.complete && !run.stale && run.gate_pass);
	assert_int_equal(run.config_digests, 1);
	rerun(&run, ids[1]);
	fold(&run, "att.start", "{\"iid\":\"b__b-2\",\"a\":2,\"why\":\"rerun\",\"config_sha256\":\"c1\"}");
	assert_int_equal(run.config_digests, 2);
	tg_run_fini(&run);
}

static void test_costs(void **state)
{
	bool lower = true;
	struct tg_run run;

	(void)state;
	begin(&run);
	attempt(&run, ids[0], 1, "done", "ok", "RESOLVED");
	rerun(&run, ids[0]);
	attempt(&run, ids[0], 2, "done", "ok", "RESOLVED");
	assert_true(tg_run_cost(&run, &lower) == 0.5 && !lower);
	start(&run, ids[1], 1, "first");
	assert_true(tg_run_cost(&run, &lower) == 0.5 && lower);
	tg_run_fini(&run);
}

/* ---- any order of events ---- */

static uint64_t next_random(uint64_t *s) /* xorshift64*, Vigna */
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 2685821657736338717u;
}

static const char *pick(uint64_t *s, const char *const *of, size_t n)
{
	return of[next_random(s) % n];
}

#define PICK(s, ...) \
	pick(s, (const char *const[]){ __VA_ARGS__ }, \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* A body that may fit the event, may lack members, or may have them of a wrong kind. */
static void random_body(uint64_t *s, char *out, size_t cap)
{
	snprintf(out, cap,
		 "{\"iid\":%s,\"a\":%s,\"k\":%s,\"stage\":%s,\"ok\":%s,\"why\":%s,\"verb\":%s,"
		 "\"config_sha256\":%s,\"open\":%s,\"code\":%s,\"sum\":%s,\"not_before_ms\":%s,"
		 "\"text\":%s,\"args\":%s}",
		 PICK(s, "\"a__a-1\"", "\"b__b-2\"", "\"c__c-3\"", "\"a__a-1\"", "null", "\"x\"", "7"),
		 PICK(s, "1", "1", "1", "2", "2", "3", "0", "-1", "1e300", "\"1\"", "null", "99999999"),
		 PICK(s, "1", "1", "2", "3", "-5", "4294967296", "null", "[]"),
		 PICK(s, "\"extract\"", "\"triage\"", "\"scan\"", "\"evaluate\"", "\"risk\"",
		      "\"govern\"", "\"collect\"", "\"gate\"", "\"bundle\"", "\"agent\"", "\"x\"", "3"),
		 PICK(s, "true", "true", "false", "null", "1"),
		 PICK(s, "\"exit\"", "\"never_started\"", "\"shim_gone\"", "\"rerun\"", "null", "{}"),
		 PICK(s, "\"pause\"", "\"resume\"", "\"drain\"", "\"stop\"", "\"x\"", "null"),
		 PICK(s, "\"c0\"", "\"c1\"", "\"c2\"", "null"), PICK(s, "true", "false", "\"yes\""),
		 PICK(s, "0", "1", "-9e18", "null"),
		 PICK(s, "{\"outcome\":\"done\",\"cost_usd\":0.5,\"steps\":3}",
		      "{\"outcome\":\"infra\",\"cost_usd\":-4,\"steps\":-9}",
		      "{\"class\":\"ok\",\"flags\":[\"a\",{}],\"bytes\":1e40}",
		      "{\"status\":\"RESOLVED\",\"resolved\":true}",
		      "{\"status\":\"ok\",\"new_violations\":[{\"code\":\"A\"},{},null,\"B\"]}",
		      "{\"decision\":\"OK\",\"cri\":2e99,\"level\":\"bound\"}", "{\"pass\":true}",
		      "{\"outcome\":[],\"class\":{},\"status\":7,\"flags\":\"x\",\"new_violations\":3}",
		      "[1,2]", "null", "\"sum\""),
		 PICK(s, "0", "17", "1e99", "null"), PICK(s, "\"t\"", "null", "[]"),
		 PICK(s, "{}", "{\"ids\":[\"a\"]}", "[]", "null"));
}

static void check_invariants(const struct tg_run *run)
{
	struct tg_counts n;
	size_t sum = 0, decided = 0;

	tg_run_count(run, &n);
	for (int i = 0; i < TG_ST_COUNT; i++)
		sum += n.by_state[i];
	for (int i = 0; i < TG_DEC_COUNT; i++)
		decided += n.by_decision[i];
	assert_int_equal(sum, n.total);
	assert_int_equal(decided, n.total);
	assert_true(n.resolved <= n.resolved_best && n.resolved_latest <= n.resolved_best);
	assert_true(n.failed + n.usable <= n.total);
	for (size_t i = 0; i < run->inst_n; i++) {
		const struct tg_instance *in = &run->inst[i];
		const struct tg_attempt *counted = tg_instance_counted(in);

		assert_int_equal(counted == NULL, in->att_n == 0);
		for (size_t a = 0; a < in->att_n; a++) {
			const struct tg_attempt *att = &in->att[a];

			assert_true(att->n > 0 && (a == 0 || in->att[a - 1].n < att->n));
			assert_true(att->started && att->resolved >= -1 && att->resolved <= 1);
			assert_false(att->ended && (att->running || att->stopping || att->orphan));
			assert_false(att->judged && !att->ended);
			assert_true(att->patch_bytes >= -1 && att->steps >= -1);
		}
		/* nothing before the counted attempt may be the model's own */
		for (size_t a = 0; counted != NULL && in->att[a].n < counted->n; a++)
			assert_false(in->att[a].ended && tg_outcome_is_own(in->att[a].outcome));
	}
	assert_true(tg_run_cost(run, NULL) >= 0);
}

static const char *const all_events[] = {
	"run.open", "runner.start", "runner.end", "att.start", "att.start", "att.start", "att.run",
	"att.run", "att.kill", "att.orphan", "att.exit", "att.exit", "att.lost", "att.import",
	"stage.begin", "stage.begin", "stage.end", "stage.end", "stage.end", "inst.retry", "inst.rerun",
	"inst.done", "inst.done", "inst.cancel", "cmd", "gate", "amend", "waiver", "note", "io.error",
	"run.stale", "run.done", "seg.next", "unheard"
};

/* One number that depends on everything the fold keeps and shows. */
static uint64_t fingerprint(const struct tg_run *run)
{
	struct tg_counts n;
	uint64_t h = run->seq * 31 + run->note_n;

	tg_run_count(run, &n);
	for (size_t i = 0; i < sizeof n; i++)
		h = h * 1099511628211u + ((const unsigned char *)&n)[i];
	for (size_t i = 0; i < run->inst_n; i++)
		for (size_t a = 0; a < run->inst[i].att_n; a++)
			h = h * 1099511628211u + (uint64_t)run->inst[i].att[a].outcome * 8 +
			    (uint64_t)run->inst[i].att[a].eval;
	return h;
}

static uint64_t random_run(uint64_t seed)
{
	uint64_t s = seed * 0x9e3779b97f4a7c15u + 1, h;
	struct tg_run run;
	char body[2048];

	tg_run_init(&run, "/run");
	tg_run_expect(&run, ids, 3);
	for (int i = 0; i < PER_RUN; i++) {
		random_body(&s, body, sizeof body);
		fold(&run, pick(&s, all_events, sizeof all_events / sizeof all_events[0]), body);
	}
	check_invariants(&run);
	h = fingerprint(&run);
	tg_run_fini(&run);
	return h;
}

static int64_t seed_now; /* so that a failed assertion can be run again */

static int say_seed(void **state)
{
	(void)state;
	print_message("the last seed was %lld\n", (long long)seed_now);
	return 0;
}

static void test_any_order(void **state)
{
	const char *env = getenv("TGMON_TEST_SEED");
	int64_t first = 1;

	(void)state;
	if (env != NULL)
		assert_true(tg_parse_i64(env, &first));
	print_message("seeds %lld to %lld (TGMON_TEST_SEED=N starts at N)\n", (long long)first,
		      (long long)first + RUNS - 1);
	for (int64_t seed = first; seed < first + RUNS; seed++) {
		uint64_t h;

		seed_now = seed;
		h = random_run((uint64_t)seed);
		if (seed % 50 == 0 && random_run((uint64_t)seed) != h)
			fail_msg("seed %lld: the fold is not deterministic", (long long)seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selection),   cmocka_unit_test(test_rerun_in_flight),
		cmocka_unit_test(test_states),      cmocka_unit_test(test_lost),
		cmocka_unit_test(test_sums),        cmocka_unit_test(test_failed_stage),
		cmocka_unit_test(test_run_events),  cmocka_unit_test(test_done_and_stale),
		cmocka_unit_test(test_costs),       cmocka_unit_test_teardown(test_any_order, say_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
