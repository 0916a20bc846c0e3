#ifndef TG_BUNDLE_H
#define TG_BUNDLE_H
/*
 * proof_bundle.tgz: a deterministic archive (gnutar + gzip, sorted, no times, owner 0), the same
 * bytes on every machine with the same zlib; the digest of the inner tar stands beside for the
 * others.
 */
#include <stdbool.h>
#include <stdint.h>

#include "core/lib/err.h"
#include "core/proof/fileset.h"

struct tg_bundle {
	char sha256[TG_SHA256_HEX];	/* of the .tgz */
	char tar_sha256[TG_SHA256_HEX]; /* of the tar inside */
	int64_t bytes;			/* of the .tgz */
	size_t members;
};

/* Write the files of a sorted, hashed set below the folder `top` into path (made anew, synced). A
 * file whose bytes are no longer those of its digest is an error: then the manifest is stale. */
bool tg_bundle_write(const struct tg_fileset *set, const char *top, const char *path,
		     struct tg_bundle *out, struct tg_err *err);

#endif
