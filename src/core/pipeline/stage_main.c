/* `tgmon stage NAME --run RUN --job DIR`: one stage as a process of its own (pipeline.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/pipeline/pipeline.h"
#include "core/run/layout.h"

#define SUM_MAX (48 * 1024)

/* Everything a stage's context points at, with one owner. */
struct loaded {
	struct tg_spec spec;
	struct tg_job job;
	struct tg_row row;
	bool has_row;
	char *work, *attempt, *input[TG_STAGE_COUNT];
};

static void loaded_fini(struct loaded *l)
{
	for (int s = 0; s < TG_STAGE_COUNT; s++)
		free(l->input[s]);
	free(l->work);
	free(l->attempt);
	if (l->has_row)
		tg_row_fini(&l->row);
	tg_job_fini(&l->job);
	tg_spec_fini(&l->spec);
}

static bool load(struct loaded *l, const char *run_dir, const char *job_dir, struct tg_err *err)
{
	struct tg_err none = { 0 };
	char *rows;
	bool ok = true;

	if (!tg_spec_load(&l->spec, run_dir, NULL, err) || !tg_job_load(&l->job, job_dir, err))
		return false;
	l->work = tg_path_join(job_dir, "work");
	if (!tg_mkdirs(l->work, 0700, err))
		return false;
	for (int s = 0; s < TG_STAGE_COUNT; s++)
		if (l->job.inputs[s])
			l->input[s] = tg_path_join(run_dir, l->job.inputs[s]);
	if (!l->job.instance_id)
		return true;
	l->attempt = tg_layout_attempt(run_dir, l->job.instance_id, l->job.attempt);
	rows = tg_layout_control(run_dir, "dataset.jsonl");
	if (tg_file_exists(rows)) {
		l->has_row = tg_dataset_row(rows, l->job.instance_id, &l->row, &none);
		if (!l->has_row && none.code != TG_E_NONE) {
			*err = none;
			ok = false;
		}
	}
	free(rows);
	return ok;
}

/* One level of work/: its plain files, hashed; folders are walked. */
static bool list_files(const char *root, const char *rel, struct cJSON *files, int depth,
		       struct tg_err *err)
{
	char *dir = rel ? tg_path_join(root, rel) : tg_strdup(root);
	struct tg_names names;
	bool ok = tg_dir_list(dir, &names, err);

	for (size_t i = 0; ok && i < names.n; i++) {
		char *sub = rel ? tg_path_join(rel, names.v[i]) : tg_strdup(names.v[i]);
		char *path = tg_path_join(root, sub), hex[TG_SHA256_HEX];
		struct stat st;
		int64_t bytes;

		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && depth < 4)
			ok = list_files(root, sub, files, depth + 1, err);
		else if (S_ISREG(st.st_mode) && tg_path_is_safe_relative(sub) &&
			 (ok = tg_sha256_file(path, hex, &bytes, err))) {
			struct cJSON *f = tg_json_object();

			tg_json_set_str(f, "path", sub);
			tg_json_set_str(f, "sha256", hex);
			tg_json_set_int(f, "bytes", bytes);
			tg_json_push(files, f);
		}
		free(path);
		free(sub);
	}
	if (names.v)
		tg_names_free(&names);
	free(dir);
	return ok;
}

static bool write_result(const struct loaded *l, const char *job_dir, struct cJSON *sum, bool ok,
			 const struct tg_err *why, struct tg_err *err)
{
	struct cJSON *r = tg_json_object(), *files = tg_json_array();
	struct tg_buf text = TG_BUF_INIT;
	char *path = tg_path_join(job_dir, "result.json");
	bool good = true;

	if (ok)
		good = list_files(l->work, NULL, files, 0, err);
	tg_json_print(sum, TG_JSON_COMPACT, &text);
	if (good && text.n > SUM_MAX)
		good = tg_fail(err, TG_E_IO, "the stage's summary has %zu bytes, more than %d", text.n,
			       SUM_MAX);
	tg_buf_clear(&text);
	tg_json_set_str(r, "schema", "tgmon.stage.v1");
	tg_json_set_str(r, "stage", tg_stage_name(l->job.stage));
	tg_json_set_str(r, "instance_id", l->job.instance_id);
	tg_json_set_int(r, "attempt", l->job.attempt);
	tg_json_set_int(r, "k", l->job.k);
	tg_json_set_bool(r, "ok", ok);
	tg_json_set_str(r, "error", ok ? NULL : why->msg);
	tg_json_set(r, "sum", sum);
	tg_json_set(r, "files", files);
	tg_json_print(r, TG_JSON_COMPACT, &text);
	tg_buf_addc(&text, '\n');
	good = good && tg_file_write(path, text.p, text.n, 0600, err);
	tg_json_free(r);
	tg_buf_fini(&text);
	free(path);
	return good;
}

int tg_stage_main(const char *name, const char *run_dir, const char *job_dir)
{
	struct loaded l = { 0 };
	struct tg_err err = { 0 }, late = { 0 };
	struct tg_stage_ctx ctx = { .log = { .fd = STDERR_FILENO } };
	struct cJSON *sum = tg_json_object();
	enum tg_stage stage = tg_stage_parse(name);
	bool ok = false;
	int code;

	if (stage >= TG_STAGE_COUNT || !tg_stage_def(stage)->fn)
		tg_fail(&err, TG_E_INPUT, "no stage \"%s\"", name);
	else if (load(&l, run_dir, job_dir, &err)) {
		ctx.run_dir = run_dir;
		ctx.spec = &l.spec;
		ctx.instance_id = l.job.instance_id;
		ctx.attempt = l.job.attempt;
		ctx.k = l.job.k;
		ctx.job_dir = job_dir;
		ctx.work_dir = l.work;
		ctx.attempt_dir = l.attempt;
		ctx.row = l.has_row ? &l.row : NULL;
		for (int s = 0; s < TG_STAGE_COUNT; s++)
			ctx.input[s] = l.input[s];
		ok = tg_stage_def(stage)->fn(&ctx, sum, &err);
		if (!ok)
			tg_log(&ctx.log, TG_LOG_ERROR, "%s: %s", name, err.msg);
	}
	if (l.work && !write_result(&l, job_dir, sum, ok, &err, &late)) {
		tg_log(&ctx.log, TG_LOG_ERROR, "%s: cannot leave a result: %s", name, late.msg);
		ok = false;
		err = late;
	} else if (!l.work) {
		fprintf(stderr, "tgmon stage: %s\n", err.msg);
		tg_json_free(sum);
	}
	code = ok ? 0 : tg_err_exit(&err);
	loaded_fini(&l);
	return code;
}
