/*
 * The scan. A torn tail and corruption look alike at the first bad byte; what decides is whether
 * anything good lies behind it, in this segment or in a later one.
 */
#include "core/run/journal_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/run/layout.h"

#define WINDOW (4 * TG_FRAME_MAX)

/* DOUBTFUL: a reader may see half of what a writer writes right now; it looks again. */
enum step { STEP_END, STEP_MORE, STEP_NEXT_SEGMENT, STEP_DOUBTFUL, STEP_ROTTEN, STEP_FAIL };

struct visit {
	tg_record_fn fn;
	void *user;
	uint64_t n;
	const char *why; /* of DOUBTFUL and ROTTEN */
};

void tg_scan_init(struct tg_scan *s, const char *run, int flags, int patience)
{
	*s = (struct tg_scan){ .run = tg_strdup(run), .fd = -1, .flags = flags,
			       .patience = patience };
	memset(s->head, '0', 64);
}

void tg_scan_fini(struct tg_scan *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->run);
	*s = (struct tg_scan){ .fd = -1 };
}

char *tg_segment_path(const char *run, unsigned number)
{
	return tg_asprintf("%s/%s/journal.%06u", run, TG_CONTROL_DIR, number);
}

static bool fail_corrupt(const struct tg_scan *s, const char *why, struct tg_err *err)
{
	char *path = tg_segment_path(s->run, s->segment > 0 ? s->segment : 1);

	tg_fail(
	    err, TG_E_CORRUPT,
	    "%s is corrupt at byte %lld, behind record %llu: %s. Nothing behind it is used. "
	    "Restore the journal from a copy, or start a new run; the attempts' own folders keep "
	    "every result",
	    path, (long long)s->off, (unsigned long long)s->seq, why);
	free(path);
	return false;
}

