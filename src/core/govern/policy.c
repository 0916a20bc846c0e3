#include "core/govern/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/text.h"
#include "core/lib/yaml.h"

/* The built-in policy is the data file itself, put into the program by the assembler. */
__asm__(".pushsection .rodata\n"
	".global tg_policy_builtin_begin\n"
	"tg_policy_builtin_begin:\n"
	".incbin \"" TGMON_SOURCE_DATA "/policy/default_policy.yaml\"\n"
	".global tg_policy_builtin_end\n"
	"tg_policy_builtin_end:\n"
	".byte 0\n"
	".popsection\n");
extern const char tg_policy_builtin_begin[], tg_policy_builtin_end[];

struct reader {
	const char *name;
	struct tg_policy *policy;
	struct tg_err *err;
};

typedef bool (*key_fn)(struct reader *r, const struct tg_yaml_node *n);

struct key {
	const char *name;
	key_fn fn; /* NULL: known, not used */
};

static bool fail_node(const struct reader *r, const struct tg_yaml_node *n, const char *text)
{
	return tg_fail(r->err, TG_E_INPUT, "%s:%d:%d: %s", r->name, n->line, n->col, text);
}

static bool fail_word(const struct reader *r, const struct tg_yaml_node *n, const char *what,
		      const char *word, const char *hint)
{
	char *shown = tg_text_line(word, strlen(word), 80);

	tg_fail(r->err, TG_E_INPUT, "%s:%d:%d: %s '%s'; %s", r->name, n->line, n->col, what, shown,
		hint);
	free(shown);
	return false;
}

static bool fail_key(const struct reader *r, const struct tg_yaml_node *n, const char *where)
{
	char *shown = tg_text_line(n->key, strlen(n->key), 80);

	tg_fail(r->err, TG_E_INPUT, "%s:%d:%d: unknown key '%s' in %s", r->name, n->key_line,
		n->key_col, shown, where);
	free(shown);
	return false;
}

static bool walk(struct reader *r, const struct tg_yaml_node *map, const char *where,
		 const struct key *keys)
{
	const struct tg_yaml_node *c;
	const struct key *k;

	if (tg_yaml_is_null(map))
		return true; /* "ast:" with nothing behind it */
	if (map->kind != TG_YAML_MAP) {
		char *text = tg_asprintf("%s must be a mapping (key: value)", where);

		fail_node(r, map, text);
		free(text);
		return false;
	}
	for (c = map->first; c; c = c->next) {
		for (k = keys; k->name && strcmp(k->name, c->key) != 0; k++)
			;
		if (!k->name)
			return fail_key(r, c, where);
		if (k->fn && !k->fn(r, c))
			return false;
	}
	return true;
}

bool tg_severity_valid(const char *s)
{
	return tg_streq(s, "high") || tg_streq(s, "medium") || tg_streq(s, "low") ||
	       tg_streq(s, "info");
}

int tg_severity_rank(const char *s)
{
	if (tg_streq(s, "medium"))
		return 2;
	return tg_streq(s, "low") || tg_streq(s, "info") ? 1 : 3;
}

static bool take_severity(struct reader *r, const struct tg_yaml_node *n, char **out)
{
	if (n->kind != TG_YAML_SCALAR)
		return fail_node(r, n, "a severity must be one of high, medium, low, info");
	if (!tg_severity_valid(n->text))
		return fail_word(r, n, "unknown severity", n->text,
				 "it must be one of high, medium, low, info");
	*out = tg_strdup(n->text);
	return true;
}

static bool read_version(struct reader *r, const struct tg_yaml_node *n)
{
	if (n->kind != TG_YAML_SCALAR)
		return fail_node(r, n, "version must be a text");
	r->policy->version = tg_strdup(n->text);
	return true;
}

static bool read_severity_map(struct reader *r, const struct tg_yaml_node *map)
{
	struct tg_policy *p = r->policy;
	const struct tg_yaml_node *c;

	if (tg_yaml_is_null(map))
		return true;
	if (map->kind != TG_YAML_MAP)
		return fail_node(r, map, "severity_map must be a mapping (CODE: severity)");
	for (c = map->first; c; c = c->next) {
		char *severity;

		if (!take_severity(r, c, &severity))
			return false;
		TG_GROW(p->map, p->map_n, p->map_cap);
		p->map[p->map_n++] = (struct tg_policy_severity){tg_strdup(c->key), severity};
	}
	return true;
}

