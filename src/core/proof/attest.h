#ifndef TG_ATTEST_H
#define TG_ATTEST_H
/*
 * What a signature says: two in-toto statements (Statement v1) about proof/SHA256SUMS, the manifest
 * and the predictions: the field's test-result, and one of ours with counts, verdicts and policy.
 * They are a pure function of the manifest, so a verifier makes them again and compares.
 */
#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/proof/fileset.h"
#include "core/proof/merkle.h"
#include "core/proof/rows.h"
#include "core/proof/sign.h"

struct cJSON;

#define TG_STATEMENT_TYPE "application/vnd.in-toto+json"
#define TG_PREDICATE_TEST "https://in-toto.io/attestation/test-result/v0.1"
#define TG_PREDICATE_OURS "https://tauguardian.dev/attestation/agent-eval-run/v1"

#define TG_SIG_PATH "proof/SHA256SUMS.sig"
#define TG_SSHSIG_PATH "proof/SHA256SUMS.sshsig"
#define TG_MINISIG_PATH "proof/SHA256SUMS.minisig"
#define TG_INTOTO_PATH "proof/attestations.intoto.jsonl"
#define TG_PEM_PATH "proof/keys/tgmon.pub.pem"
#define TG_SIGNERS_PATH "proof/keys/allowed_signers"
#define TG_MINIPUB_PATH "proof/keys/tgmon.minisign.pub"

enum { TG_STATEMENTS = 2, TG_SIGNED_FILES = 7 };
/* The paths above: what a signed bundle holds beyond SHA256SUMS. */
const char *const *tg_signed_paths(void);

struct tg_claim { /* what statements are made from; all borrowed */
	const struct cJSON *manifest;
	const struct tg_prows *rows;
	const char *manifest_sha256, *sums_sha256, *preds_sha256;
};

/* Canonical JSON of statement i. */
void tg_attest_statement(const struct tg_claim *claim, int i, struct tg_buf *out);
/* minisign's trusted comment. */
char *tg_attest_comment(const struct cJSON *manifest);

/* The leaves of the Merkle tree, in order: "<sha256>  <path>\n" for each file of the manifest, then
 * "<sha256>  <rows file>#<id>\n" for each governed row. */
void tg_attest_tree(const struct tg_fileset *set, const struct tg_prows *rows,
		    struct tg_merkle *out);

#endif
