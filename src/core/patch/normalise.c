/*
 * The reference pipeline's normalisation of predictions, step by step
 * (tauguardian-pipeline.md 3.2), its quirks included: it cuts lines at form feeds and U+2028 and
 * drops code fences inside a diff. Used for foreign prediction files only, and labelled there.
 */
#include "core/patch/preds.h"

#include <string.h>
#include "core/lib/text.h"

#define FENCE "```"

struct span {
	const char *p;
	size_t n;
};

/* Python's str.isspace for one code point. */
static bool is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Python's str.splitlines; CR is gone by then. */
static bool is_break(uint32_t c)
{
	return c == '\n' || c == 0x0b || c == 0x0c || (c >= 0x1c && c <= 0x1e) || c == 0x85 ||
	       c == 0x2028 || c == 0x2029;
}

/* Bytes of white space at the beginning of s; *chars (may be NULL) counts code points. */
static size_t leading(struct span s, size_t *chars)
{
	size_t at = 0, count = 0;

	while (at < s.n) {
		uint32_t cp;
		size_t step = tg_utf8_next(s.p + at, s.n - at, &cp);

		if (!is_space(cp))
			break;
		at += step;
		count++;
	}
	if (chars)
		*chars = count;
	return at;
}

static struct span left_trimmed(struct span s)
{
	size_t n = leading(s, NULL);

	return (struct span){s.p + n, s.n - n};
}

static bool begins(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && memcmp(s.p, word, n) == 0;
}

/* The next line of *rest without its separator; false at the end. */
static bool next_line(struct span *rest, struct span *line)
{
	size_t at = 0;

	if (rest->n == 0)
		return false;
	while (at < rest->n) {
		uint32_t cp;
		size_t step = tg_utf8_next(rest->p + at, rest->n - at, &cp);

		if (is_break(cp)) {
			*line = (struct span){rest->p, at};
			*rest = (struct span){rest->p + at + step, rest->n - at - step};
			return true;
		}
		at += step;
	}
	*line = *rest;
	*rest = (struct span){rest->p + at, 0};
	return true;
}

