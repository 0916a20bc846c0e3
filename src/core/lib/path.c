/* Paths as text (file.h). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/lib/file.h"

char *tg_path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	while (n > 1 && a[n - 1] == '/')
		n--;
	return tg_asprintf("%.*s%s%s", (int)n, a, n && a[n - 1] == '/' ? "" : "/", b);
}

const char *tg_path_base(const char *path)
{
	const char *p = strrchr(path, '/');

	return p ? p + 1 : path;
}

char *tg_path_dir(const char *path)
{
	const char *p = strrchr(path, '/');

	if (!p)
		return tg_strdup(".");
	return p == path ? tg_strdup("/") : tg_strndup(path, (size_t)(p - path));
}

char *tg_path_abs(const char *path)
{
	struct tg_buf in = TG_BUF_INIT, out = TG_BUF_INIT;
	char *cwd, *save = NULL;

	if (path[0] != '/') {
		cwd = getcwd(NULL, 0);
		tg_buf_addf(&in, "%s/", cwd ? cwd : "");
		free(cwd);
	}
	tg_buf_adds(&in, path);
	tg_buf_adds(&out, "");
	for (char *part = strtok_r(in.p, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		if (!strcmp(part, "."))
			continue;
		if (!strcmp(part, "..")) {
			while (out.n && out.p[--out.n] != '/')
				;
			out.p[out.n] = '\0';
			continue;
		}
		tg_buf_addf(&out, "/%s", part);
	}
	if (!out.n)
		tg_buf_adds(&out, "/");
	tg_buf_fini(&in);
	return tg_buf_detach(&out);
}

bool tg_path_is_safe_relative(const char *path)
{
	const char *p = path;

	if (!path || !*path || *path == '/')
		return false;
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F || *c == '\\')
			return false;
	while (*p) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p == '/' && !*++p)
			return false;
	}
	return true;
}
