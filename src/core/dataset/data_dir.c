#include <stdlib.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"

/* Installed, the program is PREFIX/bin/tgmon and its data PREFIX/share/tgmon. */
static char *beside_program(void)
{
	char *exe = tg_self_exe(), *bin, *rel, *path;

	if (!exe)
		return NULL;
	bin = tg_path_dir(exe);
	rel = tg_path_join(bin, "../share/tgmon");
	path = tg_path_abs(rel);
	free(exe);
	free(bin);
	free(rel);
	return path;
}

static char *if_dir(char *path)
{
	if (path && tg_is_dir(path))
		return path;
	free(path);
	return NULL;
}

char *tg_data_dir(void)
{
	const char *env = getenv("TGMON_DATA");
	char *found;

	if (env && *env) /* asked for by name: a wrong one is not replaced in silence */
		return if_dir(tg_path_abs(env));
	found = if_dir(beside_program());
	return found ? found : if_dir(tg_strdup(TGMON_SOURCE_DATA));
}
