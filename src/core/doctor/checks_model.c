/* The model: named, the one that --model-id says, with a key and a price (checks.h). */
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"

#define OK TG_DOCTOR_OK
#define WARN TG_DOCTOR_WARNING
#define FAIL TG_DOCTOR_FAILURE

const char *tg_conf_model(const struct tg_exam *x)
{
	const char *name = tg_conf_text(x->config, "model", "model_name"),
		   *env = getenv("MSWEA_MODEL_NAME");

	if (name || !x->config)
		return name;
	return env && *env ? env : NULL;
}

bool tg_conf_api_base(const struct tg_yaml_node *config)
{
	const struct tg_yaml_node *m = config ? tg_yaml_get(config, "model") : NULL;
	const struct tg_yaml_node *k =
		m && m->kind == TG_YAML_MAP ? tg_yaml_get(m, "model_kwargs") : NULL;

	return k && k->kind == TG_YAML_MAP &&
	       (tg_yaml_get(k, "api_base") || tg_yaml_get(k, "base_url"));
}

void tg_check_model(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *name = tg_conf_text(x->config, "model", "model_name");

	if (!x->config)
		return;
	if (name)
		tg_say(l, OK, NULL, "%s", name);
	else if (tg_conf_model(x))
		tg_say(l, WARN, "model: {model_name: PROVIDER/MODEL}",
		       "the config names no model; MSWEA_MODEL_NAME "
		       "of this shell says %s, which no other shell knows",
		       tg_conf_model(x));
	else
		tg_say(l, FAIL, "model: {model_name: PROVIDER/MODEL}",
		       "%s has no model.model_name: nothing says "
		       "which model is to be called",
		       x->ask->config);
}

static const char *last_part(const char *s)
{
	const char *slash = strrchr(s, '/');

	return slash ? slash + 1 : s;
}

/* The label goes into every row, the gate and the bundle. Another route to the same model is worth
 * a word; another model is a config that somebody forgot to edit. */
void tg_check_model_id(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *id = x->ask->model_id, *name = tg_conf_model(x);

	if (!x->config || !name)
		return;
	if (!id)
		tg_say_take(l, WARN, tg_asprintf("--model-id %s", name),
			    "no --model-id was given to compare with "
			    "the config's %s",
			    name);
	else if (!strcmp(id, name))
		tg_say(l, OK, NULL, "%s, as in the config", id);
	else if (!strcmp(last_part(id), last_part(name)))
		tg_say_take(l, WARN, tg_asprintf("--model-id %s", name),
			    "rows and gate will say %s, the config "
			    "calls %s",
			    id, name);
	else
		tg_say_take(l, FAIL,
			    tg_asprintf("--model-id %s   (or mend model.model_name in %s)", name,
					x->ask->config),
			    "rows and gate would say %s, but the config calls %s: another model",
			    id, name);
}

/* ---- the key ----------------------------------------------------------------------------- */

static const char *where_set(const struct tg_machine *f, const char *name)
{
	if (tg_names_has(&f->env, name))
		return "the environment";
	return tg_names_has(&f->dotenv, name) ? f->dotenv_path : NULL;
}

static char *join(const char *const *names)
{
	struct tg_buf b = TG_BUF_INIT;

	for (size_t i = 0; names[i]; i++)
		tg_buf_addf(&b, "%s%s", i ? " or " : "", names[i]);
	return tg_buf_detach(&b);
}

static void say_missing(const struct tg_exam *x, struct tg_doctor_line *l, const char *model,
			const char *const *vars)
{
	bool local = tg_conf_api_base(x->config);
	const char *named = tg_conf_text(x->config, "model", "api_key_env");
	char *all = join(vars);

	tg_say_take(l, local ? WARN : FAIL,
		    tg_asprintf("mini-extra config set %s ...   (written to %s)", vars[0],
				x->f->dotenv_path ? x->f->dotenv_path
						  : "~/.config/mini-swe-agent/.env"),
		    "%s needs %s, which is neither in the environment nor in mini-swe-agent's "
		    ".env%s%s%s",
		    model, all, local ? "; its own address (api_base) may do without" : "",
		    named && !local ? "; nothing reads the variable that model.api_key_env names: "
				    : "",
		    named && !local ? named : "");
	free(all);
}

void tg_check_keys(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *model = tg_conf_model(x),
		   *class = tg_conf_text(x->config, "model", "model_class");
	const char *const *vars = tg_model_keys(model, class);
	const char *set;

	if (!x->config || !model)
		return;
	set = where_set(x->f, "MSWEA_MODEL_API_KEY");
	if (set && tg_mini_generation(x->f) == 1) {
		tg_say(l, OK, NULL, "MSWEA_MODEL_API_KEY is set in %s", set);
		return;
	}
	if (!vars) {
		tg_say(l, WARN, "tgmon doctor --config ... --ping",
		       "which variable holds the key of %s is not "
		       "known here",
		       model);
		return;
	}
	if (!vars[0]) {
		tg_say(l, OK, NULL, "%s needs none", model);
		return;
	}
	for (size_t i = 0; vars[i]; i++)
		if ((set = where_set(x->f, vars[i]))) {
			tg_say(l, OK, NULL, "%s is set in %s", vars[i], set);
			return;
		}
	say_missing(x, l, model, vars);
}

/* An unknown price ends every instance after its first paid call, unless cost tracking is told to
 * look away; then cost_limit never triggers (spec, 1.5). */
void tg_check_cost(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *tracking = tg_conf_text(x->config, "model", "cost_tracking"), *env;
	const char *model = tg_conf_model(x),
		   *class = tg_conf_text(x->config, "model", "model_class");
	const char *registry = tg_conf_text(x->config, "model", "litellm_model_registry");

	if (!x->config || !model)
		return;
	env = getenv("MSWEA_COST_TRACKING");
	if (!tracking && env && *env)
		tracking = env;
	if (tracking && strcmp(tracking, "default") != 0 && strcmp(tracking, "ignore_errors") != 0)
		tg_say(l, FAIL, "model: {cost_tracking: default}",
		       "model.cost_tracking is '%s': default or "
		       "ignore_errors",
		       tracking);
	else if (registry && !tg_file_exists(registry))
		tg_say(l, FAIL, "give its absolute path",
		       "model.litellm_model_registry %s does not exist", registry);
	else if (tg_streq(tracking, "ignore_errors"))
		tg_say(l, WARN, "tgmon run --timeout SECONDS, and a step_limit in the config",
		       "cost_tracking: ignore_errors%s: where the price is unknown, costs count as "
		       "0 and neither "
		       "cost_limit nor --budget stops anything",
		       x->f->priced == TG_NO ? ", and this one is" : "");
	else if (x->f->priced == TG_NO && (!class || tg_starts_with(class, "litellm")))
		tg_say(l, FAIL,
		       "model: {litellm_model_registry: /path/registry.json}, or model: "
		       "{cost_tracking: "
		       "ignore_errors}",
		       "litellm does not know the price of %s: every instance would end with "
		       "RuntimeError after its first paid call",
		       model);
	else if (x->f->priced == TG_YES)
		tg_say(l, OK, NULL, "%.2f USD in, %.2f USD out per million tokens, says litellm",
		       x->f->price_in * 1e6, x->f->price_out * 1e6);
}
