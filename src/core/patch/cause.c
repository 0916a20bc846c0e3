/* See cause.h. */
#include "core/patch/cause.h"

#include <string.h>
#include "core/lib/buf.h"

static const struct {
	const char *name, *text, *remedy;
} causes[TG_CA_COUNT] = {
	[TG_CA_WORKDIR] = {"working-directory",
			   "the agent worked outside the repository",
			   "set environment.cwd to the repository's folder in the image (/testbed) in "
			   "the config, then rerun"},
	[TG_CA_CONTAINER] = {"container", "the container or its image failed",
			     "check image name, container program, daemon and disk, then rerun"},
	[TG_CA_PROGRAM] = {"missing-program", "a program that the agent needs is missing",
			   "install it where the agent or its image looks for it, then rerun"},
	[TG_CA_RATE_LIMIT] = {"rate-limit", "the provider's rate limit or quota was reached",
			      "wait or lower --workers, then rerun"},
	[TG_CA_KEY] = {"key", "the provider refused the key, or there is none",
		       "set a valid API key in the environment of the run, then rerun"},
	[TG_CA_CONTEXT] = {"context-window", "the model's context window was full",
			   "take a model with a larger window, or let commands print less, then rerun"},
	[TG_CA_LIMIT] = {"limit", "a step, cost or time limit ended the attempt",
			 "raise the limit in the config (or --timeout) if the task is worth it, then "
			 "rerun"},
	[TG_CA_FORMAT] = {"format", "the model's answers could not be read as commands",
			  "match the prompt's format and the model (tool calls or code blocks), then "
			  "rerun"},
	[TG_CA_NOTHING] = {"no-submission", "the agent submitted nothing",
			   "see the last steps; rerun for another sample"},
	[TG_CA_PROSE] = {"prose", "the agent submitted text that is no diff",
			 "see the last steps: the submission must be the output of git diff; rerun"},
	[TG_CA_PATCH] = {"patch-build", "the agent built its patch wrongly",
			 "see the patch's own reason; let the agent submit git diff unedited, then "
			 "rerun"},
	[TG_CA_INFRA] = {"infrastructure", "this machine or the harness failed",
			 "check disk, memory and network, then rerun"},
	[TG_CA_UNKNOWN] = {"unknown", "no known cause fits",
			   "see the attempt's log and last steps before a rerun"},
};

const char *tg_cause_name(enum tg_cause_id id)
{
	return causes[id].name;
}

static struct tg_cause cause(enum tg_cause_id id)
{
	return (struct tg_cause){id, causes[id].text, causes[id].remedy};
}

static bool has(const char *text, const char *words)
{
	return text && strcasestr(text, words) != NULL;
}

/* ---- the exception's own words ---- */

/* The first row that fits. status: part of the exit status; text: part of the exception's text. */
static const struct {
	const char *status, *text;
	enum tg_cause_id id;
} errors[] = {
	{"ContextWindow", NULL, TG_CA_CONTEXT},
	{NULL, "ContextWindowExceeded", TG_CA_CONTEXT},
	{NULL, "maximum context length", TG_CA_CONTEXT},
	{NULL, "prompt is too long", TG_CA_CONTEXT},
	{NULL, "exceed context limit", TG_CA_CONTEXT},
	{"Authentication", NULL, TG_CA_KEY},
	{"PermissionDenied", NULL, TG_CA_KEY},
	{"BudgetExceeded", NULL, TG_CA_KEY},
	{NULL, "AuthenticationError", TG_CA_KEY},
	{NULL, "invalid api key", TG_CA_KEY},
	{NULL, "incorrect api key", TG_CA_KEY},
	{NULL, "invalid x-api-key", TG_CA_KEY},
	{NULL, "api_key client option must be set", TG_CA_KEY},
	{NULL, "missing api key", TG_CA_KEY},
	{NULL, "no api key", TG_CA_KEY},
	{"RateLimit", NULL, TG_CA_RATE_LIMIT},
	{NULL, "RateLimitError", TG_CA_RATE_LIMIT},
	{NULL, "Too Many Requests", TG_CA_RATE_LIMIT},
	{NULL, "rate limit", TG_CA_RATE_LIMIT},
	{NULL, "chdir to cwd", TG_CA_WORKDIR},
	{NULL, "crun: chdir to", TG_CA_WORKDIR},
	{NULL, "not a git repository", TG_CA_WORKDIR},
	{NULL, "no space left on device", TG_CA_INFRA},
	{NULL, "too many open files", TG_CA_INFRA},
	{NULL, "cannot allocate memory", TG_CA_INFRA},
	{NULL, "executable file not found", TG_CA_PROGRAM},
	{NULL, "command not found", TG_CA_PROGRAM},
	{NULL, "No module named 'minisweagent'", TG_CA_PROGRAM},
	{"FileNotFoundError", NULL, TG_CA_PROGRAM},
	{NULL, "Error response from daemon", TG_CA_CONTAINER},
	{NULL, "Docker daemon", TG_CA_CONTAINER},
	{NULL, "Unable to find image", TG_CA_CONTAINER},
	{NULL, "manifest unknown", TG_CA_CONTAINER},
	{NULL, "Command '['docker'", TG_CA_CONTAINER},
	{NULL, "Command '['podman'", TG_CA_CONTAINER},
	{NULL, "Command '['singularity'", TG_CA_CONTAINER},
	{NULL, "Command '['apptainer'", TG_CA_CONTAINER},
	{NULL, "'docker', 'run'", TG_CA_CONTAINER},
	{NULL, "'podman', 'run'", TG_CA_CONTAINER},
	{NULL, "startup command", TG_CA_CONTAINER},
	{"CalledProcessError", NULL, TG_CA_CONTAINER},
	{"TimeoutExpired", NULL, TG_CA_CONTAINER},
	{"ConnectionRefused", NULL, TG_CA_INFRA},
	{"BrokenPipe", NULL, TG_CA_INFRA},
	{"PermissionError", NULL, TG_CA_INFRA},
	{"FormatError", NULL, TG_CA_FORMAT},
};

