/* One node at a time: what CPython's grammar refuses there and tree-sitter's accepts. */
#include "core/security/pystrict.h"

#include <string.h>

#include "core/security/pynode.h"

typedef bool (*check_fn)(struct tg_py *, const struct tg_py_place *, const struct tg_py_kids *);

static bool check_dictionary(struct tg_py *py, const struct tg_py_place *at,
			     const struct tg_py_kids *kids)
{
	return kids->n < 2 || kids->v[1].kind != TG_PK_T_COMMA ||
	       tg_py_refuse(py, at->node, "a comma without anything before it");
}

/* `for x in a, b` is no clause of a comprehension, nor is a lambda its source. */
static bool check_for_in(struct tg_py *py, const struct tg_py_place *at,
			 const struct tg_py_kids *kids)
{
	for (size_t i = 0; i < kids->n; i++) {
		if (kids->v[i].kind == TG_PK_T_COMMA || kids->v[i].kind == TG_PK_LAMBDA)
			return tg_py_refuse(py, at->node, "a comprehension needs parentheses here");
	}
	return true;
}

static bool check_splat_type(struct tg_py *py, const struct tg_py_place *at,
			     const struct tg_py_kids *kids)
{
	(void)kids;
	return at->grand != TG_PK_ASSIGNMENT ||
	       tg_py_refuse(py, at->node, "a starred expression in a wrong place");
}

static bool check_class_pattern(struct tg_py *py, const struct tg_py_place *at,
				const struct tg_py_kids *kids)
{
	struct tg_py_kids inner = { 0 };
	bool keyword = false, ok = true;

	(void)at;
	for (size_t i = 0; i < kids->n && ok; i++) {
		if (kids->v[i].kind != TG_PK_CASE_PATTERN)
			continue;
		tg_py_kids(py, &inner, kids->v[i].node);
		if (inner.n && inner.v[0].kind == TG_PK_KEYWORD_PATTERN)
			keyword = true;
		else if (keyword)
			ok = tg_py_refuse(py, kids->v[i].node,
					  "a positional pattern after a keyword");
	}
	tg_py_kids_fini(&inner);
	return ok;
}

/* Keys are literals or dotted names; **rest comes last. */
static bool check_dict_pattern(struct tg_py *py, const struct tg_py_place *at,
			       const struct tg_py_kids *kids)
{
	bool rest = false;

	(void)at;
	for (size_t i = 0; i < kids->n; i++) {
		const struct tg_py_kid *kid = &kids->v[i];

		if (!kid->named)
			continue;
		if (rest)
			return tg_py_refuse(py, kid->node, "a pattern after **");
		if (kid->kind == TG_PK_SPLAT_IN_CASE)
			rest = true;
		if (kid->kind == TG_PK_DOTTED_NAME && kid->field && !strcmp(kid->field, "key") &&
		    ts_node_child_count(kid->node) < 2)
			return tg_py_refuse(py, kid->node, "a name is no key of a pattern");
	}
	return true;
}

static size_t count_named(const struct tg_py_kids *kids)
{
	size_t n = 0;

	for (size_t i = 0; i < kids->n; i++)
		n += kids->v[i].named;
	return n;
}

static bool has_kind(const struct tg_py_kids *kids, enum tg_py_kind kind)
{
	for (size_t i = 0; i < kids->n; i++) {
		if (kids->v[i].kind == kind)
			return true;
	}
	return false;
}

static bool field_is(const struct tg_py_kid *kid, const char *name)
{
	return kid->field && !strcmp(kid->field, name);
}

static const struct tg_py_kid *by_field(const struct tg_py_kids *kids, const char *name)
{
	for (size_t i = 0; i < kids->n; i++) {
		if (field_is(&kids->v[i], name))
			return &kids->v[i];
	}
	return NULL;
}

/* `print >>f, x` is an expression in Python 3 too (a shift in a tuple); all else is Python 2. */
static bool check_print(struct tg_py *py, const struct tg_py_place *at,
			const struct tg_py_kids *kids)
{
	return has_kind(kids, TG_PK_CHEVRON) ||
	       tg_py_refuse(py, at->node, "a print statement of Python 2");
}

