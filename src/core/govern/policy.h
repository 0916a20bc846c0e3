#ifndef TG_POLICY_H
#define TG_POLICY_H
/*
 * The policy file: severities of the rules, which codes block, the cap for test paths, command
 * patterns of the risk scan and its limit, thresholds, and which level of evidence an OK needs
 * (schema: pipeline spec 6.5, plus thresholds, required_evidence, ast.test_path_cap,
 * ast.blocking_codes, trajectory.max_risk_level). Reading is strict: an unknown key, an unknown
 * severity, a bad pattern is an
 * error with file, line and column. `--policy none` is a NULL policy everywhere: every code is
 * high, no patterns. A policy never changes after it was loaded.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/err.h"
#include "core/lib/regex.h"
#include "core/run/words.h"

#define TG_POLICY_CRI_THRESHOLD 0.9

struct tg_policy_pattern {
	char *code, *regex, *severity, *explanation; /* explanation may be "" */
	struct tg_regex *re;
};

struct tg_policy_severity {
	char *code, *severity;
};

struct tg_policy {
	char *path;	 /* as given; NULL: built in */
	char sha256[65]; /* of the file's bytes */
	char *version;	 /* NULL when absent */
	double cri_threshold;
	char *test_path_cap;    /* highest severity that a finding in a test path has; default low */
	char **blocking;	/* codes that may veto, NULL-terminated; NULL: every high one */
	char *max_risk;	        /* low or medium: a trajectory above it is never OK; NULL: no limit */
	enum tg_evidence_level required_evidence; /* TG_EL_NONE: the policy does not say */
	struct tg_policy_pattern *pattern; /* in the file's order; none: use the built-in list */
	size_t pattern_n, pattern_cap;
	struct tg_policy_severity *map;
	size_t map_n, map_cap;
};

/* path NULL: the built-in policy. Free with tg_policy_free. NULL on error. */
struct tg_policy *tg_policy_load(const char *path, struct tg_err *err);
/* The same from memory; `name` stands in messages. */
struct tg_policy *tg_policy_parse(const char *p, size_t n, const char *name, struct tg_err *err);
void tg_policy_free(struct tg_policy *policy);
/* The bytes of the built-in policy (data/policy/default_policy.yaml), to freeze them into a run. */
const char *tg_policy_builtin(size_t *n);

/* high, medium, low or info; "high" for codes that the map lacks and for a NULL policy. */
const char *tg_policy_severity(const struct tg_policy *policy, const char *code);
/* The map's own word, or NULL when the code is not in it. */
const char *tg_policy_mapped(const struct tg_policy *policy, const char *code);
/* Is it one of the four words? */
bool tg_severity_valid(const char *severity);
/* high 3, medium 2, low 1, info 1; 3 for anything else (fail closed). */
int tg_severity_rank(const char *severity);

#endif
