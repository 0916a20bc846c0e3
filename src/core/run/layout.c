#include "core/run/layout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/run/preds.h"

/* Spelled out instead of <ctype.h>: the answer must not depend on a locale. */
static bool is_id_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool all_id_chars(const char *s, size_t most)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (n >= most || !is_id_char(s[n]))
			return false;
	return n > 0;
}

bool tg_instance_id_valid(const char *iid)
{
	if (iid == NULL || !all_id_chars(iid, 128))
		return false;
	if (iid[0] == '.' || iid[0] == '_' || iid[0] == '-')
		return false;
	return strstr(iid, "..") == NULL;
}

bool tg_tag_valid(const char *tag)
{
	return tag != NULL && all_id_chars(tag, 64);
}

char *tg_layout_control(const char *run, const char *name)
{
	return tg_asprintf("%s/%s/%s", run, TG_CONTROL_DIR, name);
}

char *tg_layout_attempt(const char *run, const char *iid, int attempt)
{
	assert(tg_instance_id_valid(iid));
	return tg_asprintf("%s/%s/attempts/%s/%03d", run, TG_CONTROL_DIR, iid, attempt);
}

char *tg_layout_job(const char *run, const char *iid, int attempt, enum tg_stage stage, int k)
{
	const char *name = tg_stage_name(stage);

	assert(name != NULL);
	if (iid == NULL)
		return tg_asprintf("%s/%s/jobs/%s.%d", run, TG_CONTROL_DIR, name, k);
	if (stage == TG_STAGE_AGENT)
		return tg_layout_attempt(run, iid, attempt);
	assert(tg_instance_id_valid(iid));
	return tg_asprintf("%s/%s/attempts/%s/%03d/%s.%d", run, TG_CONTROL_DIR, iid, attempt, name,
			   k);
}

char *tg_layout_traj(const char *run, const char *iid)
{
	assert(tg_instance_id_valid(iid));
	return tg_asprintf("%s/%s/%s.traj.json", run, iid, iid);
}

static bool has(const char *dir, const char *name)
{
	char *path = tg_path_join(dir, name);
	bool found = tg_file_exists(path) && !tg_is_dir(path);

	free(path);
	return found;
}

/* A *.traj.json directly in dir, or (deep) in one of its folders. */
static bool has_trajectory(const char *dir, bool deep)
{
	struct tg_names names = { 0 };
	bool found = false;

	if (!tg_dir_list(dir, &names, NULL))
		return false;
	for (size_t i = 0; i < names.n && !found; i++)
		found = tg_ends_with(names.v[i], ".traj.json") && has(dir, names.v[i]);
	for (size_t i = 0; i < names.n && !found && deep; i++) {
		char *sub = tg_path_join(dir, names.v[i]);

		found = names.v[i][0] != '.' && tg_is_dir(sub) && has_trajectory(sub, false);
		free(sub);
	}
	tg_names_free(&names);
	return found;
}

/* Does some <run>/<model>/<iid>/run_instance.log or report.json lie below? */
static bool has_eval_logs(const char *dir, int levels)
{
	struct tg_names names = { 0 };
	bool found = false;

	if (levels == 0)
		return has(dir, "run_instance.log") || has(dir, "report.json");
	if (!tg_dir_list(dir, &names, NULL))
		return false;
	for (size_t i = 0; i < names.n && !found; i++) {
		char *sub = tg_path_join(dir, names.v[i]);

		found = names.v[i][0] != '.' && tg_is_dir(sub) && has_eval_logs(sub, levels - 1);
		free(sub);
	}
	tg_names_free(&names);
	return found;
}

char *tg_layout_eval_tree(const char *dir)
{
	static const char below[] = "logs/run_evaluation";
	char *path = tg_path_join(dir, below);
	const char *found = NULL;

	if (tg_is_dir(path) && has_eval_logs(path, 3))
		found = below;
	else if (tg_streq(tg_path_base(dir), "run_evaluation") && has_eval_logs(dir, 3))
		found = "";
	free(path);
	return tg_strdup(found);
}

static bool has_tool_files(const char *dir)
{
	struct tg_names names = { 0 };
	bool found = false;

	if (!tg_dir_list(dir, &names, NULL))
		return false;
	for (size_t i = 0; i < names.n && !found; i++)
		found = (strcmp(names.v[i], "minisweagent.log") == 0 ||
			 (tg_starts_with(names.v[i], "exit_statuses_") &&
			  tg_ends_with(names.v[i], ".yaml"))) &&
			has(dir, names.v[i]);
	tg_names_free(&names);
	return found;
}

static bool is_agent_output(const char *dir)
{
	char *preds = tg_preds_file(dir);
	bool yes = preds != NULL || has_tool_files(dir) || has_trajectory(dir, true);

	free(preds);
	return yes;
}

/* The harness writes logs/ into the folder it is started in, which may hold runs: those are meant
 * then. */
static bool is_eval_tree(const char *dir)
{
	char *base = tg_layout_eval_tree(dir);
	struct tg_names names = { 0 };
	bool yes = base != NULL;

	free(base);
	if (!yes || !tg_dir_list(dir, &names, NULL))
		return yes;
	for (size_t i = 0; i < names.n && yes; i++) {
		char *sub = tg_path_join(dir, names.v[i]);

		if (names.v[i][0] != '.' && tg_is_dir(sub))
			yes = !has(sub, TG_CONTROL_DIR "/run.json") && !is_agent_output(sub);
		free(sub);
	}
	tg_names_free(&names);
	return yes;
}

enum tg_dir_kind tg_layout_kind(const char *dir)
{
	if (!tg_is_dir(dir)) {
		char *preds = tg_preds_file(dir);
		bool alone = preds != NULL;

		free(preds);
		return alone ? TG_DIR_FOREIGN : TG_DIR_NONE;
	}
	if (has(dir, TG_CONTROL_DIR "/run.json"))
		return TG_DIR_OURS;
	return is_agent_output(dir) || is_eval_tree(dir) ? TG_DIR_FOREIGN : TG_DIR_NONE;
}
