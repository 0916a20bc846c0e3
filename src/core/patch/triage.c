/*
 * The triage stage: the patch's class and, where a base repository is at hand, the ladder's verdict
 * and the tree after it, as tree.json with numbered blobs (docs/stages.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/trajectory.h"
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/patch/cause.h"
#include "core/patch/try.h"
#include "core/run/stage.h"

struct triage {
	const struct tg_stage_ctx *ctx;
	struct tg_buf patch;
	char sha256[TG_SHA256_HEX];
	struct tg_try tried;
	char *no_base;	       /* why there was no base, or NULL */
	struct cJSON *extract; /* the extract stage's result */
	size_t blobs;
};

/* ---- tree.json ---- */

/* Names are bytes; JSON is UTF-8. One that is not valid text keeps its bytes as hex beside. */
static void set_path(struct cJSON *o, const char *key, const char *path)
{
	size_t n = path ? strlen(path) : 0, i = 0;
	uint32_t cp = 0;

	for (i = 0; i < n && cp != 0xFFFFFFFF;)
		i += tg_utf8_next(path + i, n - i, &cp);
	if (cp != 0xFFFFFFFF) {
		tg_json_set_str(o, key, path);
	} else {
		struct tg_buf hex = TG_BUF_INIT, name = TG_BUF_INIT;

		for (i = 0; i < n; i++)
			tg_buf_addf(&hex, "%02x", (unsigned char)path[i]);
		tg_text_safe(&name, path, n, 0);
		tg_json_set_str(o, key, tg_buf_cstr(&name));
		tg_buf_clear(&name);
		tg_buf_addf(&name, "%s_hex", key);
		tg_json_set_str(o, tg_buf_cstr(&name), tg_buf_cstr(&hex));
		tg_buf_fini(&name);
		tg_buf_fini(&hex);
	}
}

static void set_mode(struct cJSON *o, const char *key, unsigned mode)
{
	char text[16];

	snprintf(text, sizeof text, "%06o", mode);
	tg_json_set_str(o, key, mode ? text : NULL);
}

/* Write bytes as <folder>/<number>; sets key to that name. */
static bool put_blob(struct triage *t, struct cJSON *o, const char *key, size_t number,
		     const struct tg_buf *bytes, struct tg_err *err)
{
	char *name = tg_asprintf("%s/%04zu", key, number),
	     *path = tg_path_join(t->ctx->work_dir, name);
	bool ok = tg_file_write(path, tg_buf_cstr(bytes), bytes->n, 0644, err);

	if (ok)
		tg_json_set_str(o, key, name);
	free(path);
	free(name);
	return ok;
}

static bool has_nul(const struct tg_buf *b)
{
	return b->n > 0 && memchr(b->p, '\0', b->n);
}

/* One changed file of the tree. old is the file it was renamed from, or the file itself. */
static bool tree_file(struct triage *t, struct cJSON *files, const struct tg_scratch_file *f,
		      const struct tg_scratch_file *old, struct tg_err *err)
{
	struct cJSON *o = tg_json_object();
	bool before = old->before, after = f->after, ok = true;
	size_t number = t->blobs++;

	set_path(o, "path", f->path);
	set_path(o, "old_path", before ? old->path : NULL);
	tg_json_set_str(o, "status",
			old != f  ? "renamed"
			: !before ? "added"
			: !after  ? "deleted"
				  : "modified");
	set_mode(o, "old_mode", before ? old->before_mode : 0);
	set_mode(o, "new_mode", after ? f->after_mode : 0);
	tg_json_set_bool(o, "binary", has_nul(&old->before_bytes) || has_nul(&f->after_bytes));
	tg_json_set_null(o, "before");
	tg_json_set_null(o, "after");
	if (before)
		ok = put_blob(t, o, "before", number, &old->before_bytes, err);
	if (ok && after)
		ok = put_blob(t, o, "after", number, &f->after_bytes, err);
	tg_json_push(files, o);
	return ok;
}

