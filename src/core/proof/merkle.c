#include "core/proof/merkle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "core/lib/buf.h"

static void hash_leaf(const void *p, size_t n, unsigned char out[TG_MERKLE_HASH])
{
	struct tg_buf b = TG_BUF_INIT;

	tg_buf_addc(&b, '\0');
	tg_buf_add(&b, p, n);
	SHA256((const unsigned char *)b.p, b.n, out);
	tg_buf_fini(&b);
}

static void hash_node(const unsigned char *l, const unsigned char *r, unsigned char *out)
{
	unsigned char both[1 + 2 * TG_MERKLE_HASH];

	both[0] = 1;
	memcpy(both + 1, l, TG_MERKLE_HASH);
	memcpy(both + 1 + TG_MERKLE_HASH, r, TG_MERKLE_HASH);
	SHA256(both, sizeof both, out);
}

void tg_merkle_add(struct tg_merkle *m, const void *p, size_t n)
{
	TG_GROW(m->leaf, m->n, m->cap);
	hash_leaf(p, n, m->leaf[m->n++]);
}

static size_t split(size_t n)
{
	size_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static void subtree(const struct tg_merkle *m, size_t from, size_t n, unsigned char *out)
{
	unsigned char l[TG_MERKLE_HASH], r[TG_MERKLE_HASH];
	size_t k;

	if (n == 1) {
		memcpy(out, m->leaf[from], TG_MERKLE_HASH);
		return;
	}
	k = split(n);
	subtree(m, from, k, l);
	subtree(m, from + k, n - k, r);
	hash_node(l, r, out);
}

void tg_merkle_root(const struct tg_merkle *m, unsigned char out[TG_MERKLE_HASH])
{
	if (m->n)
		subtree(m, 0, m->n, out);
	else
		SHA256((const unsigned char *)"", 0, out);
}

static size_t path_of(const struct tg_merkle *m, size_t from, size_t n, size_t i,
		      unsigned char path[][TG_MERKLE_HASH])
{
	size_t k, depth;

	if (n == 1)
		return 0;
	k = split(n);
	if (i < k) {
		depth = path_of(m, from, k, i, path);
		subtree(m, from + k, n - k, path[depth]);
	} else {
		depth = path_of(m, from + k, n - k, i - k, path);
		subtree(m, from, k, path[depth]);
	}
	return depth + 1;
}

size_t tg_merkle_path(const struct tg_merkle *m, size_t i,
		      unsigned char path[TG_MERKLE_PATH_MAX][TG_MERKLE_HASH])
{
	return i < m->n ? path_of(m, 0, m->n, i, path) : 0;
}

bool tg_merkle_check(const void *p, size_t len, size_t i, size_t n,
		     unsigned char path[][TG_MERKLE_HASH], size_t path_n,
		     const unsigned char root[TG_MERKLE_HASH])
{
	unsigned char h[TG_MERKLE_HASH];
	size_t last = n - 1;

	if (i >= n)
		return false;
	hash_leaf(p, len, h);
	for (size_t k = 0; k < path_n; k++) {
		if (last == 0)
			return false;
		if ((i & 1) || i == last) {
			hash_node(path[k], h, h);
			while (!(i & 1) && i) {
				i >>= 1;
				last >>= 1;
			}
		} else
			hash_node(h, path[k], h);
		i >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(h, root, TG_MERKLE_HASH) == 0;
}

void tg_merkle_fini(struct tg_merkle *m)
{
	free(m->leaf);
	*m = (struct tg_merkle){NULL, 0, 0};
}

void tg_merkle_hex(const unsigned char h[TG_MERKLE_HASH], char out[TG_SHA256_HEX])
{
	for (size_t i = 0; i < TG_MERKLE_HASH; i++)
		snprintf(out + 2 * i, 3, "%02x", h[i]);
}

bool tg_merkle_unhex(const char *hex, unsigned char h[TG_MERKLE_HASH])
{
	if (!hex || !tg_is_sha256_hex(hex))
		return false;
	for (size_t i = 0; i < TG_MERKLE_HASH; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		h[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	return true;
}
