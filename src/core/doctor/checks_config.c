/* The agent's YAML: does it parse, is every key known, will a diff come out of it (checks.h). */
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"
#include "core/lib/text.h"

#define OK TG_DOCTOR_OK
#define WARN TG_DOCTOR_WARNING
#define FAIL TG_DOCTOR_FAILURE

static const char *const sections[] = { "agent", "model", "environment" };

const char *tg_conf_text(const struct tg_yaml_node *config, const char *section, const char *key)
{
	const struct tg_yaml_node *s = config ? tg_yaml_get(config, section) : NULL;
	const struct tg_yaml_node *v = s && s->kind == TG_YAML_MAP ? tg_yaml_get(s, key) : NULL;

	return v && v->kind == TG_YAML_SCALAR && !tg_yaml_is_null(v) && *v->text ? v->text : NULL;
}

void tg_check_config_parses(const struct tg_exam *x, struct tg_doctor_line *l)
{
	if (!x->ask->config)
		return;
	if (!x->config)
		tg_say_take(l, FAIL, tg_asprintf("edit %s at the place named", x->ask->config),
			    "%s", x->config_err.msg);
	else
		tg_say(l, OK, NULL, "%s parses", x->ask->config);
}

/* ---- keys ------------------------------------------------------------------------------- */

struct finds {
	struct tg_buf text;
	size_t n;
};

static char *hint_of(const struct tg_exam *x, const struct tg_names *accepted, const char *section,
		     const char *key)
{
	const char *const *vars =
		tg_model_keys(tg_conf_model(x), tg_conf_text(x->config, "model", "model_class"));

	if (!strcmp(section, "model") && strstr(key, "key_env"))
		return tg_asprintf(
			"no line at all: the key is read from %s, of the environment or of "
			"mini-swe-agent's .env",
			vars && vars[0] ? vars[0] : "the provider's variable");
	return tg_did_you_mean(accepted, section, key);
}

static void note(const struct tg_exam *x, struct finds *out, const struct tg_yaml_node *n,
		 const char *section, const struct tg_names *accepted)
{
	char *key = tg_text_line(n->key, strlen(n->key), 60),
	     *hint = hint_of(x, accepted, section, n->key);

	tg_buf_addf(&out->text, "%s%s:%d:%d: %s.%s", out->n ? "; " : "", x->ask->config,
		    n->key_line, n->key_col, section, key);
	if (hint)
		tg_buf_addf(&out->text, " (did you mean %s?)", hint);
	out->n++;
	free(hint);
	free(key);
}

static void list_accepted(struct tg_buf *b, const char *section, const struct tg_names *accepted)
{
	tg_buf_addf(b, "%s accepts:", section);
	for (size_t i = 0; i < accepted->n; i++)
		tg_buf_addf(b, "%s %s", i ? "," : "", accepted->v[i]);
}

static void walk_section(const struct tg_exam *x, const char *section, struct finds *out,
			 struct tg_buf *mend)
{
	const struct tg_yaml_node *s = tg_yaml_get(x->config, section);
	struct tg_names accepted = { 0 };
	size_t before = out->n;
	bool guess;

	if (s && s->kind == TG_YAML_MAP && tg_accepted(x, section, &accepted, &guess))
		for (const struct tg_yaml_node *k = s->first; k; k = k->next)
			if (!tg_names_has(&accepted, k->key))
				note(x, out, k, section, &accepted);
	if (out->n > before) {
		if (mend->n)
			tg_buf_adds(mend, "; ");
		list_accepted(mend, section, &accepted);
	}
	tg_names_free(&accepted);
}

/* A key of a section that stands at the left margin: nothing reads it. */
static void walk_top(const struct tg_exam *x, struct finds *out)
{
	static const char *const known[] = { "agent", "model", "environment", "run" };
	static const struct tg_names none = { 0 };

	for (const struct tg_yaml_node *k = x->config->first; k; k = k->next) {
		char *hint = NULL;
		bool good = false;

		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			good = good || !strcmp(known[i], k->key);
		for (size_t i = 0; !good && !hint && i < sizeof sections / sizeof *sections; i++)
			hint = tg_did_you_mean(&none, sections[i], k->key);
		if (hint) {
			tg_buf_addf(&out->text,
				    "%s%s:%d:%d: %s stands outside 'agent:', 'model:' and "
				    "'environment:'",
				    out->n ? "; " : "", x->ask->config, k->key_line, k->key_col,
				    k->key);
			out->n++;
		}
		free(hint);
	}
}

void tg_check_config_keys(const struct tg_exam *x, struct tg_doctor_line *l)
{
	struct finds found = { TG_BUF_INIT, 0 };
	struct tg_buf mend = TG_BUF_INIT;
	const char *version = x->f->mini.version ? x->f->mini.version : "(version unknown)";

	if (!x->config)
		return;
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		walk_section(x, sections[i], &found, &mend);
	walk_top(x, &found);
	if (found.n && !mend.n)
		tg_buf_adds(&mend, "move it below its section, indented");
	if (!found.n)
		tg_say(l, OK, NULL, "every key is known to mini-swe-agent %s", version);
	else if (tg_mini_generation(x->f) == 2)
		tg_say(l, WARN, tg_buf_cstr(&mend), "mini-swe-agent %s ignores in silence: %s",
		       version, tg_buf_cstr(&found.text));
	else
		tg_say(l, FAIL, tg_buf_cstr(&mend), "every instance would fail: mini-swe-agent "
		       "%s does not accept %s", version, tg_buf_cstr(&found.text));
	tg_buf_fini(&found.text);
	tg_buf_fini(&mend);
}

