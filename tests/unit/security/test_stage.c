/* The scan stage over a triage that the test lays out: what is scanned, skipped, failed, kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/stage.h"

#define SHA "0123456789012345678901234567890123456789012345678901234567890123"

struct place {
	char dir[64];
	char *triage, *triage_work, *job, *work;
	struct tg_spec spec;
	struct tg_row row;
	struct tg_stage_ctx ctx;
};

static void put(const char *dir, const char *name, const char *text)
{
	char *path = tg_path_join(dir, name), *up = tg_path_dir(path);

	assert_true(tg_mkdirs(up, 0755, NULL));
	assert_true(tg_file_write(path, text, strlen(text), 0644, NULL));
	free(up);
	free(path);
}

static int setup(void **state)
{
	struct place *p = tg_calloc(1, sizeof *p);

	memcpy(p->dir, "/tmp/tgmon-scan-XXXXXX", sizeof "/tmp/tgmon-scan-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->triage = tg_path_join(p->dir, "triage.1");
	p->triage_work = tg_path_join(p->triage, "work");
	p->job = tg_path_join(p->dir, "scan.1");
	p->work = tg_path_join(p->job, "work");
	assert_true(tg_mkdirs(p->triage_work, 0755, NULL) && tg_mkdirs(p->work, 0755, NULL));
	p->spec.reports = (char *)"scan";
	p->row.repo = (char *)"o/n";
	p->row.base_commit = (char *)"abc";
	p->ctx = (struct tg_stage_ctx){
		.run_dir = p->dir, .spec = &p->spec, .instance_id = "o__n-1", .attempt = 1, .k = 1,
		.job_dir = p->job, .work_dir = p->work, .row = &p->row, .log = { .fd = -1 },
	};
	p->ctx.input[TG_STAGE_TRIAGE] = p->triage;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	tg_remove_tree(p->dir, NULL);
	free(p->triage);
	free(p->triage_work);
	free(p->job);
	free(p->work);
	free(p);
	return 0;
}

static void put_triage(const struct place *p, const char *cls, const char *applied,
		       const char *files)
{
	char *tree =
	    tg_asprintf("{\"schema\":\"tgmon.tree.v1\",\"patch_sha256\":\"" SHA "\",\"applied\":%s,"
			"\"files\":[%s]}",
			applied, files);
	char *result = tg_asprintf("{\"sum\":{\"class\":\"%s\",\"sha256\":\"" SHA "\"}}", cls);

	put(p->triage_work, "tree.json", tree);
	put(p->triage, "result.json", result);
	free(tree);
	free(result);
}

/* Run the stage; the report is read back. Both are the caller's. */
static struct cJSON *run(const struct place *p, struct cJSON **report)
{
	struct cJSON *sum = tg_json_object();
	char *path = tg_path_join(p->work, "report.json");
	struct tg_err err = { 0 };

	if (!tg_stage_scan(&p->ctx, sum, &err))
		fail_msg("%s", err.msg);
	*report = tg_file_exists(path) ? tg_json_load(path, NULL, NULL) : NULL;
	free(path);
	return sum;
}

static char *compact(const struct cJSON *v)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(v, TG_JSON_COMPACT, &b);
	return tg_buf_detach(&b);
}

static void expect(const struct cJSON *o, const char *path, const char *want)
{
	char *got = compact(tg_json_path(o, path));

	assert_string_equal(got, want);
	free(got);
}

#define FILE_JSON(path, status, before, after) \
	"{\"path\":\"" path "\",\"old_path\":null,\"status\":\"" status "\",\"old_mode\":null," \
	"\"new_mode\":\"100644\",\"binary\":false,\"before\":" before ",\"after\":" after "}"

static void test_full(void **state)
{
	struct place *p = *state;
	struct cJSON *report, *sum;

	put(p->triage_work, "before/0000", "random.random()\n");
	put(p->triage_work, "after/0000", "random.random()\nx = random.random()\n");
	put(p->triage_work, "after/0001", "token = 'abcdef'\n");
	put(p->triage_work, "after/0002", "eval(x)\n");
	put(p->triage_work, "before/0003", "x = 1\n");
	put_triage(p, "ok", "true",
		   FILE_JSON("a.py", "modified", "\"before/0000\"", "\"after/0000\"") ","
		   FILE_JSON("new/caf\xC3\xA9.py", "added", "null", "\"after/0001\"") ","
		   FILE_JSON("README", "added", "null", "\"after/0002\"") ","
		   FILE_JSON("gone.py", "deleted", "\"before/0003\"", "null"));
	sum = run(p, &report);
	expect(sum, "status", "\"ok\"");
	expect(sum, "new_violations", "[{\"code\":\"HARDCODED_SECRETS\",\"severity\":\"high\"},"
	       "{\"code\":\"WEAK_RNG_USAGE\",\"severity\":\"high\"}]"); /* no policy: all high */
	expect(sum, "coverage", "{\"files\":3,\"scanned\":3,\"skipped\":0}");
	expect(sum, "patch_sha256", "\"" SHA "\"");
	expect(sum, "level", "\"bound\"");
	expect(report, "new_violations", "[\"HARDCODED_SECRETS\",\"WEAK_RNG_USAGE\"]");
	expect(report, "changed_files", "[\"a.py\",\"new/caf\xC3\xA9.py\",\"README\",\"gone.py\"]");
	expect(report, "scan_failed", "false");
	expect(report, "skipped", "false");
	expect(report, "repo", "\"o/n\"");
	assert_int_equal(tg_json_len(tg_json_get(report, "findings")), 2);
	assert_int_equal(tg_json_int(tg_json_first(tg_json_get(report, "findings")), "line", 0), 2);
	tg_json_free(sum);
	tg_json_free(report);
}

