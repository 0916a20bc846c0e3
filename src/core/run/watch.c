#include "core/run/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/run/import.h"
#include "core/run/layout.h"
#include "core/run/lock.h"

#define ALIVE_EVERY_MS 500    /* how old the answer "the runner is alive" may be */
#define FOREIGN_EVERY_MS 1000 /* how often a foreign folder is looked through */
#define FOREIGN_SOON_MS 40    /* after a notice, or when files seemed to be half written */
#define FOREIGN_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE)
#define RUN_EVENTS (IN_MODIFY | IN_CREATE | IN_MOVED_TO)
#define WORK_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO)

/* What is observed of one instance's latest attempt. */
struct seen {
	struct tg_live live;
	int attempt; /* the one observed; 0: none */
	int wd;      /* inotify watch of its work folder, or -1 */
	struct tg_live eval;            /* its evaluation, while that runs */
	int eval_attempt, eval_k;       /* the job observed; 0: none */
};

struct tg_watch {
	char *dir;
	struct tg_run run;
	struct tg_spec spec;
	bool ours;
	struct tg_journal_reader *reader; /* NULL for a foreign run */
	struct seen *seen;
	size_t seen_n;
	int inotify;
	bool alive;
	int64_t alive_at, foreign_at; /* monotonic ms of the last look; 0: never */
	struct tg_import *import;     /* of a foreign folder */
	bool noticed;                 /* inotify told of it since the last look */
};

static const struct tg_live nothing_live = { .steps = -1, .cost_usd = -1 };

static void reset_seen(struct tg_watch *w)
{
	free(w->seen);
	w->seen_n = w->run.inst_n;
	w->seen = tg_calloc(w->seen_n + 1, sizeof *w->seen);
	for (size_t i = 0; i < w->seen_n; i++)
		w->seen[i] = (struct seen){ .live = nothing_live, .wd = -1 };
}

/* What a foreign run's instances do comes with its files. */
static void take_foreign_live(struct tg_watch *w)
{
	for (size_t i = 0; i < w->seen_n; i++) {
		const struct tg_live *live = tg_import_live(w->import, i);

		if (live != NULL)
			w->seen[i] = (struct seen){ .live = *live, .attempt = 1, .wd = -1 };
	}
}

static bool open_ours(struct tg_watch *w, struct tg_err *err)
{
	char sha[65];

	if (!tg_spec_load(&w->spec, w->dir, sha, err))
		return false;
	tg_run_init(&w->run, w->dir);
	tg_run_expect(&w->run, (const char *const *)w->spec.expected, w->spec.expected_n);
	w->reader = tg_journal_reader_new(w->dir, err);
	if (w->reader == NULL || !tg_journal_read(w->reader, tg_run_apply, &w->run, NULL, err))
		return false;
	if (w->run.run_sha256 != NULL && strcmp(w->run.run_sha256, sha) != 0)
		return tg_fail(err, TG_E_INPUT,
			       "%s/%s/run.json is not what this run began with (sha256 "
			       "was %.12s..., is %.12s...): put the old file back",
			       w->dir, TG_CONTROL_DIR, w->run.run_sha256, sha);
	return true;
}

static bool open_foreign(struct tg_watch *w, struct tg_err *err)
{
	bool ok;

	w->import = tg_import_new(w->dir);
	ok = tg_import_settle(w->import, &w->run, err);
	w->foreign_at = tg_mono_ms();
	return ok;
}

/* Watching only saves latency: where inotify is used up, polling still finds everything. */
static void open_inotify(struct tg_watch *w)
{
	char *path = w->ours ? tg_path_join(w->dir, TG_CONTROL_DIR) : tg_strdup(w->dir);

	w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->inotify >= 0 && 
	    inotify_add_watch(w->inotify, path, w->ours ? RUN_EVENTS : FOREIGN_EVENTS) < 0) {
		close(w->inotify);
		w->inotify = -1;
	}
	free(path);
}

struct tg_watch *tg_watch_open(const char *dir, struct tg_err *err)
{
	struct tg_watch *w = tg_calloc(1, sizeof *w);
	bool ok;

	w->dir = tg_path_abs(dir);
	w->inotify = -1;
	w->ours = tg_layout_kind(w->dir) == TG_DIR_OURS;
	open_inotify(w); /* before the first look, so that nothing falls between */
	ok = w->ours ? open_ours(w, err) : open_foreign(w, err);
	if (ok) {
		reset_seen(w);
		if (!w->ours)
			take_foreign_live(w);
		ok = tg_watch_poll(w, NULL, err);
	}
	if (!ok) {
		tg_watch_close(w);
		return NULL;
	}
	return w;
}

void tg_watch_close(struct tg_watch *w)
{
	if (w == NULL)
		return;
	if (w->inotify >= 0)
		close(w->inotify);
	tg_journal_reader_free(w->reader);
	tg_import_free(w->import);
	tg_run_fini(&w->run);
	tg_spec_fini(&w->spec);
	free(w->seen);
	free(w->dir);
	free(w);
}

