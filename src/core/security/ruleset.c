/* Reading data/rules/python.yaml: strict, so that a misspelt condition never weakens a rule. */
#include "core/security/rules.h"

#include <stdlib.h>
#include <string.h>

#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/yaml.h"

struct reader {
	const char *file;
	struct tg_err *err;
};

static bool bad(const struct reader *r, const struct tg_yaml_node *n, const char *what)
{
	return tg_fail(r->err, TG_E_INPUT, "%s:%d:%d: %s", r->file, n->key ? n->key_line : n->line,
		       n->key ? n->key_col : n->col, what);
}

static bool read_text(const struct reader *r, const struct tg_yaml_node *n, char **out)
{
	if (n->kind != TG_YAML_SCALAR || *out)
		return bad(r, n, "one text is due here");
	*out = tg_strdup(n->text);
	return true;
}

static bool read_texts(const struct reader *r, const struct tg_yaml_node *n, char ***out)
{
	size_t i = 0;

	if (n->kind != TG_YAML_LIST || *out)
		return bad(r, n, "a list of texts is due here");
	*out = tg_calloc(n->n + 1, sizeof **out);
	for (const struct tg_yaml_node *k = n->first; k; k = k->next) {
		if (k->kind != TG_YAML_SCALAR)
			return bad(r, k, "a text is due here");
		(*out)[i++] = tg_strdup(k->text);
	}
	return true;
}

static bool read_argument_kinds(const struct reader *r, const struct tg_yaml_node *n, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "operation", TG_ARG_OPERATION },
		{ "fstring", TG_ARG_FSTRING },
		{ "format", TG_ARG_FORMAT },
	};

	for (const struct tg_yaml_node *k = n->first; k; k = k->next) {
		unsigned bit = 0;

		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			if (k->kind == TG_YAML_SCALAR && tg_streq(k->text, words[i].word))
				bit = words[i].bit;
		}
		if (!bit)
			return bad(r, k, "unknown kind of argument");
		*out |= bit;
	}
	return *out || bad(r, n, "a list of kinds of argument is due here");
}

static bool read_match_key(const struct reader *r, const struct tg_yaml_node *n, struct tg_match *m)
{
	const struct {
		const char *key;
		char ***list;
		char **text;
	} keys[] = {
		{ "name", &m->name, NULL },        { "prefix", &m->prefix, NULL },
		{ "suffix", &m->suffix, NULL },    { "member", &m->member, NULL },
		{ "unless_keyword", &m->unless, NULL }, { "table", NULL, &m->table },
		{ "direct", NULL, &m->direct },    { "attribute", NULL, &m->attribute },
		{ "keyword", NULL, &m->keyword },  { "is", NULL, &m->is },
		{ "contains", NULL, &m->contains }, { "not_name", &m->not_name, NULL },
		{ "loader_argument", NULL, &m->loader_argument },
	};

	if (tg_streq(n->key, "first_argument"))
		return read_argument_kinds(r, n, &m->first_argument);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (tg_streq(n->key, keys[i].key))
			return keys[i].list ? read_texts(r, n, keys[i].list) :
					      read_text(r, n, keys[i].text);
	}
	return bad(r, n, "unknown word in a match");
}

static bool read_matches(const struct reader *r, const struct tg_yaml_node *list,
			 struct tg_rule *rule)
{
	if (list->kind != TG_YAML_LIST)
		return bad(r, list, "a list of matches is due here");
	for (const struct tg_yaml_node *n = list->first; n; n = n->next) {
		struct tg_match *m;

		if (n->kind != TG_YAML_MAP)
			return bad(r, n, "a match is a map");
		TG_GROW(rule->match, rule->match_n, rule->match_cap);
		m = &rule->match[rule->match_n++];
		memset(m, 0, sizeof *m);
		for (const struct tg_yaml_node *k = n->first; k; k = k->next) {
			if (!read_match_key(r, k, m))
				return false;
		}
		if (!m->name && !m->prefix && !m->table && !m->direct && !m->attribute)
			return bad(r, n, "a match names no function");
		if ((m->table != NULL) != (m->member != NULL) ||
		    (m->keyword != NULL) != (m->is != NULL) ||
		    (m->unless != NULL) != (m->contains != NULL) || (m->prefix && !m->suffix))
			return bad(r, n, "a match lacks the second half of a condition");
	}
	return true;
}

