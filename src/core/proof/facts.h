#ifndef TG_PROOF_FACTS_H
#define TG_PROOF_FACTS_H
/* Everything that a manifest states and a verifier checks, read once out of a file set. */
#include <stdbool.h>

#include "core/lib/err.h"
#include "core/proof/fileset.h"
#include "core/proof/replay.h"
#include "core/proof/rows.h"
#include "core/run/model.h"

struct cJSON;

struct tg_facts {
	const struct tg_fileset *set; /* borrowed: sorted and hashed */
	struct cJSON *run_json;	      /* proof/run.json; never NULL after a success */
	struct tg_run run;	      /* the fold of proof/journal.jsonl */
	struct tg_replay journal;
	struct tg_prows preds, results, rows, risks;
};

/* Needs proof/run.json and proof/journal.jsonl. Free with tg_facts_fini, also after false. */
bool tg_facts_init(struct tg_facts *f, const struct tg_fileset *set, struct tg_err *err);
void tg_facts_fini(struct tg_facts *f);

/* summary{predictions, eval, security, governance} of tauguardian.proof_manifest.v1. */
struct cJSON *tg_facts_summary(const struct tg_facts *f);

#endif
