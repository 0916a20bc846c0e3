/* tgmon status: the run's state once, as text or JSON. Writes nothing into the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/watch.h"

struct status_opts {
	bool json;
};

static const struct tg_opt opts[] = {
	{ "json", NULL, "one object, schema tgmon.status.v1", TG_OPT_FLAG, offsetof(struct status_opts, json), 0 },
	{ 0 },
};

static void print_json(const struct tg_watch *w)
{
	struct cJSON *v = tg_status_json(w);
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(v, TG_JSON_PY_INDENT2, &b);
	puts(tg_buf_cstr(&b));
	tg_buf_fini(&b);
	tg_json_free(v);
}

static void print_gate(const struct tg_gate_state *g)
{
	char since[TG_ISO_LEN];

	tg_iso_utc(g->since_ms, since);
	printf("launch gate closed by %s since %s: %s; reopens: %s\n", g->row, since, g->text ? g->text : "",
	       g->reopens ? g->reopens : "");
}

static void print_header(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	struct tg_artifact a[TG_ARTIFACTS];
	struct tg_counts c;
	bool lower;
	double cost = tg_watch_run_cost(w, &lower);

	tg_run_count(run, &c);
	tg_artifacts(run, a);
	printf("%s: %s\n", run->dir, tg_watch_run_state(w));
	if (run->gate.row && !run->gate.open)
		print_gate(&run->gate);
	printf("%zu instances, %zu judged, %zu resolved (latest %zu, best %zu); OK %zu, ABSTAIN %zu, VETO %zu; "
	       "failed %zu\n", c.total, c.by_state[TG_ST_DONE], c.resolved, c.resolved_latest,
	       c.resolved_best, c.by_decision[TG_DEC_OK], c.by_decision[TG_DEC_ABSTAIN],
	       c.by_decision[TG_DEC_VETO], c.failed);
	printf("cost %s%.2f USD; artefacts", lower ? ">= " : "", cost);
	for (int i = 0; i < TG_ARTIFACTS; i++)
		if (!a[i].present)
			printf(" -%s", a[i].name);
	puts(tg_run_is_complete(run, a) ? " complete" : run->stale ? " (stale)" : " (incomplete)");
}

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

static void print_rows(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);

	printf("%-36s %-9s %-9s %3s %7s %-18s %-18s %-8s %s\n", "instance", "state", "outcome", "att", "cost",
	       "patch", "evaluation", "verdict", "reason");
	for (size_t i = 0; i < run->inst_n; i++) {
		const struct tg_instance *in = &run->inst[i];
		const struct tg_attempt *a = tg_instance_counted(in);
		double cost = tg_watch_cost(w, i);
		char *id = tg_text_line(in->id, strlen(in->id), 64), money[16] = "-";

		if (cost >= 0)
			snprintf(money, sizeof money, "%.2f", cost);
		printf("%-36s %-9s %-9s %3zu %7s %-18s %-18s %-8s %s\n", id,
		       or_dash(tg_state_name(tg_instance_state(in))), or_dash(a ? tg_outcome_name(a->outcome) : NULL),
		       in->att_n, money, or_dash(a ? tg_patch_class_name(a->patch_class) : NULL),
		       or_dash(a ? tg_eval_status_name(a->eval) : NULL),
		       or_dash(a ? tg_decision_name(a->decision) : NULL),
		       or_dash(a ? a->decision_reason : NULL));
		free(id);
	}
}

static int run(const void *given, const struct tg_args *args)
{
	const struct status_opts *o = given;
	struct tg_err err = { 0 };
	char *dir = tg_cli_run_dir(args->pos[0], true, &err);
	struct tg_watch *w = dir ? tg_watch_open(dir, &err) : NULL;
	int code = 0;

	if (!w || !tg_watch_poll(w, NULL, &err))
		code = tg_cli_fail(&err);
	else if (o->json)
		print_json(w);
	else {
		print_header(w);
		print_rows(w);
	}
	tg_watch_close(w);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_status = {
	.name = "status", .group = "watch", .args = "RUN [--json]",
	.summary = "where a run stands, once",
	.opts = opts, .opts_size = sizeof(struct status_opts), .run = run, .min_args = 1, .max_args = 1,
};
