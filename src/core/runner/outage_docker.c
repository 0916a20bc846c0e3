/*
 * Docker as rows of the gate. `docker info` is asked before launches and every 30 s, as a child that
 * is looked at once a turn: a daemon that hangs closes the gate, it never stops the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"
#include "core/runner/loop.h"
#include "core/runner/outage.h"

#define ASK_MS 30000
#define ASK_AGAIN_MS 3000  /* while it does not answer */
#define FRESH_MS 2000      /* an answer that a launch may rely on */
#define LIMIT_MS 5000
#define MIB ((int64_t)1 << 20)
#define DISK_PER_WORKER (3072 * MIB) /* an evaluation image unpacked, and its container */
#define DISK_SPARE (2048 * MIB)

/* The program that was frozen at launch, when this run uses containers at all. */
static void look_up(struct tg_runner *r)
{
	r->outage.looked_up = true;
	r->outage.out = -1;
	if (!tg_streq(r->spec.agent, "mini") && !tg_streq(r->spec.evaluator, "swebench"))
		return;
	for (size_t i = 0; i < r->spec.tools_n; i++)
		if (tg_streq(r->spec.tools[i].name, "docker") && r->spec.tools[i].path)
			r->outage.docker = r->spec.tools[i].path;
}

static void came(struct tg_outage *o, const char *trouble)
{
	o->asked = true;
	o->answered = trouble == NULL;
	o->asked_ms = tg_mono_ms();
	o->ask_ms = o->asked_ms + (trouble ? ASK_AGAIN_MS : ASK_MS);
	snprintf(o->trouble, sizeof o->trouble, "%.255s", trouble ? trouble : "");
}

static void put_env(char **env, size_t *n, char *pair)
{
	size_t name = strcspn(pair, "=") + 1;

	for (size_t i = 0; i < *n; i++)
		if (strncmp(env[i], pair, name) == 0) {
			free(env[i]);
			env[i] = pair;
			return;
		}
	env[(*n)++] = pair;
}

/* Ours, with the settings that were frozen at launch (DOCKER_HOST and the like) over it: a runner that
 * was started again from a bare shell asks the same engine as the jobs do. */
static char **frozen_env(const struct tg_spec *spec)
{
	size_t n = 0, have = 0;
	char **env;

	while (environ[have])
		have++;
	env = tg_calloc(have + spec->agent_env_n + spec->tools_n + 1, sizeof *env);
	for (size_t i = 0; i < have; i++)
		env[n++] = tg_strdup(environ[i]);
	for (size_t i = 0; i < spec->agent_env_n; i++)
		put_env(env, &n, tg_strdup(spec->agent_env[i]));
	for (size_t i = 0; i < spec->tools_n; i++)
		if (tg_starts_with(spec->tools[i].name, "env:"))
			put_env(env, &n, tg_asprintf("%s=%s", spec->tools[i].name + 4,
						     spec->tools[i].path ? spec->tools[i].path : ""));
	return env;
}

static void ask(struct tg_runner *r)
{
	struct tg_outage *o = &r->outage;
	char **env = frozen_env(&r->spec);
	const char *argv[] = { o->docker, "info", "--format", "{{.DockerRootDir}}", NULL };
	struct tg_err err = { 0 };
	struct tg_spawn sp = { .argv = argv, .env = (const char *const *)env, .in = -1, .err = -1,
			       .new_session = true, .die_with_parent = true };
	int out[2];

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0) {
		came(o, "no pipe could be made");
		goto done;
	}
	sp.out = out[1];
	o->ask_ms = tg_mono_ms() + LIMIT_MS;
	if (tg_proc_spawn(&sp, &o->pid, &o->pidfd, &err)) {
		o->out = out[0];
	} else {
		o->pid = 0;
		close(out[0]);
		came(o, err.msg);
	}
	close(out[1]);
done:
	for (char **e = env; *e; e++)
		free(*e);
	free(env);
}

