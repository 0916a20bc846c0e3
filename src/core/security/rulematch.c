#include "core/security/rulematch.h"

#include <string.h>
#include <utf8proc.h>

#include "core/lib/text.h"
#include "core/security/pynode.h"

static bool in_list(char *const *list, const char *s)
{
	for (char *const *p = list; p && *p; p++) {
		if (!strcmp(*p, s))
			return true;
	}
	return false;
}

static bool has_prefix(char *const *list, const char *s)
{
	for (char *const *p = list; p && *p; p++) {
		if (tg_starts_with(s, *p))
			return true;
	}
	return false;
}

static bool has_suffix(char *const *list, const char *s)
{
	for (char *const *p = list; p && *p; p++) {
		if (tg_ends_with(s, *p))
			return true;
	}
	return false;
}

static bool node_is(const struct tg_py *py, TSNode node, const char *text)
{
	struct tg_buf b = TG_BUF_INIT;
	bool same;

	tg_py_identifier(py, node, &b);
	same = !strcmp(tg_buf_cstr(&b), text);
	tg_buf_fini(&b);
	return same;
}

/* Exactly two parts: a name of the table, and one of the members. */
static bool two_part(const struct tg_match *m, const struct tg_aliases *aliases, const char *dotted)
{
	const char *dot = strchr(dotted, '.');

	if (!dot || strchr(dot + 1, '.') ||
	    !tg_aliases_has(aliases, m->table, dotted, (size_t)(dot - dotted)))
		return false;
	return !*m->member || in_list(m->member, dot + 1);
}

static bool is_attribute_call(const struct tg_py *py, TSNode call, const char *name)
{
	TSNode function = tg_py_unwrap(py, tg_py_field(call, "function"));

	return tg_py_kind(py, function) == TG_PK_ATTRIBUTE &&
	       node_is(py, tg_py_field(function, "attribute"), name);
}

static bool function_fits(const struct tg_match *m, const struct tg_py *py,
			  const struct tg_aliases *aliases, TSNode call, const char *dotted)
{
	if (in_list(m->not_name, dotted))
		return false;
	if (m->prefix)
		return has_prefix(m->prefix, dotted) && has_suffix(m->suffix, dotted);
	if (m->table)
		return two_part(m, aliases, dotted);
	if (m->direct)
		return tg_aliases_has(aliases, m->direct, dotted, strlen(dotted));
	if (m->attribute)
		return is_attribute_call(py, call, m->attribute);
	return in_list(m->name, dotted) || has_suffix(m->suffix, dotted);
}

/* The value of a keyword argument, when its name is in `names`; .id NULL otherwise. */
static TSNode keyword_value(const struct tg_py *py, const struct tg_py_kid *kid, char *const *names)
{
	struct tg_buf name = TG_BUF_INIT;
	TSNode value = { 0 };

	if (kid->kind != TG_PK_KEYWORD_ARGUMENT)
		return value;
	tg_py_identifier(py, tg_py_field(kid->node, "name"), &name);
	if (in_list(names, tg_buf_cstr(&name)))
		value = tg_py_unwrap(py, tg_py_field(kid->node, "value"));
	tg_buf_fini(&name);
	return value;
}

static bool is_bool(const struct tg_py *py, TSNode node, const char *word)
{
	return tg_py_kind(py, node) == (word[0] == 'T' ? TG_PK_TRUE : TG_PK_FALSE);
}

static bool keyword_fits(const struct tg_match *m, const struct tg_py *py,
			 const struct tg_py_kids *args)
{
	char *names[2] = { m->keyword, NULL };

	if (!m->keyword)
		return true;
	for (size_t i = 0; i < args->n; i++) {
		TSNode value = keyword_value(py, &args->v[i], names);

		if (value.id && tg_py_is_constant(py, value))
			return is_bool(py, value, m->is);
	}
	return false;
}

static bool exempt(const struct tg_match *m, const struct tg_py *py, const struct tg_py_kids *args)
{
	struct tg_buf name = TG_BUF_INIT, low = TG_BUF_INIT;
	bool found = false;

	for (size_t i = 0; m->unless && i < args->n && !found; i++) {
		TSNode value = keyword_value(py, &args->v[i], m->unless);

		if (!value.id)
			continue;
		tg_py_dotted(py, value, &name);
		tg_py_lower(tg_buf_cstr(&name), name.n, &low);
		found = strstr(tg_buf_cstr(&low), m->contains) != NULL;
		break;
	}
	tg_buf_fini(&name);
	tg_buf_fini(&low);
	return found;
}

/* Which of TG_ARG_* an argument is. */
static unsigned argument_kind(const struct tg_py *py, TSNode arg)
{
	struct tg_buf value = TG_BUF_INIT;
	struct tg_py_string s;
	unsigned kind = 0;

	if (py->src[ts_node_start_byte(arg)] == '*')
		return 0; /* starred, wherever the grammar hangs the star */
	arg = tg_py_unwrap(py, arg);
	switch (tg_py_kind(py, arg)) {
	case TG_PK_BINARY:
		return TG_ARG_OPERATION;
	case TG_PK_CALL:
		return is_attribute_call(py, arg, "format") ? TG_ARG_FORMAT : 0;
	default:
		break;
	}
	if (tg_py_string_value(py, arg, &value, &s) && s.is_f)
		kind = TG_ARG_FSTRING;
	tg_buf_fini(&value);
	return kind;
}

