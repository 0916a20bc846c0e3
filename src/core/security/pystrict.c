/*
 * Indentation as CPython's tokenizer sees it, and the walk that applies pycheck.c's checks to every
 * node. Explicit stack: nesting is as deep as a model likes.
 */
#include "core/security/pystrict.h"

#include <stdlib.h>
#include <string.h>

#define MAX_INDENT 98 /* blocks around a block; CPython: MAXINDENT 100, the module included */

struct level { /* columns with tabs to 8 and to 1: both must agree, else CPython says TabError */
	uint32_t col, alt;
};

struct entry {
	struct tg_py_place at;
	struct level lvl; /* of the innermost block that holds it */
	unsigned depth;   /* blocks */
	bool target;      /* something is assigned to it, or it is deleted */
	bool del;
};

struct walk {
	struct tg_py *py;
	struct entry *v;
	size_t n, cap;
	struct tg_py_kids kids;
};

/* Is there a # between the start of the line and `end`? Good enough to tell a comment's last
 * backslash from a continuation. */
static bool has_comment(const struct tg_py *py, uint32_t end)
{
	while (end > 0 && py->src[end - 1] != '\n') {
		if (py->src[--end] == '#')
			return true;
	}
	return false;
}

/* Where the node's line is indented; false when it is not the first thing on its line. */
static bool line_level(const struct tg_py *py, TSNode node, struct level *out)
{
	uint32_t at = ts_node_start_byte(node), i = at;

	for (; i > 0; i--) {
		char c = py->src[i - 1];

		if (c == '\n') {
			/* blanks, a backslash and a line end: the indentation began a line above */
			uint32_t k = i - 1;

			if (!k || py->src[k - 1] != '\\')
				break;
			for (k--; k > 0 && strchr(" \t\f", py->src[k - 1]); k--)
				;
			if (k > 0 && strchr(";:", py->src[k - 1]) && !has_comment(py, k))
				return false; /* `a; \` and a statement on the next line */
			if (k > 0 && py->src[k - 1] != '\n')
				break; /* the end of a comment, or nothing that matters here */
			i = k + 1;
			at = k;
			for (; at < py->n && strchr(" \t\f", py->src[at]); at++)
				;
			continue;
		}
		if (c != ' ' && c != '\t' && c != '\f')
			return false;
	}
	*out = (struct level){ 0, 0 };
	for (; i < at; i++) {
		if (py->src[i] == ' ') {
			out->col++;
			out->alt++;
		} else if (py->src[i] == '\t') {
			out->col = (out->col / 8 + 1) * 8;
			out->alt++;
		} else {
			out->col = out->alt = 0;
		}
	}
	return true;
}

static bool same(struct level a, struct level b)
{
	return a.col == b.col && a.alt == b.alt;
}

/* Statements of a block: one column, deeper than the header's; sets *lvl to it. */
static bool check_block(struct walk *w, const struct entry *e, struct level *lvl)
{
	bool have = e->at.kind == TG_PK_MODULE, inline_block = false;
	struct level first = { 0, 0 }, here;
	size_t statements = 0;

	*lvl = e->lvl;
	for (size_t i = 0; i < w->kids.n; i++) {
		TSNode kid = w->kids.v[i].node;

		if (!w->kids.v[i].named)
			continue;
		statements++;
		if (!line_level(w->py, kid, &here)) {
			inline_block |= statements == 1 && !have;
			continue;
		}
		if (inline_block)
			return tg_py_refuse(w->py, kid, "unexpected indentation");
		if (!have) {
			have = true;
			first = here;
			if (here.col <= e->lvl.col || here.alt <= e->lvl.alt)
				return tg_py_refuse(w->py, kid, "an indented block is due here");
		} else if (!same(here, first)) {
			return tg_py_refuse(w->py, kid, "inconsistent indentation");
		}
		*lvl = first;
	}
	if (!statements && e->at.kind == TG_PK_BLOCK)
		return tg_py_refuse(w->py, e->at.node, "a block without a statement");
	return e->depth <= MAX_INDENT ||
	       tg_py_refuse(w->py, e->at.node, "too many levels of indentation");
}

static bool is_clause(enum tg_py_kind k)
{
	return k == TG_PK_ELIF || k == TG_PK_ELSE || k == TG_PK_EXCEPT || k == TG_PK_EXCEPT_GROUP ||
	       k == TG_PK_FINALLY;
}

