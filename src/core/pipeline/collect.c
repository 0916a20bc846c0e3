/*
 * collect: the run's derived files, rebuilt from the journal and the jobs' results. It can run at any
 * time and any number of times; what did not change is not written again. One bad instance leaves a
 * gap in these files, never an end of the batch.
 */
#include <stdlib.h>
#include <string.h>
#include "core/govern/row.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/patch/preds.h"
#include "core/run/load.h"
#include "core/pipeline/pipeline.h"
#include "core/run/publish.h"
#include "core/run/layout.h"

struct collect {
	const struct tg_stage_ctx *ctx;
	struct tg_run run;
	struct tg_publisher pub;
	bool in_place, foreign;
	int64_t rows;
};

/* The job directory of a stage of this attempt that went well, or NULL. Caller frees. */
static char *job_of(const struct collect *c, const struct tg_instance *in,
		    const struct tg_attempt *att, enum tg_stage s)
{
	if (!att || att->stage[s].state != TG_JOB_OK)
		return NULL;
	return tg_layout_job(c->ctx->run_dir, in->id, att->n, s, att->stage[s].k);
}

/* A file of a stage's work folder, safely; false when there is none. */
static bool read_work(const struct collect *c, const struct tg_instance *in,
		      const struct tg_attempt *att, enum tg_stage s, const char *name,
		      struct tg_buf *out)
{
	char *job = job_of(c, in, att, s), *rel = tg_asprintf("work/%s", name);
	bool ok = job && tg_file_read_beneath(job, rel, (size_t)256 << 20, out, NULL);

	free(job);
	free(rel);
	return ok;
}

static bool copy_work(struct collect *c, const struct tg_instance *in, const struct tg_attempt *att,
		      enum tg_stage s, const char *name, const char *to, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	bool ok = true;

	if (read_work(c, in, att, s, name, &b))
		ok = tg_publish_bytes(&c->pub, to, b.p, b.n, err);
	tg_buf_fini(&b);
	return ok;
}

static void trim_newline(struct tg_buf *b)
{
	while (b->n && b->p[b->n - 1] == '\n')
		b->p[--b->n] = '\0';
}

/* A row was judged before later attempts that do not count; it says how many there are by now. */
static void put_attempts(const struct tg_instance *in, struct tg_buf *row)
{
	const char **why = tg_calloc(in->att_n + 1, sizeof *why);

	for (size_t i = 0; i < in->att_n; i++)
		why[i] = in->att[i].why ? in->att[i].why : "first";
	tg_govern_row_set_attempts(row, why, in->att_n);
	free(why);
}

/* Join one line per instance out of a stage's row.json. */
static bool join_rows(struct collect *c, enum tg_stage s, const char *to, int64_t *rows,
		      struct tg_err *err)
{
	struct tg_buf all = TG_BUF_INIT, row = TG_BUF_INIT;
	bool ok;

	for (size_t i = 0; i < c->run.inst_n; i++) {
		const struct tg_instance *in = &c->run.inst[i];

		if (!read_work(c, in, tg_instance_counted(in), s, "row.json", &row) || !row.n)
			continue;
		trim_newline(&row);
		if (s == TG_STAGE_GOVERN)
			put_attempts(in, &row);
		tg_buf_add(&all, row.p, row.n);
		tg_buf_addc(&all, '\n');
		(*rows)++;
	}
	ok = !all.n || tg_publish_bytes(&c->pub, to, all.p, all.n, err);
	tg_buf_fini(&all);
	tg_buf_fini(&row);
	return ok;
}

/* What goes to the evaluator: '' for the classes empty and infra, every other patch unchanged. */
static bool evaluated_as_is(const struct tg_attempt *att)
{
	return att->patch_class != TG_PC_EMPTY && att->patch_class != TG_PC_INFRA;
}

static struct cJSON *prediction(const struct collect *c, const struct tg_instance *in,
				const struct tg_attempt *att, const struct tg_buf *patch, bool filled)
{
	struct cJSON *p = tg_json_object();
	char *traj = tg_asprintf("%s/%s.traj.json", in->id, in->id);

	tg_json_set_str(p, "model_name_or_path", c->ctx->spec->model_id);
	tg_json_set_str(p, "instance_id", in->id);
	tg_json_set_strn(p, "model_patch", patch->p, !filled || evaluated_as_is(att) ? patch->n : 0);
	if (filled) {
		tg_json_set_str(p, "_patch_source", att->patch_source ? att->patch_source : "none");
		tg_json_set_str(p, "_traj_path", traj);
		tg_json_set_bool(p, "submission_valid", tg_patch_usable(att->patch_class));
	}
	free(traj);
	return p;
}

