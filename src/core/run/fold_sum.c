/* What the stages say: the members of stage.end's sum{}, listed in docs/stages.md. */
#include "core/run/fold.h"

#include <stdlib.h>

#include "core/lib/buf.h"

#define MAX_FLAGS 64
#define MOST ((int64_t)1 << 53)

static int tristate(const struct cJSON *sum, const char *key)
{
	if (tg_json_kind(tg_json_get(sum, key)) != TG_JSON_BOOL)
		return -1;
	return tg_json_bool(sum, key, false);
}

static double amount(const struct cJSON *sum, const char *key)
{
	double v = tg_json_number(tg_json_get(sum, key), -1);

	return v >= 0 && v < 1e12 ? v : -1;
}

static void take_patch(struct tg_attempt *att, const struct cJSON *sum, const char *bytes,
		       const char *sha)
{
	if (tg_json_get(sum, bytes) != NULL)
		att->patch_bytes = tg_fold_int(sum, bytes, 0, MOST, -1);
	if (tg_json_get(sum, sha) != NULL)
		tg_fold_text(&att->patch_sha256, tg_json_str(sum, sha));
}

static void take_extract(struct tg_attempt *att, const struct cJSON *sum)
{
	enum tg_outcome o = tg_outcome_parse(tg_json_str(sum, "outcome"));

	if (o != TG_OUT_NONE)
		att->outcome = o;
	tg_fold_text(&att->exit_status, tg_json_str(sum, "exit_status"));
	tg_fold_text(&att->model_answered, tg_json_str(sum, "model_answered"));
	att->steps = tg_fold_int(sum, "steps", 0, MOST, -1);
	att->cost_usd = amount(sum, "cost_usd");
	att->cost_lower_bound = tg_json_bool(sum, "cost_lower_bound", false);
	att->tokens = tg_fold_int(sum, "tokens", 0, MOST, -1);
	att->no_trajectory = tg_json_bool(sum, "no_trajectory", false);
	tg_fold_text(&att->no_trajectory_why, tg_json_str(sum, "no_trajectory_why"));
	tg_fold_text(&att->patch_source, tg_json_str(sum, "patch_source"));
	tg_fold_text(&att->traj_sha256, tg_json_str(sum, "traj_sha256"));
	take_patch(att, sum, "patch_bytes", "patch_sha256");
}

static void take_flags(struct tg_attempt *att, const struct cJSON *flags)
{
	for (size_t i = 0; i < att->flags_n; i++)
		free(att->flags[i]);
	free(att->flags);
	att->flags = NULL;
	att->flags_n = 0;
	if (tg_json_kind(flags) != TG_JSON_ARRAY)
		return;
	for (const struct cJSON *c = tg_json_first(flags); c && att->flags_n < MAX_FLAGS;
	     c = tg_json_next(c)) {
		if (tg_json_text(c) == NULL)
			continue;
		att->flags = tg_realloc(att->flags, (att->flags_n + 1) * sizeof *att->flags);
		att->flags[att->flags_n++] = tg_strdup(tg_json_text(c));
	}
}

static void take_triage(struct tg_attempt *att, const struct cJSON *sum)
{
	att->patch_class = tg_patch_class_parse(tg_json_str(sum, "class"));
	tg_fold_text(&att->patch_reason, tg_json_str(sum, "reason"));
	tg_fold_text(&att->patch_remedy, tg_json_str(sum, "remedy"));
	tg_fold_text(&att->rung, tg_json_str(sum, "rung"));
	att->applies = tristate(sum, "applies");
	tg_fold_text(&att->cause_id, tg_json_str(tg_json_get(sum, "cause"), "id"));
	tg_fold_text(&att->cause_text, tg_json_str(tg_json_get(sum, "cause"), "text"));
	tg_fold_text(&att->cause_remedy, tg_json_str(tg_json_get(sum, "cause"), "remedy"));
	take_flags(att, tg_json_get(sum, "flags"));
	take_patch(att, sum, "bytes", "sha256");
}

static void take_scan(struct tg_attempt *att, const struct cJSON *sum)
{
	const struct cJSON *list = tg_json_get(sum, "new_violations");

	att->scan = tg_scan_status_parse(tg_json_str(sum, "status"));
	tg_fold_text(&att->scan_reason, tg_json_str(sum, "reason"));
	tg_attempt_clear_violations(att);
	if (tg_json_kind(list) != TG_JSON_ARRAY)
		return;
	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c)) {
		if (tg_json_kind(c) == TG_JSON_STRING)
			tg_attempt_add_violation(att, tg_json_text(c), NULL);
		else
			tg_attempt_add_violation(att, tg_json_str(c, "code"),
						 tg_json_str(c, "severity"));
	}
}

/* Only the status RESOLVED makes an instance resolved, whatever else the row says. */
static void take_evaluate(struct tg_attempt *att, const struct cJSON *sum)
{
	int said = tristate(sum, "resolved");

	att->eval = tg_eval_status_parse(tg_json_str(sum, "status"));
	tg_fold_text(&att->eval_reason, tg_json_str(sum, "reason"));
	switch (att->eval) {
	case TG_EV_RESOLVED:
		att->resolved = said == 0 ? 0 : 1;
		break;
	case TG_EV_UNRESOLVED:
	case TG_EV_PATCH_APPLY_FAILED:
	case TG_EV_EMPTY_PATCH:
		att->resolved = 0;
		break;
	default:
		att->resolved = said == 0 ? 0 : -1;
	}
}

static void take_govern(struct tg_attempt *att, const struct cJSON *sum)
{
	att->decision = tg_decision_parse(tg_json_str(sum, "decision"));
	tg_fold_text(&att->decision_reason, tg_json_str(sum, "reason"));
	att->cri = amount(sum, "cri");
	att->evidence = tg_evidence_level_parse(tg_json_str(sum, "level"));
}

void tg_fold_attempt_sum(struct tg_attempt *att, enum tg_stage stage, const struct cJSON *sum)
{
	static void (*const take[TG_STAGE_ATTEMPT_COUNT])(struct tg_attempt *,
							  const struct cJSON *) = {
		[TG_STAGE_EXTRACT] = take_extract,
		[TG_STAGE_TRIAGE] = take_triage,
		[TG_STAGE_SCAN] = take_scan,
		[TG_STAGE_EVALUATE] = take_evaluate,
		[TG_STAGE_GOVERN] = take_govern,
	};

	if (take[stage] != NULL)
		take[stage](att, sum);
}

void tg_fold_run_sum(struct tg_run *run, enum tg_stage stage, const struct cJSON *sum)
{
	if (stage == TG_STAGE_GATE && tristate(sum, "pass") >= 0) {
		run->gate_known = true;
		run->gate_pass = tristate(sum, "pass") == 1;
	} else if (stage == TG_STAGE_MANIFEST) {
		tg_fold_text(&run->manifest_sha256, tg_json_str(sum, "sha256"));
	} else if (stage == TG_STAGE_BUNDLE) {
		tg_fold_text(&run->bundle_sha256, tg_json_str(sum, "sha256"));
		run->withheld = tg_json_bool(sum, "withheld", false);
	}
}
