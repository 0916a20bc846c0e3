/* The manifest stage: publishes journal and run.json for the bundle, puts an earlier bundle aside,
 * and writes proof_manifest.json and proof/SHA256SUMS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/proof/explain.h"
#include "core/proof/manifest.h"
#include "core/proof/place.h"
#include "core/proof/redact.h"
#include "core/proof/sign.h"
#include "core/run/layout.h"

enum { PREVIOUS_MAX = 10000 };

static bool publish_inputs(const struct tg_stage_ctx *ctx, struct tg_publisher *pub,
			   struct tg_err *err)
{
	char *run_json = tg_layout_control(ctx->run_dir, "run.json");
	char *registered = tg_layout_control(ctx->run_dir, "registered.json");
	struct tg_buf journal = TG_BUF_INIT;
	bool ok = tg_replay_export(ctx->run_dir, &journal, err) &&
		  tg_publish_bytes(pub, TG_JOURNAL_PATH, tg_buf_cstr(&journal), journal.n, err) &&
		  tg_publish_copy(pub, TG_RUNJSON_PATH, run_json, err);

	if (ok && tg_file_exists(registered))
		ok = tg_publish_copy(pub, TG_REGISTERED_PATH, registered, err);
	tg_buf_fini(&journal);
	free(registered);
	free(run_json);
	return ok;
}

/* Earlier bundles: RUN/proof/<n>/proof_bundle.tgz. *next gets the first number that is free. */
static bool list_previous(const char *run_dir, struct cJSON *list, int *next, struct tg_err *err)
{
	bool ok = true;

	for (*next = 1; ok && *next < PREVIOUS_MAX; ++*next) {
		char *rel = tg_asprintf("proof/%d/" TG_BUNDLE_PATH, *next);
		char *path = tg_path_join(run_dir, rel), *dir = tg_path_dir(path);
		char hex[TG_SHA256_HEX];
		bool there = tg_is_dir(dir);

		if (there && tg_file_exists(path)) {
			ok = tg_sha256_file(path, hex, NULL, err);
			if (ok) {
				struct cJSON *o = tg_json_object();

				tg_json_set_str(o, "path", rel);
				tg_json_set_str(o, "sha256", hex);
				tg_json_push(list, o);
			}
		}
		free(rel);
		free(path);
		free(dir);
		if (!there)
			break;
	}
	return ok;
}

static bool move_into(const struct tg_stage_ctx *ctx, const char *rel, const char *dir, bool copy,
		      struct tg_err *err)
{
	char *from = tg_published_path(ctx->run_dir, rel), *to = tg_path_join(dir, rel);
	bool ok = true;

	if (tg_file_exists(from)) {
		if (copy)
			ok = tg_file_copy(from, to, 0644, err);
		else if (rename(from, to) != 0)
			ok = tg_fail_sys(err, errno, "cannot keep the earlier %s as %s", rel, to);
	}
	free(from);
	free(to);
	return ok;
}

/* The bundle goes last: until it has moved, it is still the run's. */
static bool keep_bundle(const struct tg_stage_ctx *ctx, int n, struct tg_err *err)
{
	char *dir = tg_asprintf("%s/proof/%d", ctx->run_dir, n);
	bool ok = tg_mkdirs(dir, 0755, err) && move_into(ctx, TG_MANIFEST_PATH, dir, true, err) &&
		  move_into(ctx, TG_BUNDLE_PATH ".sha256", dir, false, err) &&
		  move_into(ctx, TG_BUNDLE_PATH, dir, false, err) && tg_fsync_dir(dir, err);

	free(dir);
	return ok;
}

static void print_manifest(const struct tg_facts *f, struct tg_manifest_in in,
			   const struct cJSON *previous, struct tg_buf *out)
{
	struct cJSON *m;

	in.previous = previous;
	m = tg_manifest_make(f, &in);

	tg_buf_clear(out);
	tg_json_print(m, TG_JSON_PY_INDENT2_SORTED, out);
	tg_json_free(m);
}

static bool says_the_same(const struct tg_stage_ctx *ctx, const struct tg_buf *text)
{
	char *path = tg_published_path(ctx->run_dir, TG_MANIFEST_PATH);
	struct tg_buf old = TG_BUF_INIT;
	bool same = tg_file_read(path, 0, &old, NULL) && old.n == text->n &&
		    memcmp(old.p, text->p, old.n) == 0;

	tg_buf_fini(&old);
	free(path);
	return same;
}

