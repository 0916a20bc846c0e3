#ifndef TG_SECRET_JSON_H
#define TG_SECRET_JSON_H
/* Private to the secret scan: a JSON file, or one of JSON lines. */
#include "core/proof/secret.h"

/* *is_json turns false when the bytes are not JSON, or a string is longer than 4 MiB: then what was
 * found and written means nothing. */
bool tg_secret_scan_json(int fd, const struct tg_secrets *s, const char *path,
			 const struct tg_secret_sink *sink, bool *is_json, struct tg_err *err);
/* Told, but neither kept back nor replaced. */
bool tg_secret_stays(const struct tg_secret_hit *h, bool model);

#endif
