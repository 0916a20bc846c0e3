#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

/* When a check applies. */
enum {
	ALWAYS = 0,
	MINI = 1,    /* the agent is mini-swe-agent */
	HARNESS = 2, /* the evaluator is the SWE-bench harness */
	TOOLS = MINI | HARNESS, /* either */
	INPUT = 4,
	HARD = 8,
	ENDS = 16
};

static const struct check {
	const char *id, *section, *title;
	unsigned flags;
	tg_check_fn *fn;
} checks[] = {
	{ "glued-command", "G1", "command line", INPUT, tg_check_glued },
	{ "python", "A", "Python", TOOLS, tg_check_python },
	{ "mini-swe-agent", "A", "mini-swe-agent", MINI, tg_check_mini },
	{ "swebench", "A", "SWE-bench harness", HARNESS, tg_check_swebench },
	{ "containers", "A", "containers", TOOLS, tg_check_docker },
	{ "docker-desktop", "A", "Docker Desktop", TOOLS, tg_check_docker_desktop },
	{ "config", "B", "agent config", MINI | INPUT, tg_check_config_parses },
	{ "config-keys", "B", "config's keys", MINI | INPUT, tg_check_config_keys },
	{ "config-secret", "B", "keys in the config", MINI | INPUT, tg_check_secret_in_config },
	{ "model", "E1", "model", MINI | INPUT, tg_check_model },
	{ "model-id", "E1", "--model-id", MINI | INPUT, tg_check_model_id },
	{ "keys", "A", "provider key", MINI, tg_check_keys },
	{ "cost", "B", "cost", MINI | INPUT, tg_check_cost },
	{ "cwd", "G2", "working directory", MINI | INPUT, tg_check_cwd },
	{ "template", "G2", "prompt", MINI | INPUT, tg_check_template },
	{ "dataset", "C", "data set", INPUT, tg_check_dataset },
	{ "slice", "C", "slice", INPUT, tg_check_slice },
	{ "columns", "C", "rows for the harness", HARNESS | INPUT, tg_check_columns },
	{ "repeat", "F", "repeats", INPUT, tg_check_repeat },
	{ "repositories", "C", "repositories", ALWAYS, tg_check_repos },
	{ "images", "G3", "images", TOOLS, tg_check_images },
	{ "pull-timeout", "G3", "pull timeout", MINI | INPUT, tg_check_pull_timeout },
	{ "image-disk", "G3", "disk for images", TOOLS, tg_check_disk },
	{ "place", "machine", "run directory", HARD | INPUT, tg_check_place },
	{ "place-disk", "G3", "disk for the run", ALWAYS, tg_check_place_free },
	{ "sandbox", "machine", "sandbox", ALWAYS, tg_check_userns },
	{ "wsl", "machine", "WSL", ENDS, tg_check_wsl },
	{ "session", "machine", "logging out", ENDS, tg_check_session },
	{ "clock", "machine", "clock", ALWAYS, tg_check_clock },
	{ "locale", "machine", "locale", ALWAYS, tg_check_locale },
	{ "terminal", "machine", "terminal", ALWAYS, tg_check_terminal },
	{ "files", "machine", "open files", ALWAYS, tg_check_files },
	{ "inotify", "machine", "file watches", ALWAYS, tg_check_inotify },
};
#define N_CHECKS (sizeof checks / sizeof *checks)

/* ---- a line ----------------------------------------------------------------------------- */

static void say_va(struct tg_doctor_line *l, enum tg_doctor_state s, const char *fmt, va_list ap)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_buf_vaddf(&b, fmt, ap);
	free(l->text);
	l->text = tg_text_line(tg_buf_cstr(&b), b.n, 2000);
	l->state = s;
	tg_buf_fini(&b);
}

void tg_say(struct tg_doctor_line *l, enum tg_doctor_state s, const char *mend, const char *fmt,
	    ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_va(l, s, fmt, ap);
	va_end(ap);
	free(l->mend);
	l->mend = tg_strdup(mend);
}

void tg_say_take(struct tg_doctor_line *l, enum tg_doctor_state s, char *mend, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_va(l, s, fmt, ap);
	va_end(ap);
	free(l->mend);
	l->mend = mend ? tg_text_line(mend, strlen(mend), 2000) : NULL;
	free(mend);
}

