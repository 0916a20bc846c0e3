/*
 * The harness's log tree, logs/run_evaluation/<run>/<model>/<iid>/: report.json alone says how an
 * evaluation ended; run_instance.log says how far one is that has none; patch.diff says for which
 * bytes. A report stays when the patch changes (the harness never runs an instance again that has
 * one), so a report for other bytes is no evaluation of this prediction.
 */
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/fold.h"
#include "core/run/import_in.h"
#include "core/run/layout.h"

#define ALIVE_MS ((int64_t)45 * 60 * 1000) /* tests run silently, 30 minutes at most by default */

/* ---- which files ---- */

static void list_folders(const char *root, const char *rel, struct tg_names *names)
{
	char *path = rel[0] != '\0' ? tg_path_join(root, rel) : tg_strdup(root);

	if (!tg_dir_list(path, names, NULL))
		*names = (struct tg_names){ 0 };
	free(path);
}

static void add_instance(struct tg_import *im, const char *run, const char *model, const char *iid)
{
	static const struct {
		const char *name;
		enum tg_doc_kind kind;
	} files[] = { { "patch.diff", TG_DOC_DIFF }, { "run_instance.log", TG_DOC_EVAL_LOG },
		      { "report.json", TG_DOC_REPORT } };

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *rel = tg_asprintf("%s%s%s/%s/%s/%s", im->eval_base,
					im->eval_base[0] ? "/" : "", run, model, iid,
					files[i].name);
		char *path = tg_path_join(im->docs.root, rel);

		if (tg_file_exists(path))
			tg_docs_add(&im->docs, files[i].kind, rel);
		free(path);
		free(rel);
	}
}

static void list_below(struct tg_import *im, const char *run, const char *model)
{
	char *rel = tg_asprintf("%s%s%s%s%s", im->eval_base, im->eval_base[0] ? "/" : "", run,
				model ? "/" : "", model ? model : "");
	struct tg_names names;

	list_folders(im->docs.root, rel, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (names.v[i][0] == '.')
			continue;
		if (model == NULL)
			list_below(im, run, names.v[i]);
		else if (tg_instance_id_valid(names.v[i]))
			add_instance(im, run, model, names.v[i]);
	}
	tg_names_free(&names);
	free(rel);
}

/* <model>.<run>.json beside logs/ : the harness's own count. */
static void list_run_reports(struct tg_import *im, const struct tg_names *runs)
{
	struct tg_names names;

	list_folders(im->docs.root, "", &names);
	for (size_t i = 0; i < names.n; i++)
		for (size_t r = 0; r < runs->n; r++) {
			char *tail = tg_asprintf(".%s.json", runs->v[r]);

			if (tg_ends_with(names.v[i], tail))
				tg_docs_add(&im->docs, TG_DOC_RUN_REPORT, names.v[i]);
			free(tail);
		}
	tg_names_free(&names);
}

void tg_import_list_eval(struct tg_import *im)
{
	struct tg_names names;

	if (im->eval_base == NULL)
		return;
	list_folders(im->docs.root, im->eval_base, &names);
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.')
			list_below(im, names.v[i], NULL);
	if (im->eval_base[0] != '\0')
		list_run_reports(im, &names);
	tg_names_free(&names);
}

/* ---- what they say ---- */

void tg_import_eval(struct tg_attempt *att, enum tg_eval_status ev)
{
	if (ev == TG_EV_NONE)
		return;
	att->eval = ev;
	att->resolved = ev == TG_EV_RESOLVED ? 1 : ev <= TG_EV_EMPTY_PATCH ? 0 : -1;
	if (att->patch_class != TG_PC_NONE || att->patch_bytes <= 0)
		return;
	if (ev == TG_EV_RESOLVED || ev == TG_EV_UNRESOLVED) {
		att->patch_class = TG_PC_OK;
		tg_fold_text(&att->patch_reason, "a diff; the evaluation ran on it");
	} else if (ev == TG_EV_PATCH_APPLY_FAILED) {
		att->patch_class = TG_PC_DOES_NOT_APPLY;
		tg_fold_text(&att->patch_reason, "the evaluation says that it does not apply");
	}
}

/* The folder of a file's path, and its last part: the instance. */
static char *folder_of(const char *rel, char **iid)
{
	char *dir = tg_path_dir(rel);

	*iid = tg_strdup(tg_path_base(dir));
	return dir;
}

static const struct tg_doc *sibling(const struct tg_import *im, const char *dir,
				    enum tg_doc_kind kind)
{
	size_t n = strlen(dir);

	for (size_t i = 0; i < im->docs.n; i++) {
		const struct tg_doc *d = &im->docs.v[i];

		if (d->kind == kind && d->facts != NULL && strncmp(d->rel, dir, n) == 0 &&
		    d->rel[n] == '/' && strchr(d->rel + n + 1, '/') == NULL)
			return d;
	}
	return NULL;
}

static enum tg_eval_status status_of(const struct cJSON *o, const char **why)
{
	bool tests = tg_json_kind(tg_json_get(o, "tests_status")) == TG_JSON_OBJECT;
	bool resolved = tg_json_bool(o, "resolved", false);

	*why = NULL;
	if (tg_json_bool(o, "infra_failure", false)) {
		*why = "the harness calls it a failure of the machine";
		return TG_EV_INFRA;
	}
	if (resolved && (!tg_json_bool(o, "patch_exists", false) ||
			 !tg_json_bool(o, "patch_successfully_applied", false) || !tests)) {
		*why = "the report contradicts itself";
		return TG_EV_INFRA;
	}
	if (!tg_json_bool(o, "patch_exists", false))
		return TG_EV_EMPTY_PATCH;
	if (!resolved && !tg_json_bool(o, "patch_successfully_applied", false))
		*why = "the test output could not be graded";
	return resolved ? TG_EV_RESOLVED : TG_EV_UNRESOLVED;
}

