/* The runbook's own failure modes, each caught before money is spent: one test a section, and the
 * lines beside them, good and bad, with planted facts. */
#include "planted.h"

#include "core/lib/hash.h"
#include "core/lib/json.h"

static void expect_mend(struct planted *p, const char *id, const char *said)
{
	const struct tg_doctor_line *l = tg_doctor_find(&p->d, id);

	if (!l->mend || !strstr(l->mend, said))
		fail_msg("%s does not mend it with '%s': %s", id, said,
			 l->mend ? l->mend : "(nothing)");
}

/* A: the tools and the key. */
static void section_a_tools(void **state)
{
	struct planted *p = *state;

	expect(p, "python", OK, "virtual environment");
	expect(p, "mini-swe-agent", OK, "1.17.5");
	expect(p, "swebench", OK, "4.1.0");
	expect(p, "containers", OK, "27.1.1");
	set_text(&p->f.swebench.version, NULL);
	set_text(&p->f.swebench.error, "ModuleNotFoundError: No module named 'swebench'");
	expect(p, "swebench", FAIL, "No module named 'swebench'");
	expect_mend(p, "swebench", "pip install swebench");
	set_text(&p->f.swebench.version, "3.0.2");
	expect(p, "swebench", WARN, "3.0.2");
	set_text(&p->f.mini.version, "1.17.3");
	expect(p, "mini-swe-agent", WARN, "1.17.3");
	set_text(&p->f.mini.version, "1.9.0");
	expect(p, "mini-swe-agent", WARN, NULL);
	set_text(&p->f.mini.version, "3.0.0");
	expect(p, "mini-swe-agent", WARN, "only 1.17 and 2.x");
	set_text(&p->f.mini.version, "2.4.6");
	expect(p, "mini-swe-agent", OK, "2.4.6");
	set_text(&p->f.mini.version, NULL);
	p->f.venv = TG_NO;
	expect(p, "mini-swe-agent", FAIL, "cannot import");
	expect(p, "python", WARN, "virtual environment not active");
	p->f.docker_answers = TG_NO;
	set_text(&p->f.docker_error, "no answer within 5 s");
	expect(p, "containers", FAIL, "no answer within 5 s");
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_MACHINE);
	set_text(&p->f.docker_error, "permission denied while trying to connect");
	expect(p, "containers", FAIL, NULL);
	expect_mend(p, "containers", "usermod -aG docker mo");
	set_text(&p->f.docker, NULL);
	expect(p, "containers", FAIL, "there is no docker");
	set_text(&p->f.python_version, NULL);
	set_text(&p->f.probe_error, "no answer within 90 s");
	expect(p, "python", FAIL, "90 s");
	set_text(&p->f.python, NULL);
	expect(p, "python", FAIL, "no Python");
}

static void section_a2_keys(void **state)
{
	struct planted *p = *state;

	expect(p, "keys", OK, "ZAI_API_KEY is set in /home/mo/.config/mini-swe-agent/.env");
	set_names(&p->f.dotenv, "OPENROUTER_API_KEY");
	expect(p, "keys", FAIL, "zai/glm-4.6 needs ZAI_API_KEY");
	expect_mend(p, "keys", "mini-extra config set ZAI_API_KEY");
	set_names(&p->f.env, "PATH ZAI_API_KEY");
	expect(p, "keys", OK, "the environment");
	set_names(&p->f.env, "PATH MSWEA_MODEL_API_KEY");
	expect(p, "keys", OK, "MSWEA_MODEL_API_KEY"); /* 1.x only */
	set_text(&p->f.mini.version, "2.4.6");
	expect(p, "keys", FAIL, NULL);
	change_config(p, "zai/glm-4.6", "ollama/qwen3");
	expect(p, "keys", OK, "needs none");
	change_config(p, "zai/glm-4.6", "somewhere/else");
	expect(p, "keys", WARN, "not known here");
	change_config(p, "    temperature: 0.0\n", "    api_base: http://localhost:8000/v1\n");
	expect(p, "keys", WARN, "api_base");
	change_config(p, "  model_name", "  model_class: openrouter\n  model_name");
	expect(p, "keys", OK, "OPENROUTER_API_KEY");
	change_config(p, "zai/glm-4.6", "claude-sonnet-4-5");
	expect(p, "keys", FAIL, "ANTHROPIC_API_KEY");
}

