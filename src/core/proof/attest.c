#include "core/proof/attest.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/json.h"

#define ROWS "recomputed_governed_v2_agentic.jsonl"

const char *const *tg_signed_paths(void)
{
	static const char *const paths[TG_SIGNED_FILES] = {
	    TG_SIG_PATH, TG_SSHSIG_PATH,  TG_MINISIG_PATH, TG_INTOTO_PATH,
	    TG_PEM_PATH, TG_SIGNERS_PATH, TG_MINIPUB_PATH};

	return paths;
}

static void add_resource(struct cJSON *list, const char *name, const char *sha256)
{
	struct cJSON *o = tg_json_object(), *d = tg_json_object();

	if (!sha256) {
		tg_json_free(o);
		tg_json_free(d);
		return;
	}
	tg_json_set_str(o, "name", name);
	tg_json_set_str(d, "sha256", sha256);
	tg_json_set(o, "digest", d);
	tg_json_push(list, o);
}

static struct cJSON *subject(const struct tg_claim *c)
{
	struct cJSON *list = tg_json_array();

	add_resource(list, TG_SUMS_PATH, c->sums_sha256);
	add_resource(list, TG_MANIFEST_PATH, c->manifest_sha256);
	add_resource(list, "preds_filled.json", c->preds_sha256);
	return list;
}

static struct cJSON *test_result(const struct tg_claim *c)
{
	const struct cJSON *t = tg_json_get(c->manifest, "tgmon");
	const struct cJSON *d = tg_json_get(t, "digests");
	struct cJSON *o = tg_json_object(), *config = tg_json_array(), *passed = tg_json_array(),
		     *warned = tg_json_array(), *failed = tg_json_array();
	bool veto = false;

	for (size_t i = 0; i < c->rows->n; i++) {
		const struct cJSON *row = c->rows->v[i].v;
		const char *decision = tg_json_str(row, "final_decision");
		bool resolved = tg_json_bool(row, "resolved", false);

		veto = veto || tg_streq(decision, "VETO");
		tg_json_push_str(!resolved			? failed
				 : tg_streq(decision, "OK") ? passed
								: warned,
				 c->rows->v[i].id);
	}
	add_resource(config, "policy", tg_json_str(d, "policy"));
	add_resource(config, "dataset", tg_json_str(d, "dataset"));
	add_resource(config, "config", tg_json_str(d, "config"));
	add_resource(config, TG_RUNJSON_PATH, tg_json_str(d, "run_json"));
	tg_json_set_str(o, "result", veto ? "FAILED" : "PASSED"); /* the gate's rule */
	tg_json_set(o, "configuration", config);
	tg_json_set(o, "passedTests", passed);
	tg_json_set(o, "warnedTests", warned);
	tg_json_set(o, "failedTests", failed);
	return o;
}

static void copy(struct cJSON *to, const char *name, const struct cJSON *from)
{
	tg_json_set(to, name, from ? tg_json_dup(from) : tg_json_null());
}

static struct cJSON *our_predicate(const struct tg_claim *c)
{
	static const char *const members[] = {
	    "run_id",	"dataset_name", "slice",  "agent",    "evaluator",   "selection",
	    "counts",	"completeness", "digests", "journal", "merkle",	     "registered_sha256",
	    "redactions", "tgmon_version", "tool_versions", "previous_bundles"};
	const struct cJSON *t = tg_json_get(c->manifest, "tgmon");
	struct cJSON *o = tg_json_object();

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		copy(o, members[i], tg_json_get(t, members[i]));
	copy(o, "model_id", tg_json_get(c->manifest, "model_id"));
	copy(o, "tag", tg_json_get(c->manifest, "tag"));
	copy(o, "policy", tg_json_get(c->manifest, "policy"));
	copy(o, "verdicts", tg_json_path(c->manifest, "summary.governance.by_decision"));
	return o;
}

void tg_attest_statement(const struct tg_claim *claim, int i, struct tg_buf *out)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "_type", "https://in-toto.io/Statement/v1");
	tg_json_set(o, "subject", subject(claim));
	tg_json_set_str(o, "predicateType", i == 0 ? TG_PREDICATE_TEST : TG_PREDICATE_OURS);
	tg_json_set(o, "predicate", i == 0 ? test_result(claim) : our_predicate(claim));
	tg_json_print(o, TG_JSON_CANONICAL, out);
	tg_json_free(o);
}

char *tg_attest_comment(const struct cJSON *manifest)
{
	const char *id = tg_json_str(tg_json_get(manifest, "tgmon"), "run_id");

	return tg_asprintf("tgmon run %s", id ? id : "");
}

void tg_attest_tree(const struct tg_fileset *set, const struct tg_prows *rows,
		    struct tg_merkle *out)
{
	for (size_t i = 0; i < set->n; i++) {
		char *line = tg_asprintf("%s  %s\n", set->v[i].sha256, set->v[i].path);

		tg_merkle_add(out, line, strlen(line));
		free(line);
	}
	for (size_t i = 0; i < rows->n; i++) {
		char *line = tg_asprintf("%s  " ROWS "#%s\n", rows->v[i].sha256, rows->v[i].id);

		tg_merkle_add(out, line, strlen(line));
		free(line);
	}
}
