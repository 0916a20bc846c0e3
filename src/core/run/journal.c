/* Writer and reader of the journal; the scan they share is in journal_scan.c. */
#include "core/run/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/run/journal_frame.h"
#include "core/run/layout.h"

#define READER_PATIENCE 5

struct tg_journal_writer {
	struct tg_scan at;   /* fd, off, seq and head of the segment that is written */
	int64_t size;        /* of that segment */
	int64_t segment_bytes; /* of new segments */
	tg_record_fn fn;
	void *user;
	bool poisoned;
	char why[sizeof ((struct tg_err *)0)->msg];
};

static int64_t segment_bytes(void)
{
	const char *env = getenv("TGMON_JOURNAL_SEGMENT");
	int64_t n;

	if (env != NULL && tg_parse_i64(env, &n) && n >= 4096 && n <= TG_SEGMENT_MOST / 2)
		return n;
	return TG_SEGMENT_DEFAULT;
}

/* ---- segments ---- */

/* Really written zeros, not holes: a later append must not need new blocks on a full disk. */
static bool fill_zeros(int fd, int64_t from, int64_t to, struct tg_err *err)
{
	static const char zeros[65536];

	while (from < to) {
		size_t want =
		    to - from > (int64_t)sizeof zeros ? sizeof zeros : (size_t)(to - from);
		ssize_t r = pwrite(fd, zeros, want, from);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return tg_fail_sys(err, r < 0 ? errno : ENOSPC,
					   "cannot make room for the journal");
		from += r;
	}
	return true;
}

/* Create segment `number` with `bytes` zeros, durable before anyone names it. A left-over of an
 * interrupted rotation (nothing but zeros, or the scan would have refused) is made anew: after a
 * failed fsync the old one may look written without being so. */
