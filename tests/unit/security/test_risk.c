/* Trajectory risk: the reference's vectors, and what the reference does not see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/agent/trajectory.h"
#include "core/govern/policy.h"
#include "core/lib/json.h"
#include "core/security/risk.h"
#include "unit/security/departures.h"

struct fixture {
	struct tg_policy *policy;
	struct tg_risk *by_policy, *builtin;
};

static int load(void **state)
{
	struct fixture *f = tg_calloc(1, sizeof *f);

	f->policy = tg_policy_load(NULL, NULL);
	f->by_policy = f->policy ? tg_risk_new(f->policy, NULL) : NULL;
	f->builtin = tg_risk_new(NULL, NULL);
	*state = f;
	return f->by_policy && f->builtin ? 0 : -1;
}

static int unload(void **state)
{
	struct fixture *f = *state;

	tg_risk_free(f->by_policy);
	tg_risk_free(f->builtin);
	tg_policy_free(f->policy);
	free(f);
	return 0;
}

/* The row as one line in the reference's style; caller frees. */
static char *row_of(const struct tg_risk *risk, const char *json)
{
	struct tg_traj t = { 0 };
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *row;

	assert_true(tg_traj_parse(&t, json, strlen(json), "trajectory", NULL));
	row = tg_risk_row(risk, &t, NULL);
	tg_json_print(row, TG_JSON_PY, &b);
	tg_json_free(row);
	tg_traj_fini(&t);
	return tg_buf_detach(&b);
}

static char *print(const struct cJSON *v, enum tg_json_style style)
{
	struct tg_buf b = TG_BUF_INIT;

	tg_json_print(v, style, &b);
	return tg_buf_detach(&b);
}

static bool same_codes(const struct tg_risk *risk, const struct cJSON *want, const char *line)
{
	size_t *hit = tg_calloc(risk->n, sizeof *hit), n, i = 0;
	bool same = true;

	n = tg_risk_classify(risk, line, strlen(line), hit);
	for (const struct cJSON *c = tg_json_first(want); c; c = tg_json_next(c), i++)
		same = same && i < n && !strcmp(risk->pattern[hit[i]].code, tg_json_text(c));
	free(hit);
	return same && i == n;
}

static bool classify_holds(const struct fixture *f, const struct cJSON *v)
{
	const char *cmd = tg_json_str(v, "cmd");

	return same_codes(f->by_policy, tg_json_get(v, "policy"), cmd) &&
	       same_codes(f->builtin, tg_json_get(v, "builtin"), cmd);
}

/* Take the explanations out of the details: the default policy's are in words of our own. */
static void drop_explanations(char *row)
{
	static const char key[] = "\"detail\": \"";
	char *p = row, *colon;

	while ((p = strstr(p, key))) {
		p += sizeof key - 1;
		colon = strstr(p, ": ");
		if (colon)
			memmove(p, colon, strlen(colon) + 1);
	}
}

/* The expected row as the vectors' file spells it (numbers too); caller frees. */
static char *expected_text(const char *line)
{
	static const char from[] = "\"expected\": ", to[] = ", \"exception\": ";
	const char *a = strstr(line, from), *b = a ? strstr(a, to) : NULL;

	assert_non_null(b);
	a += sizeof from - 1;
	return tg_strndup(a, (size_t)(b - a));
}

static bool traj_holds(const struct fixture *f, const struct cJSON *v, const char *line)
{
	bool policy = tg_streq(tg_json_str(v, "patterns"), "policy");
	char *json = print(tg_json_get(v, "traj"), TG_JSON_COMPACT), *want = expected_text(line);
	char *got = row_of(policy ? f->by_policy : f->builtin, json);
	bool same;

	if (policy) {
		drop_explanations(want);
		drop_explanations(got);
	}
	same = !strcmp(want, got);
	free(json);
	free(want);
	free(got);
	return same;
}