/* Clauses and decorated definitions stand under their statement. */
static bool check_alignment(struct walk *w, const struct entry *e)
{
	for (size_t i = 0; i < w->kids.n; i++) {
		const struct tg_py_kid *kid = &w->kids.v[i];
		struct level here;

		if (!is_clause(kid->kind) && e->at.kind != TG_PK_DECORATED)
			continue;
		if (line_level(w->py, kid->node, &here) && !same(here, e->lvl))
			return tg_py_refuse(w->py, kid->node,
					    "it is not aligned with its statement");
	}
	return true;
}

/* What may stand left of "=", after "for", "del", "with ... as". */
static bool check_target(struct walk *w, const struct entry *e)
{
	switch (e->at.kind) {
	case TG_PK_IDENTIFIER: case TG_PK_ATTRIBUTE: case TG_PK_SUBSCRIPT: case TG_PK_PAREN:
	case TG_PK_TUPLE: case TG_PK_LIST: case TG_PK_TUPLE_PATTERN: case TG_PK_LIST_PATTERN:
	case TG_PK_PATTERN_LIST: case TG_PK_EXPRESSION_LIST: case TG_PK_AS_TARGET:
		return true;
	case TG_PK_SPLAT_PATTERN: case TG_PK_LIST_SPLAT:
		if (!e->del)
			return true;
		break;
	default:
		break;
	}
	return tg_py_refuse(w->py, e->at.node, "nothing can be assigned to this");
}

static bool holds_targets(enum tg_py_kind k)
{
	return k != TG_PK_IDENTIFIER && k != TG_PK_ATTRIBUTE && k != TG_PK_SUBSCRIPT;
}

static bool kid_is_target(const struct entry *e, const struct tg_py_kid *kid)
{
	bool left = kid->field && !strcmp(kid->field, "left");

	if (!kid->named)
		return false;
	if (e->target && holds_targets(e->at.kind))
		return true;
	switch (e->at.kind) {
	case TG_PK_ASSIGNMENT: case TG_PK_AUGMENTED: case TG_PK_FOR: case TG_PK_FOR_IN:
		return left;
	case TG_PK_DELETE:
		return true;
	default:
		return kid->kind == TG_PK_AS_TARGET && e->at.parent != TG_PK_CASE_PATTERN;
	}
}

static void push_kids(struct walk *w, const struct entry *e, struct level lvl)
{
	unsigned depth = e->depth + (e->at.kind == TG_PK_BLOCK);

	for (size_t i = w->kids.n; i-- > 0;) {
		const struct tg_py_kid *kid = &w->kids.v[i];

		if (!kid->named)
			continue;
		TG_GROW(w->v, w->n, w->cap);
		w->v[w->n++] = (struct entry){
			.at = { .node = kid->node, .kind = kid->kind, .parent = e->at.kind,
				.grand = e->at.parent,
				.parent_start = ts_node_start_byte(e->at.node) },
			.lvl = lvl,
			.depth = depth,
			.target = kid_is_target(e, kid),
			.del = e->at.kind == TG_PK_DELETE || (e->target && e->del),
		};
	}
}

static bool step(struct walk *w, const struct entry *e)
{
	struct level lvl = e->lvl;

	if (e->target && !check_target(w, e))
		return false;
	tg_py_kids(w->py, &w->kids, e->at.node);
	if ((e->at.kind == TG_PK_BLOCK || e->at.kind == TG_PK_MODULE) && !check_block(w, e, &lvl))
		return false;
	if (!check_alignment(w, e) || !tg_py_check_node(w->py, &e->at, &w->kids))
		return false;
	push_kids(w, e, lvl);
	return true;
}

bool tg_py_strict_shape(struct tg_py *py)
{
	struct walk w = { .py = py };
	bool ok = true;

	TG_GROW(w.v, w.n, w.cap);
	w.v[w.n++] = (struct entry){
		.at = { .node = ts_tree_root_node(py->tree), .kind = TG_PK_MODULE },
	};
	while (ok && w.n) {
		struct entry e = w.v[--w.n];

		ok = step(&w, &e);
	}
	free(w.v);
	tg_py_kids_fini(&w.kids);
	return ok;
}

bool tg_py_strict(struct tg_py *py)
{
	return tg_py_strict_tokens(py) && tg_py_strict_shape(py);
}
