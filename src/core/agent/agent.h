#ifndef TG_AGENT_H
#define TG_AGENT_H
/*
 * Agent backends: replay (re-executes a recorded trajectory's commands in the sandbox), mini (the user's mini-swe-agent),
 * preds, foreign. A backend describes the job of one attempt; what it leaves in the attempt's work/ is
 * read by the extract stage:
 *   work/<iid>.traj.json   the final trajectory (absent when the agent left none)
 *   work/live.traj.json    rewritten after each step (temporary file + rename) while it runs
 *   work/agent.log         lines in minisweagent.log's form
 */
#include <stdbool.h>
#include "core/lib/err.h"
#include "core/run/spec.h"
#include "core/run/job.h"

struct tg_agent_ops {
	const char *name;
	/* Is everything there that attempts will need? err says what is missing and what mends it. What was
	 * found (tools, settings) is noted in the spec, so that a resume uses the same. */
	bool (*preflight)(struct tg_spec *spec, struct tg_err *err);
	/* Fill argv, env, env_pass, limits of the job of one attempt. */
	bool (*job)(const struct tg_spec *spec, const char *run_dir, struct tg_job *job,
		    struct tg_err *err);
};

const struct tg_agent_ops *tg_agent_find(const char *name); /* NULL: unknown */
/* `tgmon agent-replay --run RUN --job DIR`: the replay agent itself. Returns the exit code. */
int tg_agent_replay_main(const char *run_dir, const char *job_dir);
/* `tgmon agent-mini --run RUN --job DIR`: one attempt with the user's mini-extra; and what is done once more when
 * the attempt's processes are dead: what it left is taken, its containers are removed. */
int tg_agent_mini_main(const char *run_dir, const char *job_dir);
int tg_agent_mini_after(const char *run_dir, const char *job_dir);

#endif