static bool read_on(const struct reader *r, const struct tg_yaml_node *n, enum tg_rule_on *on)
{
	static const char *const words[] = { "call", "assignment", "parse", "file" };

	for (int i = 0; i < 4; i++) {
		if (tg_streq(n->text, words[i])) {
			*on = (enum tg_rule_on)i;
			return true;
		}
	}
	return bad(r, n, "a rule is on: call, assignment, parse or file");
}

static bool read_rule_key(const struct reader *r, const struct tg_yaml_node *n,
			  struct tg_rule *rule)
{
	const struct {
		const char *key;
		char **text;
	} texts[] = {
		{ "code", &rule->code },         { "category", &rule->category },
		{ "cwe", &rule->cwe },           { "severity", &rule->severity },
		{ "message", &rule->message },   { "value_without", &rule->value_without },
	};
	int64_t least;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (tg_streq(n->key, texts[i].key))
			return read_text(r, n, texts[i].text);
	}
	if (tg_streq(n->key, "extra"))
		return tg_yaml_bool(n, &rule->extra) || bad(r, n, "true or false is due here");
	if (tg_streq(n->key, "on"))
		return read_on(r, n, &rule->on);
	if (tg_streq(n->key, "match"))
		return read_matches(r, n, rule);
	if (tg_streq(n->key, "target"))
		return read_texts(r, n, &rule->target);
	if (tg_streq(n->key, "value_least") && n->text && tg_parse_i64(n->text, &least)) {
		rule->value_least = (int)least;
		return true;
	}
	return bad(r, n, "unknown word in a rule");
}

static bool check_rule(const struct reader *r, const struct tg_yaml_node *n,
		       const struct tg_rule *rule)
{
	if (!rule->code || !rule->cwe || !rule->severity || !rule->message)
		return bad(r, n, "a rule needs code, cwe, severity and message");
	if (!tg_streq(rule->severity, "high") && !tg_streq(rule->severity, "medium") &&
	    !tg_streq(rule->severity, "low") && !tg_streq(rule->severity, "info"))
		return bad(r, n, "a severity is high, medium, low or info");
	if ((rule->on == TG_ON_CALL) != (rule->match_n > 0) ||
	    (rule->on == TG_ON_ASSIGNMENT) != (rule->target != NULL))
		return bad(r, n, "a rule on calls needs match, one on assignments needs target");
	return true;
}

static bool read_rules(const struct reader *r, const struct tg_yaml_node *list,
		       struct tg_rules *rules)
{
	for (const struct tg_yaml_node *n = list->first; n; n = n->next) {
		struct tg_rule *rule;

		TG_GROW(rules->rule, rules->rule_n, rules->rule_cap);
		rule = &rules->rule[rules->rule_n++];
		memset(rule, 0, sizeof *rule);
		for (const struct tg_yaml_node *k = n->first; k; k = k->next) {
			if (!read_rule_key(r, k, rule))
				return false;
		}
		if (!check_rule(r, n, rule))
			return false;
	}
	return true;
}

static bool read_import(const struct reader *r, const struct tg_yaml_node *n,
			struct tg_import_rule *i)
{
	memset(i, 0, sizeof *i);
	for (const struct tg_yaml_node *k = n->first; k; k = k->next) {
		bool ok;

		if (tg_streq(k->key, "module"))
			ok = read_text(r, k, &i->module);
		else if (tg_streq(k->key, "prefix"))
			ok = read_text(r, k, &i->prefix);
		else if (tg_streq(k->key, "table"))
			ok = read_text(r, k, &i->table);
		else if (tg_streq(k->key, "also"))
			ok = read_text(r, k, &i->also);
		else if (tg_streq(k->key, "names"))
			ok = read_texts(r, k, &i->names);
		else if (tg_streq(k->key, "seed"))
			ok = tg_yaml_bool(k, &i->seed) || bad(r, k, "true or false is due here");
		else
			ok = bad(r, k, "unknown word in an import");
		if (!ok)
			return false;
	}
	if (!i->table || !i->module == !i->prefix)
		return bad(r, n, "an import has a table, and a module or a prefix");
	return true;
}

