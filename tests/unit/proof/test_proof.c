/* Manifest, bundle, audit and verifier over a run made in fixture.h. */
#include "fixture.h"

#include <archive.h>
#include <archive_entry.h>

#include "core/lib/proc.h"
#include "core/proof/fileset.h"
#include "core/proof/verify.h"

static struct tg_verify verify(const char *path)
{
	struct tg_verify v;
	struct tg_err err;

	if (!tg_proof_verify(path, NULL, &v, &err))
		fail_msg("%s", err.msg);
	return v;
}

static const struct tg_check *check_of(const struct tg_verify *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i].name, name) == 0)
			return &v->v[i];
	fail_msg("there is no check %s", name);
	return NULL;
}

static void assert_good(const char *path)
{
	struct tg_verify v = verify(path);

	for (size_t i = 0; i < v.n; i++)
		if (v.v[i].state == TG_CHECK_FAILED)
			print_error("%s: %s\n", v.v[i].name, v.v[i].detail);
	assert_int_equal(v.failed, 0);
	assert_int_equal(check_of(&v, "signature")->state, TG_CHECK_UNKNOWN);
	for (size_t i = 0; i < v.n; i++)
		if (strcmp(v.v[i].name, "signature") != 0 && strcmp(v.v[i].name, "bundle") != 0 &&
		    strcmp(v.v[i].name, "registered") != 0)
			assert_int_equal(v.v[i].state, TG_CHECK_OK);
	tg_verify_fini(&v);
}

static struct tg_buf slurp(const char *dir, const char *rel)
{
	char *path = tg_path_join(dir, rel);
	struct tg_buf b = TG_BUF_INIT;

	if (!tg_file_read(path, 0, &b, NULL))
		fail_msg("cannot read %s", path);
	free(path);
	return b;
}

static void unpack(const char *tgz, const char *dir)
{
	const char *const argv[] = {"tar", "-C", dir, "-xzf", tgz, NULL};
	struct tg_spawn s = {.argv = argv, .in = -1, .out = -1, .err = -1};
	struct tg_proc_result r;

	assert_true(tg_proc_run(&s, NULL, 0, 60000, 4096, &r, NULL));
	assert_int_equal(r.code, 0);
	tg_proc_result_fini(&r);
}

static void a_good_run_verifies(void **state)
{
	struct fix *f = *state;
	char *bundle = tg_path_join(f->run, "proof_bundle.tgz"), *out = tg_path_join(f->root, "x");
	char *folder = tg_path_join(out, FIX_ID);
	struct cJSON *sum;

	fix_prove(f);
	assert_good(f->run);
	assert_good(bundle);
	assert_true(tg_mkdirs(out, 0755, NULL));
	unpack(bundle, out);
	assert_good(folder);
	sum = fix_run_stage(f, TG_STAGE_VERIFY);
	assert_true(tg_json_bool(sum, "ok", false));
	tg_json_free(sum);
	free(folder);
	free(out);
	free(bundle);
}

static void gate_and_audit_texts(void **state)
{
	struct fix *f = *state;
	struct tg_buf gate, audit;

	fix_prove(f);
	gate = slurp(f->run, "ci_gate.txt");
	assert_non_null(strstr(gate.p,
			       "  Total   : 3\n  OK      : 1\n  ABSTAIN : 1\n  VETO    : 1\n"
			       "[CI] FAIL: 1 VETO decision(s) present. Failing the job.\n"));
	audit = slurp(f->run, "run_audit.txt");
	assert_string_equal(audit.p,
			    "[tg_run_audit] Audit report\n"
			    "  predictions_path      : preds_filled.json\n"
			    "  instance_results_path : eval/instance_results.jsonl\n"
			    "  metadata_path         : eval/instance_results.metadata.json\n"
			    "  instance_results_rows : 3\n"
			    "  security_reports_dir  : security_reports\n"
			    "  security_reports_rows : 3\n"
			    "  scan_failed_count     : 0\n");
	tg_buf_fini(&gate);
	tg_buf_fini(&audit);
}