/* A file that is not there: the working directory itself, when Python names it. */
static bool names_cwd(const struct tg_cause_in *in, const char *text)
{
	const char *at = text && in->cwd && in->cwd[0] ? strstr(text, in->cwd) : NULL;
	size_t n = at ? strlen(in->cwd) : 0;

	return at && has(text, "No such file or directory") && at > text && at[-1] == '\'' &&
	       at[n] == '\'';
}

static enum tg_cause_id from_error(const struct tg_cause_in *in, const char *text)
{
	if (names_cwd(in, text))
		return TG_CA_WORKDIR;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].status ? has(in->exit_status, errors[i].status)
				     : has(text, errors[i].text))
			return errors[i].id;
	return TG_CA_NONE;
}

/* ---- the last steps ---- */

static bool outside_repository(const char *output)
{
	return has(output, "not a git repository") || has(output, "chdir to cwd") ||
	       has(output, "crun: chdir to");
}

static bool is_git(const char *command)
{
	const char *p = command;

	while (p && (p = strstr(p, "git "))) {
		if (p == command || strchr(" \t\n;&|(", p[-1]))
			return true;
		p++;
	}
	return false;
}

static bool program_missing(const struct tg_cause_step *s)
{
	return (s->returncode == 127 || s->returncode == -1) &&
	       (has(s->output, "command not found") || has(s->output, ": not found"));
}

/* What the last git command came to decides: an agent that found its way in the end is not lost. */
static enum tg_cause_id from_steps(const struct tg_cause_in *in)
{
	size_t missing = 0;

	for (size_t i = in->step_n; i-- > 0;) {
		const struct tg_cause_step *s = &in->step[i];

		if (outside_repository(s->output) && (is_git(s->command) || i + 1 == in->step_n))
			return TG_CA_WORKDIR;
		if (!is_git(s->command))
			continue;
		if (has(s->output, "git: command not found") || has(s->output, "git: not found"))
			return TG_CA_PROGRAM;
		break;
	}
	for (size_t i = in->step_n; i-- > 0 && program_missing(&in->step[i]);)
		missing++;
	return missing >= 3 ? TG_CA_PROGRAM : TG_CA_NONE;
}

static bool only_unreadable_answers(const struct tg_cause_in *in)
{
	if (in->step_n < 3)
		return false;
	for (size_t i = in->step_n - 3; i < in->step_n; i++)
		if (in->step[i].command)
			return false;
	return true;
}

/* ---- all together ---- */

static bool is_usable(enum tg_patch_class cls)
{
	return cls == TG_PC_OK || cls == TG_PC_APPLIES_WITH_FUZZ;
}

static bool is_own_end(const struct tg_cause_in *in)
{
	return in->outcome == TG_OUT_DONE || in->outcome == TG_OUT_EMPTY ||
	       in->outcome == TG_OUT_NONE;
}

static enum tg_cause_id from_class(const struct tg_cause_in *in)
{
	switch (in->cls) {
	case TG_PC_EMPTY:
		return tg_streq(in->exit_status, "Submitted") ? TG_CA_NOTHING : TG_CA_UNKNOWN;
	case TG_PC_PROSE:
		return TG_CA_PROSE;
	case TG_PC_TRUNCATED:
	case TG_PC_CORRUPT:
	case TG_PC_WHITESPACE_DAMAGED:
	case TG_PC_DOES_NOT_APPLY:
	case TG_PC_WRONG_BASE:
		return TG_CA_PATCH;
	default:
		return TG_CA_UNKNOWN;
	}
}

struct tg_cause tg_cause_find(const struct tg_cause_in *in)
{
	enum tg_cause_id id = TG_CA_NONE;
	bool diff = in->cls == TG_PC_TRUNCATED || in->cls == TG_PC_CORRUPT ||
		    in->cls == TG_PC_WHITESPACE_DAMAGED || in->cls == TG_PC_DOES_NOT_APPLY ||
		    in->cls == TG_PC_WRONG_BASE;

	if (is_usable(in->cls))
		return (struct tg_cause){TG_CA_NONE, NULL, NULL};
	if (!is_own_end(in) || in->cls == TG_PC_INFRA) {
		id = from_error(in, in->exception);
		if (id == TG_CA_NONE && !diff)
			id = from_error(in, in->submission);
		if (id == TG_CA_NONE && (!in->exit_status || !*in->exit_status))
			id = from_error(in, in->log_tail);
	}
	if (id == TG_CA_NONE && !diff && outside_repository(in->submission))
		id = TG_CA_WORKDIR;
	if (id == TG_CA_NONE && !diff)
		id = from_steps(in);
	if (id == TG_CA_NONE && (in->outcome == TG_OUT_LIMIT || in->outcome == TG_OUT_TIMEOUT))
		id = only_unreadable_answers(in) ? TG_CA_FORMAT : TG_CA_LIMIT;
	if (id == TG_CA_NONE)
		id = from_class(in);
	return cause(id);
}
