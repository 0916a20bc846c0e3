#include "core/run/import.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/lib/yaml.h"
#include "core/run/fold.h"
#include "core/run/layout.h"
#include "core/run/traj_light.h"

#define MOST ((size_t)256 << 20)

static const struct tg_json_limits loose = { .max_bytes = MOST, .dup_keys_ok = true };

/* Agents' words for how they ended (spec: exit statuses of mini-swe-agent). core/agent has the full
 * table, which also reads the exception's text; both say the same of these. */
static const struct {
	const char *word; /* a leading '*': the end of the word */
	enum tg_outcome outcome;
} by_word[] = {
	{ "LimitsExceeded", TG_OUT_LIMIT },
	{ "TimeExceeded", TG_OUT_LIMIT },
	{ "RepeatedFormatError", TG_OUT_LIMIT },
	{ "*ContextWindowExceededError", TG_OUT_LIMIT },
	{ "CalledProcessError", TG_OUT_INFRA },
	{ "TimeoutExpired", TG_OUT_INFRA },
	{ "FileNotFoundError", TG_OUT_INFRA },
	{ "PermissionError", TG_OUT_INFRA },
	{ "ConnectionError", TG_OUT_INFRA },
	{ "ConnectionRefusedError", TG_OUT_INFRA },
	{ "BrokenPipeError", TG_OUT_INFRA },
	{ "*RateLimitError", TG_OUT_MODEL_API },
	{ "*AuthenticationError", TG_OUT_MODEL_API },
	{ "PermissionDeniedError", TG_OUT_MODEL_API },
	{ "*APIConnectionError", TG_OUT_MODEL_API },
	{ "APIResponseValidationError", TG_OUT_MODEL_API },
	{ "*APIError", TG_OUT_MODEL_API },
	{ "Timeout", TG_OUT_MODEL_API },
	{ "BadRequestError", TG_OUT_MODEL_API },
	{ "NotFoundError", TG_OUT_MODEL_API },
	{ "InternalServerError", TG_OUT_MODEL_API },
	{ "ServiceUnavailableError", TG_OUT_MODEL_API },
	{ "BadGatewayError", TG_OUT_MODEL_API },
	{ "UnprocessableEntityError", TG_OUT_MODEL_API },
	{ "ContentPolicyViolationError", TG_OUT_MODEL_API },
	{ "UnsupportedParamsError", TG_OUT_MODEL_API },
	{ "BudgetExceededError", TG_OUT_MODEL_API },
};

static bool word_fits(const char *word, const char *status)
{
	return word[0] == '*' ? tg_ends_with(status, word + 1) : strcmp(word, status) == 0;
}

enum tg_outcome tg_outcome_of_exit(const char *exit_status, bool has_patch)
{
	if (exit_status == NULL)
		return TG_OUT_BUG;
	if (strcmp(exit_status, "Submitted") == 0)
		return has_patch ? TG_OUT_DONE : TG_OUT_EMPTY;
	if (tg_starts_with(exit_status, "Uncaught "))
		return TG_OUT_BUG;
	for (size_t i = 0; i < sizeof by_word / sizeof by_word[0]; i++)
		if (word_fits(by_word[i].word, exit_status))
			return by_word[i].outcome;
	return TG_OUT_BUG;
}

static void note(struct tg_run *run, const char *what, const char *why)
{
	struct tg_buf b = TG_BUF_INIT;
	char *safe;

	tg_buf_addf(&b, "%s: %s", what, why);
	safe = tg_text_line(b.p, b.n, 400);
	tg_run_add_note(run, tg_wall_ms(), "note", safe);
	free(safe);
	tg_buf_fini(&b);
}

static struct cJSON *load_json(struct tg_run *run, const char *rel)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = { 0 };
	struct cJSON *root = NULL;

	if (tg_file_read_beneath(run->dir, rel, MOST, &b, &err))
		root = tg_json_parse(b.p, b.n, rel, &loose, &err);
	if (root == NULL)
		note(run, rel, err.msg);
	tg_buf_fini(&b);
	return root;
}

static bool there(const char *dir, const char *rel)
{
	char *path = tg_path_join(dir, rel);
	bool yes = tg_file_exists(path) && !tg_is_dir(path);

	free(path);
	return yes;
}

static struct tg_attempt *attempt_of(struct tg_run *run, const char *iid, bool add)
{
	struct tg_instance *in = tg_run_instance(run, iid);
	bool fresh;