static int create_segment(const char *run, unsigned number, int64_t bytes, struct tg_err *err)
{
	char *path = tg_segment_path(run, number), *dir = tg_path_dir(path);
	int fd = -1;

	if (unlink(path) != 0 && errno != ENOENT)
		tg_fail_sys(err, errno, "cannot replace %s", path);
	else if ((fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		tg_fail_sys(err, errno, "cannot create %s", path);
	if (fd >= 0) {
		bool ok = fill_zeros(fd, 0, bytes, err);

		if (ok && fsync(fd) != 0)
			ok = tg_fail_sys(err, errno, "cannot make %s durable", path);
		if (!ok || !tg_fsync_dir(dir, err)) {
			close(fd);
			unlink(path);
			fd = -1;
		}
	}
	free(path);
	free(dir);
	return fd;
}

/* Zero what a torn write left behind the last good record and bring the segment to full length. */
static bool mend_segment(struct tg_journal_writer *w, struct tg_err *err)
{
	struct stat st;
	int64_t size;

	if (fstat(w->at.fd, &st) != 0)
		return tg_fail_sys(err, errno, "cannot look at the journal");
	size = st.st_size > w->segment_bytes ? st.st_size : w->segment_bytes;
	if (!fill_zeros(w->at.fd, w->at.off, size, err))
		return false;
	if (fsync(w->at.fd) != 0)
		return tg_fail_sys(err, errno, "cannot make the journal durable");
	w->size = size;
	return true;
}

/* ---- writer ---- */

struct tg_journal_writer *tg_journal_open(const char *run, tg_record_fn fn, void *user,
					  struct tg_err *err)
{
	struct tg_journal_writer *w = tg_calloc(1, sizeof *w);
	bool ok;

	tg_scan_init(&w->at, run, O_RDWR, 0);
	w->segment_bytes = segment_bytes();
	w->fn = fn;
	w->user = user;
	ok = tg_scan_run(&w->at, fn, user, NULL, err);
	if (ok && w->at.fd < 0) {
		w->at.fd = create_segment(run, 1, w->segment_bytes, err);
		w->at.segment = 1;
		w->size = w->segment_bytes;
		ok = w->at.fd >= 0;
	} else if (ok) {
		ok = mend_segment(w, err);
	}
	if (!ok) {
		tg_journal_close(w);
		return NULL;
	}
	return w;
}

static bool poison(struct tg_journal_writer *w, struct tg_err *err, const struct tg_err *cause)
{
	w->poisoned = true;
	snprintf(w->why, sizeof w->why, "%s", cause->msg);
	if (err != NULL)
		*err = *cause;
	return false;
}

/* Canonical text of the record: what is hashed, written and, parsed again, folded. */
static void render(const struct tg_journal_writer *w, const char *ev, struct cJSON *body,
		   struct tg_buf *json)
{
	tg_json_set_str(body, "ev", ev);
	tg_json_set_int(body, "seq", (int64_t)w->at.seq + 1);
	tg_json_set_str(body, "prev", w->at.head);
	tg_json_set_int(body, "wall_ms", tg_wall_ms());
	tg_json_set_int(body, "mono_us", tg_mono_us());
	tg_json_set_int(body, "v", 1);
	tg_json_print(body, TG_JSON_CANONICAL, json);
}

static bool write_frame(struct tg_journal_writer *w, const struct tg_buf *frame, struct tg_err *err)
{
	struct tg_err own = { 0 };
	ssize_t r;

	do
		r = pwrite(w->at.fd, frame->p, frame->n, w->at.off);
	while (r < 0 && errno == EINTR);
	if (r != (ssize_t)frame->n) {
		tg_fail_sys(&own, r < 0 ? errno : ENOSPC, "cannot write the journal of %s",
			    w->at.run);
		return poison(w, err, &own);
	}
	/* After a failed sync the kernel may drop the pages and report success the next time. */
	if (fdatasync(w->at.fd) != 0) {
		tg_fail_sys(&own, errno, "cannot make the journal of %s durable", w->at.run);
		return poison(w, err, &own);
	}
	return true;
}

/* Write one record into the current segment and hand it to the fold. */
static bool put(struct tg_journal_writer *w, const char *ev, struct cJSON *body, struct tg_err *err)
{
	const struct tg_json_limits limits = { .max_bytes = TG_FRAME_MAX_JSON };
	struct tg_record rec = { .seq = w->at.seq + 1 };
	struct tg_buf json = TG_BUF_INIT, frame = TG_BUF_INIT;
	struct cJSON *again = NULL;
	struct tg_err own = { 0 };
	bool ok = true;

	render(w, ev, body, &json);
	if (json.n > TG_FRAME_MAX_JSON)
		ok = tg_fail(err, TG_E_INPUT,
			     "a journal record \"%s\" of %zu bytes is too long; at most "
			     "%u fit",
			     ev, json.n, TG_FRAME_MAX_JSON);
	if (ok) {
		again = tg_json_parse(json.p, json.n, "journal record", &limits, err);
		ok = again != NULL;
	}
	if (ok) {
		tg_frame_add(&frame, json.p, json.n);
		ok = write_frame(w, &frame, err);
	}
	if (ok) {
		tg_sha256_hex(json.p, json.n, rec.sha256);
		w->at.seq = rec.seq;
		w->at.off += (int64_t)frame.n;
		memcpy(w->at.head, rec.sha256, sizeof w->at.head);
		rec.json = (struct tg_str){ json.p, json.n };
		rec.body = again;
		rec.ev = tg_json_str(again, "ev");
		rec.wall_ms = tg_json_int(again, "wall_ms", 0);
		if (w->fn != NULL && !w->fn(w->user, &rec, &own))
			ok = poison(w, err, &own);
	}
	tg_json_free(again);
	tg_buf_fini(&json);
	tg_buf_fini(&frame);
	return ok;
}

static bool rotate(struct tg_journal_writer *w, int64_t need, struct tg_err *err)
{
	int64_t bytes = w->segment_bytes;
	unsigned next = w->at.segment + 1;
	struct cJSON *body;
	char name[32];
	int fd;
	bool ok;

	while (bytes / 4 * 3 < need + TG_SEGMENT_RESERVE)
		bytes *= 2;
	fd = create_segment(w->at.run, next, bytes, err);
	if (fd < 0)
		return false;
	snprintf(name, sizeof name, "journal.%06u", next);
	body = tg_json_object();
	tg_json_set_str(body, "next", name);
	ok = put(w, "seg.next", body, err);
	tg_json_free(body);
	if (!ok) {
		close(fd);
		return false;
	}
	close(w->at.fd);
	w->at.fd = fd;
	w->at.segment = next;
	w->at.off = 0;
	w->size = bytes;
	return true;
}

/* Room for a record of `need` bytes and a seg.next behind it. A rotation that a full disk prevents
 * is tried again with the next record as long as the current segment has room. */
static bool make_room(struct tg_journal_writer *w, int64_t need, struct tg_err *err)
{
	bool fits = w->at.off + need + TG_SEGMENT_RESERVE <= w->size;
	struct tg_err own = { 0 };

	if (fits && w->at.off <= w->size / 4 * 3)
		return true;
	if (rotate(w, need, &own))
		return true;
	if (fits && !w->poisoned)
		return true;
	if (err != NULL)
		*err = own;
	return false;
}

bool tg_journal_append(struct tg_journal_writer *w, const char *ev, struct cJSON *body,
		       struct tg_err *err)
{
	struct tg_buf probe = TG_BUF_INIT;
	size_t need;
	bool ok = true;

	if (w->poisoned)
		ok = tg_fail(err, TG_E_IO,
			     "the journal takes no more records after an error (%s); the "
			     "runner must be started again",
			     w->why);
	if (ok) {
		render(w, ev, body, &probe);
		need = probe.n + TG_FRAME_HEAD + 64; /* its numbers may still grow */
		if (probe.n > TG_FRAME_MAX_JSON)
			ok = tg_fail(err, TG_E_INPUT,
				     "a journal record \"%s\" of %zu bytes is too long; "
				     "at most %u fit",
				     ev, probe.n, TG_FRAME_MAX_JSON);
		else
			ok = make_room(w, (int64_t)need, err) && put(w, ev, body, err);
	}
	tg_buf_fini(&probe);
	tg_json_free(body);
	return ok;
}

uint64_t tg_journal_seq(const struct tg_journal_writer *w)
{
	return w->at.seq;
}

const char *tg_journal_head(const struct tg_journal_writer *w)
{
	return w->at.head;
}

void tg_journal_close(struct tg_journal_writer *w)
{
	if (w == NULL)
		return;
	tg_scan_fini(&w->at);
	free(w);
}

/* ---- reader ---- */

struct tg_journal_reader {
	struct tg_scan at;
};

struct tg_journal_reader *tg_journal_reader_new(const char *run, struct tg_err *err)
{
	struct tg_journal_reader *r;
	char *control = tg_path_join(run, TG_CONTROL_DIR);
	bool there = tg_is_dir(control);

	free(control);
	if (!there) {
		tg_fail(err, TG_E_INPUT, "%s is no run directory of tgmon (it has no %s folder)",
			run, TG_CONTROL_DIR);
		return NULL;
	}
	r = tg_calloc(1, sizeof *r);
	tg_scan_init(&r->at, run, O_RDONLY, READER_PATIENCE);
	return r;
}

bool tg_journal_read(struct tg_journal_reader *r, tg_record_fn fn, void *user, uint64_t *n,
		     struct tg_err *err)
{
	return tg_scan_run(&r->at, fn, user, n, err);
}

const char *tg_journal_reader_head(const struct tg_journal_reader *r)
{
	return r->at.head;
}

uint64_t tg_journal_reader_seq(const struct tg_journal_reader *r)
{
	return r->at.seq;
}

void tg_journal_reader_free(struct tg_journal_reader *r)
{
	if (r == NULL)
		return;
	tg_scan_fini(&r->at);
	free(r);
}
