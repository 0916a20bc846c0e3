/* See import.h: which files there are, and how their facts become rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/fold.h"
#include "core/run/import_in.h"
#include "core/run/layout.h"
#include "core/run/preds.h"

#define TRAJ ".traj.json"
#define SETTLE_MS 2000
#define CONTAINER_MS ((int64_t)130 * 60 * 1000) /* mini-swe-agent's containers end after 2 h */

void tg_import_say(struct tg_run *run, int64_t ms, const char *what, const char *why)
{
	struct tg_buf b = TG_BUF_INIT;
	char *safe;

	tg_buf_addf(&b, "%s: %s", what, why);
	safe = tg_text_line(b.p, b.n, 400);
	for (size_t i = 0; i < run->note_n; i++)
		if (strcmp(run->note[i].text, safe) == 0) {
			free(safe);
			safe = NULL;
			break;
		}
	if (safe != NULL)
		tg_run_add_note(run, ms, "note", safe);
	free(safe);
	tg_buf_fini(&b);
}

/* ---- which files ---- */

static bool there(const char *dir, const char *rel)
{
	char *path = tg_path_join(dir, rel);
	bool yes = tg_file_exists(path) && !tg_is_dir(path);

	free(path);
	return yes;
}

/* The runbook's name first; else the richest of what there is. */
static const char *governed_file(const struct tg_names *names)
{
	const char *found = NULL;

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];

		if (strcmp(name, "recomputed_governed_v2_agentic.jsonl") == 0)
			return name;
		if (tg_ends_with(name, ".jsonl") && strstr(name, "governed") != NULL &&
		    (found == NULL || strstr(name, "agentic") != NULL))
			found = name;
	}
	return found;
}

/* <iid>/<iid>.traj.json; <iid>.traj.json; and the same two below trajs/. */
static void list_trajectories(struct tg_import *im, const char *below, const struct tg_names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];
		char *rel;

		if (tg_ends_with(name, TRAJ)) {
			rel = tg_asprintf("%s%s", below, name);
			tg_docs_add(&im->docs, TG_DOC_TRAJ, rel);
			free(rel);
			continue;
		}
		if (!tg_instance_id_valid(name))
			continue;
		rel = tg_asprintf("%s%s/%s" TRAJ, below, name, name);
		if (there(im->docs.root, rel))
			tg_docs_add(&im->docs, TG_DOC_TRAJ, rel);
		free(rel);
	}
}

static void list_reports(struct tg_import *im)
{
	char *dir = tg_path_join(im->docs.root, "security_reports");
	struct tg_names names;

	if (tg_is_dir(dir) && tg_dir_list(dir, &names, NULL)) {
		for (size_t i = 0; i < names.n; i++) {
			char *rel = tg_asprintf("security_reports/%s", names.v[i]);

			if (tg_ends_with(names.v[i], ".json"))
				tg_docs_add(&im->docs, TG_DOC_SCAN, rel);
			free(rel);
		}
		tg_names_free(&names);
	}
	free(dir);
}

static void list_top(struct tg_import *im, const struct tg_names *names)
{
	char *trajs = tg_path_join(im->docs.root, "trajs");
	const char *governed = governed_file(names);
	struct tg_names more;

	list_trajectories(im, "", names);
	if (tg_is_dir(trajs) && tg_dir_list(trajs, &more, NULL)) {
		list_trajectories(im, "trajs/", &more);
		tg_names_free(&more);
	}
	for (size_t i = 0; i < names->n; i++) {
		if (tg_starts_with(names->v[i], "exit_statuses_") &&
		    tg_ends_with(names->v[i], ".yaml"))
			tg_docs_add(&im->docs, TG_DOC_STATUSES, names->v[i]);
		if (strcmp(names->v[i], "minisweagent.log") == 0)
			tg_docs_add(&im->docs, TG_DOC_LOG, names->v[i]);
	}
	if (there(im->docs.root, "eval/instance_results.jsonl"))
		tg_docs_add(&im->docs, TG_DOC_EVAL_ROWS, "eval/instance_results.jsonl");
	if (governed != NULL)
		tg_docs_add(&im->docs, TG_DOC_GOVERNED, governed);
	free(trajs);
}

