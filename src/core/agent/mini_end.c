/*
 * What the tool left becomes what the stages read: its trajectory moves to work/<iid>.traj.json. Where it left
 * none (2.x: the environment did not start; both: an error before the instance began), its own last words
 * stand in a file that says that it is no trajectory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/agent/mini.h"
#include "core/agent/trajectory.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/yaml.h"

#define LOG_MAX ((size_t)64 << 20)
#define WORDS_MAX 8192

static bool is_submitted(const struct tg_traj *t)
{
	return tg_streq(t->exit_status, "Submitted") && t->submission &&
	       t->submission[strspn(t->submission, " \t\r\n")];
}

/* ---- last words ---- */

/* The status under which exit_statuses_*.yaml lists the instance; newest file wins. */
static bool status_in(const char *path, const char *iid, char **status)
{
	struct tg_yaml_node *root = tg_yaml_load(path, 0, NULL);
	const struct tg_yaml_node *map =
	    root && root->kind == TG_YAML_MAP ? tg_yaml_get(root, "instances_by_exit_status") : NULL;
	bool found = false;

	for (const struct tg_yaml_node *s = map && map->kind == TG_YAML_MAP ? map->first : NULL;
	     s && !found; s = s->next)
		for (const struct tg_yaml_node *id = s->first; id && !found; id = id->next)
			if (id->kind == TG_YAML_SCALAR && strcmp(id->text, iid) == 0) {
				found = true;
				*status = tg_strdup(s->key);
			}
	tg_yaml_free(root);
	return found;
}

static bool find_status(const char *out, const char *iid, char **status)
{
	struct tg_names names = { 0 };
	bool found = false;

	if (tg_dir_list(out, &names, NULL))
		for (size_t i = names.n; i-- > 0 && !found;)
			if (tg_starts_with(names.v[i], "exit_statuses_") &&
			    tg_ends_with(names.v[i], ".yaml")) {
				char *path = tg_path_join(out, names.v[i]);

				found = status_in(path, iid, status);
				free(path);
			}
	tg_names_free(&names);
	return found;
}

/* "2026-11-22 17:08:18,566 - " */
static bool begins_record(const char *p)
{
	static const char form[] = "dddd-dd-dd dd:dd:dd,ddd - ";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? p[i] < '0' || p[i] > '9' : p[i] != form[i])
			return false;
	return true;
}

/* The text of the last ERROR record about the instance: message first, traceback after it. */
static char *find_words(const char *out, const char *iid, char **traceback)
{
	char *path = tg_path_join(out, "minisweagent.log"), *words = NULL, *form[2];
	struct tg_buf log = TG_BUF_INIT;
	const char *p, *hit = NULL;

	form[0] = tg_asprintf(" - minisweagent - ERROR - Error processing instance %s: ", iid);
	form[1] = tg_asprintf(" - minisweagent - ERROR - Error in future for instance %s: ", iid);
	if (tg_file_read(path, LOG_MAX, &log, NULL))
		for (p = tg_buf_cstr(&log); *p; p += strcspn(p, "\n"), p += *p == '\n')
			for (int i = 0; i < 2 && begins_record(p); i++)
				if (strncmp(p + 23, form[i], strlen(form[i])) == 0)
					hit = p + 23 + strlen(form[i]);
	if (hit) {
		const char *end = hit, *tb;

		do
			end += strcspn(end, "\n"), end += *end == '\n';
		while (*end && !begins_record(end));
		tb = memmem(hit, (size_t)(end - hit), "\nTraceback (most recent call last):", 35);
		words = tg_strndup(hit, (size_t)((tb ? tb : end) - hit) < WORDS_MAX ?
						(size_t)((tb ? tb : end) - hit) : WORDS_MAX);
		if (tb)
			*traceback = tg_strndup(tb + 1, (size_t)(end - tb - 1) < WORDS_MAX ?
							    (size_t)(end - tb - 1) : WORDS_MAX);
		for (size_t n = strlen(words); n && words[n - 1] == '\n';)
			words[--n] = '\0';
	}
	free(form[0]);
	free(form[1]);
	free(path);
	tg_buf_fini(&log);
	return words;
}

