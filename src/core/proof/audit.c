/* The audit stage: run_audit.txt (pipeline spec 9.2) with paths relative to the run. Beyond the
 * reference it sees failed scans and predictions without a result (D35), and a run that was moved
 * is no fault. */
#include <stdlib.h>
#include <string.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/proof/place.h"
#include "core/proof/rows.h"

#define RESULTS "eval/instance_results.jsonl"
#define METADATA "eval/instance_results.metadata.json"
#define REPORTS "security_reports"

struct audit {
	const struct tg_fileset *set;
	const char *preds_path;
	struct tg_prows preds, results;
	size_t reports, scan_failed;
	struct cJSON *failures, *warnings;
};

static void fault(struct cJSON *list, const char *fmt, ...) TG_PRINTF(2, 3);

static void fault(struct cJSON *list, const char *fmt, ...)
{
	struct tg_buf b = TG_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	tg_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	tg_json_push_str(list, tg_buf_cstr(&b));
	tg_buf_fini(&b);
}

static void check_metadata(struct audit *a)
{
	const struct tg_file *preds = tg_fileset_find(a->set, a->preds_path);
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *m;
	const char *path, *sha, *cli;

	if (!tg_fileset_find(a->set, METADATA)) {
		fault(a->failures, "metadata_missing");
		return;
	}
	m = tg_fileset_read(a->set, METADATA, &b, NULL)
		? tg_json_parse(tg_buf_cstr(&b), b.n, METADATA, NULL, NULL)
		: NULL;
	tg_buf_fini(&b);
	if (tg_json_kind(m) != TG_JSON_OBJECT) {
		fault(a->failures, "metadata_unreadable");
		tg_json_free(m);
		return;
	}
	path = tg_json_str(m, "predictions_path");
	sha = tg_json_str(m, "predictions_sha256");
	cli = tg_json_str(m, "cli_command");
	if (preds && !tg_streq(sha, preds->sha256))
		fault(a->failures, "predictions_sha_mismatch");
	if (!path || strcmp(tg_path_base(path), tg_path_base(a->preds_path)) != 0)
		fault(a->failures, "predictions_path_mismatch");
	if (!cli || !*cli)
		fault(a->warnings, "metadata_missing_cli_command");
	tg_json_free(m);
}

static void look_at_report(struct audit *a, const struct tg_file *f, const char *name)
{
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *r = tg_fileset_read(a->set, f->path, &b, NULL)
			      ? tg_json_parse(tg_buf_cstr(&b), b.n, f->path, NULL, NULL)
			      : NULL;

	a->reports++;
	if (tg_json_kind(r) != TG_JSON_OBJECT)
		fault(a->warnings, "security_report_unreadable:%.*s", (int)(strlen(name) - 5),
		      name);
	a->scan_failed += tg_json_truthy(tg_json_get(r, "scan_failed"));
	tg_json_free(r);
	tg_buf_fini(&b);
}

static void check_reports(struct audit *a)
{
	size_t missing = 0;

	for (size_t i = 0; i < a->set->n; i++) {
		const char *path = a->set->v[i].path;

		if (tg_starts_with(path, REPORTS "/") && tg_ends_with(path, ".json") &&
		    !strchr(path + strlen(REPORTS "/"), '/'))
			look_at_report(a, &a->set->v[i], path + strlen(REPORTS "/"));
	}
	if (a->reports == 0) {
		fault(a->failures, "security_reports_missing");
		return;
	}
	for (size_t i = 0; i < a->preds.n; i++) {
		char *path = tg_asprintf(REPORTS "/%s.json", a->preds.v[i].id);

		missing += tg_fileset_find(a->set, path) == NULL;
		free(path);
	}
	if (missing)
		fault(a->failures, "security_reports_missing:%zu", missing);
	if (a->scan_failed)
		fault(a->warnings, "scan_failed:%zu", a->scan_failed);
}

static void check_results(struct audit *a)
{
	size_t missing = 0;

	if (!a->results.exists)
		fault(a->failures, "instance_results_missing");
	else if (a->results.n == 0)
		fault(a->failures, "instance_results_empty");
	if (a->results.bad)
		fault(a->failures, "instance_results_malformed:%zu", a->results.bad);
	if (a->results.duplicates)
		fault(a->failures, "instance_results_duplicate");
	for (size_t i = 0; i < a->preds.n; i++)
		missing += tg_prows_find(&a->results, a->preds.v[i].id) == NULL;
	if (a->results.n && missing)
		fault(a->failures, "predictions_without_result:%zu", missing);
}

static void print_list(struct tg_buf *out, const char *name, const struct cJSON *list)
{
	const struct cJSON *c = tg_json_first(list);

	if (c)
		tg_buf_addf(out, "  %s:\n", name);
	for (; c; c = tg_json_next(c))
		tg_buf_addf(out, "    - %s\n", tg_json_text(c));
}

static void print_audit(const struct audit *a, struct tg_buf *out)
{
	tg_buf_adds(out, "[tg_run_audit] Audit report\n");
	tg_buf_addf(out, "  predictions_path      : %s\n", a->preds_path);
	tg_buf_addf(out, "  instance_results_path : %s\n", RESULTS);
	tg_buf_addf(out, "  metadata_path         : %s\n", METADATA);
	tg_buf_addf(out, "  instance_results_rows : %zu\n", a->results.n);
	tg_buf_addf(out, "  security_reports_dir  : %s\n", REPORTS);
	tg_buf_addf(out, "  security_reports_rows : %zu\n", a->reports);
	tg_buf_addf(out, "  scan_failed_count     : %zu\n", a->scan_failed);
	print_list(out, "failures", a->failures);
	print_list(out, "warnings", a->warnings);
}

static bool look(struct audit *a, struct tg_err *err)
{
	a->failures = tg_json_array();
	a->warnings = tg_json_array();
	a->preds_path =
	    tg_fileset_find(a->set, "preds_filled.json") ? "preds_filled.json" : "preds.json";
	if (!tg_fileset_find(a->set, a->preds_path))
		fault(a->failures, "predictions_missing");
	if (!tg_prows_predictions(&a->preds, a->set, a->preds_path, err) ||
	    !tg_prows_lines(&a->results, a->set, RESULTS, err))
		return false;
	check_results(a);
	check_metadata(a);
	check_reports(a);
	return true;
}

bool tg_stage_audit(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct tg_place p = {.ctx = ctx};
	struct audit a = {.set = &p.set};
	struct tg_buf text = TG_BUF_INIT;
	bool ok = tg_place_init(&p, ctx, err) && tg_fileset_hash(&p.set, err) && look(&a, err);

	if (ok) {
		print_audit(&a, &text);
		ok = tg_publish_bytes(&p.pub, "run_audit.txt", text.p, text.n, err);
	}
	if (a.failures) {
		tg_json_set(sum, "failures", a.failures);
		tg_json_set(sum, "warnings", a.warnings);
	}
	tg_prows_fini(&a.preds);
	tg_prows_fini(&a.results);
	tg_place_fini(&p);
	tg_buf_fini(&text);
	return ok;
}
