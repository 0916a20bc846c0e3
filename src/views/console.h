#ifndef TG_CONSOLE_H
#define TG_CONSOLE_H
/*
 * The console as the command line starts it: `tgmon watch RUN`, `tgmon [DIR]`. Disposable: it reads
 * the run directory, draws, and writes nothing but commands into the run's inbox.
 */
#include <stdbool.h>
#include "core/lib/err.h"

struct tg_console_opts {
	const char *run_dir; /* a run; NULL: the list of runs */
	const char *
		dir; /* runs below this folder are listed beside the registered ones; may be NULL */
	bool read_only;      /* commands that change something are off */
	bool once;           /* print one plain frame and return */
	bool ascii;          /* no characters beyond ASCII */
	const char *theme;   /* NULL: default, or mono when NO_COLOR is set */
};

/* Returns the exit code: 0, 128 + signal when one ended it, else err's. */
int tg_console_main(const struct tg_console_opts *opts, struct tg_err *err);

#endif