static bool check_exec(struct tg_py *py, const struct tg_py_place *at,
		       const struct tg_py_kids *kids)
{
	(void)kids;
	return tg_py_refuse(py, at->node, "an exec statement of Python 2");
}

static bool check_raise(struct tg_py *py, const struct tg_py_place *at,
			const struct tg_py_kids *kids)
{
	return !has_kind(kids, TG_PK_EXPRESSION_LIST) ||
	       tg_py_refuse(py, at->node, "a raise statement of Python 2");
}

static bool check_assert(struct tg_py *py, const struct tg_py_place *at,
			 const struct tg_py_kids *kids)
{
	return count_named(kids) <= 2 ||
	       tg_py_refuse(py, at->node, "assert takes two parts at most");
}

static bool check_except(struct tg_py *py, const struct tg_py_place *at,
			 const struct tg_py_kids *kids)
{
	for (size_t i = 0; i < kids->n; i++) {
		TSNode target;

		if (kids->v[i].kind != TG_PK_AS_PATTERN)
			continue;
		target = tg_py_first_named(py, tg_py_field(kids->v[i].node, "alias"));
		if (target.id && tg_py_kind(py, target) != TG_PK_IDENTIFIER)
			return tg_py_refuse(py, target, "an exception is bound to a name only");
	}
	return !has_kind(kids, TG_PK_T_COMMA) ||
	       tg_py_refuse(py, at->node, "an except clause of Python 2");
}

/* One try has either plain or starred clauses (the grammar takes `except *E` for a plain one). */
static bool check_try(struct tg_py *py, const struct tg_py_place *at, const struct tg_py_kids *kids)
{
	bool plain = false, starred = false;

	(void)at;
	for (size_t i = 0; i < kids->n; i++) {
		const struct tg_py_kid *kid = &kids->v[i];
		TSNode value;

		if (kid->kind == TG_PK_EXCEPT_GROUP) {
			starred = true;
		} else if (kid->kind == TG_PK_EXCEPT) {
			value = tg_py_field(kid->node, "value");
			if (value.id && py->src[ts_node_start_byte(value)] == '*')
				starred = true;
			else
				plain = true;
		}
		if (plain && starred)
			return tg_py_refuse(py, kid->node, "except and except* in one try");
	}
	return true;
}

static bool check_import(struct tg_py *py, const struct tg_py_place *at,
			 const struct tg_py_kids *kids)
{
	if (kids->n && kids->v[kids->n - 1].kind == TG_PK_T_COMMA)
		return tg_py_refuse(py, at->node, "a trailing comma needs parentheses here");
	return true;
}

static bool check_import_from(struct tg_py *py, const struct tg_py_place *at,
			      const struct tg_py_kids *kids)
{
	for (size_t i = 0; i < kids->n; i++) {
		TSNode name = kids->v[i].node;

		if (!field_is(&kids->v[i], "name"))
			continue;
		if (kids->v[i].kind == TG_PK_ALIASED_IMPORT)
			name = tg_py_field(name, "name");
		if (ts_node_named_child_count(name) > 1)
			return tg_py_refuse(py, name, "from ... import takes plain names");
	}
	return check_import(py, at, kids);
}

static bool check_with(struct tg_py *py, const struct tg_py_place *at,
		       const struct tg_py_kids *kids)
{
	if (kids->n && kids->v[0].kind != TG_PK_T_OPEN)
		return check_import(py, at, kids);
	return true;
}

