/* The program's own processes: not for people, and not in the help. */
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"
#include "core/agent/agent.h"
#include "core/evaluate/swebench.h"
#include "core/pipeline/pipeline.h"
#include "core/run/job.h"
#include "core/runner/runner.h"

static const char *value_of(int argc, char **argv, const char *name)
{
	for (int i = 2; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return NULL;
}

int tg_cli_internal(int argc, char **argv)
{
	const char *run, *job;

	if (argc < 3)
		return -1;
	run = value_of(argc, argv, "--run");
	job = value_of(argc, argv, "--job");
	if (!strcmp(argv[1], "shim"))
		return tg_shim_main(argv[2]);
	if (!strcmp(argv[1], "runner"))
		return tg_runner_main(argv[2], argc > 3 && !strcmp(argv[3], "--foreground"));
	if (!strcmp(argv[1], "stage") && run && job)
		return tg_stage_main(argv[2], run, job);
	if (!strcmp(argv[1], "agent-replay") && run && job)
		return tg_agent_replay_main(run, job);
	if (!strcmp(argv[1], "agent-mini") && run && job)
		return tg_agent_mini_main(run, job);
	if (!strcmp(argv[1], "agent-mini-after") && run && job)
		return tg_agent_mini_after(run, job);
	if (!strcmp(argv[1], "box-clean") && argc == 4)
		return tg_box_clean_main(argv[2], argv[3]);
	return -1;
}
