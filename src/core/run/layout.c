#include "core/run/layout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"

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

enum tg_dir_kind tg_layout_kind(const char *dir)
{
	if (!tg_is_dir(dir))
		return TG_DIR_NONE;
	if (has(dir, TG_CONTROL_DIR "/run.json"))
		return TG_DIR_OURS;
	if (has(dir, "preds.json") || has(dir, "preds_filled.json") || has_trajectory(dir, true))
		return TG_DIR_FOREIGN;
	return TG_DIR_NONE;
}
