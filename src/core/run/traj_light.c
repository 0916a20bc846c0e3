#include "core/run/traj_light.h"

#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/json.h"

/* 1.x: the text between "```bash\n" and "\n```". */
static char *fenced_command(const char *text)
{
	const char *from = text ? strstr(text, "```bash\n") : NULL;
	const char *to;

	if (from == NULL)
		return NULL;
	from += strlen("```bash\n");
	to = strstr(from, "\n```");
	return to != NULL ? tg_strndup(from, (size_t)(to - from)) : NULL;
}

/* 2.x: extra.actions[].command, joined. */
static char *listed_commands(const struct cJSON *actions)
{
	struct tg_buf b = TG_BUF_INIT;

	for (const struct cJSON *a = tg_json_first(actions); a != NULL; a = tg_json_next(a)) {
		const char *command = tg_json_str(a, "command");

		if (command != NULL && b.n < 4096)
			tg_buf_addf(&b, "%s%s", b.n > 0 ? "; " : "", command);
	}
	return b.n > 0 ? tg_buf_detach(&b) : NULL;
}

static bool is_answer(const struct cJSON *m)
{
	return tg_streq(tg_json_str(m, "role"), "assistant") ||
	       tg_streq(tg_json_str(m, "object"), "response");
}

static void read_messages(const struct cJSON *messages, struct tg_traj_light *out)
{
	const struct cJSON *last = NULL;
	double stamp = 0;

	for (const struct cJSON *m = tg_json_first(messages); m != NULL; m = tg_json_next(m)) {
		const struct cJSON *extra = tg_json_get(m, "extra");

		stamp = tg_json_num(m, "timestamp", tg_json_num(extra, "timestamp", stamp));
		if (!is_answer(m))
			continue;
		out->answers++;
		last = m;
	}
	if (stamp > 0 && stamp < 1e11)
		out->last_ms = (int64_t)(stamp * 1000);
	if (last == NULL)
		return;
	out->command = listed_commands(tg_json_path(last, "extra.actions"));
	if (out->command == NULL)
		out->command = fenced_command(tg_json_str(last, "content"));
	out->model_answered = tg_json_text(tg_json_path(last, "extra.response.model"));
}

bool tg_traj_light(const struct cJSON *root, struct tg_traj_light *out)
{
	const struct cJSON *info = tg_json_get(root, "info"),
			   *messages = tg_json_get(root, "messages");
	const struct cJSON *stats = tg_json_get(info, "model_stats");
	const struct cJSON *ours = tg_json_get(root, "tgmon");
	double cost;

	*out = (struct tg_traj_light){ .steps = -1, .cost_usd = -1 };
	if (tg_json_kind(info) != TG_JSON_OBJECT && tg_json_kind(messages) != TG_JSON_ARRAY)
		return false;
	out->steps = tg_json_int(stats, "api_calls", -1);
	cost = tg_json_num(stats, "instance_cost", -1);
	out->cost_usd = cost >= 0 && cost < 1e9 ? cost : -1;
	out->exit_status = tg_json_str(info, "exit_status");
	out->ended = out->exit_status != NULL && out->exit_status[0] != '\0';
	out->submission = tg_json_str(info, "submission");
	out->no_trajectory = tg_json_bool(ours, "no_trajectory", false);
	out->no_trajectory_why = tg_json_str(ours, "why");
	if (tg_json_kind(messages) == TG_JSON_ARRAY)
		read_messages(messages, out);
	return true;
}
