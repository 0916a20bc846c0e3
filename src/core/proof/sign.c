/* Signatures and their forms. What is signed and how it is wrapped are functions of their own, so
 * that signer and verifier cannot differ. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/lib/json.h"
#include "core/proof/sign_in.h"

void tg_base64(const void *p, size_t n, struct tg_buf *out)
{
	unsigned char *text = tg_malloc(4 * ((n + 2) / 3) + 1);
	int k = EVP_EncodeBlock(text, p, (int)n);

	tg_buf_add(out, text, (size_t)k);
	free(text);
}

bool tg_base64_decode(const char *p, size_t n, struct tg_buf *out)
{
	struct tg_buf again = TG_BUF_INIT;
	unsigned char *bytes;
	size_t pad = 0;
	int k;
	bool ok;

	tg_buf_clear(out);
	if (n == 0 || n % 4 != 0 || n > (size_t)64 << 20)
		return false;
	pad = (size_t)(p[n - 1] == '=') + (size_t)(p[n - 2] == '=');
	bytes = tg_malloc(n / 4 * 3 + 1);
	k = EVP_DecodeBlock(bytes, (const unsigned char *)p, (int)n);
	if (k > 0)
		tg_buf_add(out, bytes, (size_t)k - pad);
	free(bytes);
	tg_base64(tg_buf_cstr(out), out->n, &again); /* OpenSSL's reader is lenient */
	ok = k > 0 && again.n == n && memcmp(again.p, p, n) == 0;
	tg_buf_fini(&again);
	return ok;
}

bool tg_sign_raw(const struct tg_key *key, const void *p, size_t n,
		 unsigned char sig[TG_ED25519_SIG], struct tg_err *err)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = TG_ED25519_SIG;
	bool ok = c && EVP_DigestSignInit(c, NULL, NULL, NULL, key->pk) == 1 &&
		  EVP_DigestSign(c, sig, &len, p, n) == 1 && len == TG_ED25519_SIG;

	EVP_MD_CTX_free(c);
	return ok || tg_fail(err, TG_E_MACHINE, "OpenSSL cannot sign");
}

bool tg_verify_raw(const struct tg_pubkey *pub, const void *p, size_t n,
		   const unsigned char sig[TG_ED25519_SIG])
{
	EVP_PKEY *pk = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub->raw,
						   TG_ED25519_PUBLIC);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = pk && c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, pk) == 1 &&
		  EVP_DigestVerify(c, sig, TG_ED25519_SIG, p, n) == 1;

	EVP_MD_CTX_free(c);
	EVP_PKEY_free(pk);
	return ok;
}

static bool digest(const char *name, const void *p, size_t n, unsigned char out[64])
{
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	unsigned len = 0;
	bool ok = md && EVP_Digest(p, n, out, &len, md, NULL) == 1 && len == 64;

	EVP_MD_free(md);
	return ok;
}

/* ---- SSHSIG ----------------------------------------------------------------------------------- */

static void sshsig_message(const void *p, size_t n, struct tg_buf *out)
{
	unsigned char h[64] = {0};

	digest("SHA512", p, n, h);
	tg_buf_add(out, "SSHSIG", 6);
	tg_put_string(out, "file", 4);
	tg_put_string(out, "", 0);
	tg_put_string(out, "sha512", 6);
	tg_put_string(out, h, sizeof h);
}

