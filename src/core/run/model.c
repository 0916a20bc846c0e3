/* The structs of a run: making, freeing, looking up. What changes them is in fold.c. */
#include "core/run/model.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/run/fold.h"

#define MAX_ATTEMPT 99999
#define MAX_VIOLATIONS 512

void tg_run_init(struct tg_run *run, const char *dir)
{
	*run = (struct tg_run){ .dir = tg_path_abs(dir), .gate = { .open = true } };
	memset(run->head, '0', 64);
}

static void fini_mark(struct tg_stage_mark *m)
{
	free(m->error);
	free(m->result_sha256);
}

void tg_attempt_clear_violations(struct tg_attempt *att)
{
	for (size_t i = 0; i < att->violation_n; i++) {
		free(att->violation[i].code);
		free(att->violation[i].severity);
	}
	free(att->violation);
	att->violation = NULL;
	att->violation_n = 0;
}

void tg_attempt_add_violation(struct tg_attempt *att, const char *code, const char *severity)
{
	if (code == NULL || att->violation_n >= MAX_VIOLATIONS)
		return;
	for (size_t i = 0; i < att->violation_n; i++)
		if (strcmp(att->violation[i].code, code) == 0)
			return;
	att->violation =
	    tg_realloc(att->violation, (att->violation_n + 1) * sizeof *att->violation);
	att->violation[att->violation_n++] = (struct tg_violation){
		.code = tg_strdup(code), .severity = tg_strdup(severity) };
}

static void fini_attempt(struct tg_attempt *att)
{
	char *const texts[] = { att->why, att->config_sha256, att->end_why, att->kill_reason,
				att->exit_status, att->model_answered, att->no_trajectory_why,
				att->patch_source, att->traj_sha256, att->patch_reason,
				att->patch_remedy, att->rung, att->patch_sha256, att->scan_reason,
				att->eval_reason, att->decision_reason, att->cause_id,
				att->cause_text, att->cause_remedy };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(texts[i]);
	for (size_t i = 0; i < TG_STAGE_ATTEMPT_COUNT; i++)
		fini_mark(&att->stage[i]);
	for (size_t i = 0; i < att->flags_n; i++)
		free(att->flags[i]);
	free(att->flags);
	tg_attempt_clear_violations(att);
}

static void fini_instance(struct tg_instance *in)
{
	for (size_t i = 0; i < in->att_n; i++)
		fini_attempt(&in->att[i]);
	free(in->att);
	free(in->id);
	free(in->queue_why);
}

void tg_run_fini(struct tg_run *run)
{
	char *const texts[] = { run->dir, run->run_id, run->run_sha256, run->runner_boot,
				run->runner_host, run->runner_end, run->gate.row, run->gate.text,
				run->gate.reopens, run->bundle_sha256, run->manifest_sha256,
				run->expected_from };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(texts[i]);
	for (size_t i = 0; i < run->inst_n; i++)
		fini_instance(&run->inst[i]);
	free(run->inst);
	for (size_t i = 0; i < TG_STAGE_COUNT; i++)
		fini_mark(&run->stage[i]);
	for (size_t i = 0; i < run->note_n; i++) {
		free(run->note[i].kind);
		free(run->note[i].text);
	}
	free(run->note);
	*run = (struct tg_run){ 0 };
}

void tg_run_expect(struct tg_run *run, const char *const *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		TG_GROW(run->inst, run->inst_n, run->inst_cap);
		run->inst[run->inst_n++] = (struct tg_instance){
			.id = tg_strdup(ids[i]), .queued = true, .queue_why = tg_strdup("first") };
	}
}

void tg_attempt_init(struct tg_attempt *att, int n)
{
	*att = (struct tg_attempt){ .n = n, .steps = -1, .cost_usd = -1, .tokens = -1,
				    .patch_bytes = -1, .applies = -1, .resolved = -1, .cri = -1 };
}

struct tg_attempt *tg_instance_add_attempt(struct tg_instance *in, int n, bool *fresh)
{
	size_t at = in->att_n;

	*fresh = false;
	if (n < 1 || n > MAX_ATTEMPT)
		return NULL;
	while (at > 0 && in->att[at - 1].n >= n)
		at--;
	if (at < in->att_n && in->att[at].n == n)
		return &in->att[at];
	TG_GROW(in->att, in->att_n, in->att_cap);
	memmove(in->att + at + 1, in->att + at, (in->att_n - at) * sizeof *in->att);
	in->att_n++;
	tg_attempt_init(&in->att[at], n);
	*fresh = true;
	return &in->att[at];
}

void tg_run_add_note(struct tg_run *run, int64_t wall_ms, const char *kind, const char *text)
{
	TG_GROW(run->note, run->note_n, run->note_cap);
	run->note[run->note_n++] = (struct tg_run_note){
		.wall_ms = wall_ms, .kind = tg_strdup(kind), .text = tg_strdup(text ? text : "") };
}

struct tg_instance *tg_run_instance(const struct tg_run *run, const char *iid)
{
	for (size_t i = 0; iid != NULL && i < run->inst_n; i++)
		if (strcmp(run->inst[i].id, iid) == 0)
			return &run->inst[i];
	return NULL;
}

struct tg_attempt *tg_instance_attempt(const struct tg_instance *in, int n)
{
	for (size_t i = 0; i < in->att_n; i++)
		if (in->att[i].n == n)
			return &in->att[i];
	return NULL;
}

struct tg_attempt *tg_instance_latest(const struct tg_instance *in)
{
	return in->att_n > 0 ? &in->att[in->att_n - 1] : NULL;
}
