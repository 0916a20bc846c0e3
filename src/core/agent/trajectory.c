#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/trajectory.h"
#include "core/lib/json.h"

static const struct tg_json_limits limits = { .max_bytes = (size_t)256 << 20,
					      .max_depth = 200,
					      .dup_keys_ok = true };

/* ---- the head ------------------------------------------------------------------------- */

/* The API's whole answer: below extra in both formats, the message itself with the responses API.
 */
static const struct cJSON *response(const struct cJSON *m)
{
	const struct cJSON *r = tg_json_path(m, "extra.response");

	return r || !tg_streq(tg_json_str(m, "object"), "response") ? r : m;
}

static int64_t usage_tokens(const struct cJSON *m)
{
	const struct cJSON *u = tg_json_get(response(m), "usage");
	int64_t total = tg_json_int(u, "total_tokens", -1), in, out;

	if (total >= 0)
		return total;
	in = tg_json_int(u, "prompt_tokens", tg_json_int(u, "input_tokens", -1));
	out = tg_json_int(u, "completion_tokens", tg_json_int(u, "output_tokens", -1));
	return in >= 0 && out >= 0 ? in + out : -1;
}

/* The format's name; without one, what only that version writes. */
static int guess_version(const struct cJSON *root, const struct cJSON *messages)
{
	const char *format = tg_json_str(root, "trajectory_format");
	const char *tool = tg_json_text(tg_json_path(root, "info.mini_version"));

	if (tg_streq(format, "mini-swe-agent-1"))
		return 1;
	if (tg_streq(format, "mini-swe-agent-1.1"))
		return 2;
	if (format)
		return 0;
	if (tool && (tg_starts_with(tool, "1.") || tg_starts_with(tool, "2.")))
		return tool[0] - '0';
	for (const struct cJSON *m = tg_json_first(messages); m; m = tg_json_next(m)) {
		if (tg_json_path(m, "extra.actions") || tg_streq(tg_json_str(m, "role"), "tool"))
			return 2;
		if (tg_json_get(m, "timestamp"))
			return 1;
	}
	return 0;
}

static void sum_messages(struct tg_traj *t, const struct cJSON *messages)
{
	double cost = 0;
	bool any_cost = false;

	for (const struct cJSON *m = tg_json_first(messages); m; m = tg_json_next(m)) {
		int64_t tokens = usage_tokens(m);
		double c = tg_json_num(tg_json_get(m, "extra"), "cost", -1);

		if (tokens >= 0)
			t->tokens = (t->tokens < 0 ? 0 : t->tokens) + tokens;
		if (c >= 0) {
			cost += c;
			any_cost = true;
		}
		if (!t->model_answered)
			t->model_answered = tg_json_str(response(m), "model");
	}
	if (t->cost_usd < 0 && any_cost)
		t->cost_usd = cost;
}

static void read_head(struct tg_traj *t)
{
	const struct cJSON *info = tg_json_get(t->root, "info");
	const struct cJSON *stats = tg_json_get(info, "model_stats");
	const struct cJSON *messages = tg_json_get(t->root, "messages");
	const struct cJSON *ours = tg_json_get(t->root, "tgmon");

	t->version = guess_version(t->root, messages);
	t->instance_id = tg_json_str(t->root, "instance_id");
	t->exit_status = tg_json_str(info, "exit_status");
	t->submission = tg_json_str(info, "submission");
	t->has_submission = t->submission != NULL;
	t->api_calls = tg_json_int(stats, "api_calls", -1);
	t->cost_usd = tg_json_num(stats, "instance_cost", -1);
	t->tokens = -1;
	t->model_config = tg_json_text(tg_json_path(info, "config.model.model_name"));
	t->traceback = tg_json_str(info, "traceback");
	t->exception = tg_json_str(info, "exception_str");
	t->no_trajectory = tg_json_bool(ours, "no_trajectory", false);
	sum_messages(t, messages);
}

bool tg_traj_parse(struct tg_traj *t, const char *p, size_t n, const char *name, struct tg_err *err)
{
	*t = (struct tg_traj){ .root = tg_json_parse(p, n, name, &limits, err) };
	if (!t->root)
		return false;
	read_head(t);
	return true;
}

bool tg_traj_load(struct tg_traj *t, const char *path, struct tg_err *err)
{
	*t = (struct tg_traj){ .root = tg_json_load(path, &limits, err) };
	if (!t->root)
		return false;
	read_head(t);
	return true;
}

void tg_traj_fini(struct tg_traj *t)
{
	tg_json_free(t->root);
	*t = (struct tg_traj){ 0 };
}
