/* Which files of a run directory belong to its proof: a list, so that nothing gets into a bundle
 * because it happened to lie about. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/lib/file.h"
#include "core/run/publish.h"
#include "core/proof/fileset.h"
#include "core/run/layout.h"
#include "core/run/model.h"

enum { TREE_DEPTH = 8 };

static const char *const single[] = {
    "minisweagent.log",	  "preds.json",
    "preds_filled.json",  "preds_filled_nonempty.json",
    "agentic_risk.jsonl", "recomputed_governed_v2_agentic.jsonl",
    "ci_gate.txt",	  "run_audit.txt",
    TG_JOURNAL_PATH,	  TG_RUNJSON_PATH,
    TG_REGISTERED_PATH,	  "README.txt",
    "proof/VERIFY.md",	  "proof/report.md",
};

static const char *const trees[] = {"eval", "security_reports", "policy", "config"};

/* What an attempt that does not count leaves in the bundle; an attempt's exit.json always goes
 * along. */
static const struct {
	enum tg_stage stage;
	const char *file;
} of_attempt[] = {
    {TG_STAGE_EXTRACT, "patch.diff"},	{TG_STAGE_EXTRACT, "traj.json"},
    {TG_STAGE_SCAN, "report.json"},	{TG_STAGE_EVALUATE, "row.json"},
    {TG_STAGE_EVALUATE, "report.json"}, {TG_STAGE_EVALUATE, "test_output.txt"},
    {TG_STAGE_RISK, "row.json"},	{TG_STAGE_GOVERN, "row.json"},
};

static bool is_plain(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A file by its name in the bundle; ours in .tgmon/derived goes before a foreign one of that name.
 */
static void take(struct tg_fileset *set, const char *run_dir, const char *rel)
{
	char *path = tg_published_path(run_dir, rel);

	if (tg_path_is_safe_relative(rel) && is_plain(path))
		tg_fileset_add(set, rel, path);
	free(path);
}

static bool take_tree(struct tg_fileset *set, const char *run_dir, const char *rel, int depth,
		      struct tg_err *err)
{
	char *dir = tg_path_join(run_dir, rel);
	struct tg_names names = {NULL, 0};
	struct stat st;
	bool ok = true;

	if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && depth < TREE_DEPTH)
		ok = tg_dir_list(dir, &names, err);
	for (size_t i = 0; ok && i < names.n; i++) {
		char *sub = tg_path_join(rel, names.v[i]), *path = tg_path_join(dir, names.v[i]);

		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			ok = take_tree(set, run_dir, sub, depth + 1, err);
		else
			take(set, run_dir, sub);
		free(path);
		free(sub);
	}
	tg_names_free(&names);
	free(dir);
	return ok;
}

/* Files that exist only in .tgmon/derived (a foreign folder has another file, or none, of that
 * name). */
static bool take_derived(struct tg_fileset *set, const char *run_dir, struct tg_err *err)
{
	char *dir = tg_layout_control(run_dir, "derived");
	struct tg_fileset below = {NULL, 0, 0};
	size_t skip = strlen(dir) + 1;
	bool ok = !tg_is_dir(dir) || tg_fileset_walk(&below, dir, err);

	for (size_t i = 0; ok && i < below.n; i++) {
		const char *rel = below.v[i].source + skip;

		for (size_t k = 0; k < sizeof trees / sizeof *trees; k++)
			if (tg_starts_with(rel, trees[k]) && rel[strlen(trees[k])] == '/')
				tg_fileset_add(set, rel, below.v[i].source);
	}
	tg_fileset_fini(&below);
	free(dir);
	return ok;
}

static bool take_statuses(struct tg_fileset *set, const char *run_dir, struct tg_err *err)
{
	struct tg_names names = {NULL, 0};
	bool ok = tg_dir_list(run_dir, &names, err);

	for (size_t i = 0; ok && i < names.n; i++)
		if (tg_starts_with(names.v[i], "exit_statuses_") &&
		    tg_ends_with(names.v[i], ".yaml"))
			take(set, run_dir, names.v[i]);
	tg_names_free(&names);
	return ok;
}

static void take_as(struct tg_fileset *set, const char *source, const char *rel)
{
	if (is_plain(source))
		tg_fileset_add(set, rel, source);
}

static void take_attempt(struct tg_fileset *set, const char *run_dir, const struct tg_instance *in,
			 const struct tg_attempt *att)
{
	char *dir = tg_layout_attempt(run_dir, in->id, att->n), *source, *rel;
	bool counted = tg_instance_counted(in) == att;

	source = tg_path_join(dir, "exit.json");
	rel = tg_asprintf("attempts/%s/%d/exit.json", in->id, att->n);
	take_as(set, source, rel);
	free(source);
	free(rel);
	if (!counted) {
		source = tg_path_join(dir, "out.log");
		rel = tg_asprintf("attempts/%s/%d/out.log", in->id, att->n);
		take_as(set, source, rel);
		free(source);
		free(rel);
	}
	for (size_t i = 0; !counted && i < sizeof of_attempt / sizeof *of_attempt; i++) {
		enum tg_stage s = of_attempt[i].stage;
		char *job;

		if (att->stage[s].state != TG_JOB_OK)
			continue;
		job = tg_layout_job(run_dir, in->id, att->n, s, att->stage[s].k);
		source = tg_asprintf("%s/work/%s", job, of_attempt[i].file);
		rel = tg_asprintf("attempts/%s/%d/%s/%s", in->id, att->n, tg_stage_name(s),
				  of_attempt[i].file);
		take_as(set, source, rel);
		free(source);
		free(rel);
		free(job);
	}
	free(dir);
}

static void take_instance(struct tg_fileset *set, const char *run_dir, const struct tg_instance *in)
{
	char *rel = tg_asprintf("%s/%s.traj.json", in->id, in->id);

	take(set, run_dir, rel);
	free(rel);
	for (size_t i = 0; i < in->att_n; i++)
		take_attempt(set, run_dir, in, &in->att[i]);
}

static void drop_twins(struct tg_fileset *set)
{
	size_t n = 0;

	tg_fileset_sort(set);
	for (size_t i = 0; i < set->n; i++) {
		if (n > 0 && strcmp(set->v[n - 1].path, set->v[i].path) == 0) {
			free(set->v[i].path);
			free(set->v[i].source);
		} else
			set->v[n++] = set->v[i];
	}
	set->n = n;
}

bool tg_fileset_collect(struct tg_fileset *set, const char *run_dir, const struct tg_run *run,
			struct tg_err *err)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		take(set, run_dir, single[i]);
	for (size_t i = 0; ok && i < sizeof trees / sizeof *trees; i++)
		ok = take_tree(set, run_dir, trees[i], 0, err);
	ok = ok && take_derived(set, run_dir, err) && take_statuses(set, run_dir, err);
	for (size_t i = 0; ok && i < run->inst_n; i++)
		if (tg_instance_id_valid(run->inst[i].id))
			take_instance(set, run_dir, &run->inst[i]);
	drop_twins(set);
	return ok;
}
