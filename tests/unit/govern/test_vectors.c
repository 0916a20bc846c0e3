/*
 * The reference's worked scenarios (corpus/vectors/governance.jsonl) through the same function as
 * the stage. Where we depart, governance_departures.txt beside this file says so line by line:
 *   vector | field | our value | reason
 * The list must be exact: a difference that is not in it fails, and so does an entry that is stale.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/govern/row.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"

static const char *const ours[] = {
    "instance_id", "evidence_level", "evidence",      "attempt",	   "attempts",
    "selection",   "attempts_why",   "policy_sha256", "required_evidence", "patch_class"};

struct vectors {
	struct tg_buf text, departures;
	struct tg_buf seen; /* "vector | field | value |" lines of this run */
	size_t n, exact, ok_kept;
};

static bool is_ours(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strcmp(key, ours[i]) == 0)
			return true;
	return false;
}

static char *printed(const struct cJSON *v)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(v, TG_JSON_PY, &b);
	return tg_buf_detach(&b);
}

/* {"x__y-1": payload}: the map form's record. */
static const struct cJSON *record_of(const struct cJSON *pred)
{
	return tg_json_get(pred, "instance_id") ? pred : tg_json_first(pred);
}

static struct tg_policy *policy_of(const struct cJSON *v, bool *refused)
{
	const struct cJSON *p = tg_json_get(v, "policy");
	struct tg_policy *policy;
	struct tg_buf b = TG_BUF_INIT;

	*refused = false;
	if (tg_streq(tg_json_text(p), "none"))
		return NULL;
	if (tg_streq(tg_json_text(p), "default"))
		return tg_policy_load(NULL, NULL);
	tg_json_print(p, TG_JSON_PY, &b); /* JSON is YAML */
	policy = tg_policy_parse(b.p, b.n, "policy", NULL);
	tg_buf_fini(&b);
	*refused = policy == NULL;
	return policy;
}

static void differs(struct vectors *vs, const char *name, const char *field, const char *value)
{
	char *line = tg_asprintf("%s | %s | %s | ", name, field, value), *at = NULL;

	tg_buf_addf(&vs->seen, "%s\n", line);
	if (vs->departures.n)
		for (at = strstr(vs->departures.p, line);
		     at && at != vs->departures.p && at[-1] != '\n';)
			at = strstr(at + 1, line);
	if (!at)
		print_error("not in governance_departures.txt: %s\n", line);
	free(line);
	vs->exact += at == NULL;
}

/* Field by field; and for rows without a departure the very bytes, so that order and numbers count.
 */
static void compare(struct vectors *vs, const char *name, struct cJSON *row,
		    const struct cJSON *expected, const char *raw)
{
	const struct cJSON *e, *r;
	bool same = true;
	char *text;
	size_t i;

	for (e = tg_json_first(expected); e; e = tg_json_next(e)) {
		struct tg_buf b = TG_BUF_INIT;
		char *mine;

		r = tg_json_get(row, tg_json_key(e));
		tg_json_print(r, TG_JSON_PY, &b);
		mine = printed(e);
		if (tg_json_kind(e) == TG_JSON_NUMBER
			? strtod(mine, NULL) != strtod(tg_buf_cstr(&b), NULL)
			: strcmp(mine, tg_buf_cstr(&b)) != 0) {
			differs(vs, name, tg_json_key(e), tg_buf_cstr(&b));
			same = false;
		}
		free(mine);
		tg_buf_fini(&b);
	}
	for (i = 0; i < sizeof ours / sizeof *ours; i++) {
		assert_non_null(tg_json_get(row, ours[i]));
		tg_json_del(row, ours[i]);
	}
	for (r = tg_json_first(row); r; r = tg_json_next(r))
		if (is_ours(tg_json_key(r)) || !tg_json_get(expected, tg_json_key(r)))
			fail_msg("%s: unexpected member %s", name, tg_json_key(r));
	text = printed(row);
	if (same && !strstr(raw, text))
		fail_msg("%s: bytes differ:\n%s", name, text);
	free(text);
}

