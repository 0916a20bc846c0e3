/* Freeze a planned run into its directory (launch.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/govern/policy.h"
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/pipeline/launch.h"
#include "core/run/layout.h"
#include "core/run/registry.h"

static bool freeze_rows(const struct tg_launch *l, const char *dir, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	char *path = tg_path_join(dir, ".tgmon/dataset.jsonl");
	bool ok = true;

	for (size_t i = 0; i < l->pick_n; i++) {
		tg_buf_adds(&b, l->ds.row[l->pick[i]].raw);
		tg_buf_addc(&b, '\n');
	}
	if (l->ds.n)
		ok = tg_file_write(path, tg_buf_cstr(&b), b.n, 0644, err);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

static bool freeze_copy(const char *dir, const struct tg_digest_ref *ref, const char *folder,
			struct tg_err *err)
{
	char *to, *parent;
	bool ok;

	if (!ref->path || !ref->frozen)
		return true;
	to = tg_path_join(dir, ref->frozen);
	parent = tg_path_join(dir, folder);
	ok = tg_mkdirs(parent, 0755, err) && tg_file_copy(ref->path, to, 0644, err);
	free(parent);
	free(to);
	return ok;
}

static bool freeze_policy(const struct tg_launch *l, const char *dir, struct tg_err *err)
{
	const struct tg_digest_ref *ref = &l->spec.policy;
	char *folder, *to;
	const char *text;
	size_t n;
	bool ok;

	if (!ref->sha256 || ref->path)
		return freeze_copy(dir, ref, "policy", err);
	text = tg_policy_builtin(&n);
	folder = tg_path_join(dir, "policy");
	to = tg_path_join(dir, ref->frozen);
	ok = tg_mkdirs(folder, 0755, err) && tg_file_write(to, text, n, 0644, err);
	free(folder);
	free(to);
	return ok;
}

/* Everything below `dir`, which is a new folder of ours (or the foreign run itself). */
static bool fill(struct tg_launch *l, const char *dir, struct tg_err *err)
{
	static const char *const folders[] = { ".tgmon", ".tgmon/inbox", ".tgmon/attempts", ".tgmon/jobs" };
	char sha256[65];
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof folders / sizeof folders[0]; i++) {
		char *path = tg_path_join(dir, folders[i]);

		ok = tg_mkdirs(path, 0700, err);
		free(path);
	}
	return ok && freeze_rows(l, dir, err) &&
	       freeze_copy(dir, &l->spec.config, "config", err) && freeze_policy(l, dir, err) &&
	       freeze_copy(dir, &l->spec.eval_results, ".tgmon", err) &&
	       tg_spec_write(&l->spec, dir, sha256, err);
}

/* msa_<tag>_<dataset>_<split>_<yymmdd_HHMMSS>, UTC; _2, _3 ... when taken. */
static char *name_of(const struct tg_spec *s, int n)
{
	char stamp[32];

	tg_strftime_utc(s->created_ms, "%y%m%d_%H%M%S", stamp, sizeof stamp);
	return n < 2 ? tg_asprintf("msa_%s_%s_%s_%s", s->tag, s->dataset_name, s->split, stamp)
		     : tg_asprintf("msa_%s_%s_%s_%s_%d", s->tag, s->dataset_name, s->split, stamp, n);
}

static bool make_new(struct tg_launch *l, int n, bool *taken, struct tg_err *err)
{
	char *tmp = tg_asprintf("%s/.tgmon-new-%d-%d", l->parent, (int)getpid(), n);
	char *final;
	bool ok;

	if (l->run_dir)
		final = tg_strdup(l->run_dir); /* process --output: the directory itself */
	else {
		free(l->spec.run_id);
		l->spec.run_id = name_of(&l->spec, n);
		final = tg_path_join(l->parent, l->spec.run_id);
	}
	*taken = false;
	ok = tg_mkdir_new(tmp, 0755, err) && fill(l, tmp, err);
	if (ok && renameat2(AT_FDCWD, tmp, AT_FDCWD, final, RENAME_NOREPLACE) != 0) {
		*taken = errno == EEXIST;
		ok = tg_fail_sys(err, errno, "cannot make %s", final);
	}
	if (ok) {
		tg_fsync_dir(l->parent, NULL);
		free(l->run_dir);
		l->run_dir = final;
		final = NULL;
	} else
		tg_remove_tree(tmp, NULL);
	free(final);
	free(tmp);
	return ok;
}

/* In place: an older control folder of ours moves aside, its ledger of created files comes along. */
static bool make_in_place(struct tg_launch *l, struct tg_err *err)
{
	char *control = tg_path_join(l->run_dir, TG_CONTROL_DIR), *old = NULL, *ledger = NULL, *to = NULL;
	bool ok = true;

	if (tg_file_exists(control)) {
		for (int n = 1; !old || tg_file_exists(old); n++) {
			free(old);
			old = tg_asprintf("%s.%d", control, n);
		}
		if (rename(control, old) != 0)
			ok = tg_fail_sys(err, errno, "cannot move %s aside", control);
		ledger = ok ? tg_path_join(old, "published.json") : NULL;
	}
	ok = ok && fill(l, l->run_dir, err);
	if (ok && ledger && tg_file_exists(ledger)) {
		to = tg_path_join(control, "published.json");
		ok = tg_file_copy(ledger, to, 0600, err);
	}
	free(to);
	free(ledger);
	free(old);
	free(control);
	return ok;
}

bool tg_launch_make(struct tg_launch *l, struct tg_err *err)
{
	bool ok = false, taken = true;

	if (l->in_place)
		ok = make_in_place(l, err);
	else if (tg_mkdirs(l->parent, 0755, err))
		for (int n = 1; !ok && taken && n < 100; n++) {
			ok = make_new(l, n, &taken, err);
			if (l->spec.source_dir)
				break;
		}
	if (ok)
		tg_registry_add(l->run_dir, NULL);
	return ok;
}
