#ifndef TG_MERKLE_H
#define TG_MERKLE_H
/*
 * RFC 6962 section 2.1 hashing: leaf SHA256(00|d), node SHA256(01|l|r), split at the largest power
 * of two below n, empty SHA256(""). With the root signed, one file can be shown without the rest.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/hash.h"

enum { TG_MERKLE_HASH = 32, TG_MERKLE_PATH_MAX = 64 };

struct tg_merkle {
	unsigned char (*leaf)[TG_MERKLE_HASH];
	size_t n, cap;
};

void tg_merkle_add(struct tg_merkle *m, const void *p, size_t n);
void tg_merkle_root(const struct tg_merkle *m, unsigned char out[TG_MERKLE_HASH]);
/* The audit path of leaf i, from the leaf up; how many hashes. */
size_t tg_merkle_path(const struct tg_merkle *m, size_t i,
		      unsigned char path[TG_MERKLE_PATH_MAX][TG_MERKLE_HASH]);
/* RFC 9162 2.1.3.2: does a leaf with these bytes stand at place i of n below the root? */
bool tg_merkle_check(const void *p, size_t len, size_t i, size_t n,
		     unsigned char path[][TG_MERKLE_HASH], size_t path_n,
		     const unsigned char root[TG_MERKLE_HASH]);
void tg_merkle_fini(struct tg_merkle *m);
void tg_merkle_hex(const unsigned char h[TG_MERKLE_HASH], char out[TG_SHA256_HEX]);
bool tg_merkle_unhex(const char *hex, unsigned char h[TG_MERKLE_HASH]);

#endif
