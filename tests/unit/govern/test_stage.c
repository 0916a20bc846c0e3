/* The govern and gate stages on job directories made here: evidence of each level, inputs that are
 * missing, and the published run whose totals must come out. */
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
#include "core/run/stage.h"

#define PATCH "diff --git a/f.py b/f.py\n--- a/f.py\n+++ b/f.py\n@@ -1 +1 @@\n-a\n+b\n"

struct fix {
	char run[64];
	struct tg_spec spec;
	char *policy_sha;
};

static void put(const char *dir, const char *rel, const char *text)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0755, NULL));
	assert_true(tg_file_write(path, text, strlen(text), 0644, NULL));
	free(parent);
	free(path);
}

static int make(void **state)
{
	struct fix *f = tg_calloc(1, sizeof *f);
	char *copy, hex[TG_SHA256_HEX];
	const char *text;
	size_t n;

	strcpy(f->run, "/tmp/tg-govern-XXXXXX");
	assert_non_null(mkdtemp(f->run));
	text = tg_policy_builtin(&n);
	copy = tg_strndup(text, n);
	put(f->run, ".tgmon/README", "made by a test\n");
	put(f->run, "policy/policy.yaml", copy);
	free(copy);
	tg_sha256_hex(text, n, hex);
	f->policy_sha = tg_strdup(hex);
	f->spec = (struct tg_spec){
	    .model_id = (char *)"m",
	    .agent = (char *)"replay",
	    .selection = (char *)"first-own",
	    .policy = {.frozen = (char *)"policy/policy.yaml", .sha256 = f->policy_sha}};
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fix *f = *state;

	tg_remove_tree(f->run, NULL);
	free(f->policy_sha);
	free(f);
	return 0;
}

/* Judge one instance whose job directories stand below jobs/<iid>/<stage>. */
static struct cJSON *govern(struct fix *f, const char *iid, unsigned stages, struct cJSON *sum)
{
	struct tg_stage_ctx ctx = {.run_dir = f->run,
				   .spec = &f->spec,
				   .instance_id = iid,
				   .attempt = 1,
				   .log = {.fd = -1}};
	char *dir[TG_STAGE_COUNT] = {NULL}, *work, *path;
	struct cJSON *row;
	struct tg_err err;
	int s;

	for (s = 0; s < TG_STAGE_ATTEMPT_COUNT; s++)
		if (stages & (1u << s)) {
			dir[s] = tg_asprintf("%s/jobs/%s/%s", f->run, iid,
					     tg_stage_name((enum tg_stage)s));
			ctx.input[s] = dir[s];
		}
	work = tg_asprintf("%s/jobs/%s/govern/work", f->run, iid);
	assert_true(tg_mkdirs(work, 0755, NULL));
	ctx.work_dir = work;
	if (!tg_stage_govern(&ctx, sum, &err))
		fail_msg("%s", err.msg);
	path = tg_path_join(work, "row.json");
	row = tg_json_load(path, NULL, &err);
	if (!row)
		fail_msg("%s", err.msg);
	for (s = 0; s < TG_STAGE_ATTEMPT_COUNT; s++)
		free(dir[s]);
	free(path);
	free(work);
	return row;
}

#define BIT(s) (1u << TG_STAGE_##s)
#define ALL (BIT(EXTRACT) | BIT(TRIAGE) | BIT(SCAN) | BIT(EVALUATE) | BIT(RISK))

static void put_job(struct fix *f, const char *iid, const char *stage, const char *file,
		    const char *text, const char *sum)
{
	char *rel = tg_asprintf("jobs/%s/%s/work/%s", iid, stage, file);
	char *result = tg_asprintf("jobs/%s/%s/result.json", iid, stage);
	char *json = tg_asprintf("{\"ok\": true, \"sum\": %s}", sum);

	put(f->run, rel, text);
	put(f->run, result, json);
	free(rel);
	free(result);
	free(json);
}

static void put_good(struct fix *f, const char *iid)
{
	char sha[TG_SHA256_HEX], *eval, *report;

	tg_sha256_hex(PATCH, strlen(PATCH), sha);
	eval = tg_asprintf("{\"instance_id\": \"%s\", \"resolved\": true, \"resolved_status\": "
			   "\"RESOLVED\", \"patch_sha256\": \"%s\"}\n",
			   iid, sha);
	report =
	    tg_asprintf("{\"scan_failed\": false, \"skipped\": false, \"new_violations\": [], "
			"\"patch_sha256\": \"%s\", \"coverage\": {\"files\": 1, \"scanned\": 1, "
			"\"skipped\": 0}}",
			sha);
	put_job(f, iid, "extract", "patch.diff", PATCH,
		"{\"exit_status\": \"Submitted\", \"submission_valid\": true}");
	put_job(f, iid, "triage", "tree.json", "{}", "{\"class\": \"ok\"}");
	put_job(f, iid, "scan", "report.json", report, "{\"status\": \"ok\"}");
	put_job(f, iid, "evaluate", "row.json", eval, "{\"status\": \"RESOLVED\"}");
	put_job(f, iid, "risk", "row.json", "{\"risk_level\": \"low\", \"risk_score\": 0.0}", "{}");
	free(eval);
	free(report);
}

