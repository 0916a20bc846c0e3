/* The journal under damage: what was acknowledged is there, what is damaged is refused, what was
 * torn is dropped, and nothing else happens (design: reliability.md 2.11, rows 11 to 14). */
#include "unit/run/run_common.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "core/run/journal_frame.h"

#define SEGMENT "16384"

static int use_small_segments(void **state)
{
	(void)state;
	return setenv("TGMON_JOURNAL_SEGMENT", SEGMENT, 1);
}

/* ---- helpers ---- */

struct counted {
	uint64_t n, last;
	char head[65];
};

static bool count_record(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct counted *c = user;

	(void)err;
	assert_int_equal(rec->seq, c->last + 1);
	c->last = rec->seq;
	if (strcmp(rec->ev, "seg.next") != 0) {
		assert_int_equal(tg_json_int(rec->body, "i", -1), (int64_t)c->n);
		c->n++;
	}
	memcpy(c->head, rec->sha256, sizeof c->head);
	return true;
}

static void append_numbered(struct tg_journal_writer *w, int64_t i, size_t pad)
{
	struct cJSON *body = tg_json_object();
	char *text = tg_calloc(1, pad + 1);
	struct tg_err err = { 0 };

	memset(text, 'x', pad);
	tg_json_set_int(body, "i", i);
	tg_json_set_str(body, "pad", text);
	free(text);
	if (!tg_journal_append(w, "note", body, &err))
		fail_msg("%s", err.msg);
}

static char *make_journal(size_t records, size_t pad)
{
	char *run = make_run();
	struct counted c = { 0 };
	struct tg_journal_writer *w = tg_journal_open(run, count_record, &c, NULL);

	assert_non_null(w);
	for (size_t i = 0; i < records; i++)
		append_numbered(w, (int64_t)i, pad);
	assert_int_equal(c.n, records);
	tg_journal_close(w);
	return run;
}

static void read_segment(const char *run, unsigned k, struct tg_buf *b)
{
	char *path = tg_segment_path(run, k);

	assert_true(tg_file_read(path, 0, b, NULL));
	free(path);
}

/* No fsync: these tests do this thousands of times. */
static void write_segment(const char *run, unsigned k, const void *p, size_t n)
{
	char *path = tg_segment_path(run, k);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
	free(path);
}

static bool scan(const char *run, struct counted *c, struct tg_err *err)
{
	struct tg_scan s;
	bool ok;

	*c = (struct counted){ 0 };
	*err = (struct tg_err){ 0 };
	tg_scan_init(&s, run, O_RDONLY, 0);
	ok = tg_scan_run(&s, count_record, c, NULL, err);
	tg_scan_fini(&s);
	return ok;
}

static void assert_corrupt(const char *run, const char *what, size_t at)
{
	struct counted c;
	struct tg_err err;

	if (scan(run, &c, &err))
		fail_msg("%s (%zu) was accepted with %llu records", what, at,
			 (unsigned long long)c.n);
	assert_int_equal(err.code, TG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "journal.00"));
	assert_non_null(strstr(err.msg, "at byte"));
}

/* Where each record of segment 1 starts; the last entry is the end. */
static size_t frames(const struct tg_buf *b, size_t *start, size_t most)
{
	size_t at = 0, n = 0, json_n;

	while (n + 1 < most && tg_frame_parse(b->p + at, b->n - at, &json_n) == TG_FRAME_GOOD) {
		start[n++] = at;
		at += TG_FRAME_HEAD + json_n + 1;
	}
	start[n] = at;
	return n;
}

/* ---- tests ---- */

