#ifndef TG_PYPARSE_H
#define TG_PYPARSE_H
/*
 * Python source to a tree-sitter tree, with the judgement of CPython 3.11 to 3.13's ast.parse about
 * what is Python at all (pipeline spec 6.1): tree-sitter alone accepts Python 2, inconsistent
 * indentation and much more; pystrict.c refuses those.
 *
 * The text is made ready first: bytes that are not UTF-8 are read as latin-1, CRLF and lone CR
 * become LF, as Python's text layer does. All positions are in that text (`src`), so lines agree
 * with the file's. Walking is never recursive: depth and breadth come from a model.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tree_sitter/api.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

/* The node kinds that rules and checks know: X(name, text, named). */
#define TG_PY_KINDS(X) \
	X(ERROR, "ERROR", true) X(MODULE, "module", true) X(BLOCK, "block", true) \
	X(COMMENT, "comment", true) X(LINE_CONTINUATION, "line_continuation", true) \
	X(IDENTIFIER, "identifier", true) X(ATTRIBUTE, "attribute", true) \
	X(SUBSCRIPT, "subscript", true) X(CALL, "call", true) \
	X(ARGUMENT_LIST, "argument_list", true) X(KEYWORD_ARGUMENT, "keyword_argument", true) \
	X(LIST_SPLAT, "list_splat", true) X(DICT_SPLAT, "dictionary_splat", true) \
	X(PAREN, "parenthesized_expression", true) X(TUPLE, "tuple", true) X(LIST, "list", true) \
	X(SET, "set", true) X(DICT, "dictionary", true) X(PAIR, "pair", true) \
	X(GENERATOR, "generator_expression", true) X(LIST_COMP, "list_comprehension", true) \
	X(SET_COMP, "set_comprehension", true) X(DICT_COMP, "dictionary_comprehension", true) \
	X(BINARY, "binary_operator", true) X(BOOLEAN, "boolean_operator", true) \
	X(NOT, "not_operator", true) X(UNARY, "unary_operator", true) \
	X(COMPARISON, "comparison_operator", true) X(CONDITIONAL, "conditional_expression", true) \
	X(LAMBDA, "lambda", true) X(AWAIT, "await", true) X(YIELD, "yield", true) \
	X(NAMED_EXPRESSION, "named_expression", true) X(AS_PATTERN, "as_pattern", true) \
	X(AS_TARGET, "as_pattern_target", true) X(SLICE, "slice", true) \
	X(STRING, "string", true) X(CONCAT_STRING, "concatenated_string", true) \
	X(STRING_START, "string_start", true) X(STRING_CONTENT, "string_content", true) \
	X(STRING_END, "string_end", true) X(INTERPOLATION, "interpolation", true) \
	X(FORMAT_EXPRESSION, "format_expression", true) X(FORMAT_SPEC, "format_specifier", true) \
	X(INTEGER, "integer", true) X(FLOAT, "float", true) X(TRUE, "true", true) \
	X(FALSE, "false", true) X(NONE, "none", true) X(ELLIPSIS, "ellipsis", true) \
	X(EXPRESSION_STATEMENT, "expression_statement", true) \
	X(ASSIGNMENT, "assignment", true) X(AUGMENTED, "augmented_assignment", true) \
	X(EXPRESSION_LIST, "expression_list", true) X(PATTERN_LIST, "pattern_list", true) \
	X(TUPLE_PATTERN, "tuple_pattern", true) X(LIST_PATTERN, "list_pattern", true) \
	X(SPLAT_PATTERN, "list_splat_pattern", true) \
	X(DICT_SPLAT_PATTERN, "dictionary_splat_pattern", true) \
	X(PRINT, "print_statement", true) X(CHEVRON, "chevron", true) \
	X(EXEC, "exec_statement", true) X(RAISE, "raise_statement", true) \
	X(ASSERT, "assert_statement", true) X(DELETE, "delete_statement", true) \
	X(RETURN, "return_statement", true) X(IMPORT, "import_statement", true) \
	X(IMPORT_FROM, "import_from_statement", true) \
	X(FUTURE_IMPORT, "future_import_statement", true) \
	X(DOTTED_NAME, "dotted_name", true) X(RELATIVE_IMPORT, "relative_import", true) \
	X(ALIASED_IMPORT, "aliased_import", true) X(WILDCARD, "wildcard_import", true) \
	X(IF, "if_statement", true) X(ELIF, "elif_clause", true) X(ELSE, "else_clause", true) \
	X(WHILE, "while_statement", true) X(FOR, "for_statement", true) \
	X(TRY, "try_statement", true) X(EXCEPT, "except_clause", true) \
	X(EXCEPT_GROUP, "except_group_clause", true) X(FINALLY, "finally_clause", true) \
	X(WITH, "with_statement", true) X(WITH_CLAUSE, "with_clause", true) \
	X(WITH_ITEM, "with_item", true) X(MATCH, "match_statement", true) \
	X(CASE, "case_clause", true) X(CASE_PATTERN, "case_pattern", true) \
	X(FOR_IN, "for_in_clause", true) X(IF_CLAUSE, "if_clause", true) \
	X(FUNCTION, "function_definition", true) X(CLASS, "class_definition", true) \
	X(DECORATED, "decorated_definition", true) X(DECORATOR, "decorator", true) \
	X(PARAMETERS, "parameters", true) X(LAMBDA_PARAMETERS, "lambda_parameters", true) \
	X(TYPED_PARAMETER, "typed_parameter", true) \
	X(DEFAULT_PARAMETER, "default_parameter", true) \
	X(TYPED_DEFAULT, "typed_default_parameter", true) \
	X(KEYWORD_SEPARATOR, "keyword_separator", true) \
	X(POSITIONAL_SEPARATOR, "positional_separator", true) X(TYPE, "type", true) \
	X(SPLAT_TYPE, "splat_type", true) X(TYPE_CONVERSION, "type_conversion", true) \
	X(CLASS_PATTERN, "class_pattern", true) X(DICT_PATTERN, "dict_pattern", true) \
	X(KEYWORD_PATTERN, "keyword_pattern", true) X(SPLAT_IN_CASE, "splat_pattern", true) \
	X(T_COMMA, ",", false) X(T_OPEN, "(", false) X(T_NOT_EQUAL_2, "<>", false) \
	X(T_AS, "as", false) X(T_BACKTICK, "`", false)