static void expect(struct cJSON *row, const char *decision, const char *reason, const char *level)
{
	assert_string_equal(tg_json_str(row, "final_decision"), decision);
	assert_string_equal(tg_json_str(row, "decision_reason"), reason);
	if (level)
		assert_string_equal(tg_json_str(row, "evidence_level"), level);
	else
		assert_null(tg_json_str(row, "evidence_level"));
	tg_json_free(row);
}

static void bound_evidence_is_ok(void **state)
{
	struct fix *f = *state;
	struct cJSON *sum = tg_json_object(), *row;
	const struct cJSON *e;
	size_t n = 0;

	put_good(f, "a__a-1");
	row = govern(f, "a__a-1", ALL, sum);
	assert_string_equal(tg_json_str(sum, "decision"), "OK");
	assert_string_equal(tg_json_str(sum, "level"), "bound");
	assert_string_equal(tg_json_str(row, "instance_id"), "a__a-1");
	assert_string_equal(tg_json_str(row, "policy_sha256"), f->policy_sha);
	for (e = tg_json_first(tg_json_get(row, "evidence")); e; e = tg_json_next(e), n++) {
		const char *file = tg_json_str(e, "file"), *sha = tg_json_str(e, "sha256");
		char *path, hex[TG_SHA256_HEX];

		if (!sha)
			continue;
		path = tg_path_join(f->run, file);
		assert_true(tg_sha256_file(path, hex, NULL, NULL));
		assert_string_equal(hex, sha);
		free(path);
	}
	assert_int_equal(n, 6);
	expect(row, "OK", "ok", "bound");
	tg_json_free(sum);
}

static void doubtful_evidence_abstains(void **state)
{
	static const struct {
		const char *stage, *file, *from, *to, *reason, *level;
	} t[] = {
	    {"evaluate", "row.json", ", \"patch_sha256\": \"", ", \"other\": \"",
	     "evidence_unbound", "imported"},
	    {"scan", "report.json", "\"patch_sha256\": \"", "\"other\": \"", "evidence_unbound",
	     "imported"},
	    {"scan", "report.json", "\"coverage\"", "\"covering\"", "evidence_unbound", "imported"},
	    {"evaluate", "row.json", "\"patch_sha256\": \"", "\"patch_sha256\": \"0",
	     "evidence_mismatch", "imported"},
	    {"scan", "report.json", "\"patch_sha256\": \"", "\"patch_sha256\": \"0",
	     "evidence_mismatch", "imported"},
	    {"scan", "report.json", "\"skipped\": 0", "\"skipped\": 1", "partial_coverage",
	     "imported"},
	    {"scan", "report.json", "\"skipped\": false", "\"skipped\": true",
	     "security_scan_skipped", "bound"},
	    {"scan", "report.json", "\"scan_failed\": false", "\"scan_failed\": true",
	     "security_scan_failed", "bound"},
	    {"scan", "report.json", "\"scan_failed\"", "!", "security_scan_failed", "imported"},
	    {"evaluate", "row.json", "\"resolved\": true", "\"resolved\": false", "not_resolved",
	     "bound"},
	    {"evaluate", "row.json", "\"RESOLVED\"", "\"UNRESOLVED\"", "status_not_resolved",
	     "bound"},
	};
	struct fix *f = *state;
	size_t i;

	for (i = 0; i < sizeof t / sizeof *t; i++) {
		char *rel = tg_asprintf("jobs/a__a-1/%s/work/%s", t[i].stage, t[i].file), *path,
		     *at;
		struct cJSON *sum = tg_json_object();
		struct tg_buf b = TG_BUF_INIT, mended = TG_BUF_INIT;

		put_good(f, "a__a-1");
		path = tg_path_join(f->run, rel);
		assert_true(tg_file_read(path, 0, &b, NULL));
		at = strstr(b.p, t[i].from);
		assert_non_null(at);
		tg_buf_add(&mended, b.p, (size_t)(at - b.p));
		tg_buf_adds(&mended, t[i].to);
		tg_buf_adds(&mended, at + strlen(t[i].from));
		put(f->run, rel, tg_buf_cstr(&mended));
		print_message("%s: %s\n", t[i].reason, t[i].to);
		expect(govern(f, "a__a-1", ALL, sum), "ABSTAIN", t[i].reason, t[i].level);
		tg_json_free(sum);
		tg_buf_fini(&b);
		tg_buf_fini(&mended);
		free(path);
		free(rel);
	}
}

