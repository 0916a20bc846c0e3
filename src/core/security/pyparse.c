#include "core/security/pyparse.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/lib/text.h"

const TSLanguage *tree_sitter_python(void);

/* tree-sitter 0.20.7 corrupts its heap when an error node gets more than 65,535 children; a node
 * cannot have more children than the text has tokens, so below this number parsing is safe. */
#define SAFE_TOKENS 60000

static const struct {
	const char *text;
	bool named;
} kinds[TG_PK_COUNT] = {
#define X(name, text, named) [TG_PK_##name] = { text, named },
	TG_PY_KINDS(X)
#undef X
};

static void learn_kinds(struct tg_py *py, const TSLanguage *lang)
{
	py->symbol_n = ts_language_symbol_count(lang);
	py->kind_of = tg_calloc(py->symbol_n ? py->symbol_n : 1, 1);
	for (uint32_t s = 0; s < py->symbol_n; s++) {
		const char *name = ts_language_symbol_name(lang, (TSSymbol)s);
		TSSymbolType type = ts_language_symbol_type(lang, (TSSymbol)s);

		for (int k = 1; k < TG_PK_COUNT && type != TSSymbolTypeAuxiliary; k++) {
			if (kinds[k].named == (type == TSSymbolTypeRegular) &&
			    !strcmp(kinds[k].text, name))
				py->kind_of[s] = (unsigned char)k;
		}
	}
}

static bool is_utf8(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;

		if ((unsigned char)p[i] < 0x80) {
			i++;
			continue;
		}
		i += tg_utf8_next(p + i, n - i, &cp);
		if (cp == 0xFFFFFFFF)
			return false;
	}
	return true;
}

/* UTF-8, and LF as the only line end. */
static void make_text(struct tg_py *py, const char *p, size_t n)
{
	struct tg_buf b = TG_BUF_INIT;

	py->latin1 = !is_utf8(p, n);
	tg_buf_reserve(&b, n + 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\r') {
			tg_buf_addc(&b, '\n');
			if (i + 1 < n && p[i + 1] == '\n')
				i++;
		} else if (py->latin1 && c >= 0x80) {
			tg_buf_addc(&b, (char)(0xC0 | c >> 6));
			tg_buf_addc(&b, (char)(0x80 | (c & 0x3F)));
		} else {
			tg_buf_addc(&b, (char)c);
		}
	}
	py->n = b.n;
	py->src = tg_buf_detach(&b);
}

static bool refuse_early(struct tg_py *py, enum tg_py_status status, const char *why)
{
	py->status = status;
	py->why = why;
	return false;
}

bool tg_py_refuse(struct tg_py *py, TSNode at, const char *why)
{
	if (py->status == TG_PY_OK) {
		TSPoint p = ts_node_start_point(at);

		py->status = TG_PY_SYNTAX;
		py->why = why;
		py->line = p.row + 1;
		py->col = p.column + 1;
	}
	return false;
}

static bool is_word(unsigned char c)
{
	return c == '_' || c >= 0x80 || (c >= '0' && c <= '9') ||
	       ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* An upper bound of the number of tokens: words, and every other character that is not a blank. */
static size_t count_tokens(const char *p, size_t n)
{
	size_t tokens = 0;
	bool in_word = false;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (is_word(c)) {
			tokens += !in_word;
			in_word = true;
		} else {
			in_word = false;
			tokens += c != ' ' && c != '\t' && c != '\n';
		}
	}
	return tokens;
}

static TSTree *parse_tree(const char *p, size_t n)
{
	TSParser *parser = ts_parser_new();
	TSTree *tree = NULL;

	if (parser && ts_parser_set_language(parser, tree_sitter_python())) {
		ts_parser_set_timeout_micros(parser, TG_PY_TIMEOUT_US);
		tree = ts_parser_parse_string(parser, NULL, p, (uint32_t)n);
	}
	ts_parser_delete(parser);
	return tree;
}

/*
 * Try the parser on a large text in a child first: 0 well-formed, 1 not, -1 it broke or ran out of
 * time. Only a well-formed text is then parsed here (the error paths are the ones that can
 * corrupt).
 */
static int probe_in_child(const char *p, size_t n)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		TSTree *tree;
		int rc = 2;

		if (null >= 0)
			dup2(null, 2);
		tree = parse_tree(p, n);
		if (tree) {
			rc = ts_node_has_error(ts_tree_root_node(tree)) ? 1 : 0;
			ts_tree_delete(tree);
		}
		_exit(rc);
	}
	while (waitpid(pid, &status, 0) < 0)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return -1;
	return WEXITSTATUS(status);
}

