#include <stdlib.h>
#include <string.h>
#include "core/evaluate/unittest_log.h"
#include "core/lib/buf.h"

#define ID_MAX 512 /* longer names are no test's */

struct word {
	const char *text;
	bool whole; /* the line is exactly this; else it begins with it */
	enum tg_test_status status;
};

static const struct word words[] = {
	{ "ok", true, TG_TEST_OK },
	{ "FAIL", true, TG_TEST_FAIL },
	{ "ERROR", true, TG_TEST_ERROR },
	{ "expected failure", true, TG_TEST_XFAIL },
	{ "unexpected success", true, TG_TEST_XPASS },
	{ "skipped ", false, TG_TEST_SKIPPED },
};

struct parser {
	struct tg_test_log *log;
	char *current; /* the test whose status is awaited or was just seen; NULL: none */
	int summaries;
	bool said_ok, said_failed;
};

static bool is(struct tg_str s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static bool begins(struct tg_str s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p, text, n) == 0;
}

static struct tg_str after(struct tg_str s, size_t n)
{
	return (struct tg_str){ s.p + n, s.n - n };
}

static enum tg_test_status status_of(struct tg_str s)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].whole ? is(s, words[i].text) : begins(s, words[i].text))
			return words[i].status;
	return TG_TEST_MISSING;
}

static bool name_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '.' || c >= 0x80;
}

static size_t name_length(struct tg_str s)
{
	size_t n = 0;

	while (n < s.n && name_byte((unsigned char)s.p[n]))
		n++;
	return n;
}

/* "name (owner)" at the beginning of s: the id (caller frees) and what follows; NULL: not that. */
static char *read_id(struct tg_str s, struct tg_str *rest)
{
	size_t name = name_length(s), owner;
	const char *at;

	if (!name || !begins(after(s, name), " ("))
		return NULL;
	at = s.p + name + 2;
	owner = name_length(after(s, name + 2));
	if (!owner || name + owner + 3 > s.n || at[owner] != ')' || name + owner > ID_MAX)
		return NULL;
	*rest = after(s, name + owner + 3);
	if (owner > name && at[owner - name - 1] == '.' &&
	    memcmp(at + owner - name, s.p, name) == 0)
		return tg_strndup(at, owner);
	return tg_asprintf("%.*s.%.*s", (int)owner, at, (int)name, s.p);
}

static void add(struct parser *ps, const char *id, enum tg_test_status status)
{
	struct tg_test_log *log = ps->log;

	TG_GROW(log->result, log->n, log->cap);
	log->result[log->n++] = (struct tg_test_result){ tg_strdup(id), status };
}

/* "Ran 5 tests in 0.001s" */
static bool read_summary(struct parser *ps, struct tg_str line)
{
	long ran = 0;
	size_t i = 4;

	if (!begins(line, "Ran "))
		return false;
	for (; i < line.n && line.p[i] >= '0' && line.p[i] <= '9' && ran < 100000000; i++)
		ran = ran * 10 + (line.p[i] - '0');
	if (i == 4 ||
	    !(begins(after(line, i), " tests in ") || begins(after(line, i), " test in ")))
		return false;
	ps->summaries++;
	ps->log->ran = ran;
	return true;
}

/* What stands behind the id, or the line behind a test's description: " ... ok". */
static void read_status(struct parser *ps, struct tg_str rest)
{
	const char *dots = rest.n ? memmem(rest.p, rest.n, " ... ", 5) : NULL;
	enum tg_test_status status;

	if (!dots)
		return;
	status = status_of(after(rest, (size_t)(dots - rest.p) + 5));
	if (status != TG_TEST_MISSING)
		add(ps, ps->current, status);
}

