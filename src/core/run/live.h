#ifndef TG_LIVE_H
#define TG_LIVE_H
/*
 * What a running attempt does right now, read from its files (the live trajectory that agents rewrite
 * after each step, and out.log). Never journalled, never trusted, rebuilt at any time.
 */
#include <stdbool.h>
#include <stdint.h>

struct tg_live {
	bool known;            /* something could be read */
	bool unreadable;       /* the source is there but makes no sense (longer than a retry) */
	int64_t steps;         /* -1 unknown */
	double cost_usd;       /* < 0 unknown */
	int64_t activity_ms;   /* wall time of the last sign of life; 0 unknown */
	char doing[160];       /* "step 4: python -m unittest", safe text, one line */
	char base[160];        /* doing without what was noticed */
	bool rate_limited;     /* the agent says that it waits for the model's service */
	/* cache key of the source, and of progress.json beside a trajectory */
	uint64_t ino;
	int64_t size, mtime_ns, notice_ms;
};

/* Refresh `live` for a running attempt whose job directory is attempt_dir; cheap when nothing changed.
 * Reads attempt_dir/work/live.traj.json (either trajectory format), else work/progress.json, else the
 * time stamps only. progress.json: {steps, cost_usd, doing, notice, rate_limited}; a notice ("rate limited,
 * next try in 32 s") outranks what a trajectory says, until it is null. */
void tg_live_refresh(struct tg_live *live, const char *attempt_dir, const char *iid);

#endif
