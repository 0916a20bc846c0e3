#include "core/proof/sign_stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/proof/attest.h"
#include "core/run/layout.h"
#include "core/run/load.h"
#include "core/run/lock.h"

/* The key is read only when nothing of any attempt lives: an agent runs as the same user. */
static bool attempts_are_over(const struct tg_place *p, struct tg_err *err)
{
	static const char *const locks[] = {"tree.lock", "shim.lock"};
	struct tg_run run;
	bool ok = tg_load_run(&run, p->ctx->run_dir, p->ctx->spec, err);

	for (size_t i = 0; ok && i < run.inst_n; i++)
		for (size_t k = 0; ok && k < run.inst[i].att_n; k++)
			for (size_t l = 0; ok && l < 2; l++) {
				char *dir = tg_layout_attempt(p->ctx->run_dir, run.inst[i].id,
							      run.inst[i].att[k].n);
				char *lock = tg_path_join(dir, locks[l]);

				if (tg_lock_held(lock))
					ok = tg_fail(err, TG_E_BUSY,
						     "%s still runs; nothing is signed beside a "
						     "living agent",
						     run.inst[i].id);
				free(lock);
				free(dir);
			}
	tg_run_fini(&run);
	return ok;
}

static bool put(struct tg_place *p, const char *path, const void *data, size_t n,
		struct tg_err *err)
{
	char *to;
	bool ok = tg_publish_bytes(&p->pub, path, data, n, err);
	struct tg_file *f;

	if (!ok)
		return false;
	to = tg_published_path(p->ctx->run_dir, path);
	f = tg_fileset_add(&p->set, path, to);
	ok = tg_sha256_file(to, f->sha256, &f->bytes, err);
	free(to);
	return ok;
}

static bool put_keys(struct tg_place *p, const struct tg_pubkey *pub, struct tg_err *err)
{
	static void (*const form[])(const struct tg_pubkey *, struct tg_buf *) = {
	    tg_pubkey_pem, tg_pubkey_allowed_signers, tg_pubkey_minisign};
	static const char *const path[] = {TG_PEM_PATH, TG_SIGNERS_PATH, TG_MINIPUB_PATH};
	bool ok = true;

	for (size_t i = 0; ok && i < 3; i++) {
		struct tg_buf b = TG_BUF_INIT;

		form[i](pub, &b);
		ok = put(p, path[i], b.p, b.n, err);
		tg_buf_fini(&b);
	}
	return ok;
}

static bool sign_sums(struct tg_place *p, const struct tg_key *key, const struct tg_buf *sums,
		      const char *comment, struct tg_err *err)
{
	unsigned char raw[TG_ED25519_SIG];
	struct tg_buf ssh = TG_BUF_INIT, mini = TG_BUF_INIT;
	bool ok = tg_sign_raw(key, sums->p, sums->n, raw, err) &&
		  tg_sign_sshsig(key, sums->p, sums->n, &ssh, err) &&
		  tg_sign_minisign(key, sums->p, sums->n, comment, &mini, err) &&
		  put(p, TG_SIG_PATH, raw, sizeof raw, err) &&
		  put(p, TG_SSHSIG_PATH, ssh.p, ssh.n, err) &&
		  put(p, TG_MINISIG_PATH, mini.p, mini.n, err);

	tg_buf_fini(&ssh);
	tg_buf_fini(&mini);
	return ok;
}

static bool sign_statements(struct tg_place *p, const struct tg_key *key, const struct cJSON *m,
			    struct tg_err *err)
{
	const struct tg_file *manifest = tg_fileset_find(&p->set, TG_MANIFEST_PATH),
			     *sums = tg_fileset_find(&p->set, TG_SUMS_PATH),
			     *preds = tg_fileset_find(&p->set, "preds_filled.json");
	struct tg_prows rows;
	struct tg_claim claim = {m, &rows, manifest->sha256, sums->sha256,
				 preds ? preds->sha256 : NULL};
	struct tg_buf out = TG_BUF_INIT;
	bool ok = tg_prows_lines(&rows, &p->set, "recomputed_governed_v2_agentic.jsonl", err);

	for (int i = 0; ok && i < TG_STATEMENTS; i++) {
		struct tg_buf text = TG_BUF_INIT;

		tg_attest_statement(&claim, i, &text);
		ok = tg_sign_dsse(key, TG_STATEMENT_TYPE, text.p, text.n, &out, err);
		tg_buf_fini(&text);
	}
	ok = ok && put(p, TG_INTOTO_PATH, out.p, out.n, err);
	tg_prows_fini(&rows);
	tg_buf_fini(&out);
	return ok;
}

bool tg_sign_place(struct tg_place *p, const struct cJSON *manifest, struct tg_err *err)
{
	const char *id = tg_json_path(manifest, "tgmon.key_id")
			     ? tg_json_text(tg_json_path(manifest, "tgmon.key_id"))
			     : NULL;
	char *comment = tg_attest_comment(manifest);
	struct tg_buf sums = TG_BUF_INIT;
	struct tg_key *key = NULL;
	bool ok = attempts_are_over(p, err) &&
		  tg_fileset_read(&p->set, TG_SUMS_PATH, &sums, err);

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core file, no ptrace: it is about to hold a key */
	if (ok) {
		key = tg_key_load(p->ctx->spec->sign_key, err);
		ok = key != NULL;
	}
	if (ok && !tg_streq(id, tg_key_public(key)->id))
		ok = tg_fail(err, TG_E_INPUT, "%s is not the key that the manifest names (%.16s)",
			     p->ctx->spec->sign_key, id ? id : "none");
	if (ok)
		ok = sign_statements(p, key, manifest, err) && /* while the set is sorted */
		     sign_sums(p, key, &sums, comment, err) && put_keys(p, tg_key_public(key), err);
	tg_key_free(key);
	tg_fileset_sort(&p->set);
	tg_buf_fini(&sums);
	free(comment);
	return ok;
}
