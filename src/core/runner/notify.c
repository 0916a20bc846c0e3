#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/runner/notify.h"

#define NOTIFY_LIMIT_MS 10000

static char **read_command(const char *command)
{
	struct cJSON *a = command[0] == '['
			      ? tg_json_parse(command, strlen(command), "notify", NULL, NULL)
			      : NULL;
	size_t n = 0;
	char **argv;

	if (tg_json_kind(a) != TG_JSON_ARRAY) {
		argv = tg_calloc(2, sizeof *argv);
		argv[0] = tg_strdup(command);
	} else {
		argv = tg_calloc(tg_json_len(a) + 1, sizeof *argv);
		for (const struct cJSON *c = tg_json_first(a); c; c = tg_json_next(c))
			if (tg_json_text(c))
				argv[n++] = tg_strdup(tg_json_text(c));
	}
	tg_json_free(a);
	return argv;
}

void tg_notify_init(struct tg_notify *n, const char *command, const char *run_id,
		    const char *run_dir, const struct tg_log *log)
{
	*n = (struct tg_notify){ .pidfd = -1, .run_id = run_id, .run_dir = run_dir, .log = log };
	if (command && *command)
		n->argv = read_command(command);
	if (n->argv && !n->argv[0]) {
		free(n->argv);
		n->argv = NULL;
	}
}

void tg_notify_fini(struct tg_notify *n)
{
	for (char **p = n->argv; p && *p; p++)
		free(*p);
	free(n->argv);
	for (size_t i = 0; i < n->n; i++)
		free(n->queue[i]);
	if (n->pidfd >= 0)
		close(n->pidfd);
	*n = (struct tg_notify){ .pidfd = -1 };
}

void tg_notify_post(struct tg_notify *n, const char *event, const char *iid, const char *text)
{
	struct tg_buf out = TG_BUF_INIT;
	char at[TG_ISO_LEN];
	struct cJSON *o;

	if (!n->argv)
		return;
	if (n->n == TG_NOTIFY_MAX) {
		tg_log(n->log, TG_LOG_WARN, "notify: too many events wait; \"%s\" was dropped",
		       event);
		return;
	}
	o = tg_json_object();
	tg_iso_utc(tg_wall_ms(), at);
	tg_json_set_str(o, "schema", "tgmon.event.v1");
	tg_json_set_str(o, "event", event);
	tg_json_set_str(o, "run_id", n->run_id);
	tg_json_set_str(o, "run_dir", n->run_dir);
	tg_json_set_str(o, "at", at);
	tg_json_set_str(o, "instance_id", iid);
	tg_json_set_str(o, "text", text);
	tg_json_print(o, TG_JSON_PY, &out);
	tg_buf_addc(&out, '\n');
	tg_json_free(o);
	n->queue[n->n++] = tg_buf_detach(&out);
}

/* The event is far smaller than a pipe, so writing it never blocks. */
static void start_next(struct tg_notify *n)
{
	struct tg_spawn sp = { .argv = (const char *const *)n->argv, .out = -1, .err = -1,
			       .new_session = true };
	struct tg_err err = { 0 };
	char *event = n->queue[0];
	int in[2];

	memmove(n->queue, n->queue + 1, --n->n * sizeof *n->queue);
	if (pipe2(in, O_CLOEXEC) != 0) {
		free(event);
		return;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	tg_write_all(in[1], event, strlen(event), NULL);
	close(in[1]);
	sp.in = in[0];
	n->deadline = tg_mono_ms() + NOTIFY_LIMIT_MS;
	if (!tg_proc_spawn(&sp, &n->pid, &n->pidfd, &err)) {
		tg_log(n->log, TG_LOG_WARN, "notify: %s", err.msg);
		n->pid = 0;
		n->pidfd = -1;
	}
	close(in[0]);
	free(event);
}

void tg_notify_tick(struct tg_notify *n)
{
	int status;

	if (n->pid > 0 && waitpid(n->pid, &status, WNOHANG) == 0) {
		if (tg_mono_ms() < n->deadline)
			return;
		tg_log(n->log, TG_LOG_WARN, "notify: %s took longer than 10 s and was killed",
		       n->argv[0]);
		kill(-n->pid, SIGKILL); /* not reaped yet, so the number is still its own */
		waitpid(n->pid, &status, 0);
	}
	if (n->pid > 0) {
		close(n->pidfd);
		n->pid = 0;
		n->pidfd = -1;
	}
	if (n->n && n->argv)
		start_next(n);
}

bool tg_notify_idle(const struct tg_notify *n)
{
	return n->pid == 0 && n->n == 0;
}
