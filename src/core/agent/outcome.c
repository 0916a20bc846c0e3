/*
 * From the agent's own word to the groups a person thinks in (spec:
 * mini-swe-agent-and-swebench.md 1.8). The first row that fits decides: `status` is an exit status
 * or, with a leading '*', the end of one; `text` is something the exception's text must hold (case
 * does not count). NULL fits everything.
 */
#include <string.h>
#include "core/agent/trajectory.h"
#include "core/lib/buf.h"
#include "core/lib/json.h"

struct rule {
	const char *status, *text;
	enum tg_outcome outcome;
	const char *why;
};

static const struct rule rules[] = {
	{ "LimitsExceeded", NULL, TG_OUT_LIMIT, "step or cost limit" },
	{ "TimeExceeded", NULL, TG_OUT_LIMIT, "the agent's own time limit" },
	{ "RepeatedFormatError", NULL, TG_OUT_LIMIT, "answers that could not be parsed" },
	{ "*ContextWindowExceededError", NULL, TG_OUT_LIMIT, "the context window is full" },

	{ "Uncaught *", NULL, TG_OUT_BUG, "failed before the agent began (configuration)" },

	{ "CalledProcessError", NULL, TG_OUT_INFRA, "the container could not be started" },
	{ "TimeoutExpired", NULL, TG_OUT_INFRA, "the container or its image took too long" },
	{ "FileNotFoundError", NULL, TG_OUT_INFRA, "a program that the agent needs is missing" },
	{ "PermissionError", NULL, TG_OUT_INFRA, "permission denied on this machine" },
	{ "ConnectionError", NULL, TG_OUT_INFRA, "connection lost" },
	{ "ConnectionRefusedError", NULL, TG_OUT_INFRA, "connection refused" },
	{ "BrokenPipeError", NULL, TG_OUT_INFRA, "connection lost" },

	{ "*RateLimitError", NULL, TG_OUT_MODEL_API, "rate limited" },
	{ "*AuthenticationError", NULL, TG_OUT_MODEL_API, "the key was refused" },
	{ "PermissionDeniedError", NULL, TG_OUT_MODEL_API, "the key was refused" },
	{ "*APIConnectionError", NULL, TG_OUT_MODEL_API, "the model could not be reached" },
	{ "APIResponseValidationError", NULL, TG_OUT_MODEL_API,
	  "the model's answer was not valid" },
	{ "*APIError", NULL, TG_OUT_MODEL_API, "error from the model's service" },
	{ "Timeout", NULL, TG_OUT_MODEL_API, "the model did not answer in time" },
	{ "BadRequestError", NULL, TG_OUT_MODEL_API, "the request was refused" },
	{ "NotFoundError", NULL, TG_OUT_MODEL_API, "no such model" },
	{ "InternalServerError", NULL, TG_OUT_MODEL_API, "error inside the model's service" },
	{ "ServiceUnavailableError", NULL, TG_OUT_MODEL_API,
	  "the model's service is not available" },
	{ "BadGatewayError", NULL, TG_OUT_MODEL_API, "the model's service is not available" },
	{ "UnprocessableEntityError", NULL, TG_OUT_MODEL_API, "the request was refused" },
	{ "ContentPolicyViolationError", NULL, TG_OUT_MODEL_API, "refused by the content policy" },
	{ "UnsupportedParamsError", NULL, TG_OUT_MODEL_API, "the model does not take a parameter" },
	{ "BudgetExceededError", NULL, TG_OUT_MODEL_API, "the key's budget is used up" },

	{ NULL, "docker", TG_OUT_INFRA, "the container failed" },
	{ NULL, "podman", TG_OUT_INFRA, "the container failed" },
	{ NULL, "container", TG_OUT_INFRA, "the container failed" },
	{ NULL, "startup command", TG_OUT_INFRA, "the environment's startup command failed" },
	{ NULL, "no space left on device", TG_OUT_INFRA, "the disk is full" },
	{ NULL, "too many open files", TG_OUT_INFRA, "too many open files on this machine" },

	{ "RuntimeError", "calculating cost", TG_OUT_BUG,
	  "the model's price is unknown (configuration)" },
	{ "TypeError", NULL, TG_OUT_BUG,
	  "a setting that the agent does not know, or its own fault" },
	{ "ValidationError", NULL, TG_OUT_BUG, "a setting with a bad value" },
	{ "null", NULL, TG_OUT_BUG, "the agent's own error handling failed" },
};

static bool status_fits(const char *rule, const char *status)
{
	size_t n = strlen(rule);

	if (rule[0] == '*')
		return tg_ends_with(status, rule + 1);
	if (n && rule[n - 1] == '*')
		return strncmp(status, rule, n - 1) == 0;
	return strcmp(status, rule) == 0;
}

static bool blank(const char *s)
{
	return !s || !s[strspn(s, " \t\r\n")];
}

enum tg_outcome tg_status_outcome(const char *status, const char *text, bool submitted,
				  const char **why)
{
	const char *unused;

	why = why ? why : &unused;
	if (tg_streq(status, "Submitted")) {
		*why = submitted ? "submitted" : "submitted nothing";
		return submitted ? TG_OUT_DONE : TG_OUT_EMPTY;
	}
	status = status ? status : "null";
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct rule *r = &rules[i];

		if ((r->status && !status_fits(r->status, status)) ||
		    (r->text && (!text || !strcasestr(text, r->text))))
			continue;
		*why = r->why;
		return r->outcome;
	}
	*why = "an error inside the agent";
	return TG_OUT_BUG;
}

/* No final word: how the process ended is all there is. */
static enum tg_outcome by_process(const struct tg_traj *t, int code, int sig, const char **why)
{
	*why = sig	 ? "the agent's process was ended by a signal" :
	       code != 0 ? "the agent's process failed" :
			   "the agent's process ended without a final word";
	/* a null in its place, whatever the code: its error handling choked on its own words */
	if (t && !sig &&
	    (tg_json_kind(tg_json_path(t->root, "info.exit_status")) == TG_JSON_NULL ||
	     (!t->exit_status && !t->no_trajectory && code == 0)))
		return tg_status_outcome(NULL, NULL, false, why);
	return TG_OUT_CRASH;
}

enum tg_outcome tg_traj_outcome_why(const struct tg_traj *t, const char *killed, int code, int sig,
				    const char **why)
{
	const char *unused, *text;
	enum tg_outcome o = TG_OUT_NONE;

	why = why ? why : &unused;
	if (t && !blank(t->exit_status)) {
		/* 1.x puts the exception's text where the submission stands; a traceback is no such
		 * text: its file names hold words of every kind */
		text = t->exception ? t->exception : t->submission;
		o = tg_status_outcome(t->exit_status, text, !blank(t->submission), why);
	}
	if (killed && o != TG_OUT_DONE && o != TG_OUT_EMPTY && o != TG_OUT_LIMIT) {
		bool timeout = strcmp(killed, "timeout") == 0;

		*why = timeout ? "over its time limit" : "stopped by the operator";
		return timeout ? TG_OUT_TIMEOUT : TG_OUT_CANCELLED;
	}
	return o != TG_OUT_NONE ? o : by_process(t, code, sig, why);
}

enum tg_outcome tg_traj_outcome(const struct tg_traj *t, const char *killed, int code, int sig)
{
	return tg_traj_outcome_why(t, killed, code, sig, NULL);
}
