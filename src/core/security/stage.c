/* The scan stage: the touched files before and after the patch, or an existing report kept. */
#include <stdlib.h>
#include <string.h>

#include "core/dataset/dataset.h"
#include "core/govern/scan_view.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/stage.h"
#include "core/security/inputs.h"
#include "core/security/report.h"

#define MAX_TREE (64u << 20)
#define MAX_REPORT (16u << 20)
#define MAX_BLOB (TG_PY_MAX_BYTES + 1) /* one byte more is enough to say "too large" */

struct stage {
	const struct tg_stage_ctx *ctx;
	struct tg_policy *policy; /* NULL: none */
	struct tg_rules *rules;
	char *work;               /* of triage; NULL */
	struct cJSON *triage, *tree;
	struct tg_report report;
};

static bool write_work(const struct tg_stage_ctx *ctx, const char *name, const struct tg_buf *b,
		       struct tg_err *err)
{
	char *path = tg_path_join(ctx->work_dir, name);
	bool ok = tg_file_write(path, tg_buf_cstr(b), b->n, 0644, err);

	free(path);
	return ok;
}

/* One side of a file. *there: the tree says that it exists; false: it cannot be read. */
static bool read_side(struct stage *s, const struct cJSON *file, const char *key,
		      struct tg_buf *out, bool *there, const char **why)
{
	const char *name = tg_json_str(file, key);
	char *path;
	int64_t size;
	bool ok;

	*there = name != NULL;
	if (!name)
		return true;
	path = tg_path_join(s->work, name);
	size = tg_path_is_safe_relative(name) ? tg_file_size(path) : -1;
	free(path);
	*why = size < 0 ? "its content is missing from the triage" : "it is larger than 4 MiB";
	if (size < 0 || size >= (int64_t)MAX_BLOB)
		return false;
	*why = "its content cannot be read";
	ok = tg_file_read_beneath(s->work, name, MAX_BLOB, out, NULL);
	return ok;
}

/* Modes other than plain files: what stands there is no Python text. */
static const char *odd_mode(const struct cJSON *file)
{
	const char *mode = tg_json_str(file, "new_mode");

	if (!mode || tg_starts_with(mode, "100"))
		return NULL;
	return tg_starts_with(mode, "120") ? "it is a symbolic link" :
	       tg_starts_with(mode, "160") ? "it is a submodule" : "it is no plain file";
}

static void scan_sides(struct stage *s, const char *path, const struct tg_buf *before,
		       const struct tg_buf *after)
{
	struct tg_delta d;

	tg_delta_scan(s->rules, path, before, after, &d);
	if (d.scanned)
		tg_report_file(&s->report, path, &d, s->policy);
	else
		tg_report_gap(&s->report, path, d.reason);
	tg_delta_fini(&d);
}

static void scan_file(struct stage *s, const struct cJSON *file)
{
	const char *path = tg_json_str(file, "path"), *old = tg_json_str(file, "old_path"),
		   *why = NULL, *odd = odd_mode(file);
	struct tg_buf before = TG_BUF_INIT, after = TG_BUF_INIT;
	bool has_before, has_after, ok;

	if (!path) {
		tg_report_gap(&s->report, "?", "the triage names no path");
		return;
	}
	ok = read_side(s, file, "before", &before, &has_before, &why) &&
	     read_side(s, file, "after", &after, &has_after, &why);
	/* What was no Python by its name has no findings of old: all of it is new. */
	if (ok && has_before && tg_is_python(path, NULL) && old && !tg_is_python(old, &before))
		has_before = false;
	if (ok)
		tg_report_steering(&s->report, path, has_before ? &before : NULL,
				   has_after ? &after : NULL, s->rules, s->policy);
	else if (tg_is_steering(path))
		tg_report_steering(&s->report, path, NULL, NULL, s->rules, s->policy);
	if (!ok && !tg_is_python(path, NULL)) /* large or lost, and not Python by its name */
		tg_report_other(&s->report, path);
	else if (!ok)
		tg_report_gap(&s->report, path, why);
	else if (!tg_is_python(path, has_after ? &after : &before) ||
		 (odd && tg_starts_with(odd, "it is a sub")))
		tg_report_other(&s->report, path);
	else if (odd)
		tg_report_gap(&s->report, path, odd);
	else
		scan_sides(s, path, has_before ? &before : NULL, has_after ? &after : NULL);
	tg_buf_fini(&before);
	tg_buf_fini(&after);
}