static bool write_stand_in(const char *out, const char *to, const char *iid, struct tg_err *err)
{
	struct cJSON *root = tg_json_object(), *info = tg_json_object(), *ours = tg_json_object();
	char *status = NULL, *traceback = NULL, *words;
	struct tg_buf text = TG_BUF_INIT;
	bool ok = find_status(out, iid, &status);

	words = ok ? find_words(out, iid, &traceback) : NULL;
	if (ok) {
		tg_json_set_str(info, "exit_status",
				tg_streq(status, "null") ? NULL : status);
		tg_json_set_str(info, "submission", "");
		if (words)
			tg_json_set_str(info, "exception_str", words);
		if (traceback)
			tg_json_set_str(info, "traceback", traceback);
		tg_json_set(root, "info", info);
		tg_json_set(root, "messages", tg_json_array());
		tg_json_set_str(root, "instance_id", iid);
		tg_json_set_bool(ours, "no_trajectory", true);
		tg_json_set_str(ours, "why", "the agent left its last words and no trajectory");
		tg_json_set(root, "tgmon", ours);
		tg_json_print(root, TG_JSON_PY_INDENT2, &text);
		ok = tg_file_write(to, text.p, text.n, 0644, err);
	} else {
		tg_json_free(info);
		tg_json_free(ours);
		ok = true; /* the stages say that there is nothing, and how the process ended */
	}
	tg_json_free(root);
	tg_buf_fini(&text);
	free(status);
	free(traceback);
	free(words);
	return ok;
}

/* Neither version left a file, and the rows had shown steps that were paid for: an unfinished record with what
 * they said last. The cost is a lower bound: the call under way is not in it. */
bool tg_mini_last_row(const char *work, const char *iid, const struct tg_mini_progress *p,
		      struct tg_err *err)
{
	char *live = tg_path_join(work, "live.traj.json");
	char *final = tg_asprintf("%s/%s.traj.json", work, iid);
	struct cJSON *root, *info, *stats, *ours;
	struct tg_buf text = TG_BUF_INIT;
	bool ok = true;

	if (p->step > 0 && p->cost_usd >= 0 && !tg_file_exists(live) && !tg_file_exists(final)) {
		root = tg_json_object();
		info = tg_json_object();
		stats = tg_json_object();
		ours = tg_json_object();
		tg_json_set_float(stats, "instance_cost", p->cost_usd);
		tg_json_set_int(stats, "api_calls", p->step - 1);
		tg_json_set_str(info, "exit_status", "");
		tg_json_set(info, "model_stats", stats);
		tg_json_set(root, "info", info);
		tg_json_set(root, "messages", tg_json_array());
		tg_json_set_str(root, "instance_id", iid);
		tg_json_set_bool(ours, "no_trajectory", true);
		tg_json_set_str(ours, "why", "read from the last row that the agent drew");
		tg_json_set(root, "tgmon", ours);
		tg_json_print(root, TG_JSON_PY_INDENT2, &text);
		ok = tg_file_write(live, text.p, text.n, 0644, err);
		tg_json_free(root);
	}
	tg_buf_fini(&text);
	free(live);
	free(final);
	return ok;
}

bool tg_mini_harvest(const char *work, const char *iid, bool *submitted, struct tg_err *err)
{
	char *out = tg_path_join(work, "mini"), *to = tg_asprintf("%s/%s.traj.json", work, iid);
	char *from = tg_asprintf("%s/%s/%s.traj.json", out, iid, iid);
	struct tg_traj t = { 0 };
	bool ok = true;

	*submitted = false;
	if (!tg_file_exists(to) && tg_traj_load(&t, from, NULL) && rename(from, to) != 0)
		ok = tg_fail_sys(err, errno, "cannot move %s", from);
	else if (!tg_file_exists(to))
		ok = write_stand_in(out, to, iid, err);
	else if (!t.root)
		ok = tg_traj_load(&t, to, NULL) || true;
	*submitted = is_submitted(&t);
	tg_traj_fini(&t);
	free(out);
	free(to);
	free(from);
	return ok;
}