char *tg_gigabytes(int64_t bytes)
{
	return tg_asprintf("%.1f GB", (double)bytes / 1e9);
}

/* ---- the examination -------------------------------------------------------------------- */

static void load_config(struct tg_exam *x)
{
	if (!x->ask->config)
		return;
	x->config = tg_yaml_load(x->ask->config, TG_YAML_ALIASES, &x->config_err);
	if (x->config && x->config->kind != TG_YAML_MAP) {
		tg_yaml_free(x->config);
		x->config = NULL;
		tg_fail(&x->config_err, TG_E_INPUT,
			"%s:1:1: the agent's config must be a mapping with the "
			"sections agent, model, environment",
			x->ask->config);
	}
}

static void load_rows(struct tg_exam *x)
{
	const struct tg_doctor_ask *a = x->ask;
	const char *given = a->dataset ? a->dataset : x->mini ? "lite" : "demo";

	/* without anything that asks for rows (plain `tgmon doctor`) none are fetched */
	x->wants_dataset = a->dataset || a->config || !x->mini;
	if (!x->wants_dataset)
		return;
	if (!tg_dataset_locate(given, a->split, &x->place, &x->ds_err) ||
	    !tg_dataset_export(&x->place, x->f->python, &x->ds_err) ||
	    !tg_dataset_load(&x->ds, x->place.path, &x->ds_err))
		return;
	tg_slice_indices(a->slice ? a->slice : ":", x->ds.n, &x->pick, &x->pick_n, &x->slice_err);
}

static void exam_init(struct tg_exam *x, const struct tg_doctor_ask *ask)
{
	*x = (struct tg_exam){ .ask = ask };
	x->agent = ask->agent ? ask->agent : "mini";
	x->evaluator = ask->evaluator ? ask->evaluator : "swebench";
	x->mini = tg_streq(x->agent, "mini");
	x->harness = tg_streq(x->evaluator, "swebench");
	load_config(x);
}

static void exam_fini(struct tg_exam *x)
{
	tg_yaml_free(x->config);
	tg_dataset_place_fini(&x->place);
	tg_dataset_fini(&x->ds);
	free(x->pick);
}

static void add_line(struct tg_doctor *d, struct tg_doctor_line *l)
{
	if (!l->text)
		return;
	d->v = tg_realloc(d->v, (d->n + 1) * sizeof *d->v);
	d->v[d->n++] = *l;
	d->warnings += l->state == TG_DOCTOR_WARNING;
	if (l->state != TG_DOCTOR_FAILURE)
		return;
	d->failures++;
	d->hard += l->hard;
	d->input_failures += l->input;
}

static bool applies(const struct check *c, const struct tg_exam *x)
{
	unsigned here = (x->mini ? MINI : 0) | (x->harness ? HARNESS : 0);

	return !(c->flags & TOOLS) || (c->flags & here);
}

static void check_all(struct tg_doctor *d, struct tg_exam *x, const struct tg_machine *f)
{
	x->f = f;
	load_rows(x);
	for (size_t i = 0; i < N_CHECKS; i++) {
		const struct check *c = &checks[i];
		struct tg_doctor_line l = { .id = c->id, .section = c->section, .title = c->title,
					    .input = c->flags & INPUT, .hard = c->flags & HARD,
					    .ends_run = c->flags & ENDS };

		if (applies(c, x))
			c->fn(x, &l);
		add_line(d, &l);
	}
}

void tg_doctor_check(struct tg_doctor *d, const struct tg_doctor_ask *ask,
		     const struct tg_machine *f)
{
	struct tg_exam x;

	*d = (struct tg_doctor){ 0 };
	exam_init(&x, ask);
	check_all(d, &x, f);
	exam_fini(&x);
}

