#ifndef TG_RULEMATCH_H
#define TG_RULEMATCH_H
/* Private to this folder: alias tables filled while walking, and the conditions of a match line. */
#include "core/security/rules.h"

/* Names bound so far, per table. Global to the file, never scoped, never removed (spec 6.3). */
struct tg_alias {
	const char *table; /* borrowed from the rules */
	char *name;
};

struct tg_aliases {
	struct tg_alias *v;
	size_t n, cap;
};

void tg_aliases_seed(struct tg_aliases *a, const struct tg_rules *rules);
/* An import or import-from statement was reached. */
void tg_aliases_import(struct tg_aliases *a, const struct tg_rules *rules, const struct tg_py *py,
		       TSNode statement);
bool tg_aliases_has(const struct tg_aliases *a, const char *table, const char *name, size_t n);
void tg_aliases_fini(struct tg_aliases *a);

/* Does the rule (on: call) hold for this call node, whose function's dotted name is given? */
bool tg_rule_matches_call(const struct tg_rule *rule, const struct tg_py *py,
			  const struct tg_aliases *aliases, TSNode call, const char *dotted);
/* Does the rule (on: assignment) hold for this outermost assignment? */
bool tg_rule_matches_assignment(const struct tg_rule *rule, const struct tg_py *py,
				TSNode assignment);

#endif
