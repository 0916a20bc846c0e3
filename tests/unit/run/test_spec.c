#include "unit/run/run_common.h"

#include "core/lib/hash.h"
#include "core/run/layout.h"
#include "core/run/spec.h"

#define S(text) ((char *)(text)) /* the spec's members are char *, and these are only read */

static void write_file(const char *dir, const char *rel, const char *text)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0700, NULL));
	assert_true(tg_file_write(path, text, strlen(text), 0600, NULL));
	free(parent);
	free(path);
}

struct sample {
	struct tg_spec spec;
	char *config, *dataset;
	char config_sha[65], dataset_sha[65];
	char *expected[2];
	struct tg_tool tool;
};

static void make_sample(struct sample *x, const char *run)
{
	write_file(run, "in/agent.yaml", "model: a\n");
	write_file(run, "in/rows.jsonl", "{}\n{}\n{}\n");
	write_file(run, "config/agent.yaml", "model: a\n");
	write_file(run, ".tgmon/dataset.jsonl", "{}\n{}\n");
	x->config = tg_path_join(run, "in/agent.yaml");
	x->dataset = tg_path_join(run, "in/rows.jsonl");
	tg_sha256_hex("model: a\n", 9, x->config_sha);
	tg_sha256_hex("{}\n{}\n{}\n", 9, x->dataset_sha);
	x->expected[0] = S("b__b-2");
	x->expected[1] = S("a__a-1");
	x->tool = (struct tg_tool){ S("git"), S("/usr/bin/git"), NULL };
	x->spec = (struct tg_spec){
		.run_id = S("msa_x_lite_test_251223_101500"), .created_ms = 1766016000123,
		.tgmon_version = S("0.1.0"), .model_id = S("zai/\"glm\"\n4.6 \xc3\xa9"),
		.tag = S("x"), .slice = S("0:2"), .dataset_name = S("lite"), .split = S("test"),
		.dataset = { x->dataset, S(".tgmon/dataset.jsonl"), x->dataset_sha, NULL },
		.dataset_rows = 300,
		.config = { x->config, S("config/agent.yaml"), x->config_sha, NULL },
		.agent = S("mini"), .evaluator = S("swebench"), .reports = S("scan"), .ladder = 5,
		.workers = 4, .eval_workers = 2, .budget_usd = 12.5, .timeout_s = 3600,
		.eval_timeout_s = 1800, .retries = 1, .pace = 0.25, .selection = S("first-own"),
		.redact = true, .expected = x->expected, .expected_n = 2,
		.expected_from = S("slice"), .tools = &x->tool, .tools_n = 1,
	};
}

static void drop_sample(struct sample *x)
{
	free(x->config);
	free(x->dataset);
}

static void test_round_trip(void **state)
{
	char *run = make_run(), sha[65], again[65];
	struct tg_err err = { 0 };
	struct tg_spec got;
	struct sample x;

	(void)state;
	make_sample(&x, run);
	assert_true(tg_spec_write(&x.spec, run, sha, &err));
	assert_true(tg_spec_load(&got, run, again, &err));
	assert_string_equal(sha, again);
	assert_string_equal(got.model_id, x.spec.model_id);
	assert_string_equal(got.run_id, x.spec.run_id);
	assert_int_equal(got.created_ms, x.spec.created_ms);
	assert_string_equal(got.config.path, x.config);
	assert_string_equal(got.config.frozen_sha256, x.config_sha);
	assert_string_not_equal(got.dataset.frozen_sha256, x.dataset_sha);
	assert_int_equal(got.dataset_rows, 300);
	assert_null(got.policy.path);
	assert_null(got.notify);
	assert_true(got.budget_usd == 12.5 && got.pace == 0.25 && got.redact);
	assert_int_equal(got.expected_n, 2);
	assert_string_equal(got.expected[0], "b__b-2");
	assert_true(tg_spec_expects(&got, "a__a-1"));
	assert_false(tg_spec_expects(&got, "a__a-2"));
	assert_int_equal(got.tools_n, 1);
	assert_string_equal(got.tools[0].path, "/usr/bin/git");
	assert_null(got.tools[0].version);
	tg_spec_fini(&got);
	assert_false(tg_spec_write(&x.spec, run, sha, &err)); /* once */
	drop_sample(&x);
	drop_run(run);
}

static void test_no_budget(void **state)
{
	char *run = make_run(), sha[65];
	struct tg_spec got;
	struct sample x;

	(void)state;
	make_sample(&x, run);
	x.spec.budget_usd = -1;
	assert_true(tg_spec_write(&x.spec, run, sha, NULL));
	assert_true(tg_spec_load(&got, run, NULL, NULL));
	assert_true(got.budget_usd < 0);
	tg_spec_fini(&got);
	drop_sample(&x);
	drop_run(run);
}