enum tg_py_kind {
	TG_PK_OTHER,
#define X(name, text, named) TG_PK_##name,
	TG_PY_KINDS(X)
#undef X
	TG_PK_COUNT
};

enum tg_py_status {
	TG_PY_OK,
	TG_PY_SYNTAX, /* ast.parse would refuse it */
	TG_PY_LIMIT   /* too large, too slow, or the parser broke: not analysed */
};

struct tg_py {
	char *src; /* the text that was parsed, owned */
	size_t n;
	bool latin1; /* the bytes were not UTF-8 */
	TSTree *tree;
	unsigned char *kind_of; /* symbol to enum tg_py_kind, owned */
	uint32_t symbol_n;
	enum tg_py_status status;
	const char *why;    /* when not OK: a constant sentence */
	uint32_t line, col; /* near where, 1-based; 0 unknown */
};

#define TG_PY_MAX_BYTES (4u << 20)
#define TG_PY_TIMEOUT_US 10000000

/* Parse n bytes. Always fills py (free with tg_py_fini); py->tree is set only when status is OK. */
void tg_py_parse(struct tg_py *py, const char *p, size_t n);
void tg_py_fini(struct tg_py *py);

static inline enum tg_py_kind tg_py_kind(const struct tg_py *py, TSNode node)
{
	TSSymbol s = ts_node_symbol(node);

	return s < py->symbol_n ? (enum tg_py_kind)py->kind_of[s] : TG_PK_ERROR;
}

/* Children of one node, comments and line continuations left out. Reused from node to node. */
struct tg_py_kid {
	TSNode node;
	enum tg_py_kind kind;
	bool named;
	const char *field; /* "left", ...; NULL */
};

struct tg_py_kids {
	struct tg_py_kid *v;
	size_t n, cap;
	TSTreeCursor cursor;
	bool open;
};

void tg_py_kids(const struct tg_py *py, struct tg_py_kids *kids, TSNode node);
void tg_py_kids_fini(struct tg_py_kids *kids);

/* pystrict.c: does CPython refuse this tree? Sets status, why, line, col. */
bool tg_py_strict(struct tg_py *py);
/* Set status SYNTAX at a node's place; the first call wins. Always false. */
bool tg_py_refuse(struct tg_py *py, TSNode at, const char *why);

#endif
