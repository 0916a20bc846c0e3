/* tgmon clean: what batches leave on the machine. Lists first, and asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/slice_images.h"
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/text.h"
#include "core/run/lock.h"
#include "core/run/layout.h"
#include "core/run/spec.h"

struct clean_opts {
	const char *dataset, *images;
	bool yes;
};

static const struct tg_opt opts[] = {
    {"images", "A:B", "the images of this slice of --dataset, instead of a run's containers",
     TG_OPT_STR, offsetof(struct clean_opts, images), 0},
    {"dataset", "FILE", "with --images: the rows", TG_OPT_STR, offsetof(struct clean_opts, dataset),
     0},
    {"yes", NULL, "do not ask", TG_OPT_FLAG, offsetof(struct clean_opts, yes), 0},
    {0},
};

static bool agreed(const struct clean_opts *o, size_t n, const char *what, struct tg_err *err)
{
	char line[16];

	if (o->yes)
		return true;
	if (!isatty(STDIN_FILENO))
		return tg_fail(err, TG_E_INPUT,
			       "nothing was removed: nobody can be asked here; give --yes");
	printf("Remove %s %zu %s? [y/N] ", n == 1 ? "this" : "these", n, what);
	fflush(stdout);
	if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y'))
		return true;
	puts("nothing was removed");
	return false;
}

static bool clean_images(const struct clean_opts *o, const char *docker, struct tg_err *err)
{
	struct tg_images all;
	size_t here = 0, removed = 0;
	int64_t bytes = 0;
	bool ok = tg_cli_slice_images(o->dataset, o->images, &all, err);

	for (size_t i = 0; ok && i < all.n; i++) {
		all.v[i].bytes = tg_image_bytes(docker, all.v[i].name);
		if (all.v[i].bytes < 0)
			continue;
		here++;
		bytes += all.v[i].bytes;
		printf("%8.2f GB  %s\n", (double)all.v[i].bytes / 1e9, all.v[i].name);
	}
	if (ok)
		printf(
		    "%zu of %zu images are here, %.1f GB (layers they share counted each time)\n",
		    here, all.n, (double)bytes / 1e9);
	if (ok && here && agreed(o, here, here == 1 ? "image" : "images", err)) {
		for (size_t i = 0; i < all.n; i++) {
			struct tg_err why = {0};

			if (all.v[i].bytes < 0)
				continue;
			if (tg_image_remove(docker, all.v[i].name, &why))
				removed++;
			else if (err->code == TG_E_NONE)
				*err = why;
		}
		printf("removed %zu of %zu\n", removed, here);
	}
	tg_images_fini(&all);
	return err->code == TG_E_NONE;
}

/* All containers of evaluations whose run id is this run's. */
static bool list_boxes(const char *docker, const char *prefix, struct tg_names *out,
		       struct tg_err *err)
{
	struct tg_names all;
	char *mark = tg_asprintf(".%s", prefix);
	size_t cap = 0;

	*out = (struct tg_names){0};
	if (!tg_box_list(docker, "sweb.eval.", &all, err)) {
		free(mark);
		return false;
	}
	for (size_t i = 0; i < all.n; i++)
		if (strstr(all.v[i], mark)) {
			TG_GROW(out->v, out->n, cap);
			out->v[out->n++] = tg_strdup(all.v[i]);
		}
	tg_names_free(&all);
	free(mark);
	return true;
}

static bool clean_run(const struct clean_opts *o, const char *docker, const char *dir,
		      struct tg_err *err)
{
	struct tg_spec spec = {0};
	struct tg_names found = {0};
	char sha[65], *lock = tg_layout_control(dir, "lock"), *prefix = NULL;
	size_t removed = 0;
	bool ok = tg_spec_load(&spec, dir, sha, err);

	if (ok && tg_lock_held(lock))
		ok = tg_fail(err, TG_E_BUSY,
			     "%s is running: its containers are in use; tgmon stop %s first", dir,
			     dir);
	prefix = ok ? tg_swe_run_prefix(sha, 0) : NULL;
	ok = ok && list_boxes(docker, prefix, &found, err);
	for (size_t i = 0; ok && i < found.n; i++) {
		char *line = tg_text_line(found.v[i], strlen(found.v[i]), 300);

		puts(line);
		free(line);
	}
	if (ok)
		printf("%zu container%s of this run's evaluations\n", found.n,
		       found.n == 1 ? "" : "s");
	if (ok && found.n && agreed(o, found.n, found.n == 1 ? "container" : "containers", err)) {
		for (size_t i = 0; i < found.n; i++) {
			struct tg_err why = {0};

			if (tg_box_remove(docker, found.v[i], NULL, &why))
				removed++;
			else if (err->code == TG_E_NONE)
				*err = why;
		}
		printf("removed %zu of %zu\n", removed, found.n);
	}
	tg_names_free(&found);
	free(prefix);
	free(lock);
	tg_spec_fini(&spec);
	return err->code == TG_E_NONE;
}

static int run(const void *given, const struct tg_args *args)
{
	const struct clean_opts *o = given;
	char *docker = NULL, *version = NULL, *dir = NULL;
	struct tg_err err = {0};
	int code = 0;

	if ((args->n == 1) == (o->images != NULL))
		tg_fail(&err, TG_E_INPUT, "give a run, or --images A:B with --dataset FILE");
	else if ((o->images || (dir = tg_cli_run_dir(args->pos[0], false, &err))) &&
		 tg_docker_find(&docker, &version, &err)) {
		if (o->images)
			clean_images(o, docker, &err);
		else
			clean_run(o, docker, dir, &err);
	}
	if (err.msg[0])
		code = tg_cli_fail(&err);
	free(docker);
	free(version);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_clean = {
    .name = "clean",
    .group = "launch",
    .args = "RUN | --images A:B --dataset FILE",
    .summary = "containers that a run left, or a slice's images: lists first, asks",
    .opts = opts,
    .opts_size = sizeof(struct clean_opts),
    .run = run,
    .max_args = 1,
    .more = "Nothing of the run directory is ever removed.",
};
