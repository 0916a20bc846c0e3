#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "core/dataset/dataset.h"
#include "core/lib/text.h"

struct part {
	bool given;
	int64_t v;
};

/* One number of a slice as Python's int() reads it: blanks around, one sign, digits. Python's
 * integers have no end; ours stop at a value far beyond any index, which selects the same. */
static bool read_part(const char *p, size_t n, struct part *out)
{
	const int64_t top = INT64_MAX / 4;
	bool minus = false;

	*out = (struct part){ 0 };
	while (n && strchr(" \t", *p))
		p++, n--;
	while (n && strchr(" \t", p[n - 1]))
		n--;
	if (!n)
		return true;
	if (*p == '-' || *p == '+') {
		minus = *p == '-';
		p++, n--;
	}
	if (!n)
		return false;
	out->given = true;
	for (; n; p++, n--) {
		if (*p < '0' || *p > '9')
			return false;
		out->v = out->v > top / 10 ? top : out->v * 10 + (*p - '0');
	}
	if (minus)
		out->v = -out->v;
	return true;
}

/* start:stop[:step]: two or three parts, no fewer, no more. */
static bool split(const char *text, struct part part[3])
{
	size_t n = 0;

	part[2] = (struct part){ 0 };
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ":");

		if (n == 3 || !read_part(p, len, &part[n++]))
			return false;
		p += len;
		if (!*p)
			return n >= 2;
	}
}

/* PySlice_AdjustIndices: negative counts from the end, then both ends are clamped. */
static int64_t clamp(const struct part *p, int64_t len, bool down, int64_t absent)
{
	int64_t v = p->v, low = down ? -1 : 0, high = down ? len - 1 : len;

	if (!p->given)
		return absent;
	if (v < 0)
		v += len;
	return v < low ? low : v > high ? high : v;
}

bool tg_slice_indices(const char *text, size_t n, size_t **idx, size_t *count, struct tg_err *err)
{
	struct part part[3];
	int64_t len = (int64_t)n, start, stop, step;
	bool down;

	*idx = NULL;
	*count = 0;
	if (!split(text, part)) {
		char *shown = tg_text_line(text, strlen(text), 60);

		tg_fail(err, TG_E_INPUT,
			"'%s' is not a slice: start:stop or start:stop:step is wanted, as "
			"in 50:100, 50:, :50, ::2",
			shown);
		free(shown);
		return false;
	}
	step = part[2].given ? part[2].v : 1;
	if (step == 0)
		return tg_fail(err, TG_E_INPUT, "the step of a slice cannot be 0");
	down = step < 0;
	start = clamp(&part[0], len, down, down ? len - 1 : 0);
	stop = clamp(&part[1], len, down, down ? -1 : len);
	*idx = tg_malloc((n + 1) * sizeof **idx);
	for (int64_t i = start; down ? i > stop : i < stop; i += step)
		(*idx)[(*count)++] = (size_t)i;
	return true;
}