static void audit_finds_faults(void **state)
{
	struct fix *f = *state;
	struct cJSON *sum;
	struct tg_buf b = TG_BUF_INIT;
	char *path = tg_path_join(f->run, "security_reports/a__a-1.json");

	fix_puts(f->run, "eval/instance_results.jsonl",
		 "{\"instance_id\": \"a__a-1\", \"resolved\": true}\nnonsense\n");
	fix_puts(f->run, "eval/instance_results.metadata.json",
		 "{\"predictions_path\": \"/x/other.json\"}");
	fix_puts(f->run, "security_reports/b__b-2.json", "{\"scan_failed\": true}");
	fix_puts(f->run, "security_reports/c__c-3.json", "not json");
	unlink(path);
	sum = fix_run_stage(f, TG_STAGE_AUDIT);
	tg_json_print(sum, TG_JSON_COMPACT, &b);
	assert_string_equal(b.p, "{\"failures\":[\"instance_results_malformed:1\","
				 "\"predictions_without_result:2\",\"predictions_sha_mismatch\","
				 "\"predictions_path_mismatch\",\"security_reports_missing:1\"],"
				 "\"warnings\":[\"metadata_missing_cli_command\","
				 "\"security_report_unreadable:c__c-3\",\"scan_failed:1\"]}");
	tg_json_free(sum);
	tg_buf_fini(&b);
	free(path);
}

static void manifest_says_what_is_there(void **state)
{
	struct fix *f = *state;
	struct tg_buf b;
	struct cJSON *m;
	const struct cJSON *t, *c;

	fix_prove(f);
	b = slurp(f->run, "proof_manifest.json");
	m = tg_json_parse(b.p, b.n, "m", NULL, NULL);
	assert_null(strstr(b.p, f->root)); /* no path of this machine */
	assert_string_equal(tg_json_str(m, "run_dir"), ".");
	assert_string_equal(tg_json_str(tg_json_get(m, "policy"), "path"), "policy/policy.yaml");
	assert_string_equal(tg_json_str(tg_json_get(m, "policy"), "version"), "0.1.0");
	assert_string_equal(tg_json_str(tg_json_get(m, "artifacts"), "security_reports/"),
			    "security_reports");
	assert_int_equal(tg_json_len(tg_json_path(m, "hashes.security_reports")), 3);
	assert_int_equal(tg_json_int(tg_json_path(m, "summary.predictions"), "empty", -1), 1);
	assert_int_equal(tg_json_int(tg_json_path(m, "summary.eval"), "resolved_true", -1), 2);
	assert_int_equal(tg_json_int(tg_json_path(m, "summary.governance.by_decision"), "VETO", -1),
			 1);
	t = tg_json_get(m, "tgmon");
	assert_int_equal(tg_json_int(tg_json_get(t, "counts"), "attempts", -1), 4);
	assert_int_equal(tg_json_int(tg_json_get(t, "counts"), "resolved", -1), 2);
	assert_int_equal(tg_json_int(tg_json_get(t, "completeness"), "complete", -1), 3);
	c = tg_json_get(tg_json_get(t, "attempts"), "c__c-3");
	assert_int_equal(tg_json_int(c, "counted", -1), 2);
	assert_string_equal(tg_json_str(tg_json_first(tg_json_get(c, "attempts")), "outcome"),
			    "infra");
	assert_non_null(strstr(b.p, "\"attempts/c__c-3/1/extract/patch.diff\""));
	assert_null(strstr(b.p, "\"attempts/c__c-3/2/extract/patch.diff\"")); /* the counted one */
	assert_null(strstr(b.p, "notes-of-mine"));
	tg_json_free(m);
	tg_buf_fini(&b);
}

static void same_bytes_again(void **state)
{
	struct fix *f = *state;
	char *moved = tg_path_join(f->root, "elsewhere"), *to = tg_path_join(moved, FIX_ID);
	char *bundle = tg_path_join(f->run, "proof_bundle.tgz"), *old = f->run;
	const char *const argv[] = {"cp", "-r", f->run, to, NULL};
	struct tg_spawn s = {.argv = argv, .in = -1, .out = -1, .err = -1};
	struct tg_proc_result r;
	struct tg_buf one, two;

	assert_true(tg_mkdirs(moved, 0755, NULL));
	assert_true(tg_proc_run(&s, NULL, 0, 60000, 4096, &r, NULL));
	tg_proc_result_fini(&r);
	fix_prove(f);
	one = slurp(f->root, FIX_ID "/proof_bundle.tgz");
	f->run = to;
	fix_prove(f);
	f->run = old;
	two = slurp(moved, FIX_ID "/proof_bundle.tgz");
	assert_int_equal(one.n, two.n);
	assert_memory_equal(one.p, two.p, one.n);
	tg_buf_fini(&one);
	tg_buf_fini(&two);
	free(bundle);
	free(moved);
	free(to);
}

