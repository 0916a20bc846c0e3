#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/agent/agent.h"
#include "core/dataset/names.h"
#include "core/evaluate/evaluate.h"
#include "core/govern/policy.h"
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/proc.h"
#include "core/lib/yaml.h"
#include "core/pipeline/launch.h"
#include "core/proof/sign.h"
#include "core/run/layout.h"

static bool in_range(const char *what, int64_t v, int64_t lo, int64_t hi, struct tg_err *err)
{
	if (v >= lo && v <= hi)
		return true;
	return tg_fail(err, TG_E_INPUT, "%s %lld: a whole number from %lld to %lld is needed", what,
		       (long long)v, (long long)lo, (long long)hi);
}

static bool digest(struct tg_digest_ref *ref, const char *path, struct tg_err *err)
{
	char hex[TG_SHA256_HEX];

	if (!tg_sha256_file(path, hex, NULL, err))
		return false;
	ref->path = tg_path_abs(path);
	ref->sha256 = tg_strdup(hex);
	return true;
}

/* --policy FILE, $TAUGUARDIAN_POLICY, built in; "none" is no policy. */
static bool plan_policy(struct tg_spec *s, const char *given, struct tg_err *err)
{
	const char *path = given ? given : getenv("TAUGUARDIAN_POLICY");
	struct tg_policy *policy;

	if (path && !*path)
		path = NULL;
	if (tg_streq(path, "none"))
		return true;
	if (path && !tg_file_exists(path))
		return tg_fail(err, TG_E_INPUT, "policy %s does not exist (%s); give a file, or --policy none",
			       path, given ? "--policy" : "TAUGUARDIAN_POLICY");
	policy = tg_policy_load(path, err);
	if (!policy) {
		if (err)
			err->code = TG_E_INPUT;
		return false;
	}
	s->policy.path = path ? tg_path_abs(path) : NULL;
	s->policy.sha256 = tg_strdup(policy->sha256);
	s->policy.frozen = tg_strdup("policy/policy.yaml");
	s->policy_version = tg_strdup(policy->version ? policy->version : "");
	if (policy->required_evidence != TG_EL_NONE && !s->required_evidence)
		s->required_evidence = tg_strdup(tg_evidence_level_name(policy->required_evidence));
	tg_policy_free(policy);
	return true;
}

static bool plan_config(struct tg_spec *s, const char *path, struct tg_err *err)
{
	struct tg_yaml_node *root;

	if (!path)
		return true;
	root = tg_yaml_load(path, TG_YAML_ALIASES, err);
	if (!root) {
		if (err)
			err->code = TG_E_INPUT;
		return false;
	}
	if (root->kind != TG_YAML_MAP) {
		tg_yaml_free(root);
		return tg_fail(err, TG_E_INPUT, "%s:1:1: the agent's config must be a mapping", path);
	}
	tg_yaml_free(root);
	s->config.frozen = tg_asprintf("config/%s", tg_path_base(path));
	return digest(&s->config, path, err);
}

static char *first_line_of(const char *path, const char *flag)
{
	const char *const argv[] = { path, flag, NULL };
	struct tg_proc_result r;
	char *line = NULL;

	if (tg_proc_run(&(struct tg_spawn){ .argv = argv }, NULL, 0, 5000, 4096, &r, NULL))
		line = tg_strndup(tg_buf_cstr(&r.out), strcspn(tg_buf_cstr(&r.out), "\n"));
	tg_proc_result_fini(&r);
	return line ? line : tg_strdup("");
}

static void note_tool(struct tg_spec *s, const char *name)
{
	char *path = tg_which(name);

	if (!path)
		return;
	s->tools = tg_realloc(s->tools, (s->tools_n + 1) * sizeof *s->tools);
	s->tools[s->tools_n++] = (struct tg_tool){ tg_strdup(name), path,
						   first_line_of(path, "--version") };
}

