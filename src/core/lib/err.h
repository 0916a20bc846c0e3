#ifndef TG_ERR_H
#define TG_ERR_H
/*
 * One error type for the whole program. A function that can fail for an expected reason returns
 * bool (or NULL) and fills the caller's `struct tg_err`, which carries what went wrong, where, and
 * what to do. `err` may be NULL when the caller does not care. Bugs are assert()s; running out of
 * memory ends in tg_oom() (buf.h).
 *
 * The codes are the exit codes of docs/exit-codes.md (design: decisions.md), so that a command can
 * end with tg_err_exit(&err).
 */
#include <stdarg.h>
#include <stdbool.h>

enum tg_errc {
	TG_E_NONE = 0,
	TG_E_VERDICT = 1,  /* a negative verdict: gate FAIL, verify failed */
	TG_E_INPUT = 2,    /* the caller's input */
	TG_E_MACHINE = 3,  /* tool, sandbox, disk, permission */
	TG_E_SECRET = 4,   /* secrets stop the bundle */
	TG_E_GATE = 5,     /* stopped by the launch gate, resumable */
	TG_E_IO = 70,
	TG_E_MEMORY = 71,
	TG_E_CORRUPT = 74, /* journal corrupt */
	TG_E_BUSY = 75     /* another runner holds the run */
};

struct tg_err {
	enum tg_errc code;
	int sys;       /* errno, or 0 */
	char msg[640]; /* one line, no newline; text from outside is made visible by the caller */
};

#if defined(__GNUC__)
#define TG_MUST_USE __attribute__((warn_unused_result))
#define TG_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define TG_MUST_USE
#define TG_PRINTF(a, b)
#endif

/* Fill err and return false, so that a failing function can `return tg_fail(err, ...)`. */
bool tg_fail(struct tg_err *err, enum tg_errc code, const char *fmt, ...) TG_PRINTF(3, 4);
/* The same, with ": strerror(sys)" added; the code is TG_E_MACHINE for EACCES, EPERM, ENOSPC,
 * EDQUOT, EROFS, EMFILE, ENOENT and TG_E_IO for the rest. */
bool tg_fail_sys(struct tg_err *err, int sys, const char *fmt, ...) TG_PRINTF(3, 4);
/* Put "<text>: " before an error that a callee set; returns false. */
bool tg_fail_in(struct tg_err *err, const char *fmt, ...) TG_PRINTF(2, 3);
void tg_err_clear(struct tg_err *err);
/* The exit code a command ends with; 70 when nothing was set. */
int tg_err_exit(const struct tg_err *err);

#endif
