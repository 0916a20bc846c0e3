/*
 * The agent's environment. Settings (no secrets) are frozen at launch, so that a resume from a bare shell or
 * after a reboot runs the same; keys are handed on by name and never written anywhere.
 */
#include <stdlib.h>
#include <string.h>
#include "core/agent/mini.h"
#include "core/lib/file.h"

extern char **environ;

#define SHORTEST_SECRET 8

/* A name fits when it begins or ends so ('*' stands for the rest) or is the same. */
static const char *const setting_names[] = {
	"PATH", "PYTHONPATH", "VIRTUAL_ENV", "XDG_CONFIG_HOME", "MSWEA_*", "LITELLM_*",
	"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST", "HF_*", "SSL_CERT_FILE",
	"SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY", "no_proxy",
	"*_API_BASE", "*_BASE_URL", "AWS_REGION", "AWS_REGION_NAME", "AWS_DEFAULT_REGION",
	"AWS_PROFILE", "VERTEXAI_PROJECT", "VERTEXAI_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS",
};

/* What may hold a key: handed on by name, value never kept. */
static const char *const secret_names[] = {
	"*_API_KEY", "*_API_KEYS", "*_KEY", "*_TOKEN", "*_SECRET", "AWS_*", "AZURE_*", "HTTP_PROXY",
	"HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
};

static bool fits(const char *const *list, size_t count, const char *name, size_t n)
{
	for (size_t i = 0; i < count; i++) {
		const char *p = list[i];
		size_t len = strlen(p);

		if (p[0] == '*' ? n > len - 1 && memcmp(name + n - (len - 1), p + 1, len - 1) == 0 :
		    p[len - 1] == '*' ? n >= len - 1 && memcmp(name, p, len - 1) == 0 :
					n == len && memcmp(name, p, n) == 0)
			return true;
	}
	return false;
}
#define FITS(list, name, n) fits(list, sizeof(list) / sizeof(list)[0], name, n)

/* A key by its name, or a URL with a password in it. */
static bool looks_secret(const char *name, size_t n, const char *value)
{
	static const char *const words[] = { "KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD" };
	char *copy = tg_strndup(name, n);
	bool yes = false;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		yes = yes || strstr(copy, words[i]);
	free(copy);
	return yes || (strstr(value, "://") && strchr(value, '@'));
}

void tg_mini_freeze_env(struct tg_spec *s)
{
	for (char **e = environ; *e; e++) {
		const char *eq = strchr(*e, '=');
		size_t n = eq ? (size_t)(eq - *e) : 0;

		if (!n || !FITS(setting_names, *e, n) || looks_secret(*e, n, eq + 1))
			continue;
		s->agent_env = tg_realloc(s->agent_env,
					  (s->agent_env_n + 1) * sizeof *s->agent_env);
		s->agent_env[s->agent_env_n++] = tg_strdup(*e);
	}
}

static const char *frozen(const struct tg_spec *s, const char *name, size_t n)
{
	for (size_t i = 0; s && i < s->agent_env_n; i++)
		if (strncmp(s->agent_env[i], name, n) == 0 && s->agent_env[i][n] == '=')
			return s->agent_env[i] + n + 1;
	return NULL;
}

/* A setting that was frozen is not taken from today's environment as well. */
char **tg_mini_pass_names(const struct tg_spec *s)
{
	char **list = NULL;
	size_t count = 0, cap = 0;

	for (char **e = environ; *e; e++) {
		const char *eq = strchr(*e, '=');
		size_t n = eq ? (size_t)(eq - *e) : 0;

		if (!n || frozen(s, *e, n) ||
		    !(FITS(secret_names, *e, n) ||
		      (FITS(setting_names, *e, n) && looks_secret(*e, n, eq + 1))))
			continue;
		TG_GROW(list, count + 1, cap);
		list[count++] = tg_strndup(*e, n);
	}
	TG_GROW(list, count + 1, cap);
	list[count] = NULL;
	return list;
}

/* ---- the tool's own .env ---- */

