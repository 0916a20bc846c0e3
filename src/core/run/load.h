#ifndef TG_LOAD_H
#define TG_LOAD_H
/* Replay a run's journal into a fresh struct tg_run: for run-level stages and for commands that look
 * once. The caller frees with tg_run_fini, also on failure. */
#include <stdbool.h>
#include "core/lib/err.h"
#include "core/run/model.h"
#include "core/run/spec.h"

bool tg_load_run(struct tg_run *run, const char *run_dir, const struct tg_spec *spec,
		 struct tg_err *err);

#endif