static bool list_files(struct tg_import *im, struct tg_err *err)
{
	struct tg_names names = { 0 };
	char *file;

	if (im->alone) {
		tg_docs_add(&im->docs, TG_DOC_PREDS, im->preds);
		return true;
	}
	if (!tg_dir_list(im->docs.root, &names, err))
		return false;
	file = tg_preds_file(im->docs.root);
	if (file != NULL) {
		free(im->preds);
		im->preds = tg_strdup(tg_path_base(file));
		free(file);
	}
	if (im->preds != NULL)
		tg_docs_add(&im->docs, TG_DOC_PREDS, im->preds);
	free(im->eval_base);
	im->eval_base = tg_layout_eval_tree(im->docs.root);
	list_top(im, &names);
	list_reports(im);
	tg_import_list_eval(im);
	tg_names_free(&names);
	return true;
}

/* ---- instances ---- */

static size_t place_of(const struct tg_run *run, const char *iid)
{
	for (size_t i = 0; i < run->inst_n; i++)
		if (strcmp(run->inst[i].id, iid) == 0)
			return i;
	/* A container's image names the id in lower case. */
	for (size_t i = 0; i < run->inst_n; i++)
		if (strcasecmp(run->inst[i].id, iid) == 0)
			return i;
	return run->inst_n;
}

static size_t instance(struct tg_import *im, struct tg_run *run, const char *iid, unsigned from)
{
	size_t at = place_of(run, iid);

	if (at < run->inst_n)
		return at;
	tg_run_expect(run, &iid, 1);
	im->from |= from;
	TG_GROW(im->note, im->note_n, im->note_cap);
	im->note[im->note_n++] = (struct tg_import_note){
		.id = tg_strdup(iid), .live = { .steps = -1, .cost_usd = -1 } };
	return at;
}

struct tg_attempt *tg_import_attempt(struct tg_import *im, struct tg_run *run, const char *iid,
				     unsigned from, bool add)
{
	bool fresh;
	size_t at;

	if (iid == NULL || !tg_instance_id_valid(iid)) {
		if (add)
			tg_import_say(run, run->last_ms, iid ? iid : "(no id)",
				      "is no instance id; left out");
		return NULL;
	}
	if (!add && place_of(run, iid) == run->inst_n)
		return NULL;
	at = instance(im, run, iid, from);
	return tg_instance_add_attempt(&run->inst[at], 1, &fresh);
}

struct tg_import_note *tg_import_about(struct tg_import *im, const struct tg_run *run,
				       const char *iid)
{
	size_t at = iid != NULL ? place_of(run, iid) : run->inst_n;

	return at < run->inst_n ? &im->note[at] : NULL;
}

/* ---- predictions ---- */

void tg_import_patch(struct tg_attempt *att, const struct cJSON *patch, bool null)
{
	const char *form = tg_json_str(patch, "form");

	att->patch_bytes = tg_json_int(patch, "bytes", 0);
	tg_fold_text(&att->patch_sha256, tg_json_str(patch, "sha256"));
	if (null || tg_streq(form, "empty")) {
		att->patch_class = TG_PC_EMPTY;
		tg_fold_text(&att->patch_reason, null ? "the prediction is null"
						      : "the prediction is empty");
	} else if (tg_streq(form, "text")) {
		att->patch_class = TG_PC_PROSE;
		tg_fold_text(&att->patch_reason, "the prediction is no diff");
	} else {
		att->patch_class = TG_PC_NONE;
		tg_fold_text(&att->patch_reason, "a diff; whether it applies was not looked at");
	}
}

static void fold_preds(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	for (const struct cJSON *p = tg_json_first(doc->facts); p != NULL; p = tg_json_next(p)) {
		const char *iid = tg_json_str(p, "id");
		struct tg_attempt *att = tg_import_attempt(im, run, iid, TG_FROM_PREDS, true);

		if (att == NULL)
			continue;
		att->ended = true;
		tg_import_about(im, run, iid)->has_prediction = true;
		tg_fold_text(&att->patch_source, doc->rel);
		tg_import_patch(att, tg_json_get(p, "patch"), tg_json_bool(p, "null", false));
	}
}

/* ---- trajectories ---- */

