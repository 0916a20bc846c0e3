/* How agents say that they ended, in the groups a person thinks in. */
#include "core/run/import.h"

#include <string.h>

#include "core/lib/buf.h"

/* Agents' words for how they ended (spec: exit statuses of mini-swe-agent). core/agent has the full
 * table, which also reads the exception's text; both say the same of these. */
static const struct {
	const char *word; /* a leading '*': the end of the word */
	enum tg_outcome outcome;
} by_word[] = {
	{ "LimitsExceeded", TG_OUT_LIMIT },
	{ "TimeExceeded", TG_OUT_LIMIT },
	{ "RepeatedFormatError", TG_OUT_LIMIT },
	{ "*ContextWindowExceededError", TG_OUT_LIMIT },
	{ "CalledProcessError", TG_OUT_INFRA },
	{ "TimeoutExpired", TG_OUT_INFRA },
	{ "FileNotFoundError", TG_OUT_INFRA },
	{ "PermissionError", TG_OUT_INFRA },
	{ "ConnectionError", TG_OUT_INFRA },
	{ "ConnectionRefusedError", TG_OUT_INFRA },
	{ "BrokenPipeError", TG_OUT_INFRA },
	{ "*RateLimitError", TG_OUT_MODEL_API },
	{ "*AuthenticationError", TG_OUT_MODEL_API },
	{ "PermissionDeniedError", TG_OUT_MODEL_API },
	{ "*APIConnectionError", TG_OUT_MODEL_API },
	{ "APIResponseValidationError", TG_OUT_MODEL_API },
	{ "*APIError", TG_OUT_MODEL_API },
	{ "Timeout", TG_OUT_MODEL_API },
	{ "BadRequestError", TG_OUT_MODEL_API },
	{ "NotFoundError", TG_OUT_MODEL_API },
	{ "InternalServerError", TG_OUT_MODEL_API },
	{ "ServiceUnavailableError", TG_OUT_MODEL_API },
	{ "BadGatewayError", TG_OUT_MODEL_API },
	{ "UnprocessableEntityError", TG_OUT_MODEL_API },
	{ "ContentPolicyViolationError", TG_OUT_MODEL_API },
	{ "UnsupportedParamsError", TG_OUT_MODEL_API },
	{ "BudgetExceededError", TG_OUT_MODEL_API },
};

static bool word_fits(const char *word, const char *status)
{
	return word[0] == '*' ? tg_ends_with(status, word + 1) : strcmp(word, status) == 0;
}

enum tg_outcome tg_outcome_of_exit(const char *exit_status, bool has_patch)
{
	if (exit_status == NULL)
		return TG_OUT_BUG;
	if (strcmp(exit_status, "Submitted") == 0)
		return has_patch ? TG_OUT_DONE : TG_OUT_EMPTY;
	if (tg_starts_with(exit_status, "Uncaught "))
		return TG_OUT_BUG;
	for (size_t i = 0; i < sizeof by_word / sizeof by_word[0]; i++)
		if (word_fits(by_word[i].word, exit_status))
			return by_word[i].outcome;
	return TG_OUT_BUG;
}
