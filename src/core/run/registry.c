#include "core/run/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/lib/buf.h"
#include "core/run/layout.h"

#define MOST (16u << 20)

/* $XDG_STATE_HOME counts only when it is absolute (XDG base directory specification). */
static char *registry_dir(struct tg_err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state != NULL && state[0] == '/')
		return tg_path_join(state, "tgmon");
	if (home != NULL && home[0] == '/')
		return tg_path_join(home, ".local/state/tgmon");
	tg_fail(err, TG_E_MACHINE,
		"neither XDG_STATE_HOME nor HOME says where runs are registered");
	return NULL;
}

static bool has_line(const struct tg_buf *b, const char *line)
{
	size_t n = strlen(line);

	for (size_t at = 0; at < b->n;) {
		const char *nl = memchr(b->p + at, '\n', b->n - at);
		size_t len = nl != NULL ? (size_t)(nl - (b->p + at)) : b->n - at;

		if (len == n && memcmp(b->p + at, line, n) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

/* One write of one line on a descriptor opened for appending: whole or not at all. */
static bool append_line(const char *path, const char *line, struct tg_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	char *text;
	bool ok;

	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot open %s", path);
	text = tg_asprintf("%s\n", line);
	ok = tg_write_all(fd, text, strlen(text), err);
	if (ok && fsync(fd) != 0)
		ok = tg_fail_sys(err, errno, "cannot make %s durable", path);
	free(text);
	close(fd);
	return ok;
}

bool tg_registry_add(const char *run, struct tg_err *err)
{
	char *dir = registry_dir(err), *abs = tg_path_abs(run);
	char *path = dir != NULL ? tg_path_join(dir, "runs") : NULL;
	struct tg_buf b = TG_BUF_INIT;
	bool ok = dir != NULL;

	if (ok && strchr(abs, '\n') != NULL)
		ok = tg_fail(err, TG_E_INPUT, "a run directory's path must not hold a line break");
	ok = ok && tg_mkdirs(dir, 0700, err);
	if (ok && tg_file_exists(path))
		ok = tg_file_read(path, MOST, &b, err);
	if (ok && !has_line(&b, abs))
		ok = append_line(path, abs, err);
	tg_buf_fini(&b);
	free(path);
	free(abs);
	free(dir);
	return ok;
}

/* ---- listing ---- */

struct found {
	char *path;
	int64_t when;
};

struct finds {
	struct found *v;
	size_t n, cap;
};

/* When the run was last written to: its newest journal segment, else the folder. */
static int64_t last_written(const char *run)
{
	char *control = tg_path_join(run, TG_CONTROL_DIR);
	int64_t when = tg_file_mtime_ms(run);
	struct tg_names names = { 0 };

	if (tg_dir_list(control, &names, NULL)) {
		for (size_t i = 0; i < names.n; i++) {
			char *path = tg_path_join(control, names.v[i]);
			int64_t ms =
			    tg_starts_with(names.v[i], "journal.") ? tg_file_mtime_ms(path) : 0;

			when = ms > when ? ms : when;
			free(path);
		}
		tg_names_free(&names);
	}
	free(control);
	return when;
}

static void consider(struct finds *f, const char *path)
{
	if (tg_layout_kind(path) == TG_DIR_NONE)
		return;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].path, path) == 0)
			return;
	TG_GROW(f->v, f->n, f->cap);
	f->v[f->n++] = (struct found){ .path = tg_strdup(path), .when = last_written(path) };
}

static void consider_registered(struct finds *f)
{
	char *dir = registry_dir(NULL);
	char *path = dir != NULL ? tg_path_join(dir, "runs") : NULL;
	struct tg_buf b = TG_BUF_INIT;

	if (path != NULL && tg_file_exists(path) && tg_file_read(path, MOST, &b, NULL)) {
		for (size_t at = 0; at < b.n;) {
			const char *nl = memchr(b.p + at, '\n', b.n - at);
			size_t n = nl != NULL ? (size_t)(nl - (b.p + at)) : b.n - at;
			char *line = tg_strndup(b.p + at, n);

			if (line[0] == '/')
				consider(f, line);
			free(line);
			at += n + 1;
		}
	}
	tg_buf_fini(&b);
	free(path);
	free(dir);
}

/* dir itself when it is one of ours; else its folders. A folder of foreign runs would look like one
 * foreign run itself (a trajectory two levels down), so what lies below decides first. */
static bool consider_below(struct finds *f, const char *dir, struct tg_err *err)
{
	struct tg_names names = { 0 };
	char *abs = tg_path_abs(dir);
	size_t before = f->n;
	bool ok = true;

	if (tg_layout_kind(abs) == TG_DIR_OURS) {
		consider(f, abs);
	} else {
		ok = tg_dir_list(abs, &names, err);
		for (size_t i = 0; ok && i < names.n; i++) {
			char *path = tg_path_join(abs, names.v[i]);
			char *own = tg_asprintf("%s/%s.traj.json", path, names.v[i]);

			/* <iid>/<iid>.traj.json is an instance of a run, no run */
			if (names.v[i][0] != '.' && tg_is_dir(path) && !tg_file_exists(own))
				consider(f, path);
			free(own);
			free(path);
		}
		if (ok && f->n == before)
			consider(f, abs);
	}
	tg_names_free(&names);
	free(abs);
	return ok;
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? 1 : -1;
	return strcmp(x->path, y->path);
}

bool tg_registry_list(const char *dir, struct tg_names *out, struct tg_err *err)
{
	struct finds f = { 0 };
	bool ok = true;

	*out = (struct tg_names){ 0 };
	consider_registered(&f);
	if (dir != NULL)
		ok = consider_below(&f, dir, err);
	if (f.n > 1)
		qsort(f.v, f.n, sizeof *f.v, newest_first);
	out->v = tg_calloc(f.n + 1, sizeof *out->v);
	for (size_t i = 0; i < f.n; i++)
		out->v[out->n++] = f.v[i].path;
	free(f.v);
	if (!ok)
		tg_names_free(out);
	return ok;
}
