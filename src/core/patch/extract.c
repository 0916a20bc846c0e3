/*
 * The extract stage: what the agent left, as the bytes that the harness will be handed
 * (work/patch.diff) and the trajectory to publish (work/traj.json). A submission is never trimmed,
 * unfenced or otherwise touched. docs/stages.md has the fields; source.c finds the trajectory and
 * the patch.
 */
#include <stdlib.h>
#include <string.h>
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/patch/source.h"
#include "core/run/stage.h"

#define HEAD_BYTES 300
#define WORD_BYTES 200

/* The reference's test for a diff (tauguardian-pipeline.md 2.3): substrings anywhere. */
static bool contains(const char *p, size_t n, const char *word)
{
	return n > 0 && memmem(p, n, word, strlen(word));
}

static bool looks_like_diff(const char *p, size_t n)
{
	if (contains(p, n, "diff --git"))
		return true;
	if (contains(p, n, "--- a/") && contains(p, n, "+++ b/"))
		return true;
	return contains(p, n, "@@") && (contains(p, n, "--- ") || contains(p, n, "+++ "));
}

static bool write_work(const struct tg_stage_ctx *ctx, const char *name, const void *p, size_t n,
		       struct tg_err *err)
{
	char *path = tg_path_join(ctx->work_dir, name);
	bool ok = tg_file_write(path, p, n, 0644, err);

	free(path);
	return ok;
}

static void set_safe(struct cJSON *o, const char *key, const char *text, size_t max)
{
	char *safe = text ? tg_text_line(text, strlen(text), max) : NULL;

	tg_json_set_str(o, key, safe);
	free(safe);
}

static void set_count(struct cJSON *o, const char *key, int64_t v)
{
	if (v < 0)
		tg_json_set_null(o, key);
	else
		tg_json_set_int(o, key, v);
}

/* The record that stands for a trajectory that was never finished. */
static void stand_in(const struct tg_stage_ctx *ctx, const struct tg_source *s, struct tg_buf *out)
{
	struct cJSON *root = tg_json_object(), *info = tg_json_object(), *ours = tg_json_object();

	tg_json_set_bool(ours, "no_trajectory", true);
	tg_json_set_str(ours, "why", s->why);
	tg_json_set(ours, "exit", s->exit ? tg_json_dup(s->exit) : tg_json_null());
	tg_json_set_str(ours, "log_tail", s->log_tail);
	set_safe(info, "exit_status", s->traj.exit_status, WORD_BYTES);
	tg_json_set_str(info, "submission", "");
	tg_json_set(root, "info", info);
	tg_json_set(root, "messages", tg_json_array());
	tg_json_set_str(root, "instance_id", ctx->instance_id);
	tg_json_set(root, "tgmon", ours);
	tg_json_print(root, TG_JSON_PY_INDENT2, out);
	tg_buf_addc(out, '\n');
	tg_json_free(root);
}

static bool write_trajectory(const struct tg_stage_ctx *ctx, const struct tg_source *s,
			     struct cJSON *sum, struct tg_err *err)
{
	struct tg_buf made = TG_BUF_INIT;
	const struct tg_buf *bytes = &s->traj_bytes;
	char sha256[TG_SHA256_HEX];
	bool ok;

	if (s->why) {
		stand_in(ctx, s, &made);
		bytes = &made;
	}
	tg_sha256_hex(tg_buf_cstr(bytes), bytes->n, sha256);
	tg_json_set_str(sum, "traj_sha256", sha256);
	ok = write_work(ctx, "traj.json", tg_buf_cstr(bytes), bytes->n, err);
	tg_buf_fini(&made);
	return ok;
}

static void fill_agent(const struct tg_source *s, struct cJSON *sum)
{
	const struct tg_traj *t = &s->traj;
	bool cost_known = s->have_traj && t->cost_usd >= 0;

	tg_json_set_str(sum, "outcome", tg_outcome_name(s->outcome));
	set_safe(sum, "exit_status", s->have_traj ? t->exit_status : NULL, WORD_BYTES);
	set_safe(sum, "model_answered", s->have_traj ? t->model_answered : NULL, WORD_BYTES);
	set_count(sum, "steps", s->have_traj ? t->api_calls : -1);
	if (cost_known)
		tg_json_set_float(sum, "cost_usd", t->cost_usd);
	else
		tg_json_set_null(sum, "cost_usd");
	tg_json_set_bool(sum, "cost_lower_bound", !cost_known || s->why);
	set_count(sum, "tokens", s->have_traj ? t->tokens : -1);
	tg_json_set_bool(sum, "no_trajectory", s->why != NULL);
	tg_json_set_str(sum, "no_trajectory_why", s->why);
}

static void fill_patch(const struct tg_source *s, struct cJSON *sum)
{
	char sha256[TG_SHA256_HEX];
	const char *p = tg_buf_cstr(&s->patch);
	bool same = s->submission && strlen(s->submission) == s->patch.n &&
		    memcmp(s->submission, p, s->patch.n) == 0;

	tg_sha256_hex(p, s->patch.n, sha256);
	tg_json_set_str(sum, "patch_source", s->patch_source);
	tg_json_set_int(sum, "patch_bytes", (int64_t)s->patch.n);
	tg_json_set_str(sum, "patch_sha256", sha256);
	tg_json_set_bool(sum, "submission_valid", looks_like_diff(p, s->patch.n));
	tg_json_set_bool(sum, "normalised", s->normalised);
	tg_json_set_str(sum, "disagrees", s->disagrees);
	/* For triage and screens: what was submitted, where it is no diff or not what stands. */
	if (s->submission && *s->submission && (!same || !looks_like_diff(p, s->patch.n)))
		set_safe(sum, "submission_text_head", s->submission, HEAD_BYTES);
	else
		tg_json_set_null(sum, "submission_text_head");
}

bool tg_stage_extract(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct tg_source s = {0};
	bool foreign = tg_streq(ctx->spec->agent, "foreign");
	bool ok = foreign ? tg_source_foreign(&s, ctx->spec->source_dir, ctx->instance_id, err)
			  : tg_source_attempt(&s, ctx, err);

	ok = ok && write_work(ctx, "patch.diff", tg_buf_cstr(&s.patch), s.patch.n, err) &&
	     write_trajectory(ctx, &s, sum, err);
	if (ok) {
		fill_agent(&s, sum);
		fill_patch(&s, sum);
	}
	tg_source_fini(&s);
	return ok;
}