/* Does the folder's own preds_filled.json say the same, in whatever form (list, map, other fields)? */
static bool says_the_same(const struct collect *c, const struct cJSON *list)
{
	char *path = tg_path_join(c->ctx->run_dir, "preds_filled.json");
	struct tg_preds there = { 0 };
	bool same = tg_file_exists(path) && tg_preds_load(&there, path, NULL) &&
		    there.n == tg_json_len(list);

	for (const struct cJSON *p = tg_json_first(list); same && p; p = tg_json_next(p)) {
		const struct tg_pred *q = tg_preds_find(&there, tg_json_str(p, "instance_id"));

		same = q && tg_streq(q->patch, tg_json_str(p, "model_patch"));
	}
	tg_preds_fini(&there);
	free(path);
	return same;
}

/* preds.json in the map form that mini-swe-agent's resume reads; preds_filled.json as a list. */
static bool write_predictions(struct collect *c, struct tg_err *err)
{
	struct cJSON *map = tg_json_object(), *list = tg_json_array();
	struct tg_buf patch = TG_BUF_INIT, text = TG_BUF_INIT;
	bool ok;

	for (size_t i = 0; i < c->run.inst_n; i++) {
		const struct tg_instance *in = &c->run.inst[i];
		const struct tg_attempt *att = tg_instance_counted(in);

		if (!read_work(c, in, att, TG_STAGE_EXTRACT, "patch.diff", &patch))
			continue;
		tg_json_set(map, in->id, prediction(c, in, att, &patch, false));
		tg_json_push(list, prediction(c, in, att, &patch, true));
	}
	tg_json_print(list, TG_JSON_PY_INDENT2, &text);
	ok = !tg_json_first(list) || (c->in_place && says_the_same(c, list) &&
	      tg_publish_use_existing(&c->pub, "preds_filled.json", err)) ||
	     tg_publish_bytes(&c->pub, "preds_filled.json", text.p, text.n, err);
	tg_buf_clear(&text);
	tg_json_print(map, TG_JSON_PY_INDENT2, &text);
	if (ok && tg_json_first(map) && !c->foreign)
		ok = tg_publish_bytes(&c->pub, "preds.json", text.p, text.n, err);
	tg_json_free(map);
	tg_json_free(list);
	tg_buf_fini(&patch);
	tg_buf_fini(&text);
	return ok;
}

/* ---- the agent's own files ------------------------------------------------------------------ */

struct ended {
	const struct tg_instance *in;
	const struct tg_attempt *att;
};

static int by_end(const void *a, const void *b)
{
	const struct ended *x = a, *y = b;

	if (x->att->end_ms != y->att->end_ms)
		return x->att->end_ms < y->att->end_ms ? -1 : 1;
	return strcmp(x->in->id, y->in->id) ? strcmp(x->in->id, y->in->id) : x->att->n - y->att->n;
}

static void add_log(struct tg_buf *all, const struct collect *c, const struct ended *e)
{
	char *dir = tg_layout_attempt(c->ctx->run_dir, e->in->id, e->att->n);
	struct tg_buf log = TG_BUF_INIT;

	if (!tg_file_read_beneath(dir, "work/agent.log", (size_t)64 << 20, &log, NULL) || !log.n)
		tg_file_read_beneath(dir, "out.log", (size_t)64 << 20, &log, NULL);
	tg_buf_addf(all, "# tgmon: %s attempt %d begin\n", e->in->id, e->att->n);
	tg_buf_add(all, log.p, log.n);
	if (log.n && log.p[log.n - 1] != '\n')
		tg_buf_addc(all, '\n');
	tg_buf_addf(all, "# tgmon: %s attempt %d end\n", e->in->id, e->att->n);
	tg_buf_fini(&log);
	free(dir);
}