static void read_line(struct parser *ps, struct tg_str line)
{
	struct tg_str rest;
	enum tg_test_status status;
	char *id;

	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	while (line.n && line.p[0] == ' ') /* results of subtests are indented */
		line = after(line, 1);
	if (begins(line, "FAIL: ") || begins(line, "ERROR: ")) {
		bool fail = line.p[0] == 'F';

		id = read_id(after(line, fail ? 6 : 7), &rest);
		if (id)
			add(ps, id, fail ? TG_TEST_FAIL : TG_TEST_ERROR);
		free(id);
	} else if ((id = read_id(line, &rest))) {
		free(ps->current);
		ps->current = id;
		read_status(ps, rest);
	} else if (read_summary(ps, line)) {
		free(ps->current);
		ps->current = NULL;
	} else if (ps->summaries && (is(line, "OK") || begins(line, "OK ("))) {
		ps->said_ok = true;
	} else if (ps->summaries && begins(line, "FAILED (")) {
		ps->said_failed = true;
	} else if (ps->current) {
		status = status_of(line);
		if (status != TG_TEST_MISSING)
			add(ps, ps->current, status);
		else
			read_status(ps, line);
	}
}

static int by_id_then_worst(const void *a, const void *b)
{
	const struct tg_test_result *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : (int)y->status - (int)x->status;
}

static void keep_worst(struct tg_test_log *log)
{
	size_t kept = 0;

	if (log->n)
		qsort(log->result, log->n, sizeof *log->result, by_id_then_worst);
	for (size_t i = 0; i < log->n; i++) {
		if (kept && strcmp(log->result[kept - 1].id, log->result[i].id) == 0)
			free(log->result[i].id);
		else
			log->result[kept++] = log->result[i];
	}
	log->n = kept;
}

/* setUpClass and the like report errors without being tests. */
static bool is_fixture(const char *id)
{
	const char *dot = strrchr(id, '.');

	return tg_starts_with(dot ? dot + 1 : id, "setUp") ||
	       tg_starts_with(dot ? dot + 1 : id, "tearDown");
}

static const char *find_fault(const struct parser *ps, int exit_code)
{
	const struct tg_test_log *log = ps->log;
	size_t results = 0, bad = 0;

	for (size_t i = 0; i < log->n; i++) {
		if (log->result[i].status >= TG_TEST_XPASS)
			bad++;
		if (log->result[i].status != TG_TEST_SKIPPED && !is_fixture(log->result[i].id))
			results++;
	}
	if (ps->summaries == 0)
		return "the test program ended without its summary";
	if (ps->summaries > 1)
		return "the test output holds more than one summary";
	if (results > (size_t)log->ran)
		return "the test output holds more results than tests that ran";
	if (ps->said_ok == ps->said_failed)
		return "the test program gave no verdict of its own";
	if (ps->said_ok && bad)
		return "the test program says OK, but not all tests passed";
	if (ps->said_ok != (exit_code == 0))
		return "the exit code of the test program does not agree with what it printed";
	if (ps->said_failed && !bad)
		return "the test program failed, but no test did";
	return NULL;
}

void tg_unittest_parse(struct tg_test_log *log, const char *p, size_t n, int exit_code)
{
	struct parser ps = { .log = log };
	const char *end = p + n;

	*log = (struct tg_test_log){ .ran = -1 };
	while (n && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);

		if (!memchr(p, '\0', len))
			read_line(&ps, (struct tg_str){ p, len });
		p += len + 1;
	}
	free(ps.current);
	keep_worst(log);
	log->ungradable = find_fault(&ps, exit_code);
}

void tg_test_log_fini(struct tg_test_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		free(log->result[i].id);
	free(log->result);
	*log = (struct tg_test_log){ .ran = -1 };
}

static int against_id(const void *key, const void *member)
{
	return strcmp(key, ((const struct tg_test_result *)member)->id);
}

enum tg_test_status tg_test_log_get(const struct tg_test_log *log, const char *id)
{
	struct tg_str rest;
	char *plain = read_id((struct tg_str){ id, strlen(id) }, &rest);
	const struct tg_test_result *found = NULL;

	if (log->n)
		found = bsearch(plain ? plain : id, log->result, log->n, sizeof *log->result,
				against_id);
	free(plain);
	return found ? found->status : TG_TEST_MISSING;
}
