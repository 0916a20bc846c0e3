/* Verify: instance sets, the chain of each row, and each verdict made again from its evidence. */
#include <stdlib.h>
#include <string.h>

#include "core/govern/gate.h"
#include "core/govern/policy.h"
#include "core/govern/row.h"
#include "core/lib/json.h"
#include "core/proof/redact.h"
#include "core/proof/verify_in.h"

#define ROWS "recomputed_governed_v2_agentic.jsonl"

static const struct tg_file *file_of(const struct tg_proof *p, const char *fmt, const char *id)
{
	char *path = tg_asprintf(fmt, id, id);
	const struct tg_file *f = tg_fileset_find(&p->set, path);

	free(path);
	return f;
}

static void compare_ids(struct tg_findings *f, const struct tg_run *run,
			const struct tg_prows *rows, const char *name, bool more_is_fine)
{
	for (size_t i = 0; i < run->inst_n; i++)
		if (!tg_prows_find(rows, run->inst[i].id))
			tg_find(f, "%s has nothing for %s", name, run->inst[i].id);
	for (size_t i = 0; !more_is_fine && i < rows->n; i++)
		if (!tg_run_instance(run, rows->v[i].id))
			tg_find(f, "%s names %s, which is not of this run", name, rows->v[i].id);
	if (rows->duplicates)
		tg_find(f, "%s names an instance twice", name);
	if (rows->bad)
		tg_find(f, "%s has %zu lines that are no rows", name, rows->bad);
}

static void check_artifacts(struct tg_proof *p)
{
	static const char *const must[] = {"minisweagent.log",
					   "preds_filled.json",
					   "eval/instance_results.jsonl",
					   ROWS,
					   "ci_gate.txt",
					   TG_RUNJSON_PATH,
					   TG_JOURNAL_PATH};
	struct tg_findings f = {TG_BUF_INIT, 0};

	for (size_t i = 0; i < sizeof must / sizeof *must; i++)
		if (!tg_fileset_find(&p->set, must[i]))
			tg_find(&f, "%s is missing", must[i]);
	for (size_t i = 0; p->facts_ok && i < p->facts.run.inst_n; i++) {
		const char *id = p->facts.run.inst[i].id;

		if (!file_of(p, "%s/%s.traj.json", id))
			tg_find(&f, "%s has no trajectory", id);
		if (!file_of(p, "security_reports/%s.json", id))
			tg_find(&f, "%s has no security report", id);
	}
	tg_check_done(p, "artifacts", &f);
}

static void check_extra_reports(struct tg_findings *f, const struct tg_proof *p)
{
	for (size_t i = 0; i < p->set.n; i++) {
		const char *path = p->set.v[i].path, *name = path + strlen("security_reports/");
		char *id;

		if (!tg_starts_with(path, "security_reports/") || !tg_ends_with(name, ".json"))
			continue;
		id = tg_strndup(name, strlen(name) - strlen(".json"));
		if (!tg_run_instance(&p->facts.run, id))
			tg_find(f, "%s is of no instance of this run", path);
		free(id);
	}
}

/* Imported results and foreign predictions may speak of more instances than the run is about. */
void tg_verify_instances(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	const struct tg_facts *x = &p->facts;
	bool imported;

	check_artifacts(p);
	if (!p->facts_ok) {
		tg_check_unknown(p, "instances",
				 "without journal and run.json the ids are not known");
		return;
	}
	imported = tg_streq(tg_json_str(x->run_json, "evaluator"), "import");
	compare_ids(&f, &x->run, &x->preds, "preds_filled.json", false);
	compare_ids(&f, &x->run, &x->results, "eval/instance_results.jsonl", imported);
	compare_ids(&f, &x->run, &x->rows, ROWS, false);
	if (x->run.inst_n == 0)
		tg_find(&f, "the run expects no instance at all");
	if (!tg_streq(tg_json_str(x->run_json, "reports"), "keep"))
		check_extra_reports(&f, p);
	tg_check_done(p, "instances", &f);
}

/* ---- one row -------------------------------------------------------------------------------- */

static const struct cJSON *evidence_of(const struct cJSON *row, const char *name)
{
	const struct cJSON *e = tg_json_first(tg_json_get(row, "evidence"));

	while (e && !tg_streq(tg_json_str(e, "name"), name))
		e = tg_json_next(e);
	return e;
}

static void link_file(struct tg_findings *f, const struct tg_proof *p, const struct tg_prow *row,
		      const char *name, const char *fmt)
{
	const char *want = tg_json_str(evidence_of(row->v, name), "sha256");
	const struct tg_file *file = file_of(p, fmt, row->id);

	const struct cJSON *cut = tg_json_path(p->manifest, "tgmon.redactions");

	if (want && (!file || (strcmp(want, file->sha256) != 0 &&
			       !tg_streq(want, tg_redact_original(cut, file->path)))))
		tg_find(f, "%s: its %s is not the one in this bundle", row->id, name);
}

