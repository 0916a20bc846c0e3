/* See try.h. */
#include "core/patch/try.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include "core/lib/file.h"
#include "core/lib/sandbox.h"
#include "core/patch/near.h"

static bool tree_unchanged(const struct tg_try *t)
{
	size_t i;

	for (i = 0; i < t->scratch.n; i++)
		if (tg_scratch_changed(&t->scratch.file[i]) &&
		    !tg_scratch_litter(&t->scratch.file[i]))
			return false;
	return true;
}

/* GNU patch told to go on finds edits that an earlier rung made, and takes them back ("Assuming
 * -R"): it ends well and the file is what it was. */
static bool some_reverted(const struct tg_try *t)
{
	size_t i;

	for (i = 0; i < t->diff.file_n; i++) {
		const struct tg_diff_file *p = &t->diff.file[i];
		const struct tg_scratch_file *f = tg_scratch_find(&t->scratch, tg_diff_path(p));

		if (f && !tg_scratch_changed(f) && p->added + p->deleted > 0)
			return true;
	}
	return false;
}

/* A base that cannot be read is a finding; a sandbox that cannot start is the machine's fault. */
static bool try_ladder(const struct tg_try_in *in, const char *commit, const char *dir,
		       struct tg_try *t, struct tg_err *err)
{
	struct tg_err why = {0};

	if (!tg_sandbox_check(err))
		return false;
	tg_remove_tree(dir, NULL);
	if (!tg_scratch_build(&t->scratch, dir, &t->diff, in->repo, commit, &why)) {
		t->no_base = tg_strdup(why.msg);
		return true;
	}
	t->ladder_ran = tg_ladder_prepare(dir, err) &&
			tg_ladder_apply(dir, in->patch, in->n, in->generation, &t->ladder, err) &&
			tg_scratch_read(&t->scratch, err);
	return t->ladder_ran;
}

/* Does git itself take the patch at that other commit? */
static bool fits_there(const struct tg_try_in *in, const struct tg_near *near)
{
	struct tg_try there = {0};
	char *dir = tg_asprintf("%s-near", in->dir);
	bool ok;

	tg_diff_parse(&there.diff, in->patch, in->n);
	ok = try_ladder(in, near->commit, dir, &there, NULL) && there.ladder_ran &&
	     tg_streq(there.ladder.rung, "git");
	tg_try_fini(&there);
	free(dir);
	return ok;
}

/* Files that the images of the data set's repositories edit before the patch comes. */
static bool is_setup_file(const char *path)
{
	static const char *const names[] = {"setup.py",	     "setup.cfg",	  "pyproject.toml",
					    "tox.ini",	     "requirements*.txt", "environment*.yml",
					    "MANIFEST.in",   NULL};
	const char *name = tg_path_base(path);
	size_t i;

	for (i = 0; names[i]; i++)
		if (fnmatch(names[i], name, 0) == 0)
			return true;
	return false;
}

/* Does every file that has a hunk which fits nowhere belong to those? */
static bool only_setup_differs(const struct tg_diff *d, const struct tg_base_file *base)
{
	bool any = false;
	size_t i;

	for (i = 0; i < d->file_n; i++) {
		struct tg_diff one = *d;
		char *mismatch;

		one.file = &d->file[i];
		one.file_n = 1;
		mismatch = tg_patch_mismatch(&one, &base[i]);
		if (!mismatch)
			continue;
		free(mismatch);
		if (!base[i].exists || !is_setup_file(tg_diff_path(&d->file[i])))
			return false;
		any = true;
	}
	return any;
}

static void classify(const struct tg_try_in *in, struct tg_try *t)
{
	struct tg_near near;
	struct tg_base_file *base = NULL;
	char *mismatch = NULL;
	struct tg_triage_in c = {
	    .patch = in->patch,
	    .n = in->n,
	    .diff = &t->diff,
	    .exit_status = in->exit_status,
	    .outcome = in->outcome,
	    .submission_head = in->submission_head,
	    .ladder = t->ladder_ran ? &t->ladder : NULL,
	};

	if (t->ladder_ran && !t->ladder.applied) {
		base = tg_scratch_base(&t->scratch, &t->diff);
		mismatch = tg_patch_mismatch(&t->diff, base);
		c.mismatch = mismatch;
		c.unsure = t->diff.fault == TG_DIFF_SOUND && only_setup_differs(&t->diff, base);
		if (!c.unsure && t->diff.fault == TG_DIFF_SOUND &&
		    tg_near_find(in->repo, in->commit, &t->diff, &near) && fits_there(in, &near))
			c.near = &near;
	} else if (t->ladder_ran) {
		c.unchanged = tree_unchanged(t);
		c.reverted = some_reverted(t);
	}
	tg_triage_classify(&c, &t->out);
	free(mismatch);
	free(base);
}

bool tg_try_patch(const struct tg_try_in *in, struct tg_try *t, struct tg_err *err)
{
	bool ok = true;

	*t = (struct tg_try){.out.applies = -1};
	tg_diff_parse(&t->diff, in->patch, in->n);
	/* Without a diff there is nothing to try, and the harness never sees an empty patch. */
	if (in->repo && in->commit && in->n > 0 && t->diff.fault != TG_DIFF_NO_DIFF &&
	    t->diff.fault != TG_DIFF_TOO_LARGE)
		ok = try_ladder(in, in->commit, in->dir, t, err);
	if (ok)
		classify(in, t);
	return ok;
}

void tg_try_fini(struct tg_try *t)
{
	tg_scratch_fini(&t->scratch);
	tg_ladder_result_fini(&t->ladder);
	tg_diff_fini(&t->diff);
	tg_triage_out_fini(&t->out);
	free(t->no_base);
	*t = (struct tg_try){.out.applies = -1};
}
