#include "views/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/clock.h"
#include "core/lib/text.h"
#include "views/show.h"

static void put(struct tg_patch_facts *f, const char *label, enum tg_role role, const char *fmt,
		...) TG_PRINTF(4, 5);

static void put(struct tg_patch_facts *f, const char *label, enum tg_role role, const char *fmt,
		...)
{
	struct tg_buf b = TG_BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	tg_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	TG_GROW(f->v, f->n, f->cap);
	/* One line, safe, before it is measured and wrapped. */
	f->v[f->n++] = (struct tg_fact){ tg_strdup(label), tg_text_line(tg_buf_cstr(&b), b.n, 8192),
					 role };
	tg_buf_fini(&b);
}

void tg_patch_facts_clear(struct tg_patch_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].label);
		free(f->v[i].text);
	}
	f->n = 0;
}

void tg_patch_facts_fini(struct tg_patch_facts *f)
{
	tg_patch_facts_clear(f);
	free(f->v);
	*f = (struct tg_patch_facts){ 0 };
}

static void put_verdict(struct tg_patch_facts *f, const struct tg_attempt *a)
{
	char cri[48] = "";
	if (a->decision == TG_DEC_NONE) {
		put(f, "verdict", TG_ROLE_DIM, "not judged yet");
		return;
	}
	if (a->cri >= 0)
		snprintf(cri, sizeof cri, ", CRI %.3f", a->cri);
	put(f, "verdict", tg_role_of_decision(a->decision), "%s: %s%s",
	    tg_decision_name(a->decision), a->decision_reason ? a->decision_reason : "", cri);
	if (a->evidence != TG_EL_NONE)
		put(f, "evidence", TG_ROLE_TEXT, "%s%s", tg_evidence_level_name(a->evidence),
		    a->evidence == TG_EL_IMPORTED ? " (taken from files that something else made)"
						  : " (carries this patch's sha256)");
}

static void put_patch(struct tg_patch_facts *f, const struct tg_attempt *a, bool brief)
{
	char size[TG_SHOW];
	if (a->patch_class == TG_PC_NONE) {
		put(f, "patch", TG_ROLE_DIM, "not triaged yet");
		return;
	}
	put(f, "patch", tg_role_of_class(a->patch_class), "%s, %s bytes%s%s",
	    tg_patch_class_name(a->patch_class), tg_show_bytes(a->patch_bytes, size),
	    a->rung ? ", applied by " : "", a->rung ? a->rung : "");
	if (a->patch_reason && a->patch_reason[0])
		put(f, "", TG_ROLE_TEXT, "%s", a->patch_reason);
	if (a->patch_remedy && a->patch_remedy[0])
		put(f, "remedy", TG_ROLE_STRONG, "%s", a->patch_remedy);
	for (size_t i = 0; i < a->flags_n && !brief; i++)
		put(f, i ? "" : "flags", TG_ROLE_TEXT, "%s", a->flags[i]);
	if (!brief && a->patch_sha256)
		put(f, "sha256", TG_ROLE_DIM, "%s", a->patch_sha256);
}

static void put_evaluation(struct tg_patch_facts *f, const struct tg_attempt *a)
{
	if (a->eval == TG_EV_NONE)
		put(f, "evaluation", TG_ROLE_DIM, "not evaluated yet");
	else
		put(f, "evaluation", tg_role_of_eval(a->eval), "%s%s%s",
		    tg_eval_status_name(a->eval), a->eval_reason && a->eval_reason[0] ? ": " : "",
		    a->eval_reason ? a->eval_reason : "");
}

static void put_scan(struct tg_patch_facts *f, const struct tg_attempt *a)
{
	if (a->scan == TG_SC_NONE) {
		put(f, "scan", TG_ROLE_DIM, "not scanned yet");
		return;
	}
	if (a->scan == TG_SC_OK || a->violation_n)
		put(f, "scan", a->scan == TG_SC_OK ? TG_ROLE_TEXT : TG_ROLE_ST_WARN,
		    "%s%s%s, %zu new violation%s", tg_scan_status_name(a->scan),
		    a->scan_reason ? ": " : "", a->scan_reason ? a->scan_reason : "", a->violation_n,
		    a->violation_n == 1 ? "" : "s");
	else /* what was not scanned is unknown, not none */
		put(f, "scan", TG_ROLE_ST_WARN, "%s%s%s", tg_scan_status_name(a->scan),
		    a->scan_reason ? ": " : "", a->scan_reason ? a->scan_reason : "");
	for (size_t i = 0; i < a->violation_n; i++)
		put(f, "", TG_ROLE_V_VETO, "%s (%s)",
		    a->violation[i].code ? a->violation[i].code : "?",
		    a->violation[i].severity ? a->violation[i].severity : "?");
}

static void put_agent(struct tg_patch_facts *f, const struct tg_attempt *a, bool brief)
{
	char took[TG_SHOW], cost[TG_SHOW], steps[32];
	if (!a->ended)
		return;
	snprintf(steps, sizeof steps, a->steps < 0 ? "steps unknown" : "%lld steps",
		 (long long)a->steps);
	put(f, "agent", a->outcome == TG_OUT_DONE ? TG_ROLE_TEXT : TG_ROLE_ST_FAILED,
	    "%s%s%s, %s, %s%s, %s", a->exit_status ? a->exit_status : "no exit status",
	    a->outcome ? ", outcome " : "", a->outcome ? tg_outcome_name(a->outcome) : "", steps,
	    a->cost_lower_bound ? "at least " : "",
	    a->cost_usd < 0 ? "cost unknown" : tg_show_cost(a->cost_usd, cost),
	    a->start_ms && a->end_ms ? tg_show_duration((a->end_ms - a->start_ms) / 1000, took)
				     : "time unknown");
	if (a->no_trajectory)
		put(f, "", TG_ROLE_ST_WARN, "left no trajectory: %s",
		    a->no_trajectory_why ? a->no_trajectory_why : "");
	if (a->kill_reason)
		put(f, "", TG_ROLE_ST_WARN, "ended by us: %s", a->kill_reason);
	if (!brief && a->model_answered)
		put(f, "model", TG_ROLE_TEXT, "%s", a->model_answered);
}

