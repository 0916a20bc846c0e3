/* Plan `tgmon process`: the post-agent pipeline over a run directory that something else made. */
#include <stdlib.h>
#include <string.h>
#include "core/agent/agent.h"
#include "core/evaluate/evaluate.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/pipeline/launch.h"
#include "core/run/import.h"
#include "core/run/layout.h"

static bool expect(struct tg_spec *s, const char *iid, struct tg_err *err)
{
	if (!tg_instance_id_valid(iid))
		return tg_fail(err, TG_E_INPUT, "%s: an instance id is not a safe name", s->source_dir);
	s->expected = tg_realloc(s->expected, (s->expected_n + 1) * sizeof *s->expected);
	s->expected[s->expected_n++] = tg_strdup(iid);
	return true;
}

static bool expect_list(struct tg_spec *s, const char *list, struct tg_err *err)
{
	char *copy = tg_strdup(list), *save = NULL;
	bool ok = true;

	for (char *p = strtok_r(copy, ", \n", &save); ok && p; p = strtok_r(NULL, ", \n", &save))
		ok = expect(s, p, err);
	free(copy);
	s->expected_from = tg_strdup("--instances");
	return ok && (s->expected_n ? true : tg_fail(err, TG_E_INPUT, "--instances names no instance"));
}

/* preds.json together with the trajectories, in the importer's order. */
static bool expect_found(struct tg_spec *s, struct tg_err *err)
{
	struct tg_run run;
	bool ok;

	ok = tg_import_run(&run, s->source_dir, err);
	for (size_t i = 0; ok && i < run.inst_n; i++)
		ok = expect(s, run.inst[i].id, err);
	s->expected_from = tg_strdup(run.expected_from);
	tg_run_fini(&run);
	return ok && (s->expected_n ? true : tg_fail(err, TG_E_INPUT, "%s holds no prediction and no "
						     "trajectory", s->source_dir));
}

/* The rows of the expected ids; a run without a data set is processed without base repositories. */
static bool plan_rows(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_spec *s = &l->spec;
	char hex[TG_SHA256_HEX];

	if (!o->dataset)
		return true;
	if (!tg_dataset_load(&l->ds, o->dataset, err) || !tg_sha256_file(o->dataset, hex, NULL, err))
		return false;
	s->dataset.path = tg_path_abs(o->dataset);
	s->dataset.sha256 = tg_strdup(hex);
	s->dataset.frozen = tg_strdup(".tgmon/dataset.jsonl");
	s->dataset_rows = (int64_t)l->ds.n;
	return true;
}

static bool plan_slice(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	if (!l->ds.n)
		return tg_fail(err, TG_E_INPUT, "--slice needs --dataset FILE");
	if (!tg_slice_indices(o->slice, l->ds.n, &l->pick, &l->pick_n, err))
		return false;
	for (size_t i = 0; i < l->pick_n; i++)
		if (!expect(&l->spec, l->ds.row[l->pick[i]].instance_id, err))
			return false;
	l->spec.slice = tg_strdup(o->slice);
	l->spec.expected_from = tg_strdup("slice");
	return l->pick_n ? true : tg_fail(err, TG_E_INPUT, "--slice %s chooses no instance", o->slice);
}

static void pick_expected(struct tg_launch *l)
{
	if (l->pick || !l->ds.n)
		return;
	l->pick = tg_calloc(l->ds.n, sizeof *l->pick);
	for (size_t i = 0; i < l->ds.n; i++)
		if (tg_spec_expects(&l->spec, l->ds.row[i].instance_id))
			l->pick[l->pick_n++] = i;
}

