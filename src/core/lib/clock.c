#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "core/lib/clock.h"

static int64_t now_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t tg_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

int64_t tg_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

int64_t tg_mono_ms(void)
{
	return tg_mono_us() / 1000;
}

void tg_sleep_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	while (ms > 0 && nanosleep(&t, &t) != 0)
		;
}

void tg_strftime_utc(int64_t wall_ms, const char *fmt, char *out, size_t cap)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&s, &tm) && strftime(out, cap, fmt, &tm) == 0)
		out[0] = '\0';
}

void tg_iso_utc(int64_t wall_ms, char out[TG_ISO_LEN])
{
	char day[24];

	tg_strftime_utc(wall_ms, "%Y-%m-%dT%H:%M:%S", day, sizeof day);
	snprintf(out, TG_ISO_LEN, "%s.%03dZ", day, (int)(wall_ms % 1000));
}

void tg_iso_py(int64_t wall_ms, char out[40])
{
	char day[24];

	tg_strftime_utc(wall_ms, "%Y-%m-%dT%H:%M:%S", day, sizeof day);
	snprintf(out, 40, "%s.%03d000+00:00", day, (int)(wall_ms % 1000));
}

void tg_boot_id(char out[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, 36);

	if (fd >= 0)
		close(fd);
	if (n != 36)
		snprintf(out, 40, "unknown");
	else
		out[36] = '\0';
}