static struct span strip_newlines(struct span s)
{
	while (s.n > 0 && s.p[0] == '\n') {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	return s;
}

/* Step 1: one kind of line end, no byte order mark. */
static void unify(const char *p, size_t n, struct tg_buf *out)
{
	size_t i;

	while (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
		p += 3;
		n -= 3;
	}
	for (i = 0; i < n; i++) {
		if (p[i] != '\r')
			tg_buf_addc(out, p[i]);
		else if (i + 1 >= n || p[i + 1] != '\n')
			tg_buf_addc(out, '\n');
	}
}

static const char *find(struct span s, size_t from, const char *word)
{
	return from < s.n ? memmem(s.p + from, s.n - from, word, strlen(word)) : NULL;
}

static size_t skip_label(struct span s, size_t at)
{
	struct span rest = {s.p + at, s.n - at};

	return at + (begins(rest, "diff") ? 4 : begins(rest, "patch") ? 5 : 0);
}

/* Step 2: the body of the first fence labelled diff, patch or not at all. */
static bool fenced(struct span s, struct span *body)
{
	const char *open = find(s, 0, FENCE);
	bool none = false; /* no closer behind an earlier opener, so none behind this one */

	for (; open; open = find(s, (size_t)(open - s.p) + 1, FENCE)) {
		size_t at = skip_label(s, (size_t)(open - s.p) + 3), end, last, start;
		const char *close;

		end = at + leading((struct span){s.p + at, s.n - at}, NULL);
		for (last = end; last > at && s.p[last - 1] != '\n'; last--)
			;
		if (last == at)
			continue; /* no line end behind the opener */
		close = none ? NULL : find(s, last, "\n" FENCE);
		none = !close;
		if (close) {
			*body = (struct span){s.p + last, (size_t)(close - (s.p + last))};
			return true;
		}
		/* Only white space between opener and closer: the match ends at the run's last LF.
		 */
		for (start = last - 1; start > at && s.p[start - 1] != '\n'; start--)
			;
		if (start > at && last == end &&
		    begins((struct span){s.p + end, s.n - end}, FENCE)) {
			*body = (struct span){s.p + start, last - 1 - start};
			return true;
		}
	}
	return false;
}

/* Step 3, for text that begins with a fence: take the opener and the first closer out. */
static void unfence(struct span s, struct tg_buf *out)
{
	size_t at = skip_label(s, leading(s, NULL) + 3);
	struct span rest = {s.p + at, s.n - at};
	const char *close;

	rest = left_trimmed(rest);
	for (close = find(rest, 0, FENCE); close;
	     close = find(rest, (size_t)(close - rest.p) + 1, FENCE)) {
		size_t from = (size_t)(close - rest.p), behind = from + 3;
		size_t end =
		    behind + leading((struct span){rest.p + behind, rest.n - behind}, NULL);

		if (end < rest.n) {
			while (end > behind && rest.p[end - 1] != '\n')
				end--;
			if (end == behind)
				continue;
			end--; /* the line's own end stays */
		}
		while (from > 0) {
			size_t back = from - 1;
			uint32_t cp;

			while (back > 0 && ((unsigned char)rest.p[back] & 0xc0) == 0x80)
				back--;
			tg_utf8_next(rest.p + back, from - back, &cp);
			if (!is_space(cp))
				break;
			from = back;
		}
		tg_buf_add(out, rest.p, from);
		tg_buf_add(out, rest.p + end, rest.n - end);
		return;
	}
	tg_buf_add(out, rest.p, rest.n);
}

/* The first line that begins the diff; false when there is none. */
static bool find_start(struct span s, struct span *from)
{
	struct span rest = s, line, minus = {NULL, 0}, plus = {NULL, 0};

	for (struct span at = rest; next_line(&rest, &line); at = rest) {
		struct span text = left_trimmed(line);

		if (begins(text, "diff --git ")) {
			*from = at;
			return true;
		}
		if (!minus.p && begins(text, "--- "))
			minus = at;
		else if (minus.p && !plus.p && begins(text, "+++ "))
			plus = at;
	}
	*from = minus;
	return minus.p && plus.p;
}

/* Step 4: from the diff's first line on, without code fences. */
static void cut_to_diff(struct span s, struct tg_buf *out)
{
	struct span rest, line;
	bool first = true;

	if (!find_start(s, &rest)) {
		tg_buf_add(out, s.p, s.n);
		return;
	}
	while (next_line(&rest, &line)) {
		if (begins(left_trimmed(line), FENCE))
			continue;
		if (!first)
			tg_buf_addc(out, '\n');
		tg_buf_add(out, line.p, line.n);
		first = false;
	}
}

/* Bytes of the first `chars` code points. */
static size_t bytes_of(struct span s, size_t chars)
{
	size_t at = 0;

	while (chars-- > 0 && at < s.n) {
		uint32_t cp;

		at += tg_utf8_next(s.p + at, s.n - at, &cp);
	}
	return at;
}

/* Step 5: take common indentation off. */
static void dedent(struct span s, struct tg_buf *out)
{
	struct span rest = s, line;
	size_t margin = SIZE_MAX, chars;
	bool first = true;

	while (next_line(&rest, &line))
		if (leading(line, &chars) < line.n && chars < margin)
			margin = chars;
	if (margin == 0 || margin == SIZE_MAX) {
		tg_buf_add(out, s.p, s.n);
		return;
	}
	for (rest = s; next_line(&rest, &line); first = false) {
		size_t cut = bytes_of(line, margin);

		if (!first)
			tg_buf_addc(out, '\n');
		if (line.n > 0 && cut >= line.n)
			tg_buf_addc(out, ' ');
		else
			tg_buf_add(out, line.p + cut, line.n - cut);
	}
}

void tg_preds_normalise(const char *p, size_t n, struct tg_buf *out)
{
	struct tg_buf text = TG_BUF_INIT, diff = TG_BUF_INIT, flat = TG_BUF_INIT,
		      open = TG_BUF_INIT;
	struct span candidate, whole;

	tg_buf_clear(out);
	unify(p, n, &text);
	whole = (struct span){tg_buf_cstr(&text), text.n};
	if (!fenced(whole, &candidate)) {
		candidate = strip_newlines(whole);
		if (begins(left_trimmed(candidate), FENCE)) {
			unfence(candidate, &open);
			candidate = (struct span){tg_buf_cstr(&open), open.n};
		}
	}
	cut_to_diff(candidate, &diff);
	dedent((struct span){tg_buf_cstr(&diff), diff.n}, &flat);
	candidate = strip_newlines((struct span){tg_buf_cstr(&flat), flat.n});
	tg_buf_add(out, candidate.p, candidate.n);
	tg_buf_addc(out, '\n');
	tg_buf_fini(&text);
	tg_buf_fini(&open);
	tg_buf_fini(&diff);
	tg_buf_fini(&flat);
}
