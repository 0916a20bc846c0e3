/* The rows, their repositories and images, and whether this repeats what it says (checks.h). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"
#include "core/lib/hash.h"

#define OK TG_DOCTOR_OK
#define WARN TG_DOCTOR_WARNING
#define FAIL TG_DOCTOR_FAILURE

void tg_check_dataset(const struct tg_exam *x, struct tg_doctor_line *l)
{
	if (!x->wants_dataset)
		return;
	if (x->ds.n) {
		tg_say(l, OK, NULL, "%s, split %s: %zu rows, sha256 %.12s (%s)", x->place.name,
		       x->place.split, x->ds.n, x->ds.sha256, x->place.path);
		return;
	}
	l->input = x->ds_err.code == TG_E_INPUT;
	tg_say(l, FAIL, "tgmon run --dataset FILE.jsonl ...", "%s", x->ds_err.msg);
}

void tg_check_slice(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *slice = x->ask->slice ? x->ask->slice : ":";
	const char *colon = strchr(slice, ':');
	int64_t stop;

	if (!x->ds.n)
		return;
	if (x->slice_err.code)
		tg_say(l, FAIL, "--slice 0:50", "%s", x->slice_err.msg);
	else if (!x->pick_n)
		tg_say(l, FAIL, "--slice 0:50", "%s chooses none of %zu rows", slice, x->ds.n);
	else if (colon && tg_parse_i64(colon + 1, &stop) && stop > (int64_t)x->ds.n)
		tg_say(l, WARN, NULL,
		       "%s reaches beyond the %zu rows: %zu instances, from %s to %s", slice,
		       x->ds.n, x->pick_n, x->ds.row[x->pick[0]].instance_id,
		       x->ds.row[x->pick[x->pick_n - 1]].instance_id);
	else
		tg_say(l, OK, NULL, "%s: %zu instances, from %s to %s", slice, x->pick_n,
		       x->ds.row[x->pick[0]].instance_id,
		       x->ds.row[x->pick[x->pick_n - 1]].instance_id);
}

/* 5.x ends with KeyError 'image' on a classic row, for the whole run (spec, 4.3). */
void tg_check_columns(const struct tg_exam *x, struct tg_doctor_line *l)
{
	size_t classic = 0;

	if (!x->pick_n || tg_harness_generation(x->f) < 5)
		return;
	for (size_t i = 0; i < x->pick_n; i++) {
		const struct tg_row *r = &x->ds.row[x->pick[i]];

		classic += !r->image || !r->eval_script || !r->log_parser || !r->eval_type;
	}
	if (classic)
		tg_say(l, FAIL,
		       "pip install 'swebench>=4.1,<5', or a --dataset FILE with these columns",
		       "%zu of %zu rows lack image, eval_script, log_parser or eval_type, which "
		       "swebench %s needs: "
		       "it would grade nothing",
		       classic, x->pick_n, x->f->swebench.version);
	else
		tg_say(l, OK, NULL, "every row has what swebench %s needs", x->f->swebench.version);
}

/* ---- repositories ------------------------------------------------------------------------ */

static bool exists(char *path)
{
	bool is = tg_file_exists(path);

	free(path);
	return is;
}

static bool repo_there(const struct tg_exam *x, const char *data, const char *repo)
{
	const char *slash = strchr(repo, '/'), *dir = x->ask->repos;
	char *name = tg_asprintf("%.*s__%s", (int)(slash - repo), repo, slash + 1);
	bool there = (dir && (exists(tg_asprintf("%s/%s", dir, name)) ||
			      exists(tg_asprintf("%s/%s.git", dir, name)))) ||
		     (data && exists(tg_asprintf("%s/repos/%s.fi", data, name)));

	free(name);
	return there;
}

