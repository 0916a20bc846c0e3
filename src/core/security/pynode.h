#ifndef TG_PYNODE_H
#define TG_PYNODE_H
/* Small questions about nodes, with the meaning that Python's own AST gives them (pipeline
 * spec 6.3). */
#include "core/security/pyparse.h"

struct tg_py_string {
	bool is_bytes, is_f; /* f: a JoinedStr in CPython's tree */
};

/* Append the value of a string node (not of a concatenation) as UTF-8; interpolations give nothing.
 * Returns why CPython would refuse the literal, or NULL. */
const char *tg_py_string_decode(const struct tg_py *py, TSNode string, struct tg_buf *out,
				struct tg_py_string *what);
bool tg_py_string_is_bytes(const struct tg_py *py, TSNode string);
/* A string or a concatenation: its value and nature; false for any other node. */
bool tg_py_string_value(const struct tg_py *py, TSNode node, struct tg_buf *out,
			struct tg_py_string *what);
/* The node inside any number of parentheses; also past the star that the grammar puts at the root
 * of
 * `*a.b(c)` where Python's tree has it outside. */
TSNode tg_py_unwrap(const struct tg_py *py, TSNode node);
/* NFKC of an identifier, as CPython compares names. */
void tg_py_identifier(const struct tg_py *py, TSNode node, struct tg_buf *out);
/* Append the dotted name of an expression: identifiers joined by "."; a root that is no name is
 * dropped; a constant is its str(); anything else is nothing. */
void tg_py_dotted(const struct tg_py *py, TSNode node, struct tg_buf *out);
/* Is it an ast.Constant? */
bool tg_py_is_constant(const struct tg_py *py, TSNode node);
/* The identifier that a Name or Attribute target ends in; .id is NULL for other targets. */
TSNode tg_py_target_name_node(const struct tg_py *py, TSNode target);
/* First named child that is no comment; .id NULL when there is none. */
TSNode tg_py_first_named(const struct tg_py *py, TSNode node);
TSNode tg_py_field(TSNode node, const char *name);
/* Python's str.isspace, as str.strip() uses it. */
bool tg_py_is_space(uint32_t cp);
/* Lower-case letters, by code point, of UTF-8 text. */
void tg_py_lower(const char *p, size_t n, struct tg_buf *out);

#endif
