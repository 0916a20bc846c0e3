#ifndef TG_SPEC_H
#define TG_SPEC_H
/*
 * run.json: what was asked, frozen once before anything runs ("tgmon.run.v1"). Its sha256 is in the
 * journal's first record. Resume refuses changed inputs; only `rerun --config` amends, on the
 * record. All strings are owned by the spec; optional ones may be NULL.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"

struct tg_digest_ref { /* a file that the run depends on */
	char *path;    /* absolute, as found at launch; NULL: built in or none */
	char *frozen;  /* path of our copy, relative to RUN; NULL when none was taken */
	char *sha256;
	char *frozen_sha256; /* of the copy; tg_spec_write takes it from the file when NULL */
};

struct tg_tool {
	char *name, *path, *version;
};

struct tg_spec {
	char *run_id;          /* base name of the run directory */
	int64_t created_ms;
	char *tgmon_version;
	char *model_id, *tag, *slice;
	char *dataset_name;    /* "lite", "demo", or the file's base name */
	char *split;
	struct tg_digest_ref dataset; /* frozen: .tgmon/dataset.jsonl, the selected rows only */
	int64_t dataset_rows;  /* rows of the whole data set */
	struct tg_digest_ref config;  /* the agent's YAML; frozen: config/<base name> */
	struct tg_digest_ref policy;  /* frozen: policy/policy.yaml; path NULL: built in */
	char *policy_version;  /* NULL with --policy none (then policy.sha256 is NULL too) */
	char *agent;           /* replay, mini, preds, foreign */
	char *evaluator;       /* local, swebench, import */
	char *reports;         /* scan, keep */
	char *source_dir;      /* agent "foreign": the run directory that something else made */
	struct tg_digest_ref eval_results; /* evaluator "import" */
	char *data_dir;        /* folder with repos/ and trajectories/ for replay and local */
	char *repos_dir;       /* bare repositories <owner>__<name>[.git], or NULL */
	int ladder;            /* apply ladder generation, 4 or 5 */
	int workers, eval_workers;
	double budget_usd;     /* < 0: none */
	int timeout_s, eval_timeout_s;
	int retries;           /* automatic reruns after infrastructure */
	int canary;            /* 1: the first instance runs alone to its verdict; 0: off */
	int stop_after;        /* launch nothing after so many attempts in a row with one cause; 0: off */
	double pace;           /* replay: seconds between steps; 0: as fast as it goes */
	char *selection;       /* "first-own" */
	char *required_evidence; /* bound, imported; NULL: the policy's */
	char *notify; /* command for --notify, one path or argv string list in JSON; NULL */
	bool redact;
	bool sign;             /* the bundle stage signs; the runner never holds the key */
	char *sign_key;        /* path of the private key, or NULL */
	char **expected;       /* instance ids, in the run's order */
	size_t expected_n;
	char *expected_from;   /* "slice", "--instances", "preds.json and trajectories" ... */
	struct tg_tool *tools;
	size_t tools_n;
	char **agent_env;      /* "NAME=value": settings of the agent's at launch; never a secret */
	size_t agent_env_n;
};

void tg_spec_fini(struct tg_spec *s);
/* Write RUN/.tgmon/run.json (must not exist) and give its sha256. */
bool tg_spec_write(const struct tg_spec *s, const char *run, char sha256[65], struct tg_err *err);
/* Read it back; sha256 may be NULL. */
bool tg_spec_load(struct tg_spec *s, const char *run, char sha256[65], struct tg_err *err);
/* Are dataset, config, policy, run.json and the frozen copies still what they were? False: err
 * names which one, old and new digest, and the way on (an amendment, or a new run). */
bool tg_spec_check_inputs(const struct tg_spec *s, const char *run, struct tg_err *err);
bool tg_spec_expects(const struct tg_spec *s, const char *iid);

#endif