/* Does what was evaluated in dir belong to this attempt's patch? Where no prediction is known, the
 * harness's copy is all there is, and the newest stands. */
static bool fits(struct tg_import *im, struct tg_run *run, struct tg_attempt *att, const char *dir)
{
	const struct tg_doc *diff = sibling(im, dir, TG_DOC_DIFF);
	const char *sha = diff != NULL ? tg_json_str(diff->facts, "sha256") : NULL;

	if (sha == NULL)
		return true;
	if (tg_streq(att->patch_sha256, sha))
		return true;
	if (att->patch_sha256 == NULL || tg_streq(att->patch_source, "patch.diff")) {
		att->applies = -1;
		tg_import_patch(att, diff->facts, false);
		tg_fold_text(&att->patch_source, "patch.diff");
		return true;
	}
	tg_import_say(run, diff->good.mtime_ns / 1000000, dir,
		      "was evaluated with other bytes than the prediction's; left out");
	return false;
}

static void fold_report(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	char *iid, *dir = folder_of(doc->rel, &iid);
	const struct cJSON *o = tg_json_get(doc->facts, iid);
	struct tg_attempt *att = tg_import_attempt(im, run, iid, TG_FROM_EVAL, o != NULL);
	struct tg_import_note *about = tg_import_about(im, run, iid);
	const char *why;

	if (o != NULL && att != NULL && about != NULL && fits(im, run, att, dir)) {
		enum tg_eval_status ev = status_of(o, &why);

		att->ended = true;
		about->report = true;
		tg_import_eval(att, ev);
		tg_fold_text(&att->eval_reason, why);
		if (tg_json_bool(o, "patch_successfully_applied", false))
			att->applies = 1;
	}
	free(iid);
	free(dir);
}

/* An evaluation without a report: under way, or over without a verdict. */
static void fold_log(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	char *iid, *dir = folder_of(doc->rel, &iid);
	struct tg_import_note *about = tg_import_about(im, run, iid);
	struct tg_attempt *att = NULL;
	const char *failed = tg_json_str(doc->facts, "failed");
	const char *phase = tg_json_str(doc->facts, "phase");
	int64_t ms = doc->good.mtime_ns / 1000000;
	char *text;

	if ((about == NULL || !about->report) && sibling(im, dir, TG_DOC_REPORT) == NULL)
		att = tg_import_attempt(im, run, iid, TG_FROM_EVAL, true);
	about = tg_import_about(im, run, iid);
	if (att != NULL && about != NULL && fits(im, run, att, dir)) {
		att->ended = true;
		if (tg_json_bool(doc->facts, "over", false)) {
			text = tg_asprintf("the harness left no report.json%s%s",
					   failed ? "; its log says: " : "", failed ? failed : "");
			tg_fold_text(&att->eval_reason, text);
			free(text);
		} else if (phase != NULL && tg_wall_ms() - ms < ALIVE_MS) {
			att->stage[TG_STAGE_EVALUATE].state = TG_JOB_ACTIVE;
			about->live.known = true;
			about->live.activity_ms = ms;
			text = tg_asprintf("evaluation: %s", phase);
			strncpy(about->live.doing, text, sizeof about->live.doing - 1);
			free(text);
		} else {
			tg_fold_text(&att->eval_reason, "the harness left no report.json");
		}
	}
	free(iid);
	free(dir);
}

/* Empty patches are never run, so they have no folder; the harness's own list names them. */
static void fold_run_report(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	const struct cJSON *list = tg_json_get(doc->facts, "empty_patch_ids");

	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c)) {
		struct tg_attempt *att =
		    tg_import_attempt(im, run, tg_json_text(c), TG_FROM_EVAL, true);

		if (att == NULL || att->eval != TG_EV_NONE || att->patch_bytes > 0)
			continue;
		att->ended = true;
		tg_import_eval(att, TG_EV_EMPTY_PATCH);
		if (att->patch_class == TG_PC_NONE)
			att->patch_class = TG_PC_EMPTY;
	}
}

static int by_age(const void *a, const void *b)
{
	const struct tg_doc *x = *(const struct tg_doc *const *)a,
			    *y = *(const struct tg_doc *const *)b;

	if (x->good.mtime_ns != y->good.mtime_ns)
		return x->good.mtime_ns < y->good.mtime_ns ? -1 : 1;
	return strcmp(x->rel, y->rel);
}

/* Oldest first, so that the newest stands. */
static void each_by_age(struct tg_import *im, struct tg_run *run, enum tg_doc_kind kind,
			void (*fn)(struct tg_import *, struct tg_run *, const struct tg_doc *))
{
	const struct tg_doc **v = tg_calloc(im->docs.n + 1, sizeof *v);
	size_t n = 0;

	for (size_t i = 0; i < im->docs.n; i++)
		if (im->docs.v[i].kind == kind && im->docs.v[i].facts != NULL)
			v[n++] = &im->docs.v[i];
	if (n > 1)
		qsort(v, n, sizeof *v, by_age);
	for (size_t i = 0; i < n; i++)
		fn(im, run, v[i]);
	free(v);
}

void tg_import_fold_eval(struct tg_import *im, struct tg_run *run)
{
	each_by_age(im, run, TG_DOC_REPORT, fold_report);
	each_by_age(im, run, TG_DOC_EVAL_LOG, fold_log);
	each_by_age(im, run, TG_DOC_RUN_REPORT, fold_run_report);
}
