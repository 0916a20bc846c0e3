#ifndef TG_DELTA_H
#define TG_DELTA_H
/*
 * What a patch added to one file: findings after it that were not there before, by identity (code and
 * normalised text; the scope only tells equal ones apart), counted: a second one counts, one that only
 * moved, within its function or to another, does not.
 *
 * A file that no longer parses is a finding of its own (the syntax code) when it parsed before or
 * is a new .py file. A file that did not parse before either, or parses only now, cannot be
 * compared: it is reported as not scanned, never as clean.
 */
#include "core/security/rules.h"

struct tg_delta {
	bool scanned;
	const char *reason; /* when not scanned: a constant sentence */
	struct tg_findings before, after;
	bool *is_new;       /* one for each of after.v */
	size_t new_n;
};

/* before or after NULL: no such file on that side. Free with tg_delta_fini. */
void tg_delta_scan(const struct tg_rules *rules, const char *path, const struct tg_buf *before,
		   const struct tg_buf *after, struct tg_delta *out);
void tg_delta_fini(struct tg_delta *d);

/* Does this file hold Python: *.py, *.pyw, or a first line that names a python interpreter? */
bool tg_is_python(const char *path, const struct tg_buf *content);

#endif
