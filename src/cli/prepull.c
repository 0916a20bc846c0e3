/* tgmon prepull: the images of a slice, before a batch needs them; goes on where it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "cli/slice_images.h"
#include "core/dataset/dataset.h"
#include "core/evaluate/swebench.h"
#include "core/lib/clock.h"

#define JOBS_MAX 16
#define TRIES 4
#define FREE_LEAST_MB 5120
#define GB 1e9

struct prepull_opts {
	const char *dataset, *slice;
	int64_t jobs, limit;
	bool dry_run;
};

static const struct tg_opt opts[] = {
    {"dataset", "FILE", "the rows, .jsonl or .json", TG_OPT_STR,
     offsetof(struct prepull_opts, dataset), 0},
    {"slice", "A:B", "which rows, as Python slices (all)", TG_OPT_STR,
     offsetof(struct prepull_opts, slice), 0},
    {"jobs", "N", "pulls at once (2)", TG_OPT_INT, offsetof(struct prepull_opts, jobs), 0},
    {"limit", "N", "pulls that your registry allows in 6 hours (100: Docker Hub, anonymous)",
     TG_OPT_INT, offsetof(struct prepull_opts, limit), 0},
    {"dry-run", NULL, "say what is missing, pull nothing", TG_OPT_FLAG,
     offsetof(struct prepull_opts, dry_run), 0},
    {0},
};

bool tg_cli_slice_images(const char *dataset, const char *slice, struct tg_images *out,
			 struct tg_err *err)
{
	struct tg_dataset ds = {0};
	size_t *pick = NULL, n = 0;
	bool ok;

	*out = (struct tg_images){0};
	if (!dataset)
		return tg_fail(err, TG_E_INPUT,
			       "--dataset FILE is needed: the rows whose images these are");
	ok = tg_dataset_load(&ds, dataset, err) &&
	     tg_slice_indices(slice ? slice : ":", ds.n, &pick, &n, err);
	if (ok && !n)
		ok = tg_fail(err, TG_E_INPUT, "--slice %s chooses no row out of %zu of %s", slice,
			     ds.n, dataset);
	if (ok)
		tg_images_of(out, &ds, pick, n);
	free(pick);
	tg_dataset_fini(&ds);
	return ok;
}

enum want { WANT_LATER, WANT_ACTIVE, WANT_HERE, WANT_GIVEN_UP };

struct one {
	enum want want;
	int tries;
	int64_t not_before; /* monotonic ms */
	struct tg_pull pull;
};

struct work {
	const char *docker;
	struct tg_images images;
	struct one *one;
	size_t here, active, given_up;
	int64_t bytes, limited_until, limited_wait, base_ms;
	size_t jobs;
	bool tty;
};

/* ---- what it says ---- */

static void say_line(const struct work *w, const char *text)
{
	char left[80] = "";
	int64_t wait = w->limited_until - tg_mono_ms();

	if (wait > 0)
		snprintf(left, sizeof left, ", rate limited: next try in %lld s",
			 (long long)(wait + 999) / 1000);
	if (w->tty)
		fprintf(stderr, "\r\x1b[K");
	if (text)
		fprintf(stderr, "%s\n", text);
	if (w->tty || text)
		fprintf(stderr, "%zu/%zu images here, %zu on their way, %zu given up, %.1f GB%s%s",
			w->here, w->images.n, w->active, w->given_up, (double)w->bytes / GB, left,
			w->tty ? "" : "\n");
	fflush(stderr);
}

static void say_plan(const struct work *w, int64_t limit)
{
	size_t missing = w->images.n - w->here;
	int64_t room = tg_images_free(w->docker), hours = tg_pull_hours(missing, limit);

	printf("%zu images: %zu here (%.1f GB, layers they share counted each time), %zu to pull\n",
	       w->images.n, w->here, (double)w->bytes / GB, missing);
	if (hours)
		printf("%zu pulls at your limit of %lld in 6 hours take at least %lld h\n", missing,
		       (long long)limit, (long long)hours);
	else if (missing)
		printf("%zu pulls fit into your limit of %lld in 6 hours\n", missing,
		       (long long)limit);
	if (room >= 0)
		printf("%.1f GB are free where images are kept\n", (double)room / GB);
	fflush(stdout);
}

/* ---- pulling ---- */

static int64_t setting(const char *name, int64_t otherwise)
{
	const char *env = getenv(name);
	int64_t v;

	return env && tg_parse_i64(env, &v) && v > 0 ? v : otherwise;
}

static void failed(struct work *w, size_t i, enum tg_pull_end end, const char *why)
{
	struct one *o = &w->one[i];
	int64_t now = tg_mono_ms();
	char *text;

	o->want = WANT_LATER;
	if (end == TG_PULL_LIMITED) { /* nobody's fault: all wait, nothing is given up */
		w->limited_wait = w->limited_wait ? w->limited_wait * 2 : w->base_ms * 4;
		if (w->limited_wait > 15 * 60 * 1000)
			w->limited_wait = 15 * 60 * 1000;
		w->limited_until = now + w->limited_wait;
		o->not_before = now;
	} else if (end == TG_PULL_ABSENT || ++o->tries >= TRIES) {
		o->want = WANT_GIVEN_UP;
		w->given_up++;
	} else {
		o->not_before = now + (w->base_ms << (o->tries - 1));
	}
	text = tg_asprintf("%s %s: %s",
			   end == TG_PULL_LIMITED  ? "limited"
			   : o->want == WANT_LATER ? "failed, again later"
						   : "given up",
			   w->images.v[i].name, why);
	say_line(w, text);
	free(text);
}