static void test_append_and_replay(void **state)
{
	char *run = make_journal(5, 10);
	struct tg_journal_writer *w;
	struct counted c = { 0 }, r = { 0 };
	struct tg_journal_reader *reader;
	uint64_t n;

	(void)state;
	w = tg_journal_open(run, count_record, &c, NULL);
	assert_non_null(w);
	assert_int_equal(tg_journal_seq(w), 5);
	append_numbered(w, 5, 3);
	assert_string_equal(tg_journal_head(w), c.head);
	reader = tg_journal_reader_new(run, NULL);
	assert_true(tg_journal_read(reader, count_record, &r, &n, NULL));
	assert_int_equal(n, 6);
	assert_string_equal(tg_journal_reader_head(reader), tg_journal_head(w));
	assert_true(tg_journal_read(reader, count_record, &r, &n, NULL));
	assert_int_equal(n, 0);
	append_numbered(w, 6, 3);
	assert_true(tg_journal_read(reader, count_record, &r, &n, NULL));
	assert_int_equal(n, 1);
	assert_int_equal(tg_journal_reader_seq(reader), 7);
	tg_journal_reader_free(reader);
	tg_journal_close(w);
	drop_run(run);
}

static void test_frame_on_disk(void **state)
{
	char *run = make_journal(1, 0), first[64];
	struct tg_buf b = TG_BUF_INIT;

	(void)state;
	read_segment(run, 1, &b);
	assert_int_equal(b.n, 16384);
	memset(first, '0', sizeof first);
	assert_non_null(strstr(b.p, "{\"ev\":\"note\",\"i\":0,\"mono_us\":"));
	assert_memory_equal(strstr(b.p, "\"prev\":\"") + 8, first, 64);
	assert_true(b.p[8] == ' ' && b.p[17] == ' ');
	tg_buf_fini(&b);
	drop_run(run);
}

