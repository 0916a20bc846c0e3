/* The nine artefacts of the runbook's section D, looked for on disk, and the rule made of them. */
#include "core/run/watch.h"

#include <stdlib.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/run/layout.h"

static int64_t count_file(const struct tg_run *run, const char *name)
{
	char *path = tg_path_join(run->dir, name);
	bool there = tg_file_exists(path) && !tg_is_dir(path);

	free(path);
	return there;
}

/* Files that the expected instances have; others do not stand in for missing ones. */
static int64_t count_trajectories(const struct tg_run *run, const char *name)
{
	int64_t n = 0;

	(void)name;
	for (size_t i = 0; i < run->inst_n; i++) {
		char *path;

		if (!tg_instance_id_valid(run->inst[i].id))
			continue;
		path = tg_layout_traj(run->dir, run->inst[i].id);
		n += tg_file_size(path) > 0 && !tg_is_dir(path);
		free(path);
	}
	return n;
}

static int64_t count_reports(const struct tg_run *run, const char *name)
{
	int64_t n = 0;

	for (size_t i = 0; i < run->inst_n; i++) {
		char *path = tg_asprintf("%s/%s/%s.json", run->dir, name, run->inst[i].id);

		n += tg_file_size(path) > 0 && !tg_is_dir(path);
		free(path);
	}
	return n;
}

static const struct {
	const char *name;
	int64_t (*count)(const struct tg_run *run, const char *name);
	bool each; /* one per expected instance */
} nine[TG_ARTIFACTS] = {
	{ "minisweagent.log", count_file, false },
	{ "trajectories", count_trajectories, true },
	{ "preds_filled.json", count_file, false },
	{ "eval/instance_results.jsonl", count_file, false },
	{ "security_reports", count_reports, true },
	{ "recomputed_governed_v2_agentic.jsonl", count_file, false },
	{ "ci_gate.txt", count_file, false },
	{ "proof_manifest.json", count_file, false },
	{ "proof_bundle.tgz", count_file, false },
};

void tg_artifacts(const struct tg_run *run, struct tg_artifact out[TG_ARTIFACTS])
{
	for (size_t i = 0; i < TG_ARTIFACTS; i++) {
		int64_t n = nine[i].count(run, nine[i].name);

		out[i] = (struct tg_artifact){ .name = nine[i].name, .present = n > 0, .count = n };
	}
}

bool tg_run_is_complete(const struct tg_run *run, const struct tg_artifact a[TG_ARTIFACTS])
{
	if (run->inst_n == 0 || run->stale || !tg_run_all_judged(run))
		return false;
	for (size_t i = 0; i < TG_ARTIFACTS; i++)
		if (!a[i].present || (nine[i].each && a[i].count < (int64_t)run->inst_n))
			return false;
	for (size_t i = 0; i < run->inst_n; i++) {
		const struct tg_attempt *att = tg_instance_counted(&run->inst[i]);

		if (att == NULL || !att->judged || att->decision == TG_DEC_NONE)
			return false;
	}
	return true;
}