static const struct tg_scratch_file *renamed_from(const struct triage *t,
						  const struct tg_scratch_file *f)
{
	size_t i;

	if (f->before || !f->after)
		return f;
	for (i = 0; i < t->tried.diff.file_n; i++) {
		const struct tg_diff_file *p = &t->tried.diff.file[i];
		const struct tg_scratch_file *old;

		if (p->status != TG_DIFF_RENAMED || !tg_streq(p->new_path, f->path))
			continue;
		old = tg_scratch_find(&t->tried.scratch, p->old_path);
		if (old && old->before && !old->after)
			return old;
	}
	return f;
}

static bool is_rename_source(const struct triage *t, const struct tg_scratch_file *f)
{
	size_t i;

	if (!f->before || f->after)
		return false;
	for (i = 0; i < t->tried.diff.file_n; i++) {
		const struct tg_diff_file *p = &t->tried.diff.file[i];
		const struct tg_scratch_file *to;

		if (p->status != TG_DIFF_RENAMED || !tg_streq(p->old_path, f->path))
			continue;
		to = tg_scratch_find(&t->tried.scratch, p->new_path);
		if (to && to->after && !to->before)
			return true;
	}
	return false;
}

/* The ladder took it: what the tree says. */
static bool tree_from_scratch(struct triage *t, struct cJSON *files, struct tg_err *err)
{
	size_t i;

	for (i = 0; i < t->tried.scratch.n; i++) {
		const struct tg_scratch_file *f = &t->tried.scratch.file[i];

		if (!tg_scratch_changed(f) || tg_scratch_litter(f) || is_rename_source(t, f))
			continue;
		if (!tree_file(t, files, f, renamed_from(t, f), err))
			return false;
	}
	return true;
}

/* No tree after the patch: the files that the patch names, with the base's bytes where there are
 * any. */
static bool tree_from_patch(struct triage *t, struct cJSON *files, struct tg_err *err)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < t->tried.diff.file_n && ok; i++) {
		const struct tg_diff_file *p = &t->tried.diff.file[i];
		const struct tg_scratch_file *f = tg_scratch_find(&t->tried.scratch, p->old_path);
		struct cJSON *o = tg_json_object();
		bool before = f && f->before && p->status != TG_DIFF_COPIED;

		set_path(o, "path", tg_diff_path(p));
		set_path(o, "old_path", p->status == TG_DIFF_COPIED ? NULL : p->old_path);
		tg_json_set_str(o, "status", tg_diff_status_name(p->status));
		set_mode(o, "old_mode", p->old_mode);
		set_mode(o, "new_mode", p->new_mode);
		tg_json_set_bool(o, "binary", p->binary);
		tg_json_set_null(o, "before");
		tg_json_set_null(o, "after");
		if (before)
			ok = put_blob(t, o, "before", t->blobs++, &f->before_bytes, err);
		tg_json_push(files, o);
	}
	return ok;
}

static bool make_folder(const struct triage *t, const char *name, struct tg_err *err)
{
	char *path = tg_path_join(t->ctx->work_dir, name);
	bool ok = tg_mkdirs(path, 0755, err);

	free(path);
	return ok;
}

static bool write_file(const struct triage *t, const char *name, const struct tg_buf *b,
		       struct tg_err *err)
{
	char *path = tg_path_join(t->ctx->work_dir, name);
	bool ok = tg_file_write(path, tg_buf_cstr(b), b->n, 0644, err);

	free(path);
	return ok;
}

