/* The environment of a job is constructed, never inherited: what is not named here is not seen. */
#include <stdlib.h>
#include <string.h>
#include "core/lib/buf.h"
#include "core/runner/shim.h"

extern char **environ;

static const char *const allowed[] = { "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR" };
static const char *const allowed_prefix[] = { "XDG_", "TGMON_" };

struct list {
	char **v;
	size_t n, cap;
};

static size_t name_len(const char *pair)
{
	const char *eq = strchr(pair, '=');

	return eq ? (size_t)(eq - pair) : strlen(pair);
}

/* A later value of the same name replaces the earlier one. */
static void put(struct list *l, const char *pair)
{
	size_t len = name_len(pair);

	for (size_t i = 0; i < l->n; i++)
		if (name_len(l->v[i]) == len && memcmp(l->v[i], pair, len) == 0) {
			free(l->v[i]);
			l->v[i] = tg_strdup(pair);
			return;
		}
	TG_GROW(l->v, l->n + 1, l->cap);
	l->v[l->n++] = tg_strdup(pair);
	l->v[l->n] = NULL;
}

static bool is_allowed(const char *pair)
{
	size_t len = name_len(pair);

	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (strlen(allowed[i]) == len && memcmp(allowed[i], pair, len) == 0)
			return true;
	for (size_t i = 0; i < sizeof allowed_prefix / sizeof *allowed_prefix; i++)
		if (tg_starts_with(pair, allowed_prefix[i]))
			return true;
	return false;
}

char **tg_shim_env(const struct tg_job *job)
{
	struct list l = { 0 };
	char *mark = tg_asprintf("TGMON_JOB=%s", job->dir);

	for (char **e = environ; *e; e++)
		if (strchr(*e, '=') && is_allowed(*e))
			put(&l, *e);
	for (char **e = job->env; e && *e; e++)
		if (strchr(*e, '='))
			put(&l, *e);
	for (char **name = job->env_pass; name && *name; name++) {
		const char *value = getenv(*name);
		char *pair = value ? tg_asprintf("%s=%s", *name, value) : NULL;

		if (pair)
			put(&l, pair);
		free(pair);
	}
	put(&l, mark);
	free(mark);
	return l.v;
}

void tg_shim_env_free(char **env)
{
	for (char **e = env; e && *e; e++)
		free(*e);
	free(env);
}
