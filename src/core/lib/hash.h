#ifndef TG_HASH_H
#define TG_HASH_H
/* SHA-256 (OpenSSL EVP) as lowercase hex, and CRC-32C (Castagnoli, reflected 0x82F63B78). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"

#define TG_SHA256_HEX 65 /* 64 digits and the NUL */
#define TG_SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct tg_sha256; /* streaming */

void tg_sha256_hex(const void *p, size_t n, char out[TG_SHA256_HEX]);
struct tg_sha256 *tg_sha256_new(void);
void tg_sha256_update(struct tg_sha256 *h, const void *p, size_t n);
void tg_sha256_final(struct tg_sha256 *h, char out[TG_SHA256_HEX]); /* frees h */
bool tg_sha256_file(const char *path, char out[TG_SHA256_HEX], int64_t *bytes, struct tg_err *err);
bool tg_sha256_fd(int fd, char out[TG_SHA256_HEX], int64_t *bytes, struct tg_err *err);
bool tg_is_sha256_hex(const char *s);
uint32_t tg_crc32c(const void *p, size_t n);

#endif