static bool check_assignment(struct tg_py *py, const struct tg_py_place *at,
			     const struct tg_py_kids *kids)
{
	const struct tg_py_kid *left = by_field(kids, "left"), *right = by_field(kids, "right");
	bool typed = by_field(kids, "type") != NULL;

	if (typed && at->parent == TG_PK_ASSIGNMENT)
		return tg_py_refuse(py, at->node, "an annotation inside a chain");
	if (typed && right && right->kind == TG_PK_ASSIGNMENT)
		return tg_py_refuse(py, at->node, "a chain after an annotation");
	if (right && right->kind == TG_PK_AUGMENTED)
		return tg_py_refuse(py, right->node, "an augmented assignment is no value");
	if (typed && left && tg_py_target_name_node(py, left->node).id == NULL &&
	    left->kind != TG_PK_SUBSCRIPT)
		return tg_py_refuse(py, left->node, "only a single target can be annotated");
	return true;
}

static bool check_augmented(struct tg_py *py, const struct tg_py_place *at,
			    const struct tg_py_kids *kids)
{
	const struct tg_py_kid *left = by_field(kids, "left"), *right = by_field(kids, "right");

	(void)at;
	if (right && (right->kind == TG_PK_ASSIGNMENT || right->kind == TG_PK_AUGMENTED))
		return tg_py_refuse(py, right->node, "an assignment is no value");
	if (left && left->kind != TG_PK_SUBSCRIPT && !tg_py_target_name_node(py, left->node).id)
		return tg_py_refuse(py, left->node, "no target for an augmented assignment");
	return true;
}

static bool check_arguments(struct tg_py *py, const struct tg_py_place *at,
			    const struct tg_py_kids *kids)
{
	bool keyword = false, unpacked = false;

	if (kids->n > 1 && kids->v[1].kind == TG_PK_T_COMMA)
		return tg_py_refuse(py, at->node, "a comma without anything before it");
	for (size_t i = 0; i < kids->n; i++) {
		const struct tg_py_kid *kid = &kids->v[i];

		if (!kid->named)
			continue;
		if (kid->kind == TG_PK_KEYWORD_ARGUMENT)
			keyword = true;
		else if (kid->kind == TG_PK_DICT_SPLAT)
			unpacked = true;
		else if (unpacked)
			return tg_py_refuse(py, kid->node,
					    "a positional argument after ** unpacking");
		else if (keyword && kid->kind != TG_PK_LIST_SPLAT)
			return tg_py_refuse(py, kid->node, "a positional argument after a keyword");
	}
	return true;
}

struct params {
	bool star, slash, kwargs, had_default, bare_star;
	size_t seen;
};

static const char *add_param(const struct tg_py *py, struct params *p, const struct tg_py_kid *kid,
			     struct tg_py_kids *inner)
{
	enum tg_py_kind kind = kid->kind;
	bool with_default = kind == TG_PK_DEFAULT_PARAMETER || kind == TG_PK_TYPED_DEFAULT;

	if (kind == TG_PK_TYPED_PARAMETER || with_default) {
		tg_py_kids(py, inner, kid->node);
		if (inner->n && kind == TG_PK_TYPED_PARAMETER)
			kind = inner->v[0].kind;
		if (inner->n && inner->v[0].kind == TG_PK_TUPLE_PATTERN)
			return "a tuple parameter of Python 2";
	}
	if (p->kwargs)
		return "a parameter after **";
	if (kind == TG_PK_TUPLE_PATTERN)
		return "a tuple parameter of Python 2";
	if (kind == TG_PK_DICT_SPLAT_PATTERN) {
		p->kwargs = true;
		return p->bare_star ? "a named parameter is due after *" : NULL;
	}
	if (kind == TG_PK_KEYWORD_SEPARATOR || kind == TG_PK_SPLAT_PATTERN) {
		if (p->star)
			return "a second * parameter";
		p->star = true;
		p->bare_star = kind == TG_PK_KEYWORD_SEPARATOR;
		return NULL;
	}
	if (kind == TG_PK_POSITIONAL_SEPARATOR) {
		if (p->slash || p->star || !p->seen)
			return "/ in a wrong place";
		p->slash = true;
		return NULL;
	}
	p->seen++;
	p->bare_star = false;
	if (!with_default && p->had_default && !p->star)
		return "a parameter without a default after one with";
	p->had_default |= with_default && !p->star;
	return NULL;
}