static void test_vectors(void **state)
{
	struct departures d;
	struct tg_buf b = TG_BUF_INIT;
	size_t n = 0;

	if (!vectors_read("trajectory_risk.jsonl", &b)) {
		print_message(
		    "skipped: the vectors of the reference are not here (TGMON_SHARED)\n");
		skip();
	}
	departures_load(&d, "risk_departures.txt");
	for (char *line = strtok(b.p, "\n"); line; line = strtok(NULL, "\n"), n++) {
		struct cJSON *v = tg_json_parse(line, strlen(line), "vector", NULL, NULL);
		bool classify = tg_streq(tg_json_str(v, "kind"), "classify");
		char *name;

		assert_non_null(v);
		name = classify ? tg_strdup(tg_json_str(v, "cmd"))
				: tg_asprintf("%s/%s", tg_json_str(v, "name"),
					      tg_json_str(v, "patterns"));
		departures_judge(
		    &d, name, classify ? classify_holds(*state, v) : traj_holds(*state, v, line));
		free(name);
		tg_json_free(v);
	}
	assert_true(n > 50);
	departures_end(&d);
	tg_buf_fini(&b);
}

static int64_t commands_of(const struct tg_risk *risk, const char *script, int64_t *suspicious)
{
	struct cJSON *root = tg_json_object(), *list = tg_json_array(), *m = tg_json_object(), *row;
	char *text = tg_asprintf("```bash\n%s\n```", script);
	struct tg_buf b = TG_BUF_INIT;
	struct tg_traj t = { 0 };
	int64_t n;

	tg_json_set_str(m, "role", "assistant");
	tg_json_set_str(m, "content", text);
	tg_json_push(list, m);
	tg_json_set(root, "messages", list);
	tg_json_print(root, TG_JSON_COMPACT, &b);
	assert_true(tg_traj_parse(&t, b.p, b.n, "t", NULL));
	row = tg_risk_row(risk, &t, "i");
	n = tg_json_int(tg_json_get(row, "stats"), "total_commands", -1);
	*suspicious = tg_json_int(tg_json_get(row, "stats"), "suspicious_commands", -1);
	tg_json_free(row);
	tg_traj_fini(&t);
	tg_buf_fini(&b);
	tg_json_free(root);
	free(text);
	return n;
}

static void test_heredocs_and_neighbours(void **state)
{
	static const struct {
		const char *script;
		int64_t commands, suspicious;
	} t[] = {
		{ "cat > a.py <<'EOF'\nimport nc\ncurl = 1\nEOF\nls", 2, 0 },
		{ "cat <<EOF > a\nssh\nEOF", 1, 0 },
		{ "bash <<EOF\ncurl http://x\nEOF", 3, 1 }, /* a shell reads it as commands */
		{ "cat <<EOF\ncurl http://x", 2, 1 },       /* never closed */
		{ "grep x <<< EOF\ncurl http://x", 2, 1 },
		{ "curl http://x; git diff", 1, 1 },
		{ "git diff && pip install x", 1, 1 },
		{ "git diff | cat", 1, 0 },
		{ "python -m pytest tests; echo 'curl'", 1, 1 },
		{ "git commit -m 'use curl; not wget'", 1, 0 }, /* quoted: one command */
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int64_t suspicious, n = commands_of(f->builtin, t[i].script, &suspicious);

		if (n != t[i].commands || suspicious != t[i].suspicious)
			fail_msg("%s: %d commands, %d suspicious", t[i].script, (int)n, (int)suspicious);
	}
}

