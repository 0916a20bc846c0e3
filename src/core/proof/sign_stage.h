#ifndef TG_SIGN_STAGE_H
#define TG_SIGN_STAGE_H
/* Private to proof: the bundle stage signs what it is about to pack. */
#include "core/proof/place.h"

struct cJSON;

/* Load the key (this process alone ever holds it), sign SHA256SUMS and the statements, publish the
 * signatures and public keys and add them to the set, which has been hashed. */
bool tg_sign_place(struct tg_place *p, const struct cJSON *manifest, struct tg_err *err);

#endif
