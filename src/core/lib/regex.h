#ifndef TG_REGEX_H
#define TG_REGEX_H
/* PCRE2 with UTF, Unicode \b and \w, and a match limit: a pattern from a policy cannot hang us. */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"

struct tg_regex;
enum { TG_REGEX_ICASE = 1 };

/* NULL and err (message, offset in the pattern) when it does not compile. */
struct tg_regex *tg_regex_new(const char *pattern, unsigned flags, struct tg_err *err);
void tg_regex_free(struct tg_regex *re);
/* Python's re.search: true when found; start/end (may be NULL) get the span. Invalid UTF-8 in the
 * subject is searched as bytes. Going over the match limit counts as found (fail closed) and sets
 * *limit when not NULL. */
bool tg_regex_search(const struct tg_regex *re, const char *p, size_t n, size_t *start, size_t *end,
		     bool *limit);

#endif