static bool read_test_path_cap(struct reader *r, const struct tg_yaml_node *n)
{
	char *cap = NULL;

	if (!take_severity(r, n, &cap))
		return false;
	free(r->policy->test_path_cap);
	r->policy->test_path_cap = cap;
	return true;
}

static bool read_blocking(struct reader *r, const struct tg_yaml_node *list)
{
	const struct tg_yaml_node *c;
	size_t n = 0;

	if (list->kind != TG_YAML_LIST)
		return fail_node(r, list, "blocking_codes must be a list of codes");
	r->policy->blocking = tg_calloc(list->n + 1, sizeof *r->policy->blocking);
	for (c = list->first; c; c = c->next) {
		if (c->kind != TG_YAML_SCALAR || !*c->text)
			return fail_node(r, c, "a code of blocking_codes must be a text");
		r->policy->blocking[n++] = tg_strdup(c->text);
	}
	return true;
}

static bool read_max_risk(struct reader *r, const struct tg_yaml_node *n)
{
	if (n->kind != TG_YAML_SCALAR ||
	    !(tg_streq(n->text, "low") || tg_streq(n->text, "medium") || tg_streq(n->text, "high")))
		return fail_node(r, n, "max_risk_level must be low, medium or high (no limit)");
	r->policy->max_risk = tg_streq(n->text, "high") ? NULL : tg_strdup(n->text);
	return true;
}

static bool read_ast(struct reader *r, const struct tg_yaml_node *n)
{
	static const struct key keys[] = {
	    {"rulepack_version", NULL},
	    {"severity_map", read_severity_map},
	    {"test_path_cap", read_test_path_cap},
	    {"blocking_codes", read_blocking},
	    {NULL, NULL}};

	return walk(r, n, "ast", keys);
}

static bool take_text(struct reader *r, const struct tg_yaml_node *item, const char *key, bool must,
		      char **out)
{
	const struct tg_yaml_node *n = tg_yaml_get(item, key);

	if (!n || tg_yaml_is_null(n)) {
		if (must)
			return fail_word(r, item, "this pattern lacks", key,
					 "each needs code and regex");
		*out = tg_strdup("");
		return true;
	}
	if (n->kind != TG_YAML_SCALAR)
		return fail_word(r, n, "not a text:", key, "write one value");
	if (must && !*n->text)
		return fail_word(r, n, "empty", key, "each pattern needs code and regex");
	*out = tg_strdup(n->text);
	return true;
}

static bool read_pattern(struct reader *r, const struct tg_yaml_node *item)
{
	static const struct key keys[] = {{"code", NULL},
					  {"regex", NULL},
					  {"severity", NULL},
					  {"explanation", NULL},
					  {NULL, NULL}};
	struct tg_policy *p = r->policy;
	struct tg_policy_pattern *pt;
	const struct tg_yaml_node *sev;
	struct tg_err why;

	if (item->kind != TG_YAML_MAP)
		return fail_node(r, item,
				 "a command pattern must be a mapping with code and regex");
	if (!walk(r, item, "a command pattern", keys))
		return false;
	TG_GROW(p->pattern, p->pattern_n, p->pattern_cap);
	pt = &p->pattern[p->pattern_n++];
	memset(pt, 0, sizeof *pt);
	if (!take_text(r, item, "code", true, &pt->code) ||
	    !take_text(r, item, "regex", true, &pt->regex) ||
	    !take_text(r, item, "explanation", false, &pt->explanation))
		return false;
	sev = tg_yaml_get(item, "severity");
	if (!sev)
		pt->severity = tg_strdup("high");
	else if (!take_severity(r, sev, &pt->severity))
		return false;
	pt->re = tg_regex_new(pt->regex, 0, &why);
	if (!pt->re) {
		const struct tg_yaml_node *at = tg_yaml_get(item, "regex");

		return fail_word(r, at, "pattern", pt->code, why.msg);
	}
	return true;
}

static bool read_patterns(struct reader *r, const struct tg_yaml_node *list)
{
	const struct tg_yaml_node *c;

	if (tg_yaml_is_null(list))
		return true;
	if (list->kind != TG_YAML_LIST)
		return fail_node(r, list, "command_patterns must be a list");
	for (c = list->first; c; c = c->next)
		if (!read_pattern(r, c))
			return false;
	return true;
}

static bool read_trajectory(struct reader *r, const struct tg_yaml_node *n)
{
	static const struct key keys[] = {{"command_patterns", read_patterns},
					  {"max_risk_level", read_max_risk},
					  {NULL, NULL}};

	return walk(r, n, "trajectory", keys);
}

