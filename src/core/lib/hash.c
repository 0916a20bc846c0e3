#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>
#include "core/lib/buf.h"
#include "core/lib/hash.h"

struct tg_sha256 {
	EVP_MD_CTX *ctx;
};

static void to_hex(const unsigned char *d, char out[TG_SHA256_HEX])
{
	static const char digit[] = "0123456789abcdef";

	for (int i = 0; i < 32; i++) {
		out[2 * i] = digit[d[i] >> 4];
		out[2 * i + 1] = digit[d[i] & 15];
	}
	out[64] = '\0';
}

struct tg_sha256 *tg_sha256_new(void)
{
	struct tg_sha256 *h = tg_malloc(sizeof *h);

	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		tg_oom();
	return h;
}

void tg_sha256_update(struct tg_sha256 *h, const void *p, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, p, n) != 1)
		tg_oom();
}

void tg_sha256_final(struct tg_sha256 *h, char out[TG_SHA256_HEX])
{
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_DigestFinal_ex(h->ctx, d, &n) != 1 || n != 32)
		tg_oom();
	to_hex(d, out);
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void tg_sha256_hex(const void *p, size_t n, char out[TG_SHA256_HEX])
{
	struct tg_sha256 *h = tg_sha256_new();

	tg_sha256_update(h, n ? p : "", n);
	tg_sha256_final(h, out);
}

bool tg_sha256_fd(int fd, char out[TG_SHA256_HEX], int64_t *bytes, struct tg_err *err)
{
	enum { CHUNK = 1 << 16 };
	struct tg_sha256 *h = tg_sha256_new();
	char *block = tg_malloc(CHUNK);
	int64_t total = 0;
	ssize_t r;
	int sys = 0;

	for (;;) {
		r = read(fd, block, CHUNK);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			sys = r < 0 ? errno : 0;
			break;
		}
		tg_sha256_update(h, block, (size_t)r);
		total += r;
	}
	tg_sha256_final(h, out);
	free(block);
	if (bytes)
		*bytes = total;
	return sys ? tg_fail_sys(err, sys, "reading while hashing") : true;
}

bool tg_sha256_file(const char *path, char out[TG_SHA256_HEX], int64_t *bytes, struct tg_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot open %s", path);
	ok = tg_sha256_fd(fd, out, bytes, err);
	close(fd);
	return ok ? true : tg_fail_in(err, "%s", path);
}

bool tg_is_sha256_hex(const char *s)
{
	return s && strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static uint32_t crc_step(uint32_t c)
{
	for (int k = 0; k < 8; k++)
		c = c & 1 ? 0x82F63B78u ^ (c >> 1) : c >> 1;
	return c;
}

uint32_t tg_crc32c(const void *p, size_t n)
{
	const unsigned char *b = p;
	uint32_t table[256], c = ~0u;

	if (n < 64) { /* a table costs more than it saves */
		while (n--)
			c = crc_step((c ^ *b++) & 255) ^ (c >> 8);
		return ~c;
	}
	for (uint32_t i = 0; i < 256; i++)
		table[i] = crc_step(i);
	while (n--)
		c = table[(c ^ *b++) & 255] ^ (c >> 8);
	return ~c;
}
