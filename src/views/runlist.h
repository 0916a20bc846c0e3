#ifndef TG_RUNLIST_H
#define TG_RUNLIST_H
/* What the list of runs shows of each: a summary, made by opening it once. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_run_summary {
	char *dir, *name, *model, *slice, *state;
	size_t total, done, resolved, ok, abstain, veto, failed;
	double cost;
	bool cost_lower_bound, unreadable;
	int64_t last_ms; /* of its newest record; 0 unknown */
};

struct tg_runs {
	struct tg_run_summary *v;
	size_t n, cap;
};

void tg_runs_fini(struct tg_runs *runs);

#endif