void tg_doctor_examine(struct tg_doctor *d, const struct tg_doctor_ask *ask)
{
	struct tg_machine_ask want = { .output = ask->output };
	struct tg_machine f;
	struct tg_exam x;

	*d = (struct tg_doctor){ 0 };
	exam_init(&x, ask);
	want.tools = x.mini || x.harness;
	want.model_name = tg_conf_model(&x);
	want.model_class = tg_conf_text(x.config, "model", "model_class");
	want.registry = tg_conf_text(x.config, "model", "litellm_model_registry");
	want.docker = tg_conf_text(x.config, "environment", "executable");
	tg_machine_read(&f, &want);
	check_all(d, &x, &f);
	exam_fini(&x);
	tg_machine_fini(&f);
}

void tg_doctor_fini(struct tg_doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].text);
		free(d->v[i].mend);
	}
	free(d->v);
	*d = (struct tg_doctor){ 0 };
}

const struct tg_doctor_line *tg_doctor_find(const struct tg_doctor *d, const char *id)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->v[i].id, id))
			return &d->v[i];
	return NULL;
}

int tg_doctor_exit(const struct tg_doctor *d, bool force)
{
	size_t count = force ? d->hard : d->failures;

	if (!count)
		return TG_E_NONE;
	return force || d->input_failures == d->failures ? TG_E_INPUT : TG_E_MACHINE;
}

/* ---- said ------------------------------------------------------------------------------- */

const char *tg_doctor_state_name(enum tg_doctor_state s)
{
	static const char *const names[] = { "ok", "warning", "failure" };

	return names[s];
}

struct cJSON *tg_doctor_json(const struct tg_doctor *d)
{
	struct cJSON *o = tg_json_object(), *list = tg_json_array();

	tg_json_set_str(o, "schema", "tgmon.doctor.v1");
	tg_json_set_bool(o, "ok", !d->failures);
	tg_json_set_int(o, "failures", (int64_t)d->failures);
	tg_json_set_int(o, "warnings", (int64_t)d->warnings);
	for (size_t i = 0; i < d->n; i++) {
		const struct tg_doctor_line *l = &d->v[i];
		struct cJSON *c = tg_json_object();

		tg_json_set_str(c, "id", l->id);
		tg_json_set_str(c, "section", l->section);
		tg_json_set_str(c, "title", l->title);
		tg_json_set_str(c, "state", tg_doctor_state_name(l->state));
		tg_json_set_str(c, "text", l->text);
		tg_json_set_str(c, "mend", l->mend);
		tg_json_set_bool(c, "forcible", !l->hard);
		tg_json_set_bool(c, "ends_run", l->ends_run && l->state != TG_DOCTOR_OK);
		tg_json_push(list, c);
	}
	tg_json_set(o, "checks", list);
	return o;
}

void tg_doctor_print(const struct tg_doctor *d, enum tg_doctor_state least, struct tg_buf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct tg_doctor_line *l = &d->v[i];

		if (l->state < least)
			continue;
		tg_buf_addf(out, "%-8s %-20s %s", tg_doctor_state_name(l->state), l->title,
			    l->text);
		if (strcmp(l->section, "machine") != 0 && l->state != TG_DOCTOR_OK)
			tg_buf_addf(out, " (runbook %s)", l->section);
		tg_buf_adds(out, "\n");
		if (l->mend && l->state != TG_DOCTOR_OK)
			tg_buf_addf(out, "%-8s %-20s -> %s\n", "", "", l->mend);
	}
}

char *tg_doctor_detach_text(void)
{
	static const struct tg_doctor_ask ask = { .agent = "replay", .evaluator = "local" };
	struct tg_machine f = { .inotify_watches = -1, .windows_free = -1, .place_free = -1,
			      .docker_free = -1 };
	struct tg_exam x = { .ask = &ask, .f = &f };
	struct tg_buf out = TG_BUF_INIT;

	tg_machine_basics(&f);
	for (size_t i = 0; i < N_CHECKS; i++) {
		struct tg_doctor_line l = { 0 };

		if (!(checks[i].flags & ENDS))
			continue;
		checks[i].fn(&x, &l);
		if (l.text && l.state != TG_DOCTOR_OK)
			tg_buf_addf(&out, "%s: %s%s%s\n", checks[i].title, l.text,
				    l.mend ? "\n  -> " : "", l.mend ? l.mend : "");
		free(l.text);
		free(l.mend);
	}
	tg_machine_fini(&f);
	return out.n ? tg_buf_detach(&out) : tg_strdup("");
}
