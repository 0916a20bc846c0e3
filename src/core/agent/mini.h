#ifndef TG_MINI_H
#define TG_MINI_H
/*
 * The backend `mini`, private to agent/: the user's own `mini-extra swebench`, one process per instance. The
 * job of an attempt is a wrapper of ours (`tgmon agent-mini`); it starts the tool on a terminal of its own,
 * reads rows, stderr and log, stops it the way it can be stopped, and takes its containers away.
 * Facts about the tool: mini-swe-agent 1.17 and 2.4 (sections 1.1 to 1.12 of the notes behind
 * docs/agent-mini.md).
 *
 * In the attempt's work/:
 *   agent.yaml          the frozen config, under a name that every version takes
 *   mini/               the tool's --output
 *   dataset/            --subset, when the data set is a file: this instance's row
 *   live.traj.json      2.x: agent.output_path
 *   progress.json       {steps, cost_usd, doing, notice, rate_limited, retry_at_ms}: written on change only
 *   agent.log           minisweagent.log as it grows, secrets masked
 *   salvaged.diff       git diff of a container that an unfinished attempt left
 *   <iid>.traj.json     the tool's own, or a stand-in that says what is known when it left none
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/run/job.h"
#include "core/run/spec.h"

/* Names in spec.tools. */
#define TG_MINI_SCRIPT "mini-extra"
#define TG_MINI_PYTHON "mini-python"
#define TG_MINI_DOCKER "docker"

/* ---- mini.c: preflight and job ---- */
bool tg_mini_preflight(struct tg_spec *spec, struct tg_err *err);
bool tg_mini_job(const struct tg_spec *spec, const char *run_dir, struct tg_job *job,
		 struct tg_err *err);

/* ---- mini_find.c: what is installed ---- */
/* The interpreter behind a script: its #! line, or the exec line that pip writes when that gets too long.
 * NULL: it cannot be told. Caller frees. */
char *tg_mini_interpreter(const char *script);
/* "This is mini-swe-agent version 2.4.6." among other text, colours or not: "2.4.6". NULL: not there. */
char *tg_mini_banner_version(const char *text, size_t n);
int tg_mini_major(const char *version); /* 1 or 2; 0: none that we know */
bool tg_mini_find(struct tg_spec *spec, struct tg_err *err); /* adds script and python to spec.tools */
const struct tg_tool *tg_mini_tool(const struct tg_spec *spec, const char *name); /* or NULL */
void tg_mini_note_tool(struct tg_spec *spec, const char *name, const char *path, const char *version);

/* ---- mini_config.c: what the agent's YAML says about containers ---- */
struct tg_mini_config {
	char *env_class;  /* "docker" when it says nothing */
	char *executable; /* environment.executable or NULL */
	char *cwd;        /* environment.cwd, "/" as in the tool */
	char **run_args;  /* environment.run_args, ["--rm"] as in the tool */
	size_t run_args_n;
	bool run_args_known; /* it is a list of scalars: labels can be added */
};
bool tg_mini_config_load(struct tg_mini_config *c, const char *path, struct tg_err *err);
void tg_mini_config_fini(struct tg_mini_config *c);
bool tg_mini_config_containers(const struct tg_mini_config *c); /* docker, or podman in its place */

/* ---- mini_env.c: settings, keys, secrets ---- */
void tg_mini_freeze_env(struct tg_spec *spec); /* fills spec.agent_env from the environment */
char **tg_mini_pass_names(const struct tg_spec *spec); /* keys and proxies to hand on, NULL-terminated */
char *tg_mini_dotenv_path(const struct tg_spec *spec); /* the tool's .env; spec may be NULL */
struct tg_mini_secrets {
	char **v;
	size_t n, cap;
};
/* Values of the names in job->env_pass and of the .env, as far as they can be keys. */
void tg_mini_secrets_load(struct tg_mini_secrets *s, const struct tg_spec *spec,
			  const struct tg_job *job);
void tg_mini_secrets_fini(struct tg_mini_secrets *s);
/* Append p[0..n) with every secret replaced by "***". */
void tg_mini_mask(const struct tg_mini_secrets *s, struct tg_buf *out, const char *p, size_t n);
/* NAME='value' lines, export and comments allowed; value freed by the caller; NULL: not there. */
char *tg_mini_dotenv_get(const char *text, const char *name);

/* ---- mini_scrape.c: its rows, its stderr, its log ---- */
struct tg_mini_screen { /* a terminal's bytes, cut into lines without control sequences */
	struct tg_buf line;
	int esc; /* inside a control sequence */
	bool too_long;
};
struct tg_mini_progress {
	int64_t step;   /* the step that is under way, from 1; 0: none yet */
	double cost_usd; /* < 0 unknown */
	char doing[160];
	char notice[200]; /* outranks doing until the next step; "" none */
	bool rate_limited;
	int64_t retry_at_ms; /* wall clock; 0 none */
	bool changed;
};
typedef void tg_mini_line_fn(void *ctx, const char *line, size_t n);
void tg_mini_screen_feed(struct tg_mini_screen *s, const char *p, size_t n, tg_mini_line_fn *fn,
			 void *ctx);
void tg_mini_screen_fini(struct tg_mini_screen *s);
void tg_mini_progress_init(struct tg_mini_progress *p);
/* One line of the screen: true when it was the row of `iid` (either version's width). */
bool tg_mini_row(struct tg_mini_progress *p, const char *line, size_t n, const char *iid);
/* One line of stderr: true when it said that a model call is tried again. */
bool tg_mini_retry(struct tg_mini_progress *p, const char *line, size_t n, int64_t now_ms);
void tg_mini_moved(struct tg_mini_progress *p); /* a step was made: what was noticed is over */
/* Its time has come: the notice says so. */
void tg_mini_tick(struct tg_mini_progress *p, int64_t now_ms);

/* ---- mini_containers.c ---- */
#define TG_MINI_CONTAINERS 16
struct tg_mini_boxes {
	const char *docker; /* executable; NULL: no containers in this environment */
	char label[64];     /* "tg.job=<16 hex>"; "" when none could be set */
	char *name[TG_MINI_CONTAINERS]; /* from the log */
	size_t n;
	bool starting;      /* the last one named was being started, not yet started */
};
/* A line of minisweagent.log: notes names of containers. */
void tg_mini_boxes_line(struct tg_mini_boxes *b, const char *line, size_t n);
void tg_mini_job_label(const char *job_dir, char out[64]);
/* git diff of the first container that is still alive into work/salvaged.diff, within 10 s and 4 MiB; an
 * existing file stays. False: nothing was there to salvage. */
bool tg_mini_salvage(const struct tg_mini_boxes *b, const char *cwd, const char *work);
/* Remove them all; returns how many are still there afterwards, -1 when the tool does not answer. */
int tg_mini_boxes_remove(const struct tg_mini_boxes *b);
void tg_mini_boxes_fini(struct tg_mini_boxes *b);

/* ---- mini_end.c: what the tool left ---- */
/* work/<iid>.traj.json out of mini/, or a stand-in; *submitted: it handed in a patch. */
bool tg_mini_last_row(const char *work, const char *iid, const struct tg_mini_progress *p,
		      struct tg_err *err); /* 1.x, killed: steps and cost as the row showed them */
bool tg_mini_harvest(const char *work, const char *iid, bool *submitted, struct tg_err *err);

#endif
