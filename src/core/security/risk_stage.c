/* The risk stage: one agentic_risk.jsonl row from the attempt's trajectory. */
#include <stdlib.h>

#include "core/agent/trajectory.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/security/inputs.h"
#include "core/security/risk.h"

/* An attempt without a trajectory has no row: what was not seen is unknown, not zero. */
static void sum_unknown(struct cJSON *sum)
{
	tg_json_set_null(sum, "risk_score");
	tg_json_set_null(sum, "risk_level");
	tg_json_set_null(sum, "suspicious");
}

static bool write_row(const struct tg_stage_ctx *ctx, const struct cJSON *row, struct tg_err *err)
{
	char *path = tg_path_join(ctx->work_dir, "row.json");
	struct tg_buf b = TG_BUF_INIT;
	bool ok;

	tg_json_print(row, TG_JSON_PY, &b);
	ok = tg_file_write(path, tg_buf_cstr(&b), b.n, 0644, err);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

static bool judge(const struct tg_stage_ctx *ctx, const struct tg_traj *traj, struct cJSON *sum,
		  struct tg_err *err)
{
	struct tg_policy *policy = NULL;
	struct tg_risk *risk = NULL;
	struct cJSON *row = NULL;
	bool ok = tg_security_policy(ctx, &policy, err);

	if (ok)
		risk = tg_risk_new(policy, err);
	if (risk)
		row = tg_risk_row(risk, traj, ctx->instance_id);
	ok = row && write_row(ctx, row, err);
	if (ok) {
		tg_json_set_float(sum, "risk_score", tg_json_num(row, "risk_score", 0));
		tg_json_set_str(sum, "risk_level", tg_json_str(row, "risk_level"));
		tg_json_set_int(sum, "suspicious",
				tg_json_int(tg_json_get(row, "stats"), "suspicious_commands", 0));
	}
	tg_json_free(row);
	tg_risk_free(risk);
	tg_policy_free(policy);
	return ok;
}

bool tg_stage_risk(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	char *work = tg_security_work(ctx, TG_STAGE_EXTRACT);
	char *path = work ? tg_path_join(work, "traj.json") : NULL;
	struct tg_traj traj = { 0 };
	bool ok = true;

	if (!path || !tg_file_exists(path)) {
		sum_unknown(sum);
	} else {
		ok = tg_traj_load(&traj, path, err);
		if (ok && traj.no_trajectory)
			sum_unknown(sum);
		else if (ok)
			ok = judge(ctx, &traj, sum, err);
		tg_traj_fini(&traj);
	}
	free(path);
	free(work);
	return ok;
}
