#include "core/proof/verify.h"

#include <stdlib.h>
#include <string.h>

#include "core/govern/policy.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/load.h"
#include "core/run/publish.h"
#include "core/proof/redact.h"
#include "core/proof/verify_in.h"
#include "core/run/layout.h"
#include "core/run/spec.h"

enum { FINDINGS_SHOWN = 12 };

void tg_find(struct tg_findings *f, const char *fmt, ...)
{
	struct tg_buf one = TG_BUF_INIT;
	va_list ap;

	if (f->n++ >= FINDINGS_SHOWN)
		return;
	va_start(ap, fmt);
	tg_buf_vaddf(&one, fmt, ap);
	va_end(ap);
	if (f->n > 1)
		tg_buf_adds(&f->text, "; ");
	tg_text_safe(&f->text, one.p, one.n, 0); /* names out of a bundle are hostile */
	tg_buf_fini(&one);
}

static void add_check(struct tg_verify *v, const char *name, enum tg_check_state state,
		      char *detail)
{
	TG_GROW(v->v, v->n, v->cap);
	v->v[v->n++] = (struct tg_check){name, state, detail};
	v->failed += state == TG_CHECK_FAILED;
}

void tg_check_done(struct tg_proof *p, const char *name, struct tg_findings *f)
{
	if (f->n > FINDINGS_SHOWN)
		tg_buf_addf(&f->text, "; and %zu more", f->n - FINDINGS_SHOWN);
	add_check(p->out, name, f->n ? TG_CHECK_FAILED : TG_CHECK_OK,
		  tg_strdup(tg_buf_cstr(&f->text)));
	tg_buf_fini(&f->text);
}

void tg_check_unknown(struct tg_proof *p, const char *name, const char *why)
{
	add_check(p->out, name, TG_CHECK_UNKNOWN, tg_strdup(why));
}

/* ---- where the files come from -------------------------------------------------------------- */

/* Take one file out of the set: manifest and SHA256SUMS are not members of themselves. */
static bool take_out(struct tg_proof *p, const char *path, struct tg_buf *text)
{
	struct tg_file *f = tg_fileset_find(&p->set, path);
	bool ok = f && tg_fileset_read(&p->set, path, text, NULL);
	size_t at;

	if (!f)
		return false;
	at = (size_t)(f - p->set.v);
	free(f->path);
	free(f->source);
	tg_buf_fini(&f->data);
	memmove(f, f + 1, (p->set.n - at - 1) * sizeof *f);
	p->set.n--;
	return ok;
}

static void add_signatures(struct tg_proof *p, const char *dir)
{
	for (size_t i = 0; i < TG_SIGNED_FILES; i++) {
		char *path = tg_published_path(dir, tg_signed_paths()[i]);

		if (tg_file_exists(path))
			tg_fileset_add(&p->set, tg_signed_paths()[i], path);
		free(path);
	}
	tg_fileset_sort(&p->set);
}

/* In the run itself redacted files lie beside their originals, which must be what they were. */
static void use_manifest(struct tg_proof *p, const char *dir)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	char *path = tg_published_path(dir, TG_MANIFEST_PATH);
	struct cJSON *m = tg_json_load(path, NULL, NULL);
	const struct cJSON *list = tg_json_path(m, "tgmon.redactions"), *c = tg_json_first(list);
	const char *last = "";

	for (; c; c = tg_json_next(c)) {
		const char *name = tg_json_str(c, "path");
		const struct tg_file *file = name ? tg_fileset_find(&p->set, name) : NULL;
		char hex[TG_SHA256_HEX];

		if (!file || !strcmp(name, last))
			continue;
		if (!tg_sha256_file(file->source, hex, NULL, NULL) ||
		    !tg_streq(hex, tg_json_str(c, "original_sha256")))
			tg_find(&f, "%s is no longer the file that was redacted", name);
		last = name;
	}
	if (tg_json_first(list))
		tg_check_done(p, "originals", &f);
	tg_redact_apply(&p->set, dir, list);
	if (tg_json_bool(tg_json_get(m, "tgmon"), "signed", false))
		add_signatures(p, dir);
	tg_json_free(m);
	free(path);
}

