#ifndef TG_CLOCK_H
#define TG_CLOCK_H
/* Time: wall clock in milliseconds since 1970 for records and display, monotonic for limits. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t tg_wall_ms(void);
int64_t tg_mono_us(void);
int64_t tg_mono_ms(void);
void tg_sleep_ms(int64_t ms);
/* "2026-11-22T19:05:00.123Z" */
#define TG_ISO_LEN 32
void tg_iso_utc(int64_t wall_ms, char out[TG_ISO_LEN]);
/* "2026-11-22T19:05:00.123000+00:00", as Python's datetime.isoformat() prints it. */
void tg_iso_py(int64_t wall_ms, char out[40]);
/* strftime in UTC, e.g. "%y%m%d_%H%M%S". */
void tg_strftime_utc(int64_t wall_ms, const char *fmt, char *out, size_t cap);
/* 36 characters of /proc/sys/kernel/random/boot_id; "unknown" where there is none. */
void tg_boot_id(char out[40]);

#endif