static bool check_parameters(struct tg_py *py, const struct tg_py_place *at,
			     const struct tg_py_kids *kids)
{
	struct tg_py_kids inner = { 0 };
	struct params p = { 0 };
	const char *why = NULL;

	for (size_t i = 0; i < kids->n && !why; i++) {
		if (kids->v[i].named)
			why = add_param(py, &p, &kids->v[i], &inner);
	}
	tg_py_kids_fini(&inner);
	if (!why && p.bare_star)
		why = "a named parameter is due after *";
	return why ? tg_py_refuse(py, at->node, why) : true;
}

static bool check_named_expression(struct tg_py *py, const struct tg_py_place *at,
				   const struct tg_py_kids *kids)
{
	(void)kids;
	switch (at->parent) {
	case TG_PK_IF_CLAUSE:
		if (at->grand == TG_PK_CASE)
			return true;
		break;
	case TG_PK_PAREN:
	case TG_PK_ARGUMENT_LIST:
	case TG_PK_LIST:
	case TG_PK_TUPLE:
	case TG_PK_SET:
	case TG_PK_SUBSCRIPT: case TG_PK_IF: case TG_PK_ELIF: case TG_PK_WHILE:
	case TG_PK_MATCH: case TG_PK_DECORATOR: case TG_PK_GENERATOR: case TG_PK_LIST_COMP:
	case TG_PK_SET_COMP: case TG_PK_INTERPOLATION: case TG_PK_FORMAT_EXPRESSION:
		return true;
	default:
		break;
	}
	return tg_py_refuse(py, at->node, ":= needs parentheses here");
}

static bool check_as_pattern(struct tg_py *py, const struct tg_py_place *at,
			     const struct tg_py_kids *kids)
{
	(void)kids;
	switch (at->parent) {
	case TG_PK_WITH_ITEM: case TG_PK_EXCEPT: case TG_PK_EXCEPT_GROUP: case TG_PK_CASE_PATTERN:
		return true;
	case TG_PK_PAREN: case TG_PK_TUPLE:
		if (at->grand == TG_PK_WITH_ITEM)
			return true;
		break;
	default:
		break;
	}
	return tg_py_refuse(py, at->node, "\"as\" in a wrong place");
}

/* In a tuple of one the comma makes the tuple. */
static bool has_comma_after(const struct tg_py *py, TSNode node)
{
	TSNode next = ts_node_next_sibling(node), prev = ts_node_prev_sibling(node);

	return (next.id && tg_py_kind(py, next) == TG_PK_T_COMMA) ||
	       (prev.id && tg_py_kind(py, prev) == TG_PK_T_COMMA);
}

static bool check_splat(struct tg_py *py, const struct tg_py_place *at,
			const struct tg_py_kids *kids)
{
	uint32_t start = ts_node_start_byte(at->node);

	if (at->parent == TG_PK_TUPLE && !has_comma_after(py, at->node))
		return tg_py_refuse(py, at->node, "a starred expression in a wrong place");
	(void)kids;
	switch (at->parent) {
	case TG_PK_CALL:
	case TG_PK_ATTRIBUTE:
	case TG_PK_BINARY: /* `*a.b(c)` has the star at its root */
		if (start == at->parent_start)
			return true;
		break;
	case TG_PK_AS_PATTERN: /* `except *E as e` */
		if (at->grand == TG_PK_EXCEPT)
			return true;
		break;
	case TG_PK_EXCEPT: case TG_PK_SUBSCRIPT:
	case TG_PK_ARGUMENT_LIST: case TG_PK_LIST: case TG_PK_TUPLE: case TG_PK_SET:
	case TG_PK_EXPRESSION_LIST: case TG_PK_PATTERN_LIST:
	case TG_PK_EXPRESSION_STATEMENT: case TG_PK_ASSIGNMENT: case TG_PK_AUGMENTED:
	case TG_PK_RETURN:
	case TG_PK_YIELD:
	case TG_PK_FOR:
	case TG_PK_TYPE:
	case TG_PK_TUPLE_PATTERN:
	case TG_PK_LIST_PATTERN: case TG_PK_INTERPOLATION: case TG_PK_MATCH: case TG_PK_AS_TARGET:
		return true;
	default:
		break;
	}
	return tg_py_refuse(py, at->node, "a starred expression in a wrong place");
}

