#ifndef TG_LOCK_H
#define TG_LOCK_H
/*
 * Liveness is a held flock, never a PID file: the kernel frees it exactly when the last process
 * that has the descriptor open is gone (design: reliability.md 2.4). What stands in the file is for
 * people.
 */
#include <stdbool.h>
#include "core/lib/err.h"

/* Does somebody hold the lock on this file? An absent file is not held. The test takes a shared
 * lock for a moment, so a taker must retry (tg_lock_take does). */
bool tg_lock_held(const char *path);
/* Take the lock exclusively, creating the file (0600), trying for retry_ms (a child between fork
 * and exec still holds its parent's lock for a moment); then write `text` (may be NULL) into it.
 * *fd is the caller's to close, close-on-exec. False with TG_E_BUSY when held, naming what the file
 * says. */
bool tg_lock_take(const char *path, const char *text, int retry_ms, int *fd, struct tg_err *err);

#endif
