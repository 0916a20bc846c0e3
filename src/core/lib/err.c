#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "core/lib/err.h"

static void vset(struct tg_err *err, enum tg_errc code, int sys, const char *fmt, va_list ap)
{
	if (!err)
		return;
	err->code = code;
	err->sys = sys;
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
}

bool tg_fail(struct tg_err *err, enum tg_errc code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(err, code, 0, fmt, ap);
	va_end(ap);
	return false;
}

static enum tg_errc code_of(int sys)
{
	switch (sys) {
	case EACCES: case EPERM: case ENOSPC: case EDQUOT: case EROFS:
	case EMFILE: case ENFILE: case ENOENT: case ENOTDIR: case ENOEXEC:
		return TG_E_MACHINE;
	default:
		return TG_E_IO;
	}
}

bool tg_fail_sys(struct tg_err *err, int sys, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vset(err, code_of(sys), sys, fmt, ap);
	va_end(ap);
	if (err) {
		n = strlen(err->msg);
		snprintf(err->msg + n, sizeof err->msg - n, ": %s", strerror(sys));
	}
	return false;
}

bool tg_fail_in(struct tg_err *err, const char *fmt, ...)
{
	char cause[sizeof err->msg];
	va_list ap;
	size_t n;

	if (!err)
		return false;
	memcpy(cause, err->msg, sizeof cause);
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	n = strlen(err->msg);
	snprintf(err->msg + n, sizeof err->msg - n, ": %s", cause);
	if (err->code == TG_E_NONE)
		err->code = TG_E_IO;
	return false;
}

void tg_err_clear(struct tg_err *err)
{
	if (err)
		*err = (struct tg_err){ .code = TG_E_NONE };
}

int tg_err_exit(const struct tg_err *err)
{
	return err && err->code != TG_E_NONE ? (int)err->code : (int)TG_E_IO;
}
