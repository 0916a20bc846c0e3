/*
 * The walk: one pass in the order of Python's own AST where it matters (imports bind names when
 * they are reached; a body comes before its decorators and its return annotation), and the
 * findings.
 */
#include "core/security/rules.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/text.h"
#include "core/security/pynode.h"
#include "core/security/rulematch.h"

#define SNIPPET_MAX 200
#define IDENTITY_MAX 4096 /* longer texts are cut and closed with their length */

struct scope {
	size_t parent; /* index + 1; 0 the module */
	TSNode name;
};

struct entry {
	TSNode node;
	enum tg_py_kind kind, parent;
	size_t scope; /* index + 1; 0 the module */
};

struct scan {
	const struct tg_rules *rules;
	const struct tg_py *py;
	struct tg_findings *out;
	struct tg_aliases aliases;
	struct entry *stack;
	size_t n, cap;
	struct scope *scopes;
	size_t scope_n, scope_cap;
	struct tg_py_kids kids;
};

static char *scope_path(const struct scan *s, size_t scope)
{
	size_t order[64], n = 0;
	struct tg_buf b = TG_BUF_INIT;

	for (; scope && n < 64; scope = s->scopes[scope - 1].parent)
		order[n++] = scope;
	while (n > 0) {
		if (b.n)
			tg_buf_addc(&b, '.');
		tg_py_identifier(s->py, s->scopes[order[--n] - 1].name, &b);
	}
	tg_buf_adds(&b, "");
	return tg_buf_detach(&b);
}

/* The node's tokens, comments left out, joined by one blank: what moving and reformatting keep. */
static char *token_text(const struct tg_py *py, TSNode node)
{
	TSTreeCursor c = ts_tree_cursor_new(node);
	struct tg_buf b = TG_BUF_INIT;
	bool more = true;

	while (more && b.n < IDENTITY_MAX) {
		TSNode at = ts_tree_cursor_current_node(&c);
		enum tg_py_kind kind = tg_py_kind(py, at);
		bool whole = kind == TG_PK_STRING || kind == TG_PK_COMMENT ||
			     kind == TG_PK_LINE_CONTINUATION;

		if (!whole && ts_tree_cursor_goto_first_child(&c))
			continue;
		if (kind != TG_PK_COMMENT && kind != TG_PK_LINE_CONTINUATION) {
			uint32_t a = ts_node_start_byte(at);

			if (b.n)
				tg_buf_addc(&b, ' ');
			tg_buf_add(&b, py->src + a, ts_node_end_byte(at) - a);
		}
		while (!ts_tree_cursor_goto_next_sibling(&c)) {
			if (!ts_tree_cursor_goto_parent(&c)) {
				more = false;
				break;
			}
		}
	}
	ts_tree_cursor_delete(&c);
	if (more)
		tg_buf_addf(&b, " ... %u", ts_node_end_byte(node) - ts_node_start_byte(node));
	tg_buf_adds(&b, "");
	return tg_buf_detach(&b);
}

/* 1-based column in characters. */
static uint32_t column(const struct tg_py *py, uint32_t byte, uint32_t bytes_in)
{
	uint32_t col = 1;

	for (uint32_t i = byte - bytes_in; i < byte; i++)
		col += ((unsigned char)py->src[i] & 0xC0) != 0x80;
	return col;
}

static char *line_snippet(const struct tg_py *py, uint32_t byte)
{
	size_t a = byte, b = byte;

	while (a > 0 && byte - a < 4096 && py->src[a - 1] != '\n')
		a--;
	while (b < py->n && b - byte < 4096 && py->src[b] != '\n')
		b++;
	while (a < b && strchr(" \t\f", py->src[a]))
		a++;
	return tg_text_line(py->src + a, b - a, SNIPPET_MAX);
}

static void add_finding(struct scan *s, const struct tg_rule *rule, const struct entry *e)
{
	struct tg_findings *out = s->out;
	TSPoint a = ts_node_start_point(e->node), b = ts_node_end_point(e->node);
	uint32_t start = ts_node_start_byte(e->node), end = ts_node_end_byte(e->node);

	TG_GROW(out->v, out->n, out->cap);
	out->v[out->n++] = (struct tg_finding){
		.rule = rule,
		.line = a.row + 1,
		.col = column(s->py, start, a.column),
		.end_line = b.row + 1,
		.end_col = column(s->py, end, b.column),
		.snippet = line_snippet(s->py, start),
		.scope = scope_path(s, e->scope),
		.text = token_text(s->py, e->node),
	};
}

static void visit_call(struct scan *s, const struct entry *e)
{
	struct tg_buf dotted = TG_BUF_INIT;

	tg_py_dotted(s->py, tg_py_field(e->node, "function"), &dotted);
	for (size_t i = 0; i < s->rules->rule_n; i++) {
		const struct tg_rule *rule = &s->rules->rule[i];

		if (rule->on == TG_ON_CALL &&
		    tg_rule_matches_call(rule, s->py, &s->aliases, e->node, tg_buf_cstr(&dotted)))
			add_finding(s, rule, e);
	}
	tg_buf_fini(&dotted);
}

static void visit_assignment(struct scan *s, const struct entry *e)
{
	for (size_t i = 0; i < s->rules->rule_n; i++) {
		const struct tg_rule *rule = &s->rules->rule[i];

		if (rule->on == TG_ON_ASSIGNMENT &&
		    tg_rule_matches_assignment(rule, s->py, e->node))
			add_finding(s, rule, e);
	}
}

