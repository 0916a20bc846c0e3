#include "views/data.h"

#include <stdlib.h>
#include <string.h>

void tg_data_fill(struct tg_data *d, const struct tg_source *src, int64_t now_ms)
{
	d->run = src->ops->run(src->user);
	if (d->run->inst_n > d->row_cap) {
		d->row_cap = d->run->inst_n;
		d->row = tg_realloc(d->row, d->row_cap * sizeof *d->row);
	}
	d->now_ms = now_ms;
	src->ops->fill(src->user, d);
	tg_run_count(d->run, &d->counts);
	tg_eta_compute(&d->eta, d->run, d->spec ? d->spec->workers : 1, now_ms);
}

void tg_data_fini(struct tg_data *d)
{
	free(d->row);
	*d = (struct tg_data){ 0 };
}

int tg_data_find(const struct tg_data *d, const char *iid)
{
	for (size_t i = 0; d->run && i < d->run->inst_n; i++)
		if (!strcmp(d->run->inst[i].id, iid))
			return (int)i;
	return -1;
}

bool tg_data_is_active(const struct tg_data *d, size_t i)
{
	enum tg_state st = tg_instance_state(&d->run->inst[i]);
	return st == TG_ST_STARTING || st == TG_ST_RUNNING || st == TG_ST_STOPPING ||
	       st == TG_ST_ORPHAN;
}

bool tg_data_is_silent(const struct tg_data *d, size_t i)
{
	return tg_data_is_active(d, i) && d->row[i].idle_s > TG_SILENT_S;
}