/* Whose trajectory is it? The folder's name; for a file of its own (agent.output_path) what it says
 * itself, else the only instance that the log has under way. */
static char *traj_owner(const struct tg_import *im, const struct tg_doc *doc,
			const struct cJSON *log)
{
	const char *base = tg_path_base(doc->rel), *only = NULL;
	size_t n = strlen(base) - strlen(TRAJ), under_way = 0;
	const char *live = tg_json_str(log, "live");
	bool own_folder = strchr(doc->rel, '/') != NULL;
	const char *said = tg_json_str(doc->facts, "id");

	if (own_folder || (!tg_streq(base, live) && strncmp(base, "live" TRAJ, strlen(base)) != 0))
		return said != NULL && !own_folder ? tg_strdup(said) : tg_strndup(base, n);
	if (said == NULL)
		said = tg_json_str(doc->facts, "image_id");
	for (const struct cJSON *t = tg_json_first(tg_json_get(log, "inst")); t; t = tg_json_next(t))
		if (!tg_json_bool(t, "over", false)) {
			under_way++;
			only = tg_json_str(t, "id");
		}
	(void)im;
	return tg_strdup(said != NULL ? said : under_way == 1 ? only : NULL);
}

static void set_live(struct tg_live *live, const struct tg_doc *doc)
{
	const char *command = tg_json_str(doc->facts, "command");
	struct tg_buf b = TG_BUF_INIT;
	char *line;

	live->known = true;
	live->steps = tg_json_int(doc->facts, "steps", tg_json_int(doc->facts, "answers", -1));
	live->cost_usd = tg_json_num(doc->facts, "cost_usd", -1);
	live->activity_ms = doc->good.mtime_ns / 1000000;
	if (live->steps >= 0)
		tg_buf_addf(&b, "step %lld", (long long)live->steps);
	if (command != NULL)
		tg_buf_addf(&b, "%s%s", b.n > 0 ? ": " : "", command);
	line = tg_text_line(tg_buf_cstr(&b), b.n, sizeof live->doing - 1);
	snprintf(live->doing, sizeof live->doing, "%s", line);
	free(line);
	tg_buf_fini(&b);
}

static void take_trajectory(struct tg_attempt *att, struct tg_import_note *about,
			    const struct tg_doc *doc)
{
	const struct cJSON *o = doc->facts, *patch = tg_json_get(o, "patch");
	bool ended = tg_json_bool(o, "ended", false);
	int64_t last = tg_json_int(o, "last_ms", 0);

	if (!ended && att->ended) {
		if (about->writing) { /* its end comes as a whole */
			att->ended = about->has_prediction = false;
			att->patch_bytes = -1;
			att->patch_class = TG_PC_NONE;
			tg_fold_text(&att->patch_sha256, NULL);
			tg_fold_text(&att->patch_reason, NULL);
			tg_fold_text(&att->patch_source, NULL);
		} else {
			return; /* left from before it ended */
		}
	}
	att->steps = tg_json_int(o, "steps", -1);
	att->cost_usd = tg_json_num(o, "cost_usd", -1);
	att->no_trajectory = tg_json_bool(o, "no_trajectory", false);
	tg_fold_text(&att->no_trajectory_why, tg_json_str(o, "why"));
	tg_fold_text(&att->model_answered, tg_json_str(o, "model"));
	tg_fold_text(&att->exit_status, tg_json_str(o, "exit_status"));
	if (!ended) {
		set_live(&about->live, doc);
		return;
	}
	about->traj_ended = att->ended = true;
	att->end_ms = last > 0 ? last : doc->good.mtime_ns / 1000000;
	if (att->patch_bytes < 0 && patch != NULL) {
		tg_import_patch(att, patch, false);
		tg_fold_text(&att->patch_source, "trajectory");
	}
}

static void fold_traj(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc,
		      const struct cJSON *log)
{
	char *iid = traj_owner(im, doc, log);
	struct tg_import_note *about;
	struct tg_attempt *att;

	if (iid == NULL) {
		tg_import_say(run, doc->good.mtime_ns / 1000000, doc->rel,
			      "does not say which instance it is of; left out");
		return;
	}
	att = tg_import_attempt(im, run, iid, TG_FROM_TRAJ, true);
	about = tg_import_about(im, run, iid);
	if (att != NULL && about != NULL) {
		about->writing = doc->bad_ms != 0 && !doc->settled &&
				 !tg_json_bool(doc->facts, "ended", false);
		if (doc->facts != NULL)
			take_trajectory(att, about, doc);
	}
	free(iid);
}

