#include "core/proof/replay.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/journal.h"

struct export
{
	struct tg_buf *out;
	size_t cut; /* where the last manifest stage begins; SIZE_MAX: none is under way */
};

static bool export_record(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct export *x = user;
	const char *stage = tg_json_str(rec->body, "stage");

	(void)err;
	if (tg_streq(stage, "manifest") && tg_streq(rec->ev, "stage.begin"))
		x->cut = x->out->n;
	else if (tg_streq(stage, "manifest") && tg_streq(rec->ev, "stage.end"))
		x->cut = SIZE_MAX;
	tg_buf_add(x->out, rec->json.p, rec->json.n);
	tg_buf_addc(x->out, '\n');
	return true;
}

bool tg_replay_export(const char *run_dir, struct tg_buf *out, struct tg_err *err)
{
	struct export x = {.out = out, .cut = SIZE_MAX};
	struct tg_journal_reader *r = tg_journal_reader_new(run_dir, err);
	bool ok = r && tg_journal_read(r, export_record, &x, NULL, err);

	tg_journal_reader_free(r);
	if (ok && x.cut != SIZE_MAX && x.cut < out->n) {
		out->n = x.cut;
		out->p[out->n] = '\0';
	}
	return ok;
}

static void expect(struct tg_run *run, const struct cJSON *run_json)
{
	const struct cJSON *list = tg_json_get(run_json, "expected"), *c;
	const char **ids = tg_calloc(tg_json_len(list) + 1, sizeof *ids);
	size_t n = 0;

	for (c = tg_json_first(list); c; c = tg_json_next(c))
		if (tg_json_text(c))
			ids[n++] = tg_json_text(c);
	tg_run_expect(run, ids, n);
	free(ids);
}

static bool fold_line(struct tg_run *run, const char *p, size_t n, struct tg_replay *at,
		      struct tg_err *err)
{
	struct cJSON *body = tg_json_parse(p, n, "journal.jsonl", NULL, err);
	struct tg_record rec = {.seq = at->records + 1, .body = body, .json = {p, n}};
	bool ok;

	if (!body)
		return false;
	rec.ev = tg_json_str(body, "ev");
	rec.wall_ms = tg_json_int(body, "wall_ms", 0);
	tg_sha256_hex(p, n, rec.sha256);
	if (!rec.ev || tg_json_int(body, "seq", -1) != (int64_t)rec.seq)
		ok = tg_fail(err, TG_E_CORRUPT,
			     "record %llu of the journal has no event, or another number",
			     (unsigned long long)rec.seq);
	else if (!tg_streq(tg_json_str(body, "prev"), at->head))
		ok = tg_fail(err, TG_E_CORRUPT, "the journal's chain is broken at record %llu",
			     (unsigned long long)rec.seq);
	else
		ok = tg_run_apply(run, &rec, err);
	at->records = rec.seq;
	at->last_ms = rec.wall_ms;
	memcpy(at->head, rec.sha256, sizeof at->head);
	tg_json_free(body);
	return ok;
}

bool tg_replay_lines(const struct tg_buf *lines, const struct cJSON *run_json, struct tg_run *run,
		     struct tg_replay *out, struct tg_err *err)
{
	const char *p = tg_buf_cstr(lines), *end = p + lines->n, *nl;
	bool ok = true;

	*out = (struct tg_replay){.records = 0};
	memset(out->head, '0', 64);
	tg_run_init(run, ".");
	expect(run, run_json);
	for (; ok && p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return tg_fail(err, TG_E_CORRUPT,
				       "the journal ends in the middle of a record");
		ok = fold_line(run, p, (size_t)(nl - p), out, err);
	}
	return ok;
}