static void test_no_run(void **state)
{
	struct tg_err err = { 0 };

	(void)state;
	assert_null(tg_journal_reader_new("/nonexistent/run", &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_null(tg_journal_open("/nonexistent/run", NULL, NULL, &err));
}

/* A crash may leave any prefix, with or without the zeros behind it. */
static void test_truncation_everywhere(void **state)
{
	char *run = make_journal(8, 20), *other = make_run();
	struct tg_buf b = TG_BUF_INIT;
	size_t start[64], n, whole = 0;
	struct counted c;
	struct tg_err err;

	(void)state;
	read_segment(run, 1, &b);
	n = frames(&b, start, 64);
	assert_int_equal(n, 8);
	for (size_t cut = 0; cut <= start[n]; cut++) {
		char *padded = tg_calloc(1, b.n);

		while (whole < n && start[whole + 1] <= cut)
			whole++;
		write_segment(other, 1, b.p, cut);
		if (!scan(other, &c, &err) || c.n != whole)
			fail_msg("cut at %zu: %llu of %zu, %s", cut, (unsigned long long)c.n, whole,
				 err.msg);
		memcpy(padded, b.p, cut);
		write_segment(other, 1, padded, b.n);
		if (!scan(other, &c, &err) || c.n != whole)
			fail_msg("cut at %zu, zeros behind: %llu of %zu, %s", cut,
				 (unsigned long long)c.n, whole, err.msg);
		if (cut % 37 == 0) { /* and the writer goes on from there */
			struct tg_journal_writer *w = tg_journal_open(other, NULL, NULL, &err);

			assert_non_null(w);
			append_numbered(w, (int64_t)whole, 30);
			tg_journal_close(w);
			assert_true(scan(other, &c, &err));
			assert_int_equal(c.n, whole + 1);
		}
		free(padded);
	}
	tg_buf_fini(&b);
	drop_run(run);
	drop_run(other);
}

static void test_zeroed_sector_in_last_record(void **state)
{
	char *run = make_journal(4, 1500);
	struct tg_buf b = TG_BUF_INIT;
	size_t start[16], n;
	struct counted c;
	struct tg_err err;

	(void)state;
	read_segment(run, 1, &b);
	n = frames(&b, start, 16);
	for (size_t at = start[n - 1] / 512 * 512; at < start[n]; at += 512) {
		char *copy = tg_malloc(b.n);
		size_t from = at < start[n - 1] ? start[n - 1] : at;

		memcpy(copy, b.p, b.n);
		memset(copy + from, 0, at + 512 - from);
		write_segment(run, 1, copy, b.n);
		assert_true(scan(run, &c, &err));
		assert_int_equal(c.n, n - 1);
		free(copy);
	}
	tg_buf_fini(&b);
	drop_run(run);
}

static void test_bit_flips(void **state)
{
	char *run = make_journal(12, 12);
	struct tg_buf b = TG_BUF_INIT;
	size_t start[64], n, refused = 0, dropped = 0;

	(void)state;
	read_segment(run, 1, &b);
	n = frames(&b, start, 64);
	for (size_t bit = 0; bit < start[n] * 8; bit += 3) {
		struct counted c;
		struct tg_err err;

		b.p[bit / 8] ^= (char)(1 << (bit % 8));
		write_segment(run, 1, b.p, b.n);
		if (scan(run, &c, &err)) {
			/* only the last record can be taken for a torn one */
			if (bit / 8 < start[n - 1] || c.n != n - 1)
				fail_msg("a flip of bit %zu was accepted", bit);
			dropped++;
		} else {
			assert_int_equal(err.code, TG_E_CORRUPT);
			refused++;
		}
		b.p[bit / 8] ^= (char)(1 << (bit % 8));
	}
	print_message("%zu flips: %zu refused, %zu last-record drops, 0 accepted\n",
		      refused + dropped, refused, dropped);
	assert_true(refused > 0 && dropped > 0);
	tg_buf_fini(&b);
	drop_run(run);
}

/* Put the records named by order[] one behind the other. */
static void rewrite(const char *run, const struct tg_buf *b, const size_t *start,
		    const size_t *order, size_t n)
{
	char *copy = tg_calloc(1, b->n + 4096);
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = start[order[i] + 1] - start[order[i]];

		memcpy(copy + at, b->p + start[order[i]], len);
		at += len;
	}
	write_segment(run, 1, copy, b->n);
	free(copy);
}

static void test_removed_swapped_replayed(void **state)
{
	char *run = make_journal(10, 8);
	struct tg_buf b = TG_BUF_INIT;
	size_t start[64], order[64], n;
	struct counted c;
	struct tg_err err;

	(void)state;
	read_segment(run, 1, &b);
	n = frames(&b, start, 64);
	for (size_t i = 0; i + 1 < n; i++) {
		size_t k = 0;

		for (size_t j = 0; j < n; j++)
			if (j != i)
				order[k++] = j;
		rewrite(run, &b, start, order, k);
		assert_corrupt(run, "removed", i);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			for (size_t k = 0; k < n; k++)
				order[k] = k == i ? j : k == j ? i : k;
			rewrite(run, &b, start, order, n);
			assert_corrupt(run, "swapped", i * 100 + j);
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++)
			order[k] = k;
		order[n] = i;
		rewrite(run, &b, start, order, n + 1);
		assert_corrupt(run, "replayed", i);
	}
	for (size_t k = 0; k < n; k++)
		order[k] = k;
	rewrite(run, &b, start, order, n);
	assert_true(scan(run, &c, &err)); /* the harness itself changes nothing */
	assert_int_equal(c.n, n);
	tg_buf_fini(&b);
	drop_run(run);
}

static unsigned count_segments(const char *run)
{
	unsigned k = 0;

	for (;;) {
		char *path = tg_segment_path(run, k + 1);
		bool there = tg_file_exists(path);

		free(path);
		if (!there)
			return k;
		k++;
	}
}

static void test_rotation(void **state)
{
	char *run = make_journal(300, 100);
	unsigned segments = count_segments(run);
	struct tg_journal_writer *w;
	struct counted c;
	struct tg_err err;
	char *stray;

	(void)state;
	assert_true(segments > 4);
	assert_true(scan(run, &c, &err));
	assert_int_equal(c.n, 300);
	/* A rotation that stopped after it made the next segment. */
	stray = tg_calloc(1, 5000);
	write_segment(run, segments + 1, stray, 5000);
	free(stray);
	assert_true(scan(run, &c, &err));
	w = tg_journal_open(run, NULL, NULL, &err);
	assert_non_null(w);
	for (int64_t i = 300; i < 400; i++)
		append_numbered(w, i, 100);
	tg_journal_close(w);
	assert_true(scan(run, &c, &err));
	assert_int_equal(c.n, 400);
	drop_run(run);
}

