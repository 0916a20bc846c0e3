/* See import_log.h. */
#include "core/run/import_log.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/lib/buf.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/layout.h"

struct task {
	char *id, *container, *error;
	int64_t start_ms;
	int round;
	bool up, over;
};

struct reading {
	struct task *v;
	size_t n, cap;
	int round;
	int64_t total;
	bool cancelled;
	char *live;
};

/* "2026-11-22 17:08:07,458 - " in the writer's local time; 0: the line does not begin so. */
static int64_t line_time(const char *s)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *rest = strptime(s, "%Y-%m-%d %H:%M:%S", &tm);
	time_t t;

	if (rest == NULL || *rest != ',' || strlen(rest) < 7 || strncmp(rest + 4, " - ", 3) != 0)
		return 0;
	t = mktime(&tm);
	return t > 0 ? (int64_t)t * 1000 + strtol(rest + 1, NULL, 10) : 0;
}

/* ---- minisweagent.log ---- */

static struct task *task_of(struct reading *r, const char *id, bool add)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcasecmp(r->v[i].id, id) == 0)
			return &r->v[i];
	if (!add || !tg_instance_id_valid(id))
		return NULL;
	TG_GROW(r->v, r->n, r->cap);
	r->v[r->n] = (struct task){ .id = tg_strdup(id), .round = r->round };
	return &r->v[r->n++];
}

static void set_text(char **to, char *text)
{
	free(*to);
	*to = text;
}

static void on_running(struct reading *r, const char *rest, int64_t ms)
{
	char *number = tg_strndup(rest, strcspn(rest, " "));

	(void)ms;
	r->round++;
	r->cancelled = false;
	set_text(&r->live, NULL);
	if (!tg_parse_i64(number, &r->total) || r->total < 0)
		r->total = -1;
	free(number);
}

static void on_starting(struct reading *r, const char *rest, int64_t ms)
{
	const char *name = strstr(rest, "--name ");
	char *id = tg_image_instance(rest);
	struct task *t = id != NULL ? task_of(r, id, true) : NULL;

	free(id);
	if (t == NULL)
		return;
	name = name != NULL ? name + strlen("--name ") : "";
	set_text(&t->container, tg_text_line(name, strcspn(name, " "), 64));
	set_text(&t->error, NULL);
	t->start_ms = ms;
	t->round = r->round;
	t->up = t->over = false;
}

static void on_started(struct reading *r, const char *rest, int64_t ms)
{
	char *name = tg_strndup(rest, strcspn(rest, " "));

	(void)ms;
	for (size_t i = 0; i < r->n; i++)
		if (tg_streq(r->v[i].container, name))
			r->v[i].up = true;
	free(name);
}

/* Saved trajectory to '.../<iid>.traj.json': this one names the id as it is. */
static void on_saved(struct reading *r, const char *rest, int64_t ms)
{
	const char *end = strstr(rest, ".traj.json"), *from = end;
	struct task *t;
	char *id;

	(void)ms;
	while (from != NULL && from > rest && from[-1] != '/' && from[-1] != '\'')
		from--;
	if (from == NULL)
		return;
	id = tg_strndup(from, (size_t)(end - from));
	t = task_of(r, id, true);
	if (t != NULL) {
		set_text(&t->id, tg_strdup(id));
		t->over = true;
	}
	free(id);
}

static void on_error(struct reading *r, const char *rest, int64_t ms)
{
	size_t n = strcspn(rest, ":");
	char *id = tg_strndup(rest, n);
	struct task *t = task_of(r, id, true);

	(void)ms;
	if (t != NULL) {
		rest += n + (rest[n] == ':');
		rest += strspn(rest, " ");
		set_text(&t->id, tg_strdup(id));
		set_text(&t->error, tg_text_line(rest, strlen(rest), 300));
		t->over = true;
	}
	free(id);
}

static void on_specs(struct reading *r, const char *rest, int64_t ms)
{
	const char *at = strstr(rest, "agent.output_path=");
	size_t n;

	(void)ms;
	if (at == NULL)
		return;
	at += strlen("agent.output_path=");
	n = strcspn(at, "'\"");
	for (size_t i = 0; i < n; i++)
		if (at[i] == '/') {
			at += i + 1;
			n -= i + 1;
			i = (size_t)-1;
		}
	set_text(&r->live, tg_strndup(at, n));
}

static void on_cancel(struct reading *r, const char *rest, int64_t ms)
{
	(void)rest;
	(void)ms;
	r->cancelled = true;
}

