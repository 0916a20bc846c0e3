#ifndef TG_JOURNAL_H
#define TG_JOURNAL_H
/*
 * RUN/.tgmon/journal.NNNNNN: append-only, framed, hash-chained (design: reliability.md 2.3).
 *
 *   LLLLLLLL SP CCCCCCCC SP JSON LF     L = bytes of JSON, C = CRC-32C of JSON; 8 lowercase hex digits
 *
 * JSON is one canonical line (sorted keys) of at most 64 KiB with at least
 *   {"ev":..., "mono_us":..., "prev":"<sha256 of the previous JSON>", "seq":n, "v":1, "wall_ms":...}
 * prev of record 1 is 64 zeros. Segments are zero-filled and fsynced at creation; one pwrite a record,
 * then fdatasync; any error poisons the writer (it is never retried) and a new start recovers.
 * A bad frame with a valid one behind it is corruption (TG_E_CORRUPT, nothing is read past it);
 * otherwise it is a torn tail, which the writer zeroes and readers ignore.
 *
 * At 3/4 full the next segment is made (zeros, durable) and a last record "seg.next" {next: its name}
 * closes the segment; that record is part of the chain and reaches visitors like any other. Segments
 * have 4 MiB, or TGMON_JOURNAL_SEGMENT bytes (tests).
 *
 * One writer (the runner, holding RUN/.tgmon/lock); any number of readers, which follow by offset.
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/lib/json.h"

struct tg_record {
	uint64_t seq;
	int64_t wall_ms;
	const char *ev;
	const struct cJSON *body; /* the whole object; valid during the call only */
	char sha256[65];          /* of this record's JSON: the next one's prev */
	struct tg_str json;       /* its very bytes; valid during the call only */
};

struct tg_journal_writer;

/* The fold or another visitor; false (with err set) stops the scan. */
typedef bool (*tg_record_fn)(void *user, const struct tg_record *rec, struct tg_err *err);

/* Open for writing: creates the first segment when there is none, replays every record through fn,
 * zeroes a torn tail. The caller holds the run's lock. */
struct tg_journal_writer *tg_journal_open(const char *run, tg_record_fn fn, void *user,
					  struct tg_err *err);
/* Append one record durably: body gets ev, seq, prev, wall_ms, mono_us, v (ownership of body moves
 * here, also on error); then fn of tg_journal_open sees it, so that there is one fold. */
bool tg_journal_append(struct tg_journal_writer *w, const char *ev, struct cJSON *body,
		       struct tg_err *err);
uint64_t tg_journal_seq(const struct tg_journal_writer *w);
const char *tg_journal_head(const struct tg_journal_writer *w); /* sha256 hex of the last record */
void tg_journal_close(struct tg_journal_writer *w);

/* A reader that remembers where it was. */
struct tg_journal_reader;
struct tg_journal_reader *tg_journal_reader_new(const char *run, struct tg_err *err);
/* Deliver the records that are new since the last call; *n (may be NULL) counts them. A tail that is
 * being written is simply not there yet. */
bool tg_journal_read(struct tg_journal_reader *r, tg_record_fn fn, void *user, uint64_t *n,
		     struct tg_err *err);
const char *tg_journal_reader_head(const struct tg_journal_reader *r);
uint64_t tg_journal_reader_seq(const struct tg_journal_reader *r);
void tg_journal_reader_free(struct tg_journal_reader *r);

#endif
