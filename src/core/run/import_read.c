/*
 * From the bytes of a foreign file to the few facts that rows are made of; one function a kind of
 * file. NULL for bytes that may be half of a write.
 */
#include "core/run/import_doc.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/yaml.h"
#include "core/run/import_log.h"
#include "core/run/preds.h"
#include "core/run/traj_light.h"

static const struct tg_json_limits loose = { .max_bytes = (size_t)256 << 20, .dup_keys_ok = true };

/* ---- patches ---- */

static bool is_blank(const char *p)
{
	return p[strspn(p, " \t\r\n\v\f")] == '\0';
}

static bool looks_like_diff(const char *p)
{
	return strstr(p, "diff --git ") != NULL || strncmp(p, "--- ", 4) == 0 ||
	       strstr(p, "\n--- ") != NULL;
}

/* {bytes, sha256, form: "empty" | "diff" | "text"} */
static struct cJSON *patch_facts(const char *p, size_t n)
{
	struct cJSON *o = tg_json_object();
	char hex[TG_SHA256_HEX];

	tg_sha256_hex(p, n, hex);
	tg_json_set_int(o, "bytes", (int64_t)n);
	tg_json_set_str(o, "sha256", hex);
	tg_json_set_str(o, "form", is_blank(p) ? "empty" : looks_like_diff(p) ? "diff" : "text");
	return o;
}

/* [{id, null, patch{}}] */
static struct cJSON *reduce_preds(const char *p, size_t n, const char *rel, bool lenient,
				  struct tg_err *err)
{
	struct tg_preds preds;
	struct cJSON *list;

	(void)lenient;
	if (!tg_preds_parse(&preds, p, n, rel, err))
		return NULL;
	list = tg_json_array();
	for (size_t i = 0; i < preds.n; i++) {
		const struct tg_pred *pred = &preds.v[i];
		struct cJSON *o = tg_json_object();

		tg_json_set_str(o, "id", pred->instance_id);
		tg_json_set_bool(o, "null", pred->null_patch);
		tg_json_set(o, "patch", patch_facts(pred->patch, pred->patch_n));
		tg_json_push(list, o);
	}
	tg_preds_fini(&preds);
	return list;
}

/* The harness's copy of the patch; an empty one is a whole file, but also what a cut one looks like,
 * so it does not count. */
static struct cJSON *reduce_diff(const char *p, size_t n, const char *rel, bool lenient,
				 struct tg_err *err)
{
	(void)rel;
	(void)lenient;
	(void)err;
	return patch_facts(p, n);
}

/* ---- trajectories ---- */

static void set_count(struct cJSON *o, const char *key, int64_t v)
{
	if (v >= 0)
		tg_json_set_int(o, key, v);
}

/* .../sweb.eval.x86_64.django_1776_django-16139:latest says which instance a container is for, in
 * lower case. */
char *tg_image_instance(const char *image)
{
	const char *at = image != NULL ? strstr(image, "sweb.eval.") : NULL;
	struct tg_buf b = TG_BUF_INIT;
	size_t n;

	if (at == NULL || (at = strchr(at + strlen("sweb.eval."), '.')) == NULL)
		return NULL;
	at++;
	n = strcspn(at, ": \t'\"@,");
	for (size_t i = 0; i < n;) {
		if (n - i > 6 && strncmp(at + i, "_1776_", 6) == 0) {
			tg_buf_adds(&b, "__");
			i += 6;
		} else {
			tg_buf_addc(&b, at[i++]);
		}
	}
	return b.n > 0 ? tg_buf_detach(&b) : NULL;
}

static struct cJSON *reduce_traj(const char *p, size_t n, const char *rel, bool lenient,
				 struct tg_err *err)
{
	struct cJSON *root = tg_json_parse(p, n, rel, &loose, err), *o;
	struct tg_traj_light t;
	char *image;

	(void)lenient;
	if (root == NULL || !tg_traj_light(root, &t)) {
		if (root != NULL)
			tg_fail(err, TG_E_INPUT, "%s is no trajectory", rel);
		tg_json_free(root);
		return NULL;
	}
	o = tg_json_object();
	image = tg_image_instance(
	    tg_json_text(tg_json_path(root, "info.config.environment.image")));
	tg_json_set_str(o, "id", tg_json_str(root, "instance_id"));
	tg_json_set_str(o, "image_id", image);
	set_count(o, "steps", t.steps);
	set_count(o, "answers", t.answers);
	if (t.cost_usd >= 0)
		tg_json_set_float(o, "cost_usd", t.cost_usd);
	tg_json_set_bool(o, "ended", t.ended);
	tg_json_set_str(o, "exit_status", t.ended ? t.exit_status : NULL);
	tg_json_set_str(o, "model", t.model_answered);
	tg_json_set_str(o, "command", t.command);
	set_count(o, "last_ms", t.last_ms);
	tg_json_set_bool(o, "no_trajectory", t.no_trajectory);
	tg_json_set_str(o, "why", t.no_trajectory_why);
	if (t.ended && t.submission != NULL)
		tg_json_set(o, "patch", patch_facts(t.submission, strlen(t.submission)));
	free(image);
	free(t.command);
	tg_json_free(root);
	return o;
}

