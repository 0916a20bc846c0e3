#ifndef TG_MANUAL_H
#define TG_MANUAL_H
/*
 * `tgmon help --man` and `tgmon help --bash-completion`: what is installed beside the program, from
 * the same table as the help, so that they cannot say something else. Not for people.
 */
#include <stdbool.h>

/* Print what `kind` asks for to stdout; false when it asks for neither. */
bool tg_cli_manual(const char *kind);

#endif
