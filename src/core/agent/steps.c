#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/trajectory.h"
#include "core/lib/json.h"

/* The text of a message: a string, or the first text part of a list of parts. */
static const char *content_text(const struct cJSON *m)
{
	const struct cJSON *c = tg_json_get(m, "content");

	if (tg_json_kind(c) != TG_JSON_ARRAY)
		return tg_json_text(c);
	for (const struct cJSON *part = tg_json_first(c); part; part = tg_json_next(part))
		if (tg_json_str(part, "text"))
			return tg_json_str(part, "text");
	return NULL;
}

static void add_command(struct tg_step *s, const char *p, size_t n)
{
	while (n && strchr(" \t\r\n", *p))
		p++, n--;
	while (n && strchr(" \t\r\n", p[n - 1]))
		n--;
	s->command = tg_realloc(s->command, (s->command_n + 1) * sizeof *s->command);
	s->command[s->command_n++] = tg_strndup(p, n);
}

/* Next fenced block: mini-swe-agent's "```bash\s*\n(.*?)\n```" (2.x's text class has its own word
 * in place of bash). Returns where to go on, NULL when there is none. */
static const char *next_block(const char *text, const char *word, const char **body, size_t *n)
{
	const char *p = text, *end;

	while ((p = strstr(p, word))) {
		size_t blank = strspn(p += strlen(word), " \t\r\n");
		const char *q = p + blank;

		while (q > p && q[-1] != '\n')
			q--;
		if (q == p)
			continue; /* no line ends here: not a fence of this kind */
		end = strstr(q, "\n```");
		if (!end)
			return NULL;
		*body = q;
		*n = (size_t)(end - q);
		return end + 4;
	}
	return NULL;
}

/* Exactly one block is a command; none or several are a format error, and nothing was run. */
static void commands_in_text(struct tg_step *s, const char *text)
{
	static const char *const words[] = { "```bash", "```mswea_bash_command" };
	const char *body[2] = { NULL, NULL };
	size_t len[2] = { 0, 0 }, found = 0;

	for (size_t i = 0; i < sizeof words / sizeof *words && text && !found; i++)
		for (const char *p = text; found < 2; found++)
			if (!(p = next_block(p, words[i], &body[found], &len[found])))
				break;
	if (found == 1)
		add_command(s, body[0], len[0]);
}

/* The arguments of a tool call are JSON in a string: {"command": "..."}. */
static void command_in_arguments(struct tg_step *s, const char *arguments)
{
	struct cJSON *v =
	    arguments ? tg_json_parse(arguments, strlen(arguments), "arguments", NULL, NULL) : NULL;
	const char *command = tg_json_str(v, "command");

	if (command)
		add_command(s, command, strlen(command));
	tg_json_free(v);
}

static void read_commands(struct tg_step *s, const struct cJSON *m)
{
	const struct cJSON *list = tg_json_path(m, "extra.actions");

	for (const struct cJSON *a = tg_json_first(list); a; a = tg_json_next(a)) {
		const char *command = tg_json_str(a, "command");

		if (command)
			add_command(s, command, strlen(command));
	}
	if (list)
		return;
	list = tg_json_get(m, "tool_calls");
	for (const struct cJSON *c = tg_json_first(list); c; c = tg_json_next(c))
		command_in_arguments(s, tg_json_str(tg_json_get(c, "function"), "arguments"));
	list = tg_json_get(m, "output"); /* responses API */
	for (const struct cJSON *c = tg_json_first(list); c; c = tg_json_next(c))
		if (tg_streq(tg_json_str(c, "type"), "function_call"))
			command_in_arguments(s, tg_json_str(c, "arguments"));
	if (!s->command_n)
		commands_in_text(s, s->text);
}

/* What a message of the responses API says stands in its output list. */
static const char *answer_text(const struct cJSON *m)
{
	const char *text = content_text(m);
	const struct cJSON *out = text ? NULL : tg_json_get(m, "output");

	for (const struct cJSON *o = tg_json_first(out); o && !text; o = tg_json_next(o))
		text = content_text(o);
	return text;
}

static int returncode_in_text(const char *text)
{
	static const char open[] = "<returncode>";
	const char *p = text ? strstr(text, open) : NULL, *end;
	char *digits;
	int64_t v;
	bool ok;

	if (!p || !(end = strstr(p += sizeof open - 1, "</returncode>")) || end - p > 11)
		return INT_MIN;
	digits = tg_strndup(p, (size_t)(end - p));
	ok = tg_parse_i64(digits, &v) && v > INT_MIN && v <= INT_MAX;
	free(digits);
	return ok ? (int)v : INT_MIN;
}

static bool is_observation(const struct cJSON *m)
{
	const char *role = tg_json_str(m, "role");

	return tg_streq(role, "user") || tg_streq(role, "tool") ||
	       tg_streq(tg_json_str(m, "type"), "function_call_output");
}

static void read_observation(struct tg_step *s, const struct cJSON *m)
{
	const struct cJSON *extra = tg_json_get(m, "extra");
	const struct cJSON *code = tg_json_get(extra, "returncode");
	const char *text = content_text(m) ? content_text(m) : tg_json_str(m, "output");
	double v = tg_json_number(code, INT_MIN);

	s->output = tg_json_str(extra, "raw_output") ? tg_json_str(extra, "raw_output") : text;
	s->returncode = tg_json_kind(code) == TG_JSON_NUMBER && v > INT_MIN && v <= INT_MAX ?
			    (int)v :
			    returncode_in_text(text);
}

bool tg_traj_steps(const struct tg_traj *t, struct tg_step **steps, size_t *n)
{
	const struct cJSON *messages = tg_json_get(t->root, "messages");
	size_t cap = 0, index = 0;
	bool open = false; /* the last step has no observation yet */

	*steps = NULL;
	*n = 0;
	if (tg_json_kind(messages) != TG_JSON_ARRAY)
		return false;
	for (const struct cJSON *m = tg_json_first(messages); m; m = tg_json_next(m), index++) {
		if (tg_streq(tg_json_str(m, "role"), "assistant") ||
		    tg_streq(tg_json_str(m, "object"), "response")) {
			TG_GROW(*steps, *n, cap);
			struct tg_step *s = &(*steps)[(*n)++];

			*s = (struct tg_step){ .message_index = index,
					       .text = answer_text(m),
					       .returncode = INT_MIN };
			read_commands(s, m);
			open = true;
		} else if (open && is_observation(m)) {
			read_observation(&(*steps)[*n - 1], m);
			open = false;
		}
	}
	return true;
}

void tg_steps_free(struct tg_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < steps[i].command_n; k++)
			free(steps[i].command[k]);
		free(steps[i].command);
	}
	free(steps);
}
