#include <stdlib.h>
#include <string.h>
#include "core/evidence/report.h"
#include "core/lib/clock.h"
#include "core/lib/text.h"

/* A cell of a Markdown table: safe, one line, pipes escaped. */
static void cell(struct tg_buf *out, const char *text)
{
	char *line = tg_text_line(text ? text : "", text ? strlen(text) : 0, 160);

	for (const char *p = line; *p; p++) {
		if (strchr("|\\`*_<>[]", *p))
			tg_buf_addc(out, '\\');
		tg_buf_addc(out, *p);
	}
	free(line);
}

static double percent(size_t part, size_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void figures(const struct tg_watch *w, const struct tg_counts *c, struct tg_buf *out)
{
	const struct tg_run *run = tg_watch_run(w);
	struct tg_artifact a[TG_ARTIFACTS];
	int present = 0;

	tg_artifacts(run, a);
	for (int i = 0; i < TG_ARTIFACTS; i++)
		present += a[i].present;
	tg_buf_adds(out, "## Four figures\n\n| figure | value |\n|---|---|\n");
	tg_buf_addf(out,
		    "| Resolved (of all instances, counted attempts) | %zu / %zu = %.1f %% |\n",
		    c->resolved, c->total, percent(c->resolved, c->total));
	tg_buf_addf(out, "| Governance | OK %zu, ABSTAIN %zu, VETO %zu |\n",
		    c->by_decision[TG_DEC_OK], c->by_decision[TG_DEC_ABSTAIN],
		    c->by_decision[TG_DEC_VETO]);
	tg_buf_addf(out, "| New security violations | %zu |\n", c->new_violations);
	tg_buf_addf(out, "| Artefacts complete | %d / %d%s |\n\n", present, TG_ARTIFACTS,
		    tg_run_is_complete(run, a) ? "" : " (the run is not complete)");
	if (c->resolved_latest != c->resolved || c->resolved_best != c->resolved)
		tg_buf_addf(out,
			    "Beside the headline, never instead: resolved in the latest attempt "
			    "%zu, in the "
			    "best of all attempts %zu (%zu attempts).\n\n",
			    c->resolved_latest, c->resolved_best, c->attempts);
	for (int i = 0; i < TG_ARTIFACTS; i++)
		tg_buf_addf(out, "- %s %s (%lld)\n", a[i].present ? "present" : "MISSING",
			    a[i].name, (long long)a[i].count);
}

static void instances(const struct tg_run *run, struct tg_buf *out)
{
	tg_buf_adds(out, "\n## Instances\n\n| instance | attempts | outcome | patch | evaluation | "
			 "new violations | "
			 "verdict | reason |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < run->inst_n; i++) {
		const struct tg_instance *in = &run->inst[i];
		const struct tg_attempt *a = tg_instance_counted(in);
		struct tg_buf codes = TG_BUF_INIT;

		for (size_t k = 0; a && k < a->violation_n; k++)
			tg_buf_addf(&codes, "%s%s", k ? ", " : "", a->violation[k].code);
		tg_buf_adds(out, "| ");
		cell(out, in->id);
		tg_buf_addf(out, " | %zu | ", in->att_n);
		cell(out, a ? tg_outcome_name(a->outcome) : NULL);
		tg_buf_adds(out, " | ");
		cell(out, a ? tg_patch_class_name(a->patch_class) : NULL);
		tg_buf_adds(out, " | ");
		cell(out, a ? tg_eval_status_name(a->eval) : NULL);
		tg_buf_adds(out, " | ");
		cell(out, tg_buf_cstr(&codes));
		tg_buf_adds(out, " | ");
		cell(out, a ? tg_decision_name(a->decision) : NULL);
		tg_buf_adds(out, " | ");
		cell(out, a ? a->decision_reason : NULL);
		tg_buf_adds(out, " |\n");
		tg_buf_fini(&codes);
	}
}

void tg_report_md(const struct tg_watch *w, struct tg_buf *out)
{
	const struct tg_run *run = tg_watch_run(w);
	const struct tg_spec *spec = tg_watch_spec(w);
	struct tg_counts c;
	bool lower;
	double cost = tg_watch_run_cost(w, &lower);

	tg_run_count(run, &c);
	tg_buf_adds(out, "# ");
	cell(out, run->run_id ? run->run_id : "run");
	tg_buf_adds(out, "\n\n");
	if (!tg_run_all_judged(run) || run->stale)
		tg_buf_addf(out, "**INTERIM**: %zu of %zu instances are judged%s.\n\n",
			    c.by_state[TG_ST_DONE], c.total,
			    run->stale ? ", and gate, manifest and bundle are stale" : "");
	if (spec) {
		tg_buf_adds(out, "Model ");
		cell(out, spec->model_id);
		tg_buf_addf(out, ", agent %s, evaluator %s, slice ", spec->agent, spec->evaluator);
		cell(out, spec->slice && *spec->slice ? spec->slice : "all");
		tg_buf_addf(out, ", selection %s. ", spec->selection);
	}
	tg_buf_addf(out, "Cost %s%.2f USD.\n\n", lower ? "at least " : "", cost);
	figures(w, &c, out);
	instances(run, out);
	tg_buf_adds(out, "\n## Limits of what this shows\n\nResolved is what the evaluator "
			 "reported on these "
			 "instances in this one run; a repeat can differ. Verdicts hold for the "
			 "findings that the "
			 "rules in force can see. Who ran it, and that the model was the one "
			 "named, is not proven "
			 "by these files.\n");
	if (run->config_digests > 1)
		tg_buf_addf(
			out,
			"\nAttempts ran with %d different agent configs; the amendments are in the "
			"journal.\n",
			run->config_digests);
}
