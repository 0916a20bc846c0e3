/* The backend `mini`: what must be there before money is spent, and the job of one attempt (mini.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/agent/mini.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"
#include "core/run/layout.h"

#define DOCKER_MS 5000
#define GRACE_S 60 /* the ladder of mini_main.c: 20 s to end by itself, a salvage, TERM, containers */

/* What the tool would call: the config's word, its environment's, its .env's, docker. Caller frees. */
static char *container_program(const struct tg_spec *spec, const struct tg_mini_config *c)
{
	static const char name[] = "MSWEA_DOCKER_EXECUTABLE";
	const char *env = getenv(name);
	char *path = tg_mini_dotenv_path(spec), *word = NULL;
	struct tg_buf text = TG_BUF_INIT;

	if (c->executable)
		word = tg_strdup(c->executable);
	else if (env && *env)
		word = tg_strdup(env);
	else if (path && tg_file_read(path, 1 << 20, &text, NULL))
		word = tg_mini_dotenv_get(tg_buf_cstr(&text), name);
	free(path);
	tg_buf_fini(&text);
	return word && *word ? word : (free(word), tg_strdup("docker"));
}

static char *version_of(const char *docker)
{
	const char *const argv[] = { docker, "--version", NULL };
	struct tg_proc_result r;
	char *line = NULL;

	if (tg_proc_run(&(struct tg_spawn){ .argv = argv }, NULL, 0, DOCKER_MS, 4096, &r, NULL))
		line = tg_text_line(tg_buf_cstr(&r.out), strcspn(tg_buf_cstr(&r.out), "\n"), 120);
	tg_proc_result_fini(&r);
	return line ? line : tg_strdup("");
}

static bool answers(const char *docker, struct tg_err *err)
{
	const char *const argv[] = { docker, "ps", "-q", NULL };
	struct tg_proc_result r;
	char *said;
	bool ok = tg_proc_run(&(struct tg_spawn){ .argv = argv }, NULL, 0, DOCKER_MS, 1 << 16, &r, err);

	if (!ok) {
		tg_proc_result_fini(&r);
		return false;
	}
	ok = r.code == 0 && !r.timed_out;
	if (!ok) {
		said = tg_text_line(tg_buf_cstr(&r.err), strcspn(tg_buf_cstr(&r.err), "\n"), 200);
		tg_fail(err, TG_E_MACHINE, "agent mini: `%s ps` %s%s%s; start it (Docker Desktop, or "
			"systemctl start docker) and see that this user may use it", docker,
			r.timed_out ? "does not answer within 5 s" : "fails", *said ? ": " : "", said);
		free(said);
	}
	tg_proc_result_fini(&r);
	return ok;
}

static bool find_docker(struct tg_spec *spec, const struct tg_mini_config *c, struct tg_err *err)
{
	char *word = container_program(spec, c), *path = tg_which(word), *version = NULL;
	bool ok;

	if (!path)
		ok = tg_fail(err, TG_E_MACHINE, "agent mini: the config runs commands in containers, and "
			     "there is no %s in PATH; install Docker, or set MSWEA_DOCKER_EXECUTABLE "
			     "(podman works)", word);
	else
		ok = answers(path, err);
	if (ok) {
		version = version_of(path);
		tg_mini_note_tool(spec, TG_MINI_DOCKER, path, version);
	}
	free(version);
	free(word);
	free(path);
	return ok;
}

bool tg_mini_preflight(struct tg_spec *spec, struct tg_err *err)
{
	struct tg_mini_config c;
	bool ok;

	if (!spec->config.path)
		return tg_fail(err, TG_E_INPUT, "agent mini: --config is missing: the agent's YAML");
	if (!tg_mini_config_load(&c, spec->config.path, err)) {
		if (err)
			err->code = TG_E_INPUT;
		return false;
	}
	ok = tg_mini_find(spec, err) && (!tg_mini_config_containers(&c) || find_docker(spec, &c, err));
	if (ok)
		tg_mini_freeze_env(spec);
	tg_mini_config_fini(&c);
	return ok;
}

/* ---- the job --------------------------------------------------------------------------------- */

static char **wrapper(const char *verb, const char *run_dir, const char *job_dir)
{
	char *self = tg_self_exe(), **argv;

	if (!self)
		return NULL;
	argv = tg_calloc(7, sizeof *argv);
	argv[0] = self;
	argv[1] = tg_strdup(verb);
	argv[2] = tg_strdup("--run");
	argv[3] = tg_strdup(run_dir);
	argv[4] = tg_strdup("--job");
	argv[5] = tg_strdup(job_dir);
	return argv;
}

static void job_env(const struct tg_spec *spec, struct tg_job *job)
{
	/* no colours means no table; the size keeps its rows from being cut */
	static const char *const fixed[] = { "FORCE_COLOR=1", "COLUMNS=300", "LINES=300",
					     "TERM=xterm-256color", "PYTHONUNBUFFERED=1" };
	const struct tg_tool *docker = tg_mini_tool(spec, TG_MINI_DOCKER);
	size_t n = 0, fixed_n = sizeof fixed / sizeof fixed[0];

	job->env = tg_calloc(spec->agent_env_n + fixed_n + 2, sizeof *job->env);
	for (size_t i = 0; i < spec->agent_env_n; i++)
		job->env[n++] = tg_strdup(spec->agent_env[i]);
	for (size_t i = 0; i < fixed_n; i++)
		job->env[n++] = tg_strdup(fixed[i]);
	if (docker)
		job->env[n++] = tg_asprintf("MSWEA_DOCKER_EXECUTABLE=%s", docker->path);
	job->env_pass = tg_mini_pass_names(spec);
}

bool tg_mini_job(const struct tg_spec *spec, const char *run_dir, struct tg_job *job,
		 struct tg_err *err)
{
	if (!tg_mini_tool(spec, TG_MINI_SCRIPT))
		return tg_fail(err, TG_E_INPUT, "agent mini: run.json names no mini-extra");
	job->argv = wrapper("agent-mini", run_dir, job->dir);
	job->after = wrapper("agent-mini-after", run_dir, job->dir);
	if (!job->argv || !job->after)
		return tg_fail(err, TG_E_MACHINE, "cannot find the path of this program");
	job_env(spec, job);
	job->grace_s = GRACE_S;
	job->limits.fsize_bytes = (int64_t)1 << 30;
	return true;
}