	if (in == NULL && add && !tg_instance_id_valid(iid)) {
		note(run, iid ? iid : "(no id)", "is no instance id; left out");
		return NULL;
	}
	if (in == NULL && add) {
		tg_run_expect(run, &iid, 1);
		in = &run->inst[run->inst_n - 1];
		in->queued = false;
	}
	return in != NULL ? tg_instance_add_attempt(in, 1, &fresh) : NULL;
}

/* ---- predictions ---- */

static bool looks_like_diff(const char *p)
{
	return strstr(p, "diff --git ") != NULL || strncmp(p, "--- ", 4) == 0 ||
	       strstr(p, "\n--- ") != NULL;
}

static void take_patch(struct tg_attempt *att, const char *patch)
{
	char hex[TG_SHA256_HEX];

	att->patch_bytes = (int64_t)strlen(patch);
	tg_sha256_hex(patch, strlen(patch), hex);
	tg_fold_text(&att->patch_sha256, hex);
	if (patch[0] == '\0' || strspn(patch, " \t\r\n") == strlen(patch)) {
		att->patch_class = TG_PC_EMPTY;
		tg_fold_text(&att->patch_reason, "the prediction is empty");
	} else if (!looks_like_diff(patch)) {
		att->patch_class = TG_PC_PROSE;
		tg_fold_text(&att->patch_reason, "the prediction is no diff");
	} else {
		att->patch_class = TG_PC_NONE;
		tg_fold_text(&att->patch_reason, "a diff; whether it applies was not looked at");
	}
}

static void take_prediction(struct tg_run *run, const char *key, const struct cJSON *p)
{
	const char *iid = tg_json_str(p, "instance_id");
	const char *patch = tg_json_str(p, "model_patch");
	struct tg_attempt *att = attempt_of(run, iid != NULL ? iid : key, true);

	if (att == NULL)
		return;
	att->ended = true;
	tg_fold_text(&att->patch_source, "preds.json");
	take_patch(att, patch != NULL ? patch : "");
}

static void take_predictions(struct tg_run *run)
{
	const char *name = there(run->dir, "preds.json") ? "preds.json" : "preds_filled.json";
	struct cJSON *root;

	if (!there(run->dir, name))
		return;
	root = load_json(run, name);
	for (const struct cJSON *c = tg_json_first(root); c != NULL; c = tg_json_next(c))
		take_prediction(run, tg_json_key(c), c);
	tg_json_free(root);
}

/* ---- trajectories ---- */

static void take_trajectory(struct tg_run *run, const char *iid, const char *rel)
{
	struct tg_attempt *att = attempt_of(run, iid, true);
	struct cJSON *root = att != NULL ? load_json(run, rel) : NULL;
	struct tg_traj_light t;
	char *path = tg_path_join(run->dir, rel);

	if (root != NULL && tg_traj_light(root, &t)) {
		att->steps = t.steps;
		att->cost_usd = t.cost_usd;
		att->no_trajectory = t.no_trajectory;
		att->ended = att->ended || t.ended;
		att->end_ms = t.last_ms > 0 ? t.last_ms : tg_file_mtime_ms(path);
		tg_fold_text(&att->no_trajectory_why, t.no_trajectory_why);
		tg_fold_text(&att->exit_status, t.ended ? t.exit_status : NULL);
		tg_fold_text(&att->model_answered, t.model_answered);
		if (att->patch_bytes < 0 && t.ended && t.submission != NULL) {
			take_patch(att, t.submission);
			tg_fold_text(&att->patch_source, "trajectory");
		}
		free(t.command);
	}
	free(path);
	tg_json_free(root);
}

static void take_trajectories(struct tg_run *run, const struct tg_names *names)
{
	static const char suffix[] = ".traj.json";

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];
		char *rel;

		if (tg_ends_with(name, suffix)) {
			char *iid = tg_strndup(name, strlen(name) - strlen(suffix));

			take_trajectory(run, iid, name);
			free(iid);
			continue;
		}
		if (!tg_instance_id_valid(name))
			continue;
		rel = tg_asprintf("%s/%s%s", name, name, suffix);
		if (there(run->dir, rel))
			take_trajectory(run, name, rel);
		free(rel);
	}
}

/* ---- exit statuses: later files override earlier ones ---- */