static void test_partial(void **state)
{
	struct place *p = *state;
	struct cJSON *report, *sum;

	put(p->triage_work, "before/0000", "print 'x'\n");
	put(p->triage_work, "after/0000", "print 'y'\n");
	put(p->triage_work, "after/0001", "../../etc/passwd");
	put(p->triage_work, "after/0002", "# \xE9\ntoken = 'abcdef'\n");
	put_triage(
	    p, "ok", "true",
	    FILE_JSON(
		"py2.py", "modified", "\"before/0000\"",
		"\"after/0000\"") ","
				  "{\"path\":\"link.py\",\"status\":\"added\",\"new_mode\":"
				  "\"120000\",\"before\":null,"
				  "\"after\":\"after/0001\"}," FILE_JSON("lost.py", "added", "null", "\"after/0009\"") "," FILE_JSON(
				      "evil.py", "added", "null",
				      "\"../result.json\"") "," FILE_JSON("latin.py", "added",
									  "null",
									  "\"after/0002\""));
	sum = run(p, &report);
	expect(sum, "status", "\"partial\"");
	expect(sum, "coverage", "{\"files\":5,\"scanned\":1,\"skipped\":4}");
	expect(report, "new_violations", "[\"HARDCODED_SECRETS\"]");
	expect(report, "scan_status", "\"partial\"");
	assert_int_equal(tg_json_len(tg_json_path(report, "coverage.skipped")), 4);
	assert_non_null(
	    strstr(tg_json_str(tg_json_first(tg_json_path(report, "coverage.skipped")), "reason"),
		   "neither before nor after"));
	tg_json_free(sum);
	tg_json_free(report);
}

static void test_skipped(void **state)
{
	static const struct {
		const char *cls, *applied, *status, *reason;
	} cases[] = {
		{ "empty", "null", "\"skipped\"", "\"EMPTY_PATCH\"" },
		{ "infra", "null", "\"skipped\"", "\"INFRA\"" },
		{ "prose", "null", "\"skipped\"", "\"PATCH_DOES_NOT_APPLY\"" },
		{ "does-not-apply", "false", "\"skipped\"", "\"PATCH_DOES_NOT_APPLY\"" },
		{ "ok", "false", "\"skipped\"", "\"PATCH_DOES_NOT_APPLY\"" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cJSON *report, *sum;

		put_triage(p, cases[i].cls, cases[i].applied, "");
		sum = run(p, &report);
		expect(sum, "status", cases[i].status);
		expect(sum, "reason", cases[i].reason);
		expect(report, "skip_reason", cases[i].reason);
		expect(report, "skipped", "true");
		expect(report, "scan_failed", "false");
		tg_json_free(sum);
		tg_json_free(report);
	}
}

static void test_failed(void **state)
{
	struct place *p = *state;
	struct cJSON *report, *sum;

	put_triage(p, "ok", "null", ""); /* no base at hand */
	sum = run(p, &report);
	expect(sum, "status", "\"failed\"");
	expect(report, "scan_failed", "true");
	tg_json_free(sum);
	tg_json_free(report);
	put(p->triage_work, "tree.json", "{\"files\":");
	sum = run(p, &report);
	expect(sum, "status", "\"failed\"");
	tg_json_free(sum);
	tg_json_free(report);
	p->ctx.input[TG_STAGE_TRIAGE] = NULL;
	sum = run(p, &report);
	expect(sum, "status", "\"failed\"");
	tg_json_free(sum);
	tg_json_free(report);
}

static void test_keep(void **state)
{
	static const char kept[] =
	    "{ \"scan_failed\":false,\"new_violations\":[\"[medium] WEAK_RNG_USAGE@a: x\"],\n"
	    "\"files\":[] }";
	struct place *p = *state;
	struct tg_buf copy = TG_BUF_INIT;
	struct cJSON *report, *sum;

	p->spec.reports = (char *)"keep";
	p->spec.source_dir = p->dir;
	sum = run(p, &report);
	expect(sum, "status", "\"failed\"");
	expect(sum, "reason", "\"post-apply security report missing\"");
	assert_null(report);
	tg_json_free(sum);

	put(p->dir, "security_reports/o__n-1.json", kept);
	sum = run(p, &report);
	expect(sum, "status", "\"ok\"");
	expect(sum, "level", "\"imported\"");
	expect(sum, "coverage", "null");
	expect(sum, "new_violations", "[{\"code\":\"WEAK_RNG_USAGE\",\"severity\":\"medium\"}]");
	assert_true(tg_file_read_beneath(p->work, "report.json", 0, &copy, NULL));
	assert_string_equal(copy.p, kept);
	tg_buf_fini(&copy);
	tg_json_free(sum);
	tg_json_free(report);

	put(p->dir, "security_reports/o__n-1.json",
	    "{\"skipped\":true,\"skip_reason\":\"EMPTY_PATCH\"}");
	sum = run(p, &report);
	expect(sum, "status", "\"skipped\"");
	expect(sum, "reason", "\"EMPTY_PATCH\"");
	tg_json_free(sum);
	tg_json_free(report);

	put(p->dir, "security_reports/o__n-1.json", "not json");
	sum = run(p, &report);
	expect(sum, "status", "\"failed\"");
	tg_json_free(sum);
	tg_json_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
