/*
 * Which keys an agent config may have, and what was probably meant by one that it may not. The
 * installed version is asked first; the table here is what 1.17.5 and 2.4.6 accept (spec, 1.3).
 */
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"

#define V1 1
#define V2 2

static const struct known {
	const char *section, *key;
	unsigned lines;
} known[] = {
	{ "agent", "system_template", V1 | V2 },
	{ "agent", "instance_template", V1 | V2 },
	{ "agent", "step_limit", V1 | V2 },
	{ "agent", "cost_limit", V1 | V2 },
	{ "agent", "timeout_template", V1 },
	{ "agent", "format_error_template", V1 },
	{ "agent", "action_observation_template", V1 },
	{ "agent", "action_regex", V1 },
	{ "agent", "wall_time_limit_seconds", V2 },
	{ "agent", "max_consecutive_format_errors", V2 },
	{ "agent", "output_path", V2 },
	{ "model", "model_name", V1 | V2 },
	{ "model", "model_kwargs", V1 | V2 },
	{ "model", "litellm_model_registry", V1 | V2 },
	{ "model", "set_cache_control", V1 | V2 },
	{ "model", "cost_tracking", V1 | V2 },
	{ "model", "format_error_template", V2 },
	{ "model", "observation_template", V2 },
	{ "model", "multimodal_regex", V2 },
	{ "model", "action_regex", V2 },
	{ "environment", "image", V1 | V2 },
	{ "environment", "cwd", V1 | V2 },
	{ "environment", "env", V1 | V2 },
	{ "environment", "forward_env", V1 | V2 },
	{ "environment", "timeout", V1 | V2 },
	{ "environment", "executable", V1 | V2 },
	{ "environment", "run_args", V1 | V2 },
	{ "environment", "container_timeout", V1 | V2 },
	{ "environment", "pull_timeout", V1 | V2 },
	{ "environment", "interpreter", V2 },
};

/* Taken out of the section before the class gets the rest, so never in its list. */
static const struct {
	const char *section, *key;
} chooses[] = { { "model", "model_class" }, { "environment", "environment_class" },
		{ "agent", "agent_class" } };

static const struct meant {
	const char *section, *key, *hint;
} meant[] = {
	{ "model", "model_id", "model_name" },
	{ "model", "model", "model_name" },
	{ "model", "name", "model_name" },
	{ "model", "model_string", "model_name" },
	{ "model", "provider", "model_name with the provider as its prefix (zai/glm-4.6)" },
	{ "model", "api_key_env",
	  NULL }, /* said with the provider's variable, see checks_config.c */
	{ "model", "key_env", NULL },
	{ "model", "api_key_env_var", NULL },
	{ "model", "api_base", "model_kwargs: {api_base: ...}" },
	{ "model", "base_url", "model_kwargs: {api_base: ...}" },
	{ "model", "temperature", "model_kwargs: {temperature: ...}" },
	{ "model", "top_p", "model_kwargs: {top_p: ...}" },
	{ "model", "max_tokens", "model_kwargs: {max_tokens: ...}" },
	{ "model", "timeout", "model_kwargs: {timeout: ...}" },
	{ "model", "kwargs", "model_kwargs" },
	{ "agent", "max_steps", "step_limit" },
	{ "agent", "steps", "step_limit" },
	{ "agent", "max_cost", "cost_limit" },
	{ "agent", "budget", "cost_limit" },
	{ "environment", "workdir", "cwd" },
	{ "environment", "working_dir", "cwd" },
	{ "environment", "working_directory", "cwd" },
	{ "environment", "docker_args", "run_args" },
};

static void add(struct tg_names *out, const char *key)
{
	if (!tg_names_has(out, key))
		tg_names_add(out, key, strlen(key));
}

bool tg_accepted(const struct tg_exam *x, const char *section, struct tg_names *out, bool *guess)
{
	const struct tg_machine *f = x->f;
	const char *model_class = tg_conf_text(x->config, "model", "model_class");
	const char *env_class = tg_conf_text(x->config, "environment", "environment_class");
	const struct tg_names *own = !strcmp(section, "agent")	 ? &f->accepted_agent
				     : !strcmp(section, "model") ? &f->accepted_model
								 : &f->accepted_environment;
	unsigned lines = tg_mini_generation(f) == 1   ? V1
			 : tg_mini_generation(f) == 2 ? V2
						      : V1 | V2;
	bool other_env =
		!strcmp(section, "environment") && env_class && strcmp(env_class, "docker") != 0;

	*guess = !own->n;
	if (other_env || (*guess && !strcmp(section, "model") && model_class &&
			  !tg_starts_with(model_class, "litellm")))
		return false; /* classes whose lists nobody here knows */
	for (size_t i = 0; i < own->n; i++)
		add(out, own->v[i]);
	for (size_t i = 0; !own->n && i < sizeof known / sizeof *known; i++)
		if (!strcmp(known[i].section, section) && (known[i].lines & lines))
			add(out, known[i].key);
	for (size_t i = 0; i < sizeof chooses / sizeof *chooses; i++)
		if (!strcmp(chooses[i].section, section))
			add(out, chooses[i].key);
	return true;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein, for words of at most 63 bytes. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= 64 || strlen(a) >= 64)
		return 64;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];

			row[j] = least(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[n];
}

static const char *other_section(const char *section, const char *key)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(known[i].key, key) && strcmp(known[i].section, section) != 0)
			return known[i].section;
	return NULL;
}

char *tg_did_you_mean(const struct tg_names *accepted, const char *section, const char *key)
{
	const char *best = NULL, *elsewhere;
	size_t near = 3;

	for (size_t i = 0; i < sizeof meant / sizeof *meant; i++)
		if (!strcmp(meant[i].section, section) && !strcmp(meant[i].key, key))
			return tg_strdup(meant[i].hint);
	elsewhere = other_section(section, key);
	if (elsewhere)
		return tg_asprintf("%s below '%s:'", key, elsewhere);
	for (size_t i = 0; i < accepted->n; i++) {
		size_t d = distance(key, accepted->v[i]);

		if (d < near && d < strlen(key)) {
			near = d;
			best = accepted->v[i];
		}
	}
	return tg_strdup(best);
}
