/*
 * What CPython's tokenizer refuses and tree-sitter's lets pass: odd characters between tokens,
 * keywords as names, numbers and string prefixes of Python 2, broken escapes, too deep brackets.
 */
#include "core/security/pystrict.h"

#include <string.h>

#include "core/security/pynode.h"

#define MAX_BRACKETS 200   /* CPython: MAXLEVEL */
#define MAX_INT_DIGITS 4300 /* CPython: sys.int_info.default_max_str_digits */

static const char *const keywords[] = {
    "False", "None",	 "True",  "and",    "as",   "assert", "async",	"await",    "break",
    "class", "continue", "def",	  "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",	 "if",	  "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",	 "raise", "return", "try",  "while",  "with",	"yield"};

static bool is_keyword(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		if (strlen(keywords[i]) == n && !memcmp(keywords[i], p, n))
			return true;
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Underscores stand between digits only, none doubled, none at the end. */
static bool underscores_ok(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '_' && (i + 1 >= n || p[i + 1] == '_' || p[i + 1] == '.' ||
				    (p[i + 1] | 32) == 'j' || p[i + 1] == 'e' || p[i + 1] == 'E'))
			return false;
	}
	return true;
}

static const char *check_integer(const char *p, size_t n)
{
	bool nonzero = false;
	char last = n ? (char)(p[n - 1] | 32) : 0;

	if (n > 1 && p[0] == '0' && !is_digit(p[1]) && p[1] != '_' && (p[1] | 32) != 'j' &&
	    (p[1] | 32) != 'l') {
		if (last == 'l')
			return "a long integer of Python 2";
		return p[n - 1] == '_' || memmem(p, n, "__", 2) ? "a malformed number" : NULL;
	}
	if (last == 'l')
		return "a long integer of Python 2";
	if (!underscores_ok(p, n))
		return "a malformed number";
	if (last == 'j')
		return NULL;
	for (size_t i = 0; i < n; i++)
		nonzero |= p[i] != '0' && p[i] != '_';
	if (n > 1 && p[0] == '0' && nonzero)
		return "an integer with a leading zero";
	return n > MAX_INT_DIGITS ? "an integer of more than 4300 digits" : NULL;
}

static bool prefix_ok(const char *p, size_t n)
{
	static const char *const ok[] = { "", "r", "u", "b", "f", "br", "rb", "fr", "rf" };
	char low[4] = "";

	while (n && (p[n - 1] == '"' || p[n - 1] == '\''))
		n--;
	if (n > 2)
		return false;
	for (size_t i = 0; i < n; i++)
		low[i] = (char)(p[i] | 32);
	for (size_t i = 0; i < sizeof ok / sizeof *ok; i++) {
		if (!strcmp(ok[i], low))
			return true;
	}
	return false;
}

static bool check_string(struct tg_py *py, TSNode node)
{
	struct tg_buf value = TG_BUF_INIT;
	struct tg_py_string s = { 0 };
	const char *why = tg_py_string_decode(py, node, &value, &s);

	tg_buf_fini(&value);
	return why ? tg_py_refuse(py, node, why) : true;
}

static bool check_leaf(struct tg_py *py, TSNode node, enum tg_py_kind kind)
{
	uint32_t a = ts_node_start_byte(node), n = ts_node_end_byte(node) - a;
	const char *p = py->src + a;
	const char *why = NULL;

	switch (kind) {
	case TG_PK_IDENTIFIER:
		if (is_keyword(p, n))
			why = "a keyword stands where a name is due";
		break;
	case TG_PK_INTEGER:
		why = check_integer(p, n);
		break;
	case TG_PK_FLOAT:
		if (!underscores_ok(p, n) || (n > 1 && memmem(p, n, "._", 2)))
			why = "a malformed number";
		break;
	case TG_PK_STRING_START:
		if (!prefix_ok(p, n))
			why = "a string prefix that Python does not know";
		break;
	case TG_PK_TYPE_CONVERSION:
		if (n != 2 || !strchr("rsa", p[1]))
			why = "a conversion that f-strings do not know";
		break;
	case TG_PK_T_NOT_EQUAL_2:
		why = "the operator <> of Python 2";
		break;
	case TG_PK_T_BACKTICK:
		why = "backticks of Python 2";
		break;
	default:
		break;
	}
	return why ? tg_py_refuse(py, node, why) : true;
}

