/* The man page and bash's completion, made from the table of commands when the program is built. */
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/exit_codes.h"
#include "cli/manual.h"

/* ---- troff ---------------------------------------------------------------------------- */

/* Text as troff takes it: no escape of its own, no request at the start of a line, plain hyphens.
 */
static void roff(const char *text)
{
	bool start = true;

	for (const char *p = text; *p; p++) {
		if (start && (*p == '.' || *p == '\''))
			fputs("\\&", stdout);
		if (*p == '\\')
			fputs("\\e", stdout);
		else if (*p == '-')
			fputs("\\-", stdout);
		else
			putchar(*p);
		start = *p == '\n';
	}
}

static void roff_line(const char *request, const char *text)
{
	fputs(request, stdout);
	roff(text);
	putchar('\n');
}

static void man_command(const struct tg_command *cmd)
{
	fputs(".TP\n.B tgmon ", stdout);
	roff(cmd->name);
	putchar(' ');
	roff_line("", cmd->args);
	roff_line("", cmd->summary);
	if (cmd->more) {
		puts(".br");
		roff_line("", cmd->more);
	}
	if (!cmd->opts || !cmd->opts[0].name)
		return;
	puts(".RS");
	for (const struct tg_opt *o = cmd->opts; o->name; o++) {
		fputs(".TP\n\\fB\\-\\-", stdout);
		roff(o->name);
		fputs("\\fR", stdout);
		if (o->metavar) {
			fputs(" \\fI", stdout);
			roff(o->metavar);
			fputs("\\fR", stdout);
		}
		putchar('\n');
		roff_line("", o->help);
	}
	puts(".RE");
}

static void man_commands(void)
{
	const struct tg_command *const *c = tg_commands();

	puts(".SH COMMANDS");
	for (const char *const(*g)[2] = tg_command_groups(); (*g)[0]; g++) {
		bool any = false;

		for (size_t i = 0; c[i]; i++) {
			if (strcmp(c[i]->group, (*g)[0]))
				continue;
			if (!any)
				printf(".SS %s: %s\n", (*g)[0], (*g)[1]);
			any = true;
			man_command(c[i]);
		}
	}
}

static void man(void)
{
	static const char *const files[][2] = {
	    {"RUN/.tgmon",
	     "what was asked, the journal, every attempt; nothing in it is ever deleted"},
	    {"$XDG_STATE_HOME/tgmon/runs", "where the runs of this user are"},
	    {"PREFIX/share/tgmon",
	     "the embedded batch, policy, rules, themes; $TGMON_DATA names another"},
	};

	puts(".TH TGMON 1 \"\" \"tgmon " TGMON_VERSION "\" \"User Commands\"\n.SH NAME\n"
	     "tgmon \\- launch a SWE\\-bench batch, watch it, rerun what failed, hand over the "
	     "proof\n"
	     ".SH SYNOPSIS\n.B tgmon\n[\\fIDIR\\fR]\n.br\n.B tgmon\n\\fICOMMAND\\fR "
	     "[\\fIoptions\\fR]\n"
	     ".SH DESCRIPTION\nWithout a command the console opens: the runs below \\fIDIR\\fR "
	     "(here), or the "
	     "run \\fIDIR\\fR.\nA run goes on when the console or the terminal closes. Options may "
	     "stand "
	     "before or after RUN.");
	man_commands();
	puts(".SH \"EXIT STATUS\"");
	for (size_t i = 0; tg_exit_codes[i].text; i++) {
		printf(".TP\n.B %d\n", tg_exit_codes[i].code);
		roff_line("", tg_exit_codes[i].text);
	}
	puts(".SH FILES");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		roff_line(".TP\n.I ", files[i][0]);
		roff_line("", files[i][1]);
	}
}

/* ---- bash ----------------------------------------------------------------------------- */

static void completion(void)
{
	const struct tg_command *const *c = tg_commands();

	puts("# bash completion for tgmon, made from its table of commands\n_tgmon() {\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n\tif [ \"$COMP_CWORD\" = 1 ]; then");
	fputs("\t\twords='--help --version", stdout);
	for (size_t i = 0; c[i]; i++)
		printf(" %s", c[i]->name);
	puts("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in");
	for (size_t i = 0; c[i]; i++) {
		printf("\t\t%s) words='--help", c[i]->name);
		for (const struct tg_opt *o = c[i]->opts; o && o->name; o++)
			printf(" --%s", o->name);
		puts("' ;;");
	}
	puts("\t\tesac\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
	     "complete -o bashdefault -o default -F _tgmon tgmon");
}

bool tg_cli_manual(const char *kind)
{
	if (!strcmp(kind, "--man"))
		man();
	else if (!strcmp(kind, "--bash-completion"))
		completion();
	else
		return false;
	return true;
}
