/* Whose Python? The one that the user's own mini-extra runs in (names.h). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/dataset/names.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"

static char *if_runs(char *path)
{
	if (path && *path == '/' && access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static bool is_python(const char *path)
{
	return tg_starts_with(tg_path_base(path), "python");
}

/* First word of p, which ends at a blank, a quote or the line's end. */
static char *word(const char *p)
{
	p += strspn(p, " \t\"");
	return tg_strndup(p, strcspn(p, " \t\"\r\n"));
}

/* "#!/venv/bin/python", "#!/usr/bin/env python3", or pip's form for long paths: "#!/bin/sh", then
 * '''exec' "/long path/bin/python" "$0" "$@". */
static char *from_head(const char *head)
{
	char *first = word(head + 2), *found = NULL;
	const char *p;

	if (is_python(first))
		return first;
	if (tg_streq(first, "/usr/bin/env")) {
		char *name = word(head + 2 + strspn(head + 2, " \t") + strlen(first));

		found = is_python(name) ? tg_which(name) : NULL;
		free(name);
	} else if (tg_ends_with(first, "/sh") && (p = strstr(head, "'''exec' "))) {
		p += strlen("'''exec' ");
		found = *p == '"' ? tg_strndup(p + 1, strcspn(p + 1, "\"\n")) : word(p);
	}
	free(first);
	return found;
}

char *tg_script_python(const char *script)
{
	struct tg_buf text = TG_BUF_INIT;
	char *found = NULL;

	if (tg_file_read(script, 1 << 20, &text, NULL) && tg_starts_with(tg_buf_cstr(&text), "#!"))
		found = from_head(tg_buf_cstr(&text));
	tg_buf_fini(&text);
	return if_runs(found);
}

static char *of_script(const char *name)
{
	char *script = tg_which(name), *found = script ? tg_script_python(script) : NULL;

	free(script);
	return found;
}

char *tg_user_python(void)
{
	const char *given = getenv("TGMON_PYTHON"), *venv = getenv("VIRTUAL_ENV");
	char *found;

	if (given && *given) /* asked for by name: a wrong one is not replaced in silence */
		return if_runs(strchr(given, '/') ? tg_path_abs(given) : tg_which(given));
	found = of_script("mini-extra");
	if (!found && venv && *venv)
		found = if_runs(tg_path_join(venv, "bin/python"));
	if (!found)
		found = tg_which("python3");
	return found;
}
