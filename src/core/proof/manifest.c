#include "core/proof/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/clock.h"
#include "core/lib/json.h"
#include "core/proof/attest.h"
#include "core/run/layout.h"

static const char *const hashed[] = {
    "minisweagent.log",
    "preds_filled.json",
    "eval/instance_results.jsonl",
    "recomputed_governed_v2_agentic.jsonl",
    "ci_gate.txt",
};

static const char *digest_of(const struct tg_facts *f, const char *path)
{
	const struct tg_file *file = tg_fileset_find(f->set, path);

	return file ? file->sha256 : NULL;
}

/* ---- the reference's fields ----------------------------------------------------------------- */

static struct cJSON *make_policy(const struct tg_facts *f)
{
	const struct cJSON *ref = tg_json_get(f->run_json, "policy");
	const char *path = tg_json_str(ref, "frozen");
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "path", path ? path : "");
	tg_json_set_str(o, "sha256", path ? digest_of(f, path) : NULL);
	tg_json_set_str(o, "version", tg_json_str(f->run_json, "policy_version"));
	return o;
}

static bool any_report(const struct tg_facts *f)
{
	for (size_t i = 0; i < f->set->n; i++)
		if (tg_starts_with(f->set->v[i].path, "security_reports/"))
			return true;
	return false;
}

static struct cJSON *make_artifacts(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();

	for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++)
		tg_json_set_str(o, hashed[i], digest_of(f, hashed[i]) ? hashed[i] : NULL);
	tg_json_set_str(o, "security_reports/", any_report(f) ? "security_reports" : NULL);
	return o;
}

static struct cJSON *make_hashes(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object(), *reports = tg_json_object();

	for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++)
		tg_json_set_str(o, hashed[i], digest_of(f, hashed[i]));
	for (size_t i = 0; i < f->set->n; i++)
		if (tg_starts_with(f->set->v[i].path, "security_reports/"))
			tg_json_set_str(reports, f->set->v[i].path + strlen("security_reports/"),
					f->set->v[i].sha256);
	tg_json_set(o, "security_reports", reports);
	return o;
}

/* ---- ours ----------------------------------------------------------------------------------- */

static struct cJSON *make_files(const struct tg_facts *f)
{
	struct cJSON *list = tg_json_array();

	for (size_t i = 0; i < f->set->n; i++) {
		struct cJSON *o = tg_json_object();

		tg_json_set_str(o, "path", f->set->v[i].path);
		tg_json_set_int(o, "bytes", f->set->v[i].bytes);
		tg_json_set_str(o, "sha256", f->set->v[i].sha256);
		tg_json_push(list, o);
	}
	return list;
}

static struct cJSON *make_attempt(const struct tg_attempt *att)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_int(o, "attempt", att->n);
	tg_json_set_str(o, "why", att->why);
	tg_json_set_str(o, "ended", att->end_why);
	tg_json_set_str(o, "killed", att->kill_reason);
	tg_json_set_bool(o, "lost", att->lost);
	tg_json_set_str(o, "outcome", tg_outcome_name(att->outcome));
	tg_json_set_str(o, "exit_status", att->exit_status);
	tg_json_set_str(o, "patch_class", tg_patch_class_name(att->patch_class));
	tg_json_set_str(o, "evaluation", tg_eval_status_name(att->eval));
	tg_json_set_str(o, "decision", tg_decision_name(att->decision));
	tg_json_set_str(o, "config_sha256", att->config_sha256);
	tg_json_set_str(o, "no_trajectory",
			att->no_trajectory
			    ? att->no_trajectory_why ? att->no_trajectory_why : "unknown"
			    : NULL);
	return o;
}

static struct cJSON *make_attempts(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();

	for (size_t i = 0; i < f->run.inst_n; i++) {
		const struct tg_instance *in = &f->run.inst[i];
		const struct tg_attempt *counted = tg_instance_counted(in);
		struct cJSON *one = tg_json_object(), *list = tg_json_array();

		for (size_t k = 0; k < in->att_n; k++)
			tg_json_push(list, make_attempt(&in->att[k]));
		if (counted)
			tg_json_set_int(one, "counted", counted->n);
		else
			tg_json_set_null(one, "counted");
		tg_json_set(one, "attempts", list);
		tg_json_set(o, in->id, one);
	}
	return o;
}

static bool has_report(const struct tg_facts *f, const char *id)
{
	char *path = tg_asprintf("security_reports/%s.json", id);
	bool found = digest_of(f, path) != NULL;

	free(path);
	return found;
}

static const char *trajectory_digest(const struct tg_facts *f, const char *id)
{
	char *path = tg_asprintf("%s/%s.traj.json", id, id);
	const char *sha = digest_of(f, path);

	free(path);
	return sha;
}

