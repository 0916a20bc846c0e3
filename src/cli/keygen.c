/* tgmon keygen: the key that signs proofs. */
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/proof/sign.h"

struct keygen_opts {
	const char *output;
};

static const struct tg_opt opts[] = {
	{ "output", "FILE", "the private key (below $XDG_DATA_HOME/tgmon/keys)", TG_OPT_STR,
	  offsetof(struct keygen_opts, output), 0 },
	{ 0 },
};

static int run(const void *given, const struct tg_args *args)
{
	const struct keygen_opts *o = given;
	char *path = o->output ? tg_path_abs(o->output) : tg_key_default_path();
	struct tg_pubkey pub;
	struct tg_err err = { 0 };
	int code = 0;

	(void)args;
	if (tg_key_make(path, &pub, &err))
		printf("private key  %s\nfingerprint  %s\n", path, pub.id);
	else
		code = tg_cli_fail(&err);
	free(path);
	return code;
}

const struct tg_command tg_cmd_keygen = {
	.name = "keygen", .group = "prove", .args = "[--output FILE]",
	.summary = "make the Ed25519 key that signs proofs",
	.opts = opts, .opts_size = sizeof(struct keygen_opts), .run = run, .max_args = 0,
	.more = "The public key lies beside it as *.pub.pem. Read the fingerprint to whoever\n"
		"verifies: trust comes only from the key they were given, never from the one\n"
		"in the bundle.",
};
