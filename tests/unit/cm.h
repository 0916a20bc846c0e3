#ifndef TG_TEST_CM_H
#define TG_TEST_CM_H
/* cmocka and what it wants before it; plus a few helpers every unit test uses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A fresh folder below $TMPDIR; the caller frees the name and removes the tree. */
static inline char *cm_tmpdir(void)
{
	const char *base = getenv("TMPDIR");
	size_t n = strlen(base ? base : "/tmp") + 32;
	char *p = malloc(n);

	snprintf(p, n, "%s/tgmon-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(p));
	return p;
}

/* The shared corpus file, or NULL (with a line that says so) where it is not there. Caller frees. */
static inline char *cm_shared(const char *rel)
{
	const char *root = getenv("TGMON_SHARED");
	size_t n = strlen(root ? root : "../shared") + strlen(rel) + 2;
	char *p = malloc(n);

	snprintf(p, n, "%s/%s", root ? root : "../shared", rel);
	if (access(p, R_OK) == 0)
		return p;
	printf("[  SKIPPED ] %s is not here; this test needs the shared corpus\n", p);
	free(p);
	return NULL;
}

#endif
