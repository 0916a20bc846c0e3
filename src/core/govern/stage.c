/*
 * The govern stage: gathers what the earlier stages of an attempt left, and judges. Any of them may
 * be missing because its stage failed; then the verdict is ABSTAIN with a reason, and the row says
 * what was there. Files of work folders are read beneath them: no link that was planted there is
 * followed.
 */
#include <stdlib.h>
#include <string.h>

#include "core/govern/policy.h"
#include "core/govern/row.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/load.h"
#include "core/run/stage.h"

enum { MAX_PATCH = 64 << 20, MAX_JSON = 64 << 20, EVIDENCE_MAX = 8 };

struct input { /* one file of an earlier stage */
	bool found;
	struct tg_buf bytes;
	struct cJSON *json; /* NULL: not read, or not JSON */
	char *rel, sha256[TG_SHA256_HEX];
	struct tg_err why; /* why json is NULL */
};

struct gather {
	const struct tg_stage_ctx *ctx;
	struct input patch, traj, eval, harness, report, risk;
	struct cJSON *result[TG_STAGE_ATTEMPT_COUNT]; /* result.json of each stage */
	struct tg_policy *policy;
	char *policy_rel, *scan_value, *artifact_traj;
	struct tg_run run;
	const char **why; /* of all attempts */
	struct tg_evidence evidence[EVIDENCE_MAX];
	size_t evidence_n;
};

static void read_input(struct gather *g, enum tg_stage stage, const char *file, size_t cap,
		       bool json, struct input *in)
{
	const char *job = g->ctx->input[stage];
	char *inside = tg_asprintf("work/%s", file);
	size_t n = strlen(g->ctx->run_dir);

	if (job && tg_file_read_beneath(job, inside, cap, &in->bytes, &in->why)) {
		in->found = true;
		tg_sha256_hex(in->bytes.p, in->bytes.n, in->sha256);
		in->rel = tg_asprintf("%s/%s",
				      tg_starts_with(job, g->ctx->run_dir) && job[n] == '/'
					  ? job + n + 1
					  : tg_path_base(job),
				      inside);
		if (json)
			in->json = tg_json_parse(tg_buf_cstr(&in->bytes), in->bytes.n, file, NULL,
						 &in->why);
	}
	free(inside);
}

static void free_input(struct input *in)
{
	tg_buf_fini(&in->bytes);
	tg_json_free(in->json);
	free(in->rel);
}

/* The summary that a stage put into its result.json, or NULL. */
static const struct cJSON *sum_of(const struct gather *g, enum tg_stage stage)
{
	return tg_json_get(g->result[stage], "sum");
}

static void read_results(struct gather *g)
{
	struct tg_buf b = TG_BUF_INIT;
	int s;

	for (s = 0; s < TG_STAGE_ATTEMPT_COUNT; s++)
		if (g->ctx->input[s] &&
		    tg_file_read_beneath(g->ctx->input[s], "result.json", MAX_JSON, &b, NULL))
			g->result[s] =
			    tg_json_parse(tg_buf_cstr(&b), b.n, "result.json", NULL, NULL);
	tg_buf_fini(&b);
}

/* The policy that was frozen at launch, or none when the run has none. */
static bool read_policy(struct gather *g, struct tg_err *err)
{
	const struct tg_digest_ref *ref = &g->ctx->spec->policy;
	char *path;

	if (!ref->sha256)
		return true; /* --policy none */
	path = ref->frozen ? tg_path_join(g->ctx->run_dir, ref->frozen) : tg_strdup(ref->path);
	g->policy = tg_policy_load(path, err);
	g->policy_rel = tg_strdup(ref->frozen);
	free(path);
	if (g->policy && strcmp(g->policy->sha256, ref->sha256) != 0)
		return tg_fail(err, TG_E_INPUT,
			       "the policy of this run has changed: %s was %s, is %s",
			       ref->frozen ? ref->frozen : "it", ref->sha256, g->policy->sha256);
	return g->policy != NULL;
}

static enum tg_evidence_level required(const struct gather *g)
{
	const struct tg_spec *spec = g->ctx->spec;
	enum tg_evidence_level level = tg_evidence_level_parse(spec->required_evidence);

