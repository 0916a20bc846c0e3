#ifndef TG_RULES_H
#define TG_RULES_H
/*
 * The Python rules: data/rules/python.yaml says what is found, this says how it is matched
 * (pipeline spec 6.2 to 6.4, which the vectors of the reference bind).
 *
 * Words of a `match` line, all of which must hold:
 *   name [..]           the call's dotted name is one of these; with suffix: or ends in one of
 * those prefix [..] suffix [..]  it starts with one and ends with the other table T, member [..] it
 * has exactly two parts: a name that table T holds, and a member (any when the list is empty)
 *   direct T            it is a name that table T holds
 *   attribute A         the function is an attribute access called A, of anything
 *   keyword K, is V     the first argument K= whose value is a literal is exactly V (True, False)
 *   unless_keyword [..], contains S   not when the first such argument's dotted name holds S
 *   not_name [..]       the dotted name is none of these (another rule has them)
 *   loader_argument S   the second positional argument's dotted name holds "loader", but not S
 *   first_argument [..] the first positional argument is one of: operation (a binary operator),
 *                       fstring, format (a call of an attribute named format)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/security/pyparse.h"

#define TG_CODE_SYNTAX "SYNTAX_ERROR_PREVENTS_SECURITY_SCAN"
#define TG_CODE_TESTS "TEST_INFRASTRUCTURE_CHANGED"

enum tg_rule_on { TG_ON_CALL, TG_ON_ASSIGNMENT, TG_ON_PARSE, TG_ON_FILE };

enum { TG_ARG_OPERATION = 1, TG_ARG_FSTRING = 2, TG_ARG_FORMAT = 4 };

struct tg_match {
	/* NULL-terminated or NULL */
	char **name, **prefix, **suffix, **member, **unless, **not_name;
	char *loader_argument, *table, *direct, *attribute, *keyword, *is, *contains;
	unsigned first_argument; /* TG_ARG_* */
};

struct tg_rule {
	char *code, *category, *cwe, *severity, *message;
	enum tg_rule_on on;
	bool extra; /* not one of the reference's codes: no name of its filter turns it on */
	struct tg_match *match;
	size_t match_n, match_cap;
	char **target; /* on assignment */
	int value_least;
	char *value_without;
};

struct tg_import_rule {
	char *module, *prefix, *table, *also; /* exactly one of module and prefix is set */
	char **names;                         /* NULL: any */
	bool seed;
};

struct tg_rules {
	char *version;
	char sha256[65]; /* of the file */
	struct tg_import_rule *import, *from;
	size_t import_n, import_cap, from_n, from_cap;
	struct tg_rule *rule;
	size_t rule_n, rule_cap;
};

/* path NULL: rules/python.yaml below the data folder. Strict: unknown words are errors with line
 * and column. Free with tg_rules_free. */
struct tg_rules *tg_rules_load(const char *path, struct tg_err *err);
void tg_rules_free(struct tg_rules *rules);
const struct tg_rule *tg_rules_find(const struct tg_rules *rules, const char *code);

struct tg_finding {
	const struct tg_rule *rule; /* borrowed from the pack */
	uint32_t line, col, end_line,
	    end_col;   /* 1-based, columns in characters; end is behind the last */
	char *snippet; /* safe one line */
	char *scope;   /* "Class.method", "" at module level */
	char *text;    /* tokens joined by one blank: identity, with the code */
};

struct tg_findings {
	struct tg_finding *v;
	size_t n, cap;
	enum tg_py_status status; /* was it analysed at all */
	const char *why;          /* when not */
	uint32_t line, col;       /* near where */
	bool latin1;
};

/* Scan n bytes of source. A text that does not parse gives exactly one finding, the syntax one,
 * unless status is LIMIT (then none: nothing is known about it). Sorted by place, then code. */
void tg_rules_scan(const struct tg_rules *rules, const char *source, size_t n,
		   struct tg_findings *out);
void tg_findings_fini(struct tg_findings *f);

/* Extra rules are in no filter but NULL.
 * The sorted, unique codes under the reference's active-rule names ("ALL", categories, literal
 * codes; pipeline spec 6.2); active NULL: all. NULL-terminated, borrowed strings; free the array.
 */
const char **tg_findings_codes(const struct tg_findings *f, const char *const *active);

#endif