static bool holds_placeholder(const struct tg_prow *row)
{
	struct tg_buf b = TG_BUF_INIT;
	bool found;

	if (row)
		tg_json_print(row->v, TG_JSON_COMPACT, &b);
	found = strstr(tg_buf_cstr(&b), "[REDACTED:") != NULL;
	tg_buf_fini(&b);
	return found;
}

/* A row that speaks of text that was replaced cannot be made again; only a file that the manifest
 * calls redacted may excuse one. */
static bool is_cut(const struct tg_proof *p, const struct tg_prow *row)
{
	static const char *const names[] = {"preds_filled.json", "eval/instance_results.jsonl",
					    "agentic_risk.jsonl", ROWS};
	const struct tg_prow *lines[] = {tg_prows_find(&p->facts.preds, row->id),
					 tg_prows_find(&p->facts.results, row->id),
					 tg_prows_find(&p->facts.risks, row->id), row};
	const struct cJSON *cut = tg_json_path(p->manifest, "tgmon.redactions");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (tg_redact_original(cut, names[i]) && holds_placeholder(lines[i]))
			return true;
	return false;
}

static void link_line(struct tg_findings *f, const struct tg_prow *row, const char *name,
		      const struct tg_prows *lines)
{
	const char *want = tg_json_str(evidence_of(row->v, name), "sha256");
	const struct tg_prow *line = tg_prows_find(lines, row->id);

	if (want &&
	    (!line || (strcmp(want, line->sha256) != 0 && strcmp(want, line->sha256_nl) != 0)))
		tg_find(f, "%s: its %s is not the line in this bundle", row->id, name);
}

/* A patch whose bytes are no UTF-8 does not survive JSON; the bytes that the harness got still lie
 * in its own folder. True when p[0..n) in `out` has the digest that the row gives. */
static bool patch_bytes(const struct tg_proof *p, const struct tg_prow *row, const char *text,
			struct tg_buf *out)
{
	const char *want = tg_json_str(row->v, "patch_sha256");
	char *tail = tg_asprintf("/%s/patch.diff", row->id), hex[TG_SHA256_HEX];
	bool found;

	tg_buf_clear(out);
	tg_buf_adds(out, text);
	tg_sha256_hex(tg_buf_cstr(out), out->n, hex);
	found = tg_streq(hex, want);
	for (size_t i = 0; !found && want && strstr(text, "\xef\xbf\xbd") && i < p->set.n; i++)
		if (tg_ends_with(p->set.v[i].path, tail) && strcmp(p->set.v[i].sha256, want) == 0)
			found = tg_fileset_read(&p->set, p->set.v[i].path, out, NULL);
	free(tail);
	return found;
}

/* An imported row may have been taken out of another form, so that its digest is of other bytes. */
static void check_chain(struct tg_findings *f, const struct tg_proof *p, const struct tg_prow *row)
{
	const struct tg_prow *pred = tg_prows_find(&p->facts.preds, row->id);
	const struct tg_instance *in = tg_run_instance(&p->facts.run, row->id);
	const char *patch = pred ? tg_json_str(pred->v, "model_patch") : NULL;
	struct tg_buf bytes = TG_BUF_INIT;

	if (patch && !patch_bytes(p, row, patch, &bytes))
		tg_find(f, "%s: the row is of another patch than preds_filled.json", row->id);
	tg_buf_fini(&bytes);
	link_file(f, p, row, "scan", "security_reports/%s.json");
	link_file(f, p, row, "exit_status", "%s/%s.traj.json");
	if (!tg_streq(tg_json_str(p->facts.run_json, "evaluator"), "import"))
		link_line(f, row, "evaluation", &p->facts.results);
	link_line(f, row, "risk", &p->facts.risks);
	if (p->policy_ok &&
	    !tg_streq(tg_json_str(row->v, "policy_sha256"), p->policy ? p->policy->sha256 : NULL))
		tg_find(f, "%s: it was judged by another policy", row->id);
	if (in && tg_json_int(row->v, "attempts", -1) != (int64_t)in->att_n)
		tg_find(f, "%s: the row says %lld attempts, the journal %zu", row->id,
			(long long)tg_json_int(row->v, "attempts", -1), in->att_n);
	if (in && tg_instance_counted(in) &&
	    tg_json_int(row->v, "attempt", -1) != tg_instance_counted(in)->n)
		tg_find(f, "%s: the row is of attempt %lld, attempt %d counts", row->id,
			(long long)tg_json_int(row->v, "attempt", -1), tg_instance_counted(in)->n);
}