static struct cJSON *make_completeness(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();
	int64_t have[5] = {0}, whole = 0;

	for (size_t i = 0; i < f->run.inst_n; i++) {
		const char *id = f->run.inst[i].id;
		bool has[5] = {trajectory_digest(f, id) != NULL,
			       tg_prows_find(&f->preds, id) != NULL,
			       tg_prows_find(&f->results, id) != NULL, has_report(f, id),
			       tg_prows_find(&f->rows, id) != NULL};
		bool all = true;

		for (size_t k = 0; k < 5; k++) {
			have[k] += has[k];
			all = all && has[k];
		}
		whole += all;
	}
	tg_json_set_int(o, "expected", (int64_t)f->run.inst_n);
	tg_json_set_int(o, "trajectories", have[0]);
	tg_json_set_int(o, "predictions", have[1]);
	tg_json_set_int(o, "results", have[2]);
	tg_json_set_int(o, "reports", have[3]);
	tg_json_set_int(o, "rows", have[4]);
	tg_json_set_int(o, "complete", whole);
	tg_json_set_float(o, "rate", f->run.inst_n ? (double)whole / (double)f->run.inst_n : 0.0);
	return o;
}

static struct cJSON *make_counts(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object(), *levels = tg_json_object();
	struct tg_counts c;

	tg_run_count(&f->run, &c);
	tg_json_set_int(o, "instances", (int64_t)c.total);
	tg_json_set_int(o, "attempts", (int64_t)c.attempts);
	tg_json_set_int(o, "resolved", (int64_t)c.resolved);
	tg_json_set_int(o, "resolved_latest", (int64_t)c.resolved_latest);
	tg_json_set_int(o, "resolved_best_of_n", (int64_t)c.resolved_best);
	tg_json_set_int(o, "usable_patches", (int64_t)c.usable);
	tg_json_set_int(o, "no_trajectory", (int64_t)c.no_trajectory);
	tg_json_set_int(o, "new_violations", (int64_t)c.new_violations);
	for (size_t i = 0; i < f->rows.n; i++) {
		const char *level = tg_json_str(f->rows.v[i].v, "evidence_level");

		if (!level)
			level = "none";
		tg_json_set_int(levels, level, tg_json_int(levels, level, 0) + 1);
	}
	tg_json_set(o, "evidence_level", levels);
	return o;
}

static struct cJSON *make_chain(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();

	for (size_t i = 0; i < f->rows.n; i++) {
		const struct tg_prow *row = &f->rows.v[i],
				     *result = tg_prows_find(&f->results, row->id);
		char *report = tg_asprintf("security_reports/%s.json", row->id);
		struct cJSON *one = tg_json_object();

		tg_json_set_str(one, "trajectory", trajectory_digest(f, row->id));
		tg_json_set_str(one, "patch", tg_json_str(row->v, "patch_sha256"));
		tg_json_set_str(one, "evaluation", result ? result->sha256 : NULL);
		tg_json_set_str(one, "report", digest_of(f, report));
		tg_json_set_str(one, "row", row->sha256);
		tg_json_set(o, row->id, one);
		free(report);
	}
	return o;
}

static struct cJSON *make_configs(const struct tg_facts *f)
{
	struct cJSON *set = tg_json_object(), *list = tg_json_array();

	for (size_t i = 0; i < f->run.inst_n; i++) {
		const struct tg_attempt *att = tg_instance_counted(&f->run.inst[i]);

		if (att && att->config_sha256 && !tg_json_get(set, att->config_sha256)) {
			tg_json_set_null(set, att->config_sha256);
			tg_json_push_str(list, att->config_sha256);
		}
	}
	tg_json_free(set);
	return list;
}

static struct cJSON *make_digests(const struct tg_facts *f)
{
	static const char *const inputs[] = {"dataset", "config", "policy", "eval_results"};
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "run_json", digest_of(f, TG_RUNJSON_PATH));
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		tg_json_set_str(o, inputs[i],
				tg_json_str(tg_json_get(f->run_json, inputs[i]), "sha256"));
	return o;
}

static struct cJSON *make_tools(const struct tg_facts *f)
{
	const struct cJSON *t = tg_json_first(tg_json_get(f->run_json, "tools"));
	struct cJSON *list = tg_json_array();

	for (; t; t = tg_json_next(t)) {
		struct cJSON *o = tg_json_object();

		tg_json_set_str(o, "name", tg_json_str(t, "name"));
		tg_json_set_str(o, "version", tg_json_str(t, "version"));
		tg_json_push(list, o);
	}
	return list;
}

/* What the operator did to the run: amendments, waivers, notes, commands. */
static struct cJSON *make_notes(const struct tg_facts *f)
{
	struct cJSON *list = tg_json_array();

	for (size_t i = 0; i < f->run.note_n; i++) {
		struct cJSON *o = tg_json_object();
		char when[TG_ISO_LEN];

		tg_iso_utc(f->run.note[i].wall_ms, when);
		tg_json_set_str(o, "when", when);
		tg_json_set_str(o, "kind", f->run.note[i].kind);
		tg_json_set_str(o, "text", f->run.note[i].text);
		tg_json_push(list, o);
	}
	return list;
}

