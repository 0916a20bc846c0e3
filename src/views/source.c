#include "views/source.h"

#include <stdlib.h>

#include "core/lib/file.h"
#include "core/run/registry.h"
#include "core/run/watch.h"

static bool poll_watch(void *user, bool *changed, struct tg_err *err)
{
	return tg_watch_poll(user, changed, err);
}

static int watch_fd(void *user)
{
	return tg_watch_fd(user);
}

static const struct tg_run *watch_run(void *user)
{
	return tg_watch_run(user);
}

static void close_watch(void *user)
{
	tg_watch_close(user);
}

static void fill(void *user, struct tg_data *d)
{
	const struct tg_watch *w = user;
	d->spec = tg_watch_spec(w);
	d->state = tg_watch_run_state(w);
	d->alive = tg_watch_runner_alive(w);
	d->cost = tg_watch_run_cost(w, &d->cost_lower_bound);
	for (size_t i = 0; i < d->run->inst_n; i++)
		d->row[i] = (struct tg_data_row){
			.live = *tg_watch_live(w, i),
			.steps = tg_watch_steps(w, i),
			.cost = tg_watch_cost(w, i),
			.idle_s = tg_watch_idle_s(w, i, d->now_ms),
		};
}

static const struct tg_source_ops watch_ops = {
	.poll = poll_watch, .fd = watch_fd, .fill = fill, .run = watch_run, .close = close_watch,
};

bool tg_source_watch(struct tg_source *out, const char *run_dir, struct tg_err *err)
{
	struct tg_watch *w = tg_watch_open(run_dir, err);
	if (!w)
		return false;
	bool changed;
	if (!tg_watch_poll(w, &changed, err)) {
		tg_watch_close(w);
		return false;
	}
	*out = (struct tg_source){ &watch_ops, w };
	return true;
}

static void summarise(struct tg_run_summary *r, const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	const struct tg_spec *spec = tg_watch_spec(w);
	struct tg_counts c;
	tg_run_count(run, &c);
	r->model = spec ? tg_strdup(spec->model_id) : NULL;
	r->slice = spec ? tg_strdup(spec->slice) : NULL;
	r->state = tg_strdup(tg_watch_run_state(w));
	r->total = c.total;
	r->done = c.by_state[TG_ST_DONE];
	r->resolved = c.resolved;
	r->failed = c.failed;
	r->ok = c.by_decision[TG_DEC_OK];
	r->abstain = c.by_decision[TG_DEC_ABSTAIN];
	r->veto = c.by_decision[TG_DEC_VETO];
	r->cost = tg_watch_run_cost(w, &r->cost_lower_bound);
	r->last_ms = run->last_ms ? run->last_ms : tg_file_mtime_ms(run->dir);
}

bool tg_source_runs(const char *dir, struct tg_runs *out, struct tg_err *err)
{
	struct tg_names names = { 0 };
	if (!tg_registry_list(dir, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		struct tg_err why = { 0 };
		bool changed;
		TG_GROW(out->v, out->n, out->cap);
		struct tg_run_summary *r = &out->v[out->n++];
		*r = (struct tg_run_summary){ .dir = tg_strdup(names.v[i]),
					      .name = tg_strdup(tg_path_base(names.v[i])) };
		struct tg_watch *w = tg_watch_open(names.v[i], &why);
		if (w && tg_watch_poll(w, &changed, &why)) {
			summarise(r, w);
		} else {
			r->unreadable = true;
			r->state = tg_asprintf("unreadable: %s", why.msg);
		}
		tg_watch_close(w);
	}
	tg_names_free(&names);
	return true;
}
