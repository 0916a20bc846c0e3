/* Where a diff does not fit its base: the first hunk whose old lines stand nowhere in the file. */
#include "core/patch/classify.h"

#include <stdlib.h>
#include <string.h>
#include "core/lib/text.h"

#define STEPS_MAX 20000000 /* line comparisons for one patch: hostile input must not take minutes  \
			    */

struct lines {
	struct tg_str *v;
	size_t n, cap;
};

static void add_line(struct lines *l, const char *p, size_t n)
{
	TG_GROW(l->v, l->n, l->cap);
	l->v[l->n++] = (struct tg_str){p, n};
}

static void split(struct lines *l, const char *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		const char *nl = memchr(p + at, '\n', n - at);
		size_t len = nl ? (size_t)(nl - (p + at)) : n - at;

		add_line(l, p + at, len);
		at += len + 1;
	}
}

static bool same(struct tg_str a, struct tg_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* How many of the hunk's old lines fit from base line `at` (0-based) on. */
static size_t fits(const struct lines *base, const struct lines *old, size_t at, size_t *steps)
{
	size_t i;

	for (i = 0; i < old->n; i++) {
		(*steps)++;
		if (at + i >= base->n || !same(base->v[at + i], old->v[i]))
			break;
	}
	return i;
}

static bool fits_anywhere(const struct lines *base, const struct lines *old, size_t *steps)
{
	size_t at;

	for (at = 0; at + old->n <= base->n; at++)
		if (*steps > STEPS_MAX || fits(base, old, at, steps) == old->n)
			return true;
	return false;
}

static void old_lines(const struct tg_diff *d, const struct tg_diff_hunk *h, struct lines *old)
{
	struct tg_diff_line it = {0};

	old->n = 0;
	while (tg_diff_line_next(d, h, &it))
		if (it.sign != '+')
			add_line(old, d->p + it.off, it.len);
}

static char *describe(const struct tg_diff_file *f, size_t hunk, const struct tg_diff_hunk *h,
		      const struct lines *base, const struct lines *old)
{
	size_t at = h->old_start > 0 ? h->old_start - 1 : 0, steps = 0,
	       i = fits(base, old, at, &steps);
	char *want = tg_text_line(old->v[i].p, old->v[i].n, 80), *out;

	if (at + i >= base->n) {
		out = tg_asprintf(
		    "hunk %zu of %s expects \"%s\" at line %zu, but the file has %zu lines", hunk,
		    tg_diff_path(f), want, at + i + 1, base->n);
	} else {
		char *have = tg_text_line(base->v[at + i].p, base->v[at + i].n, 80);

		out = tg_asprintf("hunk %zu of %s expects \"%s\" at line %zu, there stands \"%s\"",
				  hunk, tg_diff_path(f), want, at + i + 1, have);
		free(have);
	}
	free(want);
	return out;
}

static char *file_mismatch(const struct tg_diff *d, const struct tg_diff_file *f,
			   const struct tg_base_file *b, size_t *steps)
{
	struct lines base = {0}, old = {0};
	char *out = NULL;
	size_t i;

	if (f->status == TG_DIFF_ADDED)
		return b->exists ? tg_asprintf("%s is a new file in the patch, but the base has it",
					       tg_diff_path(f))
				 : NULL;
	if (!b->exists)
		return tg_asprintf("%s is not in the base commit",
				   f->old_path ? f->old_path : "a file");
	split(&base, tg_buf_cstr(&b->bytes), b->bytes.n);
	for (i = 0; i < f->hunk_n && !out; i++) {
		const struct tg_diff_hunk *h = &d->hunk[f->first_hunk + i];

		old_lines(d, h, &old);
		if (!fits_anywhere(&base, &old, steps))
			out = describe(f, i + 1, h, &base, &old);
	}
	free(base.v);
	free(old.v);
	return out;
}

char *tg_patch_mismatch(const struct tg_diff *d, const struct tg_base_file *base)
{
	char *out = NULL;
	size_t i, steps = 0;

	for (i = 0; i < d->file_n && !out; i++)
		if (!d->file[i].binary)
			out = file_mismatch(d, &d->file[i], &base[i], &steps);
	return out;
}
