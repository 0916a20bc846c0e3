/* Keys: where they lie, how they are read, in which forms the public one goes out. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/lib/file.h"
#include "core/proof/sign_in.h"

static void set_public(struct tg_pubkey *pub, const unsigned char raw[TG_ED25519_PUBLIC])
{
	memcpy(pub->raw, raw, TG_ED25519_PUBLIC);
	tg_sha256_hex(raw, TG_ED25519_PUBLIC, pub->id);
}

char *tg_key_default_path(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (data && *data)
		return tg_path_join(data, "tgmon/keys/tgmon.pem");
	return tg_path_join(home ? home : "/", ".local/share/tgmon/keys/tgmon.pem");
}

static char *public_path(const char *path)
{
	size_t n = strlen(path);

	if (tg_ends_with(path, ".pem"))
		n -= 4;
	return tg_asprintf("%.*s.pub.pem", (int)n, path);
}

/* ---- making ----------------------------------------------------------------------------------- */

static bool write_new(const char *path, const char *p, size_t n, mode_t mode, struct tg_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	bool ok;

	if (fd < 0 && errno == EEXIST)
		return tg_fail(err, TG_E_INPUT, "%s exists; a key is never overwritten", path);
	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot create %s", path);
	ok = (fchmod(fd, mode) == 0 && tg_write_all(fd, p, n, err) && fsync(fd) == 0) ||
	     tg_fail_sys(err, errno, "cannot write %s", path);
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}

static bool check_folder(const char *dir, struct tg_err *err)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return tg_fail_sys(err, errno, "cannot look at %s", dir);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return tg_fail(err, TG_E_MACHINE,
			       "others may write into %s; chmod 700 it, or take another folder", dir);
	return true;
}

static bool print_private(EVP_PKEY *pk, struct tg_buf *out)
{
	BIO *mem = BIO_new(BIO_s_secmem());
	char *p = NULL;
	long n = 0;

	if (!mem)
		mem = BIO_new(BIO_s_mem());
	if (mem && PEM_write_bio_PKCS8PrivateKey(mem, pk, NULL, NULL, 0, NULL, NULL) == 1)
		n = BIO_get_mem_data(mem, &p);
	if (n > 0)
		tg_buf_add(out, p, (size_t)n);
	BIO_free(mem);
	return n > 0;
}