static bool open_run(struct tg_proof *p, const char *dir, struct tg_err *err)
{
	static const char *const own[] = {TG_MANIFEST_PATH, TG_SUMS_PATH};
	struct tg_spec spec = {0};
	struct tg_run run = {0};
	bool ok = tg_spec_load(&spec, dir, NULL, err) && tg_load_run(&run, dir, &spec, err) &&
		  tg_fileset_collect(&p->set, dir, &run, err);

	for (size_t i = 0; ok && i < 2; i++) {
		char *path = tg_published_path(dir, own[i]);

		if (tg_file_exists(path))
			tg_fileset_add(&p->set, own[i], path);
		free(path);
	}
	tg_fileset_sort(&p->set);
	if (ok)
		use_manifest(p, dir);
	ok = ok && tg_fileset_hash(&p->set, err);
	if (run.dir)
		tg_run_fini(&run);
	tg_spec_fini(&spec);
	return ok;
}

/* The digest that was written beside a bundle; absent: it is not checkable. */
static void check_beside(struct tg_proof *p, const char *bundle)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	char *beside = tg_asprintf("%s.sha256", bundle), hex[TG_SHA256_HEX];
	struct tg_buf text = TG_BUF_INIT;

	if (!tg_file_read(beside, 4096, &text, NULL))
		tg_check_unknown(p, "bundle", "no proof_bundle.tgz.sha256 lies beside it");
	else {
		if (!tg_sha256_file(bundle, hex, NULL, NULL))
			tg_find(&f, "the bundle cannot be read");
		else if (text.n < 64 || memcmp(text.p, hex, 64) != 0)
			tg_find(&f, "the bundle has another digest than the file beside it says");
		tg_check_done(p, "bundle", &f);
	}
	tg_buf_fini(&text);
	free(beside);
}

static bool open_archive(struct tg_proof *p, const char *path)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct tg_err err;
	char *top = NULL;
	bool ok;

	check_beside(p, path);
	ok = tg_fileset_read_archive(&p->set, path, &top, &err);
	if (!ok)
		tg_find(&f, "%s", err.msg);
	free(top);
	tg_check_done(p, "archive", &f);
	return ok;
}

static bool open_folder(struct tg_proof *p, const char *path)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	char *run_json = tg_layout_control(path, "run.json"), *bundle;
	struct tg_err err;
	bool ours = tg_file_exists(run_json), ok;

	ok = ours ? open_run(p, path, &err) : tg_fileset_walk(&p->set, path, &err);
	free(run_json);
	if (!ok) {
		tg_find(&f, "%s", err.msg);
		tg_check_done(p, "files", &f);
		return false;
	}
	if (ours) {
		bundle = tg_published_path(path, TG_BUNDLE_PATH);
		if (tg_file_exists(bundle))
			check_beside(p, bundle);
		else
			tg_check_unknown(p, "bundle", "the run has no bundle");
		free(bundle);
	}
	return true;
}

/* ---- the checks ----------------------------------------------------------------------------- */

static void check_run(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	const struct tg_file *file = tg_fileset_find(&p->set, TG_RUNJSON_PATH);

	if (!p->facts_ok) {
		tg_check_unknown(p, "run",
				 "without its journal a run cannot be bound to its run.json");
		return;
	}
	if (!tg_streq(tg_json_str(p->facts.run_json, "schema"), "tgmon.run.v1"))
		tg_find(&f, "proof/run.json is not of schema tgmon.run.v1");
	if (!p->facts.run.run_sha256 || !tg_streq(p->facts.run.run_sha256, file->sha256))
		tg_find(&f, "the journal's first record names another run.json");
	tg_check_done(p, "run", &f);
}

