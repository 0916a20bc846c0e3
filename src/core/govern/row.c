#include "core/govern/row.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/govern/scan_view.h"
#include "core/govern/verdict.h"
#include "core/lib/buf.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"

enum { TAU_MAX = 3 };

/* Which of the reference's four forms the row takes (pipeline spec 8.3). DOCKER: the agent's
 * container timed out, and its error text stands where a patch should. */
enum branch { BRANCH_INVALID, BRANCH_DOCKER, BRANCH_TIMEOUT, BRANCH_NORMAL };

struct draft {
	enum branch branch;
	bool valid;
	const char *patch; /* as handed to the evaluator */
	size_t patch_n;
	char patch_sha256[TG_SHA256_HEX];
	int resolved; /* 1, 0, -1 null */
	char *resolved_status;
	const char *eval_status;
	int passed, failed, total;
	struct tg_scan_view scan; /* BRANCH_NORMAL only */
	struct tg_verdict v;
};

static bool contains(const char *p, size_t n, const char *s)
{
	return p && memmem(p, n, s, strlen(s)) != NULL;
}

bool tg_govern_is_diff(const char *p, size_t n)
{
	return contains(p, n, "diff --git") ||
	       (contains(p, n, "--- a/") && contains(p, n, "+++ b/"));
}

static const char *find_icase(const char *p, size_t n, const char *s)
{
	size_t k = strlen(s), i;

	for (i = 0; p && i + k <= n; i++)
		if (strncasecmp(p + i, s, k) == 0)
			return p + i;
	return NULL;
}

static size_t span(const char *p, const char *end, const char *accept)
{
	const char *from = p;

	while (p < end && *p && strchr(accept, *p))
		p++;
	return (size_t)(p - from);
}

/* "timed out after\s+\d+\s+seconds", any case. */
static bool says_timed_out(const char *p, size_t n)
{
	static const char head[] = "timed out after", tail[] = "seconds", blank[] = " \t\r\n\v\f";
	const char *end = p + n, *at = p;

	while ((at = find_icase(at, (size_t)(end - at), head)) != NULL) {
		const char *q = at + strlen(head);
		size_t a = span(q, end, blank), d = span(q + a, end, "0123456789"),
		       b = span(q + a + d, end, blank);

		q += a + d + b;
		if (a && d && b && find_icase(q, (size_t)(end - q), tail) == q)
			return true;
		at++;
	}
	return false;
}

/* A row without members says nothing. */
static const struct cJSON *eval_row(const struct tg_govern_in *in)
{
	return tg_json_first(in->eval_row) ? in->eval_row : NULL;
}

static bool is_valid(const struct tg_govern_in *in)
{
	if (in->submission_unknown || in->patch_class == TG_PC_EMPTY ||
	    in->patch_class == TG_PC_INFRA)
		return false;
	if (tg_patch_usable(in->patch_class))
		return true;
	if (in->submission_valid >= 0)
		return in->submission_valid == 1;
	return tg_govern_is_diff(in->submission, in->submission_n);
}

/* The reference takes the words of a time-out anywhere in the text for one, also in a comment of a
 * good diff; here only a text that is no patch can be an error message. */
static enum branch branch_of(const struct tg_govern_in *in, bool valid)
{
	bool timed;

	if (valid)
		return BRANCH_NORMAL;
	timed = in->submission && says_timed_out(in->submission, in->submission_n) &&
		(in->patch_class == TG_PC_NONE || in->patch_class == TG_PC_INFRA);
	if (timed && find_icase(in->submission, in->submission_n, "docker"))
		return BRANCH_DOCKER;
	return timed && !eval_row(in) ? BRANCH_TIMEOUT : BRANCH_INVALID;
}

static void choose_patch(struct draft *d, const struct tg_govern_in *in)
{
	bool none = in->patch_class == TG_PC_EMPTY || in->patch_class == TG_PC_INFRA ||
		    (in->patch_class == TG_PC_NONE && d->branch == BRANCH_INVALID);

	d->patch = none || !in->submission ? "" : in->submission;
	d->patch_n = none || !in->submission ? 0 : in->submission_n;
	tg_sha256_hex(d->patch, d->patch_n, d->patch_sha256);
}

