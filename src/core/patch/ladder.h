#ifndef TG_LADDER_H
#define TG_LADDER_H
/*
 * The harness's apply ladder (spec: mini-swe-agent-and-swebench.md 4.5), run for real in the sandbox.
 *   4: git apply --verbose | git apply --verbose --reject | patch --batch --fuzz=5 -p1 -i (no reset)
 *   5: ... | --3way | --reject | patch --batch --forward --fuzz=5 -p1 -i, reset before each
 */
#include <stdbool.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct tg_ladder_result {
	int applied;        /* 1, 0 */
	char rung[24];      /* "git", "git-3way", "git-reject", "patch-fuzz", "already"; "" when none */
	struct tg_buf log;  /* what the rungs printed */
};

/* Apply patch (bytes) to the git work tree at `tree` (a scratch checkout with a commit of its base), in
 * the sandbox, leaving the tree as the ladder left it. generation: 4 or 5. */
bool tg_ladder_apply(const char *tree, const void *patch, size_t n, int generation,
		     struct tg_ladder_result *r, struct tg_err *err);
void tg_ladder_result_fini(struct tg_ladder_result *r);
/* Make `tree` (with files in it) a git repository with one commit, so that the ladder and `git diff`
 * work on it; runs git in the sandbox too, since the tree may hold a hostile .gitattributes. */
bool tg_ladder_prepare(const char *tree, struct tg_err *err);

#endif
