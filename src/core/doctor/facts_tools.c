/* The user's Python and the container engine (facts.h). */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include "core/dataset/embed.h"
#include "core/dataset/names.h"
#include "core/doctor/facts.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define PROBE_MS 90000 /* litellm alone can take many seconds on a cold disk */
#define DOCKER_MS 5000
#define MARK "\nTGMON-FACTS "

TG_EMBED(tg_probe_py, "/python/probe.py");

/* Words of a tool that are shown: one line, safe. */
static char *safe(const char *s)
{
	return s ? tg_text_line(s, strlen(s), 200) : NULL;
}

static char *last_line(const struct tg_buf *b)
{
	const char *p = tg_buf_cstr(b), *end = p + b->n, *start;

	while (end > p && strchr(" \t\r\n", end[-1]))
		end--;
	for (start = end; start > p && start[-1] != '\n'; start--)
		;
	return tg_text_line(start, (size_t)(end - start), 200);
}

/* ---- Python --------------------------------------------------------------------------- */

static void take_pkg(struct tg_pkg *p, const struct cJSON *all, const char *name)
{
	const struct cJSON *o = tg_json_get(all, name);

	p->version = safe(tg_json_str(o, "version"));
	p->error = safe(tg_json_str(o, "error"));
}

static void take_names(struct tg_names *to, const struct cJSON *list)
{
	for (const struct cJSON *v = tg_json_first(list); v; v = tg_json_next(v))
		if (tg_json_text(v))
			tg_names_add(to, tg_json_text(v), strlen(tg_json_text(v)));
}

static void take_price(struct tg_machine *f, const struct cJSON *price)
{
	if (tg_json_kind(price) != TG_JSON_ARRAY)
		return;
	f->priced = tg_json_len(price) == 2 ? TG_YES : TG_NO;
	if (f->priced == TG_YES) {
		f->price_in = tg_json_number(tg_json_first(price), 0);
		f->price_out = tg_json_number(tg_json_next(tg_json_first(price)), 0);
	}
}

static void take_probe(struct tg_machine *f, const struct cJSON *o)
{
	const struct cJSON *pkgs = tg_json_get(o, "packages");

	f->python_version = safe(tg_json_str(o, "python"));
	f->venv = tg_json_bool(o, "venv", false) ? TG_YES : TG_NO;
	take_pkg(&f->mini, pkgs, "minisweagent");
	take_pkg(&f->swebench, pkgs, "swebench");
	take_pkg(&f->yaml, pkgs, "yaml");
	take_pkg(&f->datasets, pkgs, "datasets");
	take_pkg(&f->litellm, pkgs, "litellm");
	take_names(&f->accepted_agent, tg_json_path(o, "accepted.agent"));
	take_names(&f->accepted_model, tg_json_path(o, "accepted.model"));
	take_names(&f->accepted_environment, tg_json_path(o, "accepted.environment"));
	take_price(f, tg_json_get(o, "price"));
}

static char *probe_input(const struct tg_machine_ask *ask)
{
	struct cJSON *o = tg_json_object();
	struct tg_buf b = TG_BUF_INIT;

	tg_json_set_str(o, "model_name", ask->model_name);
	tg_json_set_str(o, "model_class", ask->model_class);
	tg_json_set_str(o, "registry", ask->registry);
	tg_json_print(o, TG_JSON_COMPACT, &b);
	tg_json_free(o);
	return tg_buf_detach(&b);
}

/* The probe's answer, or NULL and *why. */
static struct cJSON *probe(const char *python, const struct tg_machine_ask *ask, char **why)
{
	const char *const argv[] = { python, "-c", tg_probe_py, NULL };
	struct tg_proc_result r = { 0 };
	char *input = probe_input(ask);
	struct tg_err err = { 0 };
	struct cJSON *o = NULL;
	const char *at;

	*why = NULL;
	if (tg_proc_run(&(struct tg_spawn){ .argv = argv, .cwd = "/", .new_session = true,
					    .die_with_parent = true },
			input, strlen(input), PROBE_MS, 1 << 20, &r, &err)) {
		at = strstr(tg_buf_cstr(&r.out), MARK);
		if (at)
			o = tg_json_parse(at + strlen(MARK), strlen(at + strlen(MARK)), "probe",
					  NULL, NULL);
		if (!o)
			*why = r.timed_out ? tg_asprintf("no answer within %d s", PROBE_MS / 1000) :
					     last_line(&r.err);
	} else
		*why = tg_strdup(err.msg);
	tg_proc_result_fini(&r);
	free(input);
	return o;
}

/* The harness may live in another environment than mini-extra: the active one, or PATH's. */
static void look_for_harness(struct tg_machine *f)
{
	static const struct tg_machine_ask nothing = { 0 };
	const char *venv = getenv("VIRTUAL_ENV");
	char *other[] = { venv && *venv ? tg_path_join(venv, "bin/python3") : NULL,
			  tg_which("python3") };

	for (size_t i = 0; i < 2; i++) {
		char *why = NULL;
		struct cJSON *o = NULL;

		if (other[i] && !f->swebench.version && !tg_streq(other[i], f->python))
			o = probe(other[i], &nothing, &why);
		if (tg_json_str(tg_json_path(o, "packages.swebench"), "version")) {
			free(f->swebench.error);
			take_pkg(&f->swebench, tg_json_get(o, "packages"), "swebench");
			f->harness_python = tg_strdup(other[i]);
		}
		tg_json_free(o);
		free(why);
		free(other[i]);
	}
}