/* Why there is nothing to scan; NULL when there is. */
static const char *skip_reason(const struct stage *s)
{
	const char *word = tg_json_str(tg_json_get(s->triage, "sum"), "class");
	enum tg_patch_class cls = word ? tg_patch_class_parse(word) : TG_PC_NONE;
	const struct cJSON *applied = tg_json_get(s->tree, "applied");

	if (cls == TG_PC_EMPTY)
		return "EMPTY_PATCH";
	if (cls == TG_PC_INFRA)
		return "INFRA";
	if (tg_json_kind(applied) == TG_JSON_BOOL && !tg_json_bool(s->tree, "applied", false))
		return "PATCH_DOES_NOT_APPLY";
	if (tg_json_kind(applied) != TG_JSON_BOOL && cls != TG_PC_NONE && cls != TG_PC_OK &&
	    cls != TG_PC_APPLIES_WITH_FUZZ)
		return "PATCH_DOES_NOT_APPLY";
	return NULL;
}

static void load_tree(struct stage *s)
{
	struct tg_json_limits limits = { .max_bytes = MAX_TREE };
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = { 0 };

	s->triage = tg_security_result(s->ctx, TG_STAGE_TRIAGE);
	s->work = tg_security_work(s->ctx, TG_STAGE_TRIAGE);
	if (!s->work)
		tg_report_fail(&s->report, "the triage left nothing to scan");
	else if (!tg_file_read_beneath(s->work, "tree.json", MAX_TREE, &b, &err) ||
		 !(s->tree = tg_json_parse(tg_buf_cstr(&b), b.n, "tree.json", &limits, &err)))
		tg_report_fail(&s->report, err.msg);
	tg_buf_fini(&b);
}

static bool has_flag(const struct stage *s, const char *flag)
{
	const struct cJSON *list = tg_json_path(s->triage, "sum.flags");

	for (const struct cJSON *f = tg_json_first(list); f; f = tg_json_next(f))
		if (tg_streq(tg_json_text(f), flag))
			return true;
	return false;
}

/* What the tree after the patch cannot show: GNU patch writes into .git when it is told to, and takes
 * edits back that it believes to be there already. */
static void note_blind_spots(struct stage *s)
{
	if (has_flag(s, "outside-tree") || has_flag(s, "odd-name"))
		tg_report_gap(&s->report, "(a name that is no plain path)",
			      "the patch names a path outside the tree, in .git, or in an odd form; "
			      "what it did there was not looked at");
	if (has_flag(s, "silent-revert"))
		tg_report_gap(&s->report, "(undone edits)",
			      "patch took edits back that the patch was to make");
}

static void scan_tree(struct stage *s)
{
	s->report.skip_reason = skip_reason(s);
	if (s->report.skip_reason) {
		s->report.status = TG_SC_SKIPPED;
		return;
	}
	if (!tg_json_bool(s->tree, "applied", false)) {
		const char *why = tg_json_str(tg_json_get(s->triage, "sum"), "no_base");

		tg_report_fail(&s->report, why ? why
					       : "the tree after the patch is not known: the base "
						 "commit is not at hand");
		return;
	}
	note_blind_spots(s);
	for (const struct cJSON *f = tg_json_first(tg_json_get(s->tree, "files")); f;
	     f = tg_json_next(f))
		scan_file(s, f);
	/* "Applied", and the tree is as it was: whatever passed, this patch is not what passed. */
	if (!tg_json_len(s->report.changed)) {
		s->report.skip_reason = "NOTHING_CHANGED";
		s->report.status = TG_SC_SKIPPED;
		return;
	}
	tg_report_close(&s->report);
}