static void load_facts(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct tg_err err = {0};

	p->facts_ok = tg_facts_init(&p->facts, &p->set, &err);
	if (p->facts_ok && !tg_prows_predictions(&p->raw_preds, &p->set, "preds.json", &err))
		p->facts_ok = false;
	if (!p->facts_ok)
		tg_find(&f, "%s", err.msg);
	tg_check_done(p, "journal", &f);
}

/* The policy that run.json names, as it travels in the bundle. */
static void load_policy(struct tg_proof *p)
{
	const struct cJSON *ref = tg_json_get(p->facts.run_json, "policy");
	const char *sha = tg_json_str(ref, "sha256"), *path = tg_json_str(ref, "frozen");
	struct tg_buf b = TG_BUF_INIT;

	p->policy_ok = sha == NULL;
	if (sha && path && tg_fileset_read(&p->set, path, &b, NULL)) {
		p->policy = tg_policy_parse(tg_buf_cstr(&b), b.n, path, NULL);
		p->policy_ok = p->policy && strcmp(p->policy->sha256, sha) == 0;
	}
	tg_buf_fini(&b);
}

static void check_all(struct tg_proof *p)
{
	p->has_manifest = take_out(p, TG_MANIFEST_PATH, &p->manifest_text);
	p->has_sums = take_out(p, TG_SUMS_PATH, &p->sums_text);
	for (size_t i = 0; i < TG_SIGNED_FILES; i++)
		p->has_sig[i] = take_out(p, tg_signed_paths()[i], &p->sig[i]);
	tg_verify_files(p);
	load_facts(p);
	if (p->facts_ok)
		load_policy(p);
	check_run(p);
	tg_verify_instances(p);
	tg_verify_statements(p);
	tg_verify_rows(p);
	tg_verify_gate(p);
	tg_verify_signature(p);
	tg_verify_registered(p);
}

bool tg_proof_verify(const char *path, const char *key_id, struct tg_verify *out,
		     struct tg_err *err)
{
	struct tg_proof p = {.out = out, .trusted_id = key_id, .archive = !tg_is_dir(path)};

	*out = (struct tg_verify){NULL, 0, 0, 0};
	if (!tg_file_exists(path))
		return tg_fail(err, TG_E_INPUT, "%s: there is no such run or bundle", path);
	if (!p.archive ? open_folder(&p, path) : open_archive(&p, path))
		check_all(&p);
	tg_fileset_fini(&p.set);
	tg_facts_fini(&p.facts);
	tg_prows_fini(&p.raw_preds);
	tg_policy_free(p.policy);
	tg_json_free(p.manifest);
	tg_buf_fini(&p.manifest_text);
	tg_buf_fini(&p.sums_text);
	for (size_t i = 0; i < TG_SIGNED_FILES; i++)
		tg_buf_fini(&p.sig[i]);
	return true;
}

void tg_verify_fini(struct tg_verify *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i].detail);
	free(v->v);
	*v = (struct tg_verify){NULL, 0, 0, 0};
}

const char *tg_check_state_name(enum tg_check_state s)
{
	return s == TG_CHECK_OK ? "ok" : s == TG_CHECK_FAILED ? "failed" : "not checkable";
}

struct cJSON *tg_verify_json(const struct tg_verify *v)
{
	struct cJSON *o = tg_json_object(), *failed = tg_json_array(), *checks = tg_json_array();

	for (size_t i = 0; i < v->n; i++) {
		struct cJSON *c = tg_json_object();

		tg_json_set_str(c, "name", v->v[i].name);
		tg_json_set_str(c, "state", tg_check_state_name(v->v[i].state));
		tg_json_set_str(c, "detail", v->v[i].detail);
		tg_json_push(checks, c);
		if (v->v[i].state == TG_CHECK_FAILED)
			tg_json_push_str(failed, v->v[i].name);
	}
	tg_json_set_bool(o, "ok", v->failed == 0);
	tg_json_set(o, "failed", failed);
	tg_json_set(o, "checks", checks);
	return o;
}
