/* tgmon verify RUN|BUNDLE.tgz: each check by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/proof/inclusion.h"
#include "core/proof/sign.h"
#include "core/proof/verify.h"

struct verify_opts {
	const char *key;
	bool json;
};

static const struct tg_opt opts[] = {
	{ "key", "PUB", "the public key you trust: a file (PEM, OpenSSH, minisign), or its 64-digit id",
	  TG_OPT_STR, offsetof(struct verify_opts, key), 0 },
	{ "json", NULL, "one object: ok, failed[], checks[]", TG_OPT_FLAG, offsetof(struct verify_opts, json), 0 },
	{ 0 },
};

static void print_text(const struct tg_verify *v, const char *path)
{
	for (size_t i = 0; i < v->n; i++) {
		const char *detail = v->v[i].detail ? v->v[i].detail : "";
		char *line = tg_text_line(detail, strlen(detail), 400);

		printf("%-14s %-12s %s\n", tg_check_state_name(v->v[i].state), v->v[i].name, line);
		free(line);
	}
	if (v->failed)
		printf("%s: NOT VALID, %zu check%s failed\n", path, v->failed, v->failed == 1 ? "" : "s");
	else
		printf("%s: valid; every check that could be made holds\n", path);
}

static void print_json(const struct tg_verify *v)
{
	struct cJSON *j = tg_verify_json(v);
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(j, TG_JSON_PY_INDENT2, &b);
	puts(tg_buf_cstr(&b));
	tg_buf_fini(&b);
	tg_json_free(j);
}

static bool trusted(const char *key, struct tg_pubkey *pub, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	bool ok = true;

	if (tg_is_sha256_hex(key))
		snprintf(pub->id, sizeof pub->id, "%s", key);
	else
		ok = tg_file_read(key, 16384, &b, err) &&
		     tg_pubkey_parse(tg_buf_cstr(&b), b.n, pub, err);
	tg_buf_fini(&b);
	return ok;
}

static int run(const void *given, const struct tg_args *args)
{
	const struct verify_opts *o = given;
	struct tg_verify v = { 0 };
	struct tg_err err = { 0 };
	struct tg_pubkey pub = { .id = "" };
	char *path = tg_path_abs(args->pos[0]);
	int code;

	if (!tg_file_exists(path)) {
		tg_fail(&err, TG_E_INPUT, "%s does not exist", path);
		code = tg_cli_fail(&err);
	} else if (o->key && !trusted(o->key, &pub, &err)) {
		code = tg_cli_fail(&err);
	} else if (!(tg_inclusion_is(path) ? tg_inclusion_verify : tg_proof_verify)(
			   path, o->key ? pub.id : NULL, &v, &err)) {
		code = tg_cli_fail(&err);
	} else {
		if (o->json)
			print_json(&v);
		else
			print_text(&v, args->pos[0]);
		code = v.failed ? TG_E_VERDICT : 0;
	}
	tg_verify_fini(&v);
	free(path);
	return code;
}

const struct tg_command tg_cmd_verify = {
	.name = "verify", .group = "prove", .args = "RUN|BUNDLE.tgz|PROOF.json [--key PUB] [--json]",
	.summary = "check a proof against its manifest, offline; exit 1 when it does not hold",
	.opts = opts, .opts_size = sizeof(struct verify_opts), .run = run, .min_args = 1, .max_args = 1,
};