static void missing_stages_abstain(void **state)
{
	static const struct {
		unsigned without;
		const char *reason;
	} t[] = {
	    {BIT(EXTRACT), "submission_unknown"},
	    {BIT(SCAN), "security_scan_failed"},
	    {BIT(EVALUATE), "not_resolved"},
	    {ALL, "submission_unknown"},
	};
	struct fix *f = *state;
	struct cJSON *sum;
	size_t i;

	put_good(f, "a__a-1");
	for (i = 0; i < sizeof t / sizeof *t; i++) {
		struct cJSON *row;

		sum = tg_json_object();
		row = govern(f, "a__a-1", ALL & ~t[i].without, sum);
		assert_string_equal(tg_json_str(row, "final_decision"), "ABSTAIN");
		assert_string_equal(tg_json_str(row, "decision_reason"), t[i].reason);
		tg_json_free(row);
		tg_json_free(sum);
	}
	sum = tg_json_object();
	expect(govern(f, "a__a-1", ALL & ~(BIT(TRIAGE) | BIT(RISK)), sum), "OK", "ok", "bound");
	tg_json_free(sum);
}

static void imported_evidence_counts_when_allowed(void **state)
{
	struct fix *f = *state;
	struct cJSON *sum = tg_json_object();

	put_good(f, "a__a-1");
	put_job(f, "a__a-1", "evaluate", "row.json",
		"{\"resolved\": true, \"resolved_status\": \"RESOLVED\"}",
		"{\"patch_sha256\": \"ff\"}"); /* not said to be bound: not looked at */
	put_job(f, "a__a-1", "scan", "report.json", "{\"new_violations\": []}", "{}");
	f->spec.required_evidence = (char *)"imported";
	expect(govern(f, "a__a-1", ALL, sum), "OK", "ok", "imported");
	f->spec.required_evidence = NULL;
	expect(govern(f, "a__a-1", ALL, sum), "ABSTAIN", "evidence_unbound", "imported");
	f->spec.agent = (char *)"foreign";
	expect(govern(f, "a__a-1", ALL, sum), "OK", "ok", "imported");
	f->spec.policy.sha256 = NULL; /* --policy none: every code is high */
	put_job(f, "a__a-1", "scan", "report.json", "{\"new_violations\": [\"WEAK_HASH\"]}", "{}");
	expect(govern(f, "a__a-1", ALL, sum), "VETO", "sad_veto", "imported");
	f->spec.policy.sha256 = f->policy_sha;
	expect(govern(f, "a__a-1", ALL, sum), "ABSTAIN", "sad_medium_abstain", "imported");
	tg_json_free(sum);
}

static void our_own_words_for_no_patch(void **state)
{
	struct fix *f = *state;
	struct cJSON *sum = tg_json_object(), *row;

	put_job(f, "a__a-1", "extract", "patch.diff", "docker: daemon not running", "{}");
	put_job(f, "a__a-1", "triage", "tree.json", "{}", "{\"class\": \"infra\"}");
	put_job(f, "a__a-1", "evaluate", "row.json",
		"{\"resolved\": null, \"resolved_status\": \"INFRA\"}", "{}");
	row = govern(f, "a__a-1", BIT(EXTRACT) | BIT(TRIAGE) | BIT(EVALUATE), sum);
	assert_string_equal(tg_json_str(row, "resolved_status"), "INFRA");
	assert_string_equal(tg_json_str(row, "patch"), "");
	assert_string_equal(tg_json_str(row, "patch_sha256"), TG_SHA256_EMPTY);
	expect(row, "ABSTAIN", "empty_or_invalid_patch", "imported");
	put_job(f, "a__a-1", "extract", "patch.diff", "no diff at all",
		"{\"submission_valid\": false}");
	put_job(f, "a__a-1", "triage", "tree.json", "{}", "{\"class\": \"prose\"}");
	row = govern(f, "a__a-1", BIT(EXTRACT) | BIT(TRIAGE), sum);
	assert_string_equal(tg_json_str(row, "patch"),
			    "no diff at all"); /* what the harness was given */
	expect(row, "ABSTAIN", "empty_or_invalid_patch", NULL);
	tg_json_free(sum);
}