void tg_check_repos(const struct tg_exam *x, struct tg_doctor_line *l)
{
	struct tg_names seen = { 0 }, missing = { 0 };
	char *data = tg_data_dir();
	struct tg_buf b = TG_BUF_INIT;

	for (size_t i = 0; i < x->pick_n; i++) {
		const char *repo = x->ds.row[x->pick[i]].repo;

		if (tg_names_has(&seen, repo))
			continue;
		tg_names_add(&seen, repo, strlen(repo));
		if (!repo_there(x, data, repo))
			tg_names_add(&missing, repo, strlen(repo));
	}
	for (size_t i = 0; i < missing.n && i < 12; i++)
		tg_buf_addf(&b, "%s%s", i ? ", " : "", missing.v[i]);
	if (missing.n) {
		const char *one = missing.v[0], *slash = strchr(one, '/');

		tg_say_take(l, WARN,
			    tg_asprintf("git clone --bare https://github.com/%s "
					"REPOS/%.*s__%s.git, and the "
					"others likewise; then --repos REPOS",
					one, (int)(slash - one), one, slash + 1),
			    "%zu of %zu repositories are not here (%s): their patches can be "
			    "neither tried nor "
			    "scanned, so none of their rows can become OK",
			    missing.n, seen.n, tg_buf_cstr(&b));
	} else if (seen.n)
		tg_say(l, OK, NULL, "all %zu of the slice are here", seen.n);
	tg_buf_fini(&b);
	tg_names_free(&seen);
	tg_names_free(&missing);
	free(data);
}

/* ---- images ------------------------------------------------------------------------------ */

/* The row's own, else the published name (spec, 4.8), without the registry. */
static char *image_of(const struct tg_row *r)
{
	struct tg_buf b = TG_BUF_INIT;

	if (r->image && *r->image) {
		const char *name =
			tg_starts_with(r->image, "docker.io/") ? r->image + 10 : r->image;

		tg_buf_adds(&b, name);
		if (!strchr(tg_path_base(name), ':'))
			tg_buf_adds(&b, ":latest");
		return tg_buf_detach(&b);
	}
	tg_buf_adds(&b, "swebench/sweb.eval.x86_64.");
	for (const char *p = r->instance_id; *p; p++) {
		if (p[0] == '_' && p[1] == '_') {
			tg_buf_adds(&b, "_1776_");
			p++;
		} else
			tg_buf_addc(&b, (char)tolower((unsigned char)*p));
	}
	tg_buf_adds(&b, ":latest");
	return tg_buf_detach(&b);
}

static size_t count_missing(const struct tg_exam *x, char **first)
{
	size_t n = 0;

	*first = NULL;
	for (size_t i = 0; i < x->pick_n; i++) {
		char *name = image_of(&x->ds.row[x->pick[i]]);

		if (!tg_names_has(&x->f->images, name) && n++ == 0) {
			*first = name;
			name = NULL;
		}
		free(name);
	}
	return n;
}

void tg_check_images(const struct tg_exam *x, struct tg_doctor_line *l)
{
	char *first;
	size_t n;

	if (!x->pick_n || !x->f->images_known)
		return;
	n = count_missing(x, &first);
	if (n)
		tg_say_take(l, WARN, tg_asprintf("docker pull docker.io/%s, and so on", first),
			    "%zu of %zu images are still to be pulled, the first is %s", n,
			    x->pick_n, first);
	else
		tg_say(l, OK, NULL, "all %zu are here", x->pick_n);
	free(first);
}

/* What one more image takes: the mean of those that are here (they share layers, so it is an upper
 * figure), else what the harness's guide says for all 2,294 kept at once: about 2,000 GB. */
static int64_t image_size(const struct tg_machine *f, const char **from)
{
	*from = f->image_bytes ? "the mean of those that are here" : "the harness's guide";
	return f->image_bytes ? f->image_bytes : 2000000000000LL / 2294;
}

