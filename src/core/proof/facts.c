#include "core/proof/facts.h"

#include <string.h>

#include "core/govern/row.h"
#include "core/lib/json.h"

enum { EXAMPLES = 10 };

bool tg_facts_init(struct tg_facts *f, const struct tg_fileset *set, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	bool ok;

	*f = (struct tg_facts){.set = set};
	ok = tg_fileset_read(set, TG_RUNJSON_PATH, &b, err);
	if (ok) {
		f->run_json = tg_json_parse(tg_buf_cstr(&b), b.n, TG_RUNJSON_PATH, NULL, err);
		ok = f->run_json != NULL;
	}
	ok = ok && tg_fileset_read(set, TG_JOURNAL_PATH, &b, err) &&
	     tg_replay_lines(&b, f->run_json, &f->run, &f->journal, err) &&
	     tg_prows_predictions(&f->preds, set, "preds_filled.json", err) &&
	     tg_prows_lines(&f->results, set, "eval/instance_results.jsonl", err) &&
	     tg_prows_lines(&f->rows, set, "recomputed_governed_v2_agentic.jsonl", err) &&
	     tg_prows_lines(&f->risks, set, "agentic_risk.jsonl", err);
	tg_buf_fini(&b);
	return ok;
}

void tg_facts_fini(struct tg_facts *f)
{
	tg_json_free(f->run_json);
	if (f->run.dir)
		tg_run_fini(&f->run);
	tg_prows_fini(&f->preds);
	tg_prows_fini(&f->results);
	tg_prows_fini(&f->rows);
	tg_prows_fini(&f->risks);
	memset(f, 0, sizeof *f);
}

static const char *patch_of(const struct cJSON *rec)
{
	static const char *const keys[] = {"model_patch", "patch", "prediction"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *s = tg_json_str(rec, keys[i]);

		if (s && *s)
			return s;
	}
	return "";
}

static struct cJSON *sum_predictions(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object(), *empty = tg_json_array(), *invalid = tg_json_array();
	int64_t n_empty = 0, n_invalid = 0;

	for (size_t i = 0; i < f->preds.n; i++) {
		const char *patch = patch_of(f->preds.v[i].v);

		if (patch[strspn(patch, " \t\r\n\v\f")] == '\0') {
			if (n_empty++ < EXAMPLES)
				tg_json_push_str(empty, f->preds.v[i].id);
		} else if (!tg_govern_is_diff(patch, strlen(patch))) {
			if (n_invalid++ < EXAMPLES)
				tg_json_push_str(invalid, f->preds.v[i].id);
		}
	}
	tg_json_set_bool(o, "exists", f->preds.exists);
	tg_json_set_int(o, "total", (int64_t)(f->preds.n + f->preds.bad));
	tg_json_set_int(o, "empty", n_empty);
	tg_json_set_int(o, "invalid", n_invalid);
	tg_json_set_int(o, "valid", (int64_t)f->preds.n - n_empty - n_invalid);
	if (f->preds.exists) {
		tg_json_set(o, "empty_examples", empty);
		tg_json_set(o, "invalid_examples", invalid);
	} else {
		tg_json_free(empty);
		tg_json_free(invalid);
	}
	return o;
}

static struct cJSON *sum_eval(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();
	int64_t resolved = 0;

	for (size_t i = 0; i < f->results.n; i++)
		resolved += tg_json_bool(f->results.v[i].v, "resolved", false);
	tg_json_set_bool(o, "exists", f->results.exists);
	tg_json_set_int(o, "rows", (int64_t)f->results.n);
	tg_json_set_int(o, "resolved_true", resolved);
	return o;
}

static struct cJSON *sum_security(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();
	int64_t reports = 0, failed = 0;
	bool exists = false;
	struct tg_buf b = TG_BUF_INIT;

	for (size_t i = 0; i < f->set->n; i++) {
		const char *path = f->set->v[i].path, *name = path + strlen("security_reports/");
		struct cJSON *r;

		if (!tg_starts_with(path, "security_reports/"))
			continue;
		exists = true;
		if (strchr(name, '/') || !tg_ends_with(name, ".json") ||
		    !tg_fileset_read(f->set, path, &b, NULL))
			continue;
		r = tg_json_parse(tg_buf_cstr(&b), b.n, path, NULL, NULL);
		reports += tg_json_kind(r) == TG_JSON_OBJECT;
		failed += tg_json_truthy(tg_json_get(r, "scan_failed"));
		tg_json_free(r);
	}
	tg_buf_fini(&b);
	tg_json_set_bool(o, "exists", exists);
	tg_json_set_int(o, "reports", reports);
	tg_json_set_int(o, "scan_failed", failed);
	return o;
}

static struct cJSON *sum_governance(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object(), *by = tg_json_object();

	for (size_t i = 0; i < f->rows.n; i++) {
		const char *d = tg_json_str(f->rows.v[i].v, "final_decision");

		if (!d)
			d = "UNKNOWN";
		tg_json_set_int(by, d, tg_json_int(by, d, 0) + 1);
	}
	tg_json_set_bool(o, "exists", f->rows.exists);
	tg_json_set_int(o, "rows", (int64_t)f->rows.n);
	tg_json_set(o, "by_decision", by);
	return o;
}

struct cJSON *tg_facts_summary(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();

	tg_json_set(o, "predictions", sum_predictions(f));
	tg_json_set(o, "eval", sum_eval(f));
	tg_json_set(o, "security", sum_security(f));
	tg_json_set(o, "governance", sum_governance(f));
	return o;
}
