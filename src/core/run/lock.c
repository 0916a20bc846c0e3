#include "core/run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/text.h"

static int try_lock(int fd, int how)
{
	int rc;

	do
		rc = flock(fd, how | LOCK_NB);
	while (rc != 0 && errno == EINTR);
	return rc;
}

bool tg_lock_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool held;

	if (fd < 0)
		return false;
	held = try_lock(fd, LOCK_SH) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

/* What the holder wrote into the file, made safe to print. */
static bool fail_busy(const char *path, int fd, struct tg_err *err)
{
	char raw[256];
	ssize_t n = pread(fd, raw, sizeof raw, 0);
	char *who;

	while (n > 0 && (raw[n - 1] == '\n' || raw[n - 1] == '\0'))
		n--;
	who = n > 0 ? tg_text_line(raw, (size_t)n, 200) : tg_strdup("another process");
	tg_fail(err, TG_E_BUSY, "%s is held by %s", path, who);
	free(who);
	return false;
}

bool tg_lock_take(const char *path, const char *text, int retry_ms, int *out, struct tg_err *err)
{
	int64_t until = tg_mono_ms() + retry_ms;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t n = text != NULL ? strlen(text) : 0;

	*out = -1;
	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot open the lock %s", path);
	while (try_lock(fd, LOCK_EX) != 0) {
		int sys = errno;

		if (sys == EWOULDBLOCK && tg_mono_ms() < until) {
			tg_sleep_ms(20);
			continue;
		}
		if (sys == EWOULDBLOCK)
			fail_busy(path, fd, err);
		else
			tg_fail_sys(err, sys, "cannot lock %s", path);
		close(fd);
		return false;
	}
	/* The text only informs: that it could not be written is no reason to give the lock up. */
	if (ftruncate(fd, 0) == 0 && n > 0 && pwrite(fd, text, n, 0) < 0)
		errno = 0;
	*out = fd;
	return true;
}
