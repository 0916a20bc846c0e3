#ifndef TG_REGISTER_H
#define TG_REGISTER_H
/*
 * Registered before it ran: at launch, before the runner starts, the digest of run.json (ids, data
 * set, config, policy, model, limits, tool versions) is signed into RUN/.tgmon/registered.json. The
 * journal's first record names that file's digest, so it stands before every attempt in the chain.
 * Its time is the operator's word; the line, sent ahead to somebody, is what makes it more.
 */
#include <stdbool.h>

#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/proof/sign.h"

struct cJSON;

/* Sign and write; line gets the one line to send ahead. */
bool tg_register_run(const char *run_dir, const struct tg_key *key, struct tg_buf *line,
		     struct tg_err *err);
/* The key that signed it, when the signature holds over its members. */
bool tg_register_check(const struct cJSON *doc, struct tg_pubkey *pub);

#endif