static void take_status(struct tg_run *run, const char *status, const char *iid)
{
	struct tg_attempt *att = attempt_of(run, iid, false);

	if (att == NULL)
		return;
	att->ended = true;
	tg_fold_text(&att->exit_status, status);
}

static void take_status_file(struct tg_run *run, const char *name)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = { 0 };
	struct tg_yaml_node *root = NULL;
	const struct tg_yaml_node *nested;

	if (tg_file_read_beneath(run->dir, name, 1u << 20, &b, &err))
		root = tg_yaml_parse(b.p, b.n, name, 0, &err);
	if (root == NULL) {
		note(run, name, err.msg);
		tg_buf_fini(&b);
		return;
	}
	nested = tg_yaml_get(root, "instances_by_exit_status");
	for (const struct tg_yaml_node *s = nested ? nested->first : NULL; s != NULL; s = s->next)
		for (const struct tg_yaml_node *id = s->first; id != NULL; id = id->next)
			if (id->kind == TG_YAML_SCALAR && !tg_yaml_is_null(id))
				take_status(run, tg_streq(s->key, "null") ? NULL : s->key,
					    id->text);
	for (const struct tg_yaml_node *s = nested ? NULL : root->first; s != NULL; s = s->next)
		if (s->kind == TG_YAML_SCALAR)
			take_status(run, s->text, s->key);
	tg_yaml_free(root);
	tg_buf_fini(&b);
}

/* ---- evaluation and verdicts ---- */

typedef void row_fn(struct tg_run *run, const struct cJSON *row);

static void each_line(struct tg_run *run, const char *rel, row_fn *fn)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = { 0 };
	size_t bad = 0;

	if (!tg_file_read_beneath(run->dir, rel, MOST, &b, &err)) {
		note(run, rel, err.msg);
		tg_buf_fini(&b);
		return;
	}
	for (size_t at = 0; at < b.n;) {
		const char *nl = memchr(b.p + at, '\n', b.n - at);
		size_t n = nl != NULL ? (size_t)(nl - (b.p + at)) : b.n - at;
		struct cJSON *row = NULL;

		if (strspn(b.p + at, " \t\r") < n) {
			row = tg_json_parse(b.p + at, n, rel, &loose, NULL);
			bad += row == NULL;
		}
		if (row != NULL)
			fn(run, row);
		tg_json_free(row);
		at += n + 1;
	}
	if (bad > 0)
		note(run, rel, "has lines that are no JSON; they were left out");
	tg_buf_fini(&b);
}

/* The class as far as the evaluation tells: a patch whose tests ran did apply. */
static void take_eval(struct tg_attempt *att, const char *status)
{
	enum tg_eval_status ev = tg_eval_status_parse(status);

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

static void take_eval_row(struct tg_run *run, const struct cJSON *row)
{
	struct tg_attempt *att = attempt_of(run, tg_json_str(row, "instance_id"), false);

	if (att != NULL)
		take_eval(att, tg_json_str(row, "resolved_status"));
}

static void take_governed_row(struct tg_run *run, const struct cJSON *row)
{
	const char *iid = tg_json_str(row, "instance_id");
	struct tg_attempt *att = attempt_of(run, iid ? iid : tg_json_str(row, "task"), false);
	const struct cJSON *list = tg_json_get(row, "security_violations_structured");

	if (att == NULL)
		return;
	att->decision = tg_decision_parse(tg_json_str(row, "final_decision"));
	att->cri = tg_json_num(row, "cri", -1);
	att->evidence = tg_streq(tg_json_str(row, "evidence_level"), "bound") ? TG_EL_BOUND
									       : TG_EL_IMPORTED;
	tg_fold_text(&att->decision_reason, tg_json_str(row, "decision_reason"));
	take_eval(att, tg_json_str(row, "resolved_status"));
	tg_attempt_clear_violations(att);
	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c))
		tg_attempt_add_violation(att, tg_json_str(c, "code"), tg_json_str(c, "severity"));
	list = tg_json_get(row, "security_violations");
	for (const struct cJSON *c = tg_json_first(list); c != NULL; c = tg_json_next(c))
		tg_attempt_add_violation(att, tg_json_text(c), NULL);
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

