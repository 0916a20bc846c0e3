/*
 * run.json as a table of members: one row says name, kind and place in struct tg_spec, and both
 * directions follow it, so that what is written is what is read.
 */
#include "core/run/spec.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/layout.h"

#define SCHEMA "tgmon.run.v1"
#define MAX_EXPECTED 100000

enum kind { STR, REF, I64, INT, NUM, NUM_OPT, BOOL };

struct member {
	const char *name;
	enum kind kind;
	size_t at;
	bool needed;
};

#define AT(f) offsetof(struct tg_spec, f)
static const struct member members[] = {
	{ "run_id", STR, AT(run_id), true },
	{ "created_ms", I64, AT(created_ms), true },
	{ "tgmon_version", STR, AT(tgmon_version), false },
	{ "model_id", STR, AT(model_id), false },
	{ "tag", STR, AT(tag), false },
	{ "slice", STR, AT(slice), false },
	{ "dataset_name", STR, AT(dataset_name), false },
	{ "split", STR, AT(split), false },
	{ "dataset", REF, AT(dataset), false },
	{ "dataset_rows", I64, AT(dataset_rows), false },
	{ "config", REF, AT(config), false },
	{ "policy", REF, AT(policy), false },
	{ "policy_version", STR, AT(policy_version), false },
	{ "agent", STR, AT(agent), true },
	{ "evaluator", STR, AT(evaluator), true },
	{ "reports", STR, AT(reports), false },
	{ "source_dir", STR, AT(source_dir), false },
	{ "eval_results", REF, AT(eval_results), false },
	{ "data_dir", STR, AT(data_dir), false },
	{ "repos_dir", STR, AT(repos_dir), false },
	{ "ladder", INT, AT(ladder), false },
	{ "workers", INT, AT(workers), true },
	{ "eval_workers", INT, AT(eval_workers), true },
	{ "budget_usd", NUM_OPT, AT(budget_usd), false },
	{ "timeout_s", INT, AT(timeout_s), true },
	{ "eval_timeout_s", INT, AT(eval_timeout_s), true },
	{ "retries", INT, AT(retries), true },
	{ "canary", INT, AT(canary), false },
	{ "stop_after", INT, AT(stop_after), false },
	{ "pace", NUM, AT(pace), false },
	{ "selection", STR, AT(selection), true },
	{ "required_evidence", STR, AT(required_evidence), false },
	{ "notify", STR, AT(notify), false },
	{ "redact", BOOL, AT(redact), false },
	{ "sign", BOOL, AT(sign), false },
	{ "sign_key", STR, AT(sign_key), false },
	{ "expected_from", STR, AT(expected_from), false },
};
#define MEMBERS (sizeof members / sizeof members[0])

static void *place(struct tg_spec *s, size_t at)
{
	return (char *)s + at;
}

static const void *place_const(const struct tg_spec *s, size_t at)
{
	return (const char *)s + at;
}

static void fini_ref(struct tg_digest_ref *r)
{
	free(r->path);
	free(r->frozen);
	free(r->sha256);
	free(r->frozen_sha256);
}

void tg_spec_fini(struct tg_spec *s)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		if (members[i].kind == STR)
			free(*(char **)place(s, members[i].at));
		else if (members[i].kind == REF)
			fini_ref(place(s, members[i].at));
	}
	for (size_t i = 0; i < s->expected_n; i++)
		free(s->expected[i]);
	free(s->expected);
	for (size_t i = 0; i < s->tools_n; i++) {
		free(s->tools[i].name);
		free(s->tools[i].path);
		free(s->tools[i].version);
	}
	free(s->tools);
	for (size_t i = 0; i < s->agent_env_n; i++)
		free(s->agent_env[i]);
	free(s->agent_env);
	*s = (struct tg_spec){ 0 };
}

/* ---- writing ---- */

static bool ref_json(const struct tg_digest_ref *r, const char *run, struct cJSON **out,
		     struct tg_err *err)
{
	struct cJSON *o = tg_json_object();
	char frozen_sha[TG_SHA256_HEX];
	const char *fs = r->frozen_sha256;

	*out = o;
	if (r->frozen != NULL && fs == NULL) {
		char *path = tg_path_join(run, r->frozen);
		bool ok = tg_sha256_file(path, frozen_sha, NULL, err);

		free(path);
		if (!ok)
			return false;
		fs = frozen_sha;
	}
	tg_json_set_str(o, "path", r->path);
	tg_json_set_str(o, "frozen", r->frozen);
	tg_json_set_str(o, "sha256", r->sha256);
	tg_json_set_str(o, "frozen_sha256", fs);
	return true;
}

