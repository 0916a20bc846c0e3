/* See source.h. */
#include "core/patch/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/patch/parse.h"
#include "core/patch/preds.h"
#include "core/run/stage.h"
#include "core/run/layout.h"

#define TRAJ_MAX ((size_t)512 << 20)
#define TAIL_BYTES 4096

/* The submission: info.submission, else what the exit message says (2.x). */
static const char *submission_of(const struct tg_traj *t, const char **source)
{
	const struct cJSON *m, *last = NULL;
	const char *text;

	if (t->has_submission && t->submission) {
		*source = "info.submission";
		return t->submission;
	}
	for (m = tg_json_first(tg_json_get(t->root, "messages")); m; m = tg_json_next(m))
		last = m;
	text = tg_json_str(tg_json_get(last, "extra"), "submission");
	*source = text ? "exit message" : "none";
	return text;
}

static void take_submission(struct tg_source *s)
{
	s->submission = submission_of(&s->traj, &s->patch_source);
	if (!s->submission)
		return;
	tg_buf_adds(&s->patch, s->submission);
	/* Wherever it stood: the outcome must know that there was one. */
	s->traj.submission = s->submission;
	s->traj.has_submission = true;
}

/* The last bytes of the attempt's log as safe text. */
static char *log_tail(const char *dir)
{
	struct tg_buf out = TG_BUF_INIT;
	char tail[TAIL_BYTES];
	int fd = tg_open_beneath(dir, "out.log", NULL);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		n = pread(fd, tail, sizeof tail,
			  st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
		if (n > 0)
			tg_text_safe(&out, tail, (size_t)n, TG_TEXT_KEEP_NL | TG_TEXT_KEEP_TAB);
	}
	close(fd);
	return tg_buf_detach(&out);
}

/* "timeout", "operator", or NULL when the agent ended by itself. */
static const char *killed_by(const struct cJSON *exit)
{
	const char *why = tg_json_str(exit, "why");

	if (tg_streq(why, "timeout"))
		return "timeout";
	return tg_streq(why, "killed") ? "operator" : NULL;
}

static char *why_none(const struct tg_source *s, const struct tg_err *parse)
{
	const char *killed = killed_by(s->exit);

	if (parse)
		return tg_asprintf("the trajectory cannot be read: %s", parse->msg);
	if (killed)
		return tg_asprintf("%s; %s",
				   tg_streq(killed, "timeout") ? "stopped at the time limit"
							       : "stopped by the operator",
				   s->have_traj ? "only an unfinished trajectory is there"
						: "no trajectory is there");
	if (!s->exit)
		return tg_strdup("the attempt was lost: no exit record and no trajectory");
	return tg_asprintf(
	    "the agent ended with exit code %lld, signal %lld and left no %strajectory",
	    (long long)tg_json_int(s->exit, "code", -1), (long long)tg_json_int(s->exit, "sig", 0),
	    s->have_traj ? "finished " : "");
}

/* Does the file at work/<name> hold a trajectory? *found: it is there at all. */
static bool load(struct tg_source *s, const char *dir, const char *rel, bool *found,
		 struct tg_err *err)
{
	char *path = tg_path_join(dir, rel);
	bool ok;

	*found = tg_file_exists(path);
	ok = *found && tg_file_read_beneath(dir, rel, TRAJ_MAX, &s->traj_bytes, err) &&
	     tg_traj_parse(&s->traj, tg_buf_cstr(&s->traj_bytes), s->traj_bytes.n, rel, err);
	free(path);
	return ok;
}

/* A file that an agent rewrites after each step says so by having no exit status yet. */
static bool unfinished(const struct tg_source *s)
{
	const char *status = s->traj.exit_status;

	return (killed_by(s->exit) || tg_json_int(s->exit, "sig", 0) != 0) && (!status || !*status);
}

/* A foreign run has no exit record: then only the trajectory speaks. */
static void settle_outcome(struct tg_source *s)
{
	const struct tg_traj none = {
	    .api_calls = -1, .cost_usd = -1, .tokens = -1, .no_trajectory = true};

	s->outcome = tg_traj_outcome(s->have_traj ? &s->traj : &none, killed_by(s->exit),
				     (int)tg_json_int(s->exit, "code", 0),
				     (int)tg_json_int(s->exit, "sig", 0));
}

static void load_attempt(struct tg_source *s, const char *dir, const char *iid)
{
	char *rel = tg_asprintf("work/%s.traj.json", iid);
	struct tg_err err = {0};
	bool found, there;

	s->have_traj = load(s, dir, rel, &found, &err);
	if (s->have_traj && !unfinished(s)) {
		if (s->traj.no_trajectory)
			s->why = tg_strdup("the agent itself says that it left no trajectory");
	} else if (found && !s->have_traj) {
		s->why = why_none(s, &err);
	} else {
		if (!s->have_traj)
			s->have_traj = load(s, dir, "work/live.traj.json", &there, &err);
		s->why = why_none(s, NULL);
	}
	free(rel);
}