/* ---- exit statuses ---- */

/* An invocation writes one file, named by the time of its start; the newest word counts. An
 * instance that is only here never began, unless there is no predictions file at all. */
static void fold_statuses(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	for (const struct cJSON *s = tg_json_first(doc->facts); s != NULL; s = tg_json_next(s)) {
		const char *iid = tg_json_str(s, "id"), *status = tg_json_str(s, "status");
		bool alone = im->preds == NULL || tg_starts_with(status ? status : "", "Uncaught ");
		struct tg_attempt *att = tg_import_attempt(im, run, iid, TG_FROM_STATUS, alone);
		struct tg_import_note *about = tg_import_about(im, run, iid);

		if (att == NULL || about == NULL || about->writing)
			continue;
		att->ended = true;
		about->has_status = true;
		about->null_status = status == NULL;
		if (status != NULL || !about->traj_ended)
			tg_fold_text(&att->exit_status, status);
	}
}

/* ---- minisweagent.log ---- */

static void fold_task(struct tg_import *im, struct tg_run *run, const struct cJSON *t,
		      int64_t round, int64_t written_ms)
{
	const char *iid = tg_json_str(t, "id"), *error = tg_json_str(t, "error");
	const char *container = tg_json_str(t, "container");
	bool over = tg_json_bool(t, "over", false), began = tg_json_int(t, "start_ms", 0) > 0;
	struct tg_attempt *att = tg_import_attempt(im, run, iid, TG_FROM_LOG, false);
	struct tg_import_note *about = tg_import_about(im, run, iid);

	if (att != NULL && att->ended && over && error != NULL && !about->traj_ended) {
		char *why = tg_asprintf("no trajectory; minisweagent.log: %s", error);

		tg_fold_text(&att->no_trajectory_why, why);
		att->no_trajectory = true;
		free(why);
	}
	if (att == NULL && !over && began && tg_wall_ms() - tg_json_int(t, "start_ms", 0) > CONTAINER_MS) {
		tg_import_say(run, tg_json_int(t, "start_ms", 0), iid,
			      "was begun, as minisweagent.log says, and left nothing");
		return;
	}
	if (over || !began || (about != NULL && (about->has_prediction || about->traj_ended)))
		return;
	if (tg_json_int(t, "round", 0) != round) { /* its process is gone: it waits for its turn */
		if (about == NULL)
			instance(im, run, iid, TG_FROM_LOG); /* queued: it has no attempt */
		return;
	}
	att = tg_import_attempt(im, run, iid, TG_FROM_LOG, true);
	about = tg_import_about(im, run, iid);
	if (att == NULL || about == NULL)
		return;
	att->ended = false; /* an exit status from before says nothing about this start */
	tg_fold_text(&att->exit_status, NULL);
	about->has_status = false;
	att->start_ms = tg_json_int(t, "start_ms", 0);
	att->running = tg_json_bool(t, "up", false);
	if (about->live.known)
		return;
	about->live.known = true;
	about->live.activity_ms = att->running ? written_ms : att->start_ms;
	snprintf(about->live.doing, sizeof about->live.doing, "%s %s",
		 att->running ? "in container" : "pulling or starting container",
		 container != NULL ? container : "");
}

static void fold_log(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	int64_t round = tg_json_int(doc->facts, "round", 0);
	const struct cJSON *list = tg_json_get(doc->facts, "inst");
	int64_t ms = doc->good.mtime_ns / 1000000;

	for (const struct cJSON *t = tg_json_first(list); t != NULL; t = tg_json_next(t))
		fold_task(im, run, t, round, ms);
	if (tg_json_bool(doc->facts, "cancelled", false))
		tg_import_say(run, ms, doc->rel, "the batch was told to end; what ran may finish");
}

/* ---- the runbook's rows ---- */

