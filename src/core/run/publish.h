#ifndef TG_PUBLISH_H
#define TG_PUBLISH_H
/*
 * Putting derived files into the run directory. In a run of our own they are simply replaced when they
 * changed. In a folder that something else made (`tgmon process` in place; decisions.md, "Files and
 * places") only what is missing is created and only what we created is replaced: an existing file that
 * says the same is used as it is, one that differs stays and ours goes to .tgmon/derived/. Which paths
 * we created stands in .tgmon/published.json, durable before the first byte of a new file.
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"
#include "core/lib/log.h"

struct cJSON;

struct tg_publisher {
	const char *run_dir;
	bool careful;           /* foreign folder, in place */
	struct cJSON *ledger;   /* paths we created; only when careful */
	struct cJSON *kept;     /* paths where a foreign file stayed */
	size_t written;
	const struct tg_log *log;
};

bool tg_publish_init(struct tg_publisher *p, const char *run_dir, bool careful,
		     const struct tg_log *log, struct tg_err *err);
void tg_publish_fini(struct tg_publisher *p);
/* rel: path below RUN; folders are made. */
bool tg_publish_bytes(struct tg_publisher *p, const char *rel, const void *data, size_t n,
		      struct tg_err *err);
bool tg_publish_copy(struct tg_publisher *p, const char *rel, const char *src, struct tg_err *err);
/* The file that stands there says the same (again): what an earlier, unfinished state of the run put
 * into .tgmon/derived/ goes, or it would still be taken for the latest. */
bool tg_publish_use_existing(const struct tg_publisher *p, const char *rel, struct tg_err *err);
/* Where a derived file of this run is: RUN/rel, or RUN/.tgmon/derived/rel when ours had to go there.
 * Caller frees. */
char *tg_published_path(const char *run_dir, const char *rel);

#endif