static bool write_agent_log(struct collect *c, struct tg_err *err)
{
	struct ended *v = NULL;
	size_t n = 0, cap = 0;
	struct tg_buf all = TG_BUF_INIT;
	bool ok;

	for (size_t i = 0; i < c->run.inst_n; i++)
		for (size_t k = 0; k < c->run.inst[i].att_n; k++) {
			const struct tg_attempt *att = &c->run.inst[i].att[k];

			if (!att->started || (!att->ended && !att->lost))
				continue;
			TG_GROW(v, n, cap);
			v[n++] = (struct ended){ &c->run.inst[i], att };
		}
	if (n)
		qsort(v, n, sizeof *v, by_end);
	for (size_t i = 0; i < n; i++)
		add_log(&all, c, &v[i]);
	ok = !n || tg_publish_bytes(&c->pub, "minisweagent.log", all.p, all.n, err);
	tg_buf_fini(&all);
	free(v);
	return ok;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_status(struct tg_buf *text, const char *status, const struct cJSON *ids)
{
	struct cJSON *name = tg_json_string(status);
	bool plain = strspn(status, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") ==
		     strlen(status);

	tg_buf_adds(text, "    ");
	if (plain)
		tg_buf_adds(text, status);
	else
		tg_json_print(name, TG_JSON_PY, text); /* a JSON string is a YAML one */
	tg_buf_adds(text, ":\n");
	for (const struct cJSON *id = tg_json_first(ids); id; id = tg_json_next(id))
		tg_buf_addf(text, "    - %s\n", tg_json_text(id));
	tg_json_free(name);
}

/* exit_statuses_<start>.yaml as mini-swe-agent writes it: sorted statuses, ids below each. */
static bool write_exit_statuses(struct collect *c, struct tg_err *err)
{
	struct cJSON *by_status = tg_json_object(), *ids;
	struct tg_buf text = TG_BUF_INIT;
	struct tg_names names = { 0 };
	size_t cap = 0;
	char *rel;
	bool ok;

	for (size_t i = 0; i < c->run.inst_n; i++) {
		const struct tg_instance *in = &c->run.inst[i];
		const struct tg_attempt *att = tg_instance_counted(in);
		const char *status = att && att->exit_status ? att->exit_status : "null";

		if (!att || !att->judged)
			continue;
		if (!tg_json_get(by_status, status)) {
			tg_json_set(by_status, status, tg_json_array());
			TG_GROW(names.v, names.n, cap);
			names.v[names.n++] = tg_strdup(status);
		}
		ids = (struct cJSON *)(uintptr_t)tg_json_get(by_status, status);
		tg_json_push_str(ids, in->id);
	}
	tg_buf_adds(&text, "instances_by_exit_status:\n");
	if (names.n)
		qsort(names.v, names.n, sizeof *names.v, by_name);
	for (size_t i = 0; i < names.n; i++)
		add_status(&text, names.v[i], tg_json_get(by_status, names.v[i]));
	rel = tg_asprintf("exit_statuses_%lld.%03d.yaml", (long long)(c->ctx->spec->created_ms / 1000),
			  (int)(c->ctx->spec->created_ms % 1000));
	ok = !names.n || tg_publish_bytes(&c->pub, rel, text.p, text.n, err);
	free(rel);
	tg_names_free(&names);
	tg_json_free(by_status);
	tg_buf_fini(&text);
	return ok;
}

/* A foreign run written elsewhere takes the agent's own files along, byte for byte. */
static bool copy_foreign(struct collect *c, struct tg_err *err)
{
	const char *src = c->ctx->spec->source_dir;
	struct tg_names names;
	bool ok = tg_dir_list(src, &names, err);

	for (size_t i = 0; ok && i < names.n; i++) {
		const char *name = names.v[i];
		char *from;

		if (strcmp(name, "preds.json") && strcmp(name, "minisweagent.log") &&
		    !(tg_starts_with(name, "exit_statuses_") && tg_ends_with(name, ".yaml")))
			continue;
		from = tg_path_join(src, name);
		ok = tg_publish_copy(&c->pub, name, from, err);
		free(from);
	}
	tg_names_free(&names);
	return ok;
}

static bool publish_trajectory(struct collect *c, const struct tg_instance *in,
			       const struct tg_attempt *att, struct tg_err *err)
{
	char *rel = tg_asprintf("%s/%s.traj.json", in->id, in->id);
	char *path = tg_path_join(c->ctx->run_dir, rel);
	bool ok = true;

	if (!(c->in_place && tg_file_exists(path)))
		ok = copy_work(c, in, att, TG_STAGE_EXTRACT, "traj.json", rel, err);
	free(path);
	free(rel);
	return ok;
}

/* ---- evaluation and reports ----------------------------------------------------------------- */

static char *harness_folder(const struct collect *c, const char *iid)
{
	struct tg_buf model = TG_BUF_INIT;
	char *path;

	for (const char *p = c->ctx->spec->model_id; *p; p++)
		if (*p == '/')
			tg_buf_adds(&model, "__");
		else
			tg_buf_addc(&model, *p);
	if (!tg_path_is_safe_relative(tg_buf_cstr(&model))) {
		tg_buf_clear(&model);
		tg_buf_adds(&model, "model");
	}
	path = tg_asprintf("eval/logs/run_evaluation/%s/%s/%s", c->ctx->spec->run_id,
			   tg_buf_cstr(&model), iid);
	tg_buf_fini(&model);
	return path;
}

static bool publish_instance(struct collect *c, const struct tg_instance *in, struct tg_err *err)
{
	static const char *const harness[] = { "patch.diff", "eval.sh", "run_instance.log",
					       "test_output.txt", "report.json" };
	const struct tg_attempt *att = tg_instance_counted(in);
	char *folder = harness_folder(c, in->id), *rel;
	bool ok;

	rel = tg_asprintf("security_reports/%s.json", in->id);
	ok = publish_trajectory(c, in, att, err) &&
	     copy_work(c, in, att, TG_STAGE_SCAN, "report.json", rel, err);
	free(rel);
	for (size_t i = 0; ok && i < sizeof harness / sizeof harness[0]; i++) {
		rel = tg_path_join(folder, harness[i]);
		ok = copy_work(c, in, att, TG_STAGE_EVALUATE, harness[i], rel, err);
		free(rel);
	}
	free(folder);
	return ok;
}

static bool write_metadata(struct collect *c, struct tg_err *err)
{
	const struct tg_spec *spec = c->ctx->spec;
	char *preds = tg_published_path(c->ctx->run_dir, "preds_filled.json"), hex[TG_SHA256_HEX];
	struct cJSON *m = tg_json_object();
	struct tg_buf text = TG_BUF_INIT;
	bool ok = true;

	if (tg_file_exists(preds) && (ok = tg_sha256_file(preds, hex, NULL, err))) {
		char *cmd = tg_asprintf("tgmon %s --evaluator %s",
					c->foreign ? "process" : "run", spec->evaluator);

		tg_json_set_str(m, "cli_command", cmd);
		tg_json_set_str(m, "predictions_path", "preds_filled.json");
		tg_json_set_str(m, "predictions_sha256", hex);
		tg_json_set_str(m, "evaluator", spec->evaluator);
		if (spec->eval_results.sha256)
			tg_json_set_str(m, "imported_sha256", spec->eval_results.sha256);
		tg_json_print(m, TG_JSON_PY_INDENT2_SORTED, &text);
		ok = tg_publish_bytes(&c->pub, "eval/instance_results.metadata.json", text.p, text.n, err);
		free(cmd);
	}
	tg_json_free(m);
	tg_buf_fini(&text);
	free(preds);
	return ok;
}

static bool write_evaluation(struct collect *c, struct tg_err *err)
{
	const struct tg_spec *spec = c->ctx->spec;
	int64_t rows = 0;
	bool ok;

	if (spec->eval_results.frozen) { /* imported rows travel byte for byte */
		char *from = tg_path_join(c->ctx->run_dir, spec->eval_results.frozen);

		ok = tg_publish_copy(&c->pub, "eval/instance_results.jsonl", from, err);
		free(from);
	} else
		ok = join_rows(c, TG_STAGE_EVALUATE, "eval/instance_results.jsonl", &rows, err);
	return ok && write_metadata(c, err);
}

bool tg_stage_collect(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct collect c = { .ctx = ctx };
	int64_t risk = 0;
	bool ok;

	c.foreign = tg_streq(ctx->spec->agent, "foreign");
	c.in_place = c.foreign && tg_streq(ctx->spec->source_dir, ctx->run_dir);
	ok = tg_load_run(&c.run, ctx->run_dir, ctx->spec, err) &&
	     tg_publish_init(&c.pub, ctx->run_dir, c.in_place, &ctx->log, err);
	if (ok && c.foreign && !c.in_place)
		ok = copy_foreign(&c, err);
	for (size_t i = 0; ok && i < c.run.inst_n; i++)
		ok = publish_instance(&c, &c.run.inst[i], err);
	ok = ok && write_predictions(&c, err) &&
	     (c.foreign || (write_agent_log(&c, err) && write_exit_statuses(&c, err))) &&
	     write_evaluation(&c, err) &&
	     join_rows(&c, TG_STAGE_RISK, "agentic_risk.jsonl", &risk, err) &&
	     join_rows(&c, TG_STAGE_GOVERN, "recomputed_governed_v2_agentic.jsonl", &c.rows, err);
	tg_json_set_int(sum, "rows", c.rows);
	tg_json_set_int(sum, "written", (int64_t)c.pub.written);
	tg_json_set(sum, "kept", c.pub.kept ? tg_json_dup(c.pub.kept) : tg_json_array());
	tg_publish_fini(&c.pub);
	tg_run_fini(&c.run);
	return ok;
}