static bool make_text(struct tg_place *p, const struct tg_facts *f,
		      const struct tg_manifest_in *in, struct tg_buf *text, struct tg_err *err)
{
	char *bundle = tg_published_path(p->ctx->run_dir, TG_BUNDLE_PATH);
	struct cJSON *previous = tg_json_array();
	int next;
	bool ok = list_previous(p->ctx->run_dir, previous, &next, err);

	if (ok)
		print_manifest(f, *in, previous, text);
	if (ok && tg_file_exists(bundle) && tg_place_is_ours(p, TG_BUNDLE_PATH) &&
	    !says_the_same(p->ctx, text)) {
		tg_json_free(previous);
		previous = tg_json_array();
		ok = keep_bundle(p->ctx, next, err) &&
		     list_previous(p->ctx->run_dir, previous, &next, err);
		if (ok)
			print_manifest(f, *in, previous, text);
	}
	tg_json_free(previous);
	free(bundle);
	return ok;
}

static bool publish(struct tg_place *p, const struct tg_buf *text, char hex[TG_SHA256_HEX],
		    struct tg_err *err)
{
	struct tg_buf sums = TG_BUF_INIT;
	bool ok;

	tg_sha256_hex(text->p, text->n, hex);
	tg_manifest_sums(&p->set, hex, &sums);
	ok = tg_publish_bytes(&p->pub, TG_MANIFEST_PATH, text->p, text->n, err) &&
	     tg_publish_bytes(&p->pub, TG_SUMS_PATH, sums.p, sums.n, err);
	tg_buf_fini(&sums);
	return ok;
}

static bool publish_first(const struct tg_stage_ctx *ctx, struct tg_err *err)
{
	bool careful =
	    tg_streq(ctx->spec->agent, "foreign") && tg_streq(ctx->spec->source_dir, ctx->run_dir);
	struct tg_publisher pub;
	bool ok = tg_publish_init(&pub, ctx->run_dir, careful, &ctx->log, err) &&
		  publish_inputs(ctx, &pub, err);

	tg_publish_fini(&pub);
	return ok;
}

/* Texts about the facts go into the set that the facts were read from. */
static bool explain(struct tg_place *p, const struct tg_facts *f, struct tg_err *err)
{
	bool ok = true;

	for (size_t i = 0; ok && i < TG_EXPLAIN_FILES; i++) {
		const struct tg_text_file *t = &tg_explain_files[i];
		struct tg_buf text = TG_BUF_INIT;
		struct tg_file *file;
		char *to;

		t->print(f, &text);
		ok = tg_publish_bytes(&p->pub, t->path, text.p, text.n, err);
		to = tg_published_path(p->ctx->run_dir, t->path);
		file = tg_fileset_find(&p->set, t->path);
		if (!file)
			file = tg_fileset_add(&p->set, t->path, to);
		free(file->source);
		file->source = to;
		ok = ok && tg_sha256_file(to, file->sha256, &file->bytes, err);
		tg_fileset_sort(&p->set);
		tg_buf_fini(&text);
	}
	return ok;
}

/* Before anything is hashed: what must not leave is found, and told. */
static bool sweep(struct tg_place *p, struct tg_sweep *s, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT, json = TG_BUF_INIT;
	bool ok = tg_redact_sweep(&p->set, p->ctx->run_dir, p->ctx->spec->redact, s, err);

	if (ok) {
		tg_sweep_text(s, &text);
		tg_json_print(s->report, TG_JSON_PY_INDENT2, &json);
		tg_buf_addc(&json, '\n');
		ok = tg_publish_bytes(&p->pub, "proof/secrets.txt", text.p, text.n, err) &&
		     tg_publish_bytes(&p->pub, "proof/secrets.json", json.p, json.n, err);
	}
	tg_buf_fini(&text);
	tg_buf_fini(&json);
	return ok;
}

bool tg_stage_manifest(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	struct tg_place p = {.ctx = ctx};
	struct tg_facts f = {.set = NULL};
	struct tg_sweep s = {.withheld = false};
	struct tg_manifest_in in = {.tgmon_version = TGMON_VERSION};
	struct tg_pubkey pub = {.id = ""};
	char hex[TG_SHA256_HEX] = "";
	bool ok = publish_first(ctx, err) && tg_place_init(&p, ctx, err) && sweep(&p, &s, err) &&
		  tg_fileset_hash(&p.set, err) && tg_facts_init(&f, &p.set, err) &&
		  explain(&p, &f, err);

	in.redactions = s.redactions;
	in.withheld = s.withheld;
	if (ok && ctx->spec->sign) {
		ok = tg_key_load_public(ctx->spec->sign_key, &pub, err);
		in.key_id = pub.id;
	}
	ok = ok && make_text(&p, &f, &in, &text, err) && publish(&p, &text, hex, err);
	if (ok) {
		tg_json_set_str(sum, "sha256", hex);
		tg_json_set_int(sum, "files", (int64_t)p.set.n);
		tg_json_set_bool(sum, "withheld", s.withheld);
	}
	tg_sweep_fini(&s);
	tg_facts_fini(&f);
	tg_place_fini(&p);
	tg_buf_fini(&text);
	return ok;
}
