#ifndef TG_PROOF_FIXTURE_H
#define TG_PROOF_FIXTURE_H
/*
 * A small run made here: a journal, jobs, and what `collect` would publish.
 *   a__a-1  one attempt, RESOLVED, bound evidence: OK
 *   b__b-2  one attempt, nothing submitted: ABSTAIN
 *   c__c-3  attempt 1 ended by infrastructure, attempt 2 counts: VETO
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/govern/policy.h"
#include "core/govern/row.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/load.h"
#include "core/run/stage.h"
#include "core/run/journal.h"
#include "core/run/layout.h"

#define FIX_ID "msa_t_lite_test_251122_000000"
#define FIX_PATCH "diff --git a/f.py b/f.py\n--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n-a\n+b\n"
/* Bytes that are no UTF-8, as a patch of a latin-1 file has them. */
#define FIX_ODD "diff --git a/g.py b/g.py\n--- a/g.py\n+++ b/g.py\n@@ -1 +1 @@\n-a\n+\xe9\n"

struct fix {
	char root[64], *run;
	struct tg_spec spec;
	char run_sha[TG_SHA256_HEX];
	struct tg_journal_writer *w;
	char *ids[3];
};

static void fix_put(const char *dir, const char *rel, const void *p, size_t n)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0755, NULL));
	assert_true(tg_file_write(path, p, n, 0644, NULL));
	free(parent);
	free(path);
}

static void fix_puts(const char *dir, const char *rel, const char *text)
{
	fix_put(dir, rel, text, strlen(text));
}

/* Append a record; body is JSON text. */
static void fix_log(struct fix *f, const char *ev, const char *body)
{
	struct cJSON *o = tg_json_parse(body, strlen(body), "fixture", NULL, NULL);
	struct tg_err err;

	assert_non_null(o);
	if (!tg_journal_append(f->w, ev, o, &err))
		fail_msg("%s", err.msg);
}

static void fix_logf(struct fix *f, const char *ev, const char *fmt, ...)
{
	struct tg_buf b = TG_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	tg_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	fix_log(f, ev, tg_buf_cstr(&b));
	tg_buf_fini(&b);
}

static bool fix_nothing(void *user, const struct tg_record *rec, struct tg_err *err)
{
	(void)user;
	(void)rec;
	(void)err;
	return true;
}

/* A stage's job: one file below work/, its result.json, and the records around it. */
static void fix_stage(struct fix *f, const char *iid, int a, enum tg_stage s, const char *file,
		      const char *text, size_t n, const char *sum)
{
	char *job = tg_layout_job(f->run, iid, a, s, 1), *rel = tg_asprintf("work/%s", file);
	char *result = tg_asprintf("{\"ok\": true, \"sum\": %s}\n", sum);

	fix_put(job, rel, text, n);
	fix_puts(job, "result.json", result);
	fix_logf(f, "stage.begin", "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1}", iid, a,
		 tg_stage_name(s));
	fix_logf(f, "stage.end",
		 "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"%s\",\"k\":1,\"ok\":true,\"sum\":%s}", iid,
		 a, tg_stage_name(s), sum);
	free(job);
	free(rel);
	free(result);
}

static void fix_begin(struct fix *f, const char *iid, int a, const char *why)
{
	char *dir = tg_layout_attempt(f->run, iid, a);

	fix_puts(dir, "exit.json", "{\"code\": 0}\n");
	fix_puts(dir, "out.log", "the agent said hello\n");
	fix_logf(f, "att.start",
		 "{\"iid\":\"%s\",\"a\":%d,\"why\":\"%s\",\"config_sha256\":\"cc\"}", iid, a, why);
	fix_logf(f, "att.exit", "{\"iid\":\"%s\",\"a\":%d,\"code\":0,\"sig\":0,\"why\":\"exit\"}",
		 iid, a);
	free(dir);
}

static struct tg_stage_ctx fix_ctx(struct fix *f)
{
	return (struct tg_stage_ctx){.run_dir = f->run, .spec = &f->spec, .log = {.fd = -1}};
}

