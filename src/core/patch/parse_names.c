/* File names in diffs: git's C quotes, prefixes, and what makes a name dangerous. */
#include "core/patch/parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t octal(const char *p, size_t n, unsigned char *out)
{
	unsigned v = 0;
	size_t i = 0;

	while (i < 3 && i < n && p[i] >= '0' && p[i] <= '7')
		v = v * 8 + (unsigned)(p[i++] - '0');
	if (i != 3 || v > 255)
		return 0;
	*out = (unsigned char)v;
	return 3;
}

/* p points behind the opening quote. Returns the bytes eaten with the closing quote; 0: malformed.
 */
static size_t unquote(const char *p, size_t n, struct tg_buf *out)
{
	static const char from[] = "abtnvfr\\\"", to[] = "\a\b\t\n\v\f\r\\\"";
	size_t i = 0;

	while (i < n && p[i] != '"' && p[i] != '\n') {
		unsigned char c = (unsigned char)p[i++];

		if (c == '\\' && i < n) {
			const char *at = p[i] ? strchr(from, p[i]) : NULL;
			size_t eaten = octal(p + i, n - i, &c);

			if (eaten > 0) {
				i += eaten;
			} else if (at) {
				c = (unsigned char)to[at - from];
				i++;
			} else {
				return 0;
			}
		}
		/* A name cannot hold NUL; keep it visible as a control character. */
		tg_buf_addc(out, c ? (char)c : '\x7f');
	}
	return i < n && p[i] == '"' ? i + 1 : 0;
}

static bool ends_name(char c)
{
	return c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* Take off `strip` leading components; NULL when there are fewer. */
static char *strip_name(const char *name, int strip)
{
	for (; strip > 0; strip--) {
		name = strchr(name, '/');
		if (!name)
			return NULL;
		name++;
	}
	return *name ? tg_strdup(name) : NULL;
}

char *tg_diff_name(const char *p, size_t n, int strip, bool *null)
{
	struct tg_buf name = TG_BUF_INIT;
	char *out = NULL;
	size_t i;

	*null = false;
	if (n > 0 && *p == '"') {
		if (unquote(p + 1, n - 1, &name) == 0)
			tg_buf_clear(&name);
	} else {
		for (i = 0; i < n && !ends_name(p[i]); i++)
			tg_buf_addc(&name, p[i] ? p[i] : '\x7f');
	}
	if (tg_streq(tg_buf_cstr(&name), "/dev/null"))
		*null = true;
	else if (name.n > 0)
		out = strip_name(tg_buf_cstr(&name), strip);
	tg_buf_fini(&name);
	return out;
}

/* `"a/x" "b/x"`, `"a/x" b/x` or `a/x "b/x"`: at least one side is quoted. */
static char *quoted_pair(const char *p, size_t n)
{
	struct tg_buf first = TG_BUF_INIT;
	const char *open = memchr(p, '"', n);
	size_t end = (size_t)(open - p), eaten;
	char *a = NULL, *b = NULL;
	bool null;

	if (open == p) {
		eaten = unquote(p + 1, n - 1, &first);
		if (eaten > 0 && eaten + 2 < n && p[eaten + 1] == ' ') {
			a = strip_name(tg_buf_cstr(&first), 1);
			b = tg_diff_name(p + eaten + 2, n - eaten - 2, 1, &null);
		}
	} else if (end > 1 && p[end - 1] == ' ') {
		tg_buf_add(&first, p, end - 1);
		a = strip_name(tg_buf_cstr(&first), 1);
		b = tg_diff_name(p + end, n - end, 1, &null);
	}
	tg_buf_fini(&first);
	if (!tg_streq(a, b)) {
		free(a);
		a = NULL;
	}
	free(b);
	return a;
}

char *tg_diff_git_name(const char *p, size_t n)
{
	const char *a, *b;
	size_t half;

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (memchr(p, '"', n))
		return quoted_pair(p, n);
	/* Both names are the same behind their first component: with the usual prefixes of one
	 * length the blank between them stands in the middle. */
	if (n < 5 || n % 2 == 0)
		return NULL;
	half = n / 2;
	if (p[half] != ' ')
		return NULL;
	a = memchr(p, '/', half);
	b = memchr(p + half + 1, '/', half);
	if (!a || !b || a - p != b - (p + half + 1) || a == p + half - 1)
		return NULL;
	if (memcmp(a, b, (size_t)(p + half - a)) != 0 || memchr(a, '\0', (size_t)(p + half - a)))
		return NULL;
	return tg_strndup(a + 1, (size_t)(p + half - a) - 1);
}

static unsigned component_flags(const char *p, size_t n)
{
	if (n == 0 || (n == 1 && p[0] == '.'))
		return TG_PATH_EMPTY;
	if (n == 2 && p[0] == '.' && p[1] == '.')
		return TG_PATH_DOTDOT;
	/* ".git" in any case, and with the endings that some file systems drop. */
	if (n >= 4 && strncasecmp(p, ".git", 4) == 0 && strspn(p + 4, ". ") >= n - 4)
		return TG_PATH_DOTGIT;
	return 0;
}

unsigned tg_diff_path_flags(const char *path)
{
	unsigned flags = 0;
	const char *p = path;

	if (!*path)
		return TG_PATH_EMPTY;
	if (*path == '/') {
		flags |= TG_PATH_ABSOLUTE;
		p++;
	}
	for (;;) {
		size_t n = strcspn(p, "/");

		flags |= component_flags(p, n);
		if (!p[n])
			break;
		p += n + 1;
	}
	for (p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '\\')
			flags |= TG_PATH_CONTROL;
	return flags;
}
