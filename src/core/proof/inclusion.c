#include "core/proof/inclusion.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/proof/attest.h"
#include "core/proof/redact.h"
#include "core/proof/verify_in.h"
#include "core/run/layout.h"
#include "core/run/load.h"
#include "core/run/publish.h"

#define SCHEMA "tgmon.inclusion.v1"
#define ROWS "recomputed_governed_v2_agentic.jsonl"

/* ---- writing ---------------------------------------------------------------------------------- */

struct show { /* what is being written */
	const char *iid, *dir;
	struct tg_fileset set;
	struct cJSON *manifest, *leaves;
	struct tg_prows rows;
	struct tg_merkle tree;
};

/* Is one part of the path the instance's id, or its file? */
static bool is_of(const char *path, const char *iid)
{
	size_t n = strlen(iid);

	for (const char *p = path; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
		if (strncmp(p, iid, n) == 0 &&
		    (p[n] == '/' || !strcmp(p + n, ".json") || !strcmp(p + n, ".traj.json")))
			return true;
	return false;
}

static bool load(struct show *s, const char *run_dir, struct tg_err *err)
{
	char *path = tg_published_path(run_dir, TG_MANIFEST_PATH);
	struct tg_spec spec = {0};
	struct tg_run run = {0};
	bool ok = tg_spec_load(&spec, run_dir, NULL, err) &&
		  tg_load_run(&run, run_dir, &spec, err) &&
		  tg_fileset_collect(&s->set, run_dir, &run, err);

	s->manifest = ok ? tg_json_load(path, NULL, err) : NULL;
	ok = s->manifest != NULL;
	if (ok && !tg_streq(tg_json_text(tg_json_path(s->manifest, "tgmon.bundle")), "built"))
		ok = tg_fail(err, TG_E_SECRET, "secrets keep the bundle of %s back", run_dir);
	if (ok) {
		tg_redact_apply(&s->set, run_dir, tg_json_path(s->manifest, "tgmon.redactions"));
		ok = tg_fileset_hash(&s->set, err) &&
		     tg_prows_lines(&s->rows, &s->set, ROWS, err);
	}
	if (run.dir)
		tg_run_fini(&run);
	tg_spec_fini(&spec);
	free(path);
	return ok;
}

static void add_leaf(struct show *s, size_t i, const char *path, const char *sha256)
{
	unsigned char audit[TG_MERKLE_PATH_MAX][TG_MERKLE_HASH];
	struct cJSON *o = tg_json_object(), *list = tg_json_array();
	size_t n = tg_merkle_path(&s->tree, i, audit);

	for (size_t k = 0; k < n; k++) {
		char hex[TG_SHA256_HEX];

		tg_merkle_hex(audit[k], hex);
		tg_json_push_str(list, hex);
	}
	tg_json_set_str(o, "path", path);
	tg_json_set_str(o, "sha256", sha256);
	tg_json_set_int(o, "leaf", (int64_t)i);
	tg_json_set(o, "audit", list);
	tg_json_push(s->leaves, o);
}

static bool add_files(struct show *s, struct tg_err *err)
{
	bool ok = true;

	for (size_t i = 0; ok && i < s->set.n; i++) {
		const struct tg_file *f = &s->set.v[i];
		char *to, *parent;

		if (!is_of(f->path, s->iid))
			continue;
		to = tg_path_join(s->dir, f->path);
		parent = tg_path_dir(to);
		ok = tg_mkdirs(parent, 0755, err) && tg_file_copy(f->source, to, 0644, err);
		add_leaf(s, i, f->path, f->sha256);
		free(to);
		free(parent);
	}
	return ok;
}

/* The row's line goes out as it stands in the file of rows. */
static bool add_row(struct show *s, struct tg_err *err)
{
	const struct tg_prow *row = tg_prows_find(&s->rows, s->iid);
	struct tg_buf all = TG_BUF_INIT;
	char *to = tg_path_join(s->dir, "row.json"), *name;
	bool ok = tg_fileset_read(&s->set, ROWS, &all, err), found = false;

	if (ok && !row)
		ok = tg_fail(err, TG_E_INPUT, "%s is no instance of this run", s->iid);
	for (const char *at = tg_buf_cstr(&all), *nl; ok && !found && *at; at = nl + (*nl == '\n')) {
		char hex[TG_SHA256_HEX];

		nl = strchrnul(at, '\n');
		tg_sha256_hex(at, (size_t)(nl - at), hex);
		found = strcmp(hex, row->sha256) == 0;
		if (found)
			ok = tg_file_write(to, at, (size_t)(nl - at), 0644, err);
	}
	if (ok) {
		name = tg_asprintf(ROWS "#%s", s->iid);
		add_leaf(s, s->set.n + (size_t)(row - s->rows.v), name, row->sha256);
		free(name);
	}
	tg_buf_fini(&all);
	free(to);
	return ok;
}

/* The second line of the attestations carries the root. */
static void add_statement(struct cJSON *o, const char *run_dir)
{
	char *path = tg_published_path(run_dir, TG_INTOTO_PATH),
	     *pem = tg_published_path(run_dir, TG_PEM_PATH);
	struct tg_buf text = TG_BUF_INIT, key = TG_BUF_INIT;
	const char *nl;

	if (tg_file_read(path, 1 << 24, &text, NULL) && tg_file_read(pem, 4096, &key, NULL) &&
	    (nl = strchr(text.p, '\n')) != NULL) {
		tg_json_set_str(o, "statement", nl + 1);
		tg_json_set_str(o, "public_key", tg_buf_cstr(&key));
	} else {
		tg_json_set_null(o, "statement");
		tg_json_set_null(o, "public_key");
	}
	tg_buf_fini(&text);
	tg_buf_fini(&key);
	free(path);
	free(pem);
}

static bool write_doc(struct show *s, const char *run_dir, struct tg_err *err)
{
	const struct cJSON *t = tg_json_get(s->manifest, "tgmon");
	const char *said = tg_json_str(tg_json_get(t, "merkle"), "root");
	char *path = tg_path_join(s->dir, "proof.json"), hex[TG_SHA256_HEX];
	unsigned char root[TG_MERKLE_HASH];
	struct cJSON *o = tg_json_object();
	struct tg_buf b = TG_BUF_INIT;
	bool ok;

	tg_merkle_root(&s->tree, root);
	tg_merkle_hex(root, hex);
	ok = tg_streq(hex, said) ||
	     tg_fail(err, TG_E_IO, "the manifest is stale: the files give another Merkle root");
	tg_json_set_str(o, "schema", SCHEMA);
	tg_json_set_str(o, "run_id", tg_json_str(t, "run_id"));
	tg_json_set_str(o, "instance_id", s->iid);
	tg_json_set_int(o, "leaves", (int64_t)s->tree.n);
	tg_json_set_str(o, "root", hex);
	tg_json_set(o, "shown", s->leaves);
	s->leaves = NULL;
	if (tg_json_bool(t, "signed", false))
		add_statement(o, run_dir);
	tg_json_print(o, TG_JSON_PY_INDENT2, &b);
	tg_buf_addc(&b, '\n');
	ok = ok && tg_file_write(path, b.p, b.n, 0644, err);
	tg_buf_fini(&b);
	tg_json_free(o);
	free(path);
	return ok;
}

bool tg_inclusion_write(const char *run_dir, const char *iid, const char *dir, struct tg_err *err)
{
	struct show s = {.iid = iid, .dir = dir, .leaves = tg_json_array()};
	bool ok = tg_instance_id_valid(iid) ||
		  tg_fail(err, TG_E_INPUT, "this is no instance id");

	ok = ok && load(&s, run_dir, err) && tg_mkdir_new(dir, 0755, err);
	if (ok) {
		tg_attest_tree(&s.set, &s.rows, &s.tree);
		ok = add_files(&s, err) && add_row(&s, err) && write_doc(&s, run_dir, err);
	}
	tg_json_free(s.leaves);
	tg_json_free(s.manifest);
	tg_prows_fini(&s.rows);
	tg_merkle_fini(&s.tree);
	tg_fileset_fini(&s.set);
	return ok;
}

/* ---- checking --------------------------------------------------------------------------------- */

bool tg_inclusion_is(const char *path)
{
	struct cJSON *doc = tg_ends_with(path, ".json") ? tg_json_load(path, NULL, NULL) : NULL;
	bool is = tg_streq(tg_json_str(doc, "schema"), SCHEMA);

	tg_json_free(doc);
	return is;
}

static void check_leaf(struct tg_findings *f, const struct cJSON *leaf, int64_t leaves,
		       const unsigned char root[TG_MERKLE_HASH])
{
	unsigned char audit[TG_MERKLE_PATH_MAX][TG_MERKLE_HASH];
	const char *path = tg_json_str(leaf, "path"), *sha = tg_json_str(leaf, "sha256");
	int64_t at = tg_json_int(leaf, "leaf", -1);
	size_t n = 0;
	char *line;
	bool ok = path && sha && at >= 0 && leaves > 0;

	for (const struct cJSON *c = tg_json_first(tg_json_get(leaf, "audit")); ok && c;
	     c = tg_json_next(c))
		ok = n < TG_MERKLE_PATH_MAX && tg_merkle_unhex(tg_json_text(c), audit[n++]);
	line = tg_asprintf("%s  %s\n", sha ? sha : "", path ? path : "");
	if (!ok || !tg_merkle_check(line, strlen(line), (size_t)at, (size_t)leaves, audit, n, root))
		tg_find(f, "%s does not lead to the root", path ? path : "a leaf");
	free(line);
}

static void check_file(struct tg_findings *f, const struct cJSON *leaf, const char *dir)
{
	const char *path = tg_json_str(leaf, "path");
	const char *name = path && tg_starts_with(path, ROWS "#") ? "row.json" : path;
	char *at, hex[TG_SHA256_HEX];

	if (!name || !tg_path_is_safe_relative(name)) {
		tg_find(f, "a path is not safe");
		return;
	}
	at = tg_path_join(dir, name);
	if (!tg_sha256_file(at, hex, NULL, NULL))
		tg_find(f, "%s is missing", name);
	else if (!tg_streq(hex, tg_json_str(leaf, "sha256")))
		tg_find(f, "%s is another file", name);
	free(at);
}

/* The signed statement must carry this root; its payload is what was signed, not what we believe. */
static void check_statement(struct tg_proof *p, const struct cJSON *doc)
{
	const char *pem = tg_json_str(doc, "public_key"), *line = tg_json_str(doc, "statement");
	struct tg_findings f = {TG_BUF_INIT, 0}, t = {TG_BUF_INIT, 0};
	struct cJSON *envelope = line ? tg_json_parse(line, strlen(line), "statement", NULL, NULL)
				      : NULL,
		     *body = NULL;
	const char *payload = tg_json_str(envelope, "payload");
	struct tg_buf bytes = TG_BUF_INIT;
	struct tg_pubkey pub = {.id = ""};

	if (!payload || !pem || !tg_pubkey_parse(pem, strlen(pem), &pub, NULL) ||
	    !tg_base64_decode(payload, strlen(payload), &bytes) ||
	    !tg_verify_dsse(&pub, TG_STATEMENT_TYPE, bytes.p, bytes.n, line, strlen(line)))
		tg_find(&f, "there is no good signature over a statement");
	else {
		body = tg_json_parse(bytes.p, bytes.n, "statement", NULL, NULL);
		if (!tg_streq(tg_json_text(tg_json_path(body, "predicate.merkle.root")),
			      tg_json_str(doc, "root")) ||
		    tg_json_int(tg_json_path(body, "predicate.merkle"), "leaves", -1) !=
			tg_json_int(doc, "leaves", -2))
			tg_find(&f, "the signed statement carries another root");
		if (!tg_streq(tg_json_text(tg_json_path(body, "predicate.run_id")),
			      tg_json_str(doc, "run_id")))
			tg_find(&f, "the signed statement is of another run");
	}
	if (p->trusted_id && f.n == 0 && strcmp(p->trusted_id, pub.id) != 0)
		tg_find(&t, "signed by key %.16s, you trust %.16s", pub.id, p->trusted_id);
	if (!line && !p->trusted_id)
		tg_check_unknown(p, "signature", "this proof is not signed");
	else
		tg_check_done(p, "signature", &f);
	if (p->trusted_id)
		tg_check_done(p, "trust", &t);
	else if (line)
		tg_check_unknown(p, "trust", "give the key that you trust with --key");
	tg_json_free(envelope);
	tg_json_free(body);
	tg_buf_fini(&bytes);
}

bool tg_inclusion_verify(const char *path, const char *key_id, struct tg_verify *out,
			 struct tg_err *err)
{
	struct tg_proof p = {.out = out, .trusted_id = key_id};
	struct tg_findings files = {TG_BUF_INIT, 0}, tree = {TG_BUF_INIT, 0};
	struct cJSON *doc = tg_json_load(path, NULL, err);
	const struct cJSON *leaf = tg_json_first(tg_json_get(doc, "shown"));
	unsigned char root[TG_MERKLE_HASH];
	char *dir = tg_path_dir(path), *name;
	bool row = false;

	*out = (struct tg_verify){NULL, 0, 0, 0};
	if (!doc) {
		free(dir);
		return false;
	}
	name = tg_asprintf(ROWS "#%s", tg_json_str(doc, "instance_id") ? tg_json_str(doc, "instance_id") : "");
	if (!tg_merkle_unhex(tg_json_str(doc, "root"), root))
		tg_find(&tree, "there is no root");
	else
		for (; leaf; leaf = tg_json_next(leaf)) {
			check_file(&files, leaf, dir);
			check_leaf(&tree, leaf, tg_json_int(doc, "leaves", 0), root);
			row = row || tg_streq(tg_json_str(leaf, "path"), name);
		}
	if (!row)
		tg_find(&tree, "the instance's row is not shown");
	tg_check_done(&p, "files", &files);
	tg_check_done(&p, "inclusion", &tree);
	check_statement(&p, doc);
	tg_json_free(doc);
	free(name);
	free(dir);
	return true;
}
