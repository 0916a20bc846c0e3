/* Verify: signatures, statements, the key that is trusted, and whether the run was registered. */
#include <stdlib.h>
#include <string.h>

#include "core/lib/json.h"
#include "core/proof/attest.h"
#include "core/proof/register.h"
#include "core/proof/verify_in.h"

static bool equals(const struct tg_buf *a, const struct tg_buf *b)
{
	return a->n == b->n && memcmp(tg_buf_cstr(a), tg_buf_cstr(b), a->n) == 0;
}

/* The public key in its three forms must be one key. */
static bool check_keys(struct tg_findings *f, const struct tg_proof *p, struct tg_pubkey *pub)
{
	static void (*const form[])(const struct tg_pubkey *, struct tg_buf *) = {
	    tg_pubkey_pem, tg_pubkey_allowed_signers, tg_pubkey_minisign};
	struct tg_err err = {0};

	if (!tg_pubkey_parse(tg_buf_cstr(&p->sig[4]), p->sig[4].n, pub, &err)) {
		tg_find(f, "%s: %s", TG_PEM_PATH, err.msg);
		return false;
	}
	for (size_t i = 0; i < 3; i++) {
		struct tg_buf want = TG_BUF_INIT;

		form[i](pub, &want);
		if (!equals(&want, &p->sig[4 + i]))
			tg_find(f, "%s is not the key that signed", tg_signed_paths()[4 + i]);
		tg_buf_fini(&want);
	}
	if (!tg_streq(pub->id, tg_json_str(tg_json_get(p->manifest, "tgmon"), "key_id")))
		tg_find(f, "the manifest names another key id than that of the key in the bundle");
	return true;
}

static void check_statements(struct tg_findings *f, const struct tg_proof *p,
			     const struct tg_pubkey *pub)
{
	const struct tg_file *preds = tg_fileset_find(&p->set, "preds_filled.json");
	char manifest[TG_SHA256_HEX], sums[TG_SHA256_HEX];
	struct tg_claim claim = {p->manifest, &p->facts.rows, manifest, sums,
				 preds ? preds->sha256 : NULL};
	const char *at = tg_buf_cstr(&p->sig[3]), *end = at + p->sig[3].n;

	tg_sha256_hex(tg_buf_cstr(&p->manifest_text), p->manifest_text.n, manifest);
	tg_sha256_hex(tg_buf_cstr(&p->sums_text), p->sums_text.n, sums);
	for (int i = 0; i < TG_STATEMENTS; i++) {
		const char *nl = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
		struct tg_buf text = TG_BUF_INIT;

		tg_attest_statement(&claim, i, &text);
		if (!nl || !tg_verify_dsse(pub, TG_STATEMENT_TYPE, text.p, text.n, at,
					   (size_t)(nl + 1 - at)))
			tg_find(f, "%s: statement %d is not what the manifest gives, signed",
				TG_INTOTO_PATH, i + 1);
		at = nl ? nl + 1 : end;
		tg_buf_fini(&text);
	}
	if (at != end)
		tg_find(f, "%s has more than %d statements", TG_INTOTO_PATH, TG_STATEMENTS);
}

static void check_sums(struct tg_findings *f, const struct tg_proof *p, const struct tg_pubkey *pub)
{
	const struct tg_buf *m = &p->sums_text, *s = p->sig;
	char *comment = tg_attest_comment(p->manifest);

	if (s[0].n != TG_ED25519_SIG ||
	    !tg_verify_raw(pub, tg_buf_cstr(m), m->n, (const unsigned char *)s[0].p))
		tg_find(f, "%s is no signature over %s", TG_SIG_PATH, TG_SUMS_PATH);
	if (!tg_verify_sshsig(pub, tg_buf_cstr(m), m->n, tg_buf_cstr(&s[1]), s[1].n))
		tg_find(f, "%s is no signature over %s", TG_SSHSIG_PATH, TG_SUMS_PATH);
	if (!tg_verify_minisign(pub, tg_buf_cstr(m), m->n, comment, tg_buf_cstr(&s[2]), s[2].n))
		tg_find(f, "%s is no signature over %s", TG_MINISIG_PATH, TG_SUMS_PATH);
	free(comment);
}

static bool trusts(const struct tg_proof *p, const struct tg_pubkey *pub)
{
	return strcmp(p->trusted_id, pub->id) == 0;
}

static void check_trust(struct tg_proof *p, const struct tg_pubkey *pub)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	char *why;

	if (!p->trusted_id) {
		why = tg_asprintf("signed by key %s; compare it, or give it with --key", pub->id);
		tg_check_unknown(p, "trust", why);
		free(why);
		return;
	}
	if (!trusts(p, pub))
		tg_find(&f, "signed by key %.16s, you trust %.16s", pub->id, p->trusted_id);
	tg_check_done(p, "trust", &f);
}