static void an_earlier_bundle_is_kept(void **state)
{
	struct fix *f = *state;
	struct tg_buf first, kept, manifest;
	char hex[TG_SHA256_HEX], *first_dir;

	fix_prove(f);
	first = slurp(f->run, "proof_bundle.tgz");
	tg_json_free(fix_run_stage(f, TG_STAGE_MANIFEST)); /* nothing changed: nothing moves */
	first_dir = tg_path_join(f->run, "proof/1");
	assert_false(tg_file_exists(first_dir));
	free(first_dir);
	tg_json_free(fix_run_stage(f, TG_STAGE_BUNDLE));
	fix_attempt(f, "b__b-2", 2, "rerun", FIX_PATCH, "done", "ok", "RESOLVED", NULL);
	fix_collect(f);
	fix_prove(f);
	kept = slurp(f->run, "proof/1/proof_bundle.tgz");
	assert_int_equal(first.n, kept.n);
	assert_memory_equal(first.p, kept.p, first.n);
	tg_sha256_hex(first.p, first.n, hex);
	manifest = slurp(f->run, "proof_manifest.json");
	assert_non_null(strstr(manifest.p, hex));
	assert_non_null(strstr(manifest.p, "\"resolved\": 2")); /* the rerun does not count */
	assert_non_null(strstr(manifest.p, "\"resolved_latest\": 3"));
	assert_good(f->run);
	tg_buf_fini(&first);
	tg_buf_fini(&kept);
	tg_buf_fini(&manifest);
}

static void a_stale_manifest_is_not_bundled(void **state)
{
	struct fix *f = *state;
	struct tg_stage_ctx ctx;
	struct cJSON *sum = tg_json_object();
	struct tg_err err;

	fix_prove(f);
	fix_puts(f->run, "minisweagent.log", "another log\n");
	ctx = fix_ctx(f);
	assert_false(tg_stage_bundle(&ctx, sum, &err));
	assert_non_null(strstr(err.msg, "stale: minisweagent.log"));
	tg_json_free(sum);
}

/* In a folder that something else made, what lies there stays, and the proof is of ours. */
static void a_foreign_folder_keeps_its_files(void **state)
{
	static const char *const theirs[] = {"ci_gate.txt", "run_audit.txt", "proof_manifest.json",
					     "proof_bundle.tgz", "proof_bundle.tgz.sha256"};
	struct fix *f = *state;
	char *bundle = tg_path_join(f->run, ".tgmon/derived/proof_bundle.tgz");
	struct tg_buf b;

	f->spec.agent = (char *)"foreign";
	f->spec.source_dir = f->run;
	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
		fix_puts(f->run, theirs[i], "this is theirs\n");
	fix_prove(f);
	fix_prove(f); /* ours in .tgmon/derived is replaced, not doubled */
	for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++) {
		b = slurp(f->run, theirs[i]);
		assert_string_equal(b.p, "this is theirs\n");
		tg_buf_fini(&b);
	}
	assert_good(f->run);
	assert_good(bundle);
	free(bundle);
}

/* ---- tampering ------------------------------------------------------------------------------ */

/* Change the first occurrence of `from` in a file of a folder. */
static void edit(const char *dir, const char *rel, const char *from, const char *to)
{
	struct tg_buf b = slurp(dir, rel), out = TG_BUF_INIT;
	char *at = strstr(b.p, from);

	if (!at)
		fail_msg("%s has no '%s'", rel, from);
	tg_buf_add(&out, b.p, (size_t)(at - b.p));
	tg_buf_adds(&out, to);
	tg_buf_adds(&out, at + strlen(from));
	fix_put(dir, rel, out.p, out.n);
	tg_buf_fini(&b);
	tg_buf_fini(&out);
}