static bool read_cri_threshold(struct reader *r, const struct tg_yaml_node *n)
{
	double v;

	if (!tg_yaml_number(n, &v) || !isfinite(v) || v < 0 || v > 1)
		return fail_node(r, n, "cri_threshold must be a number from 0 to 1");
	r->policy->cri_threshold = v;
	return true;
}

static bool read_thresholds(struct reader *r, const struct tg_yaml_node *n)
{
	static const struct key keys[] = {{"cri_threshold", read_cri_threshold}, {NULL, NULL}};

	return walk(r, n, "thresholds", keys);
}

static bool read_required(struct reader *r, const struct tg_yaml_node *n)
{
	if (n->kind != TG_YAML_SCALAR || tg_evidence_level_parse(n->text) == TG_EL_NONE)
		return fail_node(r, n, "required_evidence must be bound or imported");
	r->policy->required_evidence = tg_evidence_level_parse(n->text);
	return true;
}

struct tg_policy *tg_policy_parse(const char *p, size_t n, const char *name, struct tg_err *err)
{
	static const struct key keys[] = {{"version", read_version},
					  {"name", NULL},
					  {"generated_utc", NULL},
					  {"description", NULL},
					  {"thresholds", read_thresholds},
					  {"required_evidence", read_required},
					  {"ast", read_ast},
					  {"trajectory", read_trajectory},
					  {NULL, NULL}};
	struct tg_yaml_node *root = tg_yaml_parse(p, n, name, 0, err);
	struct reader r = {.name = name, .err = err};
	bool ok;

	if (!root)
		return NULL;
	r.policy = tg_calloc(1, sizeof *r.policy);
	r.policy->cri_threshold = TG_POLICY_CRI_THRESHOLD;
	r.policy->test_path_cap = tg_strdup("low");
	tg_sha256_hex(p, n, r.policy->sha256);
	if (root->kind != TG_YAML_MAP)
		ok = fail_node(&r, root, "a policy must be a mapping (key: value) at the top");
	else
		ok = walk(&r, root, "the policy", keys);
	tg_yaml_free(root);
	if (!ok) {
		tg_policy_free(r.policy);
		return NULL;
	}
	return r.policy;
}

const char *tg_policy_builtin(size_t *n)
{
	*n = (size_t)((uintptr_t)tg_policy_builtin_end - (uintptr_t)tg_policy_builtin_begin);
	return tg_policy_builtin_begin;
}

struct tg_policy *tg_policy_load(const char *path, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_policy *p = NULL;
	size_t n;

	if (!path) {
		const char *text = tg_policy_builtin(&n);

		return tg_policy_parse(text, n, "built-in policy", err);
	}
	if (tg_file_read(path, 256 * 1024, &b, err)) {
		p = tg_policy_parse(tg_buf_cstr(&b), b.n, path, err);
		if (p)
			p->path = tg_strdup(path);
	} else if (err) {
		err->code = TG_E_INPUT; /* the file that the caller named */
	}
	tg_buf_fini(&b);
	return p;
}

void tg_policy_free(struct tg_policy *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->pattern_n; i++) {
		free(p->pattern[i].code);
		free(p->pattern[i].regex);
		free(p->pattern[i].severity);
		free(p->pattern[i].explanation);
		tg_regex_free(p->pattern[i].re);
	}
	for (i = 0; i < p->map_n; i++) {
		free(p->map[i].code);
		free(p->map[i].severity);
	}
	for (i = 0; p->blocking && p->blocking[i]; i++)
		free(p->blocking[i]);
	free(p->blocking);
	free(p->test_path_cap);
	free(p->max_risk);
	free(p->pattern);
	free(p->map);
	free(p->path);
	free(p->version);
	free(p);
}

static bool may_block(const struct tg_policy *p, const char *code)
{
	size_t i;

	for (i = 0; p->blocking && p->blocking[i]; i++)
		if (tg_streq(p->blocking[i], code))
			return true;
	return !p->blocking;
}

/* A code that may not block abstains at most. */
const char *tg_policy_mapped(const struct tg_policy *p, const char *code)
{
	size_t i;

	for (i = 0; p && i < p->map_n; i++)
		if (tg_streq(p->map[i].code, code))
			return tg_streq(p->map[i].severity, "high") && !may_block(p, code)
				   ? "medium"
				   : p->map[i].severity;
	return p && !may_block(p, code) ? "medium" : NULL;
}

const char *tg_policy_severity(const struct tg_policy *p, const char *code)
{
	const char *s = tg_policy_mapped(p, code);

	return s ? s : "high";
}
