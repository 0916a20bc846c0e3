#ifndef TG_NOTIFY_H
#define TG_NOTIFY_H
/*
 * --notify CMD: the command (argv, never a shell) gets one event as JSON on standard input
 *   {schema:"tgmon.event.v1", event, run_id, run_dir, at, instance_id|null, text}
 * event: done, veto, gate, budget, stuck, runner-lost. One at a time, 10 s each, at most
 * TG_NOTIFY_MAX waiting (later ones are dropped, which is logged). What it does or prints never
 * matters to the run.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/log.h"

#define TG_NOTIFY_MAX 64

struct tg_notify {
	char **argv;        /* NULL: off */
	const char *run_id, *run_dir; /* borrowed */
	const struct tg_log *log;
	char *queue[TG_NOTIFY_MAX];
	size_t n;
	pid_t pid;          /* 0: none runs */
	int pidfd;
	int64_t deadline;   /* monotonic ms */
};

/* command: a path, or a JSON list of strings; NULL: off. */
void tg_notify_init(struct tg_notify *n, const char *command, const char *run_id,
		    const char *run_dir, const struct tg_log *log);
void tg_notify_fini(struct tg_notify *n);
void tg_notify_post(struct tg_notify *n, const char *event, const char *iid, const char *text);
/* Reap, time out, start the next. */
void tg_notify_tick(struct tg_notify *n);
bool tg_notify_idle(const struct tg_notify *n);

#endif
