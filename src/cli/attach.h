#ifndef TG_ATTACH_H
#define TG_ATTACH_H
#include "core/lib/err.h"
/* Open the console on a run (or, run_dir NULL, on the runs below `dir`); returns the exit code. */
int tg_cli_attach(const char *run_dir, const char *dir, struct tg_err *err);
/* Said when a run is left alone: what on this machine would end it (WSL, logging out). On stderr. */
void tg_cli_leaving(void);
#endif
