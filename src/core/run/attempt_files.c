#include "core/run/attempt_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/layout.h"

#define PATCH_CAP ((size_t)64 << 20)

static const struct {
	const char *name, *rel;
	enum tg_stage stage;
} logs[TG_LOG_COUNT] = {
	[TG_LOG_JOB] = { "out.log", "out.log", TG_STAGE_AGENT },
	[TG_LOG_AGENT] = { "agent.log", "work/agent.log", TG_STAGE_AGENT },
	[TG_LOG_TESTS] = { "test_output.txt", "work/test_output.txt", TG_STAGE_EVALUATE },
	[TG_LOG_EVALUATION] = { "run_instance.log", "work/run_instance.log", TG_STAGE_EVALUATE },
	[TG_LOG_LADDER] = { "ladder.log", "work/ladder.log", TG_STAGE_TRIAGE },
};

const char *tg_attempt_log_name(enum tg_attempt_log which)
{
	return logs[which].name;
}

/* The record of an id in preds.json: a map of them, or a list. */
static const struct cJSON *find_prediction(const struct cJSON *preds, const char *iid)
{
	if (tg_json_kind(preds) == TG_JSON_OBJECT)
		return tg_json_get(preds, iid);
	for (const struct cJSON *p = tg_json_first(preds); p; p = tg_json_next(p)) {
		const char *id = tg_json_str(p, "instance_id");
		if (id && !strcmp(id, iid))
			return p;
	}
	return NULL;
}

static bool foreign_patch(const struct tg_run *run, const char *iid, struct tg_buf *out, struct tg_err *err)
{
	static const struct tg_json_limits limits = { .max_bytes = (size_t)512 << 20, .dup_keys_ok = true };
	char *preds = tg_path_join(run->dir, "preds.json");
	char *filled = tg_path_join(run->dir, "preds_filled.json");
	struct cJSON *doc = tg_json_load(tg_file_exists(preds) ? preds : filled, &limits, err);
	const char *patch = tg_json_str(find_prediction(doc, iid), "model_patch");
	free(preds);
	free(filled);
	if (patch)
		tg_buf_adds(out, patch);
	else if (doc)
		tg_fail(err, TG_E_INPUT, "%s: the predictions hold no patch for it", iid);
	tg_json_free(doc);
	return patch != NULL;
}

bool tg_attempt_patch(const struct tg_run *run, const char *iid, const struct tg_attempt *att,
		      struct tg_buf *out, struct tg_err *err)
{
	tg_buf_clear(out);
	if (run->foreign)
		return foreign_patch(run, iid, out, err);
	const struct tg_stage_mark *mark = &att->stage[TG_STAGE_EXTRACT];
	if (mark->state != TG_JOB_OK)
		return tg_fail(err, TG_E_INPUT, "%s: attempt %d has no patch yet", iid, att->n);
	char *job = tg_layout_job(run->dir, iid, att->n, TG_STAGE_EXTRACT, mark->k);
	bool ok = tg_file_read_beneath(job, "work/patch.diff", PATCH_CAP, out, err);
	free(job);
	return ok;
}

/* The last cap bytes, from the beginning of a line on. */
static bool read_tail(int fd, size_t cap, struct tg_buf *out, int64_t *skipped, struct tg_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return tg_fail_sys(err, errno, "cannot look at the log");
	off_t from = st.st_size > (off_t)cap ? st.st_size - (off_t)cap : 0;
	tg_buf_reserve(out, (size_t)(st.st_size - from));
	for (off_t at = from; at < st.st_size;) {
		char chunk[65536];
		size_t want = (size_t)(st.st_size - at) < sizeof chunk ? (size_t)(st.st_size - at) : sizeof chunk;
		ssize_t k = pread(fd, chunk, want, at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return tg_fail_sys(err, errno, "cannot read the log");
		if (k == 0)
			break;
		tg_buf_add(out, chunk, (size_t)k);
		at += k;
	}
	const char *nl = from && out->n ? memchr(out->p, '\n', out->n) : NULL;
	if (nl) {
		size_t cut = (size_t)(nl + 1 - out->p);
		memmove(out->p, out->p + cut, out->n - cut + 1);
		out->n -= cut;
		from += (off_t)cut;
	}
	if (skipped)
		*skipped = (int64_t)from;
	return true;
}

bool tg_attempt_log(const struct tg_run *run, const char *iid, const struct tg_attempt *att,
		    enum tg_attempt_log which, size_t cap, struct tg_buf *out, int64_t *skipped,
		    struct tg_err *err)
{
	enum tg_stage stage = logs[which].stage;
	tg_buf_clear(out);
	if (run->foreign)
		return tg_fail(err, TG_E_INPUT, "a run that something else made keeps no logs of its attempts");
	int k = stage == TG_STAGE_AGENT ? 0 : att->stage[stage].k;
	if (stage != TG_STAGE_AGENT && k < 1)
		return tg_fail(err, TG_E_INPUT, "%s has not begun", tg_stage_name(stage));
	char *job = tg_layout_job(run->dir, iid, att->n, stage, k);
	int fd = tg_open_beneath(job, logs[which].rel, err);
	free(job);
	if (fd < 0)
		return false;
	bool ok = read_tail(fd, cap, out, skipped, err);
	close(fd);
	return ok;
}