static void sshsig_wrap(const struct tg_pubkey *pub, const unsigned char *sig, struct tg_buf *out)
{
	struct tg_buf key = TG_BUF_INIT, s = TG_BUF_INIT, blob = TG_BUF_INIT, text = TG_BUF_INIT;

	tg_put_ssh_key(&key, pub);
	tg_put_string(&s, "ssh-ed25519", 11);
	tg_put_string(&s, sig, TG_ED25519_SIG);
	tg_buf_add(&blob, "SSHSIG\0\0\0\1", 10);
	tg_put_string(&blob, key.p, key.n);
	tg_put_string(&blob, "file", 4);
	tg_put_string(&blob, "", 0);
	tg_put_string(&blob, "sha512", 6);
	tg_put_string(&blob, s.p, s.n);
	tg_base64(blob.p, blob.n, &text);
	tg_buf_adds(out, "-----BEGIN SSH SIGNATURE-----\n");
	for (size_t i = 0; i < text.n; i += 70)
		tg_buf_addf(out, "%.*s\n", (int)(text.n - i < 70 ? text.n - i : 70), text.p + i);
	tg_buf_adds(out, "-----END SSH SIGNATURE-----\n");
	tg_buf_fini(&key);
	tg_buf_fini(&s);
	tg_buf_fini(&blob);
	tg_buf_fini(&text);
}

bool tg_sign_sshsig(const struct tg_key *key, const void *p, size_t n, struct tg_buf *out,
		    struct tg_err *err)
{
	struct tg_buf message = TG_BUF_INIT;
	unsigned char sig[TG_ED25519_SIG];
	bool ok;

	sshsig_message(p, n, &message);
	ok = tg_sign_raw(key, message.p, message.n, sig, err);
	if (ok)
		sshsig_wrap(&key->pub, sig, out);
	tg_buf_fini(&message);
	return ok;
}

static bool same(const struct tg_buf *b, const char *p, size_t n)
{
	return b->n == n && memcmp(tg_buf_cstr(b), p, n) == 0;
}

bool tg_verify_sshsig(const struct tg_pubkey *pub, const void *p, size_t n, const char *text,
		      size_t text_n)
{
	static const char begin[] = "-----BEGIN SSH SIGNATURE-----\n";
	struct tg_buf flat = TG_BUF_INIT, blob = TG_BUF_INIT, again = TG_BUF_INIT,
		      message = TG_BUF_INIT;
	bool ok = text_n > sizeof begin && memcmp(text, begin, sizeof begin - 1) == 0;

	for (size_t i = sizeof begin - 1; ok && i < text_n && text[i] != '-'; i++)
		if (text[i] != '\n')
			tg_buf_addc(&flat, text[i]);
	ok = ok && tg_base64_decode(tg_buf_cstr(&flat), flat.n, &blob) && blob.n > TG_ED25519_SIG;
	if (ok) { /* the signature is the last string of the blob */
		const unsigned char *sig =
		    (const unsigned char *)blob.p + blob.n - TG_ED25519_SIG;

		sshsig_message(p, n, &message);
		sshsig_wrap(pub, sig, &again);
		ok = same(&again, text, text_n) && tg_verify_raw(pub, message.p, message.n, sig);
	}
	tg_buf_fini(&flat);
	tg_buf_fini(&blob);
	tg_buf_fini(&again);
	tg_buf_fini(&message);
	return ok;
}

/* ---- minisign --------------------------------------------------------------------------------- */

static void minisign_wrap(const struct tg_pubkey *pub, const unsigned char *sig,
			  const unsigned char *global, const char *comment, struct tg_buf *out)
{
	unsigned char blob[74] = {'E', 'D'};

	tg_put_keynum(pub, blob + 2);
	memcpy(blob + 10, sig, TG_ED25519_SIG);
	tg_buf_adds(out, "untrusted comment: signature by tgmon\n");
	tg_base64(blob, sizeof blob, out);
	tg_buf_addf(out, "\ntrusted comment: %s\n", comment);
	tg_base64(global, TG_ED25519_SIG, out);
	tg_buf_addc(out, '\n');
}

bool tg_sign_minisign(const struct tg_key *key, const void *p, size_t n, const char *comment,
		      struct tg_buf *out, struct tg_err *err)
{
	unsigned char h[64], sig[TG_ED25519_SIG], global[TG_ED25519_SIG];
	struct tg_buf both = TG_BUF_INIT;
	bool ok = digest("BLAKE2B-512", p, n, h) || tg_fail(err, TG_E_MACHINE, "no BLAKE2b-512");