static void look(struct work *w, size_t i)
{
	enum tg_pull_end end;
	char *why;

	if (!tg_pull_ended(&w->one[i].pull, &end, &why))
		return;
	w->active--;
	if (end == TG_PULL_OK &&
	    (w->images.v[i].bytes = tg_image_bytes(w->docker, w->images.v[i].name)) < 0) {
		end = TG_PULL_FAILED;
		why = tg_strdup("the pull went well, but the image is not here");
	}
	if (end == TG_PULL_OK) {
		w->one[i].want = WANT_HERE;
		w->here++;
		w->bytes += w->images.v[i].bytes;
		w->limited_wait = 0;
		say_line(w, w->images.v[i].name);
	} else {
		failed(w, i, end, why);
	}
	free(why);
}

static bool start_one(struct work *w, struct tg_err *err)
{
	int64_t now = tg_mono_ms(), room;

	if (w->active >= w->jobs || now < w->limited_until)
		return true;
	for (size_t i = 0; i < w->images.n; i++) {
		struct one *o = &w->one[i];

		if (o->want != WANT_LATER || now < o->not_before)
			continue;
		room = tg_images_free(w->docker);
		if (room >= 0 && room >> 20 < setting("TGMON_DISK_MIN_MB", FREE_LEAST_MB))
			return tg_fail(
			    err, TG_E_MACHINE,
			    "only %.1f GB are free where images are kept: "
			    "make room (tgmon clean --images A:B lists some), then the same "
			    "command goes on",
			    (double)room / GB);
		if (!tg_pull_start(&o->pull, w->docker, w->images.v[i].name, err))
			return false;
		o->want = WANT_ACTIVE;
		w->active++;
		return true;
	}
	return true;
}

static bool pull_all(struct work *w, struct tg_err *err)
{
	bool ok = true;

	while (w->active || (ok && w->here + w->given_up < w->images.n)) {
		ok = ok && start_one(w, err);
		for (size_t i = 0; i < w->images.n; i++)
			if (w->one[i].want == WANT_ACTIVE)
				look(w, i);
		if (w->tty)
			say_line(w, NULL);
		tg_sleep_ms(w->active < w->jobs ? 50 : 200);
	}
	if (w->tty)
		fputc('\n', stderr);
	return ok;
}

static bool prepull(struct work *w, const struct prepull_opts *o, struct tg_err *err)
{
	w->one = tg_calloc(w->images.n, sizeof *w->one);
	for (size_t i = 0; i < w->images.n; i++) {
		w->images.v[i].bytes = tg_image_bytes(w->docker, w->images.v[i].name);
		if (w->images.v[i].bytes < 0)
			continue;
		w->one[i].want = WANT_HERE;
		w->here++;
		w->bytes += w->images.v[i].bytes;
	}
	say_plan(w, o->limit ? o->limit : 100);
	if (o->dry_run) {
		for (size_t i = 0; i < w->images.n; i++)
			if (w->one[i].want != WANT_HERE)
				puts(w->images.v[i].name);
		return true;
	}
	if (!pull_all(w, err))
		return false;
	printf("%zu of %zu images are here, %.1f GB\n", w->here, w->images.n,
	       (double)w->bytes / GB);
	if (!w->given_up)
		return true;
	return tg_fail(err, TG_E_MACHINE,
		       "%zu images could not be pulled; the same command tries them again",
		       w->given_up);
}

static int run(const void *given, const struct tg_args *args)
{
	const struct prepull_opts *o = given;
	struct work w = {.base_ms = setting("TGMON_RETRY_BASE_MS", 15000),
			 .jobs = o->jobs ? (size_t)o->jobs : 2,
			 .tty = isatty(STDERR_FILENO)};
	char *docker = NULL, *version = NULL;
	struct tg_err err = {0};
	int code = 0;

	(void)args;
	if (o->jobs < 0 || o->jobs > JOBS_MAX || o->limit < 0)
		tg_fail(&err, TG_E_INPUT, "--jobs: 1 to %d; --limit: a number of pulls", JOBS_MAX);
	else if (tg_cli_slice_images(o->dataset, o->slice, &w.images, &err) &&
		 tg_docker_find(&docker, &version, &err)) {
		w.docker = docker;
		prepull(&w, o, &err);
	}
	if (err.msg[0])
		code = tg_cli_fail(&err);
	free(docker);
	free(version);
	free(w.one);
	tg_images_fini(&w.images);
	return code;
}

const struct tg_command tg_cmd_prepull = {
    .name = "prepull",
    .group = "launch",
    .args = "--dataset FILE [--slice A:B] [options]",
    .summary = "pull the images of a slice before a batch needs them",
    .opts = opts,
    .opts_size = sizeof(struct prepull_opts),
    .run = run,
    .max_args = 0,
    .more = "Images that are here are skipped, so the same command goes on after a break. A rate "
	    "limit\n"
	    "makes it wait; other failures are tried four times.",
};