/* The names in a .env, and nothing but the names. */
static void names_of_dotenv(void **state)
{
	static const char text[] =
		"# comment\nZAI_API_KEY='sk-secret'\nexport OPENAI_API_KEY=\"x\"\nEMPTY=\n"
		"QUOTED=''\n  SPACED = y\nnonsense\n=z\nLAST=1";
	struct tg_names names = { 0 };

	(void)state;
	tg_dotenv_names(text, strlen(text), &names);
	assert_int_equal(names.n, 4);
	assert_string_equal(names.v[0], "ZAI_API_KEY");
	assert_string_equal(names.v[1], "OPENAI_API_KEY");
	assert_string_equal(names.v[2], "SPACED");
	assert_string_equal(names.v[3], "LAST");
	tg_names_free(&names);
}

/* B: the agent's YAML. */
static void section_b_yaml(void **state)
{
	struct planted *p = *state;

	expect(p, "config", OK, "parses");
	put_config(p, "agent:\n  step_limit: 3\n bad: [\n");
	expect(p, "config", FAIL, "agent.yaml:3:");
	put_config(p, "- a list\n");
	expect(p, "config", FAIL, "must be a mapping");
	unlink(p->config);
	expect(p, "config", FAIL, "agent.yaml");
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_INPUT);
}

static void section_b_unknown_keys(void **state)
{
	struct planted *p = *state;

	expect(p, "config-keys", OK, "1.17.5");
	change_config(p, "  model_name:", "  model_id:");
	expect(p, "config-keys", FAIL,
	       "agent.yaml:14:3: model.model_id (did you mean model_name?)");
	expect_mend(p, "config-keys",
		    "model accepts: model_name, model_kwargs, litellm_model_registry, "
		    "set_cache_control, cost_tracking");
	expect(p, "model", FAIL, "no model.model_name");
	change_config(p, "  step_limit", "  stepp_limit");
	expect(p, "config-keys", FAIL, "agent.stepp_limit (did you mean step_limit?)");
	change_config(p, "  cwd: /testbed", "  cwd: /testbed\n  cost_limit: 3");
	expect(p, "config-keys", FAIL, "(did you mean cost_limit below 'agent:'?)");
	change_config(p, "model:\n", "model_id: x\nmodel:\n");
	expect(p, "config-keys", FAIL, "stands outside");
	change_config(p, "  model_name:", "  temperature: 1\n  model_name:");
	expect(p, "config-keys", FAIL, "model_kwargs: {temperature: ...}");

	/* keys of one line only: the installed version decides */
	change_config(p, "  cost_limit: 3.0\n",
		      "  cost_limit: 3.0\n  wall_time_limit_seconds: 60\n");
	expect(p, "config-keys", FAIL, "wall_time_limit_seconds");
	set_version(p, "2.4.6", "5.0.2");
	expect(p, "config-keys", OK, "2.4.6");
	change_config(p, "  model_name:", "  model_id: x\n  model_name:");
	expect(p, "config-keys", WARN, "ignores in silence");

	/* what the installed version itself accepts outranks our table */
	set_version(p, "1.17.5", "4.1.0");
	set_names(&p->f.accepted_model, "model_name model_kwargs model_id");
	expect(p, "config-keys", OK, NULL);
	/* classes that nobody here knows are left alone */
	set_version(p, "1.17.5", "4.1.0");
	change_config(p,
		      "  model_name:", "  model_class: my.own.Model\n  anything: 1\n  model_name:");
	expect(p, "config-keys", OK, NULL);
}

static void section_b_secret(void **state)
{
	struct planted *p = *state;

	expect_none(p, "config-secret");
	change_config(p, "    temperature: 0.0\n", "    api_key: sk-very-secret\n");
	expect(p, "config-secret", FAIL, "agent.yaml:16:5");
	for (size_t i = 0; i < p->d.n; i++)
		assert_null(strstr(p->d.v[i].text, "sk-very-secret"));
}