/* As a forger would: put the new digest wherever the old one stands in manifest and SHA256SUMS. */
static void forge(const char *dir, const char *rel, const char *from, const char *to)
{
	static const char *const lists[] = {"proof_manifest.json", "proof/SHA256SUMS"};
	struct tg_buf b = slurp(dir, rel), m;
	char old[TG_SHA256_HEX], new[TG_SHA256_HEX], was[64], is[64];
	size_t n = b.n;

	tg_sha256_hex(b.p, b.n, old);
	tg_buf_fini(&b);
	edit(dir, rel, from, to);
	b = slurp(dir, rel);
	tg_sha256_hex(b.p, b.n, new);
	if (n != b.n) {
		char *anchor = tg_asprintf("\"path\": \"%s\"", rel);

		m = slurp(dir, "proof_manifest.json");
		if (strstr(m.p, anchor)) {
			char *at = strstr(m.p, anchor), *from_here;

			while (at > m.p && *at != '{')
				at--;
			snprintf(was, sizeof was, "\"bytes\": %zu", n);
			snprintf(is, sizeof is, "\"bytes\": %zu", b.n);
			from_here = tg_asprintf("%.*s", (int)(strchr(at, '}') - at), at);
			assert_non_null(strstr(from_here, was));
			*strstr(at, was) = '\0';
			{
				struct tg_buf out = TG_BUF_INIT;

				tg_buf_adds(&out, m.p);
				tg_buf_adds(&out, is);
				tg_buf_adds(&out, m.p + strlen(m.p) + 1 + strlen(was) - 1);
				fix_put(dir, "proof_manifest.json", out.p, out.n);
				tg_buf_fini(&out);
			}
			free(from_here);
		}
		free(anchor);
		tg_buf_fini(&m);
	}
	tg_buf_fini(&b);
	for (size_t i = 0; i < 2; i++)
		for (;;) {
			m = slurp(dir, lists[i]);
			if (!strstr(m.p, old)) {
				tg_buf_fini(&m);
				break;
			}
			tg_buf_fini(&m);
			edit(dir, lists[i], old, new);
		}
	if (strcmp(rel, "proof_manifest.json") != 0) { /* the manifest's own line in SHA256SUMS */
		char *line, *end;

		b = slurp(dir, "proof_manifest.json");
		tg_sha256_hex(b.p, b.n, new);
		tg_buf_fini(&b);
		b = slurp(dir, "proof/SHA256SUMS");
		end = strstr(b.p, "  proof_manifest.json");
		line = end - 64;
		memcpy(line, new, 64);
		fix_put(dir, "proof/SHA256SUMS", b.p, b.n);
		tg_buf_fini(&b);
	}
}

static char *fresh_copy(struct fix *f)
{
	char *out = tg_path_join(f->root, "t"), *bundle = tg_path_join(f->run, "proof_bundle.tgz");
	char *folder = tg_path_join(out, FIX_ID);

	tg_remove_tree(out, NULL);
	assert_true(tg_mkdirs(out, 0755, NULL));
	unpack(bundle, out);
	free(out);
	free(bundle);
	return folder;
}

static void assert_fails(const char *path, const char *check, const char *what)
{
	struct tg_verify v = verify(path);
	const struct tg_check *c = check_of(&v, check);

	if (c->state != TG_CHECK_FAILED)
		fail_msg("%s: the check %s is %s", what, check, tg_check_state_name(c->state));
	print_message("%-28s %s: %s\n", what, check, c->detail);
	tg_verify_fini(&v);
}

#define GOVERNED "recomputed_governed_v2_agentic.jsonl"

