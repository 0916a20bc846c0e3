#ifndef TG_VERIFY_H
#define TG_VERIFY_H
/*
 * Verification of a proof: a run directory, a folder that a bundle was unpacked into, or the .tgz
 * itself (read as hostile input, unpacked nowhere). The result is a list of named checks, each ok,
 * failed (what and where) or not checkable (why); what is not checkable fails nothing.
 *
 *   archive      the form of the .tgz: plain files below one folder, no links, no twins, bounded
 *   bundle       the .tgz has the digest that lies beside it
 *   manifest     it is there, it is one
 *   files        every file is what the manifest says, none is missing, none is extra
 *   sha256sums   proof/SHA256SUMS says the same
 *   artifacts    what a complete run must have is there
 *   run          the journal's first record names this proof/run.json
 *   journal      the hash chain holds
 *   instances    the same instances in run.json, predictions, results, reports, trajectories, rows
 *   statements   every count, digest and attempt in the manifest, made again from the files
 *   chain        patch, evaluation, report, trajectory, policy of each row are those in the bundle
 *   verdicts     each row made again from its evidence: score, decision, reason
 *   gate         ci_gate.txt made again from the rows
 *   signature    every signature, form of the public key and statement holds under the key inside
 *   trust        that key is the one that the caller gave
 *   registered   run.json was signed before the first attempt in the chain
 *   originals    in a run: what was redacted is still the file that it was
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/err.h"

struct cJSON;

enum tg_check_state { TG_CHECK_OK, TG_CHECK_FAILED, TG_CHECK_UNKNOWN };

struct tg_check {
	const char *name;
	enum tg_check_state state;
	char *detail; /* what and where; "" when ok and there is nothing to say */
};

struct tg_verify {
	struct tg_check *v;
	size_t n, cap;
	size_t failed;
};

/* Verify; key_id is that of the key that the caller trusts, or NULL. False only when path cannot be looked at at all (there is no such thing): everything that
 * is wrong with what lies there is a failed check. Free with tg_verify_fini, also after false. */
bool tg_proof_verify(const char *path, const char *key_id, struct tg_verify *out,
		     struct tg_err *err);
void tg_verify_fini(struct tg_verify *v);
const char *tg_check_state_name(enum tg_check_state s); /* ok, failed, not checkable */
/* {ok, failed: [names], checks: [{name, state, detail}]} */
struct cJSON *tg_verify_json(const struct tg_verify *v);

#endif
