#ifndef TG_REGISTRY_H
#define TG_REGISTRY_H
/*
 * Which runs there are: one absolute path a line in $XDG_STATE_HOME/tgmon/runs (default
 * ~/.local/state/tgmon/runs), appended to, never rewritten; and the run directories one level below
 * a folder. Paths that are gone are left out when listing.
 */
#include <stdbool.h>
#include "core/lib/err.h"
#include "core/lib/file.h"

/* Register a run; once is enough, a second time changes nothing. */
bool tg_registry_add(const char *run, struct tg_err *err);
/* Registered runs together with those in `dir` (NULL: none) - itself or one level below, ours and
 * foreign ones: absolute paths, each once, the newest (by what was written last) first.
 * Free with tg_names_free. */
bool tg_registry_list(const char *dir, struct tg_names *out, struct tg_err *err);

#endif
