#include "views/show.h"
#include "core/lib/buf.h"

#include <stdio.h>

#include "core/lib/clock.h"

const char *tg_show_duration(int64_t s, char out[TG_SHOW])
{
	if (s < 0)
		snprintf(out, TG_SHOW, "-");
	else if (s < 60)
		snprintf(out, TG_SHOW, "%ds", (int)s);
	else if (s < 3600)
		snprintf(out, TG_SHOW, "%dm%02ds", (int)(s / 60), (int)(s % 60));
	else if (s < 86400)
		snprintf(out, TG_SHOW, "%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
	else
		snprintf(out, TG_SHOW, "%lldd%02dh", (long long)(s / 86400), (int)(s / 3600 % 24));
	return out;
}

const char *tg_show_bytes(int64_t n, char out[TG_SHOW])
{
	static const char unit[] = { 'k', 'M', 'G' };
	double v = (double)n;
	int u = -1;
	if (n < 0) {
		snprintf(out, TG_SHOW, "-");
		return out;
	}
	while (v >= 999.5 && u < 2) {
		v /= 1000;
		u++;
	}
	if (u < 0)
		snprintf(out, TG_SHOW, "%lld", (long long)n);
	else
		snprintf(out, TG_SHOW, v < 9.95 ? "%.1f%c" : "%.0f%c", v, unit[u]);
	return out;
}

const char *tg_show_cost(double usd, char out[TG_SHOW])
{
	if (usd < 0)
		snprintf(out, TG_SHOW, "-");
	else
		snprintf(out, TG_SHOW, "$%.2f", usd);
	return out;
}

const char *tg_show_clock(int64_t wall_ms, char out[TG_SHOW])
{
	tg_strftime_utc(wall_ms, "%H:%M UTC", out, TG_SHOW);
	return out;
}

enum tg_role tg_role_of_state(const struct tg_data *d, size_t i)
{
	static const enum tg_role role[TG_ST_COUNT] = {
		[TG_ST_QUEUED] = TG_ROLE_ST_QUEUED,     [TG_ST_STARTING] = TG_ROLE_ST_RUNNING,
		[TG_ST_RUNNING] = TG_ROLE_ST_RUNNING,   [TG_ST_STOPPING] = TG_ROLE_ST_WARN,
		[TG_ST_ORPHAN] = TG_ROLE_ST_WARN,       [TG_ST_EXTRACT] = TG_ROLE_ST_STAGE,
		[TG_ST_TRIAGE] = TG_ROLE_ST_STAGE,      [TG_ST_SCAN] = TG_ROLE_ST_STAGE,
		[TG_ST_EVALUATE] = TG_ROLE_ST_STAGE,    [TG_ST_GOVERN] = TG_ROLE_ST_STAGE,
		[TG_ST_DONE] = TG_ROLE_ST_DONE,         [TG_ST_CANCELLED] = TG_ROLE_ST_CANCELLED,
	};
	enum tg_state st = tg_instance_state(&d->run->inst[i]);
	if (st == TG_ST_DONE && tg_instance_failed(&d->run->inst[i]))
		return TG_ROLE_ST_FAILED;
	if (tg_data_is_active(d, i) && (tg_data_is_silent(d, i) || d->row[i].live.unreadable))
		return TG_ROLE_ST_WARN;
	return role[st];
}

enum tg_role tg_role_of_decision(enum tg_decision v)
{
	static const enum tg_role role[TG_DEC_COUNT] = {
		[TG_DEC_NONE] = TG_ROLE_DIM, [TG_DEC_OK] = TG_ROLE_V_OK,
		[TG_DEC_ABSTAIN] = TG_ROLE_V_ABSTAIN, [TG_DEC_VETO] = TG_ROLE_V_VETO,
	};
	return role[v];
}

enum tg_role tg_role_of_eval(enum tg_eval_status v)
{
	return v == TG_EV_RESOLVED ? TG_ROLE_EV_GOOD
	       : v == TG_EV_NONE || v == TG_EV_NOT_RUN ? TG_ROLE_EV_NONE : TG_ROLE_EV_BAD;
}

enum tg_role tg_role_of_class(enum tg_patch_class v)
{
	return v == TG_PC_NONE ? TG_ROLE_DIM : tg_patch_usable(v) ? TG_ROLE_TEXT : TG_ROLE_ST_FAILED;
}

const struct tg_attempt *tg_show_attempt(const struct tg_data *d, size_t i)
{
	return tg_instance_counted(&d->run->inst[i]);
}

/* The code that a veto is about says more than the reference's word for it. */
static const char *blocking_code(const struct tg_attempt *att)
{
	for (size_t i = 0; i < att->violation_n; i++)
		if (tg_streq(att->violation[i].severity, "high"))
			return att->violation[i].code;
	return att->decision_reason;
}

const char *tg_show_reason(const struct tg_attempt *att)
{
	if (att->decision == TG_DEC_VETO && blocking_code(att))
		return blocking_code(att);
	if (att->patch_class != TG_PC_NONE && !tg_patch_usable(att->patch_class) && att->patch_reason)
		return att->patch_reason;
	if (att->eval != TG_EV_RESOLVED && att->eval_reason)
		return att->eval_reason;
	if (att->exit_status)
		return att->exit_status;
	if (att->outcome != TG_OUT_NONE)
		return tg_outcome_name(att->outcome);
	return att->end_why ? att->end_why : "";
}

static void doing_active(const struct tg_data *d, size_t i, char *out, size_t cap)
{
	const struct tg_data_row *row = &d->row[i];
	char t[TG_SHOW];
	if (row->live.unreadable)
		snprintf(out, cap, "its files cannot be read");
	else if (tg_data_is_silent(d, i))
		snprintf(out, cap, "silent %s: %s", tg_show_duration(row->idle_s, t), row->live.doing);
	else if (row->live.doing[0])
		snprintf(out, cap, "%s", row->live.doing);
	else
		snprintf(out, cap, "no step yet");
}

static void doing_stage(const struct tg_data *d, size_t i, char *out, size_t cap)
{
	const struct tg_attempt *att = tg_instance_latest(&d->run->inst[i]);
	char t[TG_SHOW];
	out[0] = '\0';
	for (int s = TG_STAGE_EXTRACT; att && s < TG_STAGE_ATTEMPT_COUNT; s++) {
		size_t n = 0;
		while (out[n])
			n++;
		if (att->stage[s].state != TG_JOB_ACTIVE)
			continue;
		if (s == TG_STAGE_EVALUATE && d->row[i].live.known && d->row[i].live.doing[0])
			snprintf(out + n, cap - n, "%s%s", n ? ", " : "", d->row[i].live.doing);
		else
			snprintf(out + n, cap - n, "%s%s %s", n ? ", " : "", tg_stage_name((enum tg_stage)s),
				 tg_show_duration((d->now_ms - att->stage[s].begin_ms) / 1000, t));
	}
	if (!out[0])
		snprintf(out, cap, "waits for its turn");
}

void tg_show_doing(const struct tg_data *d, size_t i, char *out, size_t cap)
{
	const struct tg_instance *in = &d->run->inst[i];
	const struct tg_attempt *att = tg_show_attempt(d, i);
	char t[TG_SHOW];
	switch (tg_instance_state(in)) {
	case TG_ST_QUEUED:
		if (in->not_before_ms > d->now_ms)
			snprintf(out, cap, "%s in %s", in->queue_why ? in->queue_why : "retry",
				 tg_show_duration((in->not_before_ms - d->now_ms + 999) / 1000, t));
		else if (in->queue_why && in->att_n)
			snprintf(out, cap, "waits: %s", in->queue_why);
		else
			snprintf(out, cap, "waits");
		break;
	case TG_ST_STARTING: snprintf(out, cap, "starts"); break;
	case TG_ST_RUNNING:
	case TG_ST_STOPPING:
	case TG_ST_ORPHAN: doing_active(d, i, out, cap); break;
	case TG_ST_DONE: snprintf(out, cap, "%s", att ? tg_show_reason(att) : ""); break;
	case TG_ST_CANCELLED: snprintf(out, cap, "cancelled"); break;
	default: doing_stage(d, i, out, cap); break;
	}
}