void tg_check_secret_in_config(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_yaml_node *m = x->config ? tg_yaml_get(x->config, "model") : NULL;
	const struct tg_yaml_node *k =
		m && m->kind == TG_YAML_MAP ? tg_yaml_get(m, "model_kwargs") : NULL;
	const struct tg_yaml_node *in[] = { m, k };

	for (size_t i = 0; i < 2; i++) {
		const struct tg_yaml_node *v =
			in[i] && in[i]->kind == TG_YAML_MAP ? tg_yaml_get(in[i], "api_key") : NULL;

		if (v && v->kind == TG_YAML_SCALAR && *v->text)
			tg_say(l, FAIL,
			       "mini-extra config set NAME_API_KEY ...   (and take the line out)",
			       "%s:%d:%d: a key stands in the config; the config is copied into "
			       "the run directory "
			       "and the bundle",
			       x->ask->config, v->key_line, v->key_col);
	}
}

/* ---- will a diff come out? (G2) --------------------------------------------------------- */

/* Without cwd the container's shell stands in "/": `git diff` says nothing there, and every
 * instance submits an empty patch that was paid for. */
void tg_check_cwd(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_yaml_node *env = x->config ? tg_yaml_get(x->config, "environment") : NULL;
	const char *class = tg_conf_text(x->config, "environment", "environment_class");
	const char *cwd = tg_conf_text(x->config, "environment", "cwd");

	if (!x->config ||
	    (class && strcmp(class, "docker") != 0 && strcmp(class, "singularity") != 0))
		return;
	if (!env || env->kind != TG_YAML_MAP || !env->n)
		tg_say(l, FAIL, "environment: {cwd: /testbed}",
		       "%s: the block 'environment:' is %s, so agents "
		       "work in '/', where git diff is empty: every patch would be empty",
		       x->ask->config, env ? "empty" : "missing");
	else if (!cwd || !strcmp(cwd, "/"))
		tg_say(l, FAIL, "environment: {cwd: /testbed}",
		       "%s:%d:%d: environment.cwd is %s, where git diff is "
		       "empty: every patch would be empty",
		       x->ask->config, env->line, env->col, cwd ? "'/'" : "not set, so '/'");
	else if (strcmp(cwd, "/testbed") != 0)
		tg_say(l, WARN, "environment: {cwd: /testbed}",
		       "environment.cwd is %s; SWE-bench's images keep the "
		       "repository in /testbed",
		       cwd);
	else
		tg_say(l, OK, NULL, "/testbed");
}

void tg_check_template(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *t = tg_conf_text(x->config, "agent", "instance_template");
	const char *sys = tg_conf_text(x->config, "agent", "system_template");
	bool submits, diffs;

	if (!x->config)
		return;
	submits = t && (strstr(t, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT") ||
			strstr(t, "MINI_SWE_AGENT_FINAL_OUTPUT"));
	diffs = (t && strstr(t, "git diff")) || (t && strstr(t, "patch.txt")) ||
		(sys && strstr(sys, "git diff"));
	if (!t)
		tg_say(l, FAIL,
		       "start from the built-in one: python -c \"import minisweagent; "
		       "print(minisweagent.__path__)\" and config/**/swebench.yaml below it",
		       "%s has no agent.instance_template: the plain default never asks for a "
		       "diff, so every "
		       "submission would be garbage to the harness",
		       x->ask->config);
	else if (!submits)
		tg_say(l, WARN, NULL,
		       "agent.instance_template does not name the line that ends an instance "
		       "(COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT)");
	else if (!diffs)
		tg_say(l, WARN, NULL,
		       "agent.instance_template never mentions 'git diff': what is submitted may "
		       "be "
		       "no patch");
	else
		tg_say(l, OK, NULL, "asks for a diff and says how to submit it");
}

static size_t missing_images(const struct tg_exam *x)
{
	struct tg_doctor_line l = { 0 };
	bool missing;

	tg_check_images(x, &l);
	missing = l.text && l.state != OK;
	free(l.text);
	free(l.mend);
	return missing;
}

void tg_check_pull_timeout(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *text = tg_conf_text(x->config, "environment", "pull_timeout");
	double seconds = 120; /* DockerEnvironmentConfig's own */

	if (!x->config || !missing_images(x))
		return;
	if (text && (!tg_parse_f64(text, &seconds) || seconds <= 0)) {
		tg_say(l, FAIL, "environment: {pull_timeout: 1200}",
		       "environment.pull_timeout is no number of "
		       "seconds");
		return;
	}
	if (seconds < 600)
		tg_say(l, WARN,
		       "environment: {pull_timeout: 1200}   (or docker pull the images first)",
		       "an image must arrive within %g s%s, and some are still to be pulled: an "
		       "instance whose "
		       "image takes longer ends with TimeoutExpired",
		       seconds, text ? "" : " (the default)");
	else
		tg_say(l, OK, NULL, "%g s", seconds);
}
