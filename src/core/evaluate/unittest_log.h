#ifndef TG_UNITTEST_LOG_H
#define TG_UNITTEST_LOG_H
/*
 * What `python3 -m unittest -v` said, as one status a test. Python 3.9 prints "test_x (mod.Class)
 * ... ok", 3.11 and later "test_x (mod.Class.test_x) ... ok"; both become the id
 * "mod.Class.test_x".
 *
 * The text is hostile: the code under test shares its descriptors. So a failure always beats a pass
 * of the same test, and the whole must fit together: one summary, no more results than tests that
 * ran, an exit code that agrees. Where it does not, nothing in it counts (`ungradable` says why).
 * Code that takes over the interpreter itself can still lie, as it can to any harness that runs it.
 */
#include <stdbool.h>
#include <stddef.h>

/* In rising order of bad news: of two results for one test the later in this list counts. */
enum tg_test_status {
	TG_TEST_MISSING, TG_TEST_OK, TG_TEST_XFAIL, TG_TEST_SKIPPED, TG_TEST_XPASS, TG_TEST_FAIL,
	TG_TEST_ERROR
};

struct tg_test_result {
	char *id;
	enum tg_test_status status;
};

struct tg_test_log {
	struct tg_test_result *result; /* sorted by id, one a test */
	size_t n, cap;
	long ran;               /* of the summary; -1 without one */
	const char *ungradable; /* NULL: fits together; else why not (a constant) */
};

/* p[0..n) is what the test program itself printed, nothing else; exit_code its own. */
void tg_unittest_parse(struct tg_test_log *log, const char *p, size_t n, int exit_code);
void tg_test_log_fini(struct tg_test_log *log);
/* id in either form ("mod.Class.test_x" or "test_x (mod.Class)"). */
enum tg_test_status tg_test_log_get(const struct tg_test_log *log, const char *id);

#endif
