#ifndef TG_LOG_H
#define TG_LOG_H
/*
 * The runner's and the stages' own log: "2026-11-22T19:05:00.123Z LEVEL text" lines on a
 * descriptor. Passed as a struct, no global. Text is made safe (text.h) before it is written.
 */
#include "core/lib/err.h"

enum tg_log_level { TG_LOG_DEBUG, TG_LOG_INFO, TG_LOG_WARN, TG_LOG_ERROR };

struct tg_log {
	int fd; /* -1: drop everything */
	enum tg_log_level least;
};

void tg_log(const struct tg_log *log, enum tg_log_level level, const char *fmt, ...)
	TG_PRINTF(3, 4);

#endif
