/* Evaluator `import`: the rows that something else's evaluation left (instance_results.jsonl). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "core/evaluate/evaluate.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

static void read_status(const struct cJSON *row, struct tg_evaluation *ev)
{
	const struct cJSON *flag = tg_json_get(row, "resolved");
	const char *text = tg_json_str(row, "resolved_status");
	bool said = tg_json_kind(flag) == TG_JSON_BOOL, yes = tg_json_bool(row, "resolved", false);
	char *upper = tg_strdup(text ? text : "");

	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	ev->status = tg_eval_status_parse(upper);
	if (ev->status == TG_EV_NONE && *upper) {
		char *safe = tg_text_line(upper, strlen(upper), 80);

		ev->status = TG_EV_NOT_RUN;
		ev->reason = tg_asprintf("unknown resolved_status in the imported row: %s", safe);
		free(safe);
	} else if (ev->status == TG_EV_NONE) {
		ev->status = !said ? TG_EV_NOT_RUN : yes ? TG_EV_RESOLVED : TG_EV_UNRESOLVED;
		ev->reason = said ? NULL : tg_strdup("the imported row holds no verdict");
	} else if (said && yes != (ev->status == TG_EV_RESOLVED)) {
		/* Both cannot be true, so neither is evidence of a pass. */
		ev->reason =
		    tg_strdup("the imported row contradicts itself: resolved and resolved_status");
		if (!yes)
			ev->status = TG_EV_UNRESOLVED;
	}
	free(upper);
}

static void take_row(const struct cJSON *row, const char *patch_sha256, struct tg_evaluation *ev)
{
	const char *sha = tg_json_str(row, "patch_sha256"), *error;

	if (sha && !tg_streq(sha, patch_sha256)) {
		ev->status = TG_EV_NOT_RUN;
		ev->reason =
		    tg_strdup("the imported row is of another patch (patch_sha256 differs)");
		return;
	}
	read_status(row, ev);
	error = tg_json_str(row, "patch_apply_error");
	if (error)
		ev->apply_error = tg_text_line(error, strlen(error), 300);
	ev->resolved = ev->status == TG_EV_RESOLVED ? 1
		     : ev->status == TG_EV_NOT_RUN || ev->status == TG_EV_INFRA ? -1 : 0;
}

static bool is_blank(const char *p, size_t n)
{
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r'))
		n--;
	return n == 0;
}

bool tg_import_row(const char *text, size_t n, const char *name, const char *iid,
		   const char *patch_sha256, struct tg_evaluation *ev, struct tg_err *err)
{
	const struct tg_json_limits limits = { .dup_keys_ok = true };
	struct cJSON *found = NULL;
	int line = 0;

	*ev = (struct tg_evaluation){ .status = TG_EV_NOT_RUN, .resolved = -1,
				      .level = TG_EL_IMPORTED };
	for (size_t at = 0; at < n;) {
		const char *p = text + at, *nl = memchr(p, '\n', n - at);
		size_t len = nl ? (size_t)(nl - p) : n - at;
		struct cJSON *row;

		at += len + 1;
		line++;
		if (is_blank(p, len))
			continue;
		row = tg_json_parse(p, len, name, &limits, err);
		if (!row || tg_json_kind(row) != TG_JSON_OBJECT) {
			if (row)
				tg_fail(err, TG_E_INPUT, "%s is no object", name);
			tg_json_free(row);
			tg_json_free(found);
			free(ev->row);
			ev->row = NULL;
			return tg_fail_in(err, "row %d of the imported results", line);
		}
		if (!tg_streq(tg_json_str(row, "instance_id"), iid)) {
			tg_json_free(row);
			continue;
		}
		tg_json_free(found);
		free(ev->row);
		found = row;
		ev->row = tg_strndup(p, len);
	}
	if (found)
		take_row(found, patch_sha256, ev);
	else
		ev->reason = tg_strdup("the imported results have no row of it");
	tg_json_free(found);
	return true;
}

static char *results_path(const struct tg_eval_input *in)
{
	const struct tg_digest_ref *ref = &in->ctx->spec->eval_results;

	return ref->frozen ? tg_path_join(in->ctx->run_dir, ref->frozen) : tg_strdup(ref->path);
}

static bool evaluate(const struct tg_eval_input *in, struct tg_evaluation *ev, struct tg_err *err)
{
	const struct tg_digest_ref *ref = &in->ctx->spec->eval_results;
	char *path = results_path(in), hex[TG_SHA256_HEX];
	struct tg_buf text = TG_BUF_INIT;
	bool ok;

	if (!path)
		return tg_fail(err, TG_E_INPUT,
			       "evaluator import: the run names no evaluation results; "
			       "give --eval-results FILE");
	ok = tg_file_read(path, 0, &text, err);
	if (ok && ref->sha256) {
		tg_sha256_hex(text.p, text.n, hex);
		if (!tg_streq(hex, ref->sha256))
			ok = tg_fail(
			    err, TG_E_INPUT,
			    "%s is not the file that the run was made with: "
			    "sha256 %.12s..., frozen %.12s...; put the old one back or make a new "
			    "run",
			    path, hex, ref->sha256);
	}
	ok = ok && tg_import_row(text.n ? text.p : "", text.n, tg_path_base(path),
				 in->ctx->instance_id, in->patch_sha256, ev, err);
	tg_buf_fini(&text);
	free(path);
	return ok;
}

/* A line that cannot be read would fail every instance later: said at launch instead. */
static bool preflight(struct tg_spec *spec, struct tg_err *err)
{
	const char *path = spec->eval_results.path;
	struct tg_evaluation ev = { 0 };
	struct tg_buf text = TG_BUF_INIT;
	bool ok;

	if (!path)
		return tg_fail(err, TG_E_INPUT, "--evaluator import needs --eval-results FILE "
			       "(an instance_results.jsonl)");
	ok = tg_file_read(path, 0, &text, err) &&
	     tg_import_row(text.n ? text.p : "", text.n, path, "", NULL, &ev, err);
	tg_evaluation_fini(&ev);
	tg_buf_fini(&text);
	return ok;
}

const struct tg_evaluator_ops tg_evaluator_import = {
	.name = "import",
	.preflight = preflight,
	.runs_empty = true,
	.evaluate = evaluate,
};
