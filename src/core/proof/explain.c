#include "core/proof/explain.h"

#include <string.h>

#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/model.h"

/* Text from outside, on one line, so that it cannot pretend to be ours. */
static void say(struct tg_buf *out, const char *label, const char *text)
{
	tg_buf_addf(out, "%-12s", label);
	tg_text_safe(out, text ? text : "-", strlen(text ? text : "-"), 0);
	tg_buf_addc(out, '\n');
}

static void count_decisions(const struct tg_facts *f, size_t n[3])
{
	static const char *const words[] = {"OK", "ABSTAIN", "VETO"};

	memset(n, 0, 3 * sizeof *n);
	for (size_t i = 0; i < f->rows.n; i++)
		for (size_t k = 0; k < 3; k++)
			n[k] += tg_streq(tg_json_str(f->rows.v[i].v, "final_decision"), words[k]);
}

static void print_figures(const struct tg_facts *f, struct tg_buf *out)
{
	struct tg_counts c;
	size_t d[3];

	tg_run_count(&f->run, &c);
	count_decisions(f, d);
	tg_buf_addf(out, "1. resolved (counted attempt) : %zu of %zu\n", (size_t)c.resolved,
		    (size_t)c.total);
	tg_buf_addf(out, "2. decisions                  : OK %zu, ABSTAIN %zu, VETO %zu\n", d[0], d[1],
		    d[2]);
	tg_buf_addf(out, "3. usable patches             : %zu of %zu\n", (size_t)c.usable,
		    (size_t)c.total);
	tg_buf_addf(out, "4. new security violations    : %zu\n", (size_t)c.new_violations);
	tg_buf_addf(out, "   attempts                   : %zu (latest attempts would give %zu resolved, "
			 "the best of all %zu)\n",
		    (size_t)c.attempts, (size_t)c.resolved_latest, (size_t)c.resolved_best);
}

static void print_readme(const struct tg_facts *f, struct tg_buf *out)
{
	const struct cJSON *r = f->run_json;

	tg_buf_adds(out, "Proof of a SWE-bench run\n========================\n\n");
	say(out, "run", tg_json_str(r, "run_id"));
	say(out, "model", tg_json_str(r, "model_id"));
	say(out, "tag", tg_json_str(r, "tag"));
	say(out, "data set", tg_json_str(r, "dataset_name"));
	say(out, "slice", tg_json_str(r, "slice"));
	say(out, "agent", tg_json_str(r, "agent"));
	say(out, "evaluator", tg_json_str(r, "evaluator"));
	say(out, "selection", tg_json_str(r, "selection"));
	tg_buf_adds(out, "\nThe four figures\n----------------\n");
	print_figures(f, out);
	tg_buf_adds(out,
		    "\nWhich attempt counts was settled before anything ran (first-own: attempt 1, or the\n"
		    "next one after attempts that ended for a cause that is not the model's own). Every\n"
		    "attempt is in proof/journal.jsonl and in the manifest, with its reason; what those\n"
		    "that do not count left is below attempts/.\n\n"
		    "How to check this: proof/VERIFY.md. Every instance: proof/report.md. Everything\n"
		    "that is claimed: proof_manifest.json, which also names what was redacted.\n\n"
		    "What this does NOT prove\n------------------------\n"
		    "- that the named model wrote the patches, or that nothing else helped it;\n"
		    "- that the tests are right, or that a resolved instance is a correct repair;\n"
		    "- that no other run was made and thrown away: only a registration that was sent\n"
		    "  ahead (proof/registered.json) speaks of that;\n"
		    "- that the machine was honest: whoever holds the signing key can sign anything.\n"
		    "It does prove that these files belong together, that every count and verdict\n"
		    "follows from them by the policy inside, and, when signed, that the holder of the\n"
		    "key vouches for exactly these bytes.\n");
}

