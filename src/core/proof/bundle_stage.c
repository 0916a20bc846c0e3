/* The bundle stage: proof_bundle.tgz out of exactly what the manifest lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/proof/bundle.h"
#include "core/proof/place.h"
#include "core/proof/redact.h"
#include "core/proof/sign_stage.h"
#include "core/run/layout.h"

static bool is_changed(const struct tg_file *f, const struct cJSON *listed)
{
	return !tg_streq(f->path, tg_json_str(listed, "path")) ||
	       !tg_streq(f->sha256, tg_json_str(listed, "sha256")) ||
	       f->bytes != tg_json_int(listed, "bytes", -1);
}

/* Both lists are sorted by path, so they are equal or the manifest is stale. */
static bool check_manifest(const struct tg_fileset *set, const struct cJSON *m, struct tg_err *err)
{
	const struct cJSON *c = tg_json_first(tg_json_path(m, "tgmon.files"));
	size_t i = 0;
	bool ok = true;

	for (; ok && (c || i < set->n); i++) {
		const char *path = i < set->n ? set->v[i].path : tg_json_str(c, "path");

		if (i < set->n && (!strcmp(path, TG_MANIFEST_PATH) || !strcmp(path, TG_SUMS_PATH)))
			continue;
		if (i >= set->n || !c || is_changed(&set->v[i], c))
			ok = tg_fail(err, TG_E_IO,
				     "the manifest is stale: %s is new, gone or changed",
				     path ? path : "a file");
		c = tg_json_next(c);
	}
	return ok;
}

enum { SECRETS_TOLD = 20 };

/* The scan was made before the manifest was (redact.h); what it found stands in proof/secrets.json.
 * What is packed is what was scanned: check_manifest compares the digests. */
static bool may_leave(const struct tg_place *p, const struct cJSON *manifest, struct cJSON *sum)
{
	bool withheld = !tg_streq(tg_json_str(tg_json_get(manifest, "tgmon"), "bundle"), "built");
	char *path = tg_published_path(p->ctx->run_dir, "proof/secrets.json");
	struct cJSON *report = tg_json_load(path, NULL, NULL), *list = tg_json_array();
	const struct cJSON *c = tg_json_first(tg_json_get(report, "findings"));

	for (; c && tg_json_len(list) < SECRETS_TOLD; c = tg_json_next(c))
		if (tg_streq(tg_json_str(c, "action"), "withheld"))
			tg_json_push(list, tg_json_dup(c));
	tg_json_set_bool(sum, "withheld", withheld);
	tg_json_set(sum, "secrets", list);
	tg_json_set_int(sum, "redacted", tg_json_int(report, "redacted", 0));
	tg_json_free(report);
	free(path);
	return !withheld;
}

static struct cJSON *load_manifest(const struct tg_place *p, struct tg_err *err)
{
	char *path = tg_published_path(p->ctx->run_dir, TG_MANIFEST_PATH);
	struct cJSON *m = tg_json_load(path, NULL, err);

	free(path);
	return m;
}

static bool add_proof_files(struct tg_place *p)
{
	static const char *const files[] = {TG_MANIFEST_PATH, TG_SUMS_PATH};

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char *path = tg_published_path(p->ctx->run_dir, files[i]);

		tg_fileset_add(&p->set, files[i], path);
		free(path);
	}
	tg_fileset_sort(&p->set);
	return true;
}

/* In a run of ours the archive is renamed into place; in a foreign folder it goes where it may. */
static bool put_in_place(struct tg_place *p, const char *partial, struct tg_err *err)
{
	char *to = tg_path_join(p->ctx->run_dir, TG_BUNDLE_PATH);
	bool ok;

	if (p->pub.careful) {
		ok = tg_publish_copy(&p->pub, TG_BUNDLE_PATH, partial, err);
		unlink(partial);
	} else {
		ok = rename(partial, to) == 0 ||
		     tg_fail_sys(err, errno, "cannot rename %s", partial);
		ok = ok && tg_fsync_dir(p->ctx->run_dir, err);
	}
	free(to);
	return ok;
}

static bool put_digest(struct tg_place *p, const char *name, const char *hex, struct tg_err *err)
{
	char *rel = tg_asprintf("%s.sha256", name), *text = tg_asprintf("%s  %s\n", hex, name);
	bool ok = tg_publish_bytes(&p->pub, rel, text, strlen(text), err);

	free(rel);
	free(text);
	return ok;
}

static bool build(struct tg_place *p, struct cJSON *sum, struct tg_err *err)
{
	char *partial = p->pub.careful
			    ? tg_layout_control(p->ctx->run_dir, TG_BUNDLE_PATH ".partial")
			    : tg_path_join(p->ctx->run_dir, TG_BUNDLE_PATH ".partial");
	struct tg_bundle b;
	bool ok = tg_bundle_write(&p->set, p->ctx->spec->run_id, partial, &b, err) &&
		  put_in_place(p, partial, err) && put_digest(p, TG_BUNDLE_PATH, b.sha256, err) &&
		  put_digest(p, "proof_bundle.tar", b.tar_sha256, err);

	if (ok) {
		tg_json_set_str(sum, "sha256", b.sha256);
		tg_json_set_str(sum, "tar_sha256", b.tar_sha256);
		tg_json_set_int(sum, "bytes", b.bytes);
		tg_json_set_int(sum, "members", (int64_t)b.members);
	} else
		unlink(partial);
	free(partial);
	return ok;
}

bool tg_stage_bundle(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct tg_place p = {.ctx = ctx};
	bool ok = tg_place_init(&p, ctx, err);
	struct cJSON *m = ok ? load_manifest(&p, err) : NULL;

	ok = m != NULL;
	if (ok) {
		tg_redact_apply(&p.set, ctx->run_dir, tg_json_path(m, "tgmon.redactions"));
		ok = add_proof_files(&p) && tg_fileset_hash(&p.set, err) &&
		     check_manifest(&p.set, m, err);
	}
	if (ok && may_leave(&p, m, sum))
		ok = (!tg_json_bool(tg_json_get(m, "tgmon"), "signed", false) ||
		      tg_sign_place(&p, m, err)) &&
		     build(&p, sum, err);
	tg_json_free(m);
	tg_place_fini(&p);
	return ok;
}
