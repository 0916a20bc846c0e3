/* Evaluator `swebench`: the harness's containers, found by name and removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/evaluate/swebench.h"
#include "core/lib/buf.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define LIST_MS 15000
#define REMOVE_MS 60000

static bool ask(const char *const *argv, int64_t ms, struct tg_proc_result *r, struct tg_err *err)
{
	char *said;

	if (!tg_proc_run(&(struct tg_spawn){.argv = argv}, NULL, 0, ms, 1 << 20, r, err))
		return false;
	if (r->code == 0 && !r->timed_out)
		return true;
	said = tg_text_line(tg_buf_cstr(&r->err), strcspn(tg_buf_cstr(&r->err), "\r\n"), 300);
	tg_fail(err, TG_E_MACHINE, "%s %s %s: %s", argv[0], argv[1],
		r->timed_out ? "did not end in time" : "failed", said);
	free(said);
	tg_proc_result_fini(r);
	return false;
}

bool tg_box_list(const char *docker, const char *prefix, struct tg_names *out, struct tg_err *err)
{
	char *filter = tg_asprintf("name=%s", prefix);
	const char *const argv[] = {docker, "ps",	"--all",      "--filter",
				    filter, "--format", "{{.Names}}", NULL};
	struct tg_proc_result r;
	size_t cap = 0;
	bool ok = ask(argv, LIST_MS, &r, err);

	*out = (struct tg_names){0};
	free(filter);
	if (!ok)
		return false;
	for (const char *p = tg_buf_cstr(&r.out); *p;) {
		size_t n = strcspn(p, "\r\n,");

		/* the filter is a pattern to the tool: its answer is checked */
		if (n >= strlen(prefix) && memcmp(p, prefix, strlen(prefix)) == 0) {
			TG_GROW(out->v, out->n, cap);
			out->v[out->n++] = tg_strndup(p, n);
		}
		p += n + strspn(p + n, "\r\n,");
	}
	tg_proc_result_fini(&r);
	return true;
}

/* name itself, or name.<digits> */
static bool is_ours(const char *found, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(found, name, n) != 0)
		return false;
	return !found[n] || (found[n] == '.' && found[n + 1] &&
			     !found[n + 1 + strspn(found + n + 1, "0123456789")]);
}

/* One round over what is there; how many of them are meant. exact: name and name.<digits> only. */
static bool remove_round(const char *docker, const char *name, bool exact, size_t *meant,
			 struct tg_err *err)
{
	struct tg_names found;
	struct tg_proc_result r;

	*meant = 0;
	if (!tg_box_list(docker, name, &found, err))
		return false;
	for (size_t i = 0; i < found.n; i++) {
		const char *const argv[] = {docker, "rm", "--force", found.v[i], NULL};

		if (exact && !is_ours(found.v[i], name))
			continue;
		++*meant;
		if (ask(argv, REMOVE_MS, &r, err))
			tg_proc_result_fini(&r);
	}
	tg_names_free(&found);
	return true;
}

static bool remove_all(const char *docker, const char *name, bool exact, size_t *removed,
		       struct tg_err *err)
{
	struct tg_err why = {0};
	size_t meant;

	*removed = 0;
	for (int round = 0; round < 3; round++) { /* the last look only makes sure */
		if (!remove_round(docker, name, exact, &meant, &why)) {
			if (err)
				*err = why;
			return false;
		}
		if (meant == 0)
			return true;
		*removed = meant > *removed ? meant : *removed;
	}
	if (err)
		*err = why;
	return tg_fail_in(err, "container %s cannot be removed", name);
}

bool tg_box_remove(const char *docker, const char *name, size_t *removed, struct tg_err *err)
{
	size_t n;

	return remove_all(docker, name, true, removed ? removed : &n, err);
}

int tg_box_clean_main(const char *docker, const char *prefix)
{
	struct tg_err err = {0};
	size_t removed;

	if (strlen(prefix) < 12 || !tg_starts_with(prefix, "sweb.eval."))
		return TG_E_INPUT; /* never a prefix that fits what is not ours */
	if (!remove_all(docker, prefix, false, &removed, &err)) {
		fprintf(stderr, "tgmon box-clean: %s\n", err.msg);
		return tg_err_exit(&err);
	}
	if (removed)
		fprintf(stderr, "tgmon: removed %zu container(s) %s*\n", removed, prefix);
	return 0;
}