static bool plan_numbers(struct tg_spec *s, const struct tg_launch_opts *o, struct tg_err *err)
{
	bool paid = tg_streq(s->agent, "mini");

	s->workers = (int)(o->workers ? o->workers : 1);
	s->eval_workers = (int)(o->eval_workers ? o->eval_workers : s->workers);
	s->timeout_s = (int)(o->timeout_s ? o->timeout_s : 3600);
	s->eval_timeout_s = (int)(o->eval_timeout_s ? o->eval_timeout_s : 1800);
	s->retries = (int)(o->retries_set ? o->retries : 0);
	s->canary = (int)(o->canary_set ? o->canary : paid);
	s->stop_after = (int)(o->stop_after_set ? o->stop_after : paid ? 3 : 0);
	s->ladder = (int)(o->ladder ? o->ladder : 5);
	s->budget_usd = o->budget_set ? o->budget_usd : -1;
	s->pace = o->pace;
	if (o->budget_set && o->budget_usd <= 0)
		return tg_fail(err, TG_E_INPUT, "--budget: a sum in USD above 0 is needed");
	if (s->ladder != 4 && s->ladder != 5)
		return tg_fail(err, TG_E_INPUT, "--ladder: 4 (harness 3.x and 4.x) or 5");
	return in_range("--workers", s->workers, 1, 256, err) &&
	       in_range("--eval-workers", s->eval_workers, 1, 256, err) &&
	       in_range("--timeout", s->timeout_s, 1, 7 * 86400, err) &&
	       in_range("--eval-timeout", s->eval_timeout_s, 1, 86400, err) &&
	       in_range("--retries", s->retries, 0, 10, err) &&
	       in_range("--canary", s->canary, 0, 1, err) &&
	       in_range("--stop-after", s->stop_after, 0, 1000, err);
}

/* A key that cannot sign is found before anything runs, not when everything is paid. */
static bool plan_key(struct tg_spec *s, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_pubkey pub;
	struct tg_key *key;
	bool ok;

	s->sign = o->sign || o->sign_key;
	if (!s->sign)
		return true;
	s->sign_key = o->sign_key ? tg_path_abs(o->sign_key) : tg_key_default_path();
	key = tg_key_load(s->sign_key, err);
	ok = key && tg_key_load_public(s->sign_key, &pub, err);
	if (ok && strcmp(pub.id, tg_key_public(key)->id) != 0)
		ok = tg_fail(err, TG_E_INPUT, "the public key beside %s is another one", s->sign_key);
	tg_key_free(key);
	return ok;
}

bool tg_launch_common(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	static const char *const tools[] = { "git", "patch", "python3", "bwrap" };
	struct tg_spec *s = &l->spec;

	s->created_ms = tg_wall_ms();
	s->tgmon_version = tg_strdup(TGMON_VERSION);
	s->selection = tg_strdup("first-own");
	s->redact = o->redact;
	if (!plan_key(s, o, err))
		return false;
	s->notify = tg_strdup(o->notify);
	s->data_dir = tg_data_dir();
	if (o->required_evidence && tg_evidence_level_parse(o->required_evidence) == TG_EL_NONE)
		return tg_fail(err, TG_E_INPUT, "--required-evidence: bound or imported");
	s->required_evidence = tg_strdup(o->required_evidence);
	if (o->repos && !tg_is_dir(o->repos))
		return tg_fail(err, TG_E_INPUT, "--repos %s is not a folder", o->repos);
	s->repos_dir = o->repos ? tg_path_abs(o->repos) : NULL;
	if (o->notify && access(o->notify, X_OK) != 0)
		return tg_fail(err, TG_E_INPUT, "--notify %s is not an executable program", o->notify);
	if (!plan_numbers(s, o, err) || !plan_policy(s, o->policy, err))
		return false;
	for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++)
		note_tool(s, tools[i]);
	return true;
}

