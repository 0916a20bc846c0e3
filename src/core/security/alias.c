#include "core/security/rulematch.h"

#include <stdlib.h>
#include <string.h>

#include "core/security/pynode.h"

static void add(struct tg_aliases *a, const char *table, const char *name)
{
	if (tg_aliases_has(a, table, name, strlen(name)))
		return;
	TG_GROW(a->v, a->n, a->cap);
	a->v[a->n++] = (struct tg_alias){ table, tg_strdup(name) };
}

void tg_aliases_seed(struct tg_aliases *a, const struct tg_rules *rules)
{
	for (size_t i = 0; i < rules->import_n; i++) {
		if (rules->import[i].seed && rules->import[i].module)
			add(a, rules->import[i].table, rules->import[i].module);
	}
}

bool tg_aliases_has(const struct tg_aliases *a, const char *table, const char *name, size_t n)
{
	for (size_t i = 0; i < a->n; i++) {
		if (!strcmp(a->v[i].table, table) && strlen(a->v[i].name) == n &&
		    !memcmp(a->v[i].name, name, n))
			return true;
	}
	return false;
}

static bool module_fits(const struct tg_import_rule *rule, const char *module)
{
	return rule->module ? !strcmp(rule->module, module) : tg_starts_with(module, rule->prefix);
}

static bool name_fits(const struct tg_import_rule *rule, const char *name)
{
	if (!rule->names)
		return true;
	for (char **p = rule->names; *p; p++) {
		if (!strcmp(*p, name))
			return true;
	}
	return false;
}

/* "a.b" of a dotted_name node, blanks and comments between its parts left out. */
static char *dotted_name(const struct tg_py *py, TSNode node)
{
	struct tg_py_kids kids = { 0 };
	struct tg_buf b = TG_BUF_INIT;

	tg_py_kids(py, &kids, node);
	for (size_t i = 0; i < kids.n; i++) {
		if (kids.v[i].kind != TG_PK_IDENTIFIER)
			continue;
		if (b.n)
			tg_buf_addc(&b, '.');
		tg_py_identifier(py, kids.v[i].node, &b);
	}
	tg_py_kids_fini(&kids);
	tg_buf_adds(&b, "");
	return tg_buf_detach(&b);
}

/* The imported name and the name it is bound to; both are the caller's. */
static void read_name(const struct tg_py *py, TSNode node, char **name, char **bound)
{
	if (tg_py_kind(py, node) == TG_PK_ALIASED_IMPORT) {
		struct tg_buf b = TG_BUF_INIT;

		*name = dotted_name(py, tg_py_field(node, "name"));
		tg_py_identifier(py, tg_py_field(node, "alias"), &b);
		*bound = tg_buf_detach(&b);
	} else {
		*name = dotted_name(py, node);
		*bound = tg_strdup(*name);
	}
}

static void import_module(struct tg_aliases *a, const struct tg_rules *rules, const char *module,
			  const char *bound)
{
	for (size_t i = 0; i < rules->import_n; i++) {
		if (module_fits(&rules->import[i], module)) {
			add(a, rules->import[i].table, bound);
			return;
		}
	}
}

static void import_from(struct tg_aliases *a, const struct tg_rules *rules, const char *module,
			const char *name, const char *bound)
{
	for (size_t i = 0; i < rules->from_n; i++) {
		const struct tg_import_rule *r = &rules->from[i];

		if (!module_fits(r, module) || !name_fits(r, name))
			continue;
		add(a, r->table, bound);
		if (r->also)
			add(a, r->also, bound);
		return;
	}
}

/* The module of `from M import`, the dots of a relative one left out. */
static char *from_module(const struct tg_py *py, TSNode statement)
{
	TSNode m = tg_py_field(statement, "module_name");
	struct tg_py_kids kids = { 0 };
	char *name = NULL;

	if (tg_py_kind(py, m) == TG_PK_DOTTED_NAME)
		return dotted_name(py, m);
	tg_py_kids(py, &kids, m);
	for (size_t i = 0; i < kids.n && !name; i++) {
		if (kids.v[i].kind == TG_PK_DOTTED_NAME)
			name = dotted_name(py, kids.v[i].node);
	}
	tg_py_kids_fini(&kids);
	return name ? name : tg_strdup("");
}

void tg_aliases_import(struct tg_aliases *a, const struct tg_rules *rules, const struct tg_py *py,
		       TSNode statement)
{
	bool from = tg_py_kind(py, statement) == TG_PK_IMPORT_FROM;
	char *module = from ? from_module(py, statement) : NULL;
	struct tg_py_kids kids = { 0 };

	tg_py_kids(py, &kids, statement);
	for (size_t i = 0; i < kids.n; i++) {
		char *name, *bound;

		if (kids.v[i].kind == TG_PK_WILDCARD && from)
			import_from(a, rules, module, "*", "*");
		if (!kids.v[i].field || strcmp(kids.v[i].field, "name"))
			continue;
		read_name(py, kids.v[i].node, &name, &bound);
		if (from)
			import_from(a, rules, module, name, bound);
		else
			import_module(a, rules, name, bound);
		free(name);
		free(bound);
	}
	tg_py_kids_fini(&kids);
	free(module);
}

void tg_aliases_fini(struct tg_aliases *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].name);
	free(a->v);
	memset(a, 0, sizeof *a);
}