static bool leave_report(struct stage *s, struct cJSON *sum, struct tg_err *err)
{
	const struct tg_row *row = s->ctx->row;
	const char *sha = tg_json_str(s->tree, "patch_sha256");
	char *version = tg_asprintf("%s sha256:%.12s", s->rules->version, s->rules->sha256);
	struct tg_report_id id = {
		.instance_id = s->ctx->instance_id,
		.repo = row ? row->repo : NULL,
		.base_commit = row ? row->base_commit : NULL,
		.patch_sha256 = sha ? sha : tg_json_str(tg_json_get(s->triage, "sum"), "sha256"),
		.rules_version = version,
	};
	struct cJSON *doc = tg_report_json(&s->report, &id);
	struct tg_buf b = TG_BUF_INIT;
	bool ok;

	tg_json_print(doc, TG_JSON_PY_INDENT2, &b);
	ok = write_work(s->ctx, "report.json", &b, err);
	tg_report_sum(&s->report, &id, sum);
	tg_buf_fini(&b);
	tg_json_free(doc);
	free(version);
	return ok;
}

static bool scan_anew(const struct tg_stage_ctx *ctx, struct tg_policy *policy, struct cJSON *sum,
		      struct tg_err *err)
{
	struct stage s = { .ctx = ctx, .policy = policy };
	bool ok = false;

	s.rules = tg_rules_load(NULL, err);
	if (s.rules) {
		tg_report_init(&s.report);
		load_tree(&s);
		if (s.tree)
			scan_tree(&s);
		ok = leave_report(&s, sum, err);
		tg_report_fini(&s.report);
	}
	tg_json_free(s.triage);
	tg_json_free(s.tree);
	tg_rules_free(s.rules);
	free(s.work);
	return ok;
}

/* What an existing report says, for the journal. */
static void sum_kept(const struct cJSON *report, bool found, const char *error,
		     const struct tg_policy *policy, struct cJSON *sum)
{
	struct tg_scan_view v;
	enum tg_scan_status status;

	tg_scan_view_init(&v, found, report, error, TG_SC_NONE, policy);
	status = v.failed    ? TG_SC_FAILED
		 : v.skipped ? TG_SC_SKIPPED
		 : v.partial ? TG_SC_PARTIAL
			     : TG_SC_OK;
	tg_json_set_str(sum, "status", tg_scan_status_name(status));
	tg_json_set_str(sum, "reason", v.failed ? v.error : tg_json_str(report, "skip_reason"));
	tg_json_set(sum, "new_violations", tg_json_dup(v.structured));
	tg_json_set_str(sum, "patch_sha256", v.patch_sha256);
	if (tg_json_kind(tg_json_get(report, "coverage")) == TG_JSON_OBJECT) {
		struct cJSON *cov = tg_json_dup(tg_json_get(report, "coverage"));
		const struct cJSON *skipped = tg_json_get(cov, "skipped");

		if (tg_json_kind(skipped) == TG_JSON_ARRAY)
			tg_json_set_int(cov, "skipped", (int64_t)tg_json_len(skipped));
		tg_json_set(sum, "coverage", cov);
	} else {
		tg_json_set_null(sum, "coverage");
	}
	tg_json_set_str(sum, "level", tg_evidence_level_name(TG_EL_IMPORTED));
	tg_scan_view_fini(&v);
}

/* The report that came with the run is the evidence: its bytes are kept as they are. */
static bool keep_report(const struct tg_stage_ctx *ctx, const struct tg_policy *policy,
			struct cJSON *sum, struct tg_err *err)
{
	const char *root = ctx->spec->source_dir ? ctx->spec->source_dir : ctx->run_dir;
	char *rel = tg_asprintf("security_reports/%s.json", ctx->instance_id);
	char *path = tg_path_join(root, rel);
	struct tg_json_limits limits = { .max_bytes = MAX_REPORT, .dup_keys_ok = true };
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err why = { 0 };
	struct cJSON *report = NULL;
	bool found = tg_file_exists(path), ok = true;

	if (found && tg_file_read_beneath(root, rel, MAX_REPORT, &b, &why)) {
		ok = write_work(ctx, "report.json", &b, err);
		report = tg_json_parse(tg_buf_cstr(&b), b.n, rel, &limits, &why);
	}
	if (ok)
		sum_kept(report, found, why.msg, policy, sum);
	tg_json_free(report);
	tg_buf_fini(&b);
	free(path);
	free(rel);
	return ok;
}

bool tg_stage_scan(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct tg_policy *policy;
	bool ok;

	if (!tg_security_policy(ctx, &policy, err))
		return false;
	if (tg_streq(ctx->spec->reports, "keep"))
		ok = keep_report(ctx, policy, sum, err);
	else
		ok = scan_anew(ctx, policy, sum, err);
	tg_policy_free(policy);
	return ok;
}
