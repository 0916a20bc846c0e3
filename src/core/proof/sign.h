#ifndef TG_SIGN_H
#define TG_SIGN_H
/*
 * Ed25519 through OpenSSL, in the forms that others check: raw (`openssl pkeyutl`), SSHSIG
 * (`ssh-keygen -Y verify`), minisign, DSSE. Ed25519 is deterministic, so a form is a pure function
 * of key and message: a verifier takes the 64 bytes out of what it was given, makes the form again
 * and compares, and no lenient reader stands between.
 *
 * A key id is the SHA-256 of the 32 bytes of the public key, in hexadecimal.
 * Formats: PROTOCOL.sshsig (OpenSSH), minisign's file format, DSSE v1, RFC 8032.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/lib/hash.h"

enum { TG_ED25519_PUBLIC = 32, TG_ED25519_SIG = 64 };

struct tg_pubkey {
	unsigned char raw[TG_ED25519_PUBLIC];
	char id[TG_SHA256_HEX];
};

struct tg_key; /* a private key in memory: wiped when freed */

/* $XDG_DATA_HOME/tgmon/keys/tgmon.pem (or below ~/.local/share). Caller frees. */
char *tg_key_default_path(void);
/* Make a key: path gets the private one (PEM, 0600), <path without .pem>.pub.pem the public one. An
 * existing file is never overwritten; the folder must be ours alone. */
bool tg_key_make(const char *path, struct tg_pubkey *pub, struct tg_err *err);
/* Refused when anybody else may read the file. */
struct tg_key *tg_key_load(const char *path, struct tg_err *err);
void tg_key_free(struct tg_key *key);
const struct tg_pubkey *tg_key_public(const struct tg_key *key);
/* The public key that lies beside a private one: who only needs the id never opens the other. */
bool tg_key_load_public(const char *private_path, struct tg_pubkey *pub, struct tg_err *err);

/* A public key in PEM, an OpenSSH line or allowed_signers line, a minisign public key. Keys of small
 * order, for which anybody can sign, are refused. */
bool tg_pubkey_parse(const char *text, size_t n, struct tg_pubkey *pub, struct tg_err *err);
void tg_pubkey_pem(const struct tg_pubkey *pub, struct tg_buf *out);
void tg_pubkey_allowed_signers(const struct tg_pubkey *pub, struct tg_buf *out);
void tg_pubkey_minisign(const struct tg_pubkey *pub, struct tg_buf *out);

bool tg_sign_raw(const struct tg_key *key, const void *p, size_t n,
		 unsigned char sig[TG_ED25519_SIG], struct tg_err *err);
bool tg_verify_raw(const struct tg_pubkey *pub, const void *p, size_t n,
		   const unsigned char sig[TG_ED25519_SIG]);

/* Each form over a message; `comment` is minisign's trusted comment. */
bool tg_sign_sshsig(const struct tg_key *key, const void *p, size_t n, struct tg_buf *out,
		    struct tg_err *err);
bool tg_sign_minisign(const struct tg_key *key, const void *p, size_t n, const char *comment,
		      struct tg_buf *out, struct tg_err *err);
bool tg_sign_dsse(const struct tg_key *key, const char *type, const void *p, size_t n,
		  struct tg_buf *out, struct tg_err *err);
/* Is text exactly what tg_sign_... gives for this key and message? */
bool tg_verify_sshsig(const struct tg_pubkey *pub, const void *p, size_t n, const char *text,
		      size_t text_n);
bool tg_verify_minisign(const struct tg_pubkey *pub, const void *p, size_t n, const char *comment,
			const char *text, size_t text_n);
bool tg_verify_dsse(const struct tg_pubkey *pub, const char *type, const void *p, size_t n,
		    const char *text, size_t text_n);

void tg_base64(const void *p, size_t n, struct tg_buf *out);
/* Strict: the one spelling that tg_base64 gives. */
bool tg_base64_decode(const char *p, size_t n, struct tg_buf *out);

#endif