bool tg_key_make(const char *path, struct tg_pubkey *pub, struct tg_err *err)
{
	char *dir = tg_path_dir(path), *beside = public_path(path);
	EVP_PKEY *pk = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct tg_buf secret = TG_BUF_INIT, pem = TG_BUF_INIT;
	unsigned char raw[TG_ED25519_PUBLIC];
	size_t n = sizeof raw;
	bool ok = pk && EVP_PKEY_get_raw_public_key(pk, raw, &n) == 1 && print_private(pk, &secret);

	if (!ok)
		tg_fail(err, TG_E_MACHINE, "OpenSSL cannot make an Ed25519 key");
	if (ok) {
		set_public(pub, raw);
		tg_pubkey_pem(pub, &pem);
		ok = tg_mkdirs(dir, 0700, err) && check_folder(dir, err);
	}
	if (ok && tg_file_exists(beside))
		ok = tg_fail(err, TG_E_INPUT, "%s exists; a key is never overwritten", beside);
	ok = ok && write_new(path, secret.p, secret.n, 0600, err) &&
	     write_new(beside, pem.p, pem.n, 0644, err) && tg_fsync_dir(dir, err);
	if (secret.p)
		OPENSSL_cleanse(secret.p, secret.cap);
	tg_buf_fini(&secret);
	tg_buf_fini(&pem);
	EVP_PKEY_free(pk);
	free(dir);
	free(beside);
	return ok;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static bool check_private(int fd, const char *path, struct tg_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tg_fail_sys(err, errno, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > 16384)
		return tg_fail(err, TG_E_INPUT, "%s is no key file", path);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return tg_fail(err, TG_E_MACHINE,
			       "%s may be read by others (mode %03o); chmod 600 it, or make a new key",
			       path, (unsigned)st.st_mode & 0777);
	return true;
}

struct tg_key *tg_key_load(const char *path, struct tg_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unsigned char raw[TG_ED25519_PUBLIC];
	size_t n = sizeof raw;
	struct tg_key *key = NULL;
	EVP_PKEY *pk = NULL;
	FILE *f;

	if (fd < 0) {
		tg_fail_sys(err, errno, "cannot open the key %s", path);
		return NULL;
	}
	if (!check_private(fd, path, err)) {
		close(fd);
		return NULL;
	}
	f = fdopen(fd, "r");
	if (f) {
		pk = PEM_read_PrivateKey(f, NULL, NULL, (void *)(uintptr_t) "");
		fclose(f);
	} else
		close(fd);
	if (!pk || !EVP_PKEY_is_a(pk, "ED25519") ||
	    EVP_PKEY_get_raw_public_key(pk, raw, &n) != 1) {
		tg_fail(err, TG_E_INPUT, "%s is no Ed25519 key in PEM without a passphrase", path);
		EVP_PKEY_free(pk);
		return NULL;
	}
	key = tg_calloc(1, sizeof *key);
	key->pk = pk;
	set_public(&key->pub, raw);
	return key;
}

void tg_key_free(struct tg_key *key)
{
	if (key)
		EVP_PKEY_free(key->pk); /* OpenSSL wipes it */
	free(key);
}

const struct tg_pubkey *tg_key_public(const struct tg_key *key)
{
	return &key->pub;
}

bool tg_key_load_public(const char *private_path, struct tg_pubkey *pub, struct tg_err *err)
{
	char *path = public_path(private_path);
	struct tg_buf b = TG_BUF_INIT;
	bool ok = tg_file_read(path, 16384, &b, err) &&
		  tg_pubkey_parse(tg_buf_cstr(&b), b.n, pub, err);

	tg_buf_fini(&b);
	free(path);
	return ok;
}

/* ---- public forms ----------------------------------------------------------------------------- */

/* Points of small order, also in their other spellings: a signature by such a key proves nothing. */
static bool is_weak(const unsigned char raw[TG_ED25519_PUBLIC])
{
	static const unsigned char eight[2][TG_ED25519_PUBLIC] = {
	    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
	unsigned char y[TG_ED25519_PUBLIC], middle = 0xff, any = 0;

	memcpy(y, raw, sizeof y);
	y[31] &= 0x7f;
	for (size_t i = 1; i < 31; i++) {
		middle &= y[i];
		any |= y[i];
	}
	if (!any && y[31] == 0 && y[0] <= 1)
		return true; /* 0 and 1 */
	if (middle == 0xff && y[31] == 0x7f && y[0] >= 0xec)
		return true; /* p - 1, and everything from p on */
	return !memcmp(y, eight[0], sizeof y) || !memcmp(y, eight[1], sizeof y);
}

static bool parse_pem(const char *text, size_t n, unsigned char raw[TG_ED25519_PUBLIC])
{
	BIO *mem = BIO_new_mem_buf(text, (int)n);
	EVP_PKEY *pk = mem ? PEM_read_bio_PUBKEY(mem, NULL, NULL, NULL) : NULL;
	size_t len = TG_ED25519_PUBLIC;
	bool ok = pk && EVP_PKEY_is_a(pk, "ED25519") &&
		  EVP_PKEY_get_raw_public_key(pk, raw, &len) == 1;

	EVP_PKEY_free(pk);
	BIO_free(mem);
	return ok;
}

/* The last word-like run of base64 of the right length: OpenSSH's 51 bytes, minisign's 42. */
static bool parse_line(const char *text, size_t n, unsigned char raw[TG_ED25519_PUBLIC])
{
	static const unsigned char ssh[] = "\0\0\0\13ssh-ed25519\0\0\0 ";
	struct tg_buf b = TG_BUF_INIT;
	bool ok = false;

	for (size_t i = 0; i < n && !ok;) {
		size_t k = strcspn(text + i, " \t\r\n");

		if (tg_base64_decode(text + i, k, &b)) {
			if (b.n == 51 && memcmp(b.p, ssh, 19) == 0)
				memcpy(raw, b.p + 19, TG_ED25519_PUBLIC), ok = true;
			else if (b.n == 42 && memcmp(b.p, "Ed", 2) == 0)
				memcpy(raw, b.p + 10, TG_ED25519_PUBLIC), ok = true;
		}
		i += k + 1;
	}
	tg_buf_fini(&b);
	return ok;
}

bool tg_pubkey_parse(const char *text, size_t n, struct tg_pubkey *pub, struct tg_err *err)
{
	unsigned char raw[TG_ED25519_PUBLIC];

	if (n > 16384 || memchr(text, '\0', n) ||
	    !(parse_pem(text, n, raw) || parse_line(text, n, raw)))
		return tg_fail(err, TG_E_INPUT,
			       "no Ed25519 public key (PEM, OpenSSH or minisign) in it");
	if (is_weak(raw))
		return tg_fail(err, TG_E_INPUT, "this key is of small order: anybody can sign");
	set_public(pub, raw);
	return true;
}

void tg_pubkey_pem(const struct tg_pubkey *pub, struct tg_buf *out)
{
	/* SubjectPublicKeyInfo of Ed25519, RFC 8410 */
	unsigned char der[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

	memcpy(der + 12, pub->raw, TG_ED25519_PUBLIC);
	tg_buf_adds(out, "-----BEGIN PUBLIC KEY-----\n");
	tg_base64(der, sizeof der, out);
	tg_buf_adds(out, "\n-----END PUBLIC KEY-----\n");
}

void tg_put_string(struct tg_buf *b, const void *p, size_t n)
{
	unsigned char len[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
				(unsigned char)(n >> 8), (unsigned char)n};

	tg_buf_add(b, len, 4);
	tg_buf_add(b, p, n);
}

void tg_put_ssh_key(struct tg_buf *b, const struct tg_pubkey *pub)
{
	tg_put_string(b, "ssh-ed25519", 11);
	tg_put_string(b, pub->raw, TG_ED25519_PUBLIC);
}

void tg_pubkey_allowed_signers(const struct tg_pubkey *pub, struct tg_buf *out)
{
	struct tg_buf blob = TG_BUF_INIT;

	tg_put_ssh_key(&blob, pub);
	tg_buf_adds(out, "tgmon namespaces=\"file\" ssh-ed25519 ");
	tg_base64(blob.p, blob.n, out);
	tg_buf_addc(out, '\n');
	tg_buf_fini(&blob);
}

void tg_put_keynum(const struct tg_pubkey *pub, unsigned char num[8])
{
	for (int i = 0; i < 8; i++) {
		char hex[3] = {pub->id[2 * i], pub->id[2 * i + 1], '\0'};

		num[i] = (unsigned char)strtoul(hex, NULL, 16);
	}
}

void tg_pubkey_minisign(const struct tg_pubkey *pub, struct tg_buf *out)
{
	unsigned char blob[42] = {'E', 'd'};

	tg_put_keynum(pub, blob + 2);
	memcpy(blob + 10, pub->raw, TG_ED25519_PUBLIC);
	tg_buf_adds(out, "untrusted comment: minisign public key of tgmon\n");
	tg_base64(blob, sizeof blob, out);
	tg_buf_addc(out, '\n');
}