	ok = ok && tg_sign_raw(key, h, sizeof h, sig, err);
	if (ok) {
		tg_buf_add(&both, sig, sizeof sig);
		tg_buf_adds(&both, comment);
		ok = tg_sign_raw(key, both.p, both.n, global, err);
	}
	if (ok)
		minisign_wrap(&key->pub, sig, global, comment, out);
	tg_buf_fini(&both);
	return ok;
}

bool tg_verify_minisign(const struct tg_pubkey *pub, const void *p, size_t n, const char *comment,
			const char *text, size_t text_n)
{
	struct tg_buf sig = TG_BUF_INIT, global = TG_BUF_INIT, again = TG_BUF_INIT,
		      both = TG_BUF_INIT;
	const char *line = memchr(text, '\n', text_n);
	unsigned char h[64];
	bool ok = line && text_n > 90 && text_n - (size_t)(line + 1 - text) > 100 &&
		  tg_base64_decode(line + 1, 100, &sig) && sig.n == 74 && text[text_n - 1] == '\n' &&
		  tg_base64_decode(text + text_n - 89, 88, &global) && global.n == 64;

	if (ok) {
		const unsigned char *s = (const unsigned char *)sig.p + 10;

		minisign_wrap(pub, s, (const unsigned char *)global.p, comment, &again);
		tg_buf_add(&both, s, TG_ED25519_SIG);
		tg_buf_adds(&both, comment);
		ok = same(&again, text, text_n) && digest("BLAKE2B-512", p, n, h) &&
		     tg_verify_raw(pub, h, sizeof h, s) &&
		     tg_verify_raw(pub, both.p, both.n, (const unsigned char *)global.p);
	}
	tg_buf_fini(&sig);
	tg_buf_fini(&global);
	tg_buf_fini(&again);
	tg_buf_fini(&both);
	return ok;
}

/* ---- DSSE ------------------------------------------------------------------------------------- */

static void dsse_message(const char *type, const void *p, size_t n, struct tg_buf *out)
{
	tg_buf_addf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, n);
	tg_buf_add(out, p, n);
}

static void dsse_wrap(const struct tg_pubkey *pub, const unsigned char *sig, const char *type,
		      const void *p, size_t n, struct tg_buf *out)
{
	tg_buf_adds(out, "{\"payload\":\"");
	tg_base64(p, n, out);
	tg_buf_addf(out, "\",\"payloadType\":\"%s\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"",
		    type, pub->id);
	tg_base64(sig, TG_ED25519_SIG, out);
	tg_buf_adds(out, "\"}]}\n");
}

bool tg_sign_dsse(const struct tg_key *key, const char *type, const void *p, size_t n,
		  struct tg_buf *out, struct tg_err *err)
{
	struct tg_buf message = TG_BUF_INIT;
	unsigned char sig[TG_ED25519_SIG];
	bool ok;

	dsse_message(type, p, n, &message);
	ok = tg_sign_raw(key, message.p, message.n, sig, err);
	if (ok)
		dsse_wrap(&key->pub, sig, type, p, n, out);
	tg_buf_fini(&message);
	return ok;
}

bool tg_verify_dsse(const struct tg_pubkey *pub, const char *type, const void *p, size_t n,
		    const char *text, size_t text_n)
{
	struct tg_buf sig = TG_BUF_INIT, again = TG_BUF_INIT, message = TG_BUF_INIT;
	/* the envelope ends in  88 digits "}]} LF */
	bool ok = text_n > 93 && tg_base64_decode(text + text_n - 93, 88, &sig) && sig.n == 64;

	if (ok) {
		dsse_message(type, p, n, &message);
		dsse_wrap(pub, (const unsigned char *)sig.p, type, p, n, &again);
		ok = same(&again, text, text_n) &&
		     tg_verify_raw(pub, message.p, message.n, (const unsigned char *)sig.p);
	}
	tg_buf_fini(&sig);
	tg_buf_fini(&again);
	tg_buf_fini(&message);
	return ok;
}
