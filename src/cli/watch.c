/* tgmon watch, and tgmon [DIR]: the console. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "cli/attach.h"
#include "cli/cli.h"
#include "core/run/layout.h"
#include "core/runner/runner.h"
#include "views/console.h"

struct watch_opts {
	bool once, read_only, ascii;
	const char *theme;
};

static const struct tg_opt opts[] = {
	{ "once", NULL, "print one plain frame and leave", TG_OPT_FLAG, offsetof(struct watch_opts, once), 0 },
	{ "read-only", NULL, "look only: commands that change something are off", TG_OPT_FLAG,
	  offsetof(struct watch_opts, read_only), 0 },
	{ "theme", "NAME", "default, light, mono, or a file", TG_OPT_STR,
	  offsetof(struct watch_opts, theme), 0 },
	{ "ascii", NULL, "no characters beyond ASCII", TG_OPT_FLAG, offsetof(struct watch_opts, ascii), 0 },
	{ 0 },
};

static int console(const struct watch_opts *o, const char *run_dir, const char *dir)
{
	struct tg_err err = { 0 };
	struct tg_console_opts c = {
		.run_dir = run_dir, .dir = dir, .read_only = o->read_only, .once = o->once,
		.ascii = o->ascii, .theme = o->theme,
	};
	int code = tg_console_main(&c, &err);

	if (code && err.code)
		return tg_cli_fail(&err);
	if (!code && run_dir && !o->once && tg_runner_alive(run_dir, NULL)) {
		fprintf(stderr, "tgmon: the run goes on; tgmon watch %s attaches again\n", run_dir);
		tg_cli_leaving();
	}
	return code;
}

int tg_cli_attach(const char *run_dir, const char *dir, struct tg_err *err)
{
	struct watch_opts o = { .once = false };

	(void)err;
	return console(&o, run_dir, dir);
}

static int run(const void *given, const struct tg_args *args)
{
	const struct watch_opts *o = given;
	const char *arg = args->n ? args->pos[0] : ".";
	struct tg_err err = { 0 };
	char *dir;
	int code;

	if (!o->once && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		tg_fail(&err, TG_E_INPUT, "the console needs a terminal; use --once, or tgmon status --json RUN");
		return tg_cli_fail(&err);
	}
	if (tg_layout_kind(arg) == TG_DIR_NONE)
		return console(o, NULL, arg); /* the runs below */
	dir = tg_cli_run_dir(arg, true, &err);
	if (!dir)
		return tg_cli_fail(&err);
	code = console(o, dir, NULL);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_watch = {
	.name = "watch", .group = "watch", .args = "[RUN] [options]",
	.summary = "attach to a run: live, finished, or made by something else",
	.opts = opts, .opts_size = sizeof(struct watch_opts), .run = run, .max_args = 1,
};
