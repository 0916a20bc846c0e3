/* Evaluator `swebench`: run_instance.log up to the harness's own verdict on the patch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/text.h"

static const char *const phase_names[] = {
	[TG_SWE_STARTING] = "starting", [TG_SWE_PULLING] = "pulling the image",
	[TG_SWE_CREATING] = "creating", [TG_SWE_APPLYING] = "applying",
	[TG_SWE_TESTING] = "testing",   [TG_SWE_GRADING] = "grading",
	[TG_SWE_CLEANUP] = "cleanup",
};

const char *tg_swe_phase_name(enum tg_swe_phase phase)
{
	return phase_names[phase];
}

/* The ladders of both generations, in our names; the harness tells only which rungs failed. */
static const char *const ladder4[] = { "git", "git-reject", "patch-fuzz", NULL };
static const char *const ladder5[] = { "git", "git-3way", "git-reject", "patch-fuzz", "reverse",
				       NULL };

/* "2026-11-22 17:25:30,886 - INFO - message": the message, or NULL when the line has no such head.
 */
static const char *message(const char *line, size_t n, bool *error)
{
	static const char shape[] = "0000-00-00 00:00:00,000 - ";
	static const char *const levels[] = { "INFO - ", "ERROR - ", "WARNING - ", "DEBUG - " };
	size_t head = sizeof shape - 1;

	if (n < head)
		return NULL;
	for (size_t i = 0; i < head; i++)
		if (shape[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != shape[i])
			return NULL;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		size_t len = strlen(levels[i]);

		if (n - head >= len && memcmp(line + head, levels[i], len) == 0) {
			*error = i == 1;
			return line + head + len;
		}
	}
	return NULL;
}

struct reader {
	struct tg_swe_log *log;
	const char *iid;
	const char *const *ladder;
	size_t failed; /* rungs that did not take the patch */
	bool given;    /* the patch was handed over */
};

/* Does the message [m, end) say head, then the instance, then tail? */
static bool says(const struct reader *r, const char *m, const char *end, const char *head,
		 const char *tail)
{
	size_t a = strlen(head), b = strlen(r->iid), c = strlen(tail);

	return (size_t)(end - m) >= a + b + c && memcmp(m, head, a) == 0 &&
	       memcmp(m + a, r->iid, b) == 0 && memcmp(m + a + b, tail, c) == 0;
}

static bool begins(const char *m, const char *end, const char *head)
{
	size_t n = strlen(head);

	return (size_t)(end - m) >= n && memcmp(m, head, n) == 0;
}

static void forward(struct tg_swe_log *log, enum tg_swe_phase phase)
{
	if (phase > log->phase)
		log->phase = phase;
}

static void keep_line(char *out, size_t cap, const char *p, size_t n)
{
	char *line = tg_text_line(p, n, cap - 4);

	snprintf(out, cap, "%s", line);
	free(line);
}

/* Before the verdict on the patch: every line is the harness's or the container tool's. */
static void before(struct reader *r, const char *m, const char *end, bool error)
{
	struct tg_swe_log *log = r->log;

	if (error && !log->failure[0])
		keep_line(log->failure, sizeof log->failure, m, (size_t)(end - m));
	if (begins(m, end, "Image not found locally, attempting to pull"))
		forward(log, TG_SWE_PULLING);
	else if (says(r, m, end, "Creating container for ", "..."))
		forward(log, TG_SWE_CREATING);
	else if (says(r, m, end, "Container for ", " created: "))
		log->created = true;
	else if (says(r, m, end, "Container for ", " started: "))
		forward(log, TG_SWE_APPLYING);
	else if (says(r, m, end, "Intermediate patch for ", " written to "))
		r->given = true;
	else if (r->given && begins(m, end, "Failed to apply patch to container: "))
		r->failed++;
	else if (r->given && begins(m, end, ">>>>> Applied Patch:"))
		log->applies = 1;
	else if (r->given && begins(m, end, ">>>>> Patch Apply Failed:"))
		log->applies = 0;
	if (log->applies == 1)
		for (size_t i = 0; r->ladder[i] && i <= r->failed; i++)
			snprintf(log->rung, sizeof log->rung, "%s",
				 i == r->failed ? r->ladder[i] : "");
}

/* Behind it: tree differences and test results stand here too, so this is for the display only. */
static void after(struct reader *r, const char *m, const char *end)
{
	if (says(r, m, end, "Eval script for ", " written to "))
		forward(r->log, TG_SWE_TESTING);
	else if (says(r, m, end, "Grading answer for ", "..."))
		forward(r->log, TG_SWE_GRADING);
	else if (begins(m, end, "Attempting to stop container sweb.eval."))
		forward(r->log, TG_SWE_CLEANUP);
}

void tg_swe_log_read(struct tg_swe_log *log, const char *p, size_t n, const char *iid,
		     int generation)
{
	struct reader r = { .log = log, .iid = iid, .ladder = generation >= 5 ? ladder5 : ladder4 };
	const char *stop = p + n, *end;
	bool error = false;

	*log = (struct tg_swe_log){ .applies = -1 };
	for (; p < stop; p = end + 1) {
		const char *m;

		end = memchr(p, '\n', (size_t)(stop - p));
		if (!end)
			break; /* a line that is still being written */
		m = message(p, (size_t)(end - p), &error);
		if (log->applies == 0) { /* what the last rung said, up to the next line of a log */
			if (m)
				return;
			if (end > p)
				keep_line(log->apply_error, sizeof log->apply_error, p,
					  (size_t)(end - p));
		} else if (m && log->applies == 1) {
			after(&r, m, end);
		} else if (m) {
			before(&r, m, end, error);
		}
	}
}

bool tg_swe_output_timed_out(const char *tail, size_t n, int timeout_s)
{
	char want[80];
	size_t len;

	snprintf(want, sizeof want, "\n\nTimeout error: %d seconds exceeded.", timeout_s);
	len = strlen(want);
	return n >= len && memcmp(tail + n - len, want, len) == 0;
}