void tg_check_disk(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;
	int64_t have = f->docker_free, each, want;
	const char *from, *where = f->docker_root;
	char *first, *a, *b, *c;
	size_t n;

	if (!x->pick_n || !f->images_known)
		return;
	if (have < 0 && f->windows_free >= 0) { /* Docker Desktop's disk is a file on it */
		have = f->windows_free;
		where = "the Windows disk";
	}
	n = count_missing(x, &first);
	free(first);
	each = image_size(f, &from);
	want = (int64_t)n * each;
	a = tg_gigabytes(have), b = tg_gigabytes(want), c = tg_gigabytes(each);
	if (have < 0)
		tg_say(l, n ? WARN : OK, "docker system df",
		       "%zu images need about %s; how much is free where they "
		       "are kept cannot be seen from here",
		       n, b);
	else if (want > have)
		tg_say(l, FAIL, "docker system df; docker image prune -f   (or a smaller --slice)",
		       "%zu images to pull need about %s (%s each, by %s), and %s has %s free", n,
		       b, c, from, where, a);
	else if (want > have / 10 * 8)
		tg_say(l, WARN, "docker system df",
		       "%zu images to pull need about %s of the %s that %s has free", n, b, a,
		       where);
	else
		tg_say(l, OK, NULL, "%s free in %s, about %s needed for %zu images to pull", a,
		       where, b, n);
	free(a);
	free(b);
	free(c);
}

/* ---- repeats (F) ------------------------------------------------------------------------- */

/* "glm46_r2" is a repeat of "glm46": the length of the part before _r<digits>, or 0. */
static size_t repeat_stem(const char *tag)
{
	size_t n = tag ? strlen(tag) : 0, end = n;

	while (n && isdigit((unsigned char)tag[n - 1]))
		n--;
	return n > 2 && n < end && tag[n - 1] == 'r' && tag[n - 2] == '_' ? n - 2 : 0;
}

static void same_digest(const char *path, const char *want, bool *same)
{
	char hex[65];
	struct tg_buf b = TG_BUF_INIT;

	*same = true;
	if (path && want && tg_file_read(path, 0, &b, NULL)) {
		tg_sha256_hex(tg_buf_cstr(&b), b.n, hex);
		*same = !strcmp(hex, want);
	}
	tg_buf_fini(&b);
}

static const char *difference(const struct tg_exam *x, const struct tg_earlier *e)
{
	bool config;

	same_digest(x->ask->config, e->config_sha256, &config);
	if (!config)
		return "another config";
	if (x->ask->model_id && !tg_streq(x->ask->model_id, e->model_id))
		return "another --model-id";
	if (!tg_streq(x->ask->slice ? x->ask->slice : ":", e->slice))
		return "another slice";
	if (x->ds.n && e->dataset_sha256 && strcmp(x->ds.sha256, e->dataset_sha256) != 0)
		return "other rows in the data set";
	return NULL;
}

/* Runs whose tags differ only in _r<number> are repeats of one thing: a figure over runs that
 * differ in more says nothing, and the money for the last one is gone. */
void tg_check_repeat(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *tag = x->ask->tag;
	size_t stem = repeat_stem(tag), alike = 0;

	for (size_t i = 0; stem && i < x->f->earlier_n; i++) {
		const struct tg_earlier *e = &x->f->earlier[i];
		const char *what;

		if (repeat_stem(e->tag) != stem || strncmp(e->tag, tag, stem) != 0)
			continue;
		alike++;
		what = difference(x, e);
		if (!what && !strcmp(e->tag, tag))
			what = "the very same tag";
		if (!what)
			continue;
		tg_say(l, FAIL,
		       "the same --config, --model-id, --slice and --dataset with the next number, "
		       "or "
		       "another --tag",
		       "--tag %s says that this repeats %s, which has %s", tag, e->run_id, what);
		return;
	}
	if (stem)
		tg_say(l, OK, NULL,
		       "%s: %zu earlier repeat%s with the same config, model and slice", tag, alike,
		       alike == 1 ? "" : "s");
}