void tg_machine_python(struct tg_machine *f, const struct tg_machine_ask *ask)
{
	struct cJSON *o;

	f->mini_extra = tg_which("mini-extra");
	f->python = tg_user_python();
	o = f->python ? probe(f->python, ask, &f->probe_error) : NULL;
	if (o)
		take_probe(f, o);
	tg_json_free(o);
	if (!f->swebench.version)
		look_for_harness(f);
}

/* ---- containers ------------------------------------------------------------------------ */

static bool docker(const struct tg_machine *f, const char *const *args, struct tg_proc_result *r)
{
	const char *argv[16] = { f->docker };

	for (size_t i = 0; args[i] && i < 14; i++)
		argv[i + 1] = args[i];
	*r = (struct tg_proc_result){ 0 };
	return tg_proc_run(&(struct tg_spawn){ .argv = argv,
					       .new_session = true,
					       .die_with_parent = true },
			   NULL, 0, DOCKER_MS, 16 << 20, r, NULL) &&
	       r->code == 0;
}

static const char *either(const struct cJSON *o, const char *of_docker, const char *of_podman)
{
	const char *s = tg_json_text(tg_json_path(o, of_docker));

	return s ? s : tg_json_text(tg_json_path(o, of_podman));
}

static int64_t free_below(const char *path)
{
	struct statvfs v;

	if (!path || *path != '/' || statvfs(path, &v) != 0)
		return -1;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

static void take_info(struct tg_machine *f, const struct tg_proc_result *r)
{
	static const struct tg_json_limits limits = { .dup_keys_ok = true };
	struct cJSON *o = tg_json_parse(tg_buf_cstr(&r->out), r->out.n, "info", &limits, NULL);
	const char *version = either(o, "ServerVersion", "version.Version");

	/* the client prints half an answer and exit code 0 when no daemon is there */
	f->docker_answers = version && *version ? TG_YES : TG_NO;
	f->docker_version = safe(version);
	f->docker_os = safe(either(o, "OperatingSystem", "host.distribution.distribution"));
	f->docker_root = safe(either(o, "DockerRootDir", "store.graphRoot"));
	if (f->docker_answers == TG_NO) {
		const struct cJSON *e = tg_json_first(tg_json_get(o, "ServerErrors"));

		f->docker_error = safe(tg_json_text(e));
	}
	if (!f->docker_os || !strstr(f->docker_os, "Docker Desktop"))
		f->docker_free = free_below(f->docker_root);
	tg_json_free(o);
}

static void take_images(struct tg_machine *f)
{
	static const char *const args[] = { "image", "ls", "--format", "{{.Repository}}:{{.Tag}}",
					    NULL };
	struct tg_proc_result r;

	f->images_known = docker(f, args, &r);
	for (const char *p = tg_buf_cstr(&r.out); f->images_known && *p;) {
		size_t n = strcspn(p, "\n"), skip = 0;

		if (tg_starts_with(p, "docker.io/"))
			skip = strlen("docker.io/");
		else if (tg_starts_with(p, "localhost/"))
			skip = strlen("localhost/");
		if (n > skip)
			tg_names_add(&f->images, p + skip, n - skip);
		p += n + (p[n] == '\n');
	}
	tg_proc_result_fini(&r);
}

/* How big are such images? Of up to eight that are here. */
static void measure_images(struct tg_machine *f)
{
	const char *args[13] = { "image", "inspect", "--format", "{{.Size}}" };
	struct tg_proc_result r;
	size_t n = 4, seen = 0;
	int64_t sum = 0;

	for (size_t i = 0; i < f->images.n && n < 12; i++)
		if (strstr(f->images.v[i], "sweb.eval."))
			args[n++] = f->images.v[i];
	if (n == 4)
		return;
	if (docker(f, args, &r))
		for (char *p = r.out.p, *end; p && *p; p = end + 1) {
			int64_t v;

			end = p + strcspn(p, "\n");
			if (!*end)
				break;
			*end = '\0';
			if (tg_parse_i64(p, &v) && v > 0)
				sum += v, seen++;
		}
	f->image_bytes = seen ? sum / (int64_t)seen : 0;
	tg_proc_result_fini(&r);
}

/* Some stand-ins know no `info`; the runbook's own question (A3) is `ps`. */
static bool lists_containers(struct tg_machine *f)
{
	static const char *const args[] = { "ps", "-q", NULL };
	struct tg_proc_result r;
	bool ok = docker(f, args, &r);

	tg_proc_result_fini(&r);
	if (ok) {
		f->docker_answers = TG_YES;
		f->docker_version = tg_strdup("(version not told)");
	}
	return ok;
}

void tg_machine_docker(struct tg_machine *f, const struct tg_machine_ask *ask)
{
	static const char *const args[] = { "info", "--format", "{{json .}}", NULL };
	const char *env = getenv("MSWEA_DOCKER_EXECUTABLE");
	struct tg_proc_result r;

	f->docker_asked = tg_strdup(ask->docker ? ask->docker : env && *env ? env : "docker");
	f->docker = strchr(f->docker_asked, '/') ? tg_path_abs(f->docker_asked)
						 : tg_which(f->docker_asked);
	if (!f->docker)
		return;
	if (docker(f, args, &r))
		take_info(f, &r);
	else if (r.timed_out || !lists_containers(f)) {
		f->docker_answers = TG_NO;
		f->docker_error = r.timed_out
					  ? tg_asprintf("no answer within %d s", DOCKER_MS / 1000)
					  : last_line(&r.err);
	}
	tg_proc_result_fini(&r);
	if (f->docker_answers != TG_YES)
		return;
	take_images(f);
	measure_images(f);
}
