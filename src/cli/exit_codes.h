#ifndef TG_EXIT_CODES_H
#define TG_EXIT_CODES_H
/* The one table of exit codes; --help prints it and tests read it. text NULL ends it. */
struct tg_exit_code {
	int code;
	const char *text;
};
extern const struct tg_exit_code tg_exit_codes[];
#endif