static const char *attempt_note(const struct tg_instance *in, const struct tg_attempt *a)
{
	if (a == tg_instance_counted(in))
		return "counts";
	return a->ended ? "kept beside, does not count" : "under way";
}

static void put_attempts(struct tg_patch_facts *f, const struct tg_instance *in,
			 const struct tg_attempt *shown)
{
	for (size_t i = 0; i < in->att_n; i++) {
		const struct tg_attempt *a = &in->att[i];
		put(f, i ? "" : "attempts", a == shown ? TG_ROLE_STRONG : TG_ROLE_TEXT,
		    "%d (%s): %s%s%s%s%s, %s", a->n, a->why ? a->why : "first",
		    a->ended ? tg_outcome_name(a->outcome) ? tg_outcome_name(a->outcome) : "ended"
			     : "runs",
		    a->patch_class ? ", patch " : "",
		    a->patch_class ? tg_patch_class_name(a->patch_class) : "", a->eval ? ", " : "",
		    a->eval ? tg_eval_status_name(a->eval) : "", attempt_note(in, a));
	}
}

static void put_stages(struct tg_patch_facts *f, const struct tg_attempt *a)
{
	static const char *const word[] = { "", "at work", "ok", "failed" };
	bool first = true;
	for (int s = TG_STAGE_EXTRACT; s < TG_STAGE_ATTEMPT_COUNT; s++) {
		const struct tg_stage_mark *m = &a->stage[s];
		char took[TG_SHOW] = "";
		if (m->state == TG_JOB_NONE)
			continue;
		if (m->end_ms >= m->begin_ms && m->end_ms)
			tg_show_duration((m->end_ms - m->begin_ms) / 1000, took);
		put(f, first ? "stages" : "",
		    m->state == TG_JOB_FAILED ? TG_ROLE_ST_FAILED : TG_ROLE_TEXT, "%s %s %s%s%s",
		    tg_stage_name((enum tg_stage)s), word[m->state], took, m->error ? ": " : "",
		    m->error ? m->error : "");
		first = false;
	}
}

void tg_patch_facts_make(struct tg_patch_facts *f, const struct tg_data *d, size_t i,
			 const struct tg_attempt *att, bool brief)
{
	const struct tg_instance *in = &d->run->inst[i];
	char doing[256], idle[TG_SHOW];
	tg_patch_facts_clear(f);
	enum tg_state st = tg_instance_state(in);
	if (st != TG_ST_DONE) {
		tg_show_doing(d, i, doing, sizeof doing);
		put(f, "now", tg_role_of_state(d, i), "%s: %s", tg_state_name(st), doing);
		if (tg_data_is_active(d, i))
			put(f, "last sign", TG_ROLE_TEXT, "%s ago",
			    tg_show_duration(d->row[i].idle_s, idle));
	}
	if (att) {
		put_verdict(f, att);
		put_patch(f, att, brief);
		put_evaluation(f, att);
		put_scan(f, att);
		put_agent(f, att, brief);
	} else {
		put(f, "attempts", TG_ROLE_DIM, "none yet");
	}
	if (!brief || in->att_n > 1)
		put_attempts(f, in, att);
	if (!brief && att)
		put_stages(f, att);
}

void tg_fact_draw(const struct tg_fact *fact, struct tg_canvas *cv, struct tg_rect r, int skip)
{
	int label = r.w > 40 ? TG_FACT_LABEL : 0;
	if (label)
		tg_canvas_put(cv, TG_AT(r.y, r.x, label - 1, TG_ROLE_LABEL), fact->label);
	struct tg_at at = TG_AT(r.y, r.x + label, r.w - label, fact->role);
	at.skip = skip;
	tg_canvas_put(cv, at, fact->text);
}

/* Where a text of safe characters breaks so that at most w columns stand on the line. */
static size_t break_at(const char *s, size_t n, int w)
{
	size_t fits = n;
	while (fits > 1 && tg_text_columns(s, fits, false) > w) {
		fits -= fits > (size_t)w * 4 ? fits / 2 : 1;
		while (fits > 1 && ((unsigned char)s[fits] & 0xc0) == 0x80)
			fits--;
	}
	if (fits == n)
		return n;
	for (size_t k = fits; k > fits / 2; k--)
		if (s[k] == ' ')
			return k;
	return fits;
}

void tg_patch_facts_wrap(struct tg_patch_facts *f, int w)
{
	w = w > 8 ? w : 8;
	for (size_t i = 0; i < f->n; i++) {
		char *text = f->v[i].text;
		size_t n = strlen(text), cut = break_at(text, n, w);
		if (cut >= n)
			continue;
		TG_GROW(f->v, f->n, f->cap);
		memmove(&f->v[i + 2], &f->v[i + 1], (f->n - i - 1) * sizeof *f->v);
		f->n++;
		f->v[i + 1] =
			(struct tg_fact){ tg_strdup(""), tg_strdup(text + cut + (text[cut] == ' ')),
					  f->v[i].role };
		text[cut] = '\0';
	}
}