static void fold_eval_rows(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	for (const struct cJSON *row = tg_json_first(doc->facts); row; row = tg_json_next(row)) {
		const char *iid = tg_json_str(row, "instance_id");
		struct tg_attempt *att = tg_import_attempt(im, run, iid, 0, false);

		if (att != NULL && !tg_import_about(im, run, iid)->report)
			tg_import_eval(att, tg_eval_status_parse(tg_json_str(row,
									 "resolved_status")));
	}
}

static void take_governed(struct tg_attempt *att, const struct cJSON *row)
{
	const struct cJSON *list = tg_json_get(row, "security_violations_structured");

	att->decision = tg_decision_parse(tg_json_str(row, "final_decision"));
	att->cri = tg_json_num(row, "cri", -1);
	att->evidence = tg_streq(tg_json_str(row, "evidence_level"), "bound") ? TG_EL_BOUND
									       : TG_EL_IMPORTED;
	tg_fold_text(&att->decision_reason, tg_json_str(row, "decision_reason"));
	tg_attempt_clear_violations(att);
	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c))
		tg_attempt_add_violation(att, tg_json_str(c, "code"), tg_json_str(c, "severity"));
	list = tg_json_get(row, "security_violations");
	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c))
		tg_attempt_add_violation(att, tg_json_text(c), NULL);
}

static void fold_governed(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	for (const struct cJSON *row = tg_json_first(doc->facts); row; row = tg_json_next(row)) {
		const char *iid = tg_json_str(row, "instance_id");
		struct tg_attempt *att;

		iid = iid != NULL ? iid : tg_json_str(row, "task");
		att = tg_import_attempt(im, run, iid, 0, false);
		if (att == NULL)
			continue;
		take_governed(att, row);
		if (!tg_import_about(im, run, iid)->report)
			tg_import_eval(att, tg_eval_status_parse(tg_json_str(row,
									 "resolved_status")));
	}
}

static void fold_scan(struct tg_import *im, struct tg_run *run, const struct tg_doc *doc)
{
	const char *base = tg_path_base(doc->rel);
	char *iid = tg_strndup(base, strlen(base) - strlen(".json"));
	struct tg_attempt *att = tg_import_attempt(im, run, iid, 0, false);
	const struct cJSON *list = tg_json_get(doc->facts, "new_violations");
	bool failed = tg_json_truthy(tg_json_get(doc->facts, "scan_failed"));
	bool skipped = tg_json_truthy(tg_json_get(doc->facts, "skipped"));

	free(iid);
	if (att == NULL)
		return;
	att->scan = failed ? TG_SC_FAILED : skipped ? TG_SC_SKIPPED : TG_SC_OK;
	tg_fold_text(&att->scan_reason,
		     tg_json_str(doc->facts, failed ? "scan_error" : "skip_reason"));
	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c))
		tg_attempt_add_violation(att, tg_json_text(c) ? tg_json_text(c)
						  : tg_json_str(c, "code"), NULL);
}

/* ---- one row ---- */

/* The agent's word and the prediction's bytes together. */
static void settle_outcome(struct tg_attempt *att, const struct tg_import_note *about)
{
	bool text = att->patch_bytes > 0 && att->patch_class != TG_PC_EMPTY;
	bool own = tg_streq(att->exit_status, "Submitted");

	if (att->exit_status != NULL || about->null_status || about->traj_ended)
		att->outcome = own && att->patch_bytes < 0
				       ? TG_OUT_NONE
				       : tg_outcome_of_exit(att->exit_status, text);
	else if (att->patch_bytes >= 0) /* predictions alone name no exit status */
		att->outcome = text ? TG_OUT_DONE : TG_OUT_EMPTY;
	else if (att->patch_class == TG_PC_EMPTY)
		att->outcome = TG_OUT_EMPTY;
	if (att->patch_class == TG_PC_PROSE && att->exit_status != NULL && !own) {
		/* 1.x puts the exception's text where the patch belongs */
		att->patch_class = TG_PC_INFRA;
		tg_fold_text(&att->patch_reason, "an error text stands in the patch's place");
	} else if (att->outcome == TG_OUT_INFRA && !tg_patch_usable(att->patch_class)) {
		att->patch_class = TG_PC_INFRA;
		tg_fold_text(&att->patch_reason, "the agent ended by its infrastructure");
	}
}