bool tg_source_attempt(struct tg_source *s, const struct tg_stage_ctx *ctx, struct tg_err *err)
{
	const char *dir =
	    ctx->input[TG_STAGE_AGENT] ? ctx->input[TG_STAGE_AGENT] : ctx->attempt_dir;
	char *path;

	*s = (struct tg_source){.patch_source = "none"};
	if (!dir || !tg_instance_id_valid(ctx->instance_id))
		return tg_fail(err, TG_E_INPUT, "extract: no attempt directory for this instance");
	path = tg_path_join(dir, "exit.json");
	if (tg_file_exists(path))
		s->exit = tg_json_load(path, NULL, NULL);
	free(path);
	load_attempt(s, dir, ctx->instance_id);
	if (s->why)
		s->log_tail = log_tail(dir);
	else
		take_submission(s);
	settle_outcome(s);
	return true;
}

/* ---- a run that something else made ---- */

static void load_foreign(struct tg_source *s, const char *dir, const char *iid)
{
	const char *const form[] = {"%s/%s.traj.json", "%s.traj.json", "trajs/%s.traj.json",
				    "trajs/%s/%s.traj.json"};
	struct tg_err err = {0};
	bool found = false;
	size_t i;

	for (i = 0; i < sizeof form / sizeof *form && !found; i++) {
		char *rel = tg_asprintf(form[i], iid, iid);

		s->have_traj = load(s, dir, rel, &found, &err);
		free(rel);
	}
	if (found && !s->have_traj)
		s->why = why_none(s, &err);
	else if (!found)
		s->why = tg_strdup("the run directory holds no trajectory of this instance");
	else if (s->traj.no_trajectory)
		s->why = tg_strdup("the run itself says that there is no trajectory");
}

/* A fenced diff in a file that something else made is taken out of its fence only when it is no
 * sound diff as it stands and a sound one afterwards; and it is labelled. */
static void take_prediction(struct tg_source *s, const char *p, size_t n)
{
	struct tg_buf mended = TG_BUF_INIT;
	struct tg_diff as_is = {0}, after = {0};

	tg_buf_clear(&s->patch);
	tg_buf_add(&s->patch, p, n);
	if (n == 0 || !memmem(p, n, "```", 3))
		return;
	tg_diff_parse(&as_is, p, n);
	if (as_is.fault != TG_DIFF_SOUND) {
		tg_preds_normalise(p, n, &mended);
		tg_diff_parse(&after, tg_buf_cstr(&mended), mended.n);
		s->normalised = after.fault == TG_DIFF_SOUND;
	}
	if (s->normalised) {
		tg_buf_clear(&s->patch);
		tg_buf_add(&s->patch, tg_buf_cstr(&mended), mended.n);
	}
	tg_diff_fini(&as_is);
	tg_diff_fini(&after);
	tg_buf_fini(&mended);
}

static void compare(struct tg_source *s, const struct tg_pred *p, const char *file)
{
	size_t n = s->submission ? strlen(s->submission) : 0;

	if (!s->submission || (n == p->patch_n && memcmp(p->patch, s->submission, n) == 0))
		return;
	s->disagrees = tg_asprintf("%s has %zu bytes, the trajectory's submission %zu; %s stands",
				   file, p->patch_n, n, file);
}

/* The predictions file decides over the trajectory. */
static bool follow_preds(struct tg_source *s, const char *dir, const char *iid, struct tg_err *err)
{
	char *path = tg_preds_file(dir);
	struct tg_preds preds = {0};
	const struct tg_pred *p;
	bool ok = !path || tg_preds_load(&preds, path, err);

	p = ok && path ? tg_preds_find(&preds, iid) : NULL;
	if (p) {
		s->patch_source = tg_preds_name(path);
		compare(s, p, s->patch_source);
		take_prediction(s, p->patch, p->patch_n);
	}
	tg_preds_fini(&preds);
	free(path);
	return ok;
}

bool tg_source_foreign(struct tg_source *s, const char *dir, const char *iid, struct tg_err *err)
{
	*s = (struct tg_source){.patch_source = "none"};
	if (!dir || !tg_instance_id_valid(iid))
		return tg_fail(err, TG_E_INPUT,
			       "extract: no source directory, or an instance id that is no "
			       "name");
	load_foreign(s, dir, iid);
	if (s->have_traj)
		take_submission(s);
	settle_outcome(s);
	return follow_preds(s, dir, iid, err);
}

void tg_source_fini(struct tg_source *s)
{
	if (s->have_traj || s->traj.root)
		tg_traj_fini(&s->traj);
	tg_buf_fini(&s->traj_bytes);
	tg_buf_fini(&s->patch);
	tg_json_free(s->exit);
	free(s->why);
	free(s->log_tail);
	free(s->disagrees);
	*s = (struct tg_source){0};
}
