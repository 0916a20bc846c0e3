#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/trajectory.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"

static void parse(struct tg_traj *t, const char *text)
{
	struct tg_err err = { 0 };

	if (!tg_traj_parse(t, text, strlen(text), "t", &err))
		fail_msg("%s", err.msg);
}

static const char first[] =
    "{\"info\":{\"exit_status\":\"Submitted\",\"submission\":\"diff\\n\",\"model_stats\":{"
    "\"instance_cost\":"
    "0.25,\"api_calls\":3},\"config\":{\"model\":{\"model_name\":\"m/asked\"}}},\"messages\":["
    "{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"```bash\\nnot "
    "me\\n```\"},"
    "{\"role\":\"assistant\",\"content\":\"think\\n```bash\\n\\n  ls -la \\necho "
    "x\\n```\\nmore\",\"extra\":"
    "{\"response\":{\"model\":\"m/answered\",\"usage\":{\"total_tokens\":100}}}},"
    "{\"role\":\"user\",\"content\":\"<returncode>2</returncode>\\n<output>\\nout</output>\"},"
    "{\"role\":\"assistant\",\"content\":\"two ```bash\\na\\n``` and "
    "```bash\\nb\\n```\",\"extra\":{\"response\":"
    "{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}}},"
    "{\"role\":\"user\",\"content\":\"format error\"},"
    "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"x\\n```bash\\npwd\\n```\"}]"
    "},"
    "{\"role\":\"user\",\"content\":\"diff\\n\"}],"
    "\"trajectory_format\":\"mini-swe-agent-1\",\"instance_id\":\"i\"}";

static void reads_format_1(void **state)
{
	struct tg_traj t;
	struct tg_step *s;
	size_t n;

	(void)state;
	parse(&t, first);
	assert_int_equal(t.version, 1);
	assert_string_equal(t.instance_id, "i");
	assert_string_equal(t.exit_status, "Submitted");
	assert_true(t.has_submission);
	assert_int_equal(t.api_calls, 3);
	assert_true(t.cost_usd == 0.25);
	assert_int_equal(t.tokens, 110);
	assert_string_equal(t.model_config, "m/asked");
	assert_string_equal(t.model_answered, "m/answered");
	assert_true(tg_traj_steps(&t, &s, &n));
	assert_int_equal(n, 3);
	assert_int_equal(s[0].message_index, 2);
	assert_int_equal(s[0].command_n, 1);
	assert_string_equal(s[0].command[0], "ls -la \necho x");
	assert_int_equal(s[0].returncode, 2);
	assert_int_equal(s[1].command_n, 0); /* two blocks: the agent ran neither */
	assert_string_equal(s[1].output, "format error");
	assert_int_equal(s[1].returncode, INT_MIN);
	assert_string_equal(s[2].command[0], "pwd");
	tg_steps_free(s, n);
	tg_traj_fini(&t);
}

static const char second[] =
    "{\"info\":{\"exit_status\":\"APIError\",\"submission\":\"\",\"model_stats\":{\"instance_"
    "cost\":0,"
    "\"api_calls\":4},\"mini_version\":\"2.4.6\",\"traceback\":\"T\",\"exception_str\":\"E\"},"
    "\"messages\":["
    "{\"role\":\"assistant\",\"content\":\"a\",\"tool_calls\":[{\"function\":{\"arguments\":\"{"
    "\\\"command\\\": "
    "\\\"not "
    "this\\\"}\"}}],\"extra\":{\"actions\":[{\"command\":\"one\"},{\"command\":\"two\"}],\"cost\":"
    "0.5}},"
    "{\"role\":\"tool\",\"content\":\"<returncode>0</"
    "returncode>\",\"extra\":{\"raw_output\":\"raw\","
    "\"returncode\":-1}},{\"role\":\"tool\",\"content\":\"second\"},"
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"function\":{\"arguments\":"
    "\"{\\\"command\\\": \\\"three\\\"}\"}},{\"function\":{\"arguments\":\"not json\"}}]},"
    "{\"role\":\"user\",\"content\":\"no tool "
    "call\",\"extra\":{\"interrupt_type\":\"FormatError\",\"response\":"
    "{\"usage\":{\"total_tokens\":5}}}},"
    "{\"role\":\"assistant\",\"content\":\"t\\n```mswea_bash_command\\nfour\\n```\"},"
    "{\"object\":\"response\",\"model\":\"r\",\"usage\":{\"input_tokens\":10,\"output_tokens\":1},"
    "\"output\":["
    "{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"hello\"}]},"
    "{\"type\":\"function_call\",\"arguments\":\"{\\\"command\\\":\\\"five\\\"}\"}]},"
    "{\"type\":\"function_call_output\",\"output\":\"<returncode>3</returncode> x\"},"
    "{\"role\":\"exit\",\"content\":\"\",\"extra\":{\"exit_status\":\"APIError\"}}],"
    "\"trajectory_format\":\"mini-swe-agent-1.1\"}";

