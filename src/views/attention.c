#include "views/attention.h"

#include <stdio.h>
#include <string.h>

#include "views/show.h"

/* Each finds its need or leaves out->need alone. In the table's order the first is shown. */
typedef bool (*finder)(struct tg_attention *out, const struct tg_data *d, bool read_only);

static bool find_resume(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	size_t left = d->counts.total - d->counts.by_state[TG_ST_DONE] -
		      d->counts.by_state[TG_ST_CANCELLED];
	if (!d->state || strcmp(d->state, "interrupted") != 0)
		return false;
	out->need = TG_NEED_RESUME;
	out->role = TG_ROLE_ALARM;
	snprintf(out->text, sizeof out->text, "Interrupted: no runner is at work, %zu of %zu left",
		 left, d->counts.total);
	snprintf(out->key, sizeof out->key, "%s", read_only ? "" : "r resumes, nothing is lost");
	return true;
}

static bool find_gate(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	const struct tg_gate_state *g = &d->run->gate;
	char t[TG_SHOW], c[TG_SHOW];
	if (!g->row || g->open || d->run->done_ms)
		return false;
	out->need = TG_NEED_GATE;
	out->role = TG_ROLE_NOTICE;
	snprintf(out->text, sizeof out->text,
		 "Launching paused by %s since %s (%s): %s; reopens: %s", g->row,
		 tg_show_clock(g->since_ms, c),
		 tg_show_duration((d->now_ms - g->since_ms) / 1000, t), g->text ? g->text : "",
		 g->reopens ? g->reopens : "by itself");
	snprintf(out->key, sizeof out->key, "%s", d->run->paused && !read_only ? "p resumes" : "");
	return true;
}

static bool find_veto(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	(void)read_only;
	size_t n = d->counts.by_decision[TG_DEC_VETO];
	for (size_t i = 0; n && i < d->run->inst_n; i++) {
		const struct tg_attempt *att = tg_show_attempt(d, i);
		if (!att || att->decision != TG_DEC_VETO)
			continue;
		out->need = TG_NEED_VETO;
		out->role = TG_ROLE_ALARM;
		out->instance = (int)i;
		snprintf(out->text, sizeof out->text, "%zu VETO: %s %s", n, d->run->inst[i].id,
			 tg_show_reason(att));
		snprintf(out->key, sizeof out->key, "! why");
		return true;
	}
	return false;
}

static bool find_unreadable(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	(void)read_only;
	for (size_t i = 0; i < d->run->inst_n; i++) {
		if (!tg_data_is_active(d, i) || !d->row[i].live.unreadable)
			continue;
		out->need = TG_NEED_UNREADABLE;
		out->role = TG_ROLE_NOTICE;
		out->instance = (int)i;
		snprintf(out->text, sizeof out->text, "%s: its live files cannot be read",
			 d->run->inst[i].id);
		snprintf(out->key, sizeof out->key, "! its log");
		return true;
	}
	return false;
}

static bool find_silent(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	(void)read_only;
	size_t n = 0, worst = 0;
	char t[TG_SHOW];
	for (size_t i = 0; i < d->run->inst_n; i++)
		if (tg_data_is_silent(d, i)) {
			worst = n++ == 0 || d->row[i].idle_s > d->row[worst].idle_s ? i : worst;
		}
	if (n == 0)
		return false;
	out->need = TG_NEED_SILENT;
	out->role = TG_ROLE_NOTICE;
	out->instance = (int)worst;
	snprintf(out->text, sizeof out->text, "%zu silent: %s for %s", n, d->run->inst[worst].id,
		 tg_show_duration(d->row[worst].idle_s, t));
	snprintf(out->key, sizeof out->key, "! its log");
	return true;
}

static bool find_failed(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	for (size_t i = 0; d->counts.failed && i < d->run->inst_n; i++) {
		if (!tg_instance_failed(&d->run->inst[i]))
			continue;
		out->need = TG_NEED_FAILED;
		out->role = TG_ROLE_NOTICE;
		out->instance = (int)i;
		snprintf(out->text, sizeof out->text, "%zu without a usable patch",
			 d->counts.failed);
		snprintf(out->key, sizeof out->key, "%s", read_only ? "! why" : "R reruns, ! why");
		return true;
	}
	return false;
}

static void calm(struct tg_attention *out, const struct tg_data *d)
{
	if (d->run->gate_known && d->run->done_ms)
		snprintf(out->text, sizeof out->text, "Nothing needs you: done, gate %s%s",
			 d->run->gate_pass ? "PASS" : "FAIL",
			 d->run->withheld	 ? ", bundle withheld"
			 : d->run->bundle_sha256 ? ", bundle ready"
						 : "");
	else
		snprintf(out->text, sizeof out->text, "Nothing needs you");
}

void tg_attention_find(struct tg_attention *out, const struct tg_data *d, bool read_only)
{
	static const finder finders[] = { find_resume, find_gate,   find_veto,
					  find_unreadable, find_silent, find_failed };
	*out = (struct tg_attention){ .role = TG_ROLE_CALM, .instance = -1 };
	for (size_t i = 0; i < sizeof finders / sizeof finders[0]; i++) {
		struct tg_attention one = { .instance = -1 };
		if (!finders[i](&one, d, read_only))
			continue;
		if (out->need == TG_NEED_NOTHING)
			*out = one;
		else
			out->more++;
	}
	if (out->need == TG_NEED_NOTHING)
		calm(out, d);
}
