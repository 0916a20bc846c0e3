#ifndef TG_JOURNAL_FRAME_H
#define TG_JOURNAL_FRAME_H
/*
 * Private to journal_*.c: frames, segments and the scan that writer and reader share. The format is
 * in journal.h; a segment ends with a record "seg.next" {next: "journal.NNNNNN"}.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"
#include "core/run/journal.h"

#define TG_FRAME_HEAD 18u           /* "LLLLLLLL CCCCCCCC " */
#define TG_FRAME_MAX_JSON 65536u
#define TG_FRAME_MAX (TG_FRAME_HEAD + TG_FRAME_MAX_JSON + 1)
#define TG_SEGMENT_DEFAULT (4 << 20)
#define TG_SEGMENT_MOST (1 << 28)   /* a larger file is no segment of ours */
#define TG_SEGMENT_RESERVE 1024     /* room for the seg.next record */

enum tg_frame { TG_FRAME_GOOD, TG_FRAME_BAD, TG_FRAME_SHORT /* more bytes are needed to tell */ };

/* Is there a good frame at p? Its JSON is p[18 .. 18 + *json_n). */
enum tg_frame tg_frame_parse(const char *p, size_t n, size_t *json_n);
/* Append header, JSON and newline. */
void tg_frame_add(struct tg_buf *out, const char *json, size_t n);

/* Where a scan stands. */
struct tg_scan {
	char *run;
	unsigned segment;  /* 1.. ; 0 before the first was opened */
	int fd;            /* of the segment, or -1 */
	int64_t off;       /* first byte behind the last good record */
	uint64_t seq;
	char head[65];
	bool quick; /* a zero byte at `off` is the end: what lies behind was looked at before */
	int flags;         /* of open(2) */
	int patience;      /* how often damage is looked at again: a writer may be at work */
	bool failed;       /* corrupt: every further scan says so again */
	struct tg_err verdict;
};

void tg_scan_init(struct tg_scan *s, const char *run, int flags, int patience);
void tg_scan_fini(struct tg_scan *s);
char *tg_segment_path(const char *run, unsigned number);
/* Go on from where the scan stands to the last good record, delivering each to fn (may be NULL).
 * False: TG_E_CORRUPT, an I/O error, or what fn said. A journal that does not exist has no records.
 */
bool tg_scan_run(struct tg_scan *s, tg_record_fn fn, void *user, uint64_t *n, struct tg_err *err);

#endif