static void reads_format_2(void **state)
{
	struct tg_traj t;
	struct tg_step *s;
	size_t n;

	(void)state;
	parse(&t, second);
	assert_int_equal(t.version, 2);
	assert_null(t.instance_id);
	assert_int_equal(t.tokens, 16);
	assert_string_equal(t.model_answered, "r");
	assert_string_equal(t.exception, "E");
	assert_true(tg_traj_steps(&t, &s, &n));
	assert_int_equal(n, 4);
	assert_int_equal(s[0].command_n, 2);
	assert_string_equal(s[0].command[1], "two");
	assert_string_equal(s[0].output, "raw");
	assert_int_equal(s[0].returncode, -1);
	assert_int_equal(s[1].command_n, 1);
	assert_string_equal(s[1].command[0], "three");
	assert_string_equal(s[2].command[0], "four");
	assert_null(s[2].output);
	assert_string_equal(s[3].text, "hello");
	assert_string_equal(s[3].command[0], "five");
	assert_int_equal(s[3].returncode, 3);
	tg_steps_free(s, n);
	tg_traj_fini(&t);
}

/* Whatever shape a file has: what is not there is unknown, nothing is an error but broken JSON. */
static void odd_shapes_are_unknown(void **state)
{
	static const char *const odd[] = {
		"{}",
		"[]",
		"null",
		"42",
		"\"x\"",
		"{\"info\":null,\"messages\":{}}",
		"{\"info\":[],\"messages\":3}",
		"{\"info\":{\"exit_status\":7,\"submission\":{},\"model_stats\":\"x\"},"
		"\"messages\":[1,null,\"a\",[],"
		"{},{\"role\":3},{\"role\":\"assistant\"},{\"role\":\"assistant\",\"content\":{},"
		"\"extra\":[],"
		"\"tool_calls\":{}},{\"role\":\"assistant\",\"content\":[[],1,{\"text\":2}],"
		"\"extra\":{\"actions\":"
		"[1,{\"command\":[]}]}},{\"role\":\"user\",\"content\":\"<returncode>99999999999</"
		"returncode>\"}]}",
		"{\"messages\":[{\"role\":\"assistant\",\"content\":\"```bash\"},{\"role\":"
		"\"assistant\",\"content\":"
		"\"```bash\\nx\"},{\"role\":\"assistant\",\"content\":\"```bash x\\n```\"}]}",
		("{\"info\":{\"model_stats\":{\"instance_cost\":NaN,\"api_calls\":1e30}},"
		 "\"info\":{}}"),
	};
	struct tg_traj t;

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct tg_step *s = NULL;
		size_t n = 0;

		parse(&t, odd[i]);
		assert_null(t.exit_status);
		assert_null(t.submission);
		assert_int_equal(t.tokens, -1);
		assert_true(t.cost_usd < 0);
		if (tg_traj_steps(&t, &s, &n))
			for (size_t k = 0; k < n; k++)
				assert_int_equal(s[k].command_n, 0);
		tg_steps_free(s, n);
		tg_traj_fini(&t);
	}
	assert_false(tg_traj_parse(&t, "{\"info\":", 8, "torn", NULL));
	tg_traj_fini(&t);
	assert_false(tg_traj_load(&t, "/nonexistent", NULL));
	tg_traj_fini(&t);
	parse(&t, "{\"tgmon\":{\"no_trajectory\":true}}");
	assert_true(t.no_trajectory);
	tg_traj_fini(&t);
}

/* ---- outcomes ------------------------------------------------------------------------- */

