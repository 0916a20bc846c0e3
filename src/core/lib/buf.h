#ifndef TG_BUF_H
#define TG_BUF_H
/*
 * Growing byte buffers and the allocation helpers. Out of memory ends the process through tg_oom()
 * (exit 71) after the hook that the console registers has restored the terminal.
 * A tg_buf is always NUL-terminated behind its n bytes once anything was added; p is never NULL
 * after tg_buf_init or an add. Ownership: the buffer owns p; tg_buf_detach hands it to the caller.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"

struct tg_str {
	const char *p;
	size_t n;
};

struct tg_buf {
	char *p;
	size_t n, cap;
};

#define TG_BUF_INIT { NULL, 0, 0 }

void tg_buf_fini(struct tg_buf *b);   /* frees; leaves an empty buffer */
void tg_buf_clear(struct tg_buf *b);  /* n = 0, keeps the memory */
void tg_buf_reserve(struct tg_buf *b, size_t more);
void tg_buf_add(struct tg_buf *b, const void *p, size_t n);
void tg_buf_adds(struct tg_buf *b, const char *s);
void tg_buf_addc(struct tg_buf *b, char c);
void tg_buf_addf(struct tg_buf *b, const char *fmt, ...) TG_PRINTF(2, 3);
void tg_buf_vaddf(struct tg_buf *b, const char *fmt, va_list ap);
char *tg_buf_detach(struct tg_buf *b); /* NUL-terminated, caller frees; the buffer is empty after */
const char *tg_buf_cstr(const struct tg_buf *b); /* "" when empty */

void tg_oom(void) __attribute__((noreturn));
void tg_oom_hook(void (*fn)(void)); /* called once before the process ends */
void *tg_malloc(size_t n);
void *tg_calloc(size_t n, size_t size);
void *tg_realloc(void *p, size_t n);
char *tg_strdup(const char *s);            /* NULL in, NULL out */
char *tg_strndup(const char *s, size_t n);
char *tg_asprintf(const char *fmt, ...) TG_PRINTF(1, 2); /* caller frees */

/* Grow an array so that one more element fits: TG_GROW(a->item, a->n, a->cap). */
#define TG_GROW(items, n, cap) \
	do { \
		if ((n) >= (cap)) { \
			(cap) = (cap) ? (cap) * 2 : 8; \
			(items) = tg_realloc((items), (size_t)(cap) * sizeof *(items)); \
		} \
	} while (0)

bool tg_streq(const char *a, const char *b);              /* NULL-safe */
bool tg_starts_with(const char *s, const char *prefix);
bool tg_ends_with(const char *s, const char *suffix);
/* Strict decimal integer: whole string, optional '-', no blanks; false on overflow or rubbish. */
bool tg_parse_i64(const char *s, int64_t *out);
/* Strict decimal number (digits, optional fraction); false on rubbish, nan, inf. */
bool tg_parse_f64(const char *s, double *out);

#endif
