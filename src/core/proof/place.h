#ifndef TG_PROOF_PLACE_H
#define TG_PROOF_PLACE_H
/* Private to proof: what its stages share. */
#include <stdbool.h>

#include "core/run/stage.h"
#include "core/run/publish.h"
#include "core/proof/fileset.h"

struct tg_place {
	const struct tg_stage_ctx *ctx;
	struct tg_publisher pub;
	struct tg_fileset set; /* collected; hashed only when asked */
};

/* Replays the journal, collects the run's files and opens the publisher. Free also after false. */
bool tg_place_init(struct tg_place *p, const struct tg_stage_ctx *ctx, struct tg_err *err);
void tg_place_fini(struct tg_place *p);
/* Is the file that tg_published_path names one that we may replace or move? */
bool tg_place_is_ours(const struct tg_place *p, const char *rel);

#endif
