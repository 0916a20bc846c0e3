/* tgmon triage: what is wrong with each patch of a predictions file, one line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/patch/preds.h"
#include "core/patch/try.h"

struct triage_opts {
	struct tg_opt_list dataset;
	const char *repos;
	int64_t ladder;
	bool json;
};

#define L(member) offsetof(struct triage_opts, member)

static const struct tg_opt options[] = {
	{ "json", NULL, "one JSON object a line instead of a table", TG_OPT_FLAG, L(json), 0 },
	{ "dataset", "FILE", "rows of the instances: repositories and base commits; may be repeated",
	  TG_OPT_LIST, L(dataset), 0 },
	{ "repos", "DIR", "bare repositories <owner>__<name>[.git]: then the ladder runs", TG_OPT_STR,
	  L(repos), 0 },
	{ "ladder", "4|5", "the harness generation whose apply ladder judges (5)", TG_OPT_INT,
	  L(ladder), 0 },
	{ 0 },
};

struct session {
	const struct triage_opts *o;
	struct tg_dataset set[TG_OPT_LIST_MAX];
	char *data_dir, *scratch; /* scratch: a folder of our own below TMPDIR */
};

static const struct tg_row *find_row(const struct session *s, const char *iid)
{
	for (size_t i = 0; i < s->o->dataset.n; i++) {
		const struct tg_row *row = tg_dataset_find(&s->set[i], iid);

		if (row)
			return row;
	}
	return NULL;
}

static struct cJSON *line_json(const struct tg_pred *p, size_t index, const struct tg_try *t,
			       const char *no_base)
{
	struct cJSON *o = tg_json_object(), *flags = tg_json_array();
	char sha256[TG_SHA256_HEX];

	tg_sha256_hex(p->patch, p->patch_n, sha256);
	tg_json_set_str(o, "instance_id", p->instance_id);
	tg_json_set_int(o, "index", (int64_t)index);
	tg_json_set_str(o, "class", tg_patch_class_name(t->out.cls));
	tg_json_set_str(o, "reason", t->out.reason);
	tg_json_set_str(o, "remedy", t->out.remedy);
	if (t->out.applies < 0)
		tg_json_set_null(o, "applies");
	else
		tg_json_set_bool(o, "applies", t->out.applies == 1);
	tg_json_set_str(o, "rung", *t->out.rung ? t->out.rung : NULL);
	for (unsigned bit = 0; bit < TG_TF_COUNT_BITS; bit++)
		if (t->out.flags & (1u << bit))
			tg_json_push_str(flags, tg_triage_flag_name(1u << bit));
	tg_json_set(o, "flags", flags);
	tg_json_set_int(o, "bytes", (int64_t)p->patch_n);
	tg_json_set_str(o, "sha256", sha256);
	tg_json_set_str(o, "no_base", no_base);
	return o;
}

static void print_line(const struct cJSON *o, bool json)
{
	struct tg_buf b = TG_BUF_INIT;

	if (json) {
		tg_json_print(o, TG_JSON_COMPACT, &b);
	} else {
		const char *reason = tg_json_str(o, "reason"), *remedy = tg_json_str(o, "remedy");
		const char *iid = tg_json_str(o, "instance_id");

		tg_text_safe(&b, iid, strlen(iid), 0);
		tg_buf_addf(&b, "\t%s\t%s", tg_json_str(o, "class"), reason ? reason : "");
		if (remedy)
			tg_buf_addf(&b, "\t-> %s", remedy);
	}
	tg_buf_addc(&b, '\n');
	fwrite(b.p, 1, b.n, stdout);
	tg_buf_fini(&b);
}

static bool triage_one(const struct session *s, const struct tg_pred *p, size_t index,
		       struct tg_err *err)
{
	const struct tg_row *row = find_row(s, p->instance_id);
	struct tg_err why = { 0 };
	char *repo = NULL, *no_base = NULL;
	struct tg_try_in in = { .patch = p->patch, .n = p->patch_n, .dir = s->scratch,
				.generation = s->o->ladder ? (int)s->o->ladder : 5 };
	struct tg_try t = { 0 };
	bool ok;

	if (!row)
		no_base = tg_strdup("no data set row for this instance");
	else if (!s->o->repos)
		no_base = tg_strdup("no --repos");
	else if (!tg_repo_path(s->o->repos, s->data_dir, row->repo, &repo, &why))
		no_base = why.code == TG_E_NONE ? tg_asprintf("no repository for %s", row->repo) :
						  tg_strdup(why.msg);
	in.repo = repo;
	in.commit = repo ? row->base_commit : NULL;
	ok = tg_try_patch(&in, &t, err);
	if (ok) {
		struct cJSON *o = line_json(p, index, &t, no_base ? no_base : t.no_base);

		print_line(o, s->o->json);
		tg_json_free(o);
	}
	tg_try_fini(&t);
	free(no_base);
	free(repo);
	return ok;
}

static bool make_scratch(struct session *s, struct tg_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = tg_asprintf("%s/tgmon-triage.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");

	if (!mkdtemp(dir)) {
		tg_fail(err, TG_E_MACHINE, "cannot make a folder %s; set TMPDIR", dir);
		free(dir);
		return false;
	}
	s->scratch = tg_path_join(dir, "tree");
	free(dir);
	return true;
}

static bool open_session(struct session *s, struct tg_err *err)
{
	if (s->o->ladder && s->o->ladder != 4 && s->o->ladder != 5)
		return tg_fail(err, TG_E_INPUT, "--ladder is 4 or 5");
	if (s->o->repos && !tg_is_dir(s->o->repos))
		return tg_fail(err, TG_E_INPUT, "--repos %s is no folder", s->o->repos);
	for (size_t i = 0; i < s->o->dataset.n; i++)
		if (!tg_dataset_load(&s->set[i], s->o->dataset.v[i], err))
			return false;
	s->data_dir = tg_data_dir();
	return make_scratch(s, err);
}

static void close_session(struct session *s)
{
	for (size_t i = 0; i < s->o->dataset.n; i++)
		tg_dataset_fini(&s->set[i]);
	if (s->scratch) {
		char *dir = tg_path_dir(s->scratch);

		tg_remove_tree(dir, NULL);
		free(dir);
	}
	free(s->scratch);
	free(s->data_dir);
}

static int triage(const void *given, const struct tg_args *args)
{
	struct session s = { .o = given };
	struct tg_preds preds = { 0 };
	struct tg_err err = { 0 };
	bool ok = open_session(&s, &err) && tg_preds_load(&preds, args->pos[0], &err);

	for (size_t i = 0; ok && i < preds.n; i++)
		ok = triage_one(&s, &preds.v[i], i, &err);
	tg_preds_fini(&preds);
	close_session(&s);
	return ok ? 0 : tg_cli_fail(&err);
}

const struct tg_command tg_cmd_triage = {
	.name = "triage", .group = "triage",
	.args = "[--json] PREDS [--dataset FILE]... [--repos DIR] [--ladder 4|5]",
	.summary = "what is wrong with each patch of a predictions file",
	.opts = options, .opts_size = sizeof(struct triage_opts), .run = triage, .min_args = 1,
	.max_args = 1,
	.more = "Predictions: a JSON list, a map, one record or JSONL. Lines come in input order.",
};
