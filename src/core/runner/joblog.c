#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/runner/shim.h"

/* Fixed width, so that the file's bound holds: the number of bytes cut out so far. */
#define CUT_MARK "\n[tgmon: %020lld bytes were cut out here]\n"
#define CUT_MARK_LEN 57

bool tg_joblog_open(struct tg_joblog *log, const char *path, struct tg_err *err)
{
	*log = (struct tg_joblog){ .fd = -1 };
	log->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		return tg_fail_sys(err, errno, "cannot create %s", path);
	return true;
}

/* The newer half of the tail moves down to behind the head and the mark; the rest is cut out. */
static void compact(struct tg_joblog *log)
{
	const int64_t keep = TG_LOG_TAIL / 2;
	int64_t from = log->size - keep, to;
	char block[1 << 16], mark[CUT_MARK_LEN + 8];
	ssize_t r, n;

	log->cut = log->total - log->lost - TG_LOG_HEAD - keep;
	n = snprintf(mark, sizeof mark, CUT_MARK, (long long)log->cut);
	if (pwrite(log->fd, mark, (size_t)n, TG_LOG_HEAD) != n)
		return;
	to = TG_LOG_HEAD + n;
	while (from < log->size && (r = pread(log->fd, block, sizeof block, from)) > 0) {
		if (pwrite(log->fd, block, (size_t)r, to) != r)
			return; /* these blocks exist already: no ENOSPC, so not worth more */
		from += r;
		to += r;
	}
	log->size = to;
	if (ftruncate(log->fd, to) != 0)
		log->lost++;
}

void tg_joblog_add(struct tg_joblog *log, const char *p, size_t n)
{
	ssize_t r;

	log->total += (int64_t)n;
	while (n) {
		if (log->size >= TG_LOG_HEAD + TG_LOG_TAIL)
			compact(log);
		size_t room = (size_t)(TG_LOG_HEAD + TG_LOG_TAIL - log->size);

		r = log->fd < 0 ? -1 : pwrite(log->fd, p, n < room ? n : room, log->size);
		if (r < 0 && log->fd >= 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			log->lost += (int64_t)n;
			return;
		}
		log->size += r;
		p += r;
		n -= (size_t)r;
	}
}

void tg_joblog_close(struct tg_joblog *log)
{
	if (log->fd >= 0) {
		fsync(log->fd);
		close(log->fd);
	}
	log->fd = -1;
}
