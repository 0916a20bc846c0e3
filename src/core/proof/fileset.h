#ifndef TG_FILESET_H
#define TG_FILESET_H
/*
 * The files of a proof, wherever they lie: in the run directory, in an unpacked bundle, in an
 * archive. Paths are those inside the bundle (relative, forward slashes), sorted by bytes.
 * Manifest, archive and verifier all see the same set, so that they cannot disagree about what
 * belongs to it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/buf.h"
#include "core/lib/err.h"
#include "core/lib/hash.h"

struct tg_run;

struct tg_file {
	char *path;   /* inside the bundle */
	char *source; /* where it lies on disk; NULL: its bytes are in `data` */
	int64_t bytes;
	char sha256[TG_SHA256_HEX]; /* "" until hashed */
	struct tg_buf data;
};

struct tg_fileset {
	struct tg_file *v;
	size_t n, cap;
};

#define TG_MANIFEST_PATH "proof_manifest.json"
#define TG_SUMS_PATH "proof/SHA256SUMS"
#define TG_JOURNAL_PATH "proof/journal.jsonl"
#define TG_RUNJSON_PATH "proof/run.json"
#define TG_REGISTERED_PATH "proof/registered.json"
#define TG_BUNDLE_PATH "proof_bundle.tgz"

void tg_fileset_fini(struct tg_fileset *set);
struct tg_file *tg_fileset_add(struct tg_fileset *set, const char *path, const char *source);
void tg_fileset_sort(struct tg_fileset *set);
/* Needs a sorted set. NULL: not there. */
struct tg_file *tg_fileset_find(const struct tg_fileset *set, const char *path);
bool tg_fileset_hash(struct tg_fileset *set, struct tg_err *err);
/* The bytes of one file into out (cleared first). Code TG_E_NONE: it is not there. */
bool tg_fileset_read(const struct tg_fileset *set, const char *path, struct tg_buf *out,
		     struct tg_err *err);

/* What belongs to the proof of a run that lies in run_dir, sorted, not hashed: the artefacts,
 * config and policy, what other attempts left (attempts/<iid>/<n>/), proof/journal.jsonl and
 * proof/run.json. Not the manifest and SHA256SUMS. Links, devices and names that are not safe are
 * left out, never followed. */
bool tg_fileset_collect(struct tg_fileset *set, const char *run_dir, const struct tg_run *run,
			struct tg_err *err);
/* Everything below a folder that a bundle was unpacked into, sorted, hashed. */
bool tg_fileset_walk(struct tg_fileset *set, const char *dir, struct tg_err *err);
/* A .tgz, read as hostile input: nothing is written anywhere. Refused (TG_E_INPUT): anything but
 * plain files and folders, unsafe names, two files of one name, more than one folder at the top,
 * too many members, too many bytes. *top gets that folder's name (caller frees). Sorted, hashed, in
 * memory as far as a verifier needs it. */
bool tg_fileset_read_archive(struct tg_fileset *set, const char *path, char **top,
			     struct tg_err *err);

#endif