/* Run the real govern stage over the jobs of an attempt and log its end. */
static void fix_govern(struct fix *f, const char *iid, int a, unsigned stages)
{
	struct tg_stage_ctx ctx = fix_ctx(f);
	char *dir[TG_STAGE_COUNT] = {NULL},
	     *job = tg_layout_job(f->run, iid, a, TG_STAGE_GOVERN, 1);
	char *work = tg_path_join(job, "work");
	struct cJSON *sum = tg_json_object();
	struct tg_buf text = TG_BUF_INIT;
	struct tg_err err;

	assert_true(tg_mkdirs(work, 0755, NULL));
	ctx.instance_id = iid;
	ctx.attempt = a;
	ctx.work_dir = work;
	for (int s = 0; s < TG_STAGE_ATTEMPT_COUNT; s++)
		if (stages & (1u << s))
			ctx.input[s] = dir[s] = tg_layout_job(f->run, iid, a, (enum tg_stage)s, 1);
	if (!tg_stage_govern(&ctx, sum, &err))
		fail_msg("%s", err.msg);
	tg_json_print(sum, TG_JSON_COMPACT, &text);
	fix_logf(f, "stage.begin", "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"govern\",\"k\":1}", iid,
		 a);
	fix_logf(f, "stage.end",
		 "{\"iid\":\"%s\",\"a\":%d,\"stage\":\"govern\",\"k\":1,\"ok\":true,\"sum\":%s}",
		 iid, a, tg_buf_cstr(&text));
	fix_logf(f, "inst.done", "{\"iid\":\"%s\",\"a\":%d}", iid, a);
	for (int s = 0; s < TG_STAGE_COUNT; s++)
		free(dir[s]);
	tg_json_free(sum);
	tg_buf_fini(&text);
	free(work);
	free(job);
}

#define FIX_BIT(s) (1u << TG_STAGE_##s)

static void fix_attempt(struct fix *f, const char *iid, int a, const char *why, const char *patch,
			const char *outcome, const char *patch_class, const char *status,
			const char *violation)
{
	char sha[TG_SHA256_HEX], *sum, *text;
	bool has = tg_streq(patch_class, "ok"), none = tg_streq(patch_class, "infra");

	tg_sha256_hex(none ? "" : patch, none ? 0 : strlen(patch), sha);
	fix_begin(f, iid, a, why);
	sum = tg_asprintf(
	    "{\"outcome\": \"%s\", \"exit_status\": \"Submitted\", \"submission_valid\": %s, "
	    "\"patch_source\": \"info.submission\"}",
	    outcome, has ? "true" : "false");
	fix_stage(f, iid, a, TG_STAGE_EXTRACT, "patch.diff", patch, strlen(patch), sum);
	free(sum);
	text = tg_asprintf(
	    "{\"instance_id\": \"%s\", \"info\": {\"exit_status\": \"Submitted\"}}\n", iid);
	sum = tg_layout_job(f->run, iid, a, TG_STAGE_EXTRACT, 1);
	fix_puts(sum, "work/traj.json", text);
	free(sum);
	free(text);
	sum = tg_asprintf("{\"class\": \"%s\", \"bytes\": %zu}", patch_class, strlen(patch));
	fix_stage(f, iid, a, TG_STAGE_TRIAGE, "tree.json", "{}", 2, sum);
	free(sum);
	text = tg_asprintf("{\"instance_id\": \"%s\", \"scan_failed\": false, \"skipped\": %s, "
			   "\"new_violations\": [%s%s%s], \"patch_sha256\": \"%s\", \"coverage\": "
			   "{\"files\": 1, \"scanned\": 1, \"skipped\": 0}}",
			   iid, has ? "false" : "true", violation ? "\"" : "",
			   violation ? violation : "", violation ? "\"" : "", sha);
	fix_stage(f, iid, a, TG_STAGE_SCAN, "report.json", text, strlen(text),
		  has ? "{\"status\": \"ok\"}" : "{\"status\": \"skipped\"}");
	free(text);
	text =
	    tg_asprintf("{\"instance_id\": \"%s\", \"resolved\": %s, \"resolved_status\": \"%s\", "
			"\"patch_sha256\": \"%s\"}\n",
			iid, tg_streq(status, "RESOLVED") ? "true" : "false", status, sha);
	sum = tg_asprintf("{\"status\": \"%s\", \"resolved\": %s, \"level\": \"bound\"}", status,
			  tg_streq(status, "RESOLVED") ? "true" : "false");
	fix_stage(f, iid, a, TG_STAGE_EVALUATE, "row.json", text, strlen(text), sum);
	free(text);
	free(sum);
	text = tg_asprintf(
	    "{\"instance_id\": \"%s\", \"risk_level\": \"low\", \"risk_score\": 0.0}\n", iid);
	fix_stage(f, iid, a, TG_STAGE_RISK, "row.json", text, strlen(text),
		  "{\"risk_level\": \"low\"}");
	free(text);
	fix_govern(f, iid, a,
		   FIX_BIT(EXTRACT) | FIX_BIT(TRIAGE) | FIX_BIT(SCAN) | FIX_BIT(EVALUATE) |
		       FIX_BIT(RISK));
}