/* A call, attribute, subscript or operation that begins with a star stands where a star may. */
static bool check_starred_root(struct tg_py *py, const struct tg_py_place *at,
			       const struct tg_py_kids *kids)
{
	if (py->src[ts_node_start_byte(at->node)] != '*')
		return true;
	return check_splat(py, at, kids);
}

static bool check_yield(struct tg_py *py, const struct tg_py_place *at,
			const struct tg_py_kids *kids)
{
	(void)kids;
	if (at->parent == TG_PK_LIST || at->parent == TG_PK_SET || at->parent == TG_PK_TUPLE)
		return tg_py_refuse(py, at->node, "yield needs parentheses here");
	return true;
}

/* Bytes and text do not mix in one literal. */
static bool check_concat(struct tg_py *py, const struct tg_py_place *at,
			 const struct tg_py_kids *kids)
{
	bool bytes = false, text = false;

	for (size_t i = 0; i < kids->n; i++) {
		if (kids->v[i].kind != TG_PK_STRING)
			continue;
		if (tg_py_string_is_bytes(py, kids->v[i].node))
			bytes = true;
		else
			text = true;
	}
	return !(bytes && text) || tg_py_refuse(py, at->node, "bytes and text in one literal");
}

static bool check_interpolation(struct tg_py *py, const struct tg_py_place *at,
				const struct tg_py_kids *kids)
{
	if (has_kind(kids, TG_PK_LAMBDA))
		return tg_py_refuse(py, at->node, "a lambda needs parentheses here");
	return count_named(kids) > 0 || tg_py_refuse(py, at->node, "an empty f-string expression");
}

static const check_fn checks[TG_PK_COUNT] = {
	[TG_PK_PRINT] = check_print,
	[TG_PK_EXEC] = check_exec,
	[TG_PK_RAISE] = check_raise,
	[TG_PK_ASSERT] = check_assert,
	[TG_PK_TRY] = check_try,
	[TG_PK_EXCEPT] = check_except,
	[TG_PK_IMPORT] = check_import,
	[TG_PK_IMPORT_FROM] = check_import_from,
	[TG_PK_FUTURE_IMPORT] = check_import,
	[TG_PK_WITH_CLAUSE] = check_with,
	[TG_PK_ASSIGNMENT] = check_assignment,
	[TG_PK_AUGMENTED] = check_augmented,
	[TG_PK_ARGUMENT_LIST] = check_arguments,
	[TG_PK_PARAMETERS] = check_parameters,
	[TG_PK_LAMBDA_PARAMETERS] = check_parameters,
	[TG_PK_NAMED_EXPRESSION] = check_named_expression,
	[TG_PK_AS_PATTERN] = check_as_pattern,
	[TG_PK_LIST_SPLAT] = check_splat,
	[TG_PK_CALL] = check_starred_root,
	[TG_PK_ATTRIBUTE] = check_starred_root,
	[TG_PK_SUBSCRIPT] = check_starred_root,
	[TG_PK_BINARY] = check_starred_root,
	[TG_PK_DICT] = check_dictionary,
	[TG_PK_FOR_IN] = check_for_in,
	[TG_PK_SPLAT_TYPE] = check_splat_type,
	[TG_PK_CLASS_PATTERN] = check_class_pattern,
	[TG_PK_DICT_PATTERN] = check_dict_pattern,
	[TG_PK_YIELD] = check_yield,
	[TG_PK_CONCAT_STRING] = check_concat,
	[TG_PK_INTERPOLATION] = check_interpolation,
	[TG_PK_FORMAT_EXPRESSION] = check_interpolation,
};

bool tg_py_check_node(struct tg_py *py, const struct tg_py_place *at, const struct tg_py_kids *kids)
{
	return !checks[at->kind] || checks[at->kind](py, at, kids);
}