	if (level == TG_EL_NONE && g->policy)
		level = g->policy->required_evidence;
	if (level == TG_EL_NONE)
		level = tg_streq(spec->agent, "foreign") ? TG_EL_IMPORTED : TG_EL_BOUND;
	return level;
}

/* A digest in a stage's summary binds only when the stage says that its evidence is bound: an
 * importer knows the patch it was asked about, not the one that was evaluated. */
static const char *bound_digest(const struct gather *g, enum tg_stage stage)
{
	const struct cJSON *sum = sum_of(g, stage);

	return tg_streq(tg_json_str(sum, "level"), "bound") ? tg_json_str(sum, "patch_sha256")
							    : NULL;
}

static void add_evidence(struct gather *g, const char *name, const struct input *in,
			 const char *value)
{
	g->evidence[g->evidence_n++] = (struct tg_evidence){
	    .name = name, .file = in->rel, .sha256 = in->found ? in->sha256 : NULL, .value = value};
}

static char *scan_value(const struct input *report)
{
	const struct cJSON *r = report->json, *list = tg_json_get(r, "new_violations");

	if (!r)
		return tg_strdup(report->found ? "unreadable" : NULL);
	return tg_asprintf("%s, %zu new",
			   tg_json_truthy(tg_json_get(r, "scan_failed")) ? "failed"
			   : tg_json_truthy(tg_json_get(r, "skipped"))	 ? "skipped"
									 : "scanned",
			   tg_json_len(list));
}

static void list_evidence(struct gather *g, const struct tg_govern_in *in)
{
	const struct cJSON *triage = sum_of(g, TG_STAGE_TRIAGE);
	const struct input *policy = &(const struct input){.rel = g->policy_rel};
	const struct cJSON *of_instance = tg_json_get(g->harness.json, in->instance_id);

	add_evidence(g, "patch", &g->patch, tg_json_str(triage, "class"));
	add_evidence(g, "exit_status", &g->traj, in->exit_status);
	add_evidence(g, "evaluation", &g->eval, tg_json_str(g->eval.json, "resolved_status"));
	if (g->harness.found)
		add_evidence(g, "harness_report", &g->harness,
			     tg_json_kind(tg_json_get(of_instance, "resolved")) != TG_JSON_BOOL
				 ? NULL
			     : tg_json_bool(of_instance, "resolved", false) ? "resolved true"
									    : "resolved false");
	g->scan_value = scan_value(&g->report);
	add_evidence(g, "scan", &g->report, g->scan_value);
	add_evidence(g, "risk", &g->risk, tg_json_str(g->risk.json, "risk_level"));
	add_evidence(g, "policy", policy, g->policy ? g->policy->version : NULL);
	g->evidence[g->evidence_n - 1].sha256 = g->policy ? g->policy->sha256 : NULL;
}

static void list_attempts(struct gather *g, struct tg_govern_in *in)
{
	const struct tg_instance *inst = tg_run_instance(&g->run, in->instance_id);
	size_t i;

	g->why = tg_calloc((inst ? inst->att_n : 0) + 1, sizeof *g->why);
	for (i = 0; inst && i < inst->att_n; i++)
		g->why[i] = inst->att[i].why ? inst->att[i].why : "first";
	in->attempts_why = g->why;
	in->attempts = inst ? inst->att_n : 0;
}

