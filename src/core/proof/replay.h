#ifndef TG_REPLAY_H
#define TG_REPLAY_H
/* The journal as it travels in a bundle (proof/journal.jsonl): written from the run's own, and
 * replayed through the one fold, with its hash chain checked. */
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/run/model.h"

struct cJSON;

struct tg_replay {
	uint64_t records;
	char head[65];	 /* sha256 of the last record */
	int64_t last_ms; /* wall time of the last record */
};

/* The records of the run's journal up to (not with) the stage.begin of the manifest that is being
 * made, one JSON body a line. */
bool tg_replay_export(const char *run_dir, struct tg_buf *out, struct tg_err *err);
/* Check the chain and fold the lines into run (initialised here; tg_run_fini also after false),
 * whose expected ids are those of run_json. A broken chain is TG_E_CORRUPT. */
bool tg_replay_lines(const struct tg_buf *lines, const struct cJSON *run_json, struct tg_run *run,
		     struct tg_replay *out, struct tg_err *err);

#endif