static void drain_inotify(struct tg_watch *w)
{
	char b[8192] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (w->inotify >= 0 && read(w->inotify, b, sizeof b) > 0)
		w->noticed = true;
}

static bool poll_alive(struct tg_watch *w)
{
	int64_t now = tg_mono_ms();
	bool was = w->alive;
	char *lock;

	if (!w->ours || (w->alive_at != 0 && now - w->alive_at < ALIVE_EVERY_MS))
		return false;
	lock = tg_layout_control(w->dir, "lock");
	w->alive = tg_lock_held(lock);
	w->alive_at = now;
	free(lock);
	return was != w->alive;
}

/* A running attempt of ours: begun, not ended, its folder ours to know. */
static const struct tg_attempt *active(const struct tg_watch *w, size_t i)
{
	const struct tg_attempt *att = tg_instance_latest(&w->run.inst[i]);

	return w->ours && att != NULL && att->started && !att->ended ? att : NULL;
}

static void forget(struct tg_watch *w, struct seen *s)
{
	if (s->wd >= 0 && w->inotify >= 0)
		inotify_rm_watch(w->inotify, s->wd);
	s->wd = -1;
}

/* The evaluation under way, or NULL: minutes that would else look like nothing. */
static const struct tg_attempt *evaluating(const struct tg_watch *w, size_t i)
{
	const struct tg_attempt *att = tg_instance_latest(&w->run.inst[i]);

	return w->ours && att != NULL && att->stage[TG_STAGE_EVALUATE].state == TG_JOB_ACTIVE
		   ? att
		   : NULL;
}

static bool poll_eval(struct tg_watch *w, size_t i)
{
	const struct tg_attempt *att = evaluating(w, i);
	struct seen *s = &w->seen[i];
	char was[sizeof s->eval.doing], *dir;
	int k;

	if (att == NULL)
		return false;
	k = att->stage[TG_STAGE_EVALUATE].k;
	if (s->eval_attempt != att->n || s->eval_k != k) {
		s->eval = nothing_live;
		s->eval_attempt = att->n;
		s->eval_k = k;
	}
	memcpy(was, s->eval.doing, sizeof was);
	dir = tg_layout_job(w->dir, w->run.inst[i].id, att->n, TG_STAGE_EVALUATE, k);
	tg_live_refresh(&s->eval, dir, w->run.inst[i].id);
	free(dir);
	return strcmp(was, s->eval.doing) != 0;
}

static bool poll_live(struct tg_watch *w, size_t i)
{
	const struct tg_attempt *att = active(w, i);
	struct seen *s = &w->seen[i];
	struct tg_live was = s->live;
	char *dir, *work;

	if (att == NULL) {
		forget(w, s);
		return false; /* what was seen last stays until extract tells it better */
	}
	dir = tg_layout_attempt(w->dir, w->run.inst[i].id, att->n);
	if (s->attempt != att->n) {
		forget(w, s);
		*s = (struct seen){ .live = nothing_live, .attempt = att->n, .wd = -1 };
		was = s->live;
	}
	if (s->wd < 0 && w->inotify >= 0) {
		work = tg_path_join(dir, "work");
		s->wd =
		    inotify_add_watch(w->inotify, work, WORK_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW);
		free(work);
	}
	tg_live_refresh(&s->live, dir, w->run.inst[i].id);
	free(dir);
	return was.steps != s->live.steps || was.cost_usd < s->live.cost_usd ||
	       was.activity_ms != s->live.activity_ms || was.unreadable != s->live.unreadable ||
	       strcmp(was.doing, s->live.doing) != 0;
}

static bool poll_foreign(struct tg_watch *w, bool *changed, struct tg_err *err)
{
	bool soon = w->noticed || tg_import_pending(w->import);
	int64_t now = tg_mono_ms();
	struct tg_run fresh = { 0 };
	bool any;

	if (now - w->foreign_at < (soon ? FOREIGN_SOON_MS : FOREIGN_EVERY_MS))
		return true;
	w->foreign_at = now;
	w->noticed = false;
	if (!tg_import_read(w->import, &fresh, &any, err))
		return false;
	if (!any)
		return true;
	tg_run_fini(&w->run);
	w->run = fresh;
	reset_seen(w);
	take_foreign_live(w);
	*changed = true;
	return true;
}

bool tg_watch_poll(struct tg_watch *w, bool *changed, struct tg_err *err)
{
	bool any = false;
	uint64_t n = 0;

	drain_inotify(w);
	if (changed != NULL)
		*changed = false;
	if (w->ours) {
		/* Records that came before an error are folded all the same: they are good. */
		bool ok = tg_journal_read(w->reader, tg_run_apply, &w->run, &n, err);

		any = n > 0;
		if (!ok) {
			if (changed != NULL)
				*changed = any;
			return false;
		}
	} else if (!poll_foreign(w, &any, err)) {
		return false;
	}
	any = poll_alive(w) || any;
	for (size_t i = 0; i < w->seen_n; i++) {
		any = poll_live(w, i) || any;
		any = poll_eval(w, i) || any;
	}
	if (changed != NULL)
		*changed = any;
	return true;
}