static bool write_tree(struct triage *t, size_t *count, struct tg_err *err)
{
	struct cJSON *root = tg_json_object(), *files = tg_json_array();
	struct tg_buf text = TG_BUF_INIT;
	bool ok = make_folder(t, "before", err) && make_folder(t, "after", err);

	tg_json_set_str(root, "schema", "tgmon.tree.v1");
	tg_json_set_str(root, "patch_sha256", t->sha256);
	if (t->tried.ladder_ran)
		tg_json_set_bool(root, "applied", t->tried.ladder.applied == 1);
	else
		tg_json_set_null(root, "applied");
	tg_json_set(root, "files", files);
	if (ok && t->tried.ladder_ran && t->tried.ladder.applied)
		ok = tree_from_scratch(t, files, err);
	else if (ok)
		ok = tree_from_patch(t, files, err);
	*count = tg_json_len(files);
	if (ok) {
		tg_json_print(root, TG_JSON_COMPACT, &text);
		tg_buf_addc(&text, '\n');
		ok = write_file(t, "tree.json", &text, err);
	}
	tg_buf_fini(&text);
	tg_json_free(root);
	return ok;
}

/* ---- the base ---- */

/* Find the base; NULL and t->no_base when there is none, which is no error. */
static char *find_repository(struct triage *t)
{
	const struct tg_stage_ctx *ctx = t->ctx;
	struct tg_err err = {0};
	char *path = NULL;

	if (!ctx->row || !ctx->row->repo || !ctx->row->base_commit)
		t->no_base = tg_strdup("no data set row for this instance");
	else if (!tg_repo_path(ctx->spec->repos_dir, ctx->spec->data_dir, ctx->row->repo, &path,
			       &err))
		t->no_base = err.code == TG_E_NONE
				 ? tg_asprintf("no repository for %s", ctx->row->repo)
				 : tg_strdup(err.msg);
	return path;
}

/* ---- the stage ---- */

static bool load_inputs(struct triage *t, struct tg_err *err)
{
	const char *dir = t->ctx->input[TG_STAGE_EXTRACT];
	char *path;
	bool ok;

	if (!dir)
		return tg_fail(err, TG_E_INPUT,
			       "triage of %s: the extract stage left nothing to read",
			       t->ctx->instance_id);
	ok = tg_file_read_beneath(dir, "work/patch.diff", 0, &t->patch, err);
	path = tg_path_join(dir, "result.json");
	if (ok) {
		t->extract = tg_json_load(path, NULL, err);
		ok = t->extract != NULL;
	}
	free(path);
	tg_sha256_hex(tg_buf_cstr(&t->patch), t->patch.n, t->sha256);
	return ok;
}

static bool try_patch(struct triage *t, struct tg_err *err)
{
	const struct cJSON *sum = tg_json_get(t->extract, "sum");
	const char *outcome = tg_json_str(sum, "outcome");
	char *repo = find_repository(t), *dir = tg_path_join(t->ctx->work_dir, "scratch");
	const struct tg_try_in in = {
	    .patch = tg_buf_cstr(&t->patch),
	    .n = t->patch.n,
	    .exit_status = tg_json_str(sum, "exit_status"),
	    .outcome = outcome ? tg_outcome_parse(outcome) : TG_OUT_NONE,
	    .submission_head = tg_json_str(sum, "submission_text_head"),
	    .repo = repo,
	    .commit = repo ? t->ctx->row->base_commit : NULL,
	    .dir = dir,
	    .generation = t->ctx->spec->ladder,
	};
	bool ok = tg_try_patch(&in, &t->tried, err);

	if (ok && t->tried.no_base)
		tg_log(&t->ctx->log, TG_LOG_WARN, "no base for the ladder: %s", t->tried.no_base);
	if (ok && t->tried.ladder_ran)
		ok = write_file(t, "ladder.log", &t->tried.ladder.log, err);
	free(dir);
	free(repo);
	return ok;
}

/* The last steps of the trajectory that extract left; what a step printed is cut where it stands. */
#define LAST_STEPS 10

static void last_steps(const struct tg_step *all, size_t n, struct tg_cause_step *out,
		       struct tg_cause_in *in)
{
	size_t first = n > LAST_STEPS ? n - LAST_STEPS : 0;

	for (size_t i = first; i < n; i++)
		out[in->step_n++] = (struct tg_cause_step){
		    .command = all[i].command_n ? all[i].command[all[i].command_n - 1] : NULL,
		    .output = all[i].output,
		    .returncode = all[i].returncode,
		};
	in->step = out;
}

