/* tgmon proof RUN --instance ID: one instance, without the rest. */
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/proof/inclusion.h"

struct proof_opts {
	const char *instance, *output;
};

static const struct tg_opt opts[] = {
	{ "instance", "ID", "the instance to show", TG_OPT_STR, offsetof(struct proof_opts, instance), 0 },
	{ "output", "DIR", "a new folder for it (<ID>.proof)", TG_OPT_STR, offsetof(struct proof_opts, output),
	  0 },
	{ 0 },
};

static int run(const void *given, const struct tg_args *args)
{
	const struct proof_opts *o = given;
	struct tg_err err = { 0 };
	char *dir = NULL, *run_dir, *name;
	int code = 0;

	if (!o->instance) {
		tg_fail(&err, TG_E_INPUT, "--instance ID is needed; see tgmon proof --help");
		return tg_cli_fail(&err);
	}
	run_dir = tg_cli_run_dir(args->pos[0], false, &err);
	name = o->output ? tg_strdup(o->output) : tg_asprintf("%s.proof", o->instance);
	dir = tg_path_abs(name);
	if (run_dir && tg_inclusion_write(run_dir, o->instance, dir, &err))
		printf("%s/proof.json\n", dir);
	else
		code = tg_cli_fail(&err);
	free(name);
	free(dir);
	free(run_dir);
	return code;
}

const struct tg_command tg_cmd_proof = {
	.name = "proof", .group = "prove", .args = "RUN --instance ID [--output DIR]",
	.summary = "show one instance without the rest: its files and their way to the signed root",
	.opts = opts, .opts_size = sizeof(struct proof_opts), .run = run, .min_args = 1, .max_args = 1,
	.more = "tgmon verify DIR/proof.json checks it.",
};