static void test_tool_calls(void **state)
{
	struct fixture *f = *state;
	char *row = row_of(f->builtin,
		"{\"instance_id\":\"i\",\"trajectory_format\":\"mini-swe-agent-1.1\",\"messages\":["
		"{\"role\":\"assistant\",\"content\":\"think\",\"extra\":{\"actions\":["
		"{\"command\":\"cd /x\\ncurl y\"},{\"command\":\"# note\\nls\"}]}}]}");

	assert_string_equal(
	    row, "{\"instance_id\": \"i\", \"risk_score\": 0.4, \"risk_level\": \"medium\", "
		 "\"stats\": {\"total_commands\": 3, \"suspicious_commands\": 1}, \"flags\": "
		 "{\"has_network_access\": true, \"has_env_mutation\": false, "
		 "\"has_system_file_access\": false, "
		 "\"has_privilege_escalation\": false}, \"signals\": [{\"code\": "
		 "\"COMMAND_NETWORK_IO\", "
		 "\"severity\": \"high\", \"detail\": \"Attempted outbound network connection: "
		 "curl y...\", "
		 "\"message_index\": 0, \"command_snippet\": \"curl y\"}]}");
	free(row);
}

static void test_list_content(void **state)
{
	struct fixture *f = *state;
	char *row =
	    row_of(f->by_policy,
		   "{\"instance_id\":\"i\",\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{"
		   "\"role\":\"assistant\","
		   "\"content\":[{\"type\":\"text\",\"text\":\"a\\n```bash\\n sudo x \\n```\"},"
		   "{\"type\":\"text\",\"text\":\"```sh\\nwget y\\n```\"}]}]}");

	assert_non_null(strstr(row, "\"risk_score\": 0.8, \"risk_level\": \"high\""));
	assert_non_null(strstr(row, "\"message_index\": 1, \"command_snippet\": \"sudo x\""));
	assert_non_null(strstr(row, "\"has_network_access\": true"));
	free(row);
}

/* The published run: our rows are its rows but for the number of commands, where the reference took
 * every line of a heredoc for one. */
static void test_published_run(void **state)
{
	struct fixture *f = *state;
	const char *shared = getenv("TGMON_SHARED");
	char *dir =
	    tg_asprintf("%s/corpus/run20/msa_glm46_lite_run20", shared ? shared : "../shared");
	char *rows = tg_path_join(dir, "agentic_risk.jsonl");
	struct tg_buf b = TG_BUF_INIT, mine = TG_BUF_INIT;
	size_t n = 0, fewer = 0;
	int64_t ours, theirs;

	if (!tg_file_exists(rows)) {
		free(rows);
		free(dir);
		print_message("skipped: the published run is not here (TGMON_SHARED)\n");
		skip();
	}
	assert_true(tg_file_read(rows, 0, &b, NULL));
	for (char *line = strtok(b.p, "\n"); line; line = strtok(NULL, "\n"), n++) {
		struct cJSON *want = tg_json_parse(line, strlen(line), "row", NULL, NULL), *row;
		const char *id = tg_json_str(want, "instance_id");
		char *path = tg_asprintf("%s/%s/%s.traj.json", dir, id, id);
		struct tg_traj t = { 0 };

		assert_true(tg_traj_load(&t, path, NULL));
		row = tg_risk_row(f->by_policy, &t, NULL);
		tg_buf_clear(&mine);
		ours = tg_json_int(tg_json_get(row, "stats"), "total_commands", -1);
		theirs = tg_json_int(tg_json_get(want, "stats"), "total_commands", -1);
		assert_true(ours >= 0 && ours <= theirs);
		fewer += ours < theirs;
		tg_json_set_int((struct cJSON *)tg_json_get(row, "stats"), "total_commands", theirs);
		tg_json_print(row, TG_JSON_PY, &mine);
		assert_string_equal(tg_buf_cstr(&mine), line);
		tg_json_free(row);
		tg_json_free(want);
		tg_traj_fini(&t);
		free(path);
	}
	assert_int_equal(n, 18);
	assert_true(fewer > 0);
	tg_buf_fini(&b);
	tg_buf_fini(&mine);
	free(rows);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_tool_calls),
		cmocka_unit_test(test_heredocs_and_neighbours),
		cmocka_unit_test(test_list_content),
		cmocka_unit_test(test_published_run),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
