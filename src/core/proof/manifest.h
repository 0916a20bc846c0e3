#ifndef TG_MANIFEST_H
#define TG_MANIFEST_H
/*
 * proof_manifest.json: every field of tauguardian.proof_manifest.v1 (pipeline spec 9.3) with
 * relative paths, and under `tgmon` (tgmon.manifest.v1) what that format lacks: each file with its
 * digest, the expected ids, attempts and why, the chain from patch to row, digests of the inputs,
 * the journal's head.
 *
 * A manifest is a pure function of the files it lists: the verifier makes it again from what it
 * finds and compares, so every count and digest in it is re-derived, not believed.
 */
#include <stdbool.h>

#include "core/lib/err.h"
#include "core/proof/facts.h"

struct cJSON;

struct tg_manifest_in { /* what does not follow from the files */
	const char *tgmon_version;
	const struct cJSON *previous;	/* [{path, sha256}] of earlier bundles; NULL: none */
	const struct cJSON *redactions; /* [{path, rule, count, original_sha256}]; NULL: none */
	bool withheld;			/* secrets stop the bundle */
	const char *key_id;		/* of the key that signs; NULL: unsigned */
};

/* The caller frees with tg_json_free. */
struct cJSON *tg_manifest_make(const struct tg_facts *f, const struct tg_manifest_in *in);
/* proof/SHA256SUMS for `sha256sum -c` in the run's folder: every file of the set and the manifest.
 */
void tg_manifest_sums(const struct tg_fileset *set, const char *manifest_sha256,
		      struct tg_buf *out);

#endif
