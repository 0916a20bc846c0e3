#ifndef TG_SCRIPT_H
#define TG_SCRIPT_H
/* Private to evaluate/: a row's eval_script with the test output on a channel of its own. */
#include <stdbool.h>
#include "core/lib/buf.h"

/* The script as it is run. What stands between its two marker lines writes to standard output, all
 * the rest to standard error, and the script's exit code is that of the test program. So no byte
 * that the tests print can move the borders between which results are read, or stand for the exit
 * code. False: not exactly one start marker line, followed by exactly one end marker line. */
bool tg_eval_script_build(const char *script, struct tg_buf *out);

#endif
