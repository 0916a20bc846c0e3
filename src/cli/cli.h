#ifndef TG_CLI_H
#define TG_CLI_H
/*
 * The command line: one table of commands, one of exit codes; help, man page and tests are made from
 * them. One file a command. Options may stand before or after RUN.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"

enum tg_opt_kind { TG_OPT_FLAG, TG_OPT_STR, TG_OPT_INT, TG_OPT_NUM, TG_OPT_LIST };

#define TG_OPT_LIST_MAX 16
struct tg_opt_list { /* TG_OPT_LIST: an option that may be repeated; borrowed from argv */
	const char *v[TG_OPT_LIST_MAX];
	size_t n;
};

struct tg_opt { /* name NULL ends a list */
	const char *name, *metavar, *help; /* "workers", "N", "agents at once (1)" */
	enum tg_opt_kind kind;
	size_t offset;      /* of the member in the command's option struct */
	size_t set_offset;  /* of a bool that says "was given"; 0: none */
};

struct tg_args { /* what is left: positional arguments, borrowed from argv */
	const char *pos[64];
	size_t n;
};

struct tg_command {
	const char *name, *group, *args, *summary;
	const struct tg_opt *opts;
	size_t opts_size;                       /* of the option struct */
	int (*run)(const void *opts, const struct tg_args *args);
	size_t min_args, max_args;
	const char *more;                       /* further help, or NULL */
};

const struct tg_command *tg_command_find(const char *name);
const struct tg_command *const *tg_commands(void); /* NULL-terminated, in the order of help */
const char *const (*tg_command_groups(void))[2];   /* { name, what it is for }; name NULL ends */

/* Parse argv[0..argc) (without the command's name) into a zeroed option struct. */
bool tg_cli_parse(const struct tg_command *cmd, int argc, char **argv, void *opts,
		  struct tg_args *args, struct tg_err *err);
void tg_cli_usage(void);                             /* tgmon --help */
void tg_cli_help(const struct tg_command *cmd);      /* tgmon help run */
/* "tgmon: <message>" on stderr, made safe; returns the exit code of err. */
int tg_cli_fail(const struct tg_err *err);
int tg_cli_main(int argc, char **argv);

/* Commands. */
extern const struct tg_command tg_cmd_run, tg_cmd_process, tg_cmd_watch, tg_cmd_status, tg_cmd_rerun,
	tg_cmd_stop, tg_cmd_pause, tg_cmd_resume, tg_cmd_answer, tg_cmd_prepull, tg_cmd_clean,
	tg_cmd_doctor, tg_cmd_triage, tg_cmd_scan, tg_cmd_gate, tg_cmd_verify, tg_cmd_keygen,
	tg_cmd_proof, tg_cmd_report;
/* Not for people: runner, shim, stage, agent-replay. -1: not one of them. */
int tg_cli_internal(int argc, char **argv);

/* Shared by commands. */
/* The run's directory: absolute, must be ours or (allow_foreign) one that something else made. NULL
 * and err otherwise; caller frees. */
char *tg_cli_run_dir(const char *arg, bool allow_foreign, struct tg_err *err);
/* Follow a run until its runner ended, with a progress line on stderr; then the exit code that
 * --headless and process return (decisions.md, "Exit codes"). */
int tg_cli_follow(const char *run_dir, bool quiet);
/* Post a command and make sure that a runner is there to take it; prints what happened. */
int tg_cli_post(const char *run_dir, const char *verb, void *args /* struct cJSON *, taken */,
		bool start_runner, const char *said);

#endif