static void plain_tampering_is_found(void **state)
{
	static const struct {
		const char *rel, *from, *to, *check;
	} t[] = {
	    {GOVERNED, "\"VETO\"", "\"ABSTAIN\"", "files"},
	    {"a__a-1/a__a-1.traj.json", "Submitted", "submitted", "files"},
	    {"preds_filled.json", "+b", "+c", "chain"},
	    {"proof/SHA256SUMS", "a", "b", "sha256sums"},
	    {"proof_manifest.json", "\"resolved_true\": 2", "\"resolved_true\": 3", "statements"},
	    {"proof_manifest.json", "\"resolved\": 2", "\"resolved\": 3", "statements"},
	    {"proof_manifest.json", "\"run_dir\"", "\"run_dirs\"", "statements"},
	    {"proof_manifest.json", "\"retry\"", "\"first\"", "statements"},
	    {"proof_manifest.json", "tauguardian.proof_manifest.v1", "x", "manifest"},
	    {"proof_manifest.json", "\"signed\": false", "\"signed\": true", "signature"},
	    {"proof/journal.jsonl", "\"infra\"", "\"limit\"", "journal"},
	    {"proof/run.json", "\"slice\": \"0:3\"", "\"slice\": \"0:4\"", "run"},
	    {"ci_gate.txt", "FAIL: 1 VETO", "PASS: 1 VETO", "gate"},
	    {"policy/policy.yaml", "HARDCODED_SECRETS: high", "HARDCODED_SECRETS: low", "verdicts"},
	};
	struct fix *f = *state;

	fix_prove(f);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char *dir = fresh_copy(f);

		edit(dir, t[i].rel, t[i].from, t[i].to);
		assert_fails(dir, t[i].check, t[i].rel);
		free(dir);
	}
}

/* Digests put right everywhere: what is left is that nothing follows any more. */
static void forged_tampering_is_found(void **state)
{
	static const struct {
		const char *rel, *from, *to, *check;
	} t[] = {
	    {GOVERNED, "\"final_decision\": \"VETO\"", "\"final_decision\": \"OK\"", "verdicts"},
	    {GOVERNED, "\"cri\": 0.6", "\"cri\": 1.0", "verdicts"},
	    {GOVERNED, "\"attempts\": 2", "\"attempts\": 1", "chain"},
	    {GOVERNED, "\"sad_veto\"", "\"ok\"", "verdicts"},
	    {"eval/instance_results.jsonl", "EMPTY_PATCH", "RESOLVED", "chain"},
	    {"security_reports/c__c-3.json", "\"HARDCODED_SECRETS\"", "", "verdicts"},
	    {"security_reports/c__c-3.json", "\"HARDCODED_SECRETS\"", "", "chain"},
	    {"a__a-1/a__a-1.traj.json", "Submitted", "submitted", "chain"},
	    {"preds_filled.json", "a__a-1", "x__x-9", "instances"},
	    {"proof/run.json", "\"slice\": \"0:3\"", "\"slice\": \"0:4\"", "run"},
	};
	struct fix *f = *state;

	fix_prove(f);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char *dir = fresh_copy(f);
		struct tg_verify v;

		forge(dir, t[i].rel, t[i].from, t[i].to);
		v = verify(dir);
		assert_int_equal(check_of(&v, "sha256sums")->state, TG_CHECK_OK);
		tg_verify_fini(&v);
		assert_fails(dir, t[i].check, t[i].rel);
		free(dir);
	}
}

static void files_that_come_and_go(void **state)
{
	struct fix *f = *state;
	char *dir, *path;

	fix_prove(f);
	dir = fresh_copy(f);
	fix_puts(dir, "extra.txt", "x");
	assert_fails(dir, "files", "an extra file");
	free(dir);
	dir = fresh_copy(f);
	path = tg_path_join(dir, "a__a-1/a__a-1.traj.json");
	unlink(path);
	free(path);
	assert_fails(dir, "files", "a trajectory deleted");
	assert_fails(dir, "artifacts", "a trajectory deleted");
	path = tg_path_join(dir, "proof_manifest.json");
	unlink(path);
	assert_fails(dir, "manifest", "no manifest");
	fix_puts(dir, "proof_manifest.json", "{}");
	assert_fails(dir, "manifest", "manifest {}");
	free(path);
	free(dir);
	dir = tg_path_join(f->root, "empty");
	assert_true(tg_mkdirs(dir, 0755, NULL));
	assert_fails(dir, "manifest", "an empty directory");
	free(dir);
}

/* ---- hostile archives ----------------------------------------------------------------------- */

struct member {
	const char *path, *link;
	int type; /* 0: plain file */
	bool hard;
};