/* Between two tokens: blanks, tabs, form feeds, line ends, and a backslash before a line end. */
static bool check_gap(struct tg_py *py, uint32_t from, TSNode next, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		char c = py->src[i];

		if (c == ' ' || c == '\t' || c == '\f' || c == '\n' || c == ';')
			continue;
		if (c == '\\' && i + 1 < to && py->src[i + 1] == '\n')
			continue;
		return tg_py_refuse(py, next, "a character that Python does not allow here");
	}
	return true;
}

struct scan {
	uint32_t prev_end; /* end of the last token */
	unsigned depth;    /* open brackets */
};

static bool check_brackets(struct tg_py *py, struct scan *s, TSNode node)
{
	uint32_t a = ts_node_start_byte(node);
	char c;

	if (ts_node_end_byte(node) - a != 1)
		return true;
	c = py->src[a];
	if (c == '(' || c == '[' || c == '{')
		s->depth++;
	else if ((c == ')' || c == ']' || c == '}') && s->depth)
		s->depth--;
	return s->depth <= MAX_BRACKETS || tg_py_refuse(py, node, "too many nested parentheses");
}

/* One node on the way down; true in *skip: do not look below it. */
static bool visit(struct tg_py *py, struct scan *s, TSNode node, bool in_string, bool *skip)
{
	enum tg_py_kind kind = tg_py_kind(py, node);
	bool leaf = ts_node_child_count(node) == 0 || kind == TG_PK_STRING_CONTENT;

	*skip = leaf;
	if (kind == TG_PK_STRING && !check_string(py, node))
		return false;
	if (!leaf)
		return true;
	if (!in_string && !check_gap(py, s->prev_end, node, ts_node_start_byte(node)))
		return false;
	if (ts_node_end_byte(node) > s->prev_end)
		s->prev_end = ts_node_end_byte(node);
	if (!ts_node_is_named(node) && !check_brackets(py, s, node))
		return false;
	return check_leaf(py, node, kind);
}

/* The last line must not end in a continuation. */
static bool check_end(struct tg_py *py)
{
	TSNode root = ts_tree_root_node(py->tree), last;
	size_t n = py->n;

	if (n && py->src[n - 1] == '\n')
		n--;
	if (!n || py->src[n - 1] != '\\')
		return true;
	last = ts_node_descendant_for_byte_range(root, (uint32_t)n - 1, (uint32_t)n);
	if (tg_py_kind(py, last) == TG_PK_COMMENT)
		return true;
	return tg_py_refuse(py, last, "the file ends in a line continuation");
}

bool tg_py_strict_tokens(struct tg_py *py)
{
	TSTreeCursor c = ts_tree_cursor_new(ts_tree_root_node(py->tree));
	struct scan s = { 0 };
	unsigned strings = 0; /* how many string nodes we are in */
	bool ok = true, more = true;

	while (ok && more) {
		TSNode node = ts_tree_cursor_current_node(&c);
		bool skip;

		ok = visit(py, &s, node, strings > 0, &skip);
		if (ok && !skip && ts_tree_cursor_goto_first_child(&c)) {
			strings += tg_py_kind(py, node) == TG_PK_STRING;
			continue;
		}
		while (ok && !ts_tree_cursor_goto_next_sibling(&c)) {
			more = ts_tree_cursor_goto_parent(&c);
			if (!more)
				break;
			node = ts_tree_cursor_current_node(&c);
			strings -= tg_py_kind(py, node) == TG_PK_STRING;
		}
	}
	ts_tree_cursor_delete(&c);
	if (ok)
		ok = check_gap(py, s.prev_end, ts_tree_root_node(py->tree), (uint32_t)py->n);
	return ok && check_end(py);
}