static struct cJSON *make_merkle(const struct tg_facts *f)
{
	struct cJSON *o = tg_json_object();
	struct tg_merkle m = {NULL, 0, 0};
	unsigned char root[TG_MERKLE_HASH];
	char hex[TG_SHA256_HEX];

	tg_attest_tree(f->set, &f->rows, &m);
	tg_merkle_root(&m, root);
	tg_merkle_hex(root, hex);
	tg_json_set_str(o, "hash", "RFC 6962, SHA-256");
	tg_json_set_int(o, "leaves", (int64_t)m.n);
	tg_json_set_str(o, "root", hex);
	tg_merkle_fini(&m);
	return o;
}

static void copy_words(struct cJSON *o, const struct cJSON *from)
{
	static const char *const words[] = {"run_id",  "dataset_name", "split",
					    "slice",   "agent",	       "evaluator",
					    "reports", "selection",    "required_evidence"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		tg_json_set_str(o, words[i], tg_json_str(from, words[i]));
}

static struct cJSON *make_tgmon(const struct tg_facts *f, const struct tg_manifest_in *in)
{
	const struct cJSON *ids = tg_json_get(f->run_json, "expected");
	struct cJSON *o = tg_json_object(), *expected = tg_json_object(),
		     *journal = tg_json_object();

	tg_json_set_str(o, "schema", "tgmon.manifest.v1");
	tg_json_set_str(o, "tgmon_version", in->tgmon_version);
	copy_words(o, f->run_json);
	tg_json_set_str(expected, "from", tg_json_str(f->run_json, "expected_from"));
	tg_json_set(expected, "ids", ids ? tg_json_dup(ids) : tg_json_array());
	tg_json_set(o, "expected", expected);
	tg_json_set(o, "completeness", make_completeness(f));
	tg_json_set(o, "counts", make_counts(f));
	tg_json_set(o, "attempts", make_attempts(f));
	tg_json_set(o, "chain", make_chain(f));
	tg_json_set(o, "config_digests", make_configs(f));
	tg_json_set(o, "digests", make_digests(f));
	tg_json_set(o, "tool_versions", make_tools(f));
	tg_json_set(o, "notes", make_notes(f));
	tg_json_set_str(journal, "path", TG_JOURNAL_PATH);
	tg_json_set_int(journal, "records", (int64_t)f->journal.records);
	tg_json_set_str(journal, "head_sha256", f->journal.head);
	tg_json_set(o, "journal", journal);
	tg_json_set(o, "merkle", make_merkle(f));
	tg_json_set_str(o, "registered_sha256", digest_of(f, TG_REGISTERED_PATH));
	tg_json_set(o, "previous_bundles",
		    in->previous ? tg_json_dup(in->previous) : tg_json_array());
	tg_json_set_bool(o, "signed", in->key_id != NULL);
	tg_json_set_str(o, "key_id", in->key_id);
	tg_json_set_str(o, "bundle", in->withheld ? "withheld" : "built");
	tg_json_set_bool(o, "secrets_scanned", true);
	tg_json_set(o, "redactions",
		    in->redactions ? tg_json_dup(in->redactions) : tg_json_array());
	tg_json_set(o, "files", make_files(f));
	return o;
}

struct cJSON *tg_manifest_make(const struct tg_facts *f, const struct tg_manifest_in *in)
{
	struct cJSON *o = tg_json_object();
	char when[40];

	tg_iso_py(f->journal.last_ms, when);
	tg_json_set_str(o, "schema", "tauguardian.proof_manifest.v1");
	tg_json_set_str(o, "created_utc", when);
	tg_json_set_str(o, "run_dir", ".");
	tg_json_set_str(o, "model_id", tg_json_str(f->run_json, "model_id"));
	tg_json_set_str(o, "tag", tg_json_str(f->run_json, "tag"));
	tg_json_set(o, "policy", make_policy(f));
	tg_json_set(o, "artifacts", make_artifacts(f));
	tg_json_set(o, "hashes", make_hashes(f));
	tg_json_set(o, "summary", tg_facts_summary(f));
	tg_json_set(o, "tgmon", make_tgmon(f, in));
	return o;
}

void tg_manifest_sums(const struct tg_fileset *set, const char *manifest_sha256, struct tg_buf *out)
{
	bool done = false;

	for (size_t i = 0; i < set->n; i++) {
		if (!done && strcmp(set->v[i].path, TG_MANIFEST_PATH) > 0) {
			tg_buf_addf(out, "%s  %s\n", manifest_sha256, TG_MANIFEST_PATH);
			done = true;
		}
		tg_buf_addf(out, "%s  %s\n", set->v[i].sha256, set->v[i].path);
	}
	if (!done)
		tg_buf_addf(out, "%s  %s\n", manifest_sha256, TG_MANIFEST_PATH);
}
