#include <stdlib.h>
#include <string.h>
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/job.h"

#define JOB_SCHEMA "tgmon.job.v1"
#define EXIT_SCHEMA "tgmon.exit.v1"

static void free_list(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

void tg_job_fini(struct tg_job *job)
{
	free(job->instance_id);
	free(job->dir);
	free(job->cwd);
	free_list(job->argv);
	free_list(job->after);
	free_list(job->env);
	free_list(job->env_pass);
	for (int i = 0; i < TG_STAGE_COUNT; i++)
		free(job->inputs[i]);
	*job = (struct tg_job){ 0 };
}

/* ---- limits: one table for both directions -------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} limit_fields[] = {
	{ "cpu_s", offsetof(struct tg_limits, cpu_s) },
	{ "as_bytes", offsetof(struct tg_limits, as_bytes) },
	{ "fsize_bytes", offsetof(struct tg_limits, fsize_bytes) },
	{ "nofile", offsetof(struct tg_limits, nofile) },
	{ "nproc", offsetof(struct tg_limits, nproc) },
};
#define LIMIT_FIELDS (sizeof limit_fields / sizeof *limit_fields)

static struct cJSON *limits_json(const struct tg_limits *l)
{
	struct cJSON *o = tg_json_object();
	int64_t v;

	for (size_t i = 0; i < LIMIT_FIELDS; i++) {
		memcpy(&v, (const char *)l + limit_fields[i].offset, sizeof v);
		tg_json_set_int(o, limit_fields[i].name, v);
	}
	return o;
}

static void limits_read(const struct cJSON *o, struct tg_limits *l)
{
	int64_t v;

	for (size_t i = 0; i < LIMIT_FIELDS; i++) {
		v = tg_json_int(o, limit_fields[i].name, 0);
		memcpy((char *)l + limit_fields[i].offset, &v, sizeof v);
	}
}

/* ---- spec.json ------------------------------------------------------------------------------ */

static struct cJSON *list_json(char *const *list)
{
	struct cJSON *a = tg_json_array();

	for (; list && *list; list++)
		tg_json_push_str(a, *list);
	return a;
}

static struct cJSON *job_json(const struct tg_job *job)
{
	struct cJSON *o = tg_json_object(), *in = tg_json_object();

	tg_json_set_str(o, "schema", JOB_SCHEMA);
	tg_json_set_str(o, "stage", tg_stage_name(job->stage));
	tg_json_set_str(o, "instance_id", job->instance_id);
	tg_json_set_int(o, "attempt", job->attempt);
	tg_json_set_int(o, "k", job->k);
	tg_json_set(o, "argv", list_json(job->argv));
	if (job->after)
		tg_json_set(o, "after", list_json(job->after));
	tg_json_set(o, "env", list_json(job->env));
	tg_json_set(o, "env_pass", list_json(job->env_pass));
	tg_json_set_str(o, "cwd", job->cwd);
	tg_json_set_int(o, "timeout_s", job->timeout_s);
	tg_json_set_int(o, "grace_s", job->grace_s);
	tg_json_set(o, "limits", limits_json(&job->limits));
	for (int i = 0; i < TG_STAGE_COUNT; i++)
		if (job->inputs[i])
			tg_json_set_str(in, tg_stage_name((enum tg_stage)i), job->inputs[i]);
	tg_json_set(o, "inputs", in);
	return o;
}

bool tg_job_write(const struct tg_job *job, char spec_sha256[65], struct tg_err *err)
{
	struct cJSON *o = job_json(job);
	struct tg_buf text = TG_BUF_INIT;
	char *path = tg_path_join(job->dir, "spec.json");
	bool ok;

	tg_json_print(o, TG_JSON_PY_INDENT2, &text);
	tg_buf_addc(&text, '\n');
	if (spec_sha256)
		tg_sha256_hex(text.p, text.n, spec_sha256);
	ok = tg_file_write(path, text.p, text.n, 0600, err);
	free(path);
	tg_buf_fini(&text);
	tg_json_free(o);
	return ok;
}

static bool list_read(const struct cJSON *a, const char *what, char ***out, struct tg_err *err)
{
	size_t n = 0;

	*out = tg_calloc(tg_json_len(a) + 1, sizeof **out);
	for (const struct cJSON *c = tg_json_first(a); c; c = tg_json_next(c)) {
		if (!tg_json_text(c))
			return tg_fail(err, TG_E_INPUT,
				       "spec.json: %s holds something that is no text", what);
		(*out)[n++] = tg_strdup(tg_json_text(c));
	}
	return true;
}

static bool job_read(struct tg_job *job, const struct cJSON *o, struct tg_err *err)
{
	const struct cJSON *in = tg_json_get(o, "inputs");
	enum tg_stage stage;

	if (!tg_streq(tg_json_str(o, "schema"), JOB_SCHEMA))
		return tg_fail(err, TG_E_INPUT, "spec.json is not of the schema %s", JOB_SCHEMA);
	job->stage = tg_stage_parse(tg_json_str(o, "stage"));
	if (job->stage == TG_STAGE_COUNT)
		return tg_fail(err, TG_E_INPUT, "spec.json names an unknown stage");
	job->instance_id = tg_strdup(tg_json_str(o, "instance_id"));
	job->attempt = (int)tg_json_int(o, "attempt", 0);
	job->k = (int)tg_json_int(o, "k", 0);
	job->cwd = tg_strdup(tg_json_str(o, "cwd"));
	job->timeout_s = (int)tg_json_int(o, "timeout_s", 0);
	job->grace_s = (int)tg_json_int(o, "grace_s", 0);
	limits_read(tg_json_get(o, "limits"), &job->limits);
	for (const struct cJSON *c = tg_json_first(in); c; c = tg_json_next(c)) {
		stage = tg_stage_parse(tg_json_key(c));
		if (stage != TG_STAGE_COUNT && tg_json_text(c)) {
			free(job->inputs[stage]);
			job->inputs[stage] = tg_strdup(tg_json_text(c));
		}
	}
	if (!list_read(tg_json_get(o, "argv"), "argv", &job->argv, err) ||
	    (tg_json_get(o, "after") &&
	     !list_read(tg_json_get(o, "after"), "after", &job->after, err)) ||
	    !list_read(tg_json_get(o, "env"), "env", &job->env, err) ||
	    !list_read(tg_json_get(o, "env_pass"), "env_pass", &job->env_pass, err))
		return false;
	return job->argv[0] ? true : tg_fail(err, TG_E_INPUT, "spec.json: argv is empty");
}

bool tg_job_load(struct tg_job *job, const char *dir, struct tg_err *err)
{
	const struct tg_json_limits limits = { .max_bytes = 4 << 20, .max_depth = 8 };
	char *path = tg_path_join(dir, "spec.json");
	struct cJSON *o = tg_json_load(path, &limits, err);
	bool ok = false;

	*job = (struct tg_job){ .dir = tg_strdup(dir) };
	if (o)
		ok = job_read(job, o, err);
	if (!ok) {
		tg_job_fini(job);
		tg_fail_in(err, "job %s", dir);
	}
	tg_json_free(o);
	free(path);
	return ok;
}

/* ---- exit.json ------------------------------------------------------------------------------ */

bool tg_exit_load(struct tg_exit *x, const char *job_dir, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;
	const char *why;
	bool ok = tg_file_read_beneath(job_dir, "exit.json", 1 << 16, &text, err);

	*x = (struct tg_exit){ .code = -1 };
	if (ok)
		o = tg_json_parse(text.p, text.n, "exit.json", NULL, err);
	why = tg_json_str(o, "why");
	if (ok && !o)
		ok = false;
	else if (ok && (!tg_streq(tg_json_str(o, "schema"), EXIT_SCHEMA) || !why ||
			strlen(why) >= sizeof x->why))
		ok = tg_fail(err, TG_E_INPUT, "%s/exit.json is not of the schema %s", job_dir,
			     EXIT_SCHEMA);
	if (ok) {
		x->code = (int)tg_json_int(o, "code", -1);
		x->sig = (int)tg_json_int(o, "sig", 0);
		memcpy(x->why, why, strlen(why) + 1);
		x->started_ms = tg_json_int(o, "started_ms", 0);
		x->ended_ms = tg_json_int(o, "ended_ms", 0);
		x->oom = tg_json_bool(o, "oom", false);
		x->log_truncated = tg_json_bool(o, "log_truncated", false);
	}
	tg_json_free(o);
	tg_buf_fini(&text);
	return ok;
}
