#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include "core/lib/clock.h"
#include "core/lib/json.h"
#include "core/run/layout.h"
#include "core/runner/gate.h"
#include "core/runner/loop.h"
#include "core/runner/outage.h"

#define MIB ((int64_t)1 << 20)
#define DISK_PER_WORKER (64 * MIB)
#define DISK_SPARE (512 * MIB)
#define INODES_MIN 10000
#define FAILURES_MAX 5

/* ---- disk ----------------------------------------------------------------------------------- */

static int64_t disk_need(const struct tg_runner *r)
{
	const char *env = getenv("TGMON_DISK_MIN_MB");
	int64_t mb;

	if (env && tg_parse_i64(env, &mb) && mb >= 0 && mb < ((int64_t)1 << 40))
		return mb * MIB;
	return (r->spec.workers > 0 ? r->spec.workers : 1) * DISK_PER_WORKER + DISK_SPARE;
}

static bool look_at_disk(const struct tg_runner *r, struct statvfs *v)
{
	char *path = tg_layout_control(r->dir, ".");
	bool ok = statvfs(path, v) == 0;

	free(path);
	return ok;
}

static bool is_closed_by(const struct tg_runner *r, const char *row)
{
	return !r->run.gate.open && tg_streq(r->run.gate.row, row);
}

/* Opens a quarter above the mark at which it closes, so that it does not flap. */
static bool disk_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	int64_t need = disk_need(r), limit = is_closed_by(r, "disk") ? need + need / 4 : need, have;
	struct statvfs v;

	if (!look_at_disk(r, &v))
		return false;
	have = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	if (have >= limit && tg_mono_ms() >= r->nospace_ms)
		return false;
	if (have >= limit)
		tg_buf_addf(text, "a job could not be made: the disk of the run was full");
	else
		tg_buf_addf(text, "%lld MiB are free on the disk of the run, %lld are needed",
			    (long long)(have / MIB), (long long)(need / MIB));
	tg_buf_addf(reopens, "by itself, when %lld MiB are free",
		    (long long)((need + need / 4) / MIB));
	return true;
}

static bool inodes_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	struct statvfs v;

	if (!look_at_disk(r, &v) || v.f_files == 0 || v.f_favail >= INODES_MIN)
		return false;
	tg_buf_addf(text, "%lld files can still be made on the disk of the run, %d are needed",
		    (long long)v.f_favail, INODES_MIN);
	tg_buf_adds(reopens, "by itself, when files were removed");
	return true;
}

/* ---- the runner's health -------------------------------------------------------------------- */

static bool runner_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	if (r->poisoned) {
		tg_buf_addf(text, "the journal cannot be written: %s", r->trouble);
		tg_buf_adds(reopens, "after the disk was mended: tgmon run --resume");
		return true;
	}
	if (r->failures < FAILURES_MAX)
		return false;
	tg_buf_addf(text, "%d launches failed in a row: %s", r->failures, r->trouble);
	tg_buf_adds(reopens, "when a person mends it and resumes the run");
	return true;
}

static bool launch_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	if (!r->failures || tg_mono_ms() >= r->retry_ms)
		return false;
	tg_buf_addf(text, "a launch failed: %s", r->trouble);
	tg_buf_adds(reopens, "by itself, in less than a minute");
	return true;
}

/* ---- money and people ----------------------------------------------------------------------- */

static bool budget_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	if (r->budget_usd < 0 || r->cost < r->budget_usd)
		return false;
	tg_buf_addf(text, "%.2f of %.2f USD are spent", r->cost, r->budget_usd);
	tg_buf_adds(reopens, "when a person raises it: tgmon resume RUN --budget USD");
	return true;
}

static bool pause_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	if (!r->run.paused)
		return false;
	tg_buf_adds(text, "paused by the operator");
	tg_buf_adds(reopens, "when a person resumes the run");
	return true;
}

static bool drain_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	if (!r->run.draining)
		return false;
	tg_buf_adds(text, "draining: what is in flight ends, nothing new starts");
	tg_buf_adds(reopens, "when a person resumes the run");
	return true;
}