static void settle(struct tg_instance *in, const struct tg_import_note *about)
{
	struct tg_attempt *att = tg_instance_latest(in);

	if (att == NULL) {
		in->queued = true;
		return;
	}
	in->queued = false;
	tg_fold_text(&att->why, "import");
	att->imported = att->started = true;
	if (!att->ended) {
		/* An unfinished trajectory is a step made, so it runs. */
		att->running = att->running || att->start_ms == 0 || about->live.steps >= 0;
		return;
	}
	att->running = false;
	/* Nothing of ours goes on here, so the instance is where it will stay. */
	att->judged = att->stage[TG_STAGE_EVALUATE].state != TG_JOB_ACTIVE;
	settle_outcome(att, about);
}

/* ---- all of it ---- */

static const struct tg_doc *log_doc(const struct tg_import *im)
{
	for (size_t i = 0; i < im->docs.n; i++)
		if (im->docs.v[i].kind == TG_DOC_LOG && im->docs.v[i].facts != NULL)
			return &im->docs.v[i];
	return NULL;
}

static double number_of(const char *name)
{
	return strtod(name + strlen("exit_statuses_"), NULL);
}

static int by_number(const void *a, const void *b)
{
	double x = number_of((*(const struct tg_doc *const *)a)->rel),
	       y = number_of((*(const struct tg_doc *const *)b)->rel);

	return x < y ? -1 : x > y;
}

static void fold_all_statuses(struct tg_import *im, struct tg_run *run)
{
	const struct tg_doc **v = tg_calloc(im->docs.n + 1, sizeof *v);
	size_t n = 0;

	for (size_t i = 0; i < im->docs.n; i++)
		if (im->docs.v[i].kind == TG_DOC_STATUSES)
			v[n++] = &im->docs.v[i];
	if (n > 1)
		qsort(v, n, sizeof *v, by_number);
	for (size_t i = 0; i < n; i++)
		fold_statuses(im, run, v[i]);
	free(v);
}

static void fold_kind(struct tg_import *im, struct tg_run *run, enum tg_doc_kind kind,
		      void (*fn)(struct tg_import *, struct tg_run *, const struct tg_doc *))
{
	for (size_t i = 0; i < im->docs.n; i++)
		if (im->docs.v[i].kind == kind)
			fn(im, run, &im->docs.v[i]);
}

static void fold_everything(struct tg_import *im, struct tg_run *run)
{
	const struct tg_doc *log = log_doc(im);

	fold_kind(im, run, TG_DOC_PREDS, fold_preds);
	for (size_t i = 0; i < im->docs.n; i++)
		if (im->docs.v[i].kind == TG_DOC_TRAJ)
			fold_traj(im, run, &im->docs.v[i], log ? log->facts : NULL);
	fold_all_statuses(im, run);
	if (log != NULL)
		fold_log(im, run, log);
	tg_import_fold_eval(im, run);
	fold_kind(im, run, TG_DOC_EVAL_ROWS, fold_eval_rows);
	fold_kind(im, run, TG_DOC_GOVERNED, fold_governed);
	fold_kind(im, run, TG_DOC_SCAN, fold_scan);
	for (size_t i = 0; i < run->inst_n; i++)
		settle(&run->inst[i], &im->note[i]);
	for (size_t i = 0; i < im->docs.n; i++)
		if (im->docs.v[i].trouble != NULL)
			tg_import_say(run, im->docs.v[i].trouble_ms, im->docs.v[i].rel,
				      im->docs.v[i].trouble);
}

/* Rows keep the places in which they were first seen: a prediction that arrives moves no row. */
static void keep_order(struct tg_import *im, struct tg_run *run)
{
	size_t placed = 0;

	for (size_t o = 0; o < im->order_n; o++)
		for (size_t i = placed; i < run->inst_n; i++) {
			struct tg_instance in = run->inst[i];
			struct tg_import_note note = im->note[i];

			if (strcmp(in.id, im->order[o]) != 0)
				continue;
			memmove(&run->inst[placed + 1], &run->inst[placed],
				(i - placed) * sizeof in);
			memmove(&im->note[placed + 1], &im->note[placed],
				(i - placed) * sizeof note);
			run->inst[placed] = in;
			im->note[placed++] = note;
			break;
		}
	for (size_t i = placed; i < run->inst_n; i++) {
		TG_GROW(im->order, im->order_n, im->order_cap);
		im->order[im->order_n++] = tg_strdup(run->inst[i].id);
	}
}

