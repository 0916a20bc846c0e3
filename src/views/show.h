#ifndef TG_SHOW_H
#define TG_SHOW_H
/* How values are written on screens, and which role each word of the field has. Unknown is "-". */
#include <stdint.h>
#include "core/run/model.h"
#include "tui/theme.h"
#include "views/data.h"

#define TG_SHOW 32
const char *tg_show_duration(int64_t s, char out[TG_SHOW]); /* 7s, 3m12s, 2h05m, 3d04h */
const char *tg_show_bytes(int64_t n, char out[TG_SHOW]);    /* 731, 1.2k, 34k, 5.6M */
const char *tg_show_cost(double usd, char out[TG_SHOW]);    /* $0.42; two digits, as bills have */
const char *tg_show_clock(int64_t wall_ms, char out[TG_SHOW]); /* 12:03 UTC */

enum tg_role tg_role_of_state(const struct tg_data *d, size_t i);
enum tg_role tg_role_of_decision(enum tg_decision v);
enum tg_role tg_role_of_eval(enum tg_eval_status v);
enum tg_role tg_role_of_class(enum tg_patch_class v);
/* The attempt whose results a row shows: the one that counts. NULL: none yet. */
const struct tg_attempt *tg_show_attempt(const struct tg_data *d, size_t i);
/* What instance i does now, or why it ended as it did; safe to print through a canvas only. */
void tg_show_doing(const struct tg_data *d, size_t i, char *out, size_t cap);
/* One line why the attempt is not a success, or what its agent said; never NULL. */
const char *tg_show_reason(const struct tg_attempt *att);

#endif