static void section_b_cost(void **state)
{
	struct planted *p = *state;

	expect(p, "cost", OK, "0.60 USD in, 2.20 USD out");
	p->f.priced = TG_NO;
	expect(p, "cost", FAIL, "after its first paid call");
	change_config(p, "    temperature: 0.0\n",
		      "    temperature: 0.0\n  cost_tracking: ignore_errors\n");
	expect(p, "cost", WARN, "neither cost_limit nor --budget");
	change_config(p, "    temperature: 0.0\n",
		      "    temperature: 0.0\n  cost_tracking: bogus\n");
	expect(p, "cost", FAIL, "bogus");
	change_config(p, "    temperature: 0.0\n",
		      "    temperature: 0.0\n  litellm_model_registry: /no/such.json\n");
	expect(p, "cost", FAIL, "/no/such.json");
	put_config(p, good_config);
	p->f.priced = TG_UNKNOWN;
	expect_none(p, "cost");
}

/* C: data set and slice. */
static void section_c_rows(void **state)
{
	struct planted *p = *state;

	expect(p, "dataset", OK, "rows, split test: 3 rows");
	expect(p, "slice", OK, "0:3: 3 instances, from own__name-0 to own__name-2");
	p->ask.slice = "2:50";
	expect(p, "slice", WARN, "beyond the 3 rows: 1 instances");
	p->ask.slice = "3:50";
	expect(p, "slice", FAIL, "none of 3 rows");
	p->ask.slice = "fifty";
	expect(p, "slice", FAIL, "not a slice");
	p->ask.slice = NULL;
	expect(p, "slice", OK, "3 instances");
	expect(p, "repositories", OK, "all 1");
	p->ask.repos = NULL;
	expect(p, "repositories", WARN, "own/name");
	expect_mend(p, "repositories", "own__name.git");
	expect_none(p, "columns"); /* 4.x takes classic rows */
	set_version(p, "2.4.6", "5.0.2");
	expect(p, "columns", FAIL, "3 of 3 rows lack image");
	put_rows(p, 3,
		 ",\"image\":\"i\",\"eval_script\":\"e\",\"log_parser\":\"l\",\"eval_type\":\"t\"");
	expect(p, "columns", OK, NULL);
	put_rows(p, 3, ",\"surprise\":1");
	expect(p, "dataset", FAIL, "surprise");
	p->ask.dataset = "/no/such.jsonl";
	expect(p, "dataset", FAIL, "does not exist");
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_INPUT);
}

/* E1: a second config by copying, where the model or its key was not changed, or the label differs.
 */
static void section_e1_second_config(void **state)
{
	struct planted *p = *state;

	/* edited as the runbook's example says */
	change_config(p, "model_name: zai/glm-4.6",
		      "model: openrouter/qwen/qwen-2.5-coder-32b-instruct\n"
		      "  api_key_env: OPENROUTER_API_KEY");
	p->ask.model_id = "openrouter/qwen-2.5-coder-32b-instruct";
	expect(p, "config-keys", FAIL, "model.model (did you mean model_name?)");
	expect(p, "config-keys", FAIL, "model.api_key_env (did you mean no line at all");
	expect(p, "model", FAIL, NULL);
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_INPUT);

	/* mended; but the key is still the other provider's */
	change_config(p, "zai/glm-4.6", "openrouter/qwen/qwen-2.5-coder-32b-instruct");
	expect(p, "keys", FAIL, "OPENROUTER_API_KEY");
	/* another route to the same model: a word, no failure */
	set_names(&p->f.dotenv, "OPENROUTER_API_KEY");
	expect(p, "keys", OK, NULL);
	expect(p, "model-id", WARN,
	       "rows and gate will say openrouter/qwen-2.5-coder-32b-instruct");
	assert_int_equal(p->d.failures, 0);

	/* copied and not edited at all */
	put_config(p, good_config);
	expect(p, "model-id", FAIL, "the config calls zai/glm-4.6");
	p->ask.model_id = NULL;
	expect(p, "model-id", WARN, NULL);
	p->ask.model_id = "zai/glm-4.6";
	expect(p, "model-id", OK, NULL);
	setenv("MSWEA_MODEL_NAME", "zai/glm-4.6", 1);
	change_config(p, "  model_name: zai/glm-4.6\n", "");
	expect(p, "model", WARN, "MSWEA_MODEL_NAME");
	unsetenv("MSWEA_MODEL_NAME");
}

