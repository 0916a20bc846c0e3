#include "core/security/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/govern/policy.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/security/scan.h"

#define SCOPE "postapply_fullfile_delta_v1"

void tg_report_init(struct tg_report *r)
{
	memset(r, 0, sizeof *r);
	r->changed = tg_json_array();
	r->files = tg_json_array();
	r->findings = tg_json_array();
	r->skipped = tg_json_array();
}

void tg_report_fini(struct tg_report *r)
{
	tg_json_free(r->changed);
	tg_json_free(r->files);
	tg_json_free(r->findings);
	tg_json_free(r->skipped);
	for (size_t i = 0; i < r->code_n; i++)
		free(r->code[i]);
	free(r->code);
	free(r->severity);
	free(r->error);
	memset(r, 0, sizeof *r);
}

void tg_report_fail(struct tg_report *r, const char *why)
{
	r->status = TG_SC_FAILED;
	free(r->error);
	r->error = tg_strdup(why);
}

void tg_report_other(struct tg_report *r, const char *path)
{
	tg_json_push_str(r->changed, path);
}

void tg_report_gap(struct tg_report *r, const char *path, const char *reason)
{
	struct cJSON *o = tg_json_object();

	tg_json_push_str(r->changed, path);
	tg_json_set_str(o, "path", path);
	tg_json_set_str(o, "reason", reason);
	tg_json_push(r->skipped, o);
	r->python_n++;
}

/* Insert into the sorted, unique list; of several findings the highest severity counts. */
static void add_code(struct tg_report *r, const char *code, const char *severity)
{
	size_t i = 0, cap = r->code_cap;

	while (i < r->code_n && strcmp(r->code[i], code) < 0)
		i++;
	if (i < r->code_n && !strcmp(r->code[i], code)) {
		if (tg_severity_rank(severity) > tg_severity_rank(r->severity[i]))
			r->severity[i] = severity;
		return;
	}
	TG_GROW(r->code, r->code_n, r->code_cap);
	if (r->code_cap != cap)
		r->severity = tg_realloc(r->severity, r->code_cap * sizeof *r->severity);
	memmove(r->code + i + 1, r->code + i, (r->code_n - i) * sizeof *r->code);
	memmove(r->severity + i + 1, r->severity + i, (r->code_n - i) * sizeof *r->severity);
	r->code[i] = tg_strdup(code);
	r->severity[i] = severity;
	r->code_n++;
}

