#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/dataset/dataset.h"
#include "core/dataset/embed.h"
#include "core/dataset/names.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define EXPORT_MS (15 * 60 * 1000)

TG_EMBED(tg_export_rows_py, "/python/export_rows.py");

static const char *const aliases[][2] = {
	{ "lite", "princeton-nlp/SWE-Bench_Lite" },
	{ "verified", "princeton-nlp/SWE-Bench_Verified" },
	{ "full", "princeton-nlp/SWE-Bench" },
	{ "multimodal", "princeton-nlp/SWE-Bench_Multimodal" },
	{ "multilingual", "swe-bench/SWE-Bench_Multilingual" },
	{ "rebench", "nebius/SWE-rebench" },
};

const char *tg_dataset_hub_name(const char *alias)
{
	for (size_t i = 0; alias && i < sizeof aliases / sizeof *aliases; i++)
		if (!strcmp(aliases[i][0], alias))
			return aliases[i][1];
	return NULL;
}

/* ---- where it is ---------------------------------------------------------------------- */

static char *cache_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		return tg_path_join(xdg, "tgmon/datasets");
	return home && *home == '/' ? tg_path_join(home, ".cache/tgmon/datasets") : NULL;
}

/* The file's name up to its first dot, as a word that may stand in a run directory's name. */
static char *word_of(const char *path)
{
	static const char good[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
	const char *base = tg_path_base(path);
	size_t n = strcspn(base, ".");
	struct tg_buf b = TG_BUF_INIT;

	for (size_t i = 0; i < n; i++)
		tg_buf_addc(&b, strchr(good, base[i]) ? base[i] : '-');
	if (!b.n)
		tg_buf_adds(&b, "dataset");
	return tg_buf_detach(&b);
}

/* Is there a cached copy, and is it still what the export wrote? */
static bool cache_good(const char *path)
{
	char *note = tg_asprintf("%s.sha256", path);
	struct tg_buf want = TG_BUF_INIT;
	char got[TG_SHA256_HEX];
	bool ok = tg_file_exists(path) && tg_file_read(note, 4096, &want, NULL) && want.n >= 64 &&
		  tg_sha256_file(path, got, NULL, NULL) && !strncmp(want.p, got, 64);

	tg_buf_fini(&want);
	free(note);
	return ok;
}

static bool in_cache(struct tg_dataset_place *p, const char *key, struct tg_err *err)
{
	char *dir = cache_dir();

	if (!dir)
		return tg_fail(
			err, TG_E_MACHINE,
			"there is no place for a cached data set: HOME and "
			"XDG_CACHE_HOME are not set; set one of them, or give --dataset FILE");
	p->cache = tg_asprintf("%s/%s.jsonl", dir, key);
	free(dir);
	if (cache_good(p->cache))
		p->path = tg_strdup(p->cache);
	return true;
}

static bool locate_parquet(const char *given, struct tg_dataset_place *p, struct tg_err *err)
{
	char hex[TG_SHA256_HEX];

	if (!tg_sha256_file(given, hex, NULL, err)) {
		if (err)
			err->code = TG_E_INPUT;
		return tg_fail_in(err, "data set");
	}
	p->source = tg_path_abs(given);
	return in_cache(p, hex, err);
}

static bool locate_demo(struct tg_dataset_place *p, struct tg_err *err)
{
	char *data = tg_data_dir();

	if (!data)
		return tg_fail(err, TG_E_MACHINE, "the embedded data set is not installed; set "
			       "TGMON_DATA to the folder that holds demo.jsonl");
	p->path = tg_path_join(data, "demo.jsonl");
	free(data);
	return true;
}

static bool split_valid(const char *s)
{
	return *s && strlen(s) <= 32 &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
		       strlen(s);
}

bool tg_dataset_locate(const char *given, const char *split, struct tg_dataset_place *p,
		       struct tg_err *err)
{
	const char *what = given ? given : "lite", *hub = tg_dataset_hub_name(what);
	char *key;
	bool ok;

	*p = (struct tg_dataset_place){ .split = tg_strdup(split ? split : "test") };
	if (!split_valid(p->split))
		return tg_fail(err, TG_E_INPUT, "--split: a word such as test or dev is needed");
	p->name = hub || !strcmp(what, "demo") ? tg_strdup(what) : word_of(what);
	if (!strcmp(what, "demo"))
		return locate_demo(p, err);
	if (!hub && tg_ends_with(what, ".parquet"))
		return locate_parquet(what, p, err);
	if (!hub && !tg_file_exists(what))
		return tg_fail(err, TG_E_INPUT,
			       "data set %s does not exist; --dataset takes a file (.jsonl, "
			       ".json, .parquet) or one of lite, verified, full, multimodal, "
			       "multilingual, "
			       "rebench, demo",
			       what);
	if (!hub) {
		p->path = tg_strdup(what);
		return true;
	}
	p->source = tg_asprintf("hf:%s", hub);
	key = tg_asprintf("%s_%s", p->name, p->split);
	ok = in_cache(p, key, err);
	free(key);
	return ok;
}

void tg_dataset_place_fini(struct tg_dataset_place *p)
{
	free(p->path);
	free(p->name);
	free(p->split);
	free(p->source);
	free(p->cache);
	*p = (struct tg_dataset_place){ 0 };
}

/* ---- the export ----------------------------------------------------------------------- */

/* The last line that says something, made safe. */
static char *last_line(const struct tg_buf *b)
{
	const char *p = tg_buf_cstr(b), *end = p + b->n, *start;

	while (end > p && strchr(" \t\r\n", end[-1]))
		end--;
	for (start = end; start > p && start[-1] != '\n'; start--)
		;
	return tg_text_line(start, (size_t)(end - start), 240);
}

static bool explain(const struct tg_dataset_place *p, const char *python,
		    const struct tg_proc_result *r, struct tg_err *err)
{
	char *last = last_line(&r->err);

	if (r->timed_out)
		tg_fail(err, TG_E_MACHINE,
			"the export of %s did not end within %d minutes; fetch it by hand, "
			"or give --dataset FILE (.jsonl)",
			p->source, EXPORT_MS / 60000);
	else if (r->code == 3)
		tg_fail(err, TG_E_MACHINE,
			"%s is needed to read %s, and %s cannot import it: run '%s -m pip "
			"install %s', or give --dataset FILE (.jsonl)",
			last, p->source, python, python,
			!strcmp(last, "pyarrow") || !strcmp(last, "datasets") ? last : "datasets");
	else
		tg_fail(err, TG_E_MACHINE,
			"%s could not export %s (split %s): %s; give --dataset FILE (.jsonl) "
			"where the hub cannot be reached",
			python, p->source, p->split, last);
	free(last);
	return false;
}

static bool run_export(const struct tg_dataset_place *p, const char *python, const char *out,
		       struct tg_err *err)
{
	const char *const argv[] = {
		python, "-c", tg_export_rows_py, p->source, p->split, out, NULL
	};
	/* not in the caller's folder: -c would put it before the installed modules */
	const struct tg_spawn how = { .argv = argv, .cwd = "/", .in = -1, .new_session = true,
				      .die_with_parent = true };
	struct tg_proc_result r = { 0 };
	bool ok = tg_proc_run(&how, NULL, 0, EXPORT_MS, 256 << 10, &r, err);

	if (ok && r.code != 0)
		ok = explain(p, python, &r, err);
	tg_proc_result_fini(&r);
	return ok;
}

/* The note goes last: a copy without its digest counts as none. */
static bool keep(const struct tg_dataset_place *p, const char *tmp, const char *sha256,
		 struct tg_err *err)
{
	char *note = tg_asprintf("%s.sha256", p->cache);
	char *line = tg_asprintf("%s  %s\n", sha256, tg_path_base(p->cache));
	bool ok = tg_file_copy(tmp, p->cache, 0644, err) &&
		  tg_file_write(note, line, strlen(line), 0644, err);

	free(line);
	free(note);
	return ok;
}

bool tg_dataset_export(struct tg_dataset_place *p, const char *python, struct tg_err *err)
{
	char *mine, *dir, *tmp;
	struct tg_dataset ds = { 0 };
	bool ok;

	if (p->path)
		return true;
	mine = python ? NULL : tg_user_python();
	python = python ? python : mine;
	if (!python)
		return tg_fail(
			err, TG_E_MACHINE,
			"no Python was found that could export %s: activate your "
			"virtual environment, set TGMON_PYTHON, or give --dataset FILE (.jsonl)",
			p->source);
	dir = tg_path_dir(p->cache);
	tmp = tg_asprintf("%s.new-%d", p->cache, (int)getpid());
	ok = tg_mkdirs(dir, 0755, err) && run_export(p, python, tmp, err) &&
	     tg_dataset_load(&ds, tmp, err) && keep(p, tmp, ds.sha256, err);
	if (ok)
		p->path = tg_strdup(p->cache);
	unlink(tmp);
	tg_dataset_fini(&ds);
	free(tmp);
	free(dir);
	free(mine);
	return ok;
}
