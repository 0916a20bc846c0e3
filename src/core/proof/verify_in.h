#ifndef TG_VERIFY_IN_H
#define TG_VERIFY_IN_H
/* Private to the verifier: its checks, in files of their own. */
#include "core/proof/attest.h"
#include "core/proof/facts.h"
#include "core/proof/verify.h"

struct tg_policy;

struct tg_proof { /* what is verified */
	struct tg_verify *out;
	struct tg_fileset set; /* the members that the manifest must list */
	struct tg_buf manifest_text, sums_text;
	bool has_manifest, has_sums;
	struct tg_buf sig[TG_SIGNED_FILES]; /* in the order of tg_signed_paths */
	bool has_sig[TG_SIGNED_FILES];
	const char *trusted_id; /* NULL: none given */
	bool archive;		/* not a folder */
	bool withheld;		/* the manifest says so */
	struct cJSON *manifest;
	struct tg_facts facts;
	bool facts_ok;
	struct tg_prows
	    raw_preds;		  /* preds.json: what was handed in, before '' stood for no patch */
	struct tg_policy *policy; /* NULL: none, or unreadable */
	bool policy_ok;		  /* readable, or the run has none */
};

/* Findings of one check, gathered and then put into the list. */
struct tg_findings {
	struct tg_buf text;
	size_t n;
};
void tg_find(struct tg_findings *f, const char *fmt, ...) TG_PRINTF(2, 3);
/* Ok when there are no findings. */
void tg_check_done(struct tg_proof *p, const char *name, struct tg_findings *f);
void tg_check_unknown(struct tg_proof *p, const char *name, const char *why);

void tg_verify_files(struct tg_proof *p);      /* manifest, files, sha256sums */
void tg_verify_statements(struct tg_proof *p); /* statements */
void tg_verify_instances(struct tg_proof *p);  /* artifacts, instances */
void tg_verify_rows(struct tg_proof *p);       /* chain, verdicts */
void tg_verify_gate(struct tg_proof *p);       /* gate */
void tg_verify_signature(struct tg_proof *p);  /* signature, trust */
void tg_verify_registered(struct tg_proof *p); /* registered */

#endif