static void set_cause(const struct triage *t, struct cJSON *sum)
{
	const struct cJSON *extract = tg_json_get(t->extract, "sum");
	const char *outcome = tg_json_str(extract, "outcome");
	char *path = tg_asprintf("%s/work/traj.json", t->ctx->input[TG_STAGE_EXTRACT]);
	struct tg_cause_step last[LAST_STEPS];
	struct tg_traj traj = {0};
	struct tg_step *steps = NULL;
	size_t step_n = 0;
	struct tg_cause_in in = {
	    .exit_status = tg_json_str(extract, "exit_status"),
	    .outcome = outcome ? tg_outcome_parse(outcome) : TG_OUT_NONE,
	    .cls = t->tried.out.cls,
	    .submission = tg_json_str(extract, "submission_text_head"),
	};
	struct tg_cause c;

	if (tg_traj_load(&traj, path, NULL)) {
		in.exception = traj.exception ? traj.exception : traj.traceback;
		in.log_tail = tg_json_text(tg_json_path(traj.root, "tgmon.log_tail"));
		in.cwd = tg_json_text(tg_json_path(traj.root, "info.config.environment.cwd"));
		if (tg_traj_steps(&traj, &steps, &step_n))
			last_steps(steps, step_n, last, &in);
	}
	c = tg_cause_find(&in);
	tg_json_set_null(sum, "cause");
	if (c.id != TG_CA_NONE) {
		struct cJSON *o = tg_json_object();

		tg_json_set_str(o, "id", tg_cause_name(c.id));
		tg_json_set_str(o, "text", c.text);
		tg_json_set_str(o, "remedy", c.remedy);
		tg_json_set(sum, "cause", o);
	}
	tg_steps_free(steps, step_n);
	tg_traj_fini(&traj);
	free(path);
}

static void fill_sum(const struct triage *t, const struct tg_triage_out *out, size_t files,
		     struct cJSON *sum)
{
	struct cJSON *flags = tg_json_array();
	unsigned bit;

	tg_json_set_str(sum, "class", tg_patch_class_name(out->cls));
	tg_json_set_str(sum, "reason", out->reason);
	tg_json_set_str(sum, "remedy", out->remedy);
	if (out->applies < 0)
		tg_json_set_null(sum, "applies");
	else
		tg_json_set_bool(sum, "applies", out->applies == 1);
	tg_json_set_str(sum, "rung", *out->rung ? out->rung : NULL);
	for (bit = 0; bit < TG_TF_COUNT_BITS; bit++)
		if (out->flags & (1u << bit))
			tg_json_push_str(flags, tg_triage_flag_name(1u << bit));
	tg_json_set(sum, "flags", flags);
	tg_json_set_int(sum, "bytes", (int64_t)t->patch.n);
	tg_json_set_str(sum, "sha256", t->sha256);
	tg_json_set_int(sum, "files", (int64_t)files);
	tg_json_set_str(sum, "no_base", t->no_base ? t->no_base : t->tried.no_base);
}

static bool write_repaired(const struct triage *t, struct tg_err *err)
{
	struct tg_buf repaired = TG_BUF_INIT;
	bool ok = !tg_patch_repaired(&t->tried.diff, &repaired) ||
		  write_file(t, "repaired.diff", &repaired, err);

	tg_buf_fini(&repaired);
	return ok;
}

static void triage_fini(struct triage *t)
{
	tg_try_fini(&t->tried);
	tg_buf_fini(&t->patch);
	tg_json_free(t->extract);
	free(t->no_base);
}

bool tg_stage_triage(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct triage t = {.ctx = ctx};
	size_t files = 0;
	bool ok = load_inputs(&t, err) && try_patch(&t, err) && write_tree(&t, &files, err) &&
		  write_repaired(&t, err);

	if (ok)
		fill_sum(&t, &t.tried.out, files, sum);
	if (ok)
		set_cause(&t, sum);
	triage_fini(&t);
	return ok;
}
