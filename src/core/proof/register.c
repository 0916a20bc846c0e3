#include "core/proof/register.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/layout.h"
#include "core/run/spec.h"

#define SCHEMA "tgmon.registered.v1"

static void message(struct tg_buf *out, const char *run_id, const char *run_sha256, int64_t ms)
{
	tg_buf_addf(out, SCHEMA "\n%s\n%s\n%lld\n", run_id, run_sha256, (long long)ms);
}

static bool write_doc(const char *run_dir, const struct tg_key *key, const struct tg_spec *spec,
		      const char *sha256, struct tg_buf *line, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT, sig = TG_BUF_INIT, pem = TG_BUF_INIT, json = TG_BUF_INIT;
	char *path = tg_layout_control(run_dir, "registered.json");
	struct cJSON *o = tg_json_object();
	unsigned char raw[TG_ED25519_SIG];
	int64_t ms = tg_wall_ms();
	bool ok;

	message(&text, spec->run_id, sha256, ms);
	ok = tg_sign_raw(key, text.p, text.n, raw, err);
	if (ok) {
		tg_base64(raw, sizeof raw, &sig);
		tg_pubkey_pem(tg_key_public(key), &pem);
		tg_json_set_str(o, "schema", SCHEMA);
		tg_json_set_str(o, "run_id", spec->run_id);
		tg_json_set_str(o, "run_sha256", sha256);
		tg_json_set_int(o, "registered_ms", ms);
		tg_json_set_str(o, "key_id", tg_key_public(key)->id);
		tg_json_set_str(o, "public_key", tg_buf_cstr(&pem));
		tg_json_set_str(o, "signature", tg_buf_cstr(&sig));
		tg_json_print(o, TG_JSON_CANONICAL, &json);
		tg_buf_addc(&json, '\n');
		ok = tg_file_write(path, json.p, json.n, 0644, err);
		tg_buf_addf(line, "tgmon-registered %s %s %lld %.16s %s", spec->run_id, sha256,
			    (long long)ms, tg_key_public(key)->id, tg_buf_cstr(&sig));
	}
	tg_json_free(o);
	tg_buf_fini(&text);
	tg_buf_fini(&sig);
	tg_buf_fini(&pem);
	tg_buf_fini(&json);
	free(path);
	return ok;
}

bool tg_register_run(const char *run_dir, const struct tg_key *key, struct tg_buf *line,
		     struct tg_err *err)
{
	struct tg_spec spec = {0};
	char sha256[TG_SHA256_HEX];
	bool ok = tg_spec_load(&spec, run_dir, sha256, err) &&
		  write_doc(run_dir, key, &spec, sha256, line, err);

	tg_spec_fini(&spec);
	return ok;
}

bool tg_register_check(const struct cJSON *doc, struct tg_pubkey *pub)
{
	const char *id = tg_json_str(doc, "run_id"), *sha256 = tg_json_str(doc, "run_sha256");
	const char *pem = tg_json_str(doc, "public_key"), *sig = tg_json_str(doc, "signature");
	struct tg_buf text = TG_BUF_INIT, raw = TG_BUF_INIT;
	bool ok = tg_streq(tg_json_str(doc, "schema"), SCHEMA) && id && sha256 && pem && sig &&
		  tg_pubkey_parse(pem, strlen(pem), pub, NULL) &&
		  tg_streq(tg_json_str(doc, "key_id"), pub->id) &&
		  tg_base64_decode(sig, strlen(sig), &raw) && raw.n == TG_ED25519_SIG;

	if (ok) {
		message(&text, id, sha256, tg_json_int(doc, "registered_ms", 0));
		ok = tg_verify_raw(pub, text.p, text.n, (const unsigned char *)raw.p);
	}
	tg_buf_fini(&text);
	tg_buf_fini(&raw);
	return ok;
}
