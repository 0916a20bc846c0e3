#include "core/govern/gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/words.h"

enum { SHOWN_PROBLEMS = 50 };

struct id {
	const char *id;
	size_t seen;
};

struct judge {
	const struct tg_gate_in *in;
	struct tg_gate *out;
	struct tg_buf problems;
	struct id *id; /* sorted */
};

static void problem(struct judge *j, const char *fmt, ...) TG_PRINTF(2, 3);

static void problem(struct judge *j, const char *fmt, ...)
{
	va_list ap;

	if (++j->out->problems > SHOWN_PROBLEMS)
		return;
	tg_buf_adds(&j->problems, "  - ");
	va_start(ap, fmt);
	tg_buf_vaddf(&j->problems, fmt, ap);
	va_end(ap);
	tg_buf_addc(&j->problems, '\n');
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct id *)a)->id, ((const struct id *)b)->id);
}

static void count_id(struct judge *j, size_t line, const char *id)
{
	struct id key = {.id = id}, *found;
	char *shown;

	if (!j->in->expected)
		return;
	found =
	    j->in->expected_n ? bsearch(&key, j->id, j->in->expected_n, sizeof key, by_id) : NULL;
	shown = tg_text_line(id, strlen(id), 140);
	if (!found)
		problem(j, "line %zu: %s is not an instance of this run", line, shown);
	else if (++found->seen == 2)
		problem(j, "line %zu: %s stands twice", line, shown);
	free(shown);
}

static void count_decision(struct judge *j, size_t line, const char *word)
{
	if (word && strcasecmp(word, "OK") == 0)
		j->out->ok++;
	else if (word && strcasecmp(word, "ABSTAIN") == 0)
		j->out->abstain++;
	else if (word && strcasecmp(word, "VETO") == 0)
		j->out->veto++;
	else {
		char *shown = word ? tg_text_line(word, strlen(word), 60) : NULL;

		problem(j, "line %zu: %s%s", line,
			shown ? "unknown decision " : "no final_decision", shown ? shown : "");
		free(shown);
	}
}

static void take_line(struct judge *j, size_t line, const char *p, size_t n)
{
	struct tg_err err;
	struct cJSON *row = tg_json_parse(p, n, j->in->shown, NULL, &err);
	const char *task = tg_json_str(row, "task"), *iid = tg_json_str(row, "instance_id");

	j->out->total++;
	if (!row) {
		problem(j, "line %zu: not JSON", line);
		return;
	}
	if (tg_json_kind(row) != TG_JSON_OBJECT)
		problem(j, "line %zu: not an object", line);
	else if (!task && !iid)
		problem(j, "line %zu: no task and no instance_id", line);
	else if (task && iid && strcmp(task, iid) != 0)
		problem(j, "line %zu: task and instance_id differ", line);
	else
		count_id(j, line, task ? task : iid);
	count_decision(j, line, tg_json_str(row, "final_decision"));
	tg_json_free(row);
}

static void take_rows(struct judge *j)
{
	const char *p = j->in->rows, *end = p + j->in->n;
	size_t line = 0;

	if (p == end)
		problem(j, "the file is empty");
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);

		line++;
		if (!nl)
			problem(j, "line %zu: the file ends in the middle of a line", line);
		if (n > 0)
			take_line(j, line, p, n);
		else
			problem(j, "line %zu: empty", line);
		p += n + 1;
	}
}

static void prepare_ids(struct judge *j)
{
	size_t i, n = j->in->expected_n;

	j->id = tg_calloc(n + 1, sizeof *j->id);
	for (i = 0; j->in->expected && i < n; i++)
		j->id[i].id = j->in->expected[i];
	if (n)
		qsort(j->id, n, sizeof *j->id, by_id);
}

static void find_missing(struct judge *j)
{
	size_t i;

	if (j->in->expected && j->in->expected_n == 0)
		problem(j, "the run expects no instance at all");
	for (i = 0; j->in->expected && i < j->in->expected_n; i++)
		if (!j->id[i].seen)
			problem(j, "no row for %s", j->id[i].id);
}

static void write_text(struct judge *j)
{
	struct tg_gate *g = j->out;
	const char *const *note;

	tg_buf_addf(&g->text, "[CI] \xcf\x84Guardian decisions from %s:\n", j->in->shown);
	tg_buf_addf(&g->text,
		    "  Total   : %zu\n  OK      : %zu\n  ABSTAIN : %zu\n  VETO    : %zu\n",
		    g->total, g->ok, g->abstain, g->veto);
	if (g->problems) {
		tg_buf_addf(&g->text, "[CI] FAIL: %zu problem(s) with the governed results:\n",
			    g->problems);
		tg_buf_adds(&g->text, tg_buf_cstr(&j->problems));
		if (g->problems > SHOWN_PROBLEMS)
			tg_buf_addf(&g->text, "  - and %zu more\n", g->problems - SHOWN_PROBLEMS);
	}
	if (g->veto)
		tg_buf_addf(&g->text, "[CI] FAIL: %zu VETO decision(s) present. Failing the job.\n",
			    g->veto);
	if (g->pass)
		tg_buf_adds(&g->text, "[CI] PASS: no VETO decisions. Build is green.\n");
	for (note = j->in->notes; note && *note; note++)
		tg_buf_addf(&g->text, "[CI] NOTE: %s\n", *note);
}

void tg_gate_judge(const struct tg_gate_in *in, struct tg_gate *out)
{
	struct judge j = {.in = in, .out = out};

	memset(out, 0, sizeof *out);
	if (!in->rows) {
		out->problems = 1;
		tg_buf_addf(&out->text, "[CI] ERROR: governed results file not found: %s\n",
			    in->shown);
		return;
	}
	prepare_ids(&j);
	take_rows(&j);
	find_missing(&j);
	out->pass = out->problems == 0 && out->veto == 0;
	write_text(&j);
	free(j.id);
	tg_buf_fini(&j.problems);
}

void tg_gate_fini(struct tg_gate *gate)
{
	tg_buf_fini(&gate->text);
}
