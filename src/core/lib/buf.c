#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/lib/buf.h"

/* The one process-wide hook there is: a console must give the terminal back before we end. */
static void (*oom_hook)(void);

void tg_oom_hook(void (*fn)(void))
{
	oom_hook = fn;
}

void tg_oom(void)
{
	static const char text[] = "tgmon: out of memory\n";

	if (oom_hook)
		oom_hook();
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(TG_E_MEMORY);
}

void *tg_malloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		tg_oom();
	return p;
}

void *tg_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		tg_oom();
	return p;
}

void *tg_realloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		tg_oom();
	return p;
}

char *tg_strndup(const char *s, size_t n)
{
	char *p = tg_malloc(n + 1);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *tg_strdup(const char *s)
{
	return s ? tg_strndup(s, strlen(s)) : NULL;
}

char *tg_asprintf(const char *fmt, ...)
{
	struct tg_buf b = TG_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	tg_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	return tg_buf_detach(&b);
}

void tg_buf_fini(struct tg_buf *b)
{
	free(b->p);
	*b = (struct tg_buf)TG_BUF_INIT;
}

void tg_buf_clear(struct tg_buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = '\0';
}

void tg_buf_reserve(struct tg_buf *b, size_t more)
{
	size_t need = b->n + more + 1;

	if (need < b->n)
		tg_oom();
	if (need <= b->cap)
		return;
	b->cap = b->cap ? b->cap : 64;
	while (b->cap < need)
		b->cap = b->cap > SIZE_MAX / 2 ? need : b->cap * 2;
	b->p = tg_realloc(b->p, b->cap);
}

void tg_buf_add(struct tg_buf *b, const void *p, size_t n)
{
	tg_buf_reserve(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void tg_buf_adds(struct tg_buf *b, const char *s)
{
	tg_buf_add(b, s, strlen(s));
}

void tg_buf_addc(struct tg_buf *b, char c)
{
	tg_buf_add(b, &c, 1);
}

void tg_buf_vaddf(struct tg_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(n >= 0);
	tg_buf_reserve(b, (size_t)n);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void tg_buf_addf(struct tg_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tg_buf_vaddf(b, fmt, ap);
	va_end(ap);
}

char *tg_buf_detach(struct tg_buf *b)
{
	char *p;

	tg_buf_reserve(b, 0);
	b->p[b->n] = '\0';
	p = b->p;
	*b = (struct tg_buf)TG_BUF_INIT;
	return p;
}

const char *tg_buf_cstr(const struct tg_buf *b)
{
	return b->p ? b->p : "";
}

bool tg_streq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool tg_starts_with(const char *s, const char *prefix)
{
	return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool tg_ends_with(const char *s, const char *suffix)
{
	size_t n = s ? strlen(s) : 0, k = strlen(suffix);

	return s && n >= k && memcmp(s + n - k, suffix, k) == 0;
}

bool tg_parse_i64(const char *s, int64_t *out)
{
	char *end;
	long long v;

	if (!s || !*s || !(*s == '-' || (*s >= '0' && *s <= '9')) || (*s == '-' && !s[1]))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end)
		return false;
	*out = v;
	return true;
}

bool tg_parse_f64(const char *s, double *out)
{
	char *end;
	double v;

	if (!s || !*s || strspn(s, "0123456789.-") != strlen(s))
		return false;
	v = strtod(s, &end);
	if (end == s || *end || !isfinite(v))
		return false;
	*out = v;
	return true;
}