/* F: three repeats that are no repeats. */
static void section_f_repeats(void **state)
{
	struct planted *p = *state;
	char config[65], rows[65];
	struct tg_earlier *e;

	assert_true(tg_sha256_file(p->config, config, NULL, NULL));
	assert_true(tg_sha256_file(p->dataset, rows, NULL, NULL));
	p->f.earlier = e = tg_calloc(1, sizeof *e);
	p->f.earlier_n = 1;
	*e = (struct tg_earlier){ tg_strdup("msa_glm46_r1_lite_test_1"), tg_strdup("glm46_r1"),
				  tg_strdup("zai/glm-4.6"), tg_strdup("0:3"), tg_strdup(config),
				  tg_strdup(rows) };
	expect_none(p, "repeat"); /* the tag does not speak of repeats */
	p->ask.tag = "glm46_r2";
	expect(p, "repeat", OK, "1 earlier repeat");
	p->ask.tag = "other_r2";
	expect(p, "repeat", OK, "0 earlier repeats");
	p->ask.tag = "glm46_r1";
	expect(p, "repeat", FAIL, "the very same tag");
	p->ask.tag = "glm46_r2";
	p->ask.slice = "0:2";
	expect(p, "repeat", FAIL, "another slice");
	p->ask.slice = "0:3";
	set_text(&e->model_id, "zai/glm-4.5");
	expect(p, "repeat", FAIL, "another --model-id");
	set_text(&e->model_id, "zai/glm-4.6");
	put_rows(p, 4, "");
	expect(p, "repeat", FAIL, "other rows");
	change_config(p, "step_limit: 250", "step_limit: 251");
	expect(p, "repeat", FAIL, "another config");
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_INPUT);
}

/* G1: commands glued together. */
static void section_g1_glued_commands(void **state)
{
	static const char *const bad[] = { "runsmini-extra", "a\nb", "zai/glm-4.6--slice",
					   "50:100--tag" };
	struct planted *p = *state;

	expect(p, "glued-command", OK, NULL);
	for (size_t i = 0; i < 4; i++) {
		p->ask.output = bad[i];
		expect(p, "glued-command", FAIL, "--output");
	}
	p->ask.output = NULL;
	p->ask.model_id = "zai/glm-4.6--slice";
	expect(p, "glued-command", FAIL, "it holds --slice");
}

