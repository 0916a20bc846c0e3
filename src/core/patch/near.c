/* See near.h. */
#include "core/patch/near.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include "core/lib/file.h"
#include "core/patch/classify.h"

#define WALK_MAX 400                     /* commits each way */
#define TRIES_MAX 48                     /* different states of the files that are compared */
#define PATCH_MAX ((size_t)256 << 10)
#define FILES_MAX 64
#define BLOB_MAX ((size_t)8 << 20)

struct search {
	git_repository *repo;
	const struct tg_diff *d;
	git_oid *seen; /* one for each file of the diff, per state that was compared */
	size_t seen_n;
};

static const char *old_path(const struct tg_diff_file *f)
{
	return f->old_path ? f->old_path : f->new_path;
}

/* The ids of the patch's files at a commit; an absent one is the zero id. */
static bool read_state(const struct search *s, const git_oid *commit, git_oid *state)
{
	git_commit *c = NULL;
	git_tree *tree = NULL;
	bool ok = git_commit_lookup(&c, s->repo, commit) == 0 && git_commit_tree(&tree, c) == 0;

	for (size_t i = 0; ok && i < s->d->file_n; i++) {
		const char *path = old_path(&s->d->file[i]);
		git_tree_entry *e = NULL;

		memset(&state[i], 0, sizeof state[i]);
		if (path && git_tree_entry_bypath(&e, tree, path) == 0 &&
		    git_tree_entry_type(e) == GIT_OBJECT_BLOB)
			git_oid_cpy(&state[i], git_tree_entry_id(e));
		git_tree_entry_free(e);
	}
	git_tree_free(tree);
	git_commit_free(c);
	return ok;
}

static bool was_seen(struct search *s, const git_oid *state)
{
	size_t size = s->d->file_n * sizeof *state;

	for (size_t i = 0; i < s->seen_n; i++)
		if (memcmp(s->seen + i * s->d->file_n, state, size) == 0)
			return true;
	if (s->seen_n < TRIES_MAX)
		memcpy(s->seen + s->seen_n++ * s->d->file_n, state, size);
	return false;
}

static bool read_blob(const struct search *s, const git_oid *id, struct tg_base_file *out)
{
	git_blob *blob = NULL;
	bool ok = git_blob_lookup(&blob, s->repo, id) == 0 &&
		  (size_t)git_blob_rawsize(blob) <= BLOB_MAX;

	if (ok) {
		out->exists = true;
		tg_buf_add(&out->bytes, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	}
	git_blob_free(blob);
	return ok;
}

static bool fits(const struct search *s, const git_oid *state)
{
	struct tg_base_file *base = tg_calloc(s->d->file_n, sizeof *base);
	char *mismatch = NULL;
	bool ok = true;

	for (size_t i = 0; i < s->d->file_n && ok; i++)
		if (!git_oid_is_zero(&state[i]))
			ok = read_blob(s, &state[i], &base[i]);
	if (ok)
		mismatch = tg_patch_mismatch(s->d, base);
	ok = ok && !mismatch;
	free(mismatch);
	for (size_t i = 0; i < s->d->file_n; i++)
		tg_buf_fini(&base[i].bytes);
	free(base);
	return ok;
}

/* Up to WALK_MAX commits before (or behind) base, nearest first; returns how many. */
static size_t walk(git_repository *repo, const git_oid *base, bool later, git_oid *out)
{
	git_revwalk *w = NULL;
	size_t n = 0;

	if (git_revwalk_new(&w, repo) != 0)
		return 0;
	if (later) {
		git_revwalk_sorting(w, GIT_SORT_TIME | GIT_SORT_REVERSE);
		(void)git_revwalk_push_head(w);
		(void)git_revwalk_push_glob(w, "heads/*");
		(void)git_revwalk_hide(w, base);
	} else {
		git_revwalk_sorting(w, GIT_SORT_TIME);
		(void)git_revwalk_push(w, base);
	}
	while (n < WALK_MAX && git_revwalk_next(&out[n], w) == 0)
		if (!git_oid_equal(&out[n], base))
			n++;
	git_revwalk_free(w);
	return n;
}

static bool look(struct search *s, const git_oid *base, struct tg_near *out)
{
	git_oid *list[2], *state = tg_calloc(s->d->file_n, sizeof *state);
	size_t n[2];
	bool found = false;

	for (int k = 0; k < 2; k++) {
		list[k] = tg_calloc(WALK_MAX, sizeof *list[k]);
		n[k] = walk(s->repo, base, k == 1, list[k]);
	}
	if (read_state(s, base, state))
		was_seen(s, state);
	for (size_t i = 0; i < WALK_MAX && !found && s->seen_n < TRIES_MAX; i++)
		for (int k = 0; k < 2 && !found; k++) {
			if (i >= n[k] || !read_state(s, &list[k][i], state) || was_seen(s, state))
				continue;
			found = fits(s, state);
			if (!found)
				continue;
			git_oid_tostr(out->commit, sizeof out->commit, &list[k][i]);
			out->distance = i + 1;
			out->later = k == 1;
		}
	free(list[0]);
	free(list[1]);
	free(state);
	return found;
}

bool tg_near_find(const char *repo_path, const char *commit, const struct tg_diff *d,
		  struct tg_near *out)
{
	struct search s = {.d = d};
	git_oid base;
	bool found = false;

	if (d->n > PATCH_MAX || d->file_n == 0 || d->file_n > FILES_MAX ||
	    strlen(commit) != GIT_OID_HEXSZ || git_oid_fromstr(&base, commit) != 0)
		return false;
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	if (git_repository_open(&s.repo, repo_path) == 0) {
		s.seen = tg_calloc(TRIES_MAX * d->file_n, sizeof *s.seen);
		found = look(&s, &base, out);
		free(s.seen);
		git_repository_free(s.repo);
	}
	git_libgit2_shutdown();
	return found;
}