/* Each of these in run.json is refused with the caller's-input code. */
static void test_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "tgmon.run.v1", "tgmon.run.v9" },
		{ "\"workers\": 4", "\"workers\": \"4\"" },
		{ "\"workers\": 4", "\"workers\": 4.5" },
		{ "\"workers\": 4", "\"workers\": 1e99" },
		{ "\"a__a-1\"", "\"../etc\"" },
		{ "\"a__a-1\"", "\"b__b-2\"" },
		{ "\"a__a-1\"", "17" },
		{ "\"config/agent.yaml\"", "\"../agent.yaml\"" },
		{ "\"selection\": \"first-own\"", "\"selection\": null" },
		{ "{", "[" },
	};
	char *run = make_run(), *path = tg_layout_control(run, "run.json"), sha[65];
	struct tg_buf good = TG_BUF_INIT;
	struct sample x;

	(void)state;
	make_sample(&x, run);
	assert_true(tg_spec_write(&x.spec, run, sha, NULL));
	assert_true(tg_file_read(path, 0, &good, NULL));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *at = strstr(good.p, cases[i].from);
		struct tg_buf bad = TG_BUF_INIT;
		struct tg_err err = { 0 };
		struct tg_spec got;

		assert_non_null(at);
		tg_buf_add(&bad, good.p, (size_t)(at - good.p));
		tg_buf_adds(&bad, cases[i].to);
		tg_buf_adds(&bad, at + strlen(cases[i].from));
		assert_true(tg_file_write(path, bad.p, bad.n, 0600, NULL));
		if (tg_spec_load(&got, run, NULL, &err))
			fail_msg("accepted: %s", cases[i].to);
		assert_int_equal(err.code, TG_E_INPUT);
		assert_non_null(strstr(err.msg, "run.json"));
		tg_buf_fini(&bad);
	}
	tg_buf_fini(&good);
	free(path);
	drop_sample(&x);
	drop_run(run);
}

static void append(const char *run, const char *ev, const char *body)
{
	struct tg_err err = { 0 };
	struct tg_journal_writer *w = tg_journal_open(run, NULL, NULL, &err);

	assert_non_null(w);
	assert_true(tg_journal_append(w, ev, json(body), &err));
	tg_journal_close(w);
}

static void assert_changed(const struct tg_spec *s, const char *run, const char *which)
{
	struct tg_err err = { 0 };

	assert_false(tg_spec_check_inputs(s, run, &err));
	assert_int_equal(err.code, TG_E_INPUT);
	if (strstr(err.msg, which) == NULL)
		fail_msg("\"%s\" is not named in: %s", which, err.msg);
}

static void test_inputs(void **state)
{
	char *run = make_run(), sha[65], body[512], *path;
	struct tg_err err = { 0 };
	struct tg_spec s;
	struct sample x;

	(void)state;
	make_sample(&x, run);
	assert_true(tg_spec_write(&x.spec, run, sha, NULL));
	snprintf(body, sizeof body, "{\"run_sha256\":\"%s\",\"run_id\":\"x\"}", sha);
	append(run, "run.open", body);
	assert_true(tg_spec_load(&s, run, NULL, NULL));
	assert_true(tg_spec_check_inputs(&s, run, &err));

	write_file(run, "in/agent.yaml", "model: b\n");
	assert_changed(&s, run, "agent.yaml");
	assert_true(unlink(x.config) == 0); /* our copy stands in for one that is gone */
	assert_true(tg_spec_check_inputs(&s, run, &err));
	write_file(run, "config/agent.yaml", "model: c\n");
	assert_changed(&s, run, "config/agent.yaml");
	write_file(run, "config/agent.yaml", "model: a\n");
	write_file(run, ".tgmon/dataset.jsonl", "{}\n");
	assert_changed(&s, run, "data set");
	write_file(run, ".tgmon/dataset.jsonl", "{}\n{}\n");
	assert_true(tg_spec_check_inputs(&s, run, &err));

	/* An amendment on the record: the new file is the input now. */
	write_file(run, "in/agent.yaml", "model: b\n");
	assert_changed(&s, run, "agent.yaml");
	tg_sha256_hex("model: b\n", 9, sha);
	snprintf(body, sizeof body,
		 "{\"what\":\"config\",\"old_sha256\":\"%s\",\"new_sha256\":\"%s\","
		 "\"path\":\"%s\"}",
		 x.config_sha, sha, x.config);
	append(run, "amend", body);
	if (!tg_spec_check_inputs(&s, run, &err))
		fail_msg("%s", err.msg);
	free(s.config.sha256); /* a caller that follows the amendment asks again */
	s.config.sha256 = tg_strdup(sha);
	if (!tg_spec_check_inputs(&s, run, &err))
		fail_msg("%s", err.msg);
	write_file(run, "in/agent.yaml", "model: d\n");
	assert_changed(&s, run, "as amended");
	write_file(run, "in/agent.yaml", "model: b\n");

	path = tg_layout_control(run, "run.json");
	assert_true(tg_file_write(path, "{}", 2, 0600, NULL));
	assert_changed(&s, run, "run.json");
	free(path);
	tg_spec_fini(&s);
	drop_sample(&x);
	drop_run(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_budget),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_inputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
