#ifndef TEST_DEPARTURES_H
#define TEST_DEPARTURES_H
/*
 * Vectors of the reference (found through TGMON_SHARED) and the lists of those that ours departs from,
 * with reasons. A vector of the list must fail, one that is not must hold: the list stays exact. Names
 * on the list that the vectors at hand do not contain are fine (a part of the vectors is kept back).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"

struct departures {
	struct tg_buf text;
	size_t wrong;
};

static inline bool vectors_read(const char *name, struct tg_buf *out)
{
	const char *shared = getenv("TGMON_SHARED");
	char *path = tg_asprintf("%s/corpus/vectors/%s", shared ? shared : "../shared", name);
	bool ok = tg_file_exists(path) && tg_file_read(path, 0, out, NULL);

	free(path);
	return ok;
}

static inline void departures_load(struct departures *d, const char *name)
{
	/* beside this file */
	char *dir = tg_path_dir(__FILE__), *path = tg_path_join(dir, name);

	memset(d, 0, sizeof *d);
	assert_true(tg_file_read(path, 0, &d->text, NULL));
	free(path);
	free(dir);
}

/* Is "name " at the start of a line that has a reason behind it? */
static inline bool departures_has(const struct departures *d, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = tg_buf_cstr(&d->text); p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (!strncmp(p, name, n) && p[n] == ' ' && p[n + 1] > ' ')
			return true;
	}
	return false;
}

static inline void departures_judge(struct departures *d, const char *name, bool holds)
{
	bool listed = departures_has(d, name);

	if (holds != listed)
		return;
	d->wrong++;
	print_error("%s: %s\n", name, holds ? "holds but is listed as a departure" :
		    "does not hold and is not listed");
}

static inline void departures_end(struct departures *d)
{
	tg_buf_fini(&d->text);
	assert_int_equal(d->wrong, 0);
}

#endif