static void a_changed_policy_is_an_error(void **state)
{
	struct fix *f = *state;
	struct tg_stage_ctx ctx = {.run_dir = f->run,
				   .spec = &f->spec,
				   .instance_id = "a__a-1",
				   .work_dir = f->run,
				   .log = {.fd = -1}};
	struct cJSON *sum = tg_json_object();
	struct tg_err err;

	put(f->run, "policy/policy.yaml", "version: 2\n");
	assert_false(tg_stage_govern(&ctx, sum, &err));
	assert_non_null(strstr(err.msg, "policy of this run has changed"));
	tg_json_free(sum);
}

static void attempts_are_put_right_later(void **state)
{
	static const char *const why[] = {"first", "rerun"};
	struct tg_govern_in in = {.instance_id = "a__a-1",
				  .model_id = "m",
				  .submission_valid = -1,
				  .submission = ", \"attempts\": 7",
				  .submission_n = 15,
				  .patch_class = TG_PC_PROSE};
	struct cJSON *row = tg_govern_row(&in, NULL), *again;
	struct tg_buf line = TG_BUF_INIT, other = TG_BUF_INIT;
	size_t at;

	(void)state;
	tg_json_print(row, TG_JSON_PY, &line);
	at = line.n;
	assert_true(tg_govern_row_set_attempts(&line, why, 2));
	assert_true(line.n > at);
	again = tg_json_parse(line.p, line.n, "row", NULL, NULL);
	assert_int_equal(tg_json_int(again, "attempts", 0), 2);
	assert_int_equal(tg_json_len(tg_json_get(again, "attempts_why")), 2);
	assert_string_equal(tg_json_str(again, "patch"), ", \"attempts\": 7");
	assert_true(tg_govern_row_set_attempts(&line, NULL, 0));
	assert_int_equal(line.n, at);
	tg_buf_adds(&other, "{\"task\": 1}");
	assert_false(tg_govern_row_set_attempts(&other, why, 2));
	tg_buf_fini(&line);
	tg_buf_fini(&other);
	tg_json_free(row);
	tg_json_free(again);
}

/* ---- the published run ---------------------------------------------------------------------- */

static char *printed(const struct cJSON *v)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(v, TG_JSON_PY, &b);
	return tg_buf_detach(&b);
}

static struct cJSON *load_lines(const char *path)
{
	struct cJSON *map = tg_json_object();
	struct tg_buf b = TG_BUF_INIT;
	char *line, *save = NULL;

