#ifndef TG_TERM_SIGNAL_H
#define TG_TERM_SIGNAL_H
/*
 * The one place with state of the process: signal handlers cannot get a pointer. What a handler
 * needs to put the terminal right (descriptor, modes, the bytes that leave the alternate screen) is
 * kept ready here.
 */
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum { TG_SIG_RESIZE = 1, TG_SIG_STOP = 2, TG_SIG_END = 4 };

/* Install handlers; *fd becomes readable when a signal came. */
bool tg_term_signal_install(int *fd);
void tg_term_signal_remove(void);
/* What came since the last call; *end is the ending signal. */
unsigned tg_term_signal_take(int *end);
/* What to do for the terminal when the process dies; seq may be NULL to forget it. */
void tg_term_signal_rescue(int tty, const struct termios *modes, const char *seq, size_t n);
/* Write seq and set the modes back now (also the hook for out of memory). */
void tg_term_rescue_now(void);
/* Stop the process as SIGTSTP would without us; returns after SIGCONT. */
void tg_term_signal_stop(void);

#endif