static enum tg_evidence_level required(const struct tg_proof *p)
{
	const struct cJSON *r = p->facts.run_json;
	enum tg_evidence_level level = tg_evidence_level_parse(tg_json_str(r, "required_evidence"));

	if (level == TG_EL_NONE && p->policy)
		level = p->policy->required_evidence;
	if (level == TG_EL_NONE)
		level = tg_streq(tg_json_str(r, "agent"), "foreign") ? TG_EL_IMPORTED : TG_EL_BOUND;
	return level;
}

struct evidence {
	struct cJSON *report;
	struct tg_buf text;
	bool found;
	struct tg_err why;
};

static void load_report(struct evidence *e, const struct tg_proof *p, const char *id)
{
	char *path = tg_asprintf("security_reports/%s.json", id);

	e->found = tg_fileset_read(&p->set, path, &e->text, NULL);
	if (e->found)
		e->report =
		    tg_json_parse(tg_buf_cstr(&e->text), e->text.n, "report.json", NULL, &e->why);
	free(path);
}

/* What the agent handed in: preds_filled.json has '' for the classes that are no patch at all. */
static const char *submission_of(const struct tg_proof *p, const struct tg_prow *row,
				 enum tg_patch_class c)
{
	const struct tg_prow *pred =
	    c == TG_PC_EMPTY || c == TG_PC_INFRA ? tg_prows_find(&p->raw_preds, row->id) : NULL;

	if (!pred)
		pred = tg_prows_find(&p->facts.preds, row->id);
	return pred ? tg_json_str(pred->v, "model_patch") : NULL;
}

/* The submission as bytes, when the row is of it. */
static void put_submission(struct tg_govern_in *g, const struct tg_proof *p,
			   const struct tg_prow *row, struct tg_buf *bytes)
{
	g->submission = submission_of(p, row, g->patch_class);
	g->submission_n = g->submission ? strlen(g->submission) : 0;
	if (g->submission && strstr(g->submission, "\xef\xbf\xbd") &&
	    patch_bytes(p, row, g->submission, bytes)) {
		g->submission = bytes->p;
		g->submission_n = bytes->n;
	}
}

/* Printed and read again: then bytes that are no UTF-8 look as they do in the row that was read. */
static struct cJSON *as_read(struct cJSON *row)
{
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *again;

	tg_json_print(row, TG_JSON_PY, &b);
	again = tg_json_parse(tg_buf_cstr(&b), b.n, "row", NULL, NULL);
	tg_json_free(row);
	tg_buf_fini(&b);
	return again;
}

static struct cJSON *judge_again(const struct tg_proof *p, const struct tg_prow *row)
{
	const struct tg_prow *result = tg_prows_find(&p->facts.results, row->id);
	const struct tg_prow *risk = tg_prows_find(&p->facts.risks, row->id);
	const struct tg_instance *in = tg_run_instance(&p->facts.run, row->id);
	const struct tg_attempt *att = in ? tg_instance_counted(in) : NULL;
	const char *status = tg_json_str(row->v, "status");
	struct evidence e = {.report = NULL, .text = TG_BUF_INIT};
	struct tg_govern_in g = {.model_id = tg_json_str(p->facts.run_json, "model_id"),
				 .instance_id = row->id};
	struct tg_buf bytes = TG_BUF_INIT;
	struct cJSON *made;

	load_report(&e, p, row->id);
	g.patch_class =
	    att ? att->patch_class : tg_patch_class_parse(tg_json_str(row->v, "patch_class"));
	put_submission(&g, p, row, &bytes);
	g.submission_unknown = att && att->stage[TG_STAGE_EXTRACT].state != TG_JOB_OK;
	g.submission_valid = tg_json_bool(row->v, "submission_valid", false);
	g.exit_status = att ? att->exit_status : status;
	g.eval_row = result ? result->v : NULL;
	g.report_found = e.found;
	g.report = e.report;
	g.report_error = e.why.msg;
	g.scan = att ? att->scan : TG_SC_NONE;
	g.risk = risk ? risk->v : NULL;
	g.policy = p->policy;
	g.cri_threshold = p->policy ? p->policy->cri_threshold : TG_POLICY_CRI_THRESHOLD;
	g.required = required(p);
	g.selection = tg_json_str(p->facts.run_json, "selection");
	made = as_read(tg_govern_row(&g, NULL));
	tg_json_free(e.report);
	tg_buf_fini(&e.text);
	tg_buf_fini(&bytes);
	return made;
}

