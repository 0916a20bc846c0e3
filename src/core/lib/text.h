#ifndef TG_TEXT_H
#define TG_TEXT_H
/*
 * Untrusted bytes made visible. Everything that came from a model, a repository or a tool passes
 * through here before it reaches a terminal or a log line of ours: C0, C1, DEL, bidi controls,
 * zero-width characters and invalid UTF-8 become visible substitutes; the result is valid UTF-8
 * without control characters and the function is idempotent.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"

enum {
	TG_TEXT_KEEP_NL = 1,  /* '\n' stays */
	TG_TEXT_KEEP_TAB = 2, /* '\t' stays */
	TG_TEXT_ASCII = 4     /* non-ASCII becomes <U+XXXX> */
};
/* Append the safe form of p[0..n) to out. */
void tg_text_safe(struct tg_buf *out, const char *p, size_t n, unsigned flags);
/* Safe, one line, at most `max` bytes ("..." marks a cut); caller frees. */
char *tg_text_line(const char *p, size_t n, size_t max);
/* Next code point of p[0..n): bytes eaten (>= 1), *cp = 0xFFFFFFFF when invalid. */
size_t tg_utf8_next(const char *p, size_t n, uint32_t *cp);

#endif
