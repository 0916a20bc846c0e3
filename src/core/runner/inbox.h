#ifndef TG_INBOX_H
#define TG_INBOX_H
/* Private to the inbox: amendments of the config. */
#include "core/lib/err.h"
#include "core/lib/json.h"
#include "core/run/spec.h"

/* Freeze a changed config as RUN/config/<n>-<base> and describe it as an amend record {what,
 * old_sha256, new_sha256, path, frozen, diff}. An empty object: it says the same as before. NULL:
 * err. */
struct cJSON *tg_amend_prepare(const char *run_dir, const struct tg_spec *spec, const char *path,
			       struct tg_err *err);
/* A short textual difference of two texts (what is between the common head and tail); values of
 * keys that look like secrets are hidden. Exposed for its test. */
void tg_amend_diff(const char *was, size_t was_n, const char *is, size_t is_n, struct tg_buf *out);

#endif
