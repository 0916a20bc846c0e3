/* tgmon gate: judge the governed rows again, now; exit 1 on FAIL. */
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "core/govern/gate.h"
#include "core/lib/file.h"
#include "core/run/publish.h"
#include "core/run/layout.h"
#include "core/run/spec.h"

#define ROWS "recomputed_governed_v2_agentic.jsonl"

static bool judge(const char *dir, struct tg_gate *gate, struct tg_err *err)
{
	char *path = tg_published_path(dir, ROWS);
	struct tg_spec spec = { 0 };
	struct tg_gate_in in = { .shown = ROWS };
	struct tg_buf rows = TG_BUF_INIT;
	bool ok = true;

	if (tg_layout_kind(dir) == TG_DIR_OURS && (ok = tg_spec_load(&spec, dir, NULL, err))) {
		in.expected = (const char *const *)spec.expected;
		in.expected_n = spec.expected_n;
	}
	if (ok && tg_file_exists(path)) {
		ok = tg_file_read(path, 0, &rows, err);
		in.rows = tg_buf_cstr(&rows);
		in.n = rows.n;
	}
	if (ok)
		tg_gate_judge(&in, gate);
	tg_buf_fini(&rows);
	tg_spec_fini(&spec);
	free(path);
	return ok;
}

static int run(const void *given, const struct tg_args *args)
{
	struct tg_err err = { 0 };
	struct tg_gate gate = { .pass = false };
	char *dir = tg_cli_run_dir(args->pos[0], true, &err);
	int code;

	(void)given;
	if (!dir || !judge(dir, &gate, &err))
		code = tg_cli_fail(&err);
	else {
		fwrite(gate.text.p, 1, gate.text.n, stdout);
		code = gate.pass ? 0 : TG_E_VERDICT;
	}
	tg_gate_fini(&gate);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_gate = {
	.name = "gate", .group = "prove", .args = "RUN", .summary = "PASS or FAIL over the governed rows",
	.run = run, .min_args = 1, .max_args = 1,
};
