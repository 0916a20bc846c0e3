/* Is the key alive? One call of one token by the user's own Python (doctor.h). */
#include <stdlib.h>
#include <string.h>
#include "core/dataset/embed.h"
#include "core/doctor/checks.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define PING_MS 120000
#define MARK "\nTGMON-PING "

TG_EMBED(tg_ping_py, "/python/ping.py");

/* A YAML value as JSON, by the rules of PyYAML's scalars. */
static struct cJSON *to_json(const struct tg_yaml_node *n)
{
	struct cJSON *o;
	double d;
	bool b;

	if (n->kind == TG_YAML_SCALAR) {
		if (tg_yaml_is_null(n))
			return tg_json_null();
		o = tg_json_object();
		if (tg_yaml_bool(n, &b))
			tg_json_set_bool(o, "v", b);
		else if (tg_yaml_number(n, &d) && d == (double)(int64_t)d &&
			 !strpbrk(n->text, ".eE"))
			tg_json_set_int(o, "v", (int64_t)d);
		else if (tg_yaml_number(n, &d))
			tg_json_set_float(o, "v", d);
		else
			tg_json_set_str(o, "v", n->text);
		struct cJSON *v = tg_json_dup(tg_json_get(o, "v"));

		tg_json_free(o);
		return v;
	}
	o = n->kind == TG_YAML_MAP ? tg_json_object() : tg_json_array();
	for (const struct tg_yaml_node *c = n->first; c; c = c->next) {
		if (n->kind == TG_YAML_MAP)
			tg_json_set(o, c->key, to_json(c));
		else
			tg_json_push(o, to_json(c));
	}
	return o;
}

static char *ping_input(const struct tg_exam *x)
{
	const struct tg_yaml_node *m = tg_yaml_get(x->config, "model");
	const struct tg_yaml_node *k =
		m && m->kind == TG_YAML_MAP ? tg_yaml_get(m, "model_kwargs") : NULL;
	struct cJSON *o = tg_json_object();
	struct tg_buf b = TG_BUF_INIT;

	tg_json_set_str(o, "model_name", tg_conf_model(x));
	tg_json_set_str(o, "model_class", tg_conf_text(x->config, "model", "model_class"));
	if (k && k->kind == TG_YAML_MAP)
		tg_json_set(o, "model_kwargs", to_json(k));
	tg_json_print(o, TG_JSON_COMPACT, &b);
	tg_json_free(o);
	return tg_buf_detach(&b);
}

static bool load(struct tg_exam *x, const struct tg_doctor_ask *ask, struct tg_err *err)
{
	*x = (struct tg_exam){ .ask = ask };
	if (!ask->config)
		return tg_fail(err, TG_E_INPUT,
			       "--ping needs --config: it calls the config's model");
	x->config = tg_yaml_load(ask->config, TG_YAML_ALIASES, err);
	if (!x->config)
		return false;
	if (x->config->kind == TG_YAML_MAP && tg_conf_model(x))
		return true;
	return tg_fail(err, TG_E_INPUT, "%s has no model.model_name: there is nothing to call",
		       ask->config);
}

bool tg_ping_plan(struct tg_ping *p, const struct tg_doctor_ask *ask, struct tg_err *err)
{
	struct tg_exam x;
	struct tg_machine f = { 0 };
	bool ok = load(&x, ask, err);

	*p = (struct tg_ping){ .at_most = -1 };
	if (ok) {
		const struct tg_machine_ask want = {
			.model_name = tg_conf_model(&x),
			.registry = tg_conf_text(x.config, "model", "litellm_model_registry"),
		};

		p->model = tg_strdup(tg_conf_model(&x));
		tg_machine_python(&f, &want);
		if (f.priced ==
		    TG_YES) /* a provider's own frame around one word: 20 tokens are plenty */
			p->at_most = 20 * f.price_in + f.price_out;
	}
	tg_yaml_free(x.config);
	tg_machine_fini(&f);
	return ok;
}

static void say_answer(struct tg_doctor_line *l, const struct cJSON *o, const char *model)
{
	int64_t status = tg_json_int(o, "status", 0);
	double cost = tg_json_num(o, "cost", -1);
	const char *error = tg_json_str(o, "error");
	char *kind = tg_text_line(error ? error : "?", error ? strlen(error) : 1, 60);

	if (tg_json_bool(o, "ok", false) && cost >= 0)
		tg_say(l, TG_DOCTOR_OK, NULL, "%s answers; the call cost %.6f USD", model, cost);
	else if (tg_json_bool(o, "ok", false))
		tg_say(l, TG_DOCTOR_OK, NULL, "%s answers; litellm cannot say what the call cost",
		       model);
	else if (status == 401 || status == 403 || !strcmp(kind, "AuthenticationError") ||
		 !strcmp(kind, "PermissionDeniedError"))
		tg_say(l, TG_DOCTOR_FAILURE, "mini-extra config set NAME_API_KEY ...",
		       "the provider of %s refuses "
		       "the key (%s)",
		       model, kind);
	else if (status == 429 || !strcmp(kind, "RateLimitError"))
		tg_say(l, TG_DOCTOR_WARNING, NULL,
		       "the key of %s is good, but the provider is rate limiting (%s)", model,
		       kind);
	else
		tg_say(l, TG_DOCTOR_FAILURE, NULL, "the call to %s failed: %s (status %lld)", model,
		       kind, (long long)status);
	free(kind);
}

static void call(struct tg_exam *x, struct tg_doctor_line *l)
{
	char *python = tg_user_python(), *input = ping_input(x);
	const char *const argv[] = { python, "-c", tg_ping_py, NULL };
	struct tg_proc_result r = { 0 };
	struct tg_err err = { 0 };
	struct cJSON *o = NULL;
	const char *at;

	if (!python)
		tg_fail(&err, TG_E_MACHINE, "no Python was found");
	else if (tg_proc_run(&(struct tg_spawn){ .argv = argv, .cwd = "/", .new_session = true,
						 .die_with_parent = true },
			     input, strlen(input), PING_MS, 1 << 20, &r, &err)) {
		at = strstr(tg_buf_cstr(&r.out), MARK);
		o = at ? tg_json_parse(at + strlen(MARK), strlen(at + strlen(MARK)), "ping", NULL,
				       &err)
		       : NULL;
		if (!o)
			tg_fail(&err, TG_E_MACHINE,
				r.timed_out ? "no answer within 120 s" : "the call gave no answer");
	}
	if (o)
		say_answer(l, o, tg_conf_model(x));
	else
		tg_say(l, TG_DOCTOR_FAILURE, NULL, "%s", err.msg);
	tg_json_free(o);
	tg_proc_result_fini(&r);
	free(input);
	free(python);
}

void tg_ping_run(struct tg_doctor *d, const struct tg_doctor_ask *ask)
{
	struct tg_doctor_line l = { .id = "ping", .section = "A", .title = "live call" };
	struct tg_err err = { 0 };
	struct tg_exam x;

	if (load(&x, ask, &err))
		call(&x, &l);
	else
		tg_say(&l, TG_DOCTOR_FAILURE, NULL, "%s", err.msg);
	tg_yaml_free(x.config);
	d->v = tg_realloc(d->v, (d->n + 1) * sizeof *d->v);
	d->v[d->n++] = l;
	d->warnings += l.state == TG_DOCTOR_WARNING;
	d->failures += l.state == TG_DOCTOR_FAILURE;
}

void tg_ping_fini(struct tg_ping *p)
{
	free(p->model);
	*p = (struct tg_ping){ 0 };
}
