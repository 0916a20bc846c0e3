/* The tools, and a command line that swallowed another one (checks.h). */
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"

#define OK TG_DOCTOR_OK
#define WARN TG_DOCTOR_WARNING
#define FAIL TG_DOCTOR_FAILURE

/* G1: a value that holds a piece of the next command, because a line break or a blank got lost. */
static const char *glued_piece(const char *value)
{
	static const char *const pieces[] = {
		"\n",	      "\r",	   "mini-extra", "run_lite_batch", "--config",
		"--model-id", "--slice",   "--tag",	 "--dataset",	   "--output",
		"--policy",   "--workers", "tgmon run",	 "mkdir "
	};

	for (size_t i = 0; value && i < sizeof pieces / sizeof *pieces; i++)
		if (strstr(value, pieces[i]))
			return *pieces[i] == '\n' || *pieces[i] == '\r' ? "a line break"
									: pieces[i];
	return NULL;
}

void tg_check_glued(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_doctor_ask *a = x->ask;
	const struct {
		const char *name, *value;
	} given[] = { { "--config", a->config },   { "--model-id", a->model_id },
		      { "--dataset", a->dataset }, { "--slice", a->slice },
		      { "--output", a->output },   { "--tag", a->tag },
		      { "--repos", a->repos } };

	for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
		const char *piece = glued_piece(given[i].value);

		if (!piece)
			continue;
		tg_say(l, FAIL, "put a blank, or an end of line, between the two",
		       "%s is '%s': it holds %s, so two commands or options were glued together",
		       given[i].name, given[i].value, piece);
		return;
	}
	tg_say(l, OK, NULL, "no option holds a piece of another command");
}

static int generation(const char *version)
{
	int64_t v = 0;
	char *first = version ? tg_strndup(version, strcspn(version, ".")) : NULL;

	if (!first || !tg_parse_i64(first, &v) || v < 0 || v > 1000)
		v = 0;
	free(first);
	return (int)v;
}

int tg_mini_generation(const struct tg_machine *f)
{
	return generation(f->mini.version);
}

int tg_harness_generation(const struct tg_machine *f)
{
	return generation(f->swebench.version);
}

void tg_check_python(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;

	if (!f->python)
		tg_say(l, FAIL, "source .venv/bin/activate   (or TGMON_PYTHON=/path/to/bin/python)",
		       "no Python was found: neither in mini-extra's first line nor in PATH");
	else if (f->probe_error || !f->python_version)
		tg_say(l, FAIL, "source .venv/bin/activate   (or TGMON_PYTHON=/path/to/bin/python)",
		       "%s does not work: %s", f->python,
		       f->probe_error ? f->probe_error : "no version");
	else if (f->venv == TG_NO && !f->mini.version)
		tg_say(l, WARN, "source .venv/bin/activate",
		       "%s %s is the system's Python: is a virtual "
		       "environment not active?",
		       f->python, f->python_version);
	else
		tg_say(l, OK, NULL, "%s %s%s", f->python, f->python_version,
		       f->venv == TG_YES ? " (virtual environment)" : "");
}

/* Before 1.17.5 of the 1.x line. */
static bool older(const char *version)
{
	int64_t patch;

	return !tg_starts_with(version, "1.17.") || !tg_parse_i64(version + 5, &patch) || patch < 5;
}

void tg_check_mini(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;
	int gen = tg_mini_generation(f);

	if (!f->python_version)
		return; /* the line above says it */
	if (!f->mini.version)
		tg_say_take(l, FAIL, tg_asprintf("%s -m pip install mini-swe-agent", f->python),
			    "%s cannot import minisweagent: %s", f->python,
			    f->mini.error ? f->mini.error : "no reason given");
	else if (gen != 1 && gen != 2)
		tg_say(l, WARN, "pip install 'mini-swe-agent>=1.17,<3'",
		       "version %s: only 1.17 and 2.x are known here", f->mini.version);
	else if (gen == 1 && older(f->mini.version))
		tg_say(l, WARN, "pip install mini-swe-agent==1.17.5",
		       "version %s: before 1.17.5 '-c' meant two "
		       "options at once; long names are used, other differences are not known",
		       f->mini.version);
	else
		tg_say(l, OK, NULL, "version %s, %s", f->mini.version,
		       f->mini_extra ? f->mini_extra : "started as a module");
}

void tg_check_swebench(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;
	int gen = tg_harness_generation(f);

	if (!f->python_version)
		return;
	if (!f->swebench.version)
		tg_say_take(l, FAIL,
			    tg_asprintf("%s -m pip install swebench   (or --evaluator local)",
					f->python),
			    "%s cannot import swebench: %s", f->python,
			    f->swebench.error ? f->swebench.error : "no reason given");
	else if (!f->yaml.version && !f->harness_python)
		tg_say_take(l, FAIL, tg_asprintf("%s -m pip install pyyaml", f->python),
			    "%s cannot import yaml: %s", f->python,
			    f->yaml.error ? f->yaml.error : "?");
	else if (gen != 4 && gen != 5)
		tg_say(l, WARN, "pip install 'swebench>=4.1,<6'",
		       "version %s: only 4.x and 5.x are known here", f->swebench.version);
	else
		tg_say(l, OK, NULL, "version %s, %s", f->swebench.version,
		       f->harness_python ? f->harness_python : f->python);
}

static bool wsl(const struct tg_machine *f)
{
	return f->kernel && strcasestr(f->kernel, "microsoft");
}

void tg_check_docker(const struct tg_exam *x, struct tg_doctor_line *l)
{
	static const char integrate[] =
		"Docker Desktop, Settings, Resources, WSL integration: switch this "
		"distribution on, Apply & restart";
	const struct tg_machine *f = x->f;
	const char *asked = f->docker_asked ? f->docker_asked : "docker";
	const char *why = f->docker_error && *f->docker_error ? f->docker_error : "no reason given";

	if (!f->docker)
		tg_say(l, FAIL, wsl(f) ? integrate : "sudo apt install docker.io   (podman: export "
		       "MSWEA_DOCKER_EXECUTABLE=podman)", "there is no %s", asked);
	else if (f->docker_answers == TG_YES)
		tg_say(l, OK, NULL, "%s %s answers", f->docker, f->docker_version);
	else if (strcasestr(why, "permission denied"))
		tg_say_take(l, FAIL, tg_asprintf("sudo usermod -aG docker %s   (then log in again)",
						 f->user ? f->user : "USER"),
			    "%s may not be used by this user: %s", f->docker, why);
	else
		tg_say(l, FAIL, wsl(f) ? integrate : "sudo systemctl start docker",
		       "%s does not answer: %s", f->docker, why);
}

void tg_check_docker_desktop(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;

	if (f->docker_answers != TG_YES || !f->docker_os || !strstr(f->docker_os, "Docker Desktop"))
		return;
	tg_say(l, WARN,
	       "switch off Docker Desktop's automatic updates and Resource Saver for the time of "
	       "the run; "
	       "its disk: Settings, Resources, Disk usage limit",
	       "the containers live in Docker Desktop's own machine: when it quits or updates "
	       "itself, every "
	       "running instance fails");
}
