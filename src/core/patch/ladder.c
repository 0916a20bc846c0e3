/*
 * The apply ladder in the sandbox. The patch reaches git and patch on standard input, so that no
 * name is needed for it; the tree is the only thing they can write to. Nothing outside the sandbox
 * ever runs git in such a tree: GNU patch writes into .git when it is told to.
 */
#include "core/patch/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/lib/file.h"
#include "core/lib/sandbox.h"

#define TREE "/testbed"
#define RUNG_TIMEOUT_MS (120 * 1000)
#define LOG_CAP ((size_t)1 << 20)

/* No configuration but this one, no hooks, no prompts, no repository further up. */
static const char *const git_env[] = {
	"GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_ATTR_NOSYSTEM=1",
	"GIT_CEILING_DIRECTORIES=/",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_ASKPASS=/bin/false",
	"GIT_EDITOR=/bin/false",
	"GIT_PAGER=cat",
	"GIT_OPTIONAL_LOCKS=0",
	"GIT_AUTHOR_NAME=tgmon",
	"GIT_AUTHOR_EMAIL=tgmon@localhost",
	"GIT_AUTHOR_DATE=2000-01-01T00:00:00Z",
	"GIT_COMMITTER_NAME=tgmon",
	"GIT_COMMITTER_EMAIL=tgmon@localhost",
	"GIT_COMMITTER_DATE=2000-01-01T00:00:00Z",
	"GIT_CONFIG_COUNT=8",
	"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	"GIT_CONFIG_KEY_1=core.hooksPath", "GIT_CONFIG_VALUE_1=/dev/null",
	"GIT_CONFIG_KEY_2=core.attributesFile", "GIT_CONFIG_VALUE_2=/dev/null",
	"GIT_CONFIG_KEY_3=core.fsmonitor", "GIT_CONFIG_VALUE_3=false",
	"GIT_CONFIG_KEY_4=core.autocrlf", "GIT_CONFIG_VALUE_4=false",
	"GIT_CONFIG_KEY_5=commit.gpgSign", "GIT_CONFIG_VALUE_5=false",
	"GIT_CONFIG_KEY_6=gc.auto", "GIT_CONFIG_VALUE_6=0",
	"GIT_CONFIG_KEY_7=advice.detachedHead", "GIT_CONFIG_VALUE_7=false",
	"PATCH_GET=0",
	"LC_ALL=C",
	NULL
};

struct rung {
	const char *name;
	bool reset_first;
	const char *argv[8];
};

static const struct rung ladder_4[] = {
	{"git", false, {"git", "apply", "--verbose"}},
	{"git-reject", false, {"git", "apply", "--verbose", "--reject"}},
	{"patch-fuzz", false, {"patch", "--batch", "--fuzz=5", "-p1"}},
	{.name = NULL},
};

static const struct rung ladder_5[] = {
	{"git", false, {"git", "apply", "--verbose"}},
	{"git-3way", true, {"git", "apply", "--verbose", "--3way"}},
	{"git-reject", true, {"git", "apply", "--verbose", "--reject"}},
	{"patch-fuzz", true, {"patch", "--batch", "--forward", "--fuzz=5", "-p1"}},
	{"already", false, {"git", "apply", "--check", "--reverse"}},
	{.name = NULL},
};

struct step {
	const char *tree;
	const void *input;
	size_t input_n;
	struct tg_buf *log; /* may be NULL */
};

/* Run argv in the tree. False: the sandbox could not start. *ok: exit code 0. */
static bool run(const struct step *s, const char *const *argv, bool *ok, struct tg_err *err)
{
	const struct tg_bind binds[] = {{s->tree, TREE, true}, {.src = NULL}};
	const struct tg_sandbox sb = {
	    .binds = binds, .cwd = TREE, .env = git_env, .tmp_bytes = 256LL << 20};
	struct tg_proc_result r = {0};
	size_t i;

	if (!tg_sandbox_run(&sb, argv, s->input, s->input_n, RUNG_TIMEOUT_MS, LOG_CAP, true, &r,
			    err))
		return tg_fail_in(err, "apply ladder: %s", argv[0]);
	*ok = r.code == 0 && !r.timed_out;
	if (s->log) {
		tg_buf_adds(s->log, "$");
		for (i = 0; argv[i]; i++)
			tg_buf_addf(s->log, " %s", argv[i]);
		tg_buf_addc(s->log, '\n');
		tg_buf_add(s->log, tg_buf_cstr(&r.out), r.out.n);
		if (r.out.n > 0 && r.out.p[r.out.n - 1] != '\n')
			tg_buf_addc(s->log, '\n');
		if (r.timed_out)
			tg_buf_addf(s->log, "(stopped after %d s)\n", RUNG_TIMEOUT_MS / 1000);
		tg_buf_addf(s->log, "(exit code %d)\n", r.code);
	}
	tg_proc_result_fini(&r);
	return true;
}

/* Git commands that must succeed. */
static bool run_git(const struct step *s, const char *const *argv, struct tg_err *err)
{
	struct tg_buf log = TG_BUF_INIT;
	struct step quiet = {.tree = s->tree, .log = &log};
	bool ok = false, started = run(&quiet, argv, &ok, err);

	if (started && !ok)
		tg_fail(err, TG_E_MACHINE,
			"apply ladder: git %s failed in the scratch tree: %.300s", argv[1],
			tg_buf_cstr(&log));
	tg_buf_fini(&log);
	return started && ok;
}

bool tg_ladder_prepare(const char *tree, struct tg_err *err)
{
	static const char *const init[] = {"git", "init", "-q", "--template=", NULL};
	static const char *const add[] = {"git", "add", "-A", "-f", ".", NULL};
	static const char *const commit[] = {"git",	    "commit", "-q",   "--allow-empty",
					     "--no-verify", "-m",     "base", NULL};
	struct step s = {.tree = tree};
	char *dot_git = tg_path_join(tree, ".git");
	bool taken = tg_file_exists(dot_git);

	free(dot_git);
	if (taken)
		return tg_fail(err, TG_E_INPUT, "%s holds a .git already; a scratch tree must not",
			       tree);
	return run_git(&s, init, err) && run_git(&s, add, err) && run_git(&s, commit, err);
}

/* What the harness does between rungs; a failure of these two does not stop it either. */
static bool reset(const struct step *s, struct tg_err *err)
{
	static const char *const checkout[] = {"git", "checkout", "--", ".", NULL};
	static const char *const clean[] = {"git", "clean", "-fd", NULL};
	struct step plain = {.tree = s->tree};
	bool ok;

	return run(&plain, checkout, &ok, err) && run(&plain, clean, &ok, err);
}

bool tg_ladder_apply(const char *tree, const void *patch, size_t n, int generation,
		     struct tg_ladder_result *r, struct tg_err *err)
{
	const struct rung *rung = generation >= 5 ? ladder_5 : ladder_4;
	struct step s = {.tree = tree, .input = patch, .input_n = n};
	bool ok = false;

	*r = (struct tg_ladder_result){0};
	s.log = &r->log;
	for (; rung->name && !ok; rung++) {
		if (rung->reset_first && !reset(&s, err))
			return false;
		if (!run(&s, rung->argv, &ok, err))
			return false;
		if (ok)
			snprintf(r->rung, sizeof r->rung, "%s", rung->name);
	}
	r->applied = ok ? 1 : 0;
	return true;
}

void tg_ladder_result_fini(struct tg_ladder_result *r)
{
	tg_buf_fini(&r->log);
	*r = (struct tg_ladder_result){0};
}