static void write_archive(const char *path, const struct member *m, size_t n)
{
	struct archive *a = archive_write_new();

	archive_write_set_format_gnutar(a);
	archive_write_add_filter_gzip(a);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, m[i].path);
		archive_entry_set_filetype(e, m[i].type ? (unsigned)m[i].type : AE_IFREG);
		archive_entry_set_perm(e, 0644);
		archive_entry_set_size(e, m[i].type || m[i].hard ? 0 : 1);
		if (m[i].link && m[i].hard)
			archive_entry_set_hardlink(e, m[i].link);
		else if (m[i].link)
			archive_entry_set_symlink(e, m[i].link);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		if (!m[i].type && !m[i].hard)
			archive_write_data(a, "x", 1);
		archive_entry_free(e);
	}
	archive_write_close(a);
	archive_write_free(a);
}

static void hostile_archives_are_refused(void **state)
{
	static const struct {
		struct member m[2];
		size_t n;
		const char *part;
	} t[] = {
	    {{{"../x", NULL, 0, false}}, 1, "not safe"},
	    {{{"/etc/x", NULL, 0, false}}, 1, "not safe"},
	    {{{"r/../../x", NULL, 0, false}}, 1, "not safe"},
	    {{{"r/a\nb", NULL, 0, false}}, 1, "not safe"},
	    {{{"r/\033[31m", NULL, 0, false}}, 1, "not safe"},
	    {{{"r/a", "/etc/passwd", AE_IFLNK, false}}, 1, "links"},
	    {{{"r/b", NULL, 0, false}, {"r/a", "r/b", 0, true}}, 2, "links"},
	    {{{"r/a", NULL, AE_IFIFO, false}}, 1, "only plain files"},
	    {{{"r/a", NULL, AE_IFCHR, false}}, 1, "only plain files"},
	    {{{"r/a", NULL, 0, false}, {"r/a", NULL, 0, false}}, 2, "twice"},
	    {{{"r/a", NULL, 0, false}, {"s/a", NULL, 0, false}}, 2, "more than one folder"},
	    {{{"r", NULL, 0, false}}, 1, "a file where"},
	    {{{"r", NULL, AE_IFDIR, false}}, 1, "empty"},
	};
	struct fix *f = *state;
	char *path = tg_path_join(f->root, "hostile.tgz");

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct tg_verify v;
		const struct tg_check *c;

		write_archive(path, t[i].m, t[i].n);
		v = verify(path);
		c = check_of(&v, "archive");
		assert_int_equal(c->state, TG_CHECK_FAILED);
		if (!strstr(c->detail, t[i].part))
			fail_msg("'%s' lacks '%s'", c->detail, t[i].part);
		assert_null(strpbrk(c->detail, "\033\n"));
		tg_verify_fini(&v);
	}
	fix_puts(f->root, "hostile.tgz", "this is no archive");
	assert_fails(path, "archive", "not an archive");
	free(path);
}

static void flipped_bits_are_found(void **state)
{
	struct fix *f = *state;
	struct tg_buf b;
	char *path = tg_path_join(f->root, "flip.tgz");
	struct tg_verify v;
	size_t step;

	fix_prove(f);
	b = slurp(f->run, "proof_bundle.tgz");
	step = b.n / 60;
	for (size_t at = 12; at + 8 < b.n; at += step) {
		b.p[at] ^= 4;
		fix_put(f->root, "flip.tgz", b.p, b.n);
		v = verify(path);
		if (v.failed == 0)
			fail_msg("a flip at byte %zu of %zu is not seen", at, b.n);
		tg_verify_fini(&v);
		b.p[at] ^= 4;
	}
	fix_put(f->root, "flip.tgz", b.p, b.n / 2);
	v = verify(path);
	assert_true(v.failed > 0);
	tg_verify_fini(&v);
	tg_buf_fini(&b);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_good_run_verifies, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(gate_and_audit_texts, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(audit_finds_faults, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(manifest_says_what_is_there, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(same_bytes_again, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(an_earlier_bundle_is_kept, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(a_stale_manifest_is_not_bundled, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(a_foreign_folder_keeps_its_files, fix_make,
						fix_unmake),
		cmocka_unit_test_setup_teardown(plain_tampering_is_found, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(forged_tampering_is_found, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(files_that_come_and_go, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(hostile_archives_are_refused, fix_make, fix_unmake),
	    cmocka_unit_test_setup_teardown(flipped_bits_are_found, fix_make, fix_unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
