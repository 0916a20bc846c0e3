/* Evaluator `swebench`: the user's Python with the harness in it, and the container tool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"
#include "core/run/job.h"

#define DOCKER_MS 5000
#define IMPORT_MS 120000 /* the first import of a large venv on a cold disk */

/* Settings that decide which harness and which daemon it is; frozen, so that a resume from a bare
 * shell means the same ones. */
static const char *const frozen_env[] = {
    "PYTHONPATH",     "DOCKER_HOST",	 "DOCKER_CONTEXT",	    "DOCKER_CONFIG",
    "CONTAINER_HOST", "CONTAINERS_CONF", "SWEBENCH_DOCKER_TIMEOUT", "SWEBENCH_DOCKER_POOL_SIZE",
};

/* May hold a password: never written, passed on from the runner's own environment. */
static const char *const passed_env[] = {
    "HTTP_PROXY",	"HTTPS_PROXY",	     "NO_PROXY",      "http_proxy",
    "https_proxy",	"no_proxy",	     "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
    "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "SSH_AUTH_SOCK",
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- the container tool ---- */

static const struct engine {
	const char *name, *format;
} engines[] = {
    {"docker", "{{.Server.Version}}"},
    {"podman", "{{.Client.Version}}"},
};

/* The version that it answers with, or NULL and why. */
static char *ask_engine(const struct engine *e, const char *path, struct tg_buf *why)
{
	const char *const argv[] = {path, "version", "--format", e->format, NULL};
	struct tg_proc_result r;
	struct tg_err err = {0};
	char *version = NULL, *said;

	if (!tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, DOCKER_MS, 4096, &r, &err)) {
		tg_buf_addf(why, "%s: %s; ", path, err.msg);
		return NULL;
	}
	if (r.code == 0 && r.out.n) {
		version = tg_text_line(r.out.p, strcspn(tg_buf_cstr(&r.out), "\r\n"), 60);
	} else if (r.timed_out) {
		tg_buf_addf(why, "%s does not answer within 5 s; ", path);
	} else {
		said = tg_text_line(tg_buf_cstr(&r.err), strcspn(tg_buf_cstr(&r.err), "\r\n"), 160);
		tg_buf_addf(why, "%s says \"%s\"; ", path, said);
		free(said);
	}
	tg_proc_result_fini(&r);
	return version;
}

bool tg_docker_find(char **path, char **version, struct tg_err *err)
{
	struct tg_buf why = TG_BUF_INIT;

	*path = *version = NULL;
	for (size_t i = 0; i < COUNT(engines) && !*version; i++) {
		free(*path);
		*path = tg_which(engines[i].name);
		if (*path)
			*version = ask_engine(&engines[i], *path, &why);
	}
	if (!*version) {
		free(*path);
		*path = NULL;
		tg_fail(
		    err, TG_E_MACHINE,
		    "no container tool answers (%s): start Docker (in WSL2: Docker Desktop with "
		    "its integration on for this system), or install podman",
		    why.n ? tg_buf_cstr(&why) : "neither docker nor podman is in PATH");
	}
	tg_buf_fini(&why);
	return *version != NULL;
}

/* ---- Python ---- */

int tg_swe_generation(const char *version)
{
	if (!version || (version[0] != '4' && version[0] != '5') || version[1] != '.')
		return 0;
	return version[0] - '0';
}

/* Candidates in order: the active venv, then PATH. A venv's python is a link that must stay one. */
static char *candidate(size_t i)
{
	static const char *const in_venv[] = {"bin/python3", "bin/python"};
	const char *venv = getenv("VIRTUAL_ENV");
	char *path, *abs;

	if (i >= COUNT(in_venv))
		return i == 2 ? tg_which("python3") : tg_which("python");
	if (!venv || !*venv)
		return NULL;
	path = tg_path_join(venv, in_venv[i]);
	abs = tg_which(path);
	free(path);
	return abs;
}

static char *last_line(const struct tg_buf *b)
{
	const char *p = tg_buf_cstr(b), *end = p + b->n, *from;

	while (end > p && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	for (from = end; from > p && from[-1] != '\n';)
		from--;
	return tg_text_line(from, (size_t)(end - from), 200);
}

/* swebench.__version__ under *python, or NULL and why. *python becomes what it calls itself: a
 * wrapper that chooses by folder or environment is not what a resume may find again. */
static char *ask_python(char **python, struct tg_buf *why)
{
	const char *const argv[] = {*python, "-c",
				    "import sys, swebench\n"
				    "print('\\ntgmon-version', swebench.__version__)\n"
				    "print('tgmon-python', sys.executable)",
				    NULL};
	static const char mark[] = "\ntgmon-version ", self[] = "\ntgmon-python ";
	struct tg_proc_result r;
	struct tg_err err = {0};
	char *version = NULL, *said;
	const char *at, *exe;

	if (!tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, IMPORT_MS, 1 << 16, &r, &err)) {
		tg_buf_addf(why, "%s: %s; ", *python, err.msg);
		return NULL;
	}
	at = strstr(tg_buf_cstr(&r.out), mark);
	if (r.code == 0 && at) {
		at += sizeof mark - 1;
		version = tg_text_line(at, strcspn(at, "\r\n"), 60);
		exe = strstr(at, self);
		exe = exe ? exe + sizeof self - 1 : "";
		if (*exe == '/') {
			free(*python);
			*python = tg_strndup(exe, strcspn(exe, "\r\n"));
		}
	} else {
		said = r.timed_out ? tg_strdup("the import takes longer than 120 s")
				   : last_line(&r.err);
		tg_buf_addf(why, "%s: %s; ", *python, said);
		free(said);
	}
	tg_proc_result_fini(&r);
	return version;
}

