/* tgmon report RUN --format md */
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "core/evidence/report.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"

struct report_opts {
	const char *format, *output;
};

static const struct tg_opt opts[] = {
	{ "format", "md", "the form (md)", TG_OPT_STR, offsetof(struct report_opts, format), 0 },
	{ "output", "FILE", "write it there (standard output)", TG_OPT_STR, offsetof(struct report_opts, output), 0 },
	{ 0 },
};

static int run(const void *given, const struct tg_args *args)
{
	const struct report_opts *o = given;
	struct tg_err err = { 0 };
	struct tg_buf text = TG_BUF_INIT;
	struct tg_watch *w = NULL;
	char *dir = NULL;
	int code = 0;

	if (o->format && !tg_streq(o->format, "md"))
		tg_fail(&err, TG_E_INPUT, "--format %s: this version writes md", o->format);
	else if ((dir = tg_cli_run_dir(args->pos[0], true, &err)) && (w = tg_watch_open(dir, &err)) &&
		 tg_watch_poll(w, NULL, &err)) {
		tg_report_md(w, &text);
		if (!o->output)
			fwrite(text.p, 1, text.n, stdout);
		else
			tg_file_write(o->output, text.p, text.n, 0644, &err);
	}
	if (err.code)
		code = tg_cli_fail(&err);
	tg_buf_fini(&text);
	tg_watch_close(w);
	free(dir);
	return code;
}

const struct tg_command tg_cmd_report = {
	.name = "report", .group = "compare", .args = "RUN [--format md] [--output FILE]",
	.summary = "the four figures, every instance with its reason, and the limits",
	.opts = opts, .opts_size = sizeof(struct report_opts), .run = run, .min_args = 1, .max_args = 1,
};
