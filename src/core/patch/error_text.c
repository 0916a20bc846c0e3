/* Error texts that stand where a patch should. Looked at only where there is no diff at all. */
#include "core/patch/classify.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum where {
	AT_START, /* an exception's own text: nothing that an agent prints begins so */
	ANYWHERE  /* in the first bytes; counts only when the agent did not submit it itself */
};

static const struct {
	enum where where;
	const char *words, *what;
} texts[] = {
	{AT_START, "Command '['docker'", "docker"},
	{AT_START, "Command '['podman'", "podman"},
	{AT_START, "Command '['singularity'", "singularity"},
	{AT_START, "Command '['apptainer'", "apptainer"},
	{AT_START, "litellm.ContextWindow", "context window"},
	{AT_START, "litellm.RateLimit", "rate limit"},
	{AT_START, "litellm.Authentication", "authentication"},
	{AT_START, "litellm.Timeout", "timeout"},
	{AT_START, "litellm.APIConnection", "connection"},
	{AT_START, "litellm.", "model API"},
	{AT_START, "HTTPSConnectionPool(", "connection"},
	{AT_START, "HTTPConnectionPool(", "connection"},
	{AT_START, "('Connection aborted.'", "connection"},
	{AT_START, "docker: Error response from daemon", "docker"},
	{AT_START, "Error response from daemon", "docker"},
	{ANYWHERE, "Error response from daemon", "docker"},
	{ANYWHERE, "Cannot connect to the Docker daemon", "docker"},
	{ANYWHERE, "Unable to find image", "docker"},
	{ANYWHERE, "No space left on device", "disk full"},
	{ANYWHERE, "Too Many Requests", "rate limit"},
	{ANYWHERE, "rate limit", "rate limit"},
	{ANYWHERE, "AuthenticationError", "authentication"},
	{ANYWHERE, "Connection refused", "connection"},
	{ANYWHERE, "Connection reset", "connection"},
	{ANYWHERE, "Connection aborted", "connection"},
	{ANYWHERE, "Network is unreachable", "connection"},
	{ANYWHERE, "name resolution", "connection"},
	{ANYWHERE, "timed out after", "timeout"},
	{ANYWHERE, "Read timed out", "timeout"},
};

static bool within(const char *p, size_t n, const char *words)
{
	size_t w = strlen(words), i;

	for (i = 0; i + w <= n; i++)
		if (strncasecmp(p + i, words, w) == 0)
			return true;
	return false;
}

const char *tg_error_text(const char *p, size_t n, bool own)
{
	size_t i;

	while (n > 0 && isspace((unsigned char)*p)) {
		p++;
		n--;
	}
	if (n > 600)
		n = 600;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t w = strlen(texts[i].words);

		if (texts[i].where == AT_START) {
			if (n >= w && memcmp(p, texts[i].words, w) == 0)
				return texts[i].what;
		} else if (!own && within(p, n, texts[i].words)) {
			return texts[i].what;
		}
	}
	return NULL;
}
