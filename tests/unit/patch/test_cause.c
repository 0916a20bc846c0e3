/* One cause over all classes: the table is attempts as they really look. */
#include <limits.h>
#include <string.h>
#include "core/lib/buf.h"
#include "core/patch/cause.h"
#include "unit/cm.h"

#define OUT(cmd, out, rc) {cmd, out, rc}
#define NOT_GIT "fatal: not a git repository (or any of the parent directories): .git"

static const struct {
	const char *name, *exit_status;
	enum tg_outcome outcome;
	enum tg_patch_class cls;
	const char *submission, *exception, *log_tail, *cwd;
	struct tg_cause_step step[3];
	size_t step_n;
	const char *want; /* NULL: none */
} table[] = {
	{.name = "usable", .exit_status = "Submitted", .outcome = TG_OUT_DONE, .cls = TG_PC_OK,
	 .step = {OUT("git diff", NOT_GIT, 128)}, .step_n = 1},
	{.name = "prose that is git's word", .exit_status = "Submitted", .outcome = TG_OUT_DONE,
	 .cls = TG_PC_PROSE, .submission = NOT_GIT, .want = "working-directory"},
	{.name = "limit outside the repository", .exit_status = "LimitsExceeded",
	 .outcome = TG_OUT_LIMIT, .cls = TG_PC_EMPTY,
	 .step = {OUT("git add -A && git diff --cached", NOT_GIT, 128), OUT("ls", "x", 0)},
	 .step_n = 2, .want = "working-directory"},
	{.name = "empty outside the repository", .exit_status = "Submitted",
	 .outcome = TG_OUT_EMPTY, .cls = TG_PC_EMPTY,
	 .step = {OUT("git diff", "warning: Not a git repository. Use --no-index", 129)},
	 .step_n = 1, .want = "working-directory"},
	{.name = "found its way in the end", .exit_status = "LimitsExceeded",
	 .outcome = TG_OUT_LIMIT, .cls = TG_PC_EMPTY,
	 .step = {OUT("git status", NOT_GIT, 128), OUT("cd r && git diff", "diff", 0),
		  OUT("ls", "x", 0)},
	 .step_n = 3, .want = "limit"},
	{.name = "no such folder in the container", .exit_status = "LimitsExceeded",
	 .outcome = TG_OUT_LIMIT, .cls = TG_PC_EMPTY,
	 .step = {OUT("ls", "OCI runtime exec failed: chdir to cwd (\"/repo\") set in config.json", 126)},
	 .step_n = 1, .want = "working-directory"},
	{.name = "Python names the folder", .exit_status = "FileNotFoundError",
	 .outcome = TG_OUT_INFRA, .cls = TG_PC_INFRA, .cwd = "/testbed",
	 .exception = "[Errno 2] No such file or directory: '/testbed'",
	 .want = "working-directory"},
	{.name = "Python names the program", .exit_status = "FileNotFoundError",
	 .outcome = TG_OUT_INFRA, .cls = TG_PC_INFRA, .cwd = "/testbed",
	 .submission = "[Errno 2] No such file or directory: 'docker'", .want = "missing-program"},
	{.name = "no git in the image", .exit_status = "Submitted", .outcome = TG_OUT_DONE,
	 .cls = TG_PC_PROSE, .submission = "bash: git: command not found",
	 .step = {OUT("git diff", "bash: line 1: git: command not found", 127)}, .step_n = 1,
	 .want = "missing-program"},
	{.name = "container", .exit_status = "CalledProcessError", .outcome = TG_OUT_INFRA,
	 .cls = TG_PC_INFRA,
	 .submission = "Command '['docker', 'run', '-d']' returned non-zero exit status 125.",
	 .want = "container"},
	{.name = "image too slow", .exit_status = "TimeoutExpired", .outcome = TG_OUT_INFRA,
	 .cls = TG_PC_INFRA, .want = "container"},
	{.name = "rate limit", .exit_status = "RateLimitError", .outcome = TG_OUT_MODEL_API,
	 .cls = TG_PC_INFRA, .submission = "litellm.RateLimitError: 429", .want = "rate-limit"},
	{.name = "retries used up", .exit_status = "RetryError", .outcome = TG_OUT_BUG,
	 .cls = TG_PC_INFRA, .exception = "RetryError[... raised RateLimitError]",
	 .want = "rate-limit"},
	{.name = "key", .exit_status = "AuthenticationError", .outcome = TG_OUT_MODEL_API,
	 .cls = TG_PC_INFRA, .want = "key"},
	{.name = "no key, seen in the log alone", .outcome = TG_OUT_CRASH, .cls = TG_PC_EMPTY,
	 .log_tail = "litellm.AuthenticationError: Missing API key", .want = "key"},
	{.name = "context window", .exit_status = "ContextWindowExceededError",
	 .outcome = TG_OUT_LIMIT, .cls = TG_PC_EMPTY, .want = "context-window"},
	{.name = "context window as a bad request", .exit_status = "BadRequestError",
	 .outcome = TG_OUT_MODEL_API, .cls = TG_PC_INFRA,
	 .submission = "This model's maximum context length is 65536 tokens",
	 .want = "context-window"},
	{.name = "limit", .exit_status = "LimitsExceeded", .outcome = TG_OUT_LIMIT,
	 .cls = TG_PC_EMPTY, .want = "limit"},
	{.name = "our own clock", .outcome = TG_OUT_TIMEOUT, .cls = TG_PC_EMPTY, .want = "limit"},
	{.name = "format", .exit_status = "RepeatedFormatError", .outcome = TG_OUT_LIMIT,
	 .cls = TG_PC_EMPTY, .want = "format"},
	{.name = "format, as a limit", .exit_status = "LimitsExceeded", .outcome = TG_OUT_LIMIT,
	 .cls = TG_PC_EMPTY,
	 .step = {OUT(NULL, "x", INT_MIN), OUT(NULL, "x", INT_MIN), OUT(NULL, NULL, INT_MIN)},
	 .step_n = 3, .want = "format"},
	{.name = "nothing", .exit_status = "Submitted", .outcome = TG_OUT_EMPTY,
	 .cls = TG_PC_EMPTY, .step = {OUT("git diff --cached", "", 0)}, .step_n = 1,
	 .want = "no-submission"},
	{.name = "prose", .exit_status = "Submitted", .outcome = TG_OUT_DONE, .cls = TG_PC_PROSE,
	 .submission = "I have fixed the bug.", .want = "prose"},
	{.name = "corrupt", .exit_status = "Submitted", .outcome = TG_OUT_DONE,
	 .cls = TG_PC_CORRUPT, .want = "patch-build"},
	{.name = "a diff that speaks of rate limits", .exit_status = "Submitted",
	 .outcome = TG_OUT_DONE, .cls = TG_PC_DOES_NOT_APPLY,
	 .submission = "+# rate limit; Error response from daemon", .want = "patch-build"},
	{.name = "disk", .exit_status = "OSError", .outcome = TG_OUT_INFRA, .cls = TG_PC_INFRA,
	 .exception = "[Errno 28] No space left on device", .want = "infrastructure"},
	{.name = "a setting nobody knows", .exit_status = "TypeError", .outcome = TG_OUT_BUG,
	 .cls = TG_PC_INFRA, .exception = "unexpected keyword argument 'model_id'",
	 .want = "unknown"},
};

static void across_classes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct tg_cause_in in = {
			.exit_status = table[i].exit_status, .outcome = table[i].outcome,
			.cls = table[i].cls, .submission = table[i].submission,
			.exception = table[i].exception, .log_tail = table[i].log_tail,
			.cwd = table[i].cwd, .step = table[i].step, .step_n = table[i].step_n,
		};
		struct tg_cause c = tg_cause_find(&in);

		if (!tg_streq(tg_cause_name(c.id), table[i].want))
			fail_msg("%s: cause %s, expected %s", table[i].name,
				 c.id ? tg_cause_name(c.id) : "none",
				 table[i].want ? table[i].want : "none");
		assert_true((c.text != NULL) == (c.id != TG_CA_NONE));
		assert_true((c.remedy != NULL) == (c.id != TG_CA_NONE));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(across_classes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
