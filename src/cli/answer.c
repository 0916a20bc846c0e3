/* tgmon answer: a person opens a row of the launch gate. */
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/json.h"
#include "core/run/watch.h"
#include "core/runner/gate.h"

struct answer_opts {
	double usd;
	bool usd_set;
};

static const struct tg_opt options[] = {
	{ "usd", "USD", "row budget: the new budget (without it: none)", TG_OPT_NUM,
	  offsetof(struct answer_opts, usd), offsetof(struct answer_opts, usd_set) },
	{ 0 },
};

/* The row must be one that an answer opens, and the one that is closed. */
static bool check_row(const char *dir, const char *row, struct tg_err *err)
{
	const struct tg_gate_row *known = tg_gate_find(row);
	struct tg_watch *w;
	const struct tg_gate_state *g;
	bool ok;

	if (!known || !known->answerable)
		return tg_fail(err, TG_E_INPUT, "%s is no row that an answer opens: runner, launch, budget, key, "
			       "cause, rate-limit, canary", row);
	w = tg_watch_open(dir, err);
	if (!w)
		return false;
	g = &tg_watch_run(w)->gate;
	ok = !g->open && tg_streq(g->row, row);
	if (!ok)
		tg_fail(err, TG_E_INPUT, "the launch gate is not closed by %s: %s%s", row,
			g->open ? "it is open" : "it is closed by ", g->open ? "" : g->row);
	tg_watch_close(w);
	return ok;
}

static int answer(const void *given, const struct tg_args *args)
{
	const struct answer_opts *o = given;
	struct tg_err err = { 0 };
	char *dir = tg_cli_run_dir(args->pos[0], false, &err), *said;
	struct cJSON *a;
	int code;

	if (!dir || !check_row(dir, args->pos[1], &err)) {
		free(dir);
		return tg_cli_fail(&err);
	}
	a = tg_json_object();
	tg_json_set_str(a, "row", args->pos[1]);
	if (o->usd_set)
		tg_json_set_float(a, "usd", o->usd);
	said = tg_asprintf("%s: answered; what else closes the gate shows in tgmon status %s", args->pos[1],
			   args->pos[0]);
	code = tg_cli_post(dir, "answer", a, true, said);
	free(said);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_answer = {
	.name = "answer", .group = "launch", .args = "RUN ROW [--usd USD]",
	.summary = "open a row of the launch gate, once its cause was mended",
	.opts = options, .opts_size = sizeof(struct answer_opts), .run = answer, .min_args = 2, .max_args = 2,
	.more = "tgmon status RUN names the row that is closed, since when, and what reopens it.\n"
		"The answer is on the record; it counts for what ended until then, not for what comes.",
};
