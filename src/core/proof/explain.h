#ifndef TG_EXPLAIN_H
#define TG_EXPLAIN_H
/*
 * The bundle explains itself to somebody who has nothing else: README.txt (what was run, the
 * figures, the selection rule, what this does not prove), proof/VERIFY.md (six commands) and
 * proof/report.md (every instance). Pure functions of the facts, so that a verifier makes them again.
 */
#include "core/lib/buf.h"
#include "core/proof/facts.h"

struct tg_text_file {
	const char *path;
	void (*print)(const struct tg_facts *f, struct tg_buf *out);
};

enum { TG_EXPLAIN_FILES = 3 };
extern const struct tg_text_file tg_explain_files[TG_EXPLAIN_FILES];

#endif
