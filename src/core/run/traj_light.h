#ifndef TG_TRAJ_LIGHT_H
#define TG_TRAJ_LIGHT_H
/*
 * As much of a mini-swe-agent trajectory (1.x and 2.x) as a table row shows.
 * core/agent/trajectory.h is the full reader; run may not use it. Private to run/.
 */
#include <stdbool.h>
#include <stdint.h>

struct cJSON;

struct tg_traj_light {
	int64_t steps;        /* info.model_stats.api_calls; -1 unknown */
	int64_t answers;      /* assistant messages */
	double cost_usd;      /* < 0 unknown */
	char *command;        /* of the last answer, raw bytes; NULL: none. The caller frees it. */
	const char *exit_status; /* borrowed; NULL absent or null, "" while it runs */
	bool ended;           /* exit_status is there and not "" */
	const char *submission;  /* borrowed or NULL */
	const char *model_answered; /* borrowed or NULL */
	int64_t last_ms;      /* time stamp of the last message; 0 unknown */
	bool no_trajectory;   /* a stand-in: the attempt left none */
	const char *no_trajectory_why;
};

/* False when root is no trajectory (no object with info or messages). */
bool tg_traj_light(const struct cJSON *root, struct tg_traj_light *out);

#endif
