#ifndef TG_SIGN_IN_H
#define TG_SIGN_IN_H
/* Private to signing. */
#include <stdint.h>

#include <openssl/evp.h>

#include "core/proof/sign.h"

struct tg_key {
	EVP_PKEY *pk;
	struct tg_pubkey pub;
};

/* SSH's strings and keys; minisign's key number (the id's first eight bytes). */
void tg_put_string(struct tg_buf *b, const void *p, size_t n);
void tg_put_ssh_key(struct tg_buf *b, const struct tg_pubkey *pub);
void tg_put_keynum(const struct tg_pubkey *pub, unsigned char num[8]);

#endif
