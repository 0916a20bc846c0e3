#ifndef TG_ETA_H
#define TG_ETA_H
/*
 * When a run is through: an 80% range, not a number. From the times that ended attempts of this run
 * took: the work that is left is a sum of k such times (mean m, deviation s over n samples),
 * divided among the workers; its variance is k s^2 + k^2 s^2 / n (the mean itself is uncertain),
 * and the last jobs of several workers end apart, which lengthens the end. Below three samples
 * nothing is claimed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/run/model.h"

struct tg_eta {
	bool known;
	int64_t low_s, high_s;
	size_t samples, left; /* attempts that ended; instances still to be judged */
};

#define TG_ETA_SAMPLES 3

void tg_eta_compute(struct tg_eta *eta, const struct tg_run *run, int workers, int64_t now_ms);

#endif