static void test_segments_damaged(void **state)
{
	char *run = make_journal(200, 100);
	unsigned segments = count_segments(run);
	struct tg_buf b = TG_BUF_INIT;
	struct counted c;
	struct tg_err err;

	(void)state;
	for (unsigned k = 1; k <= segments; k++) {
		char *path = tg_segment_path(run, k);
		size_t end;

		read_segment(run, k, &b);
		unlink(path);
		assert_corrupt(run, "segment removed", k);
		free(path);
		end = b.n;
		while (end > 0 && b.p[end - 1] == '\0')
			end--;
		if (k < segments) { /* the record that names the next segment */
			b.p[end - 3] ^= 1;
			write_segment(run, k, b.p, b.n);
			assert_corrupt(run, "seg.next damaged", k);
			b.p[end - 3] ^= 1;
			write_segment(run, k, b.p, end - 5);
			assert_corrupt(run, "cut though a later segment is used", k);
			b.p[end + 4] = 'x';
			write_segment(run, k, b.p, b.n);
			assert_corrupt(run, "bytes behind seg.next", k);
			b.p[end + 4] = '\0';
		}
		write_segment(run, k, b.p, b.n);
		assert_true(scan(run, &c, &err));
	}
	tg_buf_fini(&b);
	drop_run(run);
}

