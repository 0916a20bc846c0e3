#include <string.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/report.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"

/* ---- reading ---- */

static int count(const struct cJSON *status, const char *list, const char *which)
{
	return (int)tg_json_len(tg_json_get(tg_json_get(status, list), which));
}

bool tg_report_parse(struct tg_report *r, const char *p, size_t n, const char *name,
		     const char *iid, struct tg_err *err)
{
	struct cJSON *root = tg_json_parse(p, n, name, NULL, err);
	const struct cJSON *v = tg_json_get(root, iid), *status = tg_json_get(v, "tests_status");
	const char *sha = tg_json_str(v, "patch_sha256");

	*r = (struct tg_report){ .patch_exists = false };
	if (!root)
		return false;
	if (tg_json_kind(v) != TG_JSON_OBJECT) {
		tg_json_free(root);
		return tg_fail(err, TG_E_INPUT, "%s: no report of %s in it", name, iid);
	}
	r->patch_exists = tg_json_bool(v, "patch_exists", false) &&
			  !tg_json_bool(v, "patch_is_None", false);
	r->patch_applied = tg_json_bool(v, "patch_successfully_applied", false);
	r->resolved = tg_json_bool(v, "resolved", false);
	r->infra_failure = tg_json_bool(v, "infra_failure", false);
	r->has_tests = tg_json_kind(status) == TG_JSON_OBJECT;
	r->tally = (struct tg_tally){
		.f2p_pass = count(status, "FAIL_TO_PASS", "success"),
		.f2p_fail = count(status, "FAIL_TO_PASS", "failure"),
		.p2p_pass = count(status, "PASS_TO_PASS", "success"),
		.p2p_fail = count(status, "PASS_TO_PASS", "failure"),
	};
	if (sha && tg_is_sha256_hex(sha))
		memcpy(r->patch_sha256, sha, sizeof r->patch_sha256);
	tg_json_free(root);
	return true;
}

/* ---- one outcome ---- */

static bool listed(const struct cJSON *run_report, const char *list, const char *iid)
{
	for (const struct cJSON *c = tg_json_first(tg_json_get(run_report, list)); c;
	     c = tg_json_next(c))
		if (tg_streq(tg_json_text(c), iid))
			return true;
	return false;
}

static enum tg_eval_status infra(const char **reason, const char *why)
{
	*reason = why;
	return TG_EV_INFRA;
}

static enum tg_eval_status of_report(const struct tg_report *r, const struct cJSON *run_report,
				     const char *iid, const struct tg_report_hint *hint,
				     const char **reason)
{
	bool all = r->tally.f2p_fail == 0 && r->tally.p2p_fail == 0 && r->tally.f2p_pass > 0;

	if (r->infra_failure || listed(run_report, "infra_failure_ids", iid))
		return infra(reason, "the harness calls it a failure of the machine");
	if (!r->patch_exists)
		return r->resolved
			   ? infra(reason,
				   "the report contradicts itself: resolved without a patch")
			   : TG_EV_EMPTY_PATCH;
	if (r->resolved && (!r->patch_applied || !r->has_tests || !all))
		return infra(reason,
			     "the report contradicts itself: resolved, but its tests are not");
	if (!r->resolved && r->patch_applied && r->has_tests && all)
		return infra(reason,
			     "the report contradicts itself: all its tests pass, not resolved");
	if (r->resolved && run_report && !listed(run_report, "resolved_ids", iid))
		return infra(reason, "report.json says resolved, the run report does not");
	if (r->resolved)
		return TG_EV_RESOLVED;
	if (!r->patch_applied && hint->applies == 0)
		return TG_EV_PATCH_APPLY_FAILED;
	if (!r->patch_applied)
		*reason = "the test output could not be graded";
	else if (r->tally.p2p_fail && !r->tally.f2p_fail)
		*reason = "regression: tests that passed before fail now";
	return TG_EV_UNRESOLVED;
}

