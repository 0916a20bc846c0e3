/* The evaluate stage: which backend, what is not run at all, and the files it leaves. */
#include <stdlib.h>
#include <string.h>
#include "core/evaluate/evaluate.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"

void tg_evaluation_fini(struct tg_evaluation *ev)
{
	free(ev->reason);
	free(ev->apply_error);
	free(ev->row);
	*ev = (struct tg_evaluation){ .resolved = -1 };
}

static const struct tg_evaluator_ops *const backends[] = {
	&tg_evaluator_local, &tg_evaluator_import, &tg_evaluator_swebench,
};

const struct tg_evaluator_ops *tg_evaluator_find(const char *name)
{
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
		if (tg_streq(backends[i]->name, name))
			return backends[i];
	return NULL;
}

/* The member of an earlier stage's sum; NULL when that stage left no result. Caller frees. */
static struct cJSON *load_sum(const struct tg_stage_ctx *ctx, enum tg_stage stage)
{
	struct cJSON *result, *sum;
	char *path;

	if (!ctx->input[stage])
		return NULL;
	path = tg_path_join(ctx->input[stage], "result.json");
	result = tg_json_load(path, NULL, NULL);
	sum = tg_json_dup(tg_json_get(result, "sum"));
	tg_json_free(result);
	free(path);
	return sum;
}

static bool load_patch(const struct tg_stage_ctx *ctx, struct tg_buf *patch, struct tg_err *err)
{
	if (!ctx->input[TG_STAGE_EXTRACT])
		return tg_fail(err, TG_E_INPUT,
			       "%s attempt %d: the extract stage left nothing to evaluate",
			       ctx->instance_id, ctx->attempt);
	return tg_file_read_beneath(ctx->input[TG_STAGE_EXTRACT], "work/patch.diff", 0, patch, err);
}

/* Not run: nothing was submitted, or what stands in its place is an error of the machinery. */
static bool settle_without_run(enum tg_patch_class cls, size_t n, struct tg_evaluation *ev)
{
	if (cls == TG_PC_INFRA)
		ev->status = TG_EV_INFRA;
	else if (cls == TG_PC_EMPTY || n == 0)
		ev->status = TG_EV_EMPTY_PATCH;
	else
		return false;
	free(ev->reason);
	ev->reason =
	    tg_strdup(cls == TG_PC_INFRA ? "not evaluated: an error text of the machinery, no patch"
					 : "not evaluated: there is no patch");
	ev->resolved = cls == TG_PC_INFRA ? -1 : 0;
	return true;
}

/* One line of instance_results.jsonl. An imported one stays as it is; where there was none, none is
 * made up. */
static bool write_row(const struct tg_eval_input *in, const struct tg_evaluation *ev,
		      struct tg_err *err)
{
	char *path = tg_path_join(in->ctx->work_dir, "row.json");
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *row;
	bool ok = true;

	if (ev->row) {
		tg_buf_adds(&text, ev->row);
	} else if (ev->level == TG_EL_BOUND) {
		row = tg_json_object();
		tg_json_set_str(row, "instance_id", in->ctx->instance_id);
		tg_json_set_bool(row, "resolved", ev->status == TG_EV_RESOLVED);
		tg_json_set_str(row, "resolved_status", tg_eval_status_name(ev->status));
		tg_json_set_str(row, "patch_apply_error", ev->apply_error);
		tg_json_set_str(row, "patch_sha256", in->patch_sha256);
		tg_json_print(row, TG_JSON_PY, &text);
		tg_json_free(row);
	}
	if (text.n) {
		tg_buf_addc(&text, '\n');
		ok = tg_file_write(path, text.p, text.n, 0644, err);
	}
	tg_buf_fini(&text);
	free(path);
	return ok;
}

static void put_sum(struct cJSON *sum, const struct tg_eval_input *in,
		    const struct tg_evaluation *ev)
{
	struct cJSON *tests = NULL;

	if (ev->have_tally) {
		tests = tg_json_object();
		tg_json_set_int(tests, "f2p_pass", ev->tally.f2p_pass);
		tg_json_set_int(tests, "f2p_fail", ev->tally.f2p_fail);
		tg_json_set_int(tests, "p2p_pass", ev->tally.p2p_pass);
		tg_json_set_int(tests, "p2p_fail", ev->tally.p2p_fail);
	}
	tg_json_set_str(sum, "status", tg_eval_status_name(ev->status));
	if (ev->resolved < 0)
		tg_json_set_null(sum, "resolved");
	else
		tg_json_set_bool(sum, "resolved", ev->resolved);
	tg_json_set_str(sum, "reason", ev->reason);
	tg_json_set_str(sum, "patch_sha256", in->patch_sha256);
	tg_json_set_str(sum, "rung", ev->rung[0] ? ev->rung : NULL);
	tg_json_set(sum, "tests", tests ? tests : tg_json_null());
	tg_json_set_str(sum, "level", tg_evidence_level_name(ev->level));
}

bool tg_stage_evaluate(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	const struct tg_evaluator_ops *ops = tg_evaluator_find(ctx->spec->evaluator);
	struct tg_evaluation ev = { .resolved = -1, .level = TG_EL_BOUND };
	struct tg_buf patch = TG_BUF_INIT;
	struct cJSON *triage = load_sum(ctx, TG_STAGE_TRIAGE);
	const struct cJSON *applies = tg_json_get(triage, "applies");
	enum tg_patch_class cls = tg_patch_class_parse(tg_json_str(triage, "class"));
	char sha[TG_SHA256_HEX];
	bool ok, empty;

	if (!ops) {
		tg_json_free(triage);
		return tg_fail(err, TG_E_INPUT, "unknown evaluator \"%s\"", ctx->spec->evaluator);
	}
	ok = load_patch(ctx, &patch, err);
	if (ok) {
		struct tg_eval_input in = {.ctx = ctx,
					   .patch = patch.n ? patch.p : "",
					   .patch_n = patch.n,
					   .patch_sha256 = sha,
					   .applies = -1};

		tg_sha256_hex(in.patch, in.patch_n, sha);
		if (tg_json_kind(applies) == TG_JSON_BOOL)
			in.applies = tg_json_bool(triage, "applies", false);
		empty = cls == TG_PC_INFRA || cls == TG_PC_EMPTY || patch.n == 0;
		if (!empty || ops->runs_empty)
			ok = ops->evaluate(&in, &ev, err);
		settle_without_run(cls, patch.n, &ev);
		ok = ok && write_row(&in, &ev, err);
		if (ok)
			put_sum(sum, &in, &ev);
	}
	tg_evaluation_fini(&ev);
	tg_buf_fini(&patch);
	tg_json_free(triage);
	return ok;
}
