/* See import_doc.h. */
#include "core/run/import_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

#define MOST ((size_t)256 << 20)
#define RACY_MS 100    /* a second write within one tick of the clock leaves the stamp as it is */
#define RETRY_MOST_MS 100

void tg_docs_add(struct tg_docs *d, enum tg_doc_kind kind, const char *rel)
{
	for (size_t k = 0; k < d->n; k++) {
		size_t i = (d->hint + k) % d->n; /* folders are listed in the same order */

		if (d->v[i].kind == kind && strcmp(d->v[i].rel, rel) == 0) {
			d->hint = i + 1;
			return;
		}
	}
	TG_GROW(d->v, d->n, d->cap);
	d->v[d->n++] = (struct tg_doc){ .kind = kind, .rel = tg_strdup(rel) };
}

static bool same(const struct tg_doc_stamp *a, const struct tg_doc_stamp *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

static bool stamp_of(int fd, struct tg_doc_stamp *s)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	*s = (struct tg_doc_stamp){ (uint64_t)st.st_ino, (int64_t)st.st_size,
				    (int64_t)st.st_mtim.tv_sec * 1000000000 +
					    st.st_mtim.tv_nsec };
	return true;
}

/* To the end, however long the file was a moment ago. False: too long, or an I/O error. */
static bool read_all(int fd, struct tg_buf *b, struct tg_err *err)
{
	for (;;) {
		ssize_t r;

		if (b->n > MOST)
			return tg_fail(err, TG_E_INPUT, "larger than %zu MiB", MOST >> 20);
		tg_buf_reserve(b, 65536);
		r = pread(fd, b->p + b->n, 65536, (off_t)b->n);
		if (r < 0)
			return tg_fail(err, TG_E_IO, "cannot be read");
		if (r == 0)
			return true;
		b->n += (size_t)r;
		b->p[b->n] = '\0';
	}
}

static void set_trouble(struct tg_docs *d, struct tg_doc *doc, const char *why)
{
	char *safe = why != NULL ? tg_text_line(why, strlen(why), 300) : NULL;

	if (!tg_streq(safe, doc->trouble)) {
		d->changed = true;
		doc->trouble_ms = tg_wall_ms();
		free(doc->trouble);
		doc->trouble = safe;
		safe = NULL;
	}
	free(safe);
}

static bool equal(const struct cJSON *a, const struct cJSON *b)
{
	struct tg_buf x = TG_BUF_INIT, y = TG_BUF_INIT;
	bool yes;

	if (a == NULL || b == NULL)
		return a == b;
	tg_json_print(a, TG_JSON_COMPACT, &x);
	tg_json_print(b, TG_JSON_COMPACT, &y);
	yes = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	tg_buf_fini(&x);
	tg_buf_fini(&y);
	return yes;
}

static void accept(struct tg_docs *d, struct tg_doc *doc, struct cJSON *facts,
		   const struct tg_doc_stamp *s)
{
	int64_t age = tg_wall_ms() - s->mtime_ns / 1000000;
	bool first = doc->facts == NULL;

	if (!equal(doc->facts, facts))
		d->changed = true;
	tg_json_free(doc->facts);
	doc->facts = facts;
	doc->good = *s;
	doc->racy = age > -RACY_MS && age < RACY_MS;
	doc->bad_ms = 0;
	doc->settled = false;
	if (doc->racy && (first || doc->tries > 0) && tg_doc_is_list(doc->kind) && doc->tries < 6) {
		doc->tries++; /* nothing to compare with: the best of a few readings */
		d->pending++;
		d->open++;
	} else {
		doc->tries = 0;
	}
}