/* First ERROR or MISSING node, for the message. */
static void find_error(struct tg_py *py)
{
	TSTreeCursor c = ts_tree_cursor_new(ts_tree_root_node(py->tree));
	bool more = true;

	while (more) {
		TSNode n = ts_tree_cursor_current_node(&c);

		if (ts_node_is_missing(n)) {
			tg_py_refuse(py, n, "something is missing here");
			break;
		}
		if (tg_py_kind(py, n) == TG_PK_ERROR) {
			tg_py_refuse(py, n, "not valid Python here");
			break;
		}
		if (ts_node_has_error(n) && ts_tree_cursor_goto_first_child(&c))
			continue;
		while (!ts_tree_cursor_goto_next_sibling(&c)) {
			if (!ts_tree_cursor_goto_parent(&c)) {
				more = false;
				break;
			}
		}
	}
	ts_tree_cursor_delete(&c);
	tg_py_refuse(py, ts_tree_root_node(py->tree), "not valid Python");
}

/* What can be told from the bytes alone. */
static bool check_bytes(struct tg_py *py)
{
	if (memchr(py->src, 0, py->n))
		return refuse_early(py, TG_PY_SYNTAX, "it holds a NUL byte");
	if (py->n >= 3 && !memcmp(py->src, "\xEF\xBB\xBF", 3)) {
		py->line = py->col = 1;
		return refuse_early(py, TG_PY_SYNTAX, "it starts with a byte order mark");
	}
	return true;
}

/*
 * The grammar knows "except*" as one word only. `except *(A, B):` becomes `except* (A, B):`, which
 * has the same length. Done when a text does not parse as it is; true when anything changed.
 */
static bool join_except_star(struct tg_py *py)
{
	static const char word[] = "except";
	const size_t n = sizeof word - 1;
	bool changed = false;

	for (char *p = py->src; (p = strstr(p, word)); p += n) {
		char *star = p + n + strspn(p + n, " \t");

		if (*star == '*' && star > p + n && star[1] != '=' &&
		    (p == py->src || strchr(" \t\n\f", p[-1]))) {
			*star = ' ';
			p[n] = '*';
			changed = true;
		}
	}
	return changed;
}

static bool make_tree(struct tg_py *py)
{
	if (count_tokens(py->src, py->n) > SAFE_TOKENS) {
		int verdict = probe_in_child(py->src, py->n);

		if (verdict == 1 && join_except_star(py))
			verdict = probe_in_child(py->src, py->n);
		switch (verdict) {
		case 0:
			break;
		case 1:
			return refuse_early(py, TG_PY_SYNTAX, "not valid Python");
		default:
			return refuse_early(py, TG_PY_LIMIT, "the parser could not cope with it");
		}
	}
	py->tree = parse_tree(py->src, py->n);
	if (!py->tree)
		return refuse_early(py, TG_PY_LIMIT, "parsing took too long");
	if (ts_node_has_error(ts_tree_root_node(py->tree)) && join_except_star(py)) {
		ts_tree_delete(py->tree);
		py->tree = parse_tree(py->src, py->n);
		if (!py->tree)
			return refuse_early(py, TG_PY_LIMIT, "parsing took too long");
	}
	if (ts_node_has_error(ts_tree_root_node(py->tree))) {
		find_error(py);
		return false;
	}
	return tg_py_strict(py);
}

void tg_py_parse(struct tg_py *py, const char *p, size_t n)
{
	memset(py, 0, sizeof *py);
	if (n > TG_PY_MAX_BYTES) {
		refuse_early(py, TG_PY_LIMIT, "it is larger than 4 MiB");
		py->src = tg_strdup("");
		return;
	}
	learn_kinds(py, tree_sitter_python());
	make_text(py, p, n);
	if ((!check_bytes(py) || !make_tree(py)) && py->tree) {
		ts_tree_delete(py->tree);
		py->tree = NULL;
	}
}

void tg_py_fini(struct tg_py *py)
{
	if (py->tree)
		ts_tree_delete(py->tree);
	free(py->src);
	free(py->kind_of);
	memset(py, 0, sizeof *py);
}

void tg_py_kids(const struct tg_py *py, struct tg_py_kids *kids, TSNode node)
{
	kids->n = 0;
	if (!kids->open) {
		kids->cursor = ts_tree_cursor_new(node);
		kids->open = true;
	} else {
		ts_tree_cursor_reset(&kids->cursor, node);
	}
	if (!ts_tree_cursor_goto_first_child(&kids->cursor))
		return;
	do {
		TSNode kid = ts_tree_cursor_current_node(&kids->cursor);
		enum tg_py_kind kind = tg_py_kind(py, kid);

		if (kind == TG_PK_COMMENT || kind == TG_PK_LINE_CONTINUATION)
			continue;
		TG_GROW(kids->v, kids->n, kids->cap);
		kids->v[kids->n++] = (struct tg_py_kid){
			.node = kid,
			.kind = kind,
			.named = ts_node_is_named(kid),
			.field = ts_tree_cursor_current_field_name(&kids->cursor),
		};
	} while (ts_tree_cursor_goto_next_sibling(&kids->cursor));
}

void tg_py_kids_fini(struct tg_py_kids *kids)
{
	if (kids->open)
		ts_tree_cursor_delete(&kids->cursor);
	free(kids->v);
	memset(kids, 0, sizeof *kids);
}
