#include "core/security/delta.h"

#include <stdlib.h>
#include <string.h>

bool tg_is_python(const char *path, const struct tg_buf *content)
{
	size_t n;

	if (tg_ends_with(path, ".py") || tg_ends_with(path, ".pyw"))
		return true;
	if (!content || content->n < 3 || memcmp(content->p, "#!", 2))
		return false;
	n = content->n < 256 ? content->n : 256;
	for (size_t i = 0; i < n; i++) {
		if (content->p[i] == '\n')
			n = i;
	}
	return memmem(content->p, n, "python", 6) != NULL;
}

/* Identity: the code and the normalised text. Where it stands only decides which of several equal ones
 * is the old one: a finding that moved into another function is not new, a second one is. */
static int compare(const struct tg_finding *a, const struct tg_finding *b)
{
	int r = strcmp(a->rule->code, b->rule->code);

	return r ? r : strcmp(a->text, b->text);
}

static int by_identity(const void *pa, const void *pb)
{
	const struct tg_finding *const *a = pa, *const *b = pb;
	int r = compare(*a, *b);

	if (!r)
		r = strcmp((*a)->scope, (*b)->scope);
	if (r)
		return r;
	return *a < *b ? -1 : *a > *b; /* stable: in the order of the file */
}

static const struct tg_finding **sorted(const struct tg_findings *f)
{
	const struct tg_finding **v = tg_calloc(f->n + 1, sizeof *v);

	for (size_t i = 0; i < f->n; i++)
		v[i] = &f->v[i];
	if (f->n)
		qsort(v, f->n, sizeof *v, by_identity);
	return v;
}

/* How many from v[at] on are the same finding. */
static size_t run_length(const struct tg_finding **v, size_t at, size_t n)
{
	size_t end = at + 1;

	while (end < n && compare(v[at], v[end]) == 0)
		end++;
	return end - at;
}

/* Equal findings on both sides: those of the same scope pair off first, then any; what is left of the
 * later side is new, the last in the file first. */
static void pair_off(struct tg_delta *d, const struct tg_finding **before, size_t b_n,
		     const struct tg_finding **after, size_t a_n)
{
	bool *paired = tg_calloc(a_n, sizeof *paired);
	size_t left = 0;

	for (size_t b = 0, a = 0; b < b_n; b++) {
		while (a < a_n && strcmp(after[a]->scope, before[b]->scope) < 0)
			a++;
		if (a < a_n && strcmp(after[a]->scope, before[b]->scope) == 0)
			paired[a++] = true;
		else
			left++;
	}
	for (size_t a = 0; a < a_n; a++) {
		if (paired[a])
			continue;
		if (left > 0) {
			left--;
			continue;
		}
		d->is_new[after[a] - d->after.v] = true;
		d->new_n++;
	}
	free(paired);
}

static void subtract(struct tg_delta *d)
{
	const struct tg_finding **before = sorted(&d->before), **after = sorted(&d->after);
	size_t b = 0, a_n;

	for (size_t a = 0; a < d->after.n; a += a_n) {
		size_t b_n = 0;

		a_n = run_length(after, a, d->after.n);
		while (b < d->before.n && compare(before[b], after[a]) < 0)
			b++;
		if (b < d->before.n && compare(before[b], after[a]) == 0)
			b_n = run_length(before, b, d->before.n);
		pair_off(d, before + b, b_n, after + a, a_n);
	}
	free(before);
	free(after);
}

static bool skip(struct tg_delta *d, const char *reason)
{
	d->scanned = false;
	d->reason = reason;
	return false;
}

/* Can the two sides be compared? */
static bool comparable(struct tg_delta *d, const char *path, bool was_there)
{
	bool parsed_before = d->before.status == TG_PY_OK;

	if (d->after.status == TG_PY_LIMIT || d->before.status == TG_PY_LIMIT)
		return skip(d, d->after.status == TG_PY_LIMIT ? d->after.why : d->before.why);
	if (was_there && !parsed_before) {
		return skip(d, d->after.status == TG_PY_OK ?
			    "it did not parse before the patch: nothing to compare with" :
			    "it parses neither before nor after the patch");
	}
	if (d->after.status == TG_PY_SYNTAX && !was_there && !tg_ends_with(path, ".py"))
		return skip(d, "it is no Python that parses");
	return true;
}

void tg_delta_scan(const struct tg_rules *rules, const char *path, const struct tg_buf *before,
		   const struct tg_buf *after, struct tg_delta *out)
{
	memset(out, 0, sizeof *out);
	if (before)
		tg_rules_scan(rules, tg_buf_cstr(before), before->n, &out->before);
	if (after)
		tg_rules_scan(rules, tg_buf_cstr(after), after->n, &out->after);
	out->is_new = tg_calloc(out->after.n + 1, sizeof *out->is_new);
	out->scanned = true;
	if (!after) /* deleted: nothing can be new */
		return;
	if (comparable(out, path, before != NULL))
		subtract(out);
}

void tg_delta_fini(struct tg_delta *d)
{
	tg_findings_fini(&d->before);
	tg_findings_fini(&d->after);
	free(d->is_new);
	memset(d, 0, sizeof *d);
}
