/* Images: which ones rows need, whether they are here, pulling and removing them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/images.h"
#include "core/evaluate/swebench.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define ASK_MS 15000
#define REMOVE_MS 120000

void tg_images_of(struct tg_images *out, const struct tg_dataset *ds, const size_t *pick, size_t n)
{
	size_t cap = 0;

	*out = (struct tg_images){0};
	for (size_t i = 0; i < n; i++) {
		char *name = tg_swe_image(&ds->row[pick[i]]);
		bool known = false;

		for (size_t k = 0; k < out->n && !known; k++)
			known = strcmp(out->v[k].name, name) == 0;
		if (known) {
			free(name);
			continue;
		}
		TG_GROW(out->v, out->n, cap);
		out->v[out->n++] = (struct tg_image){name, -1};
	}
}

void tg_images_fini(struct tg_images *images)
{
	for (size_t i = 0; i < images->n; i++)
		free(images->v[i].name);
	free(images->v);
	*images = (struct tg_images){0};
}

int64_t tg_image_bytes(const char *docker, const char *name)
{
	const char *const argv[] = {docker,	 "image", "inspect", "--format",
				    "{{.Size}}", name,	  NULL};
	struct tg_proc_result r;
	int64_t bytes = -1;

	if (tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, ASK_MS, 4096, &r, NULL) &&
	    r.code == 0) {
		char *line = tg_strndup(tg_buf_cstr(&r.out), strcspn(tg_buf_cstr(&r.out), "\r\n"));

		if (!tg_parse_i64(line, &bytes) || bytes < 0)
			bytes = 0; /* here, of unknown size */
		free(line);
	}
	tg_proc_result_fini(&r);
	return bytes;
}

static char *said_line(const char *text)
{
	size_t n = strlen(text), from;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	for (from = n; from > 0 && text[from - 1] != '\n';)
		from--;
	return tg_text_line(text + from, n - from, 300);
}

bool tg_image_remove(const char *docker, const char *name, struct tg_err *err)
{
	const char *const argv[] = {docker, "image", "rm", name, NULL};
	struct tg_proc_result r;
	char *said;
	bool ok;

	if (!tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, REMOVE_MS, 1 << 16, &r, err))
		return false;
	ok = r.code == 0;
	if (!ok) {
		said = said_line(tg_buf_cstr(&r.err));
		tg_fail(err, TG_E_MACHINE, "%s is not removed: %s", name,
			r.timed_out ? "the tool does not answer" : said);
		free(said);
	}
	tg_proc_result_fini(&r);
	return ok;
}

/* ---- pulling ---- */

bool tg_pull_start(struct tg_pull *p, const char *docker, const char *name, struct tg_err *err)
{
	const char *const argv[] = {docker, "pull", "--quiet", name, NULL};
	int out = memfd_create("pull", MFD_CLOEXEC);
	bool ok;

	*p = (struct tg_pull){.pidfd = -1, .out = out};
	ok = tg_proc_spawn(&(struct tg_spawn){.argv = argv,
					      .in = -1,
					      .out = out,
					      .err = out,
					      .new_session = true,
					      .die_with_parent = true,
					      .limits = {.fsize_bytes = 1 << 20}},
			   &p->pid, &p->pidfd, err);
	if (!ok) {
		close(out);
		*p = (struct tg_pull){.pidfd = -1, .out = -1};
	}
	return ok;
}

enum tg_pull_end tg_pull_meaning(const char *said)
{
	static const struct {
		const char *words;
		enum tg_pull_end end;
	} t[] = {
	    {"toomanyrequests", TG_PULL_LIMITED},  {"too many requests", TG_PULL_LIMITED},
	    {"rate limit", TG_PULL_LIMITED},	   {"manifest unknown", TG_PULL_ABSENT},
	    {"not found", TG_PULL_ABSENT},	   {"repository does not exist", TG_PULL_ABSENT},
	    {"invalid reference", TG_PULL_ABSENT},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		if (strcasestr(said, t[i].words))
			return t[i].end;
	return TG_PULL_FAILED;
}

bool tg_pull_ended(struct tg_pull *p, enum tg_pull_end *end, char **why)
{
	char text[1 << 14];
	int status;
	ssize_t n;

	if (waitpid(p->pid, &status, WNOHANG) != p->pid)
		return false;
	n = pread(p->out, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	*why = NULL;
	*end = TG_PULL_OK;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		*end = tg_pull_meaning(text);
		*why = said_line(text);
	}
	close(p->out);
	close(p->pidfd);
	*p = (struct tg_pull){.pidfd = -1, .out = -1};
	return true;
}

int64_t tg_pull_hours(size_t pulls, int64_t limit)
{
	return pulls == 0 || limit <= 0 ? 0 : ((int64_t)pulls - 1) / limit * 6;
}

int64_t tg_images_free(const char *docker)
{
	const bool podman = tg_ends_with(docker, "podman");
	const char *const argv[] = {docker, "info", "--format",
				    podman ? "{{.Store.GraphRoot}}" : "{{.DockerRootDir}}", NULL};
	struct tg_proc_result r;
	struct statvfs vfs;
	int64_t bytes = -1;

	if (tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, ASK_MS, 4096, &r, NULL) &&
	    r.code == 0) {
		char *dir = tg_strndup(tg_buf_cstr(&r.out), strcspn(tg_buf_cstr(&r.out), "\r\n"));

		if (*dir == '/' && statvfs(dir, &vfs) == 0)
			bytes = (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
		free(dir);
	}
	tg_proc_result_fini(&r);
	return bytes;
}
