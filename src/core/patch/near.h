#ifndef TG_NEAR_H
#define TG_NEAR_H
/*
 * "Wrong base": a sound diff that fits nowhere at its base commit, but does at a commit near it. Only
 * the patch's own hunks are compared with the blobs of nearby commits (both ways in history, nearest
 * first, bounded); the ladder has the last word. Reads the repository through libgit2, writes nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/patch/parse.h"

struct tg_near {
	char commit[41];
	size_t distance; /* commits from the base, in time order of the history walk */
	bool later;      /* behind the base; false: before it */
};

/* False: none found within bounds, or the repository cannot be read; neither is an error. */
bool tg_near_find(const char *repo_path, const char *commit, const struct tg_diff *d,
		  struct tg_near *out);

#endif