static void print_verify(const struct tg_facts *f, struct tg_buf *out)
{
	(void)f;
	tg_buf_adds(
	    out,
	    "# How to check this bundle\n\n"
	    "With nothing but Debian (tar, coreutils, openssl, openssh-client, jq). You need the\n"
	    "fingerprint of the signing key from somewhere else than this bundle.\n\n"
	    "1. Unpack into a new folder, and go there:\n\n"
	    "       mkdir x && tar -xzf proof_bundle.tgz -C x --no-same-owner && cd x/*\n\n"
	    "2. Is the key inside the one you were told? (must print the fingerprint)\n\n"
	    "       openssl pkey -pubin -in proof/keys/tgmon.pub.pem -outform DER | tail -c 32 | "
	    "sha256sum\n\n"
	    "3. Does it vouch for the list of digests?\n\n"
	    "       openssl pkeyutl -verify -pubin -inkey proof/keys/tgmon.pub.pem -rawin -in "
	    "proof/SHA256SUMS -sigfile proof/SHA256SUMS.sig\n\n"
	    "4. Are the files those of the list?\n\n"
	    "       sha256sum -c --strict --quiet proof/SHA256SUMS && echo all files hold\n\n"
	    "5. Is there nothing else? (prints nothing)\n\n"
	    "       find . ! -type d | sed 's|^./||' | grep -vxF -e proof/SHA256SUMS -e "
	    "proof/SHA256SUMS.sig -e proof/SHA256SUMS.sshsig -e proof/SHA256SUMS.minisig -e "
	    "proof/attestations.intoto.jsonl -e proof/keys/tgmon.pub.pem -e "
	    "proof/keys/allowed_signers -e proof/keys/tgmon.minisign.pub | LC_ALL=C sort | diff - "
	    "<(cut -c67- proof/SHA256SUMS | LC_ALL=C sort)\n\n"
	    "6. What is claimed, and what is not:\n\n"
	    "       jq '.summary, .tgmon.counts, .tgmon.completeness' proof_manifest.json; cat "
	    "README.txt\n\n"
	    "Commands 2 and 3 fail on a bundle that was not signed; then the digests show only that\n"
	    "the bundle agrees with itself. `tgmon verify BUNDLE.tgz --key FINGERPRINT` does all of\n"
	    "this without unpacking, and makes every count and verdict again from the evidence.\n");
}

static void cell(struct tg_buf *out, const char *text)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_text_safe(&b, text ? text : "-", strlen(text ? text : "-"), 0);
	for (size_t i = 0; i < b.n; i++) {
		if (strchr("|\\`<>[]*_", b.p[i]))
			tg_buf_addc(out, '\\');
		tg_buf_addc(out, b.p[i]);
	}
	tg_buf_adds(out, " | ");
	tg_buf_fini(&b);
}

static void print_report(const struct tg_facts *f, struct tg_buf *out)
{
	tg_buf_adds(out, "# Report\n\n```\n");
	print_figures(f, out);
	tg_buf_adds(out, "```\n\n| instance | attempts | counted | outcome | patch | evaluation | "
			 "decision | reason |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < f->run.inst_n; i++) {
		const struct tg_instance *in = &f->run.inst[i];
		const struct tg_attempt *att = tg_instance_counted(in);
		const struct tg_prow *row = tg_prows_find(&f->rows, in->id);

		tg_buf_adds(out, "| ");
		cell(out, in->id);
		tg_buf_addf(out, "%zu | %d | ", (size_t)in->att_n, att ? att->n : 0);
		cell(out, att ? tg_outcome_name(att->outcome) : NULL);
		cell(out, att ? tg_patch_class_name(att->patch_class) : NULL);
		cell(out, att ? tg_eval_status_name(att->eval) : NULL);
		cell(out, row ? tg_json_str(row->v, "final_decision") : NULL);
		cell(out, row ? tg_json_str(row->v, "decision_reason") : NULL);
		tg_buf_addc(out, '\n');
	}
}

const struct tg_text_file tg_explain_files[TG_EXPLAIN_FILES] = {
    {"README.txt", print_readme},
    {"proof/VERIFY.md", print_verify},
    {"proof/report.md", print_report},
};
