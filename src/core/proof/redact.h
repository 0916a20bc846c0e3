#ifndef TG_REDACT_H
#define TG_REDACT_H
/*
 * Secrets stop the bundle, or leave it: everything that would go in is scanned before it is hashed.
 * With `redact`, a file with secrets travels as a copy (RUN/.tgmon/redacted/<path>) in which
 * [REDACTED:<rule>:<bytes>:<salted digest>] stands in their place; the original stays as it is. The
 * salt is random, made once a run, and never leaves it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/err.h"
#include "core/proof/fileset.h"

struct cJSON;

struct tg_sweep {
	bool withheld;		  /* secrets are left that nobody allowed us to replace */
	struct cJSON *redactions; /* [{path, rule, count, original_sha256}]; owned */
	struct cJSON *report;	  /* tgmon.secrets.v1: what was found where; owned */
};

/* Scan the files of a set that lie in run_dir; with redact, replace the source of those with
 * secrets by a copy. The journal, run.json, the policy and the gate's text are bound to others by
 * their digests and cannot be redacted: a secret in them withholds the bundle in any case. */
bool tg_redact_sweep(struct tg_fileset *set, const char *run_dir, bool redact,
		     struct tg_sweep *out, struct tg_err *err);
void tg_sweep_fini(struct tg_sweep *s);
/* The report for people. */
void tg_sweep_text(const struct tg_sweep *s, struct tg_buf *out);

/* Put the copies that a manifest names in the place of the originals. */
void tg_redact_apply(struct tg_fileset *set, const char *run_dir, const struct cJSON *redactions);
/* The digest of the original that a manifest names for a path; NULL: it is not redacted. */
const char *tg_redact_original(const struct cJSON *redactions, const char *path);

#endif