static void sorts_statuses(void **state)
{
	static const struct {
		const char *status, *text;
		bool submitted;
		enum tg_outcome want;
	} row[] = {
		{ "Submitted", NULL, true, TG_OUT_DONE },
		{ "Submitted", NULL, false, TG_OUT_EMPTY },
		{ "LimitsExceeded", NULL, false, TG_OUT_LIMIT },
		{ "TimeExceeded", NULL, false, TG_OUT_LIMIT },
		{ "RepeatedFormatError", NULL, false, TG_OUT_LIMIT },
		{ "ContextWindowExceededError", "too long", false, TG_OUT_LIMIT },
		{ "litellm.ContextWindowExceededError", NULL, false, TG_OUT_LIMIT },
		{ "CalledProcessError", NULL, true, TG_OUT_INFRA },
		{ "TimeoutExpired", NULL, false, TG_OUT_INFRA },
		{ "FileNotFoundError", NULL, false, TG_OUT_INFRA },
		{ "RuntimeError", "Error in the Docker daemon", false, TG_OUT_INFRA },
		{ "RuntimeError", "Error executing startup command: x", false, TG_OUT_INFRA },
		{ "OSError", "[Errno 28] No space left on device", false, TG_OUT_INFRA },
		{ "RateLimitError", NULL, false, TG_OUT_MODEL_API },
		{ "AuthenticationError", NULL, false, TG_OUT_MODEL_API },
		{ "APIError", NULL, false, TG_OUT_MODEL_API },
		{ "OpenRouterAPIError", NULL, false, TG_OUT_MODEL_API },
		{ "APIConnectionError", NULL, false, TG_OUT_MODEL_API },
		{ "Timeout", NULL, false, TG_OUT_MODEL_API },
		{ "BadRequestError", NULL, false, TG_OUT_MODEL_API },
		{ "NotFoundError", NULL, false, TG_OUT_MODEL_API },
		{ "InternalServerError", "the container of the model", false, TG_OUT_MODEL_API },
		{ "RuntimeError", "Error calculating cost for model x", false, TG_OUT_BUG },
		{ "RuntimeError", NULL, false, TG_OUT_BUG },
		{ "TypeError", NULL, false, TG_OUT_BUG },
		{ "ValidationError", NULL, false, TG_OUT_BUG },
		{ "KeyError", "'x'", false, TG_OUT_BUG },
		{ "Uncaught ValidationError", NULL, false, TG_OUT_BUG },
		{ "Uncaught RateLimitError", NULL, false, TG_OUT_BUG },
		{ NULL, NULL, false, TG_OUT_BUG },
		{ "null", NULL, false, TG_OUT_BUG },
		{ "SomethingNew", NULL, true, TG_OUT_BUG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		const char *why = NULL;
		enum tg_outcome got =
		    tg_status_outcome(row[i].status, row[i].text, row[i].submitted, &why);

		if (got != row[i].want)
			fail_msg("%s is %s, not %s", row[i].status ? row[i].status : "(null)",
				 tg_outcome_name(got), tg_outcome_name(row[i].want));
		assert_non_null(why);
	}
}

static enum tg_outcome judge(const char *info, const char *killed, int code, int sig)
{
	char *text = tg_asprintf("{\"info\":%s,\"messages\":[]}", info);
	struct tg_traj t;
	enum tg_outcome o;

	parse(&t, text);
	free(text);
	o = tg_traj_outcome(&t, killed, code, sig);
	tg_traj_fini(&t);
	return o;
}

static void weighs_process_and_word(void **state)
{
	static const char done[] = "{\"exit_status\":\"Submitted\",\"submission\":\"d\"}";
	static const char docker[] =
	    "{\"exit_status\":\"CalledProcessError\",\"submission\":\"exit 130\"}";
	static const char live[] = "{\"exit_status\":\"\",\"submission\":\"\"}";
	static const char nothing[] = "{\"exit_status\":\"Submitted\",\"submission\":\" \\n\"}";

	(void)state;
	assert_int_equal(tg_traj_outcome(NULL, NULL, 0, 0), TG_OUT_CRASH);
	assert_int_equal(tg_traj_outcome(NULL, NULL, 1, 0), TG_OUT_CRASH);
	assert_int_equal(tg_traj_outcome(NULL, NULL, -1, 11), TG_OUT_CRASH);
	assert_int_equal(tg_traj_outcome(NULL, "timeout", -1, 15), TG_OUT_TIMEOUT);
	assert_int_equal(tg_traj_outcome(NULL, "operator", -1, 15), TG_OUT_CANCELLED);
	assert_int_equal(judge(live, "timeout", -1, 15), TG_OUT_TIMEOUT);
	assert_int_equal(judge(live, "operator", -1, 9), TG_OUT_CANCELLED);
	assert_int_equal(judge(live, NULL, -1, 6), TG_OUT_CRASH);
	assert_int_equal(judge(live, NULL, 0, 0), TG_OUT_CRASH);
	/* killed while the container started: the kill is the cause, not docker */
	assert_int_equal(judge(docker, "operator", 1, 0), TG_OUT_CANCELLED);
	assert_int_equal(judge(docker, NULL, 0, 0), TG_OUT_INFRA);
	/* finished, then killed: the result stands */
	assert_int_equal(judge(done, "timeout", -1, 9), TG_OUT_DONE);
	assert_int_equal(judge(done, NULL, 1, 0), TG_OUT_DONE);
	assert_int_equal(judge(nothing, NULL, 0, 0), TG_OUT_EMPTY);
	assert_int_equal(judge("{\"exit_status\":null}", NULL, 0, 0), TG_OUT_BUG);
	/* the real tools end with code 1 then (2.4.6 and its samples) */
	assert_int_equal(judge("{\"exit_status\":null}", NULL, 1, 0), TG_OUT_BUG);
	assert_int_equal(judge("{\"exit_status\":null}", NULL, -1, 9), TG_OUT_CRASH);
	assert_int_equal(
	    judge("{\"exit_status\":\"RuntimeError\",\"exception_str\":\"podman: x\"}", NULL, 0, 0),
	    TG_OUT_INFRA);
	/* a file name in a traceback is not the cause */
	assert_int_equal(
	    judge("{\"exit_status\":\"KeyError\",\"exception_str\":\"'x'\",\"traceback\":"
		  "\"docker.py line 3\"}",
		  NULL, 0, 0),
	    TG_OUT_BUG);
}

/* ---- what the real tools wrote -------------------------------------------------------- */

struct seen {
	size_t files, steps, commands, outcome[TG_OUT_COUNT];
	double cost;
};

static void look_at(const char *path, struct seen *seen)
{
	struct tg_traj t;
	struct tg_step *s;
	struct tg_err err = { 0 };
	size_t n, commands = 0;

	if (!tg_traj_load(&t, path, &err))
		fail_msg("%s", err.msg);
	assert_in_range(t.version, 1, 2);
	assert_non_null(t.exit_status);
	assert_true(tg_traj_steps(&t, &s, &n));
	for (size_t i = 0; i < n; i++) {
		commands += s[i].command_n;
		if (i + 1 < n && s[i].command_n && !s[i].output)
			fail_msg("%s: step %zu has no observation", path, i);
	}
	assert_true(t.api_calls >= (int64_t)n);
	assert_true(!t.api_calls || t.tokens > 0);
	seen->files++;
	seen->steps += n;
	seen->commands += commands;
	seen->cost += t.cost_usd;
	seen->outcome[tg_traj_outcome(&t, NULL, 0, 0)]++;
	tg_steps_free(s, n);
	tg_traj_fini(&t);
}

/* RUN/<iid>/<iid>.traj.json for every folder in RUN. */
static void look_at_run(const char *dir, struct seen *seen)
{
	const char *shared = getenv("TGMON_SHARED");
	char *run = tg_asprintf("%s/corpus/%s", shared ? shared : "../shared", dir);
	struct tg_names ids;

	if (!tg_dir_list(run, &ids, NULL)) {
		print_message("skipped: %s is not there\n", run);
		free(run);
		skip();
	}
	for (size_t i = 0; i < ids.n; i++) {
		char *path = tg_asprintf("%s/%s/%s.traj.json", run, ids.v[i], ids.v[i]);

		if (tg_file_exists(path))
			look_at(path, seen);
		free(path);
	}
	tg_names_free(&ids);
	free(run);
}

static void reads_run20(void **state)
{
	struct seen s = { 0 };

	(void)state;
	look_at_run("run20/msa_glm46_lite_run20", &s);
	assert_int_equal(s.files, 18);
	assert_int_equal(s.outcome[TG_OUT_DONE], 15);
	assert_int_equal(s.outcome[TG_OUT_EMPTY], 1);
	assert_int_equal(s.outcome[TG_OUT_LIMIT], 1);
	assert_int_equal(s.outcome[TG_OUT_INFRA], 1);
	assert_int_equal(s.steps, 783); /* counted by another program, as is the sum */
	assert_true(s.cost > 6.82006 && s.cost < 6.82007);
}

static void reads_tool_outputs(void **state)
{
	static const char *const runs[] = { "tool-outputs/v1", "tool-outputs/v2" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct seen s = { 0 };

		look_at_run(runs[i], &s);
		assert_int_equal(s.files, 4);
		assert_int_equal(s.outcome[TG_OUT_DONE], 1);
		assert_int_equal(s.outcome[TG_OUT_LIMIT], 2); /* steps; context window */
		assert_int_equal(s.outcome[TG_OUT_EMPTY], 1);
		assert_true(s.commands >= 10);
	}
	struct seen live = { 0 };
	look_at_run("tool-outputs/v2_live", &live);
	assert_int_equal(live.files, 1);
	assert_int_equal(live.outcome[TG_OUT_DONE], 1);
	assert_int_equal(live.commands, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_format_1),	   cmocka_unit_test(reads_format_2),
		cmocka_unit_test(odd_shapes_are_unknown),  cmocka_unit_test(sorts_statuses),
		cmocka_unit_test(weighs_process_and_word), cmocka_unit_test(reads_run20),
		cmocka_unit_test(reads_tool_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