static bool set_member(struct cJSON *o, const struct member *m, const struct tg_spec *s,
		       const char *run, struct tg_err *err)
{
	const void *p = place_const(s, m->at);
	struct cJSON *ref;
	bool ok = true;

	switch (m->kind) {
	case STR:
		tg_json_set_str(o, m->name, *(char *const *)p);
		break;
	case REF:
		ok = ref_json(p, run, &ref, err);
		tg_json_set(o, m->name, ref);
		break;
	case I64:
		tg_json_set_int(o, m->name, *(const int64_t *)p);
		break;
	case INT:
		tg_json_set_int(o, m->name, *(const int *)p);
		break;
	case NUM:
		tg_json_set_float(o, m->name, *(const double *)p);
		break;
	case NUM_OPT:
		if (*(const double *)p < 0)
			tg_json_set_null(o, m->name);
		else
			tg_json_set_float(o, m->name, *(const double *)p);
		break;
	case BOOL:
		tg_json_set_bool(o, m->name, *(const bool *)p);
		break;
	}
	return ok;
}

static void set_lists(struct cJSON *o, const struct tg_spec *s)
{
	struct cJSON *ids = tg_json_array(), *tools = tg_json_array(), *env = tg_json_array();

	for (size_t i = 0; i < s->expected_n; i++)
		tg_json_push_str(ids, s->expected[i]);
	for (size_t i = 0; i < s->tools_n; i++) {
		struct cJSON *t = tg_json_object();

		tg_json_set_str(t, "name", s->tools[i].name);
		tg_json_set_str(t, "path", s->tools[i].path);
		tg_json_set_str(t, "version", s->tools[i].version);
		tg_json_push(tools, t);
	}
	tg_json_set(o, "expected", ids);
	tg_json_set(o, "tools", tools);
	for (size_t i = 0; i < s->agent_env_n; i++)
		tg_json_push_str(env, s->agent_env[i]);
	tg_json_set(o, "agent_env", env);
}

bool tg_spec_write(const struct tg_spec *s, const char *run, char sha256[65], struct tg_err *err)
{
	struct cJSON *o = tg_json_object();
	struct tg_buf b = TG_BUF_INIT;
	char *path = tg_layout_control(run, "run.json");
	bool ok = true;

	tg_json_set_str(o, "schema", SCHEMA);
	for (size_t i = 0; i < MEMBERS && ok; i++)
		ok = set_member(o, &members[i], s, run, err);
	if (ok && tg_file_exists(path))
		ok = tg_fail(err, TG_E_BUSY, "%s exists already: a run's spec is written once",
			     path);
	if (ok) {
		set_lists(o, s);
		tg_json_print(o, TG_JSON_PY_INDENT2, &b);
		tg_buf_addc(&b, '\n');
		tg_sha256_hex(b.p, b.n, sha256);
		ok = tg_file_write(path, b.p, b.n, 0644, err);
	}
	tg_json_free(o);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

/* ---- reading ---- */

static bool text_ok(const struct cJSON *v)
{
	enum tg_json_kind k = tg_json_kind(v);

	return k == TG_JSON_NONE || k == TG_JSON_NULL || k == TG_JSON_STRING;
}

static bool get_ref(struct tg_digest_ref *r, const struct cJSON *v)
{
	static const char *const names[] = { "path", "frozen", "sha256", "frozen_sha256" };
	char **const to[] = { &r->path, &r->frozen, &r->sha256, &r->frozen_sha256 };
	enum tg_json_kind k = tg_json_kind(v);

	if (k == TG_JSON_NONE || k == TG_JSON_NULL)
		return true;
	if (k != TG_JSON_OBJECT)
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (!text_ok(tg_json_get(v, names[i])))
			return false;
		*to[i] = tg_strdup(tg_json_str(v, names[i]));
	}
	if (r->frozen != NULL && !tg_path_is_safe_relative(r->frozen))
		return false;
	if (r->frozen_sha256 != NULL && !tg_is_sha256_hex(r->frozen_sha256))
		return false;
	return r->sha256 == NULL || tg_is_sha256_hex(r->sha256);
}

static bool get_number(const struct member *m, const struct cJSON *v, void *p)
{
	double d = tg_json_number(v, 0);

	if (tg_json_kind(v) != TG_JSON_NUMBER)
		return m->kind == NUM_OPT && tg_json_kind(v) == TG_JSON_NULL;
	if (m->kind == NUM || m->kind == NUM_OPT) {
		*(double *)p = d;
		return true;
	}
	if (!(d >= -9007199254740991.0 && d <= 9007199254740991.0) || (double)(int64_t)d != d)
		return false;
	if (m->kind == I64) {
		*(int64_t *)p = (int64_t)d;
		return true;
	}
	if (d < -2147483647.0 || d > 2147483647.0)
		return false;
	*(int *)p = (int)d;
	return true;
}