static bool read_at(int fd, int64_t off, size_t want, struct tg_buf *b, struct tg_err *err)
{
	tg_buf_clear(b);
	tg_buf_reserve(b, want + 1);
	while (b->n < want) {
		ssize_t r = pread(fd, b->p + b->n, want - b->n, off + (int64_t)b->n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return tg_fail_sys(err, errno, "cannot read the journal");
		if (r == 0)
			break;
		b->n += (size_t)r;
	}
	return true;
}

static bool frame_in(const char *p, size_t n)
{
	size_t json_n;

	for (size_t i = 0; i + TG_FRAME_HEAD < n; i++)
		if (p[i + 8] == ' ' && p[i + 17] == ' ' &&
		    tg_frame_parse(p + i, n - i, &json_n) == TG_FRAME_GOOD)
			return true;
	return false;
}

static bool segment_size(const struct tg_scan *s, int fd, int64_t *size, struct tg_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tg_fail_sys(err, errno, "cannot look at the journal of %s", s->run);
	if (!S_ISREG(st.st_mode) || st.st_size > TG_SEGMENT_MOST)
		return fail_corrupt(s, "the segment is no plain file of a sensible size", err);
	*size = st.st_size;
	return true;
}

/* A later segment that holds anything but zeros: then the end of this one is no end. */
static bool later_segment_used(const struct tg_scan *s, bool *used, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	bool ok = true;

	*used = false;
	for (unsigned k = s->segment + 1; ok && !*used; k++) {
		char *path = tg_segment_path(s->run, k);
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		int64_t size = 0;

		free(path);
		if (fd < 0)
			break;
		ok = segment_size(s, fd, &size, err) && read_at(fd, 0, (size_t)size, &b, err);
		for (size_t i = 0; ok && i < b.n && !*used; i++)
			*used = b.p[i] != '\0';
		close(fd);
	}
	tg_buf_fini(&b);
	return ok;
}

/* The scan stands before a bad frame or zeros: is it the end? */
static enum step judge_tail(struct tg_scan *s, int64_t size, struct visit *v, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	enum step step = STEP_END;
	bool later = false;

	if (!read_at(s->fd, s->off, (size_t)(size - s->off), &b, err)) {
		step = STEP_FAIL;
	} else if (b.n > 1 && frame_in(b.p + 1, b.n - 1)) {
		v->why = "a damaged record with good ones behind it";
		step = STEP_DOUBTFUL;
	} else if (!later_segment_used(s, &later, err)) {
		step = STEP_FAIL;
	} else if (later) {
		v->why = "a damaged record, and a later segment is in use";
		step = STEP_DOUBTFUL;
	}
	tg_buf_fini(&b);
	return step;
}

/* After seg.next nothing may follow in the segment. */
static enum step leave_segment(struct tg_scan *s, const struct cJSON *body, int64_t size,
			       struct visit *v, struct tg_err *err)
{
	char *path = tg_segment_path(s->run, s->segment + 1);
	bool names_it = tg_streq(tg_json_str(body, "next"), tg_path_base(path));
	struct tg_buf b = TG_BUF_INIT;
	enum step step = STEP_NEXT_SEGMENT;

	free(path);
	if (!read_at(s->fd, s->off, (size_t)(size - s->off), &b, err))
		step = STEP_FAIL;
	for (size_t i = 0; i < b.n && step == STEP_NEXT_SEGMENT; i++)
		if (b.p[i] != '\0')
			step = STEP_ROTTEN;
	if (!names_it)
		step = STEP_ROTTEN;
	if (step == STEP_ROTTEN)
		v->why = "the end of the segment is not where its last record says";
	tg_buf_fini(&b);
	return step;
}

/* One good frame: does it continue the chain? Then hand it over. */
static enum step take(struct tg_scan *s, const char *json, size_t n, int64_t size, struct visit *v,
		      struct tg_err *err)
{
	const struct tg_json_limits limits = { .max_bytes = TG_FRAME_MAX_JSON };
	struct tg_record rec = { .seq = s->seq + 1, .json = { json, n } };
	enum step step = STEP_MORE;
	struct cJSON *body = tg_json_parse(json, n, "journal", &limits, NULL);

	rec.body = body;
	rec.ev = tg_json_str(body, "ev");
	rec.wall_ms = tg_json_int(body, "wall_ms", 0);
	if (rec.ev == NULL || tg_json_int(body, "v", 0) != 1 ||
	    tg_json_int(body, "seq", -1) != (int64_t)rec.seq ||
	    !tg_streq(tg_json_str(body, "prev"), s->head)) {
		v->why =
		    "a record that does not follow from the one before it (removed, swapped or "
		    "replayed)";
		tg_json_free(body);
		return STEP_ROTTEN;
	}
	tg_sha256_hex(json, n, rec.sha256);
	s->seq = rec.seq;
	memcpy(s->head, rec.sha256, sizeof s->head);
	s->off += (int64_t)(TG_FRAME_HEAD + n + 1);
	s->quick = false;
	v->n++;
	if (v->fn != NULL && !v->fn(v->user, &rec, err))
		step = STEP_FAIL;
	else if (strcmp(rec.ev, "seg.next") == 0)
		step = leave_segment(s, body, size, v, err);
	tg_json_free(body);
	return step;
}

/* Deliver what the window at s->off holds. */
static enum step scan_window(struct tg_scan *s, int64_t size, struct visit *v, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	int64_t start = s->off, left = size - s->off;
	size_t want = left > (int64_t)WINDOW ? WINDOW : (size_t)left, json_n = 0;
	enum step step = STEP_MORE;

	if (!read_at(s->fd, start, s->quick && want > 1 ? 1 : want, &b, err)) {
		tg_buf_fini(&b);
		return STEP_FAIL;
	}
	if (s->quick && (b.n == 0 || b.p[0] == '\0')) {
		tg_buf_fini(&b);
		return STEP_END;
	}
	if (s->quick && !read_at(s->fd, start, want, &b, err))
		step = STEP_FAIL;
	while (step == STEP_MORE) {
		size_t at = (size_t)(s->off - start);
		enum tg_frame f = tg_frame_parse(b.p + at, b.n - at, &json_n);

		if (f == TG_FRAME_GOOD)
			step = take(s, b.p + at + TG_FRAME_HEAD, json_n, size, v, err);
		else if (f == TG_FRAME_SHORT && at > 0 && (int64_t)b.n < left)
			break; /* the window ended inside a record: the next one starts at it */
		else
			step = judge_tail(s, size, v, err);
	}
	tg_buf_fini(&b);
	return step;
}

/* Open the segment that comes next; *absent when there is none. */
static bool open_segment(struct tg_scan *s, bool *absent, struct tg_err *err)
{
	char *path = tg_segment_path(s->run, s->segment + 1);
	int fd = open(path, s->flags | O_CLOEXEC | O_NOFOLLOW);

	*absent = fd < 0 && errno == ENOENT;
	if (fd < 0 && !*absent)
		tg_fail_sys(err, errno, "cannot open %s", path);
	free(path);
	if (fd < 0)
		return *absent;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	s->segment++;
	s->off = 0;
	s->quick = false;
	return true;
}

/* No first segment: a run that has not begun, unless later segments say otherwise. */
static bool check_unbegun(struct tg_scan *s, struct tg_err *err)
{
	bool used = false;

	s->segment = 1;
	if (!later_segment_used(s, &used, err)) {
		s->segment = 0;
		return false;
	}
	s->segment = 0;
	return !used || fail_corrupt(s, "the first segment is missing, a later one is there", err);
}

/* One step of the scan; *why says what is wrong when it is DOUBTFUL or ROTTEN. */
static enum step scan_step(struct tg_scan *s, struct visit *v, struct tg_err *err)
{
	int64_t size = 0;

	if (!segment_size(s, s->fd, &size, err))
		return STEP_FAIL;
	if (size < s->off) {
		v->why = "the segment became shorter";
		return STEP_ROTTEN;
	}
	return scan_window(s, size, v, err);
}

/* Move on to the segment that seg.next named. */
static bool next_segment(struct tg_scan *s, struct tg_err *err)
{
	bool absent = false;

	if (!open_segment(s, &absent, err))
		return false;
	return !absent || fail_corrupt(s, "the next segment is missing", err);
}

static bool scan_segments(struct tg_scan *s, struct visit *v, struct tg_err *err)
{
	int patience = s->patience;

	for (;;) {
		enum step step = scan_step(s, v, err);

		if (step == STEP_END) {
			s->quick = true;
			return true;
		}
		if (step == STEP_FAIL)
			return false;
		if (step == STEP_NEXT_SEGMENT && !next_segment(s, err))
			return false;
		if (step == STEP_ROTTEN || (step == STEP_DOUBTFUL && patience == 0))
			return fail_corrupt(s, v->why, err);
		if (step == STEP_DOUBTFUL) {
			patience--;
			s->quick = false;
			tg_sleep_ms(10);
		}
	}
}

bool tg_scan_run(struct tg_scan *s, tg_record_fn fn, void *user, uint64_t *n, struct tg_err *err)
{
	struct visit v = { .fn = fn, .user = user };
	struct tg_err own = { 0 };
	bool absent = false, ok;

	if (n != NULL)
		*n = 0;
	if (s->failed) {
		if (err != NULL)
			*err = s->verdict;
		return false;
	}
	ok = s->fd >= 0 || open_segment(s, &absent, &own);
	if (ok)
		ok = absent ? check_unbegun(s, &own) : scan_segments(s, &v, &own);
	if (n != NULL)
		*n = v.n;
	if (!ok) {
		s->failed = own.code == TG_E_CORRUPT;
		s->verdict = own;
		if (err != NULL)
			*err = own;
	}
	return ok;
}