static void visit(struct scan *s, const struct entry *e)
{
	switch (e->kind) {
	case TG_PK_CALL:
		visit_call(s, e);
		break;
	case TG_PK_ASSIGNMENT:
		if (e->parent != TG_PK_ASSIGNMENT) /* a chain is judged once, whole */
			visit_assignment(s, e);
		break;
	case TG_PK_IMPORT:
	case TG_PK_IMPORT_FROM:
		tg_aliases_import(&s->aliases, s->rules, s->py, e->node);
		break;
	default:
		break;
	}
}

static void push(struct scan *s, const struct tg_py_kid *kid, enum tg_py_kind parent, size_t scope)
{
	TG_GROW(s->stack, s->n, s->cap);
	s->stack[s->n++] = (struct entry){ kid->node, kid->kind, parent, scope };
}

/* Children that CPython's tree keeps behind the body: pushed first, so visited last. */
static bool comes_last(enum tg_py_kind parent, const struct tg_py_kid *kid)
{
	return (parent == TG_PK_DECORATED && kid->kind == TG_PK_DECORATOR) ||
	       (parent == TG_PK_FUNCTION && kid->field && !strcmp(kid->field, "return_type"));
}

static size_t inner_scope(struct scan *s, const struct entry *e)
{
	TSNode name;

	if (e->kind != TG_PK_FUNCTION && e->kind != TG_PK_CLASS)
		return e->scope;
	name = tg_py_field(e->node, "name");
	if (!name.id)
		return e->scope;
	TG_GROW(s->scopes, s->scope_n, s->scope_cap);
	s->scopes[s->scope_n++] = (struct scope){ e->scope, name };
	return s->scope_n;
}

static void push_kids(struct scan *s, const struct entry *e)
{
	size_t scope = inner_scope(s, e);

	tg_py_kids(s->py, &s->kids, e->node);
	for (int last = 1; last >= 0; last--) {
		for (size_t i = s->kids.n; i-- > 0;) {
			const struct tg_py_kid *kid = &s->kids.v[i];

			if (kid->named && comes_last(e->kind, kid) == (last == 1))
				push(s, kid, e->kind, scope);
		}
	}
}

static int by_place(const void *pa, const void *pb)
{
	const struct tg_finding *a = pa, *b = pb;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->col != b->col)
		return a->col < b->col ? -1 : 1;
	return strcmp(a->rule->code, b->rule->code);
}

static void walk(struct scan *s)
{
	struct tg_py_kid root = { ts_tree_root_node(s->py->tree), TG_PK_MODULE, true, NULL };

	push(s, &root, TG_PK_OTHER, 0);
	while (s->n) {
		struct entry e = s->stack[--s->n];

		visit(s, &e);
		push_kids(s, &e);
	}
	if (s->out->n)
		qsort(s->out->v, s->out->n, sizeof *s->out->v, by_place);
}

static void add_syntax(const struct tg_rules *rules, const struct tg_py *py,
		       struct tg_findings *out)
{
	const char *p = py->src;
	uint32_t line = py->line ? py->line : 1, col = py->col ? py->col : 1;

	for (uint32_t i = 1; i < line; i++) {
		const char *nl = memchr(p, '\n', py->n - (size_t)(p - py->src));

		if (!nl)
			break;
		p = nl + 1;
	}
	TG_GROW(out->v, out->n, out->cap);
	out->v[out->n++] = (struct tg_finding){
		.rule = tg_rules_find(rules, TG_CODE_SYNTAX),
		.line = line, .col = col, .end_line = line, .end_col = col,
		.snippet = line_snippet(py, (uint32_t)(p - py->src)),
		.scope = tg_strdup(""),
		.text = tg_strdup(""),
	};
}

void tg_rules_scan(const struct tg_rules *rules, const char *source, size_t n,
		   struct tg_findings *out)
{
	struct tg_py py;
	struct scan s = { .rules = rules, .py = &py, .out = out };

	memset(out, 0, sizeof *out);
	tg_py_parse(&py, source, n);
	out->status = py.status;
	out->why = py.why;
	out->line = py.line;
	out->col = py.col;
	out->latin1 = py.latin1;
	if (py.status == TG_PY_SYNTAX)
		add_syntax(rules, &py, out);
	if (py.status == TG_PY_OK) {
		tg_aliases_seed(&s.aliases, rules);
		walk(&s);
	}
	tg_aliases_fini(&s.aliases);
	tg_py_kids_fini(&s.kids);
	free(s.stack);
	free(s.scopes);
	tg_py_fini(&py);
}

void tg_findings_fini(struct tg_findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].snippet);
		free(f->v[i].scope);
		free(f->v[i].text);
	}
	free(f->v);
	memset(f, 0, sizeof *f);
}

static bool is_active(const struct tg_rule *rule, const char *const *active)
{
	if (!active || rule->on == TG_ON_PARSE)
		return true;
	if (rule->extra)
		return false;
	for (const char *const *p = active; *p; p++) {
		if (!strcmp(*p, "ALL") || !strcmp(*p, rule->code) || tg_streq(*p, rule->category))
			return true;
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **tg_findings_codes(const struct tg_findings *f, const char *const *active)
{
	const char **codes = tg_calloc(f->n + 1, sizeof *codes);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (is_active(f->v[i].rule, active))
			codes[n++] = f->v[i].rule->code;
	}
	if (n)
		qsort(codes, n, sizeof *codes, by_text);
	for (size_t i = 0; i < n; i++) {
		if (!kept || strcmp(codes[kept - 1], codes[i]))
			codes[kept++] = codes[i];
	}
	codes[kept] = NULL;
	return codes;
}