static bool find_python(char **python, char **version, struct tg_err *err)
{
	struct tg_buf why = TG_BUF_INIT;

	*python = *version = NULL;
	for (size_t i = 0; i < 4 && !*version; i++) {
		free(*python);
		*python = candidate(i);
		if (*python)
			*version = ask_python(python, &why);
	}
	if (!*version)
		tg_fail(
		    err, TG_E_MACHINE,
		    "no Python here can import swebench (%s): activate the environment that has "
		    "it, or pip install swebench",
		    why.n ? tg_buf_cstr(&why) : "python3 is not in PATH");
	else if (!tg_swe_generation(*version))
		tg_fail(err, TG_E_MACHINE,
			"%s has swebench %s; 4.x and 5.x are known here: install one of them",
			*python, *version);
	tg_buf_fini(&why);
	return *version && tg_swe_generation(*version);
}

/* ---- freezing ---- */

static const struct tg_tool *find_tool(const struct tg_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->tools_n; i++)
		if (tg_streq(spec->tools[i].name, name))
			return &spec->tools[i];
	return NULL;
}

static void freeze(struct tg_spec *spec, const char *name, const char *path, const char *version)
{
	if (find_tool(spec, name))
		return; /* another backend found it first, in the same environment */
	spec->tools = tg_realloc(spec->tools, (spec->tools_n + 1) * sizeof *spec->tools);
	spec->tools[spec->tools_n++] =
	    (struct tg_tool){tg_strdup(name), tg_strdup(path), tg_strdup(version)};
}

bool tg_swe_find(struct tg_spec *spec, struct tg_err *err)
{
	char *python = NULL, *version = NULL, *docker = NULL, *docker_version = NULL;
	bool ok =
	    find_python(&python, &version, err) && tg_docker_find(&docker, &docker_version, err);

	if (ok) {
		freeze(spec, "swebench", python, version);
		freeze(spec, tg_path_base(docker), docker, docker_version);
		for (size_t i = 0; i < COUNT(frozen_env); i++) {
			const char *value = getenv(frozen_env[i]);
			char *name = tg_asprintf("env:%s", frozen_env[i]);

			if (value && *value)
				freeze(spec, name, value, "");
			free(name);
		}
	}
	free(python);
	free(version);
	free(docker);
	free(docker_version);
	return ok;
}

bool tg_swe_tools(const struct tg_spec *spec, struct tg_swe_tools *t, struct tg_err *err)
{
	const struct tg_tool *python = find_tool(spec, "swebench");
	const struct tg_tool *docker = find_tool(spec, "docker");

	if (!docker)
		docker = find_tool(spec, "podman");
	if (!python || !docker)
		return tg_fail(err, TG_E_INPUT,
			       "this run froze no %s at its launch: it was not launched with "
			       "--evaluator swebench",
			       python ? "container tool" : "Python with swebench");
	*t = (struct tg_swe_tools){python->path, python->version, docker->path,
				   tg_swe_generation(python->version)};
	return true;
}

/* ---- the job ---- */

static char **put(char **list, size_t *n, char *text)
{
	list = tg_realloc(list, (*n + 2) * sizeof *list);
	list[(*n)++] = text;
	list[*n] = NULL;
	return list;
}

/* Run by the shim when the job's tree is dead: a stage that was killed could not clean up. */
static char **clean_up(const struct tg_spec *spec, const char *run_sha256, const struct tg_job *job)
{
	struct tg_swe_tools tools;
	char *self = tg_self_exe(), *prefix;
	char **argv = NULL;
	size_t n = 0;

	if (!self || !run_sha256 || !job->instance_id || !tg_swe_tools(spec, &tools, NULL)) {
		free(self);
		return NULL;
	}
	prefix = tg_swe_run_prefix(run_sha256, job->attempt);
	argv = put(argv, &n, self);
	argv = put(argv, &n, tg_strdup("box-clean"));
	argv = put(argv, &n, tg_strdup(tools.docker));
	argv = put(argv, &n, tg_swe_container(job->instance_id, prefix));
	free(prefix);
	return argv;
}

void tg_swe_job(const struct tg_spec *spec, const char *run_sha256, struct tg_job *job)
{
	size_t n = 0, passed = 0;

	for (size_t i = 0; i < spec->tools_n; i++)
		if (tg_starts_with(spec->tools[i].name, "env:"))
			job->env =
			    put(job->env, &n,
				tg_asprintf("%s=%s", spec->tools[i].name + 4, spec->tools[i].path));
	/* patch.diff is written in the locale's encoding; and nobody reads along in a buffer */
	job->env = put(job->env, &n, tg_strdup("PYTHONUTF8=1"));
	job->env = put(job->env, &n, tg_strdup("PYTHONUNBUFFERED=1"));
	for (size_t i = 0; i < COUNT(passed_env); i++)
		job->env_pass = put(job->env_pass, &passed, tg_strdup(passed_env[i]));
	/* The outer fence: pulling an image may take half an hour, and stopping has to remove a
	 * container. */
	job->timeout_s = spec->eval_timeout_s + 2700;
	job->grace_s = 30;
	job->after = clean_up(spec, run_sha256, job);
}
