#include <stdio.h>
#include <unistd.h>
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/log.h"
#include "core/lib/text.h"

void tg_log(const struct tg_log *log, enum tg_log_level level, const char *fmt, ...)
{
	static const char *const name[] = { "DEBUG", "INFO", "WARNING", "ERROR" };
	struct tg_buf text = TG_BUF_INIT, line = TG_BUF_INIT;
	char when[TG_ISO_LEN];
	va_list ap;

	if (!log || log->fd < 0 || level < log->least)
		return;
	va_start(ap, fmt);
	tg_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	tg_iso_utc(tg_wall_ms(), when);
	tg_buf_addf(&line, "%s %s ", when, name[level]);
	tg_text_safe(&line, tg_buf_cstr(&text), text.n, 0);
	tg_buf_addc(&line, '\n');
	(void)!write(log->fd, line.p, line.n);
	tg_buf_fini(&text);
	tg_buf_fini(&line);
}
