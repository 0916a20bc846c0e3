#ifndef TG_RISK_H
#define TG_RISK_H
/*
 * Trajectory risk (pipeline spec section 7): every line of every command of an agent against the
 * policy's patterns, or the built-in ones when the policy has none. A line that any of the three
 * safe patterns matches gives no signal. No decision depends on the score.
 *
 * Commands: the lines of ```bash and ```sh blocks of assistant messages, as the reference takes
 * them (heredoc bodies included); where a message carries tool calls, the commands of those.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"
#include "core/lib/regex.h"

struct cJSON;
struct tg_policy;
struct tg_traj;

struct tg_risk_pattern {
	const char *code, *severity, *explanation;
	struct tg_regex *re;
};

struct tg_risk {
	struct tg_risk_pattern *pattern;
	size_t n;
	struct tg_regex *safe[3];
	bool own; /* the regexes of pattern[] are ours (built in), not the policy's */
};

/* The policy must outlive it; NULL: built-in patterns. NULL on error. */
struct tg_risk *tg_risk_new(const struct tg_policy *policy, struct tg_err *err);
void tg_risk_free(struct tg_risk *risk);

/* Indices of the patterns that match one trimmed line, in their order; returns how many (out has
 * room for risk->n). */
size_t tg_risk_classify(const struct tg_risk *risk, const char *line, size_t n, size_t *out);

/* One agentic_risk.jsonl row. instance_id NULL: the trajectory's own (or null). Free with
 * tg_json_free; print with TG_JSON_PY. */
struct cJSON *tg_risk_row(const struct tg_risk *risk, const struct tg_traj *traj,
			  const char *instance_id);

#endif