static char *fix_read(struct fix *f, const char *iid, int a, enum tg_stage s, const char *file)
{
	char *job = tg_layout_job(f->run, iid, a, s, 1),
	     *path = tg_asprintf("%s/work/%s", job, file);
	struct tg_buf b = TG_BUF_INIT;

	assert_true(tg_file_read(path, 0, &b, NULL));
	free(job);
	free(path);
	return tg_buf_detach(&b);
}

static void fix_join(struct fix *f, const struct tg_run *run, enum tg_stage s, const char *to)
{
	struct tg_buf all = TG_BUF_INIT;

	for (size_t i = 0; i < run->inst_n; i++) {
		const struct tg_instance *in = &run->inst[i];
		char *text = fix_read(f, in->id, tg_instance_counted(in)->n, s, "row.json");
		struct tg_buf line = TG_BUF_INIT;
		const char *why[8];

		for (size_t k = 0; k < in->att_n; k++)
			why[k] = in->att[k].why;
		tg_buf_add(&line, text, strcspn(text, "\n"));
		if (s == TG_STAGE_GOVERN)
			assert_true(tg_govern_row_set_attempts(&line, why, in->att_n));
		tg_buf_addf(&all, "%s\n", tg_buf_cstr(&line));
		tg_buf_fini(&line);
		free(text);
	}
	fix_put(f->run, to, all.p, all.n);
	tg_buf_fini(&all);
}

/* What collect leaves in the run. */
static void fix_collect(struct fix *f)
{
	struct cJSON *filled = tg_json_array(), *raw = tg_json_object();
	struct tg_buf b = TG_BUF_INIT;
	char hex[TG_SHA256_HEX], *meta;
	struct tg_run run;

	assert_true(tg_load_run(&run, f->run, &f->spec, NULL));
	for (size_t i = 0; i < run.inst_n; i++) {
		const struct tg_instance *in = &run.inst[i];
		const struct tg_attempt *att = tg_instance_counted(in);
		char *patch = fix_read(f, in->id, att->n, TG_STAGE_EXTRACT, "patch.diff");
		char *traj = fix_read(f, in->id, att->n, TG_STAGE_EXTRACT, "traj.json");
		char *report = fix_read(f, in->id, att->n, TG_STAGE_SCAN, "report.json"), *rel;
		bool none = att->patch_class == TG_PC_EMPTY || att->patch_class == TG_PC_INFRA;
		struct cJSON *p = tg_json_object();

		tg_json_set_str(p, "instance_id", in->id);
		tg_json_set_strn(p, "model_patch", patch, strlen(patch));
		tg_json_set(raw, in->id, tg_json_dup(p));
		if (none)
			tg_json_set_str(p, "model_patch", "");
		tg_json_push(filled, p);
		rel = tg_asprintf("%s/%s.traj.json", in->id, in->id);
		fix_puts(f->run, rel, traj);
		free(rel);
		rel = tg_asprintf("security_reports/%s.json", in->id);
		fix_puts(f->run, rel, report);
		free(rel);
		rel = tg_asprintf("eval/logs/run_evaluation/r/m/%s/patch.diff", in->id);
		fix_puts(f->run, rel, patch);
		free(rel);
		free(patch);
		free(traj);
		free(report);
	}
	tg_json_print(filled, TG_JSON_PY_INDENT2, &b);
	fix_put(f->run, "preds_filled.json", b.p, b.n);
	tg_sha256_hex(b.p, b.n, hex);
	tg_buf_clear(&b);
	tg_json_print(raw, TG_JSON_PY_INDENT2, &b);
	fix_put(f->run, "preds.json", b.p, b.n);
	meta = tg_asprintf("{\"cli_command\": \"x\", \"predictions_path\": \"preds_filled.json\", "
			   "\"predictions_sha256\": \"%s\"}",
			   hex);
	fix_puts(f->run, "eval/instance_results.metadata.json", meta);
	free(meta);
	fix_join(f, &run, TG_STAGE_EVALUATE, "eval/instance_results.jsonl");
	fix_join(f, &run, TG_STAGE_RISK, "agentic_risk.jsonl");
	fix_join(f, &run, TG_STAGE_GOVERN, "recomputed_governed_v2_agentic.jsonl");
	fix_puts(f->run, "minisweagent.log", "# tgmon: a__a-1 attempt 1 begin\n");
	fix_puts(f->run, "exit_statuses_1.yaml", "instances_by_exit_status:\n");
	fix_puts(f->run, "notes-of-mine.txt", "this is no part of the proof\n");
	tg_run_fini(&run);
	tg_json_free(filled);
	tg_json_free(raw);
	tg_buf_fini(&b);
}