static char *upper(const char *s)
{
	char *out = tg_strdup(s), *p;

	for (p = out; p && *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return out;
}

static void read_resolved(struct draft *d, const struct cJSON *row)
{
	const struct cJSON *r = tg_json_get(row, "resolved");
	const char *status = tg_json_str(row, "resolved_status");

	d->resolved_status = status && *status ? upper(status) : NULL;
	d->resolved = -1;
	if (tg_json_kind(r) == TG_JSON_BOOL)
		d->resolved = tg_json_bool(row, "resolved", false);
	else if (tg_streq(d->resolved_status, "RESOLVED"))
		d->resolved = 1;
	else if (tg_streq(d->resolved_status, "UNRESOLVED") ||
		 tg_streq(d->resolved_status, "PATCH_APPLY_FAILED"))
		d->resolved = 0;
}

static const char *eval_status_of(const struct draft *d)
{
	if (d->resolved == 1)
		return "resolved";
	if (tg_streq(d->resolved_status, "UNRESOLVED"))
		return "unresolved";
	if (tg_streq(d->resolved_status, "PATCH_APPLY_FAILED"))
		return "error";
	return tg_streq(d->resolved_status, "INFRA") ? "infra_error" : NULL;
}

/* What the exit status alone says about tests (8.6). Words of success count for nothing here: only
 * an evaluation can say that a test passed. */
static void tests_from_status(struct draft *d, const char *status)
{
	static const char *const silent[] = {"success",	  "ok",	     "pass", "passed",	"resolved",
					     "submitted", "pending", "",     "unknown", "none"};
	size_t i;

	for (i = 0; i < sizeof silent / sizeof *silent; i++)
		if (!status || strcasecmp(status, silent[i]) == 0)
			return;
	d->failed = d->total = 1;
}

static void read_evaluation(struct draft *d, const struct tg_govern_in *in)
{
	const struct cJSON *row = eval_row(in);

	read_resolved(d, row);
	d->eval_status = eval_status_of(d);
	if (tg_streq(d->eval_status, "infra_error"))
		return;
	if (d->eval_status) {
		d->passed = d->resolved == 1;
		d->failed = d->resolved != 1;
		d->total = 1;
	} else {
		tests_from_status(d, in->exit_status);
	}
}

/* Without a patch the evaluator was given '', and a scanner may have seen the text that was no
 * patch. */
static bool fits(const struct draft *d, const struct tg_govern_in *in, const char *sha256)
{
	char raw[TG_SHA256_HEX];

	if (tg_streq(sha256, d->patch_sha256))
		return true;
	if (d->branch == BRANCH_NORMAL || !in->submission)
		return false;
	tg_sha256_hex(in->submission, in->submission_n, raw);
	return tg_streq(sha256, raw);
}

/* Do the digests that the evidence carries fit this patch? bound: all that is there carries its
 * digest, and a scan that was made says that it saw everything. True when one is of another patch.
 */
static bool weigh_evidence(struct draft *d, const struct tg_govern_in *in,
			   const struct tg_scan_view *scan)
{
	const char *ev = tg_json_str(in->eval_row, "patch_sha256"), *sc = scan->patch_sha256;
	bool has_ev = eval_row(in) != NULL, has_sc = in->report_found, ev_fits, sc_fits, whole;

	if (!ev)
		ev = in->eval_patch_sha256;
	if (!sc)
		sc = in->scan_patch_sha256;
	ev_fits = ev && fits(d, in, ev);
	sc_fits = sc && fits(d, in, sc);
	whole = scan->covered || scan->failed || scan->skipped || d->branch != BRANCH_NORMAL;
	if (!has_ev && !has_sc)
		d->v.level = TG_EL_NONE;
	else if ((!has_ev || ev_fits) && (!has_sc || (sc_fits && whole)))
		d->v.level = TG_EL_BOUND;
	else
		d->v.level = TG_EL_IMPORTED;
	return (ev && !ev_fits) || (sc && !sc_fits);
}

static int risk_rank(const char *level)
{
	return tg_streq(level, "low") ? 0 : tg_streq(level, "medium") ? 1 : 2;
}

/* With a limit, a trajectory whose risk nobody knows is over it. */
static bool over_risk(const struct tg_govern_in *in)
{
	const char *limit = in->policy ? in->policy->max_risk : NULL;

	return limit && risk_rank(tg_json_str(in->risk, "risk_level")) > risk_rank(limit);
}

static void judge_normal(struct draft *d, const struct tg_govern_in *in)
{
	struct tg_case c = {.invalid_patch = false};

	read_evaluation(d, in);
	tg_scan_view_init(&d->scan, in->report_found, in->report, in->report_error, in->scan,
			  in->policy);
	c.digest_mismatch = weigh_evidence(d, in, &d->scan);
	d->v.cri = tg_cri(d->passed, d->total, d->eval_status, &d->scan.count,
			  d->scan.failed && tg_json_len(d->scan.violations) == 0);
	c.sad_rank = d->scan.sad_level ? tg_severity_rank(d->scan.sad_level) : 0;
	c.scan_failed = d->scan.failed;
	c.scan_skipped = d->scan.skipped;
	c.scan_partial = d->scan.partial;
	c.resolved = eval_row(in) ? d->resolved : -1;
	c.status_resolved = tg_streq(d->resolved_status, "RESOLVED");
	c.level = d->v.level;
	c.required = in->required == TG_EL_IMPORTED ? TG_EL_IMPORTED : TG_EL_BOUND;
	c.cri = d->v.cri;
	c.threshold = in->cri_threshold;
	c.over_risk = over_risk(in);
	d->v.decision = tg_decide(&c, &d->v.reason);
}

/* The forms without a patch: nothing was evaluated, nothing scanned. Our own evaluators say so in a
 * row (EMPTY_PATCH, INFRA), which stands; what another tool made of an empty patch does not. */
static void judge_without_patch(struct draft *d, const struct tg_govern_in *in)
{
	struct tg_scan_view scan;

	d->v.decision = TG_DEC_ABSTAIN;
	tg_scan_view_init(&scan, in->report_found, in->report, in->report_error, in->scan,
			  in->policy);
	weigh_evidence(d, in, &scan);
	tg_scan_view_fini(&scan);
	d->resolved = -1;
	if (d->branch != BRANCH_INVALID) {
		d->resolved = 0;
		d->resolved_status = tg_strdup("INFRA_TIMEOUT_BEFORE_PATCH");
		d->eval_status =
		    d->branch == BRANCH_DOCKER ? "infra_error" : "infra_timeout_before_patch";
		d->v.reason = "not_resolved";
		return;
	}
	d->eval_status = "invalid_patch";
	d->v.reason = in->submission_unknown ? "submission_unknown" : "empty_or_invalid_patch";
	read_resolved(d, eval_row(in));
	if (d->v.level != TG_EL_BOUND && !tg_streq(d->resolved_status, "EMPTY_PATCH") &&
	    !tg_streq(d->resolved_status, "INFRA")) {
		free(d->resolved_status);
		d->resolved_status = NULL;
		d->resolved = -1;
	}
	if (d->resolved == 1)
		d->resolved = -1;
}

static const char *scope_of(const struct draft *d)
{
	return d->branch == BRANCH_NORMAL    ? d->scan.scope
	       : d->branch == BRANCH_INVALID ? "skipped_invalid_patch"
					     : "skipped_infra_timeout_before_patch";
}

static void put_head(struct cJSON *row, const struct draft *d, const struct tg_govern_in *in)
{
	const char *status = in->exit_status && *in->exit_status ? in->exit_status : "Unknown";

	tg_json_set_str(row, "model", in->model_id);
	tg_json_set_str(row, "provider", in->provider && *in->provider ? in->provider : "unknown");
	tg_json_set_str(row, "task", in->instance_id);
	tg_json_set_str(row, "type", "external_swe_agent");
	tg_json_set_str(row, "source", "mini-swe-agent");
	tg_json_set_str(row, "status", status);
	if (d->resolved < 0)
		tg_json_set_null(row, "resolved");
	else
		tg_json_set_bool(row, "resolved", d->resolved == 1);
	tg_json_set_str(row, "resolved_status", d->resolved_status);
	tg_json_set_str(row, "eval_status", d->eval_status);
	tg_json_set_int(row, "tests_passed", d->passed);
	tg_json_set_int(row, "tests_failed", d->failed);
	tg_json_set_int(row, "total_tests", d->total);
	tg_json_set_float(row, "test_pass_rate", d->total ? (double)d->passed / d->total : 0.0);
	tg_json_set_float(row, "cri", d->v.cri);
	tg_json_set_bool(row, "sad_flag", tg_streq(d->scan.sad_level, "high"));
	tg_json_set_str(row, "sad_level", d->scan.sad_level);
	tg_json_set_bool(row, "security_scan_failed", d->scan.failed);
	tg_json_set_str(row, "security_scan_error", d->scan.error);
	tg_json_set_str(row, "security_scan_scope", scope_of(d));
	tg_json_set_bool(row, "security_report_found",
			 d->branch == BRANCH_NORMAL && in->report_found);
}

static void put_middle(struct cJSON *row, const struct draft *d, const struct tg_govern_in *in)
{
	int64_t tau = in->tau ? in->tau : 1;

	if (d->branch == BRANCH_DOCKER || d->branch == BRANCH_TIMEOUT)
		tg_json_set_str(row, "decision_reason", d->v.reason);
	tg_json_set_int(row, "tau", tau);
	tg_json_set_int(row, "tau_max", TAU_MAX);
	tg_json_set_float(row, "cri_threshold", in->cri_threshold);
	tg_json_set_str(row, "final_decision", tg_decision_name(d->v.decision));
	if (d->branch == BRANCH_INVALID)
		tg_json_set_str(row, "decision_reason", d->v.reason);
	tg_json_set_int(row, "iterations", tau);
	tg_json_set_strn(row, "patch", d->patch, d->patch_n);
	tg_json_set_int(row, "patch_bytes", (int64_t)d->patch_n);
	tg_json_set_str(row, "patch_sha256", d->patch_sha256);
	tg_json_set_bool(row, "submission_valid", d->valid);
}

static struct cJSON *list_of(const struct cJSON *v)
{
	return v ? tg_json_dup(v) : tg_json_array();
}

static void put_findings(struct cJSON *row, const struct draft *d, const struct tg_govern_in *in)
{
	struct cJSON *artifacts = tg_json_object();

	tg_json_set(row, "security_violations", list_of(d->scan.violations));
	tg_json_set(row, "security_violations_raw", list_of(d->scan.raw));
	tg_json_set(row, "security_violations_structured", list_of(d->scan.structured));
	tg_json_set_bool(row, "infra_timeout_before_patch",
			 d->branch == BRANCH_DOCKER || d->branch == BRANCH_TIMEOUT);
	tg_json_set_str(artifacts, "traj", in->artifact_traj);
	tg_json_set_str(artifacts, "log", in->artifact_log);
	tg_json_set_null(artifacts, "proofcard");
	tg_json_set(row, "artifacts", artifacts);
}

static void put_agentic(struct cJSON *row, const struct cJSON *risk)
{
	static const char *const flags[][2] = {
	    {"agentic_has_network_access", "has_network_access"},
	    {"agentic_has_env_mutation", "has_env_mutation"},
	    {"agentic_has_system_file_access", "has_system_file_access"},
	    {"agentic_has_privilege_escalation", "has_privilege_escalation"},
	};
	const struct cJSON *f = tg_json_get(risk, "flags"), *stats = tg_json_get(risk, "stats");
	const char *level = tg_json_str(risk, "risk_level");
	size_t i;

	tg_json_set_float(row, "agentic_risk_score", tg_json_num(risk, "risk_score", 0.0));
	tg_json_set_str(row, "agentic_risk_level", level && *level ? level : "unknown");
	for (i = 0; i < sizeof flags / sizeof *flags; i++)
		tg_json_set_bool(row, flags[i][0], tg_json_truthy(tg_json_get(f, flags[i][1])));
	tg_json_set_int(row, "agentic_total_commands", tg_json_int(stats, "total_commands", 0));
	tg_json_set_int(row, "agentic_suspicious_commands",
			tg_json_int(stats, "suspicious_commands", 0));
}

/* The last two members: tg_govern_row_set_attempts cuts them off and puts them on again. */
static void put_attempts(struct cJSON *row, const char *const *why, size_t n)
{
	struct cJSON *list = tg_json_array();
	size_t i;

	for (i = 0; i < n; i++)
		tg_json_push_str(list, why[i]);
	tg_json_set_int(row, "attempts", (int64_t)n);
	tg_json_set(row, "attempts_why", list);
}

/* Ours, behind everything that readers of the reference's rows look at. */
static void put_evidence(struct cJSON *row, const struct draft *d, const struct tg_govern_in *in)
{
	struct cJSON *list = tg_json_array();
	size_t i;

	tg_json_set_str(row, "instance_id", in->instance_id);
	tg_json_set_str(row, "evidence_level", tg_evidence_level_name(d->v.level));
	for (i = 0; i < in->evidence_n; i++) {
		struct cJSON *e = tg_json_object();

		tg_json_set_str(e, "name", in->evidence[i].name);
		tg_json_set_str(e, "file", in->evidence[i].file);
		tg_json_set_str(e, "sha256", in->evidence[i].sha256);
		tg_json_set_str(e, "value", in->evidence[i].value);
		tg_json_push(list, e);
	}
	tg_json_set(row, "evidence", list);
	tg_json_set_str(row, "selection", in->selection);
	tg_json_set_str(row, "policy_sha256", in->policy ? in->policy->sha256 : NULL);
	tg_json_set_str(
	    row, "required_evidence",
	    tg_evidence_level_name(in->required == TG_EL_IMPORTED ? TG_EL_IMPORTED : TG_EL_BOUND));
	tg_json_set_str(row, "patch_class", tg_patch_class_name(in->patch_class));
	if (in->attempt > 0)
		tg_json_set_int(row, "attempt", in->attempt);
	else
		tg_json_set_null(row, "attempt");
	put_attempts(row, in->attempts_why, in->attempts);
}

struct cJSON *tg_govern_row(const struct tg_govern_in *in, struct tg_verdict *out)
{
	struct draft d = {.resolved = -1};
	struct cJSON *row = tg_json_object();

	d.valid = is_valid(in);
	d.branch = branch_of(in, d.valid);
	choose_patch(&d, in);
	if (d.branch == BRANCH_NORMAL)
		judge_normal(&d, in);
	else
		judge_without_patch(&d, in);
	put_head(row, &d, in);
	put_middle(row, &d, in);
	put_findings(row, &d, in);
	if (d.branch == BRANCH_NORMAL) {
		if (tg_json_kind(in->risk) == TG_JSON_OBJECT)
			put_agentic(row, in->risk);
		tg_json_set_str(row, "decision_reason", d.v.reason);
	}
	put_evidence(row, &d, in);
	if (out)
		*out = d.v;
	tg_scan_view_fini(&d.scan);
	free(d.resolved_status);
	return row;
}

bool tg_govern_row_set_attempts(struct tg_buf *line, const char *const *why, size_t n)
{
	/* Unescaped, this text can only be a member's name, and the last one is ours. */
	static const char mark[] = ", \"attempts\": ";
	struct tg_buf tail = TG_BUF_INIT;
	struct cJSON *o;
	char *at = NULL, *p = line->n ? line->p : NULL;

	while (p && (p = strstr(p, mark)) != NULL)
		at = p++;
	if (!at || !strstr(at, ", \"attempts_why\": [") || !strstr(at, "]}"))
		return false;
	o = tg_json_object();
	put_attempts(o, why, n);
	tg_json_print(o, TG_JSON_PY, &tail);
	line->n = (size_t)(at - line->p);
	tg_buf_adds(line, ", ");
	tg_buf_add(line, tail.p + 1, tail.n - 1); /* without its '{' */
	tg_json_free(o);
	tg_buf_fini(&tail);
	return true;
}