static char *sources(const struct tg_import *im)
{
	static const char *const names[] = { NULL, "trajectories", "exit statuses",
					     "minisweagent.log", "harness logs" };
	struct tg_buf b = TG_BUF_INIT;

	if (!im->alone && (im->from & ~(unsigned)(TG_FROM_PREDS | TG_FROM_TRAJ)) == 0 &&
	    (im->preds == NULL || strcmp(im->preds, "preds.json") == 0))
		return tg_strdup("preds.json and trajectories");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (im->from & (1u << i))
			tg_buf_addf(&b, "%s%s", b.n > 0 ? ", " : "", i == 0 ? im->preds : names[i]);
	return tg_buf_detach(&b);
}

static void forget_notes(struct tg_import *im)
{
	for (size_t i = 0; i < im->note_n; i++)
		free(im->note[i].id);
	im->note_n = 0;
}

struct tg_import *tg_import_new(const char *path)
{
	struct tg_import *im = tg_calloc(1, sizeof *im);

	im->path = tg_path_abs(path);
	im->alone = !tg_is_dir(im->path);
	im->docs.root = im->alone ? tg_path_dir(im->path) : tg_strdup(im->path);
	if (im->alone)
		im->preds = tg_strdup(tg_path_base(im->path));
	return im;
}

void tg_import_free(struct tg_import *im)
{
	if (im == NULL)
		return;
	forget_notes(im);
	for (size_t i = 0; i < im->order_n; i++)
		free(im->order[i]);
	free(im->order);
	free(im->note);
	tg_docs_fini(&im->docs);
	free(im->eval_base);
	free(im->preds);
	free(im->path);
	free(im);
}

bool tg_import_read(struct tg_import *im, struct tg_run *run, bool *changed, struct tg_err *err)
{
	*changed = !im->read;
	if (!im->read && tg_layout_kind(im->path) == TG_DIR_NONE) {
		tg_run_init(run, im->path);
		return tg_fail(err, TG_E_INPUT,
			       "%s is no run directory: it has no .tgmon/run.json, no predictions, "
			       "no trajectories and no logs of an agent or of the harness",
			       im->path);
	}
	if (!list_files(im, err)) {
		if (*changed)
			tg_run_init(run, im->path);
		return false;
	}
	tg_docs_refresh(&im->docs);
	*changed = *changed || im->docs.changed;
	if (!*changed)
		return true;
	im->read = true;
	im->from = 0;
	forget_notes(im);
	tg_run_init(run, im->path);
	run->foreign = true;
	run->run_id = tg_strdup(tg_path_base(run->dir));
	fold_everything(im, run);
	keep_order(im, run);
	run->expected_from = sources(im);
	run->opened = true;
	return true;
}

bool tg_import_pending(const struct tg_import *im)
{
	return im->docs.pending > 0;
}

const struct tg_live *tg_import_live(const struct tg_import *im, size_t i)
{
	return i < im->note_n && im->note[i].live.known ? &im->note[i].live : NULL;
}

bool tg_import_settle(struct tg_import *im, struct tg_run *run, struct tg_err *err)
{
	int64_t until = tg_mono_ms() + SETTLE_MS;
	bool changed, ok = tg_import_read(im, run, &changed, err);

	while (ok && im->docs.open > 0 && tg_mono_ms() < until) {
		struct tg_run fresh = { 0 };

		tg_sleep_ms(7); /* no multiple of what writers are likely to do */
		ok = tg_import_read(im, &fresh, &changed, err);
		if (ok && changed) {
			tg_run_fini(run);
			*run = fresh;
		}
	}
	return ok;
}

bool tg_import_run(struct tg_run *run, const char *path, struct tg_err *err)
{
	struct tg_import *im = tg_import_new(path);
	bool ok = tg_import_settle(im, run, err);

	tg_import_free(im);
	return ok;
}
