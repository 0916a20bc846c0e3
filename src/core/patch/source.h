#ifndef TG_SOURCE_H
#define TG_SOURCE_H
/*
 * Where an attempt's trajectory and patch come from: the job directory of our own attempt, or the
 * run directory that something else made. Nothing here fails because an agent left nothing, or
 * rubbish: that is a finding (why, outcome). False only when the machine fails or the instance id is no name.
 */
#include <stdbool.h>
#include "core/agent/trajectory.h"
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct cJSON;
struct tg_stage_ctx;

struct tg_source {
	struct tg_traj traj;       /* of traj_bytes or of the unfinished live file */
	bool have_traj;
	struct tg_buf traj_bytes;  /* the finished trajectory as it stands; empty when why is set */
	char *why;                 /* why there is no finished trajectory; NULL: there is one */
	struct cJSON *exit;        /* the agent job's exit.json, or NULL */
	char *log_tail;            /* safe text, or NULL */
	enum tg_outcome outcome;
	const char *submission;    /* borrowed from traj, or NULL when it has none */
	struct tg_buf patch;
	const char *patch_source;  /* "info.submission", "preds.json", ..., "none" */
	bool normalised;
	char *disagrees;           /* how preds.json and trajectory differ, or NULL */
};

bool tg_source_attempt(struct tg_source *s, const struct tg_stage_ctx *ctx, struct tg_err *err);
bool tg_source_foreign(struct tg_source *s, const char *dir, const char *iid, struct tg_err *err);
void tg_source_fini(struct tg_source *s);

#endif
