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

static int compare(const struct tg_finding *a, const struct tg_finding *b)
{
	int r = strcmp(a->rule->code, b->rule->code);

	if (!r)
		r = strcmp(a->scope, b->scope);
	return r ? r : strcmp(a->text, b->text);
}

static int by_identity(const void *pa, const void *pb)
{
	const struct tg_finding *const *a = pa, *const *b = pb;
	int r = compare(*a, *b);

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

/* Multiset difference. Of equal ones the last in the file count as the new ones. */
static void subtract(struct tg_delta *d)
{
	const struct tg_finding **before = sorted(&d->before), **after = sorted(&d->after);
	size_t b = 0;

	for (size_t a = 0; a < d->after.n; a++) {
		while (b < d->before.n && compare(before[b], after[a]) < 0)
			b++;
		if (b < d->before.n && !compare(before[b], after[a])) {
			b++;
			continue;
		}
		d->is_new[after[a] - d->after.v] = true;
		d->new_n++;
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