/* Run a run-level stage; its sum (tg_json_free) or a failed test. */
static struct cJSON *fix_run_stage(struct fix *f, enum tg_stage s)
{
	static bool (*const fn[TG_STAGE_COUNT])(const struct tg_stage_ctx *, struct cJSON *,
						struct tg_err *) = {
	    [TG_STAGE_GATE] = tg_stage_gate,	     [TG_STAGE_AUDIT] = tg_stage_audit,
	    [TG_STAGE_MANIFEST] = tg_stage_manifest, [TG_STAGE_BUNDLE] = tg_stage_bundle,
	    [TG_STAGE_VERIFY] = tg_stage_verify,
	};
	struct tg_stage_ctx ctx = fix_ctx(f);
	struct cJSON *sum = tg_json_object();
	char *work = tg_path_join(f->root, "work");
	struct tg_err err;

	assert_true(tg_mkdirs(work, 0755, NULL));
	ctx.work_dir = work;
	if (!fn[s](&ctx, sum, &err))
		fail_msg("%s: %s", tg_stage_name(s), err.msg);
	free(work);
	return sum;
}

static void fix_prove(struct fix *f)
{
	for (int s = TG_STAGE_GATE; s <= TG_STAGE_BUNDLE; s++)
		tg_json_free(fix_run_stage(f, (enum tg_stage)s));
}

static struct fix *fix_new(void)
{
	struct fix *f = tg_calloc(1, sizeof *f);
	struct tg_spec *s = &f->spec;
	char hex[TG_SHA256_HEX];
	const char *policy;
	struct tg_err err;
	size_t n;

	strcpy(f->root, "/tmp/tg-proof-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->run = tg_path_join(f->root, FIX_ID);
	policy = tg_policy_builtin(&n);
	fix_put(f->run, "policy/policy.yaml", policy, n);
	tg_sha256_hex(policy, n, hex);
	f->ids[0] = (char *)"a__a-1";
	f->ids[1] = (char *)"b__b-2";
	f->ids[2] = (char *)"c__c-3";
	*s = (struct tg_spec){
	    .run_id = (char *)FIX_ID,
	    .model_id = (char *)"m",
	    .tag = (char *)"t",
	    .tgmon_version = (char *)"0",
	    .slice = (char *)"0:3",
	    .dataset_name = (char *)"lite",
	    .split = (char *)"test",
	    .agent = (char *)"replay",
	    .evaluator = (char *)"local",
	    .reports = (char *)"scan",
	    .selection = (char *)"first-own",
	    .policy_version = (char *)"0.1.0",
	    .budget_usd = -1,
	    .expected = f->ids,
	    .expected_n = 3,
	    .expected_from = (char *)"slice",
	    .policy = {.frozen = tg_strdup("policy/policy.yaml"), .sha256 = tg_strdup(hex)}};
	{
		char *control = tg_path_join(f->run, ".tgmon");

		assert_true(tg_mkdirs(control, 0755, NULL));
		free(control);
	}
	if (!tg_spec_write(s, f->run, f->run_sha, &err))
		fail_msg("%s", err.msg);
	f->w = tg_journal_open(f->run, fix_nothing, NULL, &err);
	if (!f->w)
		fail_msg("%s", err.msg);
	fix_logf(f, "run.open", "{\"run_sha256\":\"%s\",\"run_id\":\"%s\",\"expected\":3}",
		 f->run_sha, FIX_ID);
	return f;
}

static int fix_make(void **state)
{
	struct fix *f = fix_new();

	fix_attempt(f, "a__a-1", 1, "first", FIX_PATCH, "done", "ok", "RESOLVED", NULL);
	fix_attempt(f, "b__b-2", 1, "first", "", "empty", "empty", "EMPTY_PATCH", NULL);
	fix_attempt(f, "c__c-3", 1, "first", "docker: no daemon", "infra", "infra", "INFRA", NULL);
	fix_attempt(f, "c__c-3", 2, "retry", FIX_ODD, "done", "ok", "RESOLVED",
		    "HARDCODED_SECRETS");
	fix_collect(f);
	*state = f;
	return 0;
}

static int fix_unmake(void **state)
{
	struct fix *f = *state;

	tg_journal_close(f->w);
	tg_remove_tree(f->root, NULL);
	free(f->spec.policy.frozen);
	free(f->spec.policy.sha256);
	free(f->spec.policy.frozen_sha256);
	free(f->run);
	free(f);
	return 0;
}

#endif
