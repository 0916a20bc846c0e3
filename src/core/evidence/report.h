#ifndef TG_REPORT_MD_H
#define TG_REPORT_MD_H
/* A run's report in Markdown: the four figures of the runbook's section H, what counts and what
 * does not, every instance with its reason. An unfinished run says INTERIM. Text from outside is
 * made safe. */
#include "core/lib/buf.h"
#include "core/run/watch.h"

void tg_report_md(const struct tg_watch *w, struct tg_buf *out);

#endif