static const struct {
	const char *begin;
	void (*fn)(struct reading *r, const char *rest, int64_t ms);
} lines[] = {
	{ "minisweagent - INFO - Running on ", on_running },
	{ "minisweagent - INFO - Building agent config from specs: ", on_specs },
	{ "minisweagent.environment - DEBUG - Starting container with command: ", on_starting },
	{ "minisweagent.environment - INFO - Started container ", on_started },
	{ "minisweagent - INFO - Saved trajectory to ", on_saved },
	{ "minisweagent - ERROR - Error processing instance ", on_error },
	{ "minisweagent - ERROR - Error in future for instance ", on_error },
	{ "minisweagent - INFO - Cancelling all pending jobs", on_cancel },
};

static void take_line(struct reading *r, const char *line)
{
	int64_t ms = line_time(line);
	const char *rest = ms > 0 ? strstr(line, " - ") + 3 : NULL;

	for (size_t i = 0; rest != NULL && i < sizeof lines / sizeof lines[0]; i++)
		if (tg_starts_with(rest, lines[i].begin)) {
			lines[i].fn(r, rest + strlen(lines[i].begin), ms);
			return;
		}
}

static struct cJSON *task_json(const struct task *t)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "id", t->id);
	tg_json_set_str(o, "container", t->container);
	tg_json_set_int(o, "start_ms", t->start_ms);
	tg_json_set_int(o, "round", t->round);
	tg_json_set_bool(o, "up", t->up);
	tg_json_set_bool(o, "over", t->over);
	tg_json_set_str(o, "error", t->error);
	return o;
}

struct cJSON *tg_import_log(const char *p, size_t n)
{
	struct reading r = { .total = -1 };
	struct cJSON *o = tg_json_object(), *list = tg_json_array();

	for (size_t at = 0; at < n;) { /* the last line may be half of one */
		const char *nl = memchr(p + at, '\n', n - at);
		char *line;

		if (nl == NULL)
			break;
		if (isdigit((unsigned char)p[at])) {
			line = tg_strndup(p + at, (size_t)(nl - (p + at)));
			take_line(&r, line);
			free(line);
		}
		at = (size_t)(nl - p) + 1;
	}
	tg_json_set_int(o, "round", r.round);
	if (r.total >= 0)
		tg_json_set_int(o, "total", r.total);
	tg_json_set_bool(o, "cancelled", r.cancelled);
	tg_json_set_str(o, "live", r.live);
	for (size_t i = 0; i < r.n; i++) {
		tg_json_push(list, task_json(&r.v[i]));
		free(r.v[i].id);
		free(r.v[i].container);
		free(r.v[i].error);
	}
	tg_json_set(o, "inst", list);
	free(r.v);
	free(r.live);
	return o;
}

/* ---- run_instance.log ---- */

static const struct {
	const char *marker, *phase;
} phases[] = {
	{ "Image not found locally", "pulling" },
	{ "Creating container for ", "creating" },
	{ "Container for ", "applying" },
	{ "Git diff before", "testing" },
	{ "Test runtime: ", "grading" },
	{ "Attempting to stop container ", "cleanup" },
};

/* Marker lines come with a date; the test's and the model's text do not begin so. A 4.x log of a
 * patch that does not apply repeats its traceback for 200 KB: the first marker says it all. */
struct cJSON *tg_import_eval_log(const char *p, size_t n)
{
	struct cJSON *o = tg_json_object();
	const char *phase = NULL;
	bool failed = false, over = false;

	for (size_t at = 0; at < n && !failed;) {
		const char *nl = memchr(p + at, '\n', n - at);
		size_t len = nl != NULL ? (size_t)(nl - (p + at)) : n - at;
		char *line = tg_strndup(p + at, len < 400 ? len : 400);
		const char *rest = line_time(line) > 0 ? strstr(line, " - ") + 3 : NULL;

		rest = rest != NULL ? strstr(rest, " - ") : NULL;
		for (size_t i = 0; rest != NULL && i < sizeof phases / sizeof phases[0]; i++)
			if (tg_starts_with(rest + 3, phases[i].marker))
				phase = phases[i].phase;
		over = over || (rest != NULL && tg_ends_with(rest, "removed successfully."));
		failed = rest != NULL && (tg_starts_with(rest + 3, ">>>>> Patch Apply Failed") ||
					  tg_starts_with(rest + 3, "Error creating container") ||
					  tg_starts_with(rest + 3, "Test timed out"));
		if (failed) {
			char *text = tg_text_line(rest + 3, strlen(rest + 3), 160);

			tg_json_set_str(o, "failed", text);
			free(text);
		}
		free(line);
		at += len + 1;
	}
	tg_json_set_str(o, "phase", phase);
	tg_json_set_bool(o, "over", over || failed);
	return o;
}