int tg_watch_fd(const struct tg_watch *w)
{
	return w->inotify;
}

const struct tg_run *tg_watch_run(const struct tg_watch *w)
{
	return &w->run;
}

const struct tg_spec *tg_watch_spec(const struct tg_watch *w)
{
	return w->ours ? &w->spec : NULL;
}

const struct tg_live *tg_watch_live(const struct tg_watch *w, size_t i)
{
	bool shown = !w->ours || active(w, i) != NULL;

	if (i < w->seen_n && !shown && evaluating(w, i) != NULL && w->seen[i].eval_k > 0)
		return &w->seen[i].eval;
	return i < w->seen_n && shown ? &w->seen[i].live : &nothing_live;
}

bool tg_watch_runner_alive(const struct tg_watch *w)
{
	return w->alive;
}

/* The live observation that stands for attempt att: while it runs, and until extract has read the
 * trajectory. NULL when there is none. */
static const struct tg_live *live_of(const struct tg_watch *w, size_t i,
				     const struct tg_attempt *att)
{
	const struct seen *s = i < w->seen_n ? &w->seen[i] : NULL;

	if (s == NULL || att == NULL || s->attempt != att->n || !s->live.known)
		return NULL;
	return &s->live;
}

int64_t tg_watch_steps(const struct tg_watch *w, size_t i)
{
	const struct tg_attempt *att = active(w, i);
	const struct tg_live *live;

	if (att == NULL)
		att = tg_instance_counted(&w->run.inst[i]);
	live = live_of(w, i, att);
	if (att != NULL && att->steps >= 0)
		return att->steps;
	return live != NULL ? live->steps : -1;
}

static double attempt_cost(const struct tg_watch *w, size_t i, const struct tg_attempt *att)
{
	const struct tg_live *live = live_of(w, i, att);

	if (att->cost_usd >= 0)
		return att->cost_usd;
	return live != NULL ? live->cost_usd : -1;
}

double tg_watch_cost(const struct tg_watch *w, size_t i)
{
	const struct tg_instance *in = &w->run.inst[i];
	double sum = 0;
	bool known = false;

	for (size_t a = 0; a < in->att_n; a++) {
		double c = attempt_cost(w, i, &in->att[a]);

		known = known || c >= 0;
		sum += c >= 0 ? c : 0;
	}
	return known ? sum : -1;
}

double tg_watch_run_cost(const struct tg_watch *w, bool *lower_bound)
{
	double sum = 0;
	bool lower = false;

	for (size_t i = 0; i < w->run.inst_n; i++) {
		const struct tg_instance *in = &w->run.inst[i];

		for (size_t a = 0; a < in->att_n; a++) {
			double c = attempt_cost(w, i, &in->att[a]);

			sum += c >= 0 ? c : 0;
			/* what still runs is no lost cost, even before its first step */
			if (in->att[a].ended || in->att[a].lost)
				lower = lower || c < 0 || in->att[a].cost_lower_bound;
		}
	}
	if (lower_bound != NULL)
		*lower_bound = lower;
	return sum;
}

/* The last thing the journal says about an attempt. */
static int64_t last_mark_ms(const struct tg_attempt *att)
{
	int64_t ms = att->end_ms > att->start_ms ? att->end_ms : att->start_ms;

	for (int s = 0; s < TG_STAGE_ATTEMPT_COUNT; s++) {
		if (att->stage[s].begin_ms > ms)
			ms = att->stage[s].begin_ms;
		if (att->stage[s].end_ms > ms)
			ms = att->stage[s].end_ms;
	}
	return ms;
}

int64_t tg_watch_idle_s(const struct tg_watch *w, size_t i, int64_t now_ms)
{
	const struct tg_instance *in = &w->run.inst[i];
	const struct tg_attempt *att = tg_instance_latest(in);
	enum tg_state state = tg_instance_state(in);
	const struct tg_live *live;
	int64_t ms;

	if (att == NULL || state == TG_ST_DONE || state == TG_ST_QUEUED || state == TG_ST_CANCELLED)
		return -1;
	ms = last_mark_ms(att);
	live = live_of(w, i, att);
	if (live != NULL && live->activity_ms > ms)
		ms = live->activity_ms;
	if (ms <= 0)
		return -1;
	return now_ms > ms ? (now_ms - ms) / 1000 : 0;
}

const char *tg_watch_run_state(const struct tg_watch *w)
{
	const struct tg_run *run = &w->run;

	if (!w->ours)
		return "foreign";
	if (run->done_ms != 0 && !run->stale)
		return "done";
	if (w->alive) {
		if (run->stopping)
			return "stopping";
		if (run->draining)
			return "draining";
		return run->paused ? "paused" : "running";
	}
	if (run->runner_up || run->runner_end == NULL)
		return "interrupted";
	if (strcmp(run->runner_end, "gate") == 0)
		return "stopped by the gate";
	return strcmp(run->runner_end, "done") == 0 ? "interrupted" : "stopped";
}