enum tg_eval_status tg_report_outcome(const struct tg_report *report,
				      const struct cJSON *run_report, const char *iid,
				      const struct tg_report_hint *hint, const char **reason)
{
	const char *said = tg_json_str(tg_json_get(run_report, "failure_reasons"), iid);

	*reason = NULL;
	if (hint->timed_out || tg_streq(said, "tests_timed_out"))
		return TG_EV_TIMEOUT;
	if (report)
		return of_report(report, run_report, iid, hint, reason);
	if (listed(run_report, "empty_patch_ids", iid))
		return TG_EV_EMPTY_PATCH;
	if (listed(run_report, "infra_failure_ids", iid))
		return infra(reason, "the harness calls it a failure of the machine");
	if (hint->gave_up || listed(run_report, "error_ids", iid)) {
		if (hint->applies == 0)
			return TG_EV_PATCH_APPLY_FAILED;
		return infra(reason, "the harness ended with an error and left no report");
	}
	if (listed(run_report, "resolved_ids", iid) || listed(run_report, "unresolved_ids", iid))
		return infra(reason, "the run report names a verdict, but report.json is missing");
	*reason = "the harness has no report of it";
	return TG_EV_NOT_RUN;
}

/* ---- writing ---- */

static bool passed(enum tg_test_status status, bool keep, bool fail_only)
{
	switch (status) {
	case TG_TEST_OK:
	case TG_TEST_XFAIL:
		return true;
	case TG_TEST_SKIPPED:
		return keep || fail_only;
	case TG_TEST_MISSING:
		return fail_only;
	default:
		return false;
	}
}

static struct cJSON *put_list(struct cJSON *status, const char *name)
{
	struct cJSON *o = tg_json_object();

	tg_json_set(o, "success", tg_json_array());
	tg_json_set(o, "failure", tg_json_array());
	tg_json_set(status, name, o);
	return o;
}

/* Does every test of the list hold? */
static bool put_tests(struct cJSON *status, const char *name, char *const *ids,
		      const struct tg_test_log *log, bool keep, bool fail_only)
{
	struct cJSON *success = tg_json_array(), *failure = tg_json_array(), *o;
	bool all = true;

	for (; ids && *ids; ids++) {
		bool ok = passed(tg_test_log_get(log, *ids), keep, fail_only);

		tg_json_push_str(ok ? success : failure, *ids);
		all = all && ok;
	}
	o = put_list(status, name);
	tg_json_set(o, "success", success);
	tg_json_set(o, "failure", failure);
	return all;
}

struct cJSON *tg_report_make(const struct tg_row *row, const struct tg_test_log *log,
			     const char *patch_sha256)
{
	struct cJSON *root = tg_json_object(), *r = tg_json_object(), *status;
	bool fail_only = tg_streq(row->eval_type, "fail_only"), f2p, p2p;

	tg_json_set_bool(r, "patch_is_None", false);
	tg_json_set_bool(r, "patch_exists", true);
	tg_json_set_bool(r, "patch_successfully_applied", !log->ungradable);
	tg_json_set_bool(r, "resolved", false);
	tg_json_set_bool(r, "infra_failure", false);
	tg_json_set_str(r, "patch_sha256", patch_sha256);
	if (!log->ungradable) {
		status = tg_json_object();
		f2p = put_tests(status, "FAIL_TO_PASS", row->fail_to_pass, log, false, fail_only);
		p2p = put_tests(status, "PASS_TO_PASS", row->pass_to_pass, log, true, fail_only);
		put_list(status, "FAIL_TO_FAIL");
		put_list(status, "PASS_TO_FAIL");
		tg_json_set(r, "tests_status", status);
		tg_json_set_bool(r, "resolved",
				 f2p && p2p && row->fail_to_pass && row->fail_to_pass[0]);
	}
	tg_json_set(root, row->instance_id, r);
	return root;
}
