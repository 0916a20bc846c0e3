/* The table of commands, and the help made from it. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/exit_codes.h"
#include "cli/manual.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "views/console.h"

static const struct tg_command *const commands[] = {
	&tg_cmd_run, &tg_cmd_doctor, &tg_cmd_process, &tg_cmd_rerun, &tg_cmd_answer, &tg_cmd_stop,
	&tg_cmd_pause, &tg_cmd_resume, &tg_cmd_watch, &tg_cmd_status, &tg_cmd_triage, &tg_cmd_scan,
	&tg_cmd_prepull, &tg_cmd_clean,
	&tg_cmd_gate, &tg_cmd_verify, &tg_cmd_keygen, &tg_cmd_proof, &tg_cmd_report, NULL,
};

static const char *const groups[][2] = {
	{ "launch", "start, repeat and steer batches" }, { "watch", "see what runs" },
	{ "triage", "find out what went wrong" }, { "prove", "evidence that others can check" },
	{ "compare", "figures over runs" }, { NULL, NULL },
};

const char *const (*tg_command_groups(void))[2]
{
	return groups;
}

const struct tg_command *const *tg_commands(void)
{
	return commands;
}

const struct tg_command *tg_command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

void tg_cli_usage(void)
{
	puts("tgmon, the \xcf\x84Guardian run monitor: launch a SWE-bench batch, watch every instance, rerun what\n"
	     "failed with one key, and hand over a proof anyone can check.\n\n"
	     "usage: tgmon [DIR]                 the console: runs below DIR (here), or the run DIR\n"
	     "       tgmon COMMAND [options]     tgmon COMMAND --help tells more");
	for (size_t g = 0; groups[g][0]; g++) {
		bool any = false;

		for (size_t i = 0; commands[i]; i++) {
			if (strcmp(commands[i]->group, groups[g][0]))
				continue;
			if (!any)
				printf("\n%s: %s\n", groups[g][0], groups[g][1]);
			any = true;
			printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
		}
	}
	puts("\nexit codes:");
	for (size_t i = 0; tg_exit_codes[i].text; i++)
		printf("  %2d  %s\n", tg_exit_codes[i].code, tg_exit_codes[i].text);
}

void tg_cli_help(const struct tg_command *cmd)
{
	printf("usage: tgmon %s %s\n\n%s\n", cmd->name, cmd->args, cmd->summary);
	if (cmd->opts && cmd->opts[0].name)
		puts("\noptions:");
	for (const struct tg_opt *o = cmd->opts; o && o->name; o++) {
		char left[64];

		snprintf(left, sizeof left, "--%s%s%s", o->name, o->metavar ? " " : "",
			 o->metavar ? o->metavar : "");
		printf("  %-24s %s\n", left, o->help);
	}
	if (cmd->more)
		printf("\n%s\n", cmd->more);
}

static int run_command(const struct tg_command *cmd, int argc, char **argv)
{
	void *opts = tg_calloc(1, cmd->opts_size ? cmd->opts_size : 1);
	struct tg_args args = { .n = 0 };
	struct tg_err err = { 0 };
	int code;

	if (tg_cli_parse(cmd, argc, argv, opts, &args, &err))
		code = cmd->run(opts, &args);
	else
		code = tg_cli_fail(&err);
	free(opts);
	return code;
}

int tg_cli_main(int argc, char **argv)
{
	const struct tg_command *cmd = argc > 1 ? tg_command_find(argv[1]) : NULL;
	struct tg_err err = { 0 };
	int code;

	setlocale(LC_ALL, "");
	if (cmd)
		return run_command(cmd, argc - 2, argv + 2);
	code = tg_cli_internal(argc, argv);
	if (code >= 0)
		return code;
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		cmd = argc > 2 ? tg_command_find(argv[2]) : NULL;
		if (cmd)
			tg_cli_help(cmd);
		else if (argc < 3 || !tg_cli_manual(argv[2]))
			tg_cli_usage();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("tgmon " TGMON_VERSION);
		return 0;
	}
	if (argc > 1 && !tg_is_dir(argv[1])) {
		tg_fail(&err, TG_E_INPUT, "%s is neither a command nor a folder; see tgmon --help", argv[1]);
		return tg_cli_fail(&err);
	}
	return run_command(&tg_cmd_watch, argc - 1, argv + 1);
}