/* ---- exit statuses: [{id, status}] ---- */

static void push_status(struct cJSON *list, const char *id, const char *status)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "id", id);
	tg_json_set_str(o, "status", status);
	tg_json_push(list, o);
}

static struct cJSON *reduce_statuses(const char *p, size_t n, const char *rel, bool lenient,
				     struct tg_err *err)
{
	struct tg_yaml_node *root = NULL;
	const struct tg_yaml_node *nested;
	struct cJSON *list;

	(void)lenient;
	root = tg_yaml_parse(p, n, rel, 0, err);
	if (root == NULL)
		return NULL;
	list = tg_json_array();
	nested = tg_yaml_get(root, "instances_by_exit_status");
	for (const struct tg_yaml_node *s = nested ? nested->first : NULL; s != NULL; s = s->next)
		for (const struct tg_yaml_node *id = s->first; id != NULL; id = id->next)
			if (id->kind == TG_YAML_SCALAR && !tg_yaml_is_null(id))
				push_status(list, id->text,
					    tg_streq(s->key, "null") ? NULL : s->key);
	for (const struct tg_yaml_node *s = nested ? NULL : root->first; s != NULL; s = s->next)
		if (s->kind == TG_YAML_SCALAR)
			push_status(list, s->key, s->text);
	tg_yaml_free(root);
	return list;
}

/* ---- rows, reports ---- */

static struct cJSON *reduce_lines(const char *p, size_t n, const char *rel, bool lenient,
				  struct tg_err *err)
{
	struct cJSON *list = tg_json_array();
	size_t bad = 0;

	for (size_t at = 0; at < n;) {
		const char *nl = memchr(p + at, '\n', n - at);
		size_t len = nl != NULL ? (size_t)(nl - (p + at)) : n - at;
		struct cJSON *row = NULL;

		if (strspn(p + at, " \t\r") < len) {
			row = tg_json_parse(p + at, len, rel, &loose, NULL);
			bad += row == NULL;
		}
		if (row != NULL)
			tg_json_push(list, row);
		at += len + 1;
	}
	if (bad > 0)
		tg_fail(err, TG_E_INPUT, "%zu lines are no JSON; they were left out", bad);
	if (bad > 0 && !lenient) {
		tg_json_free(list);
		return NULL;
	}
	return list;
}

/* The harness's report.json {"<iid>": {...}} and its run report, without the tests' names. */
static struct cJSON *reduce_report(const char *p, size_t n, const char *rel, bool lenient,
				   struct tg_err *err)
{
	struct cJSON *root = tg_json_parse(p, n, rel, &loose, err);

	(void)lenient;
	if (root != NULL && tg_json_kind(root) != TG_JSON_OBJECT) {
		tg_fail(err, TG_E_INPUT, "%s is no report", rel);
		tg_json_free(root);
		return NULL;
	}
	return root;
}

static struct cJSON *reduce_log(const char *p, size_t n, const char *rel, bool lenient,
				struct tg_err *err)
{
	(void)rel;
	(void)lenient;
	(void)err;
	return tg_import_log(p, n);
}

static struct cJSON *reduce_eval_log(const char *p, size_t n, const char *rel, bool lenient,
				     struct tg_err *err)
{
	(void)rel;
	(void)lenient;
	(void)err;
	return tg_import_eval_log(p, n);
}

tg_doc_reduce *const tg_doc_reducers[TG_DOC_KINDS] = {
	[TG_DOC_PREDS] = reduce_preds,
	[TG_DOC_TRAJ] = reduce_traj,
	[TG_DOC_STATUSES] = reduce_statuses,
	[TG_DOC_LOG] = reduce_log,
	[TG_DOC_EVAL_ROWS] = reduce_lines,
	[TG_DOC_GOVERNED] = reduce_lines,
	[TG_DOC_SCAN] = reduce_report,
	[TG_DOC_REPORT] = reduce_report,
	[TG_DOC_EVAL_LOG] = reduce_eval_log,
	[TG_DOC_DIFF] = reduce_diff,
	[TG_DOC_RUN_REPORT] = reduce_report,
};

bool tg_doc_is_list(enum tg_doc_kind kind)
{
	return kind == TG_DOC_PREDS || kind == TG_DOC_STATUSES || kind == TG_DOC_EVAL_ROWS ||
	       kind == TG_DOC_GOVERNED;
}
