#include "core/proof/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lib/file.h"

/* Two writers in a row, so that the tar can be hashed before it is compressed:
 * tar writer -> hash -> gzip writer (of one raw stream) -> hash -> file. */
struct pack {
	struct archive *tar, *gz;
	struct tg_sha256 *tar_hash, *gz_hash;
	int fd;
	int64_t bytes;
	struct tg_err *err;
	bool failed;
};

static la_ssize_t to_file(struct archive *a, void *user, const void *p, size_t n)
{
	struct pack *k = user;

	if (!tg_write_all(k->fd, p, n, k->failed ? NULL : k->err)) {
		k->failed = true;
		archive_set_error(a, EIO, "write failed");
		return -1;
	}
	tg_sha256_update(k->gz_hash, p, n);
	k->bytes += (int64_t)n;
	return (la_ssize_t)n;
}

static la_ssize_t to_gzip(struct archive *a, void *user, const void *p, size_t n)
{
	struct pack *k = user;

	tg_sha256_update(k->tar_hash, p, n);
	if (archive_write_data(k->gz, p, n) != (la_ssize_t)n) {
		archive_set_error(a, EIO, "compression failed");
		return -1;
	}
	return (la_ssize_t)n;
}

static bool fail(struct pack *k, struct archive *a, const char *what)
{
	if (!k->failed)
		tg_fail(k->err, TG_E_IO, "cannot write the bundle: %s: %s", what,
			archive_error_string(a) ? archive_error_string(a) : "unknown error");
	k->failed = true;
	return false;
}

static bool open_writers(struct pack *k)
{
	struct archive_entry *e;
	int rc;

	k->gz = archive_write_new();
	k->tar = archive_write_new();
	archive_write_set_format_raw(k->gz);
	archive_write_add_filter_gzip(k->gz);
	archive_write_set_options(k->gz, "gzip:!timestamp,gzip:compression-level=6");
	archive_write_set_bytes_per_block(k->gz, 0);
	if (archive_write_open(k->gz, k, NULL, to_file, NULL) != ARCHIVE_OK)
		return fail(k, k->gz, "gzip");
	e = archive_entry_new();
	archive_entry_set_pathname(e, "bundle.tar");
	archive_entry_set_filetype(e, AE_IFREG);
	rc = archive_write_header(k->gz, e);
	archive_entry_free(e);
	if (rc != ARCHIVE_OK)
		return fail(k, k->gz, "gzip");
	archive_write_set_format_gnutar(k->tar);
	archive_write_set_bytes_per_block(k->tar, 10240);
	archive_write_set_bytes_in_last_block(k->tar, 1);
	if (archive_write_open(k->tar, k, NULL, to_gzip, NULL) != ARCHIVE_OK)
		return fail(k, k->tar, "tar");
	return true;
}

static bool put_header(struct pack *k, const char *name, int64_t bytes)
{
	struct archive_entry *e = archive_entry_new();
	int rc;

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, bytes);
	archive_entry_set_uid(e, 0);
	archive_entry_set_gid(e, 0);
	archive_entry_set_mtime(e, 0, 0);
	rc = archive_write_header(k->tar, e);
	archive_entry_free(e);
	return rc == ARCHIVE_OK || fail(k, k->tar, name);
}

static bool put_bytes(struct pack *k, const struct tg_file *f, struct tg_sha256 *h, int64_t *left)
{
	char chunk[65536];
	int fd = open(f->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 || tg_fail_sys(k->err, errno, "cannot open %s", f->source);
	ssize_t n = 0;

	k->failed = k->failed || !ok;
	while (ok && *left >= 0 && (n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ok = tg_fail_sys(k->err, errno, "cannot read %s", f->source);
			k->failed = true;
			break;
		}
		tg_sha256_update(h, chunk, (size_t)n);
		*left -= n;
		if (*left >= 0 && archive_write_data(k->tar, chunk, (size_t)n) != n)
			ok = fail(k, k->tar, f->path);
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool put_file(struct pack *k, const struct tg_file *f, const char *top)
{
	char *name = tg_asprintf("%s/%s", top, f->path), hex[TG_SHA256_HEX];
	struct tg_sha256 *h = tg_sha256_new();
	int64_t left = f->bytes;
	bool ok = put_header(k, name, f->bytes);

	if (ok && f->source)
		ok = put_bytes(k, f, h, &left);
	else if (ok) {
		tg_sha256_update(h, f->data.p, f->data.n);
		left -= (int64_t)f->data.n;
		if (archive_write_data(k->tar, tg_buf_cstr(&f->data), f->data.n) !=
		    (la_ssize_t)f->data.n)
			ok = fail(k, k->tar, f->path);
	}
	tg_sha256_final(h, hex);
	if (ok && (left != 0 || strcmp(hex, f->sha256) != 0)) {
		ok = tg_fail(k->err, TG_E_IO,
			     "%s is no longer what the manifest says: it changed while "
			     "the bundle was made",
			     f->path);
		k->failed = true;
	}
	free(name);
	return ok;
}

static bool close_writers(struct pack *k, bool ok)
{
	if (k->tar) {
		if (ok && archive_write_close(k->tar) != ARCHIVE_OK)
			ok = fail(k, k->tar, "tar");
		if (!ok)
			archive_write_fail(k->tar);
		archive_write_free(k->tar);
	}
	if (k->gz) {
		if (ok && archive_write_close(k->gz) != ARCHIVE_OK)
			ok = fail(k, k->gz, "gzip");
		if (!ok)
			archive_write_fail(k->gz);
		archive_write_free(k->gz);
	}
	return ok;
}

bool tg_bundle_write(const struct tg_fileset *set, const char *top, const char *path,
		     struct tg_bundle *out, struct tg_err *err)
{
	struct pack k = {.err = err};
	bool ok;

	k.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (k.fd < 0)
		return tg_fail_sys(err, errno, "cannot create %s", path);
	k.tar_hash = tg_sha256_new();
	k.gz_hash = tg_sha256_new();
	ok = open_writers(&k);
	for (size_t i = 0; ok && i < set->n; i++)
		ok = put_file(&k, &set->v[i], top);
	ok = close_writers(&k, ok);
	if (ok && fsync(k.fd) != 0)
		ok = tg_fail_sys(err, errno, "cannot write %s to the disk", path);
	close(k.fd);
	*out = (struct tg_bundle){.bytes = k.bytes, .members = set->n};
	tg_sha256_final(k.tar_hash, out->tar_sha256);
	tg_sha256_final(k.gz_hash, out->sha256);
	return ok;
}