static void take_report(struct tg_run *run, struct tg_instance *in)
{
	char *rel = tg_asprintf("security_reports/%s.json", in->id);
	struct cJSON *root = there(run->dir, rel) ? load_json(run, rel) : NULL;
	struct tg_attempt *att = tg_instance_latest(in);

	if (root != NULL && att != NULL) {
		const struct cJSON *list = tg_json_get(root, "new_violations");
		bool failed = tg_json_truthy(tg_json_get(root, "scan_failed"));
		bool skipped = tg_json_truthy(tg_json_get(root, "skipped"));

		att->scan = failed ? TG_SC_FAILED : skipped ? TG_SC_SKIPPED : TG_SC_OK;
		tg_fold_text(&att->scan_reason, tg_json_str(root, failed ? "scan_error" :
								  "skip_reason"));
		for (const struct cJSON *c = tg_json_first(list); c; c = tg_json_next(c))
			tg_attempt_add_violation(att, tg_json_text(c) ? tg_json_text(c)
							  : tg_json_str(c, "code"), NULL);
	}
	tg_json_free(root);
	free(rel);
}

static void settle(struct tg_instance *in)
{
	struct tg_attempt *att = tg_instance_latest(in);

	in->queued = false;
	if (att == NULL)
		return;
	tg_fold_text(&att->why, "import");
	att->imported = att->started = true;
	att->running = !att->ended;
	if (!att->ended)
		return;
	/* Nothing of ours goes on here, so the instance is where it will stay. */
	att->judged = true;
	att->outcome = tg_outcome_of_exit(att->exit_status, att->patch_bytes > 0 &&
					  att->patch_class != TG_PC_EMPTY);
	if (att->exit_status == NULL && att->patch_bytes > 0)
		att->outcome = TG_OUT_DONE; /* a predictions file alone names no exit status */
	if (att->outcome == TG_OUT_INFRA && !tg_patch_usable(att->patch_class)) {
		att->patch_class = TG_PC_INFRA;
		tg_fold_text(&att->patch_reason, "the agent ended by its infrastructure");
	}
}

bool tg_import_run(struct tg_run *run, const char *dir, struct tg_err *err)
{
	struct tg_names names = { 0 };
	const char *governed;

	tg_run_init(run, dir);
	run->foreign = true;
	run->run_id = tg_strdup(tg_path_base(run->dir));
	if (tg_layout_kind(dir) == TG_DIR_NONE)
		return tg_fail(err, TG_E_INPUT,
			       "%s is no run directory: it has no .tgmon/run.json, "
			       "no preds.json and no trajectories",
			       dir);
	if (!tg_dir_list(dir, &names, err))
		return false;
	take_predictions(run);
	take_trajectories(run, &names);
	for (size_t i = 0; i < names.n; i++)
		if (tg_starts_with(names.v[i], "exit_statuses_") &&
		    tg_ends_with(names.v[i], ".yaml"))
			take_status_file(run, names.v[i]);
	if (there(run->dir, "eval/instance_results.jsonl"))
		each_line(run, "eval/instance_results.jsonl", take_eval_row);
	governed = governed_file(&names);
	if (governed != NULL)
		each_line(run, governed, take_governed_row);
	for (size_t i = 0; i < run->inst_n; i++) {
		take_report(run, &run->inst[i]);
		settle(&run->inst[i]);
	}
	run->opened = true;
	tg_names_free(&names);
	return true;
}

/* ---- has anything changed? ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		h = (h ^ ((v >> (8 * i)) & 0xff)) * 0x100000001b3u; /* FNV-1a */
	return h;
}

static uint64_t stamp_dir(const char *dir, int depth)
{
	struct tg_names names = { 0 };
	uint64_t h = 0xcbf29ce484222325u;

	if (!tg_dir_list(dir, &names, NULL))
		return h;
	for (size_t i = 0; i < names.n; i++) {
		char *path = tg_path_join(dir, names.v[i]);

		if (tg_is_dir(path)) {
			if (depth > 0 && names.v[i][0] != '.')
				h = mix(h, stamp_dir(path, depth - 1));
		} else {
			h = mix(h, tg_crc32c(names.v[i], strlen(names.v[i])));
			h = mix(h, (uint64_t)tg_file_size(path));
			h = mix(h, (uint64_t)tg_file_mtime_ms(path));
		}
		free(path);
	}
	tg_names_free(&names);
	return h;
}

uint64_t tg_import_stamp(const char *dir)
{
	return stamp_dir(dir, 1);
}