/* A reading that does not count. The same stamp for long enough: then it is what the file is. */
static void refuse(struct tg_docs *d, struct tg_doc *doc, const struct tg_buf *b,
		   const struct tg_doc_stamp *s, struct tg_err *err, int64_t now)
{
	struct cJSON *facts = NULL;
	struct tg_err part = { 0 };

	if (doc->bad_ms == 0 || !same(s, &doc->bad)) {
		doc->bad = *s;
		doc->bad_ms = now;
		doc->tries = 0;
	}
	if (now - doc->bad_ms < TG_DOC_PATIENCE_MS) {
		int64_t wait = 5LL << (doc->tries < 5 ? doc->tries++ : 5);

		doc->next_ms = now + (wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
		d->pending++;
		d->open += doc->facts == NULL;
		return;
	}
	if (b->n > 0)
		facts = tg_doc_reducers[doc->kind](b->p, b->n, doc->rel, true, &part);
	doc->tries = 0;
	if (facts != NULL) {
		accept(d, doc, facts, s);
		set_trouble(d, doc, part.code ? part.msg : NULL);
		return;
	}
	doc->settled = true;
	set_trouble(d, doc, b->n == 0 && err->code == 0 ? "is empty" : err->msg);
}

static void read_doc(struct tg_docs *d, struct tg_doc *doc, int fd, struct tg_doc_stamp *s,
		     int64_t now)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_err err = { 0 };
	struct tg_doc_stamp after = { 0 };
	struct cJSON *facts = NULL;
	bool whole = read_all(fd, &b, &err) && stamp_of(fd, &after) && same(s, &after);

	if (whole && b.n > 0)
		facts = tg_doc_reducers[doc->kind](b.p, b.n, doc->rel, false, &err);
	if (facts != NULL && tg_doc_is_list(doc->kind) &&
	    tg_json_len(facts) < tg_json_len(doc->facts)) {
		tg_json_free(facts);
		facts = NULL;
	}
	if (facts != NULL) {
		accept(d, doc, facts, s);
		set_trouble(d, doc, NULL);
	} else {
		refuse(d, doc, &b, s, &err, now);
	}
	tg_buf_fini(&b);
}

/* True: forget it. A file that is being replaced may be missing for a moment. */
static bool is_gone(struct tg_docs *d, struct tg_doc *doc, int64_t now)
{
	if (doc->facts == NULL && doc->gone_ms == 0 && doc->bad_ms == 0)
		return true;
	if (doc->gone_ms == 0)
		doc->gone_ms = now;
	if (now - doc->gone_ms < TG_DOC_PATIENCE_MS) {
		d->pending++;
		return false;
	}
	d->changed = true;
	return true;
}

/* True: forget it. */
static bool refresh(struct tg_docs *d, struct tg_doc *doc, int64_t now)
{
	char *path = tg_path_join(d->root, doc->rel);
	bool there = tg_file_exists(path);
	struct tg_err err = { 0 };
	struct tg_doc_stamp s;
	int fd;

	free(path);
	fd = there ? tg_open_beneath(d->root, doc->rel, &err) : -1;
	if (fd < 0) {
		if (!there || err.sys == ENOENT)
			return is_gone(d, doc, now);
		set_trouble(d, doc, err.msg); /* a link, a device: never read */
		return false;
	}
	doc->gone_ms = 0;
	if (!stamp_of(fd, &s)) {
		close(fd);
		return false;
	}
	if (doc->bad_ms != 0 && same(&s, &doc->bad)) {
		if (!doc->settled && now >= doc->next_ms)
			read_doc(d, doc, fd, &s, now);
		else if (!doc->settled) {
			d->pending++;
			d->open += doc->facts == NULL;
		}
	} else if (doc->facts == NULL || doc->racy || !same(&s, &doc->good)) {
		read_doc(d, doc, fd, &s, now);
	}
	close(fd);
	return false;
}

static void fini_doc(struct tg_doc *doc)
{
	free(doc->rel);
	free(doc->trouble);
	tg_json_free(doc->facts);
}

/* Against the order in which they are written (trajectory, predictions, statuses, rows): what an
 * early reading names is then found in the later ones. */
static int turn_of(enum tg_doc_kind kind)
{
	switch (kind) {
	case TG_DOC_GOVERNED:
	case TG_DOC_EVAL_ROWS:
		return 0;
	case TG_DOC_STATUSES:
		return 1;
	case TG_DOC_PREDS:
		return 2;
	default:
		return 3;
	}
}

void tg_docs_refresh(struct tg_docs *d)
{
	int64_t now = tg_mono_ms();
	size_t kept = 0;

	d->changed = false;
	d->pending = d->open = 0;
	d->hint = 0;
	for (int turn = 0; turn < 4; turn++)
		for (size_t i = 0; i < d->n; i++)
			if (turn_of(d->v[i].kind) == turn)
				d->v[i].gone = refresh(d, &d->v[i], now);
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].gone)
			fini_doc(&d->v[i]);
		else
			d->v[kept++] = d->v[i];
	}
	d->n = kept;
}

void tg_docs_fini(struct tg_docs *d)
{
	for (size_t i = 0; i < d->n; i++)
		fini_doc(&d->v[i]);
	free(d->v);
	free(d->root);
	*d = (struct tg_docs){ 0 };
}
