/* Verify: the files against manifest and SHA256SUMS, both ways, and the manifest's own statements.
 */
#include <string.h>

#include "core/lib/json.h"
#include "core/proof/explain.h"
#include "core/proof/manifest.h"
#include "core/proof/verify_in.h"

static bool check_schema(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct tg_err err;

	if (!p->has_manifest) {
		tg_find(&f, "%s is missing", TG_MANIFEST_PATH);
	} else {
		p->manifest = tg_json_parse(tg_buf_cstr(&p->manifest_text), p->manifest_text.n,
					    TG_MANIFEST_PATH, NULL, &err);
		if (!p->manifest)
			tg_find(&f, "%s", err.msg);
		else if (!tg_streq(tg_json_str(p->manifest, "schema"),
				   "tauguardian.proof_manifest.v1"))
			tg_find(&f, "the schema is not tauguardian.proof_manifest.v1");
		else if (!tg_streq(tg_json_str(tg_json_get(p->manifest, "tgmon"), "schema"),
				   "tgmon.manifest.v1"))
			tg_find(&f, "there is no member tgmon of schema tgmon.manifest.v1");
	}
	tg_check_done(p, "manifest", &f);
	return f.n == 0;
}

static void compare_file(struct tg_findings *f, const struct tg_file *file,
			 const struct cJSON *listed)
{
	if (file->bytes != tg_json_int(listed, "bytes", -1))
		tg_find(f, "%s has %lld bytes, the manifest says %lld", file->path,
			(long long)file->bytes, (long long)tg_json_int(listed, "bytes", -1));
	else if (!tg_streq(file->sha256, tg_json_str(listed, "sha256")))
		tg_find(f, "%s is not what the manifest says (sha256 %s)", file->path,
			file->sha256);
}

static void check_list(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	const struct cJSON *c = tg_json_first(tg_json_path(p->manifest, "tgmon.files"));
	bool is_signed = tg_json_bool(tg_json_get(p->manifest, "tgmon"), "signed", false);
	const char *last = "";
	size_t i = 0;

	p->withheld = tg_streq(tg_json_str(tg_json_get(p->manifest, "tgmon"), "bundle"),
			       "withheld");
	for (; c; c = tg_json_next(c)) {
		const char *path = tg_json_str(c, "path");

		if (!path || strcmp(path, last) <= 0) {
			tg_find(&f, "the manifest's list of files is not sorted, or has twins");
			break;
		}
		for (; i < p->set.n && strcmp(p->set.v[i].path, path) < 0; i++)
			tg_find(&f, "%s is not in the manifest", p->set.v[i].path);
		if (i < p->set.n && strcmp(p->set.v[i].path, path) == 0)
			compare_file(&f, &p->set.v[i++], c);
		else
			tg_find(&f, "%s is missing", path);
		last = path;
	}
	for (; i < p->set.n; i++)
		tg_find(&f, "%s is not in the manifest", p->set.v[i].path);
	for (i = 0; i < TG_SIGNED_FILES; i++)
		if (p->has_sig[i] && !is_signed)
			tg_find(&f, "%s is there, and the manifest does not say that it is signed",
				tg_signed_paths()[i]);
	if (p->archive && p->withheld)
		tg_find(&f, "the manifest says that this bundle is withheld");
	tg_check_done(p, "files", &f);
}

static void check_sums(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct tg_buf want = TG_BUF_INIT;
	char hex[TG_SHA256_HEX];

	tg_sha256_hex(tg_buf_cstr(&p->manifest_text), p->manifest_text.n, hex);
	tg_manifest_sums(&p->set, hex, &want);
	if (!p->has_sums)
		tg_find(&f, "%s is missing", TG_SUMS_PATH);
	else if (want.n != p->sums_text.n || memcmp(want.p, p->sums_text.p, want.n) != 0)
		tg_find(&f, "%s does not list exactly these files with these digests",
			TG_SUMS_PATH);
	tg_buf_fini(&want);
	tg_check_done(p, "sha256sums", &f);
}

void tg_verify_files(struct tg_proof *p)
{
	if (!check_schema(p)) {
		tg_check_unknown(p, "files", "there is no manifest to compare with");
		tg_check_unknown(p, "sha256sums", "there is no manifest to compare with");
		return;
	}
	check_list(p);
	check_sums(p);
}

/* Compare two objects member by member, so that a finding has a name. */
static void compare_members(struct tg_findings *f, const char *prefix, const struct cJSON *said,
			    const struct cJSON *made)
{
	const struct cJSON *c;

	for (c = tg_json_first(made); c; c = tg_json_next(c)) {
		const char *key = tg_json_key(c);
		const struct cJSON *other = tg_json_get(said, key);
		struct tg_buf a = TG_BUF_INIT, b = TG_BUF_INIT;

		if (strcmp(key, "tgmon") == 0) {
			compare_members(f, "tgmon.", other, c);
			continue;
		}
		tg_json_print(c, TG_JSON_CANONICAL, &a);
		tg_json_print(other ? other : NULL, TG_JSON_CANONICAL, &b);
		if (!other || a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
			tg_find(f, "%s%s does not follow from the files", prefix, key);
		tg_buf_fini(&a);
		tg_buf_fini(&b);
	}
	for (c = tg_json_first(said); c; c = tg_json_next(c))
		if (!tg_json_get(made, tg_json_key(c)))
			tg_find(f, "%s%s is not a member that a manifest has", prefix,
				tg_json_key(c));
}

/* Printed and read again, so that both sides went through the same reader. */
static struct cJSON *made_again(const struct tg_proof *p)
{
	const struct cJSON *tgmon = tg_json_get(p->manifest, "tgmon");
	const struct tg_manifest_in in = {.tgmon_version = tg_json_str(tgmon, "tgmon_version"),
					  .previous = tg_json_get(tgmon, "previous_bundles"),
					  .redactions = tg_json_get(tgmon, "redactions"),
					  .withheld = tg_streq(tg_json_str(tgmon, "bundle"),
							       "withheld"),
					  .key_id = tg_json_bool(tgmon, "signed", false)
							? tg_json_str(tgmon, "key_id")
							: NULL};
	struct cJSON *m = tg_manifest_make(&p->facts, &in), *again;
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(m, TG_JSON_PY_INDENT2_SORTED, &b);
	again = tg_json_parse(tg_buf_cstr(&b), b.n, TG_MANIFEST_PATH, NULL, NULL);
	tg_buf_fini(&b);
	tg_json_free(m);
	return again;
}

static void check_texts(struct tg_findings *f, const struct tg_proof *p)
{
	for (size_t i = 0; i < TG_EXPLAIN_FILES; i++) {
		struct tg_buf want = TG_BUF_INIT, have = TG_BUF_INIT;

		tg_explain_files[i].print(&p->facts, &want);
		if (!tg_fileset_read(&p->set, tg_explain_files[i].path, &have, NULL) ||
		    have.n != want.n || memcmp(have.p, want.p, want.n) != 0)
			tg_find(f, "%s does not follow from the files", tg_explain_files[i].path);
		tg_buf_fini(&want);
		tg_buf_fini(&have);
	}
}

void tg_verify_statements(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct cJSON *made;

	if (!p->manifest || !p->facts_ok) {
		tg_check_unknown(p, "statements",
				 "there is no manifest, or no journal to make it from");
		return;
	}
	made = made_again(p);
	compare_members(&f, "", p->manifest, made);
	check_texts(&f, p);
	tg_json_free(made);
	tg_check_done(p, "statements", &f);
}
