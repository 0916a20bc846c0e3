#ifndef TG_DATA_H
#define TG_DATA_H
/*
 * What the views draw from: the fold, and beside it what is observed live. Filled by a source (a
 * watched run; a recorded one in tests) and read-only for views. Strings are the source's and live
 * until its next poll.
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/run/live.h"
#include "core/run/model.h"
#include "core/run/spec.h"
#include "views/eta.h"

struct tg_data_row { /* of instance i */
	struct tg_live live;
	int64_t steps, idle_s; /* -1: unknown */
	double cost;           /* < 0: unknown */
};

struct tg_data {
	const struct tg_run *run;   /* NULL: no run is open (the list of runs) */
	const struct tg_spec *spec; /* NULL for a foreign run */
	const char *state;          /* the run's state in a word (watch.h) */
	bool alive;                 /* a runner holds the run */
	double cost;
	bool cost_lower_bound;
	struct tg_data_row *row;    /* run->inst_n of them */
	size_t row_cap;
	struct tg_counts counts;
	struct tg_eta eta;
	int64_t now_ms;             /* wall */
};

struct tg_source_ops {
	bool (*poll)(void *user, bool *changed, struct tg_err *err);
	int (*fd)(void *user);
	void (*fill)(void *user, struct tg_data *data); /* data->row has room for run->inst_n */
	const struct tg_run *(*run)(void *user);
	void (*close)(void *user);
};

struct tg_source {
	const struct tg_source_ops *ops;
	void *user;
};

/* Fill everything, counts and ETA included. */
void tg_data_fill(struct tg_data *d, const struct tg_source *src, int64_t now_ms);
void tg_data_fini(struct tg_data *d);
/* Index of an instance, or -1. */
int tg_data_find(const struct tg_data *d, const char *iid);
/* No sign of life for longer than this marks a running row. */
#define TG_SILENT_S 120
bool tg_data_is_active(const struct tg_data *d, size_t i); /* its agent is at work */
bool tg_data_is_silent(const struct tg_data *d, size_t i);

#endif