static bool read_imports(const struct reader *r, const struct tg_yaml_node *list,
			 struct tg_import_rule **v, size_t *n, size_t *cap)
{
	for (const struct tg_yaml_node *k = list->first; k; k = k->next) {
		TG_GROW(*v, *n, *cap);
		if (!read_import(r, k, &(*v)[(*n)++]))
			return false;
	}
	return true;
}

static bool read_pack(const struct reader *r, const struct tg_yaml_node *root,
		      struct tg_rules *rules)
{
	for (const struct tg_yaml_node *k = root->first; k; k = k->next) {
		bool ok;

		if (tg_streq(k->key, "version"))
			ok = read_text(r, k, &rules->version);
		else if (tg_streq(k->key, "tables"))
			ok = read_imports(r, k, &rules->import, &rules->import_n,
					  &rules->import_cap);
		else if (tg_streq(k->key, "from_imports"))
			ok = read_imports(r, k, &rules->from, &rules->from_n, &rules->from_cap);
		else if (tg_streq(k->key, "rules"))
			ok = read_rules(r, k, rules);
		else
			ok = bad(r, k, "unknown word in a rule pack");
		if (!ok)
			return false;
	}
	if (!rules->version || !tg_rules_find(rules, TG_CODE_SYNTAX))
		return bad(r, root, "a rule pack needs a version and the syntax rule");
	return true;
}

static char *default_path(struct tg_err *err)
{
	char *data = tg_data_dir(), *path = NULL;

	if (data)
		path = tg_path_join(data, "rules/python.yaml");
	else
		tg_fail(err, TG_E_MACHINE, "the data folder with rules/python.yaml was not found; "
			"set TGMON_DATA to it");
	free(data);
	return path;
}

struct tg_rules *tg_rules_load(const char *path, struct tg_err *err)
{
	char *own = path ? tg_strdup(path) : default_path(err);
	struct tg_rules *rules = NULL;
	struct tg_yaml_node *root = NULL;
	struct tg_buf text = TG_BUF_INIT;
	bool ok;

	if (!own)
		return NULL;
	ok = tg_file_read(own, 256 << 10, &text, err);
	if (ok)
		root = tg_yaml_parse(text.p, text.n, own, 0, err);
	if (root) {
		struct reader r = { own, err };

		rules = tg_calloc(1, sizeof *rules);
		tg_sha256_hex(text.p, text.n, rules->sha256);
		if (!read_pack(&r, root, rules)) {
			tg_rules_free(rules);
			rules = NULL;
		}
	}
	tg_yaml_free(root);
	tg_buf_fini(&text);
	free(own);
	return rules;
}

static void free_texts(char **v)
{
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
}

static void free_rule(struct tg_rule *rule)
{
	for (size_t i = 0; i < rule->match_n; i++) {
		struct tg_match *m = &rule->match[i];

		free_texts(m->name);
		free_texts(m->prefix);
		free_texts(m->suffix);
		free_texts(m->member);
		free_texts(m->unless);
		free_texts(m->not_name);
		free(m->loader_argument);
		free(m->table);
		free(m->direct);
		free(m->attribute);
		free(m->keyword);
		free(m->is);
		free(m->contains);
	}
	free(rule->match);
	free_texts(rule->target);
	free(rule->code);
	free(rule->category);
	free(rule->cwe);
	free(rule->severity);
	free(rule->message);
	free(rule->value_without);
}

static void free_imports(struct tg_import_rule *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].module);
		free(v[i].prefix);
		free(v[i].table);
		free(v[i].also);
		free_texts(v[i].names);
	}
	free(v);
}

void tg_rules_free(struct tg_rules *rules)
{
	if (!rules)
		return;
	free_imports(rules->import, rules->import_n);
	free_imports(rules->from, rules->from_n);
	for (size_t i = 0; i < rules->rule_n; i++)
		free_rule(&rules->rule[i]);
	free(rules->rule);
	free(rules->version);
	free(rules);
}

const struct tg_rule *tg_rules_find(const struct tg_rules *rules, const char *code)
{
	for (size_t i = 0; i < rules->rule_n; i++) {
		if (tg_streq(rules->rule[i].code, code))
			return &rules->rule[i];
	}
	return NULL;
}