static bool same_value(const struct cJSON *a, const struct cJSON *b)
{
	struct tg_buf x = TG_BUF_INIT, y = TG_BUF_INIT;
	bool same;

	if (tg_json_kind(a) == TG_JSON_NUMBER && tg_json_kind(b) == TG_JSON_NUMBER)
		return tg_json_number(a, 0) == tg_json_number(b, 1);
	tg_json_print(a, TG_JSON_CANONICAL, &x);
	tg_json_print(b, TG_JSON_CANONICAL, &y);
	same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	tg_buf_fini(&x);
	tg_buf_fini(&y);
	return same;
}

/* Members that the verifier's evidence does not decide, or that `chain` looks at. */
static bool is_aside(const char *key)
{
	static const char *const aside[] = {"evidence", "artifacts", "attempt", "attempts",
					    "attempts_why"};

	for (size_t i = 0; i < sizeof aside / sizeof *aside; i++)
		if (strcmp(key, aside[i]) == 0)
			return true;
	return false;
}

static void check_verdict(struct tg_findings *f, const struct tg_proof *p,
			  const struct tg_prow *row)
{
	struct cJSON *made = judge_again(p, row);

	for (const struct cJSON *c = tg_json_first(made); c; c = tg_json_next(c)) {
		const struct cJSON *said = tg_json_get(row->v, tg_json_key(c));

		if (is_aside(tg_json_key(c)))
			continue;
		if (!said || !same_value(c, said))
			tg_find(f, "%s: %s does not follow from the evidence", row->id,
				tg_json_key(c));
	}
	for (const struct cJSON *c = tg_json_first(row->v); c; c = tg_json_next(c))
		if (!tg_json_get(made, tg_json_key(c)))
			tg_find(f, "%s: %s is not a member that a row has", row->id,
				tg_json_key(c));
	tg_json_free(made);
}

void tg_verify_rows(struct tg_proof *p)
{
	struct tg_findings chain = {TG_BUF_INIT, 0}, verdicts = {TG_BUF_INIT, 0};
	size_t cut = 0;

	if (!p->facts_ok) {
		tg_check_unknown(p, "chain", "there is no journal to know the attempts from");
		tg_check_unknown(p, "verdicts", "there is no journal to know the attempts from");
		return;
	}
	if (!p->policy_ok)
		tg_find(&verdicts,
			"the policy cannot be read, or is not the one that run.json names");
	for (size_t i = 0; i < p->facts.rows.n; i++) {
		if (is_cut(p, &p->facts.rows.v[i])) {
			cut++;
			continue;
		}
		check_chain(&chain, p, &p->facts.rows.v[i]);
		if (p->policy_ok)
			check_verdict(&verdicts, p, &p->facts.rows.v[i]);
	}
	tg_check_done(p, "chain", &chain);
	tg_check_done(p, "verdicts", &verdicts);
	if (cut) {
		char *why = tg_asprintf("%zu of %zu rows speak of redacted text and cannot be made "
					"again", cut, p->facts.rows.n);

		tg_check_unknown(p, "redacted rows", why);
		free(why);
	}
}

void tg_verify_gate(struct tg_proof *p)
{
	struct tg_findings f = {TG_BUF_INIT, 0};
	struct tg_buf rows = TG_BUF_INIT, text = TG_BUF_INIT;
	const struct tg_run *run = &p->facts.run;
	const char **ids, *notes[2] = {NULL, NULL};
	struct tg_gate gate;
	char *note;

	if (!p->facts_ok) {
		tg_check_unknown(p, "gate", "without journal and run.json the ids are not known");
		return;
	}
	ids = tg_calloc(run->inst_n + 1, sizeof *ids);
	for (size_t i = 0; i < run->inst_n; i++)
		ids[i] = run->inst[i].id;
	notes[0] = note = tg_gate_config_note(run);
	tg_gate_judge(&(struct tg_gate_in){.rows = tg_fileset_read(&p->set, ROWS, &rows, NULL)
						       ? tg_buf_cstr(&rows)
						       : NULL,
					   .n = rows.n,
					   .shown = ROWS,
					   .expected = ids,
					   .expected_n = run->inst_n,
					   .notes = notes},
		      &gate);
	if (!tg_fileset_read(&p->set, "ci_gate.txt", &text, NULL))
		tg_find(&f, "ci_gate.txt is missing");
	else if (text.n != gate.text.n || memcmp(text.p, gate.text.p, text.n) != 0)
		tg_find(&f, "ci_gate.txt is not what the rows give");
	tg_check_done(p, "gate", &f);
	tg_gate_fini(&gate);
	free(note);
	free(ids);
	tg_buf_fini(&rows);
	tg_buf_fini(&text);
}