	assert_true(tg_file_read(path, 0, &b, NULL));
	for (line = strtok_r(b.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cJSON *v = tg_json_parse(line, strlen(line), path, NULL, NULL);

		tg_json_set(map,
			    tg_json_str(v, "instance_id") ? tg_json_str(v, "instance_id")
							  : tg_json_str(v, "task"),
			    v);
	}
	tg_buf_fini(&b);
	return map;
}

struct published {
	struct cJSON *preds, *evals, *risks, *rows;
	char *reports;
};

static bool load_published(struct published *p)
{
	const char *shared = getenv("TGMON_SHARED");
	char *base = tg_asprintf("%s/corpus/run20", shared ? shared : "../shared"), *path;
	char *run = tg_path_join(base, "msa_glm46_lite_run20");
	bool there = tg_is_dir(base);

	if (there) {
		path = tg_path_join(run, "preds.json");
		p->preds = tg_json_load(path, NULL, NULL);
		free(path);
		path = tg_path_join(base, "eval/instance_results.jsonl");
		p->evals = load_lines(path);
		free(path);
		path = tg_path_join(run, "agentic_risk.jsonl");
		p->risks = load_lines(path);
		free(path);
		path = tg_path_join(run, "msa_glm46_lite_run20_governed_v2_agentic.jsonl");
		p->rows = load_lines(path);
		free(path);
		p->reports = tg_path_join(run, "security_reports");
	}
	free(base);
	free(run);
	return there;
}

static void put_published(struct fix *f, const struct published *p, const char *iid)
{
	const char *patch = tg_json_str(tg_json_get(p->preds, iid), "model_patch");
	char *name = tg_asprintf("%s/%s.json", p->reports, iid), *eval, *risk;
	bool empty = strspn(patch, " \t\r\n") == strlen(patch);
	struct tg_buf report = TG_BUF_INIT;

	eval = printed(tg_json_get(p->evals, iid));
	risk = printed(tg_json_get(p->risks, iid));
	assert_true(tg_file_read(name, 0, &report, NULL));
	put_job(f, iid, "extract", "patch.diff", patch, "{\"exit_status\": \"Submitted\"}");
	put_job(f, iid, "triage", "tree.json", "{}",
		empty ? "{\"class\": \"empty\"}" : "{\"class\": \"ok\"}");
	put_job(f, iid, "scan", "report.json", tg_buf_cstr(&report), "{}");
	put_job(f, iid, "evaluate", "row.json", eval, "{\"level\": \"imported\"}");
	put_job(f, iid, "risk", "row.json", risk, "{}");
	tg_buf_fini(&report);
	free(name);
	free(eval);
	free(risk);
}

static void check_published_row(const struct cJSON *row, const struct cJSON *published)
{
	static const char *const same[] = {"final_decision", "cri", "agentic_total_commands",
					   "agentic_risk_level"};
	const char *iid = tg_json_str(row, "task");
	bool empty = tg_json_int(row, "patch_bytes", -1) == 0;
	size_t i;

	for (i = 0; i < (empty ? 2u : 4u); i++) {
		char *a = printed(tg_json_get(row, same[i])),
		     *b = printed(tg_json_get(published, same[i]));

		if (strcmp(a, b) != 0)
			fail_msg("%s: %s is %s, published %s", iid, same[i], a, b);
		free(a);
		free(b);
	}
	assert_string_equal(tg_json_str(row, "decision_reason"),
			    empty ? "empty_or_invalid_patch"
				  : tg_json_str(published, "decision_reason"));
	if (!empty)
		assert_string_equal(tg_json_str(row, "patch_sha256"),
				    tg_json_str(published, "patch_sha256"));
}

static void the_published_run(void **state)
{
	struct fix *f = *state;
	struct published p = {.reports = NULL};
	struct tg_buf rows = TG_BUF_INIT, gate = TG_BUF_INIT;
	const struct cJSON *c;
	char *ids[32], *path;
	struct tg_stage_ctx ctx = {.run_dir = f->run, .spec = &f->spec, .log = {.fd = -1}};
	struct cJSON *sum = tg_json_object();
	struct tg_err err;

	if (!load_published(&p)) {
		print_message("skipped: no published run below TGMON_SHARED\n");
		tg_json_free(sum);
		skip();
	}
	f->spec.agent = (char *)"foreign";
	f->spec.expected = ids;
	for (c = tg_json_first(p.preds); c; c = tg_json_next(c)) {
		struct cJSON *row;
		char *text;

		put_published(f, &p, tg_json_key(c));
		row = govern(f, tg_json_key(c), ALL, sum);
		check_published_row(row, tg_json_get(p.rows, tg_json_key(c)));
		text = printed(row);
		tg_buf_addf(&rows, "%s\n", text);
		free(text);
		tg_json_free(row);
		ids[f->spec.expected_n++] = (char *)(uintptr_t)tg_json_key(c);
	}
	put(f->run, "recomputed_governed_v2_agentic.jsonl", tg_buf_cstr(&rows));
	if (!tg_stage_gate(&ctx, sum, &err))
		fail_msg("%s", err.msg);
	assert_true(tg_json_bool(sum, "pass", false));
	assert_int_equal(tg_json_int(sum, "ok", 0), 6);
	assert_int_equal(tg_json_int(sum, "abstain", 0), 12);
	assert_int_equal(tg_json_int(sum, "veto", -1), 0);
	path = tg_path_join(f->run, "ci_gate.txt");
	assert_true(tg_file_read(path, 0, &gate, NULL));
	free(path);
	path = tg_asprintf("%s/../../tg_ci_gate.txt", p.reports);
	tg_buf_clear(&rows);
	assert_true(tg_file_read(path, 0, &rows, NULL));
	assert_string_equal(strchr(gate.p, '\n'), strchr(rows.p, '\n')); /* the path aside */
	free(path);
	tg_buf_fini(&rows);
	tg_buf_fini(&gate);
	tg_json_free(sum);
	tg_json_free(p.preds);
	tg_json_free(p.evals);
	tg_json_free(p.risks);
	tg_json_free(p.rows);
	free(p.reports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(bound_evidence_is_ok, make, unmake),
	    cmocka_unit_test_setup_teardown(doubtful_evidence_abstains, make, unmake),
	    cmocka_unit_test_setup_teardown(missing_stages_abstain, make, unmake),
	    cmocka_unit_test_setup_teardown(imported_evidence_counts_when_allowed, make, unmake),
	    cmocka_unit_test_setup_teardown(our_own_words_for_no_patch, make, unmake),
	    cmocka_unit_test_setup_teardown(a_changed_policy_is_an_error, make, unmake),
	    cmocka_unit_test(attempts_are_put_right_later),
	    cmocka_unit_test_setup_teardown(the_published_run, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
