#ifndef TG_SOURCE_H
#define TG_SOURCE_H
/* The sources that the program itself has: a watched run, and the list of runs. */
#include "views/data.h"
#include "views/runlist.h"

bool tg_source_watch(struct tg_source *out, const char *run_dir, struct tg_err *err);
/* dir may be NULL. A run that cannot be opened is listed as unreadable, with the reason as its
 * state. */
bool tg_source_runs(const char *dir, struct tg_runs *out, struct tg_err *err);

#endif
