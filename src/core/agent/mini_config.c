/* The parts of the agent's YAML that say where its commands run (mini.h). */
#include <stdlib.h>
#include <string.h>
#include "core/agent/mini.h"
#include "core/lib/yaml.h"

static char *scalar(const struct tg_yaml_node *map, const char *key, const char *otherwise)
{
	const struct tg_yaml_node *n =
	    map && map->kind == TG_YAML_MAP ? tg_yaml_get(map, key) : NULL;

	if (!n || n->kind != TG_YAML_SCALAR || tg_yaml_is_null(n))
		return tg_strdup(otherwise);
	return tg_strdup(n->text);
}

static void take_run_args(struct tg_mini_config *c, const struct tg_yaml_node *env)
{
	const struct tg_yaml_node *list =
	    env && env->kind == TG_YAML_MAP ? tg_yaml_get(env, "run_args") : NULL;

	c->run_args_known = !list || list->kind == TG_YAML_LIST;
	if (!list) {
		c->run_args = tg_calloc(1, sizeof *c->run_args);
		c->run_args[c->run_args_n++] = tg_strdup("--rm");
		return;
	}
	c->run_args = tg_calloc(list->n + 1, sizeof *c->run_args);
	for (const struct tg_yaml_node *n = list->first; n; n = n->next) {
		if (n->kind != TG_YAML_SCALAR || tg_yaml_is_null(n))
			c->run_args_known = false;
		else
			c->run_args[c->run_args_n++] = tg_strdup(n->text);
	}
}

bool tg_mini_config_load(struct tg_mini_config *c, const char *path, struct tg_err *err)
{
	struct tg_yaml_node *root = tg_yaml_load(path, TG_YAML_ALIASES, err);
	const struct tg_yaml_node *env;

	*c = (struct tg_mini_config){ 0 };
	if (!root)
		return false;
	env = root->kind == TG_YAML_MAP ? tg_yaml_get(root, "environment") : NULL;
	c->env_class = scalar(env, "environment_class", "docker");
	c->executable = scalar(env, "executable", NULL);
	c->cwd = scalar(env, "cwd", "/");
	take_run_args(c, env);
	tg_yaml_free(root);
	return true;
}

void tg_mini_config_fini(struct tg_mini_config *c)
{
	free(c->env_class);
	free(c->executable);
	free(c->cwd);
	for (size_t i = 0; i < c->run_args_n; i++)
		free(c->run_args[i]);
	free(c->run_args);
	*c = (struct tg_mini_config){ 0 };
}

bool tg_mini_config_containers(const struct tg_mini_config *c)
{
	return tg_streq(c->env_class, "docker");
}
