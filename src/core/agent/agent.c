#include <stdlib.h>
#include <string.h>
#include "core/agent/agent.h"
#include "core/agent/mini.h"
#include "core/agent/replay.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"
#include "core/lib/sandbox.h"

static bool replay_preflight(struct tg_spec *spec, struct tg_err *err)
{
	if (!spec->data_dir || !tg_is_dir(spec->data_dir))
		return tg_fail(err, TG_E_MACHINE,
			       "agent replay: there is no data folder with recorded "
			       "trajectories; set TGMON_DATA to one");
	for (size_t i = 0; i < spec->expected_n; i++) {
		char *path = tg_replay_recording(spec->data_dir, spec->expected[i], 1);

		if (!path)
			return tg_fail(err, TG_E_INPUT,
				       "agent replay: there is no recording for %s in "
				       "%s/trajectories (%s.traj.json)",
				       spec->expected[i], spec->data_dir, spec->expected[i]);
		free(path);
	}
	return tg_sandbox_check(err);
}

static bool replay_job(const struct tg_spec *spec, const char *run_dir, struct tg_job *job,
		       struct tg_err *err)
{
	char *self = tg_self_exe();

	(void)spec;
	if (!self)
		return tg_fail(err, TG_E_MACHINE, "cannot find the path of this program");
	job->argv = tg_calloc(7, sizeof *job->argv);
	job->argv[0] = self;
	job->argv[1] = tg_strdup("agent-replay");
	job->argv[2] = tg_strdup("--run");
	job->argv[3] = tg_strdup(run_dir);
	job->argv[4] = tg_strdup("--job");
	job->argv[5] = tg_strdup(job->dir);
	job->limits.fsize_bytes = (int64_t)1 << 30;
	return true;
}

static bool not_yet(const char *name, struct tg_err *err)
{
	return tg_fail(err, TG_E_INPUT,
		       "agent %s is not built into this version yet; --agent replay runs "
		       "the demo, tgmon process takes what another program's agents left",
		       name);
}

static bool preds_preflight(struct tg_spec *spec, struct tg_err *err)
{
	(void)spec;
	return not_yet("preds", err);
}

/* The attempts are there already: nothing is needed and nothing is ever started. */
static bool foreign_preflight(struct tg_spec *spec, struct tg_err *err)
{
	(void)spec;
	(void)err;
	return true;
}

static const struct tg_agent_ops backends[] = {
	{ .name = "replay", .preflight = replay_preflight, .job = replay_job },
	{ .name = "mini", .preflight = tg_mini_preflight, .job = tg_mini_job },
	{ .name = "preds", .preflight = preds_preflight },
	{ .name = "foreign", .preflight = foreign_preflight },
};

const struct tg_agent_ops *tg_agent_find(const char *name)
{
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
		if (tg_streq(backends[i].name, name))
			return &backends[i];
	return NULL;
}