static bool gather(struct gather *g, struct tg_govern_in *in, struct tg_err *err)
{
	const struct tg_stage_ctx *ctx = g->ctx;
	const struct cJSON *extract, *valid;

	read_results(g);
	read_input(g, TG_STAGE_EXTRACT, "patch.diff", MAX_PATCH, false, &g->patch);
	read_input(g, TG_STAGE_EXTRACT, "traj.json", (size_t)1 << 30, false, &g->traj);
	read_input(g, TG_STAGE_EVALUATE, "row.json", MAX_JSON, true, &g->eval);
	read_input(g, TG_STAGE_EVALUATE, "report.json", MAX_JSON, true, &g->harness);
	read_input(g, TG_STAGE_SCAN, "report.json", MAX_JSON, true, &g->report);
	read_input(g, TG_STAGE_RISK, "row.json", MAX_JSON, true, &g->risk);
	tg_buf_fini(&g->traj.bytes); /* only its digest is wanted, and it can be large */
	if (!read_policy(g, err) || !tg_load_run(&g->run, ctx->run_dir, ctx->spec, err))
		return false;
	extract = sum_of(g, TG_STAGE_EXTRACT);
	valid = tg_json_get(extract, "submission_valid");
	if (g->traj.found)
		g->artifact_traj =
		    tg_asprintf("%s/%s.traj.json", ctx->instance_id, ctx->instance_id);
	*in = (struct tg_govern_in){
	    .model_id = ctx->spec->model_id,
	    .instance_id = ctx->instance_id,
	    .submission = g->patch.found ? tg_buf_cstr(&g->patch.bytes) : NULL,
	    .submission_n = g->patch.bytes.n,
	    .submission_unknown = !g->patch.found,
	    .submission_valid = tg_json_kind(valid) == TG_JSON_BOOL ? tg_json_truthy(valid) : -1,
	    .patch_class = tg_patch_class_parse(tg_json_str(sum_of(g, TG_STAGE_TRIAGE), "class")),
	    .exit_status = tg_json_str(extract, "exit_status"),
	    .eval_row = g->eval.json,
	    .eval_patch_sha256 = bound_digest(g, TG_STAGE_EVALUATE),
	    .report_found = g->report.found,
	    .report = g->report.json,
	    .report_error = g->report.why.msg,
	    .scan_patch_sha256 = bound_digest(g, TG_STAGE_SCAN),
	    .scan = tg_scan_status_parse(tg_json_str(sum_of(g, TG_STAGE_SCAN), "status")),
	    .risk = g->risk.json,
	    .policy = g->policy,
	    .cri_threshold = g->policy ? g->policy->cri_threshold : TG_POLICY_CRI_THRESHOLD,
	    .required = required(g),
	    .artifact_traj = g->artifact_traj,
	    .artifact_log = ctx->input[TG_STAGE_AGENT] ? "minisweagent.log" : NULL,
	    .attempt = ctx->attempt,
	    .selection = ctx->spec->selection,
	    .evidence = g->evidence,
	};
	list_attempts(g, in);
	list_evidence(g, in);
	in->evidence_n = g->evidence_n;
	return true;
}

static bool write_row(const struct tg_stage_ctx *ctx, const struct cJSON *row, struct tg_err *err)
{
	char *path = tg_path_join(ctx->work_dir, "row.json");
	struct tg_buf b = TG_BUF_INIT;
	bool ok;

	tg_json_print(row, TG_JSON_PY, &b);
	tg_buf_addc(&b, '\n');
	ok = tg_file_write(path, b.p, b.n, 0600, err);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

static void free_gather(struct gather *g)
{
	struct input *const all[] = {&g->patch,	  &g->traj,   &g->eval,
				     &g->harness, &g->report, &g->risk};
	size_t i;

	for (i = 0; i < sizeof all / sizeof *all; i++)
		free_input(all[i]);
	for (i = 0; i < TG_STAGE_ATTEMPT_COUNT; i++)
		tg_json_free(g->result[i]);
	tg_policy_free(g->policy);
	tg_run_fini(&g->run);
	free(g->policy_rel);
	free(g->scan_value);
	free(g->artifact_traj);
	free(g->why);
}

bool tg_stage_govern(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct gather g = {.ctx = ctx};
	struct tg_govern_in in;
	struct tg_verdict v;
	struct cJSON *row;
	bool ok;

	ok = gather(&g, &in, err);
	if (ok) {
		row = tg_govern_row(&in, &v);
		ok = write_row(ctx, row, err);
		tg_json_free(row);
		tg_json_set_str(sum, "decision", tg_decision_name(v.decision));
		tg_json_set_str(sum, "reason", v.reason);
		tg_json_set_float(sum, "cri", v.cri);
		tg_json_set_str(sum, "level", tg_evidence_level_name(v.level));
	}
	free_gather(&g);
	return ok;
}
