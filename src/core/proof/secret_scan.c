/* One file through the secret scan, in bounded memory: text in overlapping windows, JSON string by
 * string. What claims to be JSON and is not is looked at as text. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lib/text.h"
#include "core/proof/secret_in.h"
#include "core/proof/secret_json.h"

enum { WINDOW = 512 * 1024 };

static bool is_model_file(const char *path)
{
	return tg_ends_with(path, ".diff") || tg_ends_with(path, ".patch");
}

bool tg_secret_stays(const struct tg_secret_hit *h, bool model)
{
	return h->sure == TG_SECRET_GENERIC && model;
}

/* ---- text ------------------------------------------------------------------------------------- */

struct text {
	const struct tg_secrets *s;
	const struct tg_secret_sink *sink;
	const char *path;
	char *p;
	size_t n, from; /* bytes in the window; how many of them are done */
	int64_t line;   /* of p[from] */
	struct tg_secret_hits hits;
	struct tg_buf out;
};

static bool put(struct text *t, const char *p, size_t n, struct tg_err *err)
{
	return !t->sink->replace || t->sink->write(t->sink->user, p, n, err);
}

static bool put_hit(struct text *t, const struct tg_secret_hit *h, struct tg_err *err)
{
	bool model = is_model_file(t->path) || tg_secret_in_diff(t->p, h->at);
	char *where = tg_asprintf("line %lld", (long long)t->line);
	struct tg_secret_place place = {t->path, where, h->rule, h->n, model, h->sure};

	t->sink->found(t->sink->user, &place);
	free(where);
	if (!t->sink->replace || tg_secret_stays(h, model))
		return put(t, t->p + h->at, h->n, err);
	tg_buf_clear(&t->out);
	t->sink->replace(t->sink->user, h->rule, t->p + h->at, h->n, &t->out);
	return put(t, tg_buf_cstr(&t->out), t->out.n, err);
}

static void count_lines(struct text *t, size_t from, size_t to)
{
	const char *q = t->p + from;

	while ((q = memchr(q, '\n', (size_t)(t->p + to - q))) != NULL) {
		t->line++;
		q++;
	}
}

static bool do_window(struct text *t, bool last, struct tg_err *err)
{
	size_t cut = last			? t->n
		     : t->n > TG_SECRET_LONGEST ? t->n - TG_SECRET_LONGEST
						: 0;
	size_t keep;
	bool ok = true;

	if (cut < t->from)
		cut = t->from;
	t->hits.n = 0;
	tg_secret_find(t->s, t->p, t->n, t->from, cut, &t->hits);
	for (size_t i = 0; ok && i < t->hits.n; i++) {
		const struct tg_secret_hit *h = &t->hits.v[i];

		ok = put(t, t->p + t->from, h->at - t->from, err);
		count_lines(t, t->from, h->at);
		ok = ok && put_hit(t, h, err);
		count_lines(t, h->at, h->at + h->n);
		t->from = h->at + h->n;
	}
	if (ok && cut > t->from) {
		ok = put(t, t->p + t->from, cut - t->from, err);
		count_lines(t, t->from, cut);
		t->from = cut;
	}
	keep = t->from > TG_SECRET_BEHIND ? t->from - TG_SECRET_BEHIND : 0;
	memmove(t->p, t->p + keep, t->n - keep);
	t->n -= keep;
	t->from -= keep;
	return ok;
}

static bool scan_text(int fd, const struct tg_secrets *s, const char *path,
		      const struct tg_secret_sink *sink, struct tg_err *err)
{
	struct text t = {.s = s, .sink = sink, .path = path, .line = 1, .out = TG_BUF_INIT};
	bool ok = true, last = false;

	t.p = tg_malloc(WINDOW);
	while (ok && !last) {
		ssize_t got = read(fd, t.p + t.n, WINDOW - t.n);

		if (got < 0)
			ok = tg_fail_sys(err, 0, "cannot read %s", path);
		else if (got == 0 || (t.n += (size_t)got) == WINDOW) {
			last = got == 0;
			ok = do_window(&t, last, err);
		}
	}
	free(t.p);
	free(t.hits.v);
	tg_buf_fini(&t.out);
	return ok;
}

/* ---- which of the two ------------------------------------------------------------------------- */

/* Findings wait until it is sure that the file is JSON. */
struct waiting {
	struct tg_secret_place *v;
	size_t n, cap;
};

static void wait_for(void *user, const struct tg_secret_place *place)
{
	struct waiting *w = user;

	TG_GROW(w->v, w->n, w->cap);
	w->v[w->n] = *place;
	w->v[w->n++].where = tg_strdup(place->where);
}

static bool look_as_json(int fd, const struct tg_secrets *s, const char *path,
			 const struct tg_secret_sink *sink, bool *is_json, struct tg_err *err)
{
	struct waiting w = {NULL, 0, 0};
	const struct tg_secret_sink wait = {.found = wait_for, .user = &w};
	bool ok = tg_secret_scan_json(fd, s, path, &wait, is_json, err);

	for (size_t i = 0; i < w.n; i++) {
		if (ok && *is_json && !sink->replace)
			sink->found(sink->user, &w.v[i]);
		free((char *)(uintptr_t)w.v[i].where);
	}
	free(w.v);
	return ok;
}

bool tg_secret_scan(const struct tg_secrets *s, const char *source, const char *path,
		    const struct tg_secret_sink *sink, struct tg_err *err)
{
	int fd = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 || tg_fail_sys(err, 0, "cannot open %s", source);
	bool is_json = tg_ends_with(path, ".json") || tg_ends_with(path, ".jsonl");

	if (ok && is_json) {
		ok = look_as_json(fd, s, path, sink, &is_json, err) && lseek(fd, 0, SEEK_SET) == 0;
		if (ok && is_json && sink->replace)
			ok = tg_secret_scan_json(fd, s, path, sink, &is_json, err);
	}
	if (ok && !is_json)
		ok = scan_text(fd, s, path, sink, err);
	if (fd >= 0)
		close(fd);
	return ok;
}
