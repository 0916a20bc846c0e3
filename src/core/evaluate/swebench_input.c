/* Evaluator `swebench`: what the harness is given, and the names that follow from it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

static void add_lower(struct tg_buf *b, const char *s)
{
	for (; *s; s++)
		tg_buf_addc(b, (char)tolower((unsigned char)*s));
}

char *tg_swe_image(const struct tg_row *row)
{
	struct tg_buf b = TG_BUF_INIT;

	if (row->image && *row->image)
		return tg_strdup(row->image);
	tg_buf_adds(&b, "swebench/sweb.eval.x86_64.");
	for (const char *p = row->instance_id; *p; p++) {
		if (p[0] == '_' && p[1] == '_') {
			tg_buf_adds(&b, "_1776_");
			p++;
		} else {
			tg_buf_addc(&b, (char)tolower((unsigned char)*p));
		}
	}
	tg_buf_adds(&b, ":latest");
	return tg_buf_detach(&b);
}

char *tg_swe_run_id(const char *run_sha256, int attempt, const char *patch_sha256)
{
	return tg_asprintf("tg-%.8s-%d-%.12s", run_sha256, attempt, patch_sha256);
}

char *tg_swe_run_prefix(const char *run_sha256, int attempt)
{
	return attempt ? tg_asprintf("tg-%.8s-%d-", run_sha256, attempt)
		       : tg_asprintf("tg-%.8s-", run_sha256);
}

char *tg_swe_container(const char *iid, const char *run_id)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_buf_adds(&b, "sweb.eval.");
	add_lower(&b, iid);
	tg_buf_addf(&b, ".%s", run_id);
	return tg_buf_detach(&b);
}

/* The harness makes "/" to "__" and nothing else. */
const char *tg_swe_model(const char *model_id)
{
	if (!model_id || !*model_id || strlen(model_id) > 120 || model_id[0] == '.')
		return "model";
	for (const char *p = model_id; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
			return "model";
	return model_id;
}

char *tg_swe_log_dir(const char *run_id, const char *model, const char *iid)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_buf_addf(&b, "logs/run_evaluation/%s/", run_id);
	for (const char *p = model; *p; p++) {
		if (*p == '/')
			tg_buf_adds(&b, "__");
		else
			tg_buf_addc(&b, *p);
	}
	tg_buf_addf(&b, "/%s", iid);
	return tg_buf_detach(&b);
}

/* A JSON string of exactly these bytes: cJSON would stop at a NUL. */
static bool add_string(struct tg_buf *out, const char *p, size_t n)
{
	tg_buf_addc(out, '"');
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t eaten = tg_utf8_next(p + i, n - i, &cp);

		if (cp == 0xFFFFFFFF)
			return false;
		if (cp == '"' || cp == '\\')
			tg_buf_addf(out, "\\%c", (char)cp);
		else if (cp < 0x20 || cp == 0x7f)
			tg_buf_addf(out, "\\u%04x", (unsigned)cp);
		else
			tg_buf_add(out, p + i, eaten);
		i += eaten;
	}
	tg_buf_addc(out, '"');
	return true;
}

bool tg_swe_predictions(const char *iid, const char *model, const char *patch, size_t n,
			struct tg_buf *out)
{
	bool ok;

	tg_buf_clear(out);
	tg_buf_adds(out, "[{\"instance_id\": ");
	ok = add_string(out, iid, strlen(iid));
	tg_buf_adds(out, ", \"model_name_or_path\": ");
	ok = ok && add_string(out, model, strlen(model));
	tg_buf_adds(out, ", \"model_patch\": ");
	ok = ok && add_string(out, patch, n);
	tg_buf_adds(out, "}]\n");
	return ok;
}

/* 5.x reads how to test from the row itself; 4.x has it in tables of its own. */
static const char *lacking(const struct tg_row *row)
{
	if (!row->eval_script || !*row->eval_script)
		return "eval_script";
	if (!row->log_parser || !*row->log_parser)
		return "log_parser";
	return NULL;
}

bool tg_swe_dataset(const struct tg_row *row, int generation, struct tg_buf *out,
		    const char **lacks, struct tg_err *err)
{
	struct cJSON *v;
	char *image;

	tg_buf_clear(out);
	*lacks = generation >= 5 ? lacking(row) : NULL;
	if (*lacks)
		return true;
	tg_buf_addc(out, '[');
	if (generation < 5 || (row->image && *row->image && row->eval_type && *row->eval_type)) {
		tg_buf_adds(out, row->raw);
	} else {
		v = tg_json_parse(row->raw, strlen(row->raw), row->instance_id, NULL, err);
		if (!v)
			return false;
		image = tg_swe_image(row);
		tg_json_set_str(v, "image", image);
		if (!row->eval_type || !*row->eval_type)
			tg_json_set_str(v, "eval_type", "pass_and_fail");
		tg_json_print(v, TG_JSON_PY, out);
		tg_json_free(v);
		free(image);
	}
	tg_buf_adds(out, "]\n");
	return true;
}