static void run_one(struct vectors *vs, const struct cJSON *v, const char *raw)
{
	const struct cJSON *rec = record_of(tg_json_get(v, "pred")),
			   *rep = tg_json_get(v, "report"), *expected = tg_json_get(v, "expected");
	const char *name = tg_json_str(v, "name"), *patch = tg_json_text(rec);
	struct tg_govern_in in = {.model_id = "mid",
				  .instance_id = tg_json_str(expected, "task"),
				  .required = TG_EL_IMPORTED,
				  .submission_valid = -1};
	struct tg_verdict verdict;
	struct cJSON *row;
	bool refused;

	in.policy = policy_of(v, &refused);
	if (refused) {
		differs(vs, name, "(policy)", "refused");
		return;
	}
	in.provider = tg_json_str(rec, "provider");
	in.tau = tg_json_int(rec, "tau_step", 0);
	in.submission = patch ? patch : tg_json_str(rec, "model_patch");
	in.submission_n = in.submission ? strlen(in.submission) : 0;
	if (tg_json_get(rec, "submission_valid"))
		in.submission_valid = tg_json_bool(rec, "submission_valid", false);
	in.exit_status = tg_json_str(v, "status");
	in.eval_row = tg_json_get(v, "instance_result");
	in.report_found =
	    tg_json_kind(rep) != TG_JSON_NULL && !tg_streq(tg_json_text(rep), "__no_dir__");
	in.report = tg_json_kind(rep) == TG_JSON_OBJECT ? rep : NULL;
	in.report_error = "the security report is not JSON";
	in.risk = tg_json_get(v, "agentic");
	in.cri_threshold = tg_json_num(v, "cri_threshold", 0.9);
	row = tg_govern_row(&in, &verdict);
	compare(vs, name, row, expected, raw);
	if (tg_streq(tg_json_str(expected, "final_decision"), "OK") &&
	    tg_streq(tg_json_str(in.eval_row, "resolved_status"), "RESOLVED") && in.report_found &&
	    !tg_json_truthy(tg_json_get(rep, "skipped"))) {
		if (verdict.decision != TG_DEC_OK)
			fail_msg("%s: an OK with all its evidence was lost", name);
		vs->ok_kept++;
	}
	if (verdict.decision == TG_DEC_OK &&
	    !tg_streq(tg_json_str(expected, "final_decision"), "OK"))
		fail_msg("%s: OK where the reference has none", name);
	tg_json_free(row);
	tg_policy_free((struct tg_policy *)in.policy);
}

/* Every line of the list must have been met in this run. */
static size_t stale(const struct vectors *vs)
{
	const char *p = tg_buf_cstr(&vs->departures);
	size_t bad = 0;

	while (*p) {
		size_t n = strcspn(p, "\n");
		char *line = tg_strndup(p, n), *bar = line;
		int i;

		for (i = 0; i < 3 && bar; i++)
			bar = strstr(bar + (i > 0), "| ");
		if (*line && *line != '#') {
			if (!bar || !bar[2]) {
				print_error("a departure without a reason: %s\n", line);
				bad++;
			} else {
				bar[2] = '\0';
				if (!strstr(tg_buf_cstr(&vs->seen), line)) {
					print_error("stale departure: %s\n", line);
					bad++;
				}
			}
		}
		free(line);
		p += n + (p[n] == '\n');
	}
	return bad;
}

static void vectors_hold(void **state)
{
	const char *shared = getenv("TGMON_SHARED");
	char *path =
	    tg_asprintf("%s/corpus/vectors/governance.jsonl", shared ? shared : "../shared");
	char *dir = tg_path_dir(__FILE__), *list = tg_path_join(dir, "governance_departures.txt");
	struct vectors vs = {.n = 0};
	char *line, *save = NULL;

	(void)state;
	if (!tg_file_exists(path)) {
		print_message("skipped: %s is not there\n", path);
		free(path);
		free(dir);
		free(list);
		skip();
	}
	assert_true(tg_file_read(path, 0, &vs.text, NULL));
	assert_true(tg_file_read(list, 0, &vs.departures, NULL));
	for (line = strtok_r(vs.text.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cJSON *v = tg_json_parse(line, strlen(line), "governance.jsonl", NULL, NULL);

		assert_non_null(v);
		run_one(&vs, v, line);
		tg_json_free(v);
		vs.n++;
	}
	print_message("%zu vectors, %zu complete OKs kept\n", vs.n, vs.ok_kept);
	assert_true(vs.n >= 50);
	assert_true(vs.ok_kept >= 5);
	assert_int_equal(vs.exact, 0);
	assert_int_equal(stale(&vs), 0);
	tg_buf_fini(&vs.text);
	tg_buf_fini(&vs.departures);
	tg_buf_fini(&vs.seen);
	free(path);
	free(dir);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
