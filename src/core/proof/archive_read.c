/* A bundle as hostile input, through libarchive, tar and gzip alone. Nothing is unpacked to disk.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/lib/file.h"
#include "core/lib/text.h"
#include "core/proof/attest.h"
#include "core/proof/fileset.h"

#define MAX_MEMBERS 20000
#define MAX_BYTES ((int64_t)4 << 30)
#define MAX_RATIO 200		      /* of unpacked to packed bytes, above the first 16 MiB */
#define KEEP_FILE ((size_t)256 << 20) /* a file that is kept in memory to be looked into */
#define KEEP_ALL ((size_t)1 << 30)

struct unpack {
	struct archive *a;
	struct tg_fileset *set;
	const char *name; /* of the archive, for messages */
	char *top;
	int64_t packed, bytes;
	size_t members, kept;
};

static bool refuse(struct tg_err *err, const char *name, const char *member, const char *why)
{
	char *shown = member ? tg_text_line(member, strlen(member), 160) : tg_strdup("the archive");

	tg_fail(err, TG_E_INPUT, "%s: %s: %s", name, shown, why);
	free(shown);
	return false;
}

/* What a verifier looks into; everything else is only hashed. */
static bool wanted(const char *path)
{
	static const char *const files[] = {
	    TG_MANIFEST_PATH,
	    TG_SUMS_PATH,
	    TG_JOURNAL_PATH,
	    TG_RUNJSON_PATH,
	    TG_REGISTERED_PATH,
	    "README.txt",
	    "proof/VERIFY.md",
	    "proof/report.md",
	    "preds.json",
	    "preds_filled.json",
	    "eval/instance_results.jsonl",
	    "agentic_risk.jsonl",
	    "recomputed_governed_v2_agentic.jsonl",
	    "ci_gate.txt",
	    "policy/policy.yaml",
	};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	for (size_t i = 0; i < TG_SIGNED_FILES; i++)
		if (strcmp(path, tg_signed_paths()[i]) == 0)
			return true;
	return tg_starts_with(path, "security_reports/") || tg_ends_with(path, "/patch.diff");
}

/* The part below the one folder at the top; NULL: refused, or the folder itself (*skip). */
static const char *inner(struct unpack *u, const char *path, bool *skip, struct tg_err *err)
{
	size_t n = strcspn(path, "/");

	*skip = false;
	if (!tg_path_is_safe_relative(path) || n == 0) {
		refuse(err, u->name, path, "this name is not safe");
		return NULL;
	}
	if (!u->top)
		u->top = tg_strndup(path, n);
	if (strlen(u->top) != n || strncmp(u->top, path, n) != 0) {
		refuse(err, u->name, path, "more than one folder at the top");
		return NULL;
	}
	if (path[n] == '\0') {
		*skip = true;
		return NULL;
	}
	return path + n + 1;
}

static bool check_entry(struct unpack *u, struct archive_entry *e, struct tg_err *err)
{
	const char *path = archive_entry_pathname(e);

	if (!path)
		return refuse(err, u->name, NULL, "a member without a name");
	if (++u->members > MAX_MEMBERS)
		return refuse(err, u->name, NULL, "too many members");
	if (archive_entry_hardlink(e) || archive_entry_symlink(e))
		return refuse(err, u->name, path, "links are not allowed");
	if (archive_entry_filetype(e) != AE_IFREG && archive_entry_filetype(e) != AE_IFDIR)
		return refuse(err, u->name, path, "only plain files and folders are allowed");
	if (archive_entry_sparse_count(e) > 0 || archive_entry_xattr_count(e) > 0)
		return refuse(err, u->name, path, "sparse files and attributes are not allowed");
	if (!archive_entry_size_is_set(e) || archive_entry_size(e) < 0)
		return refuse(err, u->name, path, "no size");
	return true;
}

static bool take_data(struct unpack *u, struct tg_file *f, struct tg_err *err)
{
	struct tg_sha256 *h = tg_sha256_new();
	bool keep = wanted(f->path), ok = true;
	char chunk[65536];
	la_ssize_t n;

	while (ok && (n = archive_read_data(u->a, chunk, sizeof chunk)) > 0) {
		f->bytes += n;
		u->bytes += n;
		tg_sha256_update(h, chunk, (size_t)n);
		if (u->bytes > MAX_BYTES ||
		    (u->bytes > 16 << 20 && u->bytes > u->packed * MAX_RATIO))
			ok = refuse(err, u->name, f->path, "unpacks to too many bytes");
		else if (keep && f->data.n + (size_t)n <= KEEP_FILE &&
			 u->kept + (size_t)n <= KEEP_ALL) {
			tg_buf_add(&f->data, chunk, (size_t)n);
			u->kept += (size_t)n;
		} else
			keep = false; /* a hole would be a lie: from here it is only hashed */
	}
	tg_sha256_final(h, f->sha256);
	if (ok && n < 0)
		ok = refuse(err, u->name, f->path, archive_error_string(u->a));
	return ok;
}

static bool take_entry(struct unpack *u, struct archive_entry *e, struct tg_err *err)
{
	const char *path, *rel;
	char *trimmed;
	size_t n;
	bool skip, ok = true;

	if (!check_entry(u, e, err))
		return false;
	path = archive_entry_pathname(e);
	n = strlen(path);
	if (archive_entry_filetype(e) == AE_IFDIR && n && path[n - 1] == '/')
		n--;
	trimmed = tg_strndup(path, n);
	rel = inner(u, trimmed, &skip, err);
	if (!rel)
		ok = skip && archive_entry_filetype(e) == AE_IFDIR;
	if (skip && !ok)
		refuse(err, u->name, path, "a file where the run's folder should be");
	if (rel && archive_entry_filetype(e) == AE_IFREG)
		ok = take_data(u, tg_fileset_add(u->set, rel, NULL), err);
	free(trimmed);
	return ok;
}

static bool check_twins(const struct tg_fileset *set, const char *name, struct tg_err *err)
{
	for (size_t i = 1; i < set->n; i++) {
		const char *a = set->v[i - 1].path, *b = set->v[i].path;

		if (strcmp(a, b) == 0)
			return refuse(err, name, b, "stands twice in the archive");
	}
	return true;
}

static bool read_all(struct unpack *u, struct tg_err *err)
{
	struct archive_entry *e;
	int rc;

	while ((rc = archive_read_next_header(u->a, &e)) == ARCHIVE_OK)
		if (!take_entry(u, e, err))
			return false;
	if (rc != ARCHIVE_EOF)
		return refuse(err, u->name, NULL, archive_error_string(u->a));
	if (u->set->n == 0)
		return refuse(err, u->name, NULL, "it is empty");
	tg_fileset_sort(u->set);
	return check_twins(u->set, u->name, err);
}

bool tg_fileset_read_archive(struct tg_fileset *set, const char *path, char **top,
			     struct tg_err *err)
{
	struct unpack u = {.a = archive_read_new(), .set = set, .name = path};
	bool ok;

	*top = NULL;
	u.packed = tg_file_size(path);
	if (u.packed < 0) {
		archive_read_free(u.a);
		return tg_fail(err, TG_E_INPUT, "%s: there is no such file", path);
	}
	archive_read_support_filter_gzip(u.a);
	archive_read_support_format_tar(u.a);
	if (archive_read_open_filename(u.a, path, 65536) != ARCHIVE_OK)
		ok = refuse(err, path, NULL, archive_error_string(u.a));
	else
		ok = read_all(&u, err);
	archive_read_free(u.a);
	if (ok)
		*top = u.top;
	else
		free(u.top);
	return ok;
}