static bool first_argument_fits(const struct tg_match *m, const struct tg_py *py, TSNode arguments,
				const struct tg_py_kids *args)
{
	if (!m->first_argument)
		return true;
	if (tg_py_kind(py, arguments) == TG_PK_GENERATOR)
		return false;
	for (size_t i = 0; i < args->n; i++) {
		enum tg_py_kind kind = args->v[i].kind;

		if (!args->v[i].named || kind == TG_PK_KEYWORD_ARGUMENT || kind == TG_PK_DICT_SPLAT)
			continue;
		return (argument_kind(py, args->v[i].node) & m->first_argument) != 0;
	}
	return false;
}

/* The second positional argument names a loader, and not a safe one. */
static bool loader_fits(const struct tg_match *m, const struct tg_py *py, const struct tg_py_kids *args)
{
	struct tg_buf name = TG_BUF_INIT, low = TG_BUF_INIT;
	size_t position = 0;
	bool fits = false;

	if (!m->loader_argument)
		return true;
	for (size_t i = 0; i < args->n && position < 2; i++) {
		enum tg_py_kind kind = args->v[i].kind;

		if (!args->v[i].named || kind == TG_PK_KEYWORD_ARGUMENT || kind == TG_PK_DICT_SPLAT ||
		    ++position < 2)
			continue;
		tg_py_dotted(py, tg_py_unwrap(py, args->v[i].node), &name);
		tg_py_lower(tg_buf_cstr(&name), name.n, &low);
		fits = strstr(tg_buf_cstr(&low), "loader") &&
		       !strstr(tg_buf_cstr(&low), m->loader_argument);
	}
	tg_buf_fini(&name);
	tg_buf_fini(&low);
	return fits;
}

bool tg_rule_matches_call(const struct tg_rule *rule, const struct tg_py *py,
			  const struct tg_aliases *aliases, TSNode call, const char *dotted)
{
	bool hit = false;

	for (size_t i = 0; i < rule->match_n && !hit; i++) {
		const struct tg_match *m = &rule->match[i];
		struct tg_py_kids args = { 0 };
		TSNode arguments;

		if (!function_fits(m, py, aliases, call, dotted))
			continue;
		arguments = tg_py_field(call, "arguments");
		tg_py_kids(py, &args, arguments);
		hit = keyword_fits(m, py, &args) && !exempt(m, py, &args) &&
		      first_argument_fits(m, py, arguments, &args) && loader_fits(m, py, &args);
		tg_py_kids_fini(&args);
	}
	return hit;
}

/* The value's trimmed, lower-cased text is long enough and lacks the excusing word. */
static bool value_is_secret(const struct tg_rule *rule, const char *p, size_t n)
{
	struct tg_buf low = TG_BUF_INIT;
	size_t first = SIZE_MAX, last = 0;
	int count = 0, until_last = 0;
	bool secret;

	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t k = tg_utf8_next(p + i, n - i, &cp);

		if (!tg_py_is_space(cp)) {
			if (first == SIZE_MAX)
				first = i;
			last = i + k;
			until_last = count + 1;
		}
		if (first != SIZE_MAX)
			count++;
		i += k;
	}
	if (first == SIZE_MAX || until_last < rule->value_least)
		return false;
	tg_py_lower(p + first, last - first, &low);
	secret = !rule->value_without ||
		 !memmem(low.p, low.n, rule->value_without, strlen(rule->value_without));
	tg_buf_fini(&low);
	return secret;
}

static bool target_is_secret(const struct tg_rule *rule, const struct tg_py *py, TSNode target)
{
	TSNode name = tg_py_target_name_node(py, target);
	struct tg_buf text = TG_BUF_INIT, low = TG_BUF_INIT;
	bool hit = false;

	if (!name.id)
		return false;
	tg_py_identifier(py, name, &text);
	tg_py_lower(tg_buf_cstr(&text), text.n, &low);
	for (char **p = rule->target; *p && !hit; p++)
		hit = strstr(tg_buf_cstr(&low), *p) != NULL;
	tg_buf_fini(&text);
	tg_buf_fini(&low);
	return hit;
}

bool tg_rule_matches_assignment(const struct tg_rule *rule, const struct tg_py *py,
				TSNode assignment)
{
	struct tg_buf value = TG_BUF_INIT;
	struct tg_py_string s;
	bool named = false, hit;
	TSNode right;

	for (;;) { /* a = b = value: every target counts */
		named |= target_is_secret(rule, py, tg_py_field(assignment, "left"));
		right = tg_py_field(assignment, "right");
		if (!right.id || tg_py_kind(py, right) != TG_PK_ASSIGNMENT)
			break;
		assignment = right;
	}
	if (!named || !right.id)
		return false;
	right = tg_py_unwrap(py, right);
	hit = tg_py_string_value(py, right, &value, &s) && !s.is_f && !s.is_bytes &&
	      value_is_secret(rule, tg_buf_cstr(&value), value.n);
	tg_buf_fini(&value);
	return hit;
}