static bool plan_evaluation(struct tg_spec *s, const struct tg_launch_opts *o, struct tg_err *err)
{
	const struct tg_evaluator_ops *ops;
	char hex[TG_SHA256_HEX];

	s->evaluator = tg_strdup(o->evaluator ? o->evaluator : o->eval_results ? "import" : "local");
	ops = tg_evaluator_find(s->evaluator);
	if (!ops)
		return tg_fail(err, TG_E_INPUT, "--evaluator %s: import, local or swebench", s->evaluator);
	if (tg_streq(s->evaluator, "import") && !o->eval_results)
		return tg_fail(err, TG_E_INPUT, "--evaluator import needs --eval-results FILE "
			       "(an instance_results.jsonl)");
	if (o->eval_results) {
		if (!tg_sha256_file(o->eval_results, hex, NULL, err))
			return false;
		s->eval_results.path = tg_path_abs(o->eval_results);
		s->eval_results.sha256 = tg_strdup(hex);
		s->eval_results.frozen = tg_strdup(".tgmon/eval_results.jsonl");
	}
	return !ops->preflight || ops->preflight(s, err);
}

static bool plan_reports(struct tg_spec *s, const struct tg_launch_opts *o, struct tg_err *err)
{
	char *dir = tg_path_join(s->source_dir, "security_reports");
	bool there = tg_is_dir(dir);

	s->reports = tg_strdup(o->reports ? o->reports : there ? "keep" : "scan");
	free(dir);
	if (!tg_streq(s->reports, "keep") && !tg_streq(s->reports, "scan"))
		return tg_fail(err, TG_E_INPUT, "--reports: keep or scan");
	if (tg_streq(s->reports, "keep") && !there)
		return tg_fail(err, TG_E_INPUT, "--reports keep: %s has no security_reports", s->source_dir);
	return true;
}

static bool plan_place(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_spec *s = &l->spec, old = { 0 };
	const char *base = tg_path_base(s->source_dir);

	l->in_place = !o->output;
	l->run_dir = o->output ? tg_path_abs(o->output) : tg_strdup(s->source_dir);
	l->parent = tg_path_dir(l->run_dir);
	s->run_id = tg_strdup(tg_path_base(l->run_dir));
	s->tag = tg_strdup(o->tag && tg_tag_valid(o->tag) ? o->tag : tg_tag_valid(base) ? base : "process");
	if (o->output && tg_file_exists(l->run_dir))
		return tg_fail(err, TG_E_INPUT, "--output %s exists already; name a new folder", l->run_dir);
	if (tg_layout_kind(s->source_dir) != TG_DIR_OURS)
		return true;
	if (!tg_spec_load(&old, s->source_dir, NULL, err))
		return false;
	if (l->in_place && !tg_streq(old.agent, "foreign")) {
		tg_spec_fini(&old);
		return tg_fail(err, TG_E_INPUT, "%s was made by tgmon run; its pipeline runs with it: use "
			       "tgmon run --resume or tgmon rerun", s->source_dir);
	}
	tg_spec_fini(&old);
	return true;
}

bool tg_launch_plan_foreign(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_spec *s = &l->spec;
	bool ok;

	*l = (struct tg_launch){ 0 };
	if (tg_layout_kind(o->source) == TG_DIR_NONE)
		return tg_fail(err, TG_E_INPUT, "%s is not a run directory: no predictions, no *.traj.json, no logs",
			       o->source);
	if (!tg_is_dir(o->source) && !o->output)
		return tg_fail(err, TG_E_INPUT, "%s is a predictions file: name the run directory that is made "
			       "of it with --output DIR", o->source);
	s->source_dir = tg_path_abs(o->source);
	s->agent = tg_strdup("foreign");
	s->model_id = tg_strdup(o->model_id ? o->model_id : "mini-swe-agent");
	s->dataset_name = tg_strdup("foreign");
	s->split = tg_strdup("test");
	if (!tg_launch_common(l, o, err) || !plan_place(l, o, err) || !plan_rows(l, o, err))
		return false;
	ok = o->slice ? plan_slice(l, o, err) : o->instances ? expect_list(s, o->instances, err)
							   : expect_found(s, err);
	if (!ok || !plan_evaluation(s, o, err) || !plan_reports(s, o, err))
		return false;
	pick_expected(l);
	if (!s->slice)
		s->slice = tg_strdup("");
	if (!s->required_evidence)
		s->required_evidence = tg_strdup("imported");
	return true;
}