void tg_verify_signature(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct tg_pubkey pub;
	bool known = false;

	if (!tg_json_bool(tg_json_get(p->manifest, "tgmon"), "signed", false)) {
		if (p->trusted_id) {
			tg_find(&f, "a key was given, and this proof is not signed");
			tg_check_done(p, "signature", &f);
		} else
			tg_check_unknown(p, "signature", "this proof is not signed");
		return;
	}
	if (p->withheld) {
		tg_check_unknown(p, "signature", "the bundle is withheld; nothing was signed");
		return;
	}
	for (size_t i = 0; i < TG_SIGNED_FILES; i++)
		if (!p->has_sig[i])
			tg_find(&f, "%s is missing", tg_signed_paths()[i]);
	if (f.n == 0 && (known = check_keys(&f, p, &pub)) == true) {
		check_sums(&f, p, &pub);
		if (p->facts_ok)
			check_statements(&f, p, &pub);
		else
			tg_find(&f, "the statements cannot be made again");
	}
	known = known && f.n == 0;
	tg_check_done(p, "signature", &f);
	if (known)
		check_trust(p, &pub);
}

/* ---- registered before it ran ----------------------------------------------------------------- */

struct first { /* of the journal */
	struct cJSON *open;
	int64_t attempt_ms; /* of the first attempt; INT64_MAX: none */
};

static void look_at_journal(const struct tg_proof *p, struct first *first)
{
	struct tg_buf b = TG_BUF_INIT;
	const char *at, *end, *nl;

	*first = (struct first){NULL, INT64_MAX};
	if (!tg_fileset_read(&p->set, TG_JOURNAL_PATH, &b, NULL))
		return;
	for (at = tg_buf_cstr(&b), end = at + b.n; at < end; at = nl + 1) {
		struct cJSON *v;
		const char *ev;

		nl = memchr(at, '\n', (size_t)(end - at));
		if (!nl)
			break;
		v = tg_json_parse(at, (size_t)(nl - at), "journal", NULL, NULL);
		ev = tg_json_str(v, "ev");
		if (!first->open && tg_streq(ev, "run.open"))
			first->open = tg_json_dup(v);
		if (tg_streq(ev, "att.start") || tg_streq(ev, "att.import"))
			first->attempt_ms = tg_json_int(v, "wall_ms", 0);
		tg_json_free(v);
		if (first->attempt_ms != INT64_MAX)
			break;
	}
	tg_buf_fini(&b);
}

static void check_registered(struct tg_findings *f, const struct tg_proof *p,
			     const struct tg_file *file, const struct first *first)
{
	const struct tg_file *run = tg_fileset_find(&p->set, TG_RUNJSON_PATH);
	struct tg_buf b = TG_BUF_INIT;
	struct tg_pubkey pub;
	struct cJSON *doc;

	if (!tg_streq(tg_json_str(first->open, "registered_sha256"), file->sha256))
		tg_find(f, "the journal's first record names another registration");
	if (!tg_fileset_read(&p->set, TG_REGISTERED_PATH, &b, NULL))
		b.n = 0;
	doc = tg_json_parse(tg_buf_cstr(&b), b.n, TG_REGISTERED_PATH, NULL, NULL);
	tg_buf_fini(&b);
	if (!tg_register_check(doc, &pub))
		tg_find(f, "%s carries no good signature", TG_REGISTERED_PATH);
	else if (p->trusted_id && !trusts(p, &pub))
		tg_find(f, "registered with key %.16s, you trust %.16s", pub.id, p->trusted_id);
	if (!run || !tg_streq(tg_json_str(doc, "run_sha256"), run->sha256))
		tg_find(f, "another run.json was registered");
	if (tg_json_int(doc, "registered_ms", INT64_MAX) > first->attempt_ms)
		tg_find(f, "the first attempt began before the registration");
	tg_json_free(doc);
}

void tg_verify_registered(struct tg_proof *p)
{
	const struct tg_file *file = tg_fileset_find(&p->set, TG_REGISTERED_PATH);
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct first first;

	look_at_journal(p, &first);
	if (!file && !tg_json_str(first.open, "registered_sha256"))
		tg_check_unknown(p, "registered", "the run was not registered before it ran");
	else {
		if (!file)
			tg_find(&f, "%s is missing; the journal names it", TG_REGISTERED_PATH);
		else
			check_registered(&f, p, file, &first);
		tg_check_done(p, "registered", &f);
	}
	tg_json_free(first.open);
}