/* G2: empty and invalid patches: their causes stand in the config. */
static void section_g2_empty_patches(void **state)
{
	struct planted *p = *state;

	expect(p, "cwd", OK, "/testbed");
	change_config(p,
		      "  cwd: /testbed\n  timeout: 60\n  pull_timeout: 1200\n  environment_class: "
		      "docker\n",
		      "");
	expect(p, "cwd", FAIL, "is empty, so agents work in '/'");
	change_config(p, "environment:\n  cwd: /testbed\n  timeout: 60\n  pull_timeout: 1200\n"
		      "  environment_class: docker\n", "");
	expect(p, "cwd", FAIL, "missing");
	change_config(p, "  cwd: /testbed\n", "");
	expect(p, "cwd", FAIL, "not set, so '/'");
	change_config(p, "/testbed", "/");
	expect(p, "cwd", FAIL, "git diff is empty");
	change_config(p, "/testbed", "/workspace");
	expect(p, "cwd", WARN, "/workspace");
	change_config(p, "class: docker", "class: local");
	expect_none(p, "cwd");

	put_config(p, good_config);
	expect(p, "template", OK, NULL);
	change_config(p, "git add -A && git diff --cached", "true");
	expect(p, "template", WARN, "git diff");
	change_config(p, "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "done");
	expect(p, "template", WARN, "COMPLETE_TASK");
	put_config(p, "model:\n  model_name: zai/glm-4.6\nenvironment:\n  cwd: /testbed\n");
	expect(p, "template", FAIL, "never asks for a diff");
}

/* G3: disk for images. */
static void section_g3_disk(void **state)
{
	struct planted *p = *state;

	expect(p, "images", OK, "all 3");
	expect(p, "image-disk", OK, "0 images to pull");
	expect_none(p, "pull-timeout");
	set_names(&p->f.images, "swebench/sweb.eval.x86_64.own_1776_name-1:latest");
	expect(p, "images", WARN, "2 of 3 images are still to be pulled, the first is "
				  "swebench/sweb.eval.x86_64.own_1776_name-0:latest");
	expect(p, "pull-timeout", OK, "1200");
	p->f.image_bytes = 3000000000LL;
	p->f.docker_free = 5000000000LL;
	expect(p, "image-disk", FAIL,
	       "2 images to pull need about 6.0 GB (3.0 GB each, by the mean of those that "
	       "are here), and /var/lib/docker has 5.0 GB free");
	p->f.docker_free = 7000000000LL;
	expect(p, "image-disk", WARN, "7.0 GB");
	p->f.docker_free = 70000000000LL;
	expect(p, "image-disk", OK, NULL);
	p->f.image_bytes = 0;
	p->f.docker_free = 1500000000LL;
	expect(p, "image-disk", FAIL, "the harness's guide");
	p->f.docker_free = -1; /* Docker Desktop */
	expect(p, "image-disk", WARN, "cannot be seen");
	p->f.windows_free = 1000000000LL;
	expect(p, "image-disk", FAIL, "the Windows disk");
	change_config(p, "  pull_timeout: 1200\n", "");
	expect(p, "pull-timeout", WARN, "120 s (the default)");
	change_config(p, "pull_timeout: 1200", "pull_timeout: soon");
	expect(p, "pull-timeout", FAIL, "no number");
	p->f.images_known = false;
	expect_none(p, "images");
	expect_none(p, "image-disk");
}

static void a_row_names_its_own_image(void **state)
{
	struct planted *p = *state;

	put_rows(p, 1, ",\"image\":\"docker.io/some/where:v1\"");
	p->ask.slice = NULL;
	expect(p, "images", WARN, "some/where:v1");
	set_names(&p->f.images, "some/where:v1");
	expect(p, "images", OK, NULL);
}

static void json_and_exit_codes(void **state)
{
	struct planted *p = *state;
	struct cJSON *j;

	set_names(&p->f.dotenv, "");
	expect(p, "keys", FAIL, NULL);
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_MACHINE);
	assert_int_equal(tg_doctor_exit(&p->d, true), 0); /* --force */
	j = tg_doctor_json(&p->d);
	assert_string_equal(tg_json_str(j, "schema"), "tgmon.doctor.v1");
	assert_false(tg_json_bool(j, "ok", true));
	assert_int_equal(tg_json_int(j, "failures", -1), 1);
	assert_int_equal(tg_json_len(tg_json_get(j, "checks")), p->d.n);
	tg_json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOOD_AND_BAD(section_a_tools),
		GOOD_AND_BAD(section_a2_keys),
		GOOD_AND_BAD(names_of_dotenv),
		GOOD_AND_BAD(section_b_yaml),
		GOOD_AND_BAD(section_b_unknown_keys),
		GOOD_AND_BAD(section_b_secret),
		GOOD_AND_BAD(section_b_cost),
		GOOD_AND_BAD(section_c_rows),
		GOOD_AND_BAD(section_e1_second_config),
		GOOD_AND_BAD(section_f_repeats),
		GOOD_AND_BAD(section_g1_glued_commands),
		GOOD_AND_BAD(section_g2_empty_patches),
		GOOD_AND_BAD(section_g3_disk),
		GOOD_AND_BAD(a_row_names_its_own_image),
		GOOD_AND_BAD(json_and_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