static bool get_member(struct tg_spec *s, const struct member *m, const struct cJSON *o)
{
	const struct cJSON *v = tg_json_get(o, m->name);
	void *p = place(s, m->at);

	if (v == NULL)
		return !m->needed;
	switch (m->kind) {
	case STR:
		if (!text_ok(v) || (m->needed && tg_json_text(v) == NULL))
			return false;
		*(char **)p = tg_strdup(tg_json_text(v));
		return true;
	case REF:
		return get_ref(p, v);
	case BOOL:
		*(bool *)p = tg_json_bool(o, m->name, false);
		return tg_json_kind(v) == TG_JSON_BOOL;
	default:
		return get_number(m, v, p);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Ids become path parts and keys of the fold: only good ones, each once. */
static bool get_expected(struct tg_spec *s, const struct cJSON *o, const char *path,
			 struct tg_err *err)
{
	const struct cJSON *ids = tg_json_get(o, "expected");
	size_t n = tg_json_len(ids);
	char **sorted;
	bool ok = true;

	if (tg_json_kind(ids) != TG_JSON_ARRAY || n == 0 || n > MAX_EXPECTED)
		return tg_fail(err, TG_E_INPUT, "%s: \"expected\" must list the instance ids",
			       path);
	s->expected = tg_calloc(n, sizeof *s->expected);
	for (const struct cJSON *c = tg_json_first(ids); c != NULL; c = tg_json_next(c)) {
		if (!tg_instance_id_valid(tg_json_text(c)))
			return tg_fail(err, TG_E_INPUT,
				       "%s: \"expected\" entry %zu is no instance id", path,
				       s->expected_n);
		s->expected[s->expected_n++] = tg_strdup(tg_json_text(c));
	}
	sorted = tg_calloc(n, sizeof *sorted);
	memcpy(sorted, s->expected, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_text);
	for (size_t i = 1; i < n && ok; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			ok = tg_fail(err, TG_E_INPUT, "%s: \"expected\" names %s twice", path,
				     sorted[i]);
	free(sorted);
	return ok;
}

static void get_tools(struct tg_spec *s, const struct cJSON *o)
{
	const struct cJSON *tools = tg_json_get(o, "tools");
	size_t n = tg_json_len(tools);

	if (n == 0)
		return;
	s->tools = tg_calloc(n, sizeof *s->tools);
	for (const struct cJSON *c = tg_json_first(tools); c != NULL; c = tg_json_next(c)) {
		struct tg_tool *t = &s->tools[s->tools_n++];

		t->name = tg_strdup(tg_json_str(c, "name"));
		t->path = tg_strdup(tg_json_str(c, "path"));
		t->version = tg_strdup(tg_json_str(c, "version"));
	}
}

static void get_agent_env(struct tg_spec *s, const struct cJSON *o)
{
	const struct cJSON *env = tg_json_get(o, "agent_env");

	if (tg_json_len(env) == 0)
		return;
	s->agent_env = tg_calloc(tg_json_len(env), sizeof *s->agent_env);
	for (const struct cJSON *c = tg_json_first(env); c != NULL; c = tg_json_next(c))
		if (tg_json_text(c) && strchr(tg_json_text(c), '='))
			s->agent_env[s->agent_env_n++] = tg_strdup(tg_json_text(c));
}

static bool get_all(struct tg_spec *s, const struct cJSON *o, const char *path, struct tg_err *err)
{
	if (!tg_streq(tg_json_str(o, "schema"), SCHEMA))
		return tg_fail(err, TG_E_INPUT, "%s: \"schema\" is not " SCHEMA
			       ": it was written by another version, or is no run.json", path);
	s->budget_usd = -1;
	for (size_t i = 0; i < MEMBERS; i++)
		if (!get_member(s, &members[i], o))
			return tg_fail(err, TG_E_INPUT,
				       "%s: member \"%s\" is missing or of a wrong "
				       "kind",
				       path, members[i].name);
	if (!get_expected(s, o, path, err))
		return false;
	get_tools(s, o);
	get_agent_env(s, o);
	return true;
}

bool tg_spec_load(struct tg_spec *s, const char *run, char sha256[65], struct tg_err *err)
{
	char *path = tg_layout_control(run, "run.json");
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *o = NULL;
	bool ok;

	*s = (struct tg_spec){ 0 };
	ok = tg_file_read(path, 64u << 20, &b, err);
	if (ok) {
		o = tg_json_parse(b.p, b.n, path, NULL, err);
		ok = o != NULL && get_all(s, o, path, err);
	}
	if (ok && sha256 != NULL)
		tg_sha256_hex(b.p, b.n, sha256);
	if (!ok)
		tg_spec_fini(s);
	tg_json_free(o);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

bool tg_spec_expects(const struct tg_spec *s, const char *iid)
{
	for (size_t i = 0; i < s->expected_n; i++)
		if (tg_streq(s->expected[i], iid))
			return true;
	return false;
}
