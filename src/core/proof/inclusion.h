#ifndef TG_INCLUSION_H
#define TG_INCLUSION_H
/*
 * One instance shown without the rest (tgmon.inclusion.v1): its files and its governed row, each with
 * its audit path to the Merkle root of the manifest, and the signed statement that carries the root.
 */
#include "core/lib/err.h"
#include "core/proof/verify.h"

/* Write DIR/proof.json and copies of the instance's files below DIR (made anew). The run must have
 * its manifest; a withheld one is refused. */
bool tg_inclusion_write(const char *run_dir, const char *iid, const char *dir, struct tg_err *err);
/* Is it one? Then its checks: form, files, paths, statement, trust. */
bool tg_inclusion_is(const char *path);
bool tg_inclusion_verify(const char *path, const char *key_id, struct tg_verify *out,
			 struct tg_err *err);

#endif
