#include "views/eta.h"

#include <math.h>

#define Z80 1.2816 /* 10% lie beyond on each side */

struct sums {
	double n, sum, sum2;
};

static void add(struct sums *s, double x)
{
	s->n++;
	s->sum += x;
	s->sum2 += x * x;
}

static double mean(const struct sums *s)
{
	return s->n > 0 ? s->sum / s->n : 0;
}

static double deviation(const struct sums *s)
{
	double var = s->n > 1 ? (s->sum2 - s->sum * s->sum / s->n) / (s->n - 1) : 0;
	return var > 0 ? sqrt(var) : 0;
}

static void sample(const struct tg_instance *in, struct sums *agent, struct sums *after)
{
	for (size_t a = 0; a < in->att_n; a++) {
		const struct tg_attempt *att = &in->att[a];
		if (!att->ended || att->imported || att->lost || att->end_ms <= att->start_ms)
			continue;
		add(agent, (double)(att->end_ms - att->start_ms) / 1000);
		int64_t judged = att->stage[TG_STAGE_GOVERN].end_ms;
		if (att->judged && judged >= att->end_ms)
			add(after, (double)(judged - att->end_ms) / 1000);
	}
}

void tg_eta_compute(struct tg_eta *eta, const struct tg_run *run, int workers, int64_t now_ms)
{
	struct sums agent = { 0 }, after = { 0 };
	double work = 0, jobs = 0, longest = 0;
	*eta = (struct tg_eta){ 0 };
	for (size_t i = 0; i < run->inst_n; i++)
		sample(&run->inst[i], &agent, &after);
	double m = mean(&agent), s = deviation(&agent);
	if (s < 0.2 * m)
		s = 0.2 * m; /* a few alike samples are luck */
	for (size_t i = 0; i < run->inst_n; i++) {
		enum tg_state st = tg_instance_state(&run->inst[i]);
		if (st == TG_ST_DONE || st == TG_ST_CANCELLED)
			continue;
		eta->left++;
		if (st >= TG_ST_EXTRACT)
			continue; /* only the pipeline is left */
		const struct tg_attempt *att = tg_instance_latest(&run->inst[i]);
		double spent =
			st != TG_ST_QUEUED && att ? (double)(now_ms - att->start_ms) / 1000 : 0;
		double rest = m - spent > s / 2 ? m - spent : s / 2;
		work += rest;
		jobs++;
		longest = rest > longest ? rest : longest;
	}
	eta->samples = (size_t)agent.n;
	if (eta->left == 0 || eta->samples < TG_ETA_SAMPLES)
		return;
	double w = workers > 0 && workers < jobs ? workers : jobs > 0 ? jobs : 1;
	double middle = work / w > longest ? work / w : longest;
	double spread = Z80 * s * sqrt(jobs + jobs * jobs / agent.n) / w;
	double tail = jobs > 0 && w > 1 ? Z80 * s : 0;
	double low = middle - spread, high = middle + spread + tail;
	eta->known = true;
	eta->low_s = (int64_t)((low > 0 ? low : 0) + mean(&after));
	eta->high_s = (int64_t)(high + 2 * mean(&after)) + 1;
}