char *tg_mini_dotenv_path(const struct tg_spec *s)
{
	static const char global[] = "MSWEA_GLOBAL_CONFIG_DIR", xdg[] = "XDG_CONFIG_HOME";
	const char *dir = frozen(s, global, sizeof global - 1), *home = getenv("HOME");

	dir = dir ? dir : getenv(global);
	if (dir && *dir)
		return tg_path_join(dir, ".env");
	dir = frozen(s, xdg, sizeof xdg - 1);
	dir = dir ? dir : getenv(xdg);
	if (dir && *dir)
		return tg_path_join(dir, "mini-swe-agent/.env");
	return home ? tg_path_join(home, ".config/mini-swe-agent/.env") : NULL;
}

/* One line: name and value borrowed out of it; false: a comment, blank, or no assignment. */
static bool split_line(const char *line, size_t n, struct tg_str *name, struct tg_str *value)
{
	const char *end = line + n, *eq;

	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	if (end - line > 7 && strncmp(line, "export ", 7) == 0)
		line += 7;
	eq = memchr(line, '=', (size_t)(end - line));
	if (line == end || *line == '#' || !eq)
		return false;
	*name = (struct tg_str){ line, (size_t)(eq - line) };
	while (name->n && (name->p[name->n - 1] == ' ' || name->p[name->n - 1] == '\t'))
		name->n--;
	*value = (struct tg_str){ eq + 1, (size_t)(end - eq - 1) };
	while (value->n && strchr(" \t", value->p[0])) {
		value->p++;
		value->n--;
	}
	while (value->n && strchr(" \t\r", value->p[value->n - 1]))
		value->n--;
	if (value->n >= 2 && (value->p[0] == '\'' || value->p[0] == '"') &&
	    value->p[value->n - 1] == value->p[0]) {
		value->p++;
		value->n -= 2;
	}
	return name->n > 0;
}

char *tg_mini_dotenv_get(const char *text, const char *name)
{
	struct tg_str k, v;
	char *found = NULL;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		if (split_line(p, n, &k, &v) && k.n == strlen(name) &&
		    memcmp(k.p, name, k.n) == 0) {
			free(found);
			found = tg_strndup(v.p, v.n);
		}
		p += n + (p[n] == '\n');
	}
	return found;
}

/* ---- what must not be written down ---- */

static void add_secret(struct tg_mini_secrets *s, const char *p, size_t n)
{
	if (n < SHORTEST_SECRET)
		return;
	TG_GROW(s->v, s->n, s->cap);
	s->v[s->n++] = tg_strndup(p, n);
}

void tg_mini_secrets_load(struct tg_mini_secrets *s, const struct tg_spec *spec,
			  const struct tg_job *job)
{
	char *path = tg_mini_dotenv_path(spec);
	struct tg_buf text = TG_BUF_INIT;
	struct tg_str k, v;

	*s = (struct tg_mini_secrets){ 0 };
	for (char **name = job->env_pass; name && *name; name++) {
		const char *value = getenv(*name);

		if (value && looks_secret(*name, strlen(*name), value))
			add_secret(s, value, strlen(value));
	}
	if (path && tg_file_read(path, 1 << 20, &text, NULL))
		for (const char *p = tg_buf_cstr(&text); *p;) {
			size_t n = strcspn(p, "\n");

			if (split_line(p, n, &k, &v)) {
				char *value = tg_strndup(v.p, v.n);

				if (looks_secret(k.p, k.n, value))
					add_secret(s, v.p, v.n);
				free(value);
			}
			p += n + (p[n] == '\n');
		}
	tg_buf_fini(&text);
	free(path);
}

void tg_mini_secrets_fini(struct tg_mini_secrets *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct tg_mini_secrets){ 0 };
}

void tg_mini_mask(const struct tg_mini_secrets *s, struct tg_buf *out, const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t eaten = 0;

		for (size_t k = 0; k < s->n && !eaten; k++) {
			size_t len = strlen(s->v[k]);

			if (len <= n - i && memcmp(p + i, s->v[k], len) == 0)
				eaten = len;
		}
		if (eaten)
			tg_buf_adds(out, "***");
		else
			tg_buf_addc(out, p[i]);
		i += eaten ? eaten : 1;
	}
}