static void test_sizes(void **state)
{
	char *run = make_run(), *text = tg_calloc(1, 70001);
	struct tg_journal_writer *w = tg_journal_open(run, NULL, NULL, NULL);
	struct tg_err err = { 0 };
	struct cJSON *body;
	struct counted c;

	(void)state;
	append_numbered(w, 0, 10);
	memset(text, 'y', 70000);
	body = tg_json_object();
	tg_json_set_str(body, "pad", text);
	assert_false(tg_journal_append(w, "note", body, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	assert_int_equal(tg_journal_seq(w), 1);
	append_numbered(w, 1, 60000); /* more than a whole segment of this test */
	append_numbered(w, 2, 10);
	tg_journal_close(w);
	assert_true(scan(run, &c, &err));
	assert_int_equal(c.n, 3);
	free(text);
	drop_run(run);
}

/* After an error the writer never writes again; a new start recovers. */
static void test_poisoned(void **state)
{
	char *run = make_journal(3, 10);
	struct counted c;
	struct tg_err err = { 0 };
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct tg_journal_writer *w = tg_journal_open(run, NULL, NULL, NULL);
		struct rlimit limit = { .rlim_cur = 700, .rlim_max = RLIM_INFINITY };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		if (w == NULL || tg_journal_append(w, "note", tg_json_object(), &err))
			_exit(1);
		limit.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_FSIZE, &limit);
		if (tg_journal_append(w, "note", tg_json_object(), &err) || err.code != TG_E_IO)
			_exit(2);
		_exit(strstr(err.msg, "no more records") ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(scan(run, &c, &err));
	assert_int_equal(c.n, 3);
	drop_run(run);
}

/* A disk that has no room for a further segment stops rotation, not the records that still fit; and
 * when there is room again the journal goes on, nothing lost. A file size limit plays the disk. */
static void test_no_room_for_rotation(void **state)
{
	char *run = make_journal(1, 10);
	struct counted c;
	struct tg_err err = { 0 };
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct tg_journal_writer *w = tg_journal_open(run, NULL, NULL, NULL);
		struct rlimit limit = { .rlim_cur = 16000, .rlim_max = RLIM_INFINITY };
		int64_t i = 1;
		bool ok = w != NULL;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		while (ok && i < 1000) {
			struct cJSON *body = tg_json_object();

			tg_json_set_int(body, "i", i);
			ok = tg_journal_append(w, "note", body, &err);
			i += ok;
		}
		if (ok || i < 50 || strstr(err.msg, "no more records"))
			_exit(1);
		limit.rlim_cur = RLIM_INFINITY;
		setrlimit(RLIMIT_FSIZE, &limit);
		append_numbered(w, i, 10);
		tg_journal_close(w);
		_exit(count_segments(run) == 2 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(scan(run, &c, &err));
	assert_true(c.n > 60);
	drop_run(run);
}

static bool refuse_second(void *user, const struct tg_record *rec, struct tg_err *err)
{
	(void)user;
	return rec->seq < 2 || tg_fail(err, TG_E_INPUT, "no");
}

static void test_visitor_stops(void **state)
{
	char *run = make_journal(4, 10);
	struct tg_journal_reader *r = tg_journal_reader_new(run, NULL);
	struct tg_err err = { 0 };
	uint64_t n;

	(void)state;
	assert_false(tg_journal_read(r, refuse_second, NULL, &n, &err));
	assert_string_equal(err.msg, "no");
	assert_int_equal(n, 2);
	tg_journal_reader_free(r);
	drop_run(run);
}

/* A reader that has seen corruption says so for good. */
static void test_reader_stays_refused(void **state)
{
	char *run = make_journal(6, 10);
	struct tg_journal_reader *r = tg_journal_reader_new(run, NULL);
	struct tg_buf b = TG_BUF_INIT;
	struct counted c = { 0 };
	struct tg_err err = { 0 };

	(void)state;
	read_segment(run, 1, &b);
	b.p[40] ^= 1;
	write_segment(run, 1, b.p, b.n);
	for (int i = 0; i < 2; i++) {
		assert_false(tg_journal_read(r, count_record, &c, NULL, &err));
		assert_int_equal(err.code, TG_E_CORRUPT);
		assert_int_equal(c.n, 0);
	}
	tg_journal_reader_free(r);
	tg_buf_fini(&b);
	drop_run(run);
}

#define FOLLOWED 1500

static void test_reader_follows_writer(void **state)
{
	char *run = make_run();
	struct tg_journal_reader *r = tg_journal_reader_new(run, NULL);
	struct counted c = { 0 };
	struct tg_err err = { 0 };
	uint64_t polls = 0;
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct tg_journal_writer *w = tg_journal_open(run, NULL, NULL, NULL);

		for (int64_t i = 0; w != NULL && i < FOLLOWED; i++)
			append_numbered(w, i, (size_t)(i * 37 % 700));
		tg_journal_close(w);
		_exit(w == NULL);
	}
	while (c.n < FOLLOWED) {
		uint64_t before = c.n;

		if (!tg_journal_read(r, count_record, &c, NULL, &err))
			fail_msg("after %llu records: %s", (unsigned long long)c.n, err.msg);
		if (c.n == before && polls > 0 && waitpid(pid, &status, WNOHANG) == pid) {
			pid = 0;
			assert_true(tg_journal_read(r, count_record, &c, NULL, &err));
			assert_int_equal(c.n, FOLLOWED);
		}
		polls++;
	}
	if (pid != 0)
		assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	print_message("%d records followed in %llu polls\n", FOLLOWED, (unsigned long long)polls);
	tg_journal_reader_free(r);
	drop_run(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_replay),
		cmocka_unit_test(test_frame_on_disk),
		cmocka_unit_test(test_no_run),
		cmocka_unit_test(test_truncation_everywhere),
		cmocka_unit_test(test_zeroed_sector_in_last_record),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_removed_swapped_replayed),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_segments_damaged),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_poisoned),
		cmocka_unit_test(test_no_room_for_rotation),
		cmocka_unit_test(test_visitor_stops),
		cmocka_unit_test(test_reader_stays_refused),
		cmocka_unit_test(test_reader_follows_writer),
	};

	return cmocka_run_group_tests(tests, use_small_segments, NULL);
}
