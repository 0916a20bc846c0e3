/* Which recording an attempt replays. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/replay.h"
#include "core/lib/file.h"
#include "core/run/layout.h"
#include "core/run/job.h"

static const char suffix[] = ".traj.json";

/* The number in "<iid>.<number>.traj.json"; 0 when the name is not of that form. */
static int number_of(const char *name, const char *iid)
{
	size_t n = strlen(iid), len = strlen(name);
	char *digits;
	int64_t v = 0;

	if (strncmp(name, iid, n) != 0 || name[n] != '.' || !tg_ends_with(name, suffix) ||
	    len < n + 1 + sizeof suffix)
		return 0;
	digits = tg_strndup(name + n + 1, len - n - sizeof suffix);
	if (!tg_parse_i64(digits, &v) || v < 1 || v > INT_MAX)
		v = 0;
	free(digits);
	return (int)v;
}

char *tg_replay_recording(const char *data_dir, const char *iid, int turn)
{
	char *dir = tg_path_join(data_dir, "trajectories"), *path;
	struct tg_names names = { 0 };
	int best = 0;

	if (tg_dir_list(dir, &names, NULL))
		for (size_t i = 0; i < names.n; i++) {
			int k = number_of(names.v[i], iid);

			if (k <= turn && k > best)
				best = k;
		}
	tg_names_free(&names);
	path = best ? tg_asprintf("%s/%s.%d%s", dir, iid, best, suffix) :
		      tg_asprintf("%s/%s%s", dir, iid, suffix);
	free(dir);
	if (tg_file_exists(path))
		return path;
	free(path);
	return NULL;
}

static bool came_to_an_end(const char *dir, const char *iid)
{
	struct tg_exit x = { 0 };
	char *traj = tg_asprintf("%s/work/%s%s", dir, iid, suffix);
	bool ended = tg_file_exists(traj);

	free(traj);
	if (ended)
		return true;
	return tg_exit_load(&x, dir, NULL) && strcmp(x.why, "killed") != 0;
}

int tg_replay_turn(const char *run_dir, const char *iid, int attempt)
{
	int turn = 1;

	for (int n = 1; n < attempt; n++) {
		char *dir = tg_layout_attempt(run_dir, iid, n);

		turn += came_to_an_end(dir, iid) ? 1 : 0;
		free(dir);
	}
	return turn;
}