static bool stop_closed(struct tg_runner *r, struct tg_buf *text, struct tg_buf *reopens)
{
	if (r->ending == TG_END_NONE)
		return false;
	tg_buf_adds(text, r->ending == TG_END_SIGNAL ? "the runner was told to end" : "stopped");
	tg_buf_adds(reopens, "with tgmon run --resume");
	return true;
}

static const struct tg_gate_row rows[] = {
	/* name         closed                 stages  self   answer */
	{ "runner",      runner_closed,         true,   false, true },
	{ "stop",        stop_closed,           true,   false, false },
	{ "drain",       drain_closed,          false,  true,  false }, /* ends by itself */
	{ "pause",       pause_closed,          false,  false, false },
	{ "disk",        disk_closed,           true,   true,  false },
	{ "inodes",      inodes_closed,         true,   true,  false },
	{ "launch",      launch_closed,         true,   true,  true },
	{ "budget",      budget_closed,         false,  false, true },
	{ "key",         tg_outage_key,         false,  false, true },
	{ "cause",       tg_outage_cause,       false,  false, true },
	{ "docker",      tg_outage_docker,      true,   true,  false },
	{ "docker-disk", tg_outage_docker_disk, true,   true,  false },
	{ "rate-limit",  tg_outage_rate,        false,  true,  true },
	{ "canary",      tg_outage_canary,      false,  true,  true },
};
#define ROWS (sizeof rows / sizeof *rows)

const struct tg_gate_row *tg_gate_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (tg_streq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static void record_change(struct tg_runner *r, const struct tg_gate_row *row,
			  const struct tg_buf *text, const struct tg_buf *reopens)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_bool(o, "open", row == NULL);
	tg_json_set_str(o, "row", row ? row->name : NULL);
	tg_json_set_str(o, "text", row ? tg_buf_cstr(text) : NULL);
	tg_json_set_str(o, "reopens", row ? tg_buf_cstr(reopens) : NULL);
	if (!tg_loop_put(r, "gate", o) || !row)
		return; /* the next look records it */
	tg_log(&r->log, TG_LOG_INFO, "gate closed by %s: %s", row->name, tg_buf_cstr(text));
	tg_notify_post(&r->notify, tg_streq(row->name, "budget") ? "budget" : "gate", NULL,
		       tg_buf_cstr(text));
}

const struct tg_gate_row *tg_gate_check(struct tg_runner *r)
{
	struct tg_buf text = TG_BUF_INIT, reopens = TG_BUF_INIT;
	const struct tg_gate_row *row = NULL;

	for (size_t i = 0; i < ROWS && !row; i++)
		if (rows[i].closed(r, &text, &reopens))
			row = &rows[i];
	if (r->run.gate.open ? row != NULL : !row || !tg_streq(row->name, r->run.gate.row))
		record_change(r, row, &text, &reopens);
	tg_buf_fini(&text);
	tg_buf_fini(&reopens);
	return row;
}

/* The effect of an answer; called by the record of the command, so that a restart keeps it. */
bool tg_gate_answer(struct tg_runner *r, const struct cJSON *args)
{
	const char *name = tg_json_str(args, "row");
	double usd = tg_json_num(args, "usd", -1);

	if (tg_streq(name, "budget")) {
		r->budget_usd = usd; /* without an amount: lifted */
		return true;
	}
	if (tg_streq(name, "runner") || tg_streq(name, "launch")) {
		r->failures = 0;
		r->retry_ms = 0;
		return true;
	}
	return tg_outage_answer(r, name);
}

void tg_gate_failed(struct tg_runner *r, int sys, const char *text)
{
	int64_t now = tg_mono_ms();

	tg_log(&r->log, TG_LOG_ERROR, "%s", text);
	snprintf(r->trouble, sizeof r->trouble, "%s", text);
	if (sys == ENOSPC || sys == EDQUOT) {
		r->nospace_ms = now + 5000;
		return;
	}
	r->failures++;
	r->retry_ms = now + (r->failures < FAILURES_MAX ? 1000LL << r->failures : 0);
}

void tg_gate_worked(struct tg_runner *r)
{
	r->failures = 0;
	r->retry_ms = 0;
}