/* ---- tgmon run ------------------------------------------------------------------------------ */

static bool plan_dataset(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_spec *s = &l->spec;
	struct tg_dataset_place place;
	const char *given = o->dataset ? o->dataset : o->config ? "lite" : "demo";
	bool ok = tg_dataset_locate(given, o->split, &place, err) && tg_dataset_export(&place, NULL, err) &&
		  tg_dataset_load(&l->ds, place.path, err) && digest(&s->dataset, place.path, err);

	s->dataset_name = tg_strdup(place.name);
	s->split = tg_strdup(place.split);
	s->dataset_rows = (int64_t)l->ds.n;
	s->dataset.frozen = tg_strdup(".tgmon/dataset.jsonl");
	tg_dataset_place_fini(&place);
	return ok;
}

static bool plan_slice(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_spec *s = &l->spec;

	s->slice = tg_strdup(o->slice ? o->slice : ":");
	if (!tg_slice_indices(s->slice, l->ds.n, &l->pick, &l->pick_n, err))
		return tg_fail_in(err, "--slice");
	if (!l->pick_n)
		return tg_fail(err, TG_E_INPUT, "--slice %s chooses no instance out of %zu rows of %s", s->slice,
			       l->ds.n, s->dataset.path);
	s->expected = tg_calloc(l->pick_n, sizeof *s->expected);
	for (size_t i = 0; i < l->pick_n; i++)
		s->expected[s->expected_n++] = tg_strdup(l->ds.row[l->pick[i]].instance_id);
	s->expected_from = tg_strdup("slice");
	return true;
}

bool tg_launch_plan(struct tg_launch *l, const struct tg_launch_opts *o, struct tg_err *err)
{
	struct tg_spec *s = &l->spec;
	const struct tg_agent_ops *agent;
	const struct tg_evaluator_ops *evaluator;

	*l = (struct tg_launch){ 0 };
	s->tag = tg_strdup(o->tag ? o->tag : o->config ? "run" : "demo");
	if (!tg_tag_valid(s->tag))
		return tg_fail(err, TG_E_INPUT, "--tag: letters, digits, '.', '_' and '-', at most 64");
	if (o->config && !o->model_id)
		return tg_fail(err, TG_E_INPUT, "--model-id is missing: the name that rows and gate carry, "
			       "e.g. --model-id zai/glm-4.6");
	s->model_id = tg_strdup(o->model_id ? o->model_id : "demo/replay");
	s->agent = tg_strdup(o->agent ? o->agent : o->config ? "mini" : "replay");
	s->evaluator = tg_strdup(o->evaluator ? o->evaluator : o->config ? "swebench" : "local");
	s->reports = tg_strdup("scan");
	agent = tg_agent_find(s->agent);
	evaluator = tg_evaluator_find(s->evaluator);
	if (!agent)
		return tg_fail(err, TG_E_INPUT, "--agent %s: replay or mini", s->agent);
	if (!evaluator)
		return tg_fail(err, TG_E_INPUT, "--evaluator %s: local, swebench or import", s->evaluator);
	if (!tg_launch_common(l, o, err) || !plan_config(s, o->config, err) ||
	    !plan_dataset(l, o, err) || !plan_slice(l, o, err))
		return false;
	if (!s->required_evidence)
		s->required_evidence = tg_strdup("bound");
	l->parent = tg_path_abs(o->output ? o->output : ".");
	if (agent->preflight(s, err) && (!evaluator->preflight || evaluator->preflight(s, err)))
		return true;
	if (!o->keep_going || !err)
		return false;
	l->preflight = *err;
	tg_err_clear(err);
	return true;
}

void tg_launch_fini(struct tg_launch *l)
{
	tg_spec_fini(&l->spec);
	tg_dataset_fini(&l->ds);
	free(l->pick);
	free(l->parent);
	free(l->run_dir);
	*l = (struct tg_launch){ 0 };
}
