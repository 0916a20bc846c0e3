#ifndef TEST_STAGE_H
#define TEST_STAGE_H
/* A scratch folder with a small bare repository and job directories, for stage tests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/dataset/dataset.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/run/stage.h"

struct place {
	char dir[64];	      /* the scratch folder */
	char *repos, *commit; /* repos/own__er.git and its commit */
	char *agent, *extract, *triage;
	struct tg_spec spec;
	struct tg_row row;
	struct tg_stage_ctx ctx;
};

static inline void put(const char *dir, const char *rel, const char *text)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);
	struct tg_err err = {0};

	if (!tg_mkdirs(parent, 0755, &err) || !tg_file_write(path, text, strlen(text), 0644, &err))
		fail_msg("%s", err.msg);
	free(parent);
	free(path);
}

static inline char *get(const char *dir, const char *rel)
{
	char *path = tg_path_join(dir, rel);
	struct tg_buf b = TG_BUF_INIT;
	bool ok = tg_file_read(path, 0, &b, NULL);

	free(path);
	if (!ok) {
		tg_buf_fini(&b);
		return NULL;
	}
	return b.p ? tg_buf_detach(&b) : tg_strdup("");
}

static inline char *git(const char *dir, const char *a, const char *b, const char *c, const char *d,
			const char *e)
{
	const char *const argv[] = {
	    "git", "-c", "user.name=t", "-c", "user.email=t@localhost", a, b, c, d, e, NULL};
	const struct tg_spawn s = {.argv = argv, .cwd = dir, .in = -1, .out = -1, .err = -1};
	struct tg_proc_result r = {0};
	struct tg_err err = {0};
	char *out;

	if (!tg_proc_run(&s, NULL, 0, 60000, 65536, &r, &err) || r.code != 0)
		fail_msg("git %s: %s %s", a, err.msg, tg_buf_cstr(&r.err));
	out = tg_strdup(tg_buf_cstr(&r.out));
	out[strcspn(out, "\n")] = '\0';
	tg_proc_result_fini(&r);
	return out;
}

static const char base_a[] = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

static inline void make_repository(struct place *p)
{
	char *work = tg_path_join(p->dir, "work"), *bare;

	p->repos = tg_path_join(p->dir, "repos");
	bare = tg_path_join(p->repos, "own__er.git");
	put(work, "pkg/a.py", base_a);
	put(work, "pkg/b.py", "alpha\nbeta\ngamma\ndelta\nepsilon\n");
	put(work, "old.py", "to be renamed\nsecond line\nthird line\n");
	put(work, "gone.py", "bye\n");
	free(git(work, "init", "-q", "-b", "main", NULL));
	free(git(work, "add", "-A", ".", NULL, NULL));
	free(git(work, "commit", "-q", "-m", "base", NULL));
	p->commit = git(work, "rev-parse", "HEAD", NULL, NULL, NULL);
	tg_mkdirs(p->repos, 0755, NULL);
	free(git(work, "clone", "-q", "--bare", ".", bare));
	free(bare);
	free(work);
}

static inline void place_init(struct place *p)
{
	*p = (struct place){.dir = "/tmp/tgmon-patch-XXXXXX"};
	assert_non_null(mkdtemp(p->dir));
	p->agent = tg_path_join(p->dir, "job/agent");
	p->extract = tg_path_join(p->dir, "job/extract.1");
	p->triage = tg_path_join(p->dir, "job/triage.1");
	p->spec = (struct tg_spec){.agent = (char *)"replay", .ladder = 4};
	p->ctx = (struct tg_stage_ctx){.run_dir = p->dir,
				       .spec = &p->spec,
				       .instance_id = "own__er-1",
				       .attempt = 1,
				       .k = 1,
				       .attempt_dir = p->agent,
				       .log = {.fd = -1}};
	p->ctx.input[TG_STAGE_AGENT] = p->agent;
	p->ctx.input[TG_STAGE_EXTRACT] = p->extract;
}

static inline void place_fini(struct place *p)
{
	tg_remove_tree(p->dir, NULL);
	free(p->repos);
	free(p->commit);
	free(p->agent);
	free(p->extract);
	free(p->triage);
}

#endif