static void take_answer(struct tg_outage *o, int status)
{
	char text[sizeof o->root];
	ssize_t n = read(o->out, text, sizeof text - 1);
	char *line = n > 0 ? tg_text_line(text, strcspn((text[n] = '\0', text), "\n"), 400) : NULL;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && line && line[0] == '/') {
		snprintf(o->root, sizeof o->root, "%s", line);
		came(o, NULL);
	} else if (WIFEXITED(status)) {
		char *why = tg_asprintf("docker info ended with exit code %d", WEXITSTATUS(status));

		came(o, WEXITSTATUS(status) ? why : NULL);
		o->root[0] = '\0'; /* an answer without a folder: only its disk stays unknown */
		free(why);
	} else {
		came(o, "docker info was ended by a signal");
	}
	free(line);
}

static void drop_child(struct tg_outage *o)
{
	close(o->pidfd);
	close(o->out);
	o->pid = 0;
	o->pidfd = o->out = -1;
}

void tg_docker_tick(struct tg_runner *r)
{
	struct tg_outage *o = &r->outage;
	int status;

	if (!o->looked_up)
		look_up(r);
	if (!o->docker)
		return;
	if (o->pid > 0) {
		pid_t got = waitpid(o->pid, &status, WNOHANG);

		if (got == 0 && tg_mono_ms() < o->ask_ms)
			return;
		if (got == 0) {
			kill(-o->pid, SIGKILL); /* not reaped yet: the number is its own */
			waitpid(o->pid, &status, 0);
			came(o, "Docker does not answer within 5 s");
		} else {
			take_answer(o, status);
		}
		drop_child(o);
	} else if (tg_mono_ms() >= o->ask_ms) {
		ask(r);
	}
}

void tg_docker_fini(struct tg_runner *r)
{
	struct tg_outage *o = &r->outage;

	if (o->pid <= 0)
		return;
	kill(-o->pid, SIGKILL);
	waitpid(o->pid, NULL, 0);
	drop_child(o);
}

bool tg_outage_ready(struct tg_runner *r)
{
	struct tg_outage *o = &r->outage;

	if (!o->looked_up)
		look_up(r);
	if (!o->docker || (o->asked && !o->answered))
		return true; /* the row says what is wrong */
	if (o->asked && tg_mono_ms() - o->asked_ms < FRESH_MS)
		return true;
	if (o->pid <= 0)
		ask(r);
	return false;
}

bool tg_outage_docker(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	const struct tg_outage *o = &r->outage;

	if (!o->docker || !o->asked || o->answered)
		return false;
	tg_buf_addf(text, "%s", o->trouble);
	tg_buf_adds(reopens, "by itself, when `docker info` answers within 5 s");
	return true;
}

static int64_t disk_need(const struct tg_runner *r)
{
	const char *env = getenv("TGMON_DOCKER_DISK_MIN_MB");
	int64_t mb;

	if (env && tg_parse_i64(env, &mb) && mb >= 0 && mb < ((int64_t)1 << 40))
		return mb * MIB;
	return (r->spec.workers > 0 ? r->spec.workers : 1) * DISK_PER_WORKER + DISK_SPARE;
}

/* Docker Desktop keeps its data in a machine of its own: a folder that is not here says nothing. */
bool tg_outage_docker_disk(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	const struct tg_outage *o = &r->outage;
	int64_t need = disk_need(r), limit = need, have;
	struct statvfs v;

	if (!o->docker || !o->root[0] || statvfs(o->root, &v) != 0)
		return false;
	if (!r->run.gate.open && tg_streq(r->run.gate.row, "docker-disk"))
		limit += need / 4; /* so that it does not flap */
	have = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	if (have >= limit)
		return false;
	tg_buf_addf(text, "%lld MiB are free where Docker keeps its images (%s), %lld are needed",
		    (long long)(have / MIB), o->root, (long long)(need / MIB));
	tg_buf_addf(reopens, "by itself, when %lld MiB are free there",
		    (long long)((need + need / 4) / MIB));
	return true;
}
