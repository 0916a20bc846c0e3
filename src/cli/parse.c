#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/text.h"

static bool store(const struct tg_opt *o, const char *value, char *into, struct tg_err *err)
{
	void *at = into + o->offset;

	if (o->set_offset)
		*(bool *)(void *)(into + o->set_offset) = true;
	switch (o->kind) {
	case TG_OPT_FLAG:
		*(bool *)at = true;
		return true;
	case TG_OPT_STR:
		*(const char **)at = value;
		return true;
	case TG_OPT_LIST: {
		struct tg_opt_list *list = at;

		if (list->n == TG_OPT_LIST_MAX)
			return tg_fail(err, TG_E_INPUT, "--%s stands more than %d times", o->name,
				       TG_OPT_LIST_MAX);
		list->v[list->n++] = value;
		return true;
	}
	case TG_OPT_INT:
		if (tg_parse_i64(value, at))
			return true;
		return tg_fail(err, TG_E_INPUT, "--%s %s: a whole number is needed", o->name, value);
	default:
		if (tg_parse_f64(value, at))
			return true;
		return tg_fail(err, TG_E_INPUT, "--%s %s: a number is needed", o->name, value);
	}
}

static struct option *long_options(const struct tg_opt *opts, size_t *n)
{
	struct option *lo;

	for (*n = 0; opts && opts[*n].name; (*n)++)
		;
	lo = tg_calloc(*n + 2, sizeof *lo);
	for (size_t i = 0; i < *n; i++)
		lo[i] = (struct option){ opts[i].name,
					 opts[i].kind == TG_OPT_FLAG ? no_argument : required_argument,
					 NULL, (int)i + 256 };
	lo[*n] = (struct option){ "help", no_argument, NULL, 'h' };
	return lo;
}

bool tg_cli_parse(const struct tg_command *cmd, int argc, char **argv, void *opts,
		  struct tg_args *args, struct tg_err *err)
{
	char **v = tg_calloc((size_t)argc + 2, sizeof *v);
	struct option *lo;
	bool ok = true;
	size_t n;
	int c;

	lo = long_options(cmd->opts, &n);
	v[0] = tg_strdup(cmd->name); /* getopt wants a program name, and permutes what it is given */
	memcpy(v + 1, argv, (size_t)argc * sizeof *v);
	optind = 0;
	opterr = 0;
	args->n = 0;
	while (ok && (c = getopt_long(argc + 1, v, ":h", lo, NULL)) != -1) {
		const char *word = v[optind > 0 ? optind - 1 : 0];

		if (c == 'h') {
			tg_cli_help(cmd);
			exit(0);
		} else if (c == ':')
			ok = tg_fail(err, TG_E_INPUT, "%s needs a value; see tgmon %s --help", word, cmd->name);
		else if (c == '?')
			ok = tg_fail(err, TG_E_INPUT, "unknown option %s; see tgmon %s --help", word, cmd->name);
		else
			ok = store(&cmd->opts[c - 256], optarg, opts, err);
	}
	for (int i = optind; ok && i < argc + 1; i++) {
		if (args->n >= sizeof args->pos / sizeof args->pos[0] || args->n >= cmd->max_args)
			ok = tg_fail(err, TG_E_INPUT, "too many arguments at %s; usage: tgmon %s %s", v[i],
				     cmd->name, cmd->args);
		else
			args->pos[args->n++] = v[i];
	}
	if (ok && args->n < cmd->min_args)
		ok = tg_fail(err, TG_E_INPUT, "usage: tgmon %s %s", cmd->name, cmd->args);
	free(v[0]);
	free(v);
	free(lo);
	return ok;
}

int tg_cli_fail(const struct tg_err *err)
{
	char *line = tg_text_line(err->msg, strlen(err->msg), sizeof err->msg * 4);

	fprintf(stderr, "tgmon: %s\n", line);
	free(line);
	return tg_err_exit(err);
}