/* The four words as constants, so that they outlive a policy. */
static const char *constant(const char *severity)
{
	static const char *const words[] = { "info", "low", "medium", "high" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (tg_streq(words[i], severity))
			return words[i];
	return "high";
}

bool tg_is_test_path(const char *path)
{
	const char *base = tg_path_base(path);

	return !tg_is_steering(path) &&
	       (strstr(path, "/tests/") || tg_starts_with(path, "tests/") ||
		tg_starts_with(base, "test_") || tg_ends_with(base, "_test.py"));
}

static const char *severity_here(const struct tg_policy *policy, const char *code, const char *path,
				 const char **original)
{
	const char *own = constant(tg_policy_severity(policy, code)),
		   *cap = policy ? policy->test_path_cap : NULL;

	*original = own;
	if (cap && tg_is_test_path(path) && tg_severity_rank(own) > tg_severity_rank(cap))
		return constant(cap);
	return own;
}

static void add_finding(struct tg_report *r, const struct tg_finding *f, const char *path,
			const struct tg_policy *policy)
{
	const char *original, *severity = severity_here(policy, f->rule->code, path, &original);
	struct cJSON *o = tg_finding_json(f, path, severity);

	if (severity != original)
		tg_json_set_str(o, "original_severity", original);
	tg_json_push(r->findings, o);
	add_code(r, f->rule->code, severity);
}

/* ---- what steers the tests ---- */

bool tg_is_steering(const char *path)
{
	static const char *const names[] = { "conftest.py", "pytest.ini", "sitecustomize.py",
					     "usercustomize.py", ".pytest.ini", NULL };
	const char *base = tg_path_base(path);

	for (size_t i = 0; names[i]; i++)
		if (tg_streq(base, names[i]))
			return true;
	return tg_ends_with(base, ".pth");
}

/* Files that hold settings of many programs: only a change of pytest's own counts. */
static bool is_settings(const char *path)
{
	static const char *const names[] = { "tox.ini", "setup.cfg", "pyproject.toml", NULL };

	for (size_t i = 0; names[i]; i++)
		if (tg_streq(tg_path_base(path), names[i]))
			return true;
	return false;
}

static size_t count(const struct tg_buf *b, const char *word)
{
	size_t n = 0, len = strlen(word);
	const char *p = b ? tg_buf_cstr(b) : "", *end = b ? p + b->n : p;

	while ((p = memmem(p, (size_t)(end - p), word, len))) {
		p += len;
		n++;
	}
	return n;
}

static bool pytest_settings_differ(const struct tg_buf *before, const struct tg_buf *after)
{
	static const char *const words[] = { "pytest]", "pytest.ini_options", "addopts",
					     "python_files", "python_functions", "python_classes",
					     "norecursedirs", "testpaths", "confcutdir",
					     "--deselect", "--ignore", "-p no:", "rootdir", NULL };

	for (size_t i = 0; words[i]; i++)
		if (count(before, words[i]) != count(after, words[i]))
			return true;
	return false;
}

void tg_report_steering(struct tg_report *r, const char *path, const struct tg_buf *before,
			const struct tg_buf *after, const struct tg_rules *rules,
			const struct tg_policy *policy)
{
	struct tg_finding f = { .rule = tg_rules_find(rules, TG_CODE_TESTS), .line = 1, .col = 1,
				.end_line = 1, .end_col = 1 };

	if (!f.rule || !(tg_is_steering(path) ||
			 (is_settings(path) && pytest_settings_differ(before, after))))
		return;
	f.snippet = tg_text_line(path, strlen(path), 160);
	f.scope = tg_strdup("");
	add_finding(r, &f, path, policy);
	free(f.scope);
	free(f.snippet);
}

static struct cJSON *code_array(const struct tg_findings *f)
{
	struct cJSON *a = tg_json_array();
	const char **codes = tg_findings_codes(f, NULL);

	for (const char **c = codes; *c; c++)
		tg_json_push_str(a, *c);
	free(codes);
	return a;
}

/* The codes of the new findings only. */
static struct cJSON *new_codes(const struct tg_delta *d)
{
	struct tg_findings fresh = { 0 };
	struct cJSON *a;

	for (size_t i = 0; i < d->after.n; i++) {
		if (!d->is_new[i])
			continue;
		TG_GROW(fresh.v, fresh.n, fresh.cap);
		fresh.v[fresh.n++] = d->after.v[i]; /* texts stay the delta's */
	}
	a = code_array(&fresh);
	free(fresh.v);
	return a;
}

void tg_report_file(struct tg_report *r, const char *path, const struct tg_delta *d,
		    const struct tg_policy *policy)
{
	struct cJSON *o = tg_json_object();

	tg_json_push_str(r->changed, path);
	r->python_n++;
	r->scanned_n++;
	tg_json_set_str(o, "path", path);
	tg_json_set(o, "before_violations", code_array(&d->before));
	tg_json_set(o, "after_violations", code_array(&d->after));
	tg_json_set(o, "new_violations", new_codes(d));
	tg_json_push(r->files, o);
	for (size_t i = 0; i < d->after.n; i++) {
		const struct tg_finding *f = &d->after.v[i];

		if (!d->is_new[i])
			continue;
		add_finding(r, f, path, policy);
	}
}

void tg_report_close(struct tg_report *r)
{
	if (r->status != TG_SC_NONE)
		return;
	r->status = r->scanned_n < r->python_n ? TG_SC_PARTIAL : TG_SC_OK;
	if (r->status == TG_SC_PARTIAL && !r->error)
		r->error = tg_asprintf(
		    "%zu of %zu Python files could not be scanned; see coverage.skipped",
		    r->python_n - r->scanned_n, r->python_n);
}

static struct cJSON *structured(const struct tg_report *r)
{
	struct cJSON *list = tg_json_array();

	for (size_t i = 0; i < r->code_n; i++) {
		struct cJSON *o = tg_json_object();

		tg_json_set_str(o, "code", r->code[i]);
		tg_json_set_str(o, "severity", r->severity[i]);
		tg_json_push(list, o);
	}
	return list;
}

struct cJSON *tg_report_json(const struct tg_report *r, const struct tg_report_id *id)
{
	struct cJSON *o = tg_json_object(), *codes = tg_json_array(), *cov = tg_json_object();

	for (size_t i = 0; i < r->code_n; i++)
		tg_json_push_str(codes, r->code[i]);
	tg_json_set_int(cov, "files", (int64_t)r->python_n);
	tg_json_set_int(cov, "scanned", (int64_t)r->scanned_n);
	tg_json_set(cov, "skipped", tg_json_dup(r->skipped));
	tg_json_set_str(o, "instance_id", id->instance_id);
	tg_json_set_str(o, "repo", id->repo);
	tg_json_set_str(o, "base_commit", id->base_commit);
	tg_json_set_str(o, "scan_scope", SCOPE);
	tg_json_set_bool(o, "scan_failed", r->status == TG_SC_FAILED);
	tg_json_set_str(o, "scan_error", r->error);
	tg_json_set_bool(o, "skipped", r->status == TG_SC_SKIPPED);
	tg_json_set_str(o, "skip_reason", r->skip_reason);
	tg_json_set(o, "changed_files", tg_json_dup(r->changed));
	tg_json_set(o, "files", tg_json_dup(r->files));
	tg_json_set(o, "new_violations", codes);
	tg_json_set(o, "new_violations_structured", structured(r));
	tg_json_set_str(o, "scan_status", tg_scan_status_name(r->status));
	tg_json_set(o, "findings", tg_json_dup(r->findings));
	tg_json_set(o, "coverage", cov);
	tg_json_set_str(o, "patch_sha256", id->patch_sha256);
	tg_json_set_str(o, "rules_version", id->rules_version);
	tg_json_set_str(o, "evidence_level", tg_evidence_level_name(TG_EL_BOUND));
	return o;
}

void tg_report_sum(const struct tg_report *r, const struct tg_report_id *id,
		   struct cJSON *sum)
{
	struct cJSON *cov = tg_json_object();

	tg_json_set_int(cov, "files", (int64_t)r->python_n);
	tg_json_set_int(cov, "scanned", (int64_t)r->scanned_n);
	tg_json_set_int(cov, "skipped", (int64_t)(r->python_n - r->scanned_n));
	tg_json_set_str(sum, "status", tg_scan_status_name(r->status));
	tg_json_set_str(sum, "reason", r->skip_reason ? r->skip_reason : r->error);
	tg_json_set(sum, "new_violations", structured(r));
	tg_json_set_str(sum, "patch_sha256", id->patch_sha256);
	tg_json_set(sum, "coverage", cov);
	tg_json_set_str(sum, "level", tg_evidence_level_name(TG_EL_BOUND));
}
