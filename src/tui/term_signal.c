#include "tui/term_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int watched[] = { SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
#define N_WATCHED (sizeof watched / sizeof watched[0])
#define N_FATAL (sizeof fatal / sizeof fatal[0])

static struct {
	volatile sig_atomic_t resize, stop, end;
	int pipe[2];
	bool installed;
	int tty; /* -1: nothing to rescue */
	struct termios modes;
	char seq[256];
	volatile size_t seq_n;
	struct sigaction old[N_WATCHED], old_fatal[N_FATAL], old_pipe;
} sig = { .pipe = { -1, -1 }, .tty = -1 };

void tg_term_rescue_now(void)
{
	int tty = sig.tty;
	if (tty < 0)
		return;
	sig.tty = -1; /* once */
	size_t done = 0;
	for (int tries = 0; done < sig.seq_n && tries < 64; tries++) {
		ssize_t k = write(tty, sig.seq + done, sig.seq_n - done);
		if (k > 0)
			done += (size_t)k;
		else if (k < 0 && errno == EAGAIN)
			(void)poll(&(struct pollfd){ .fd = tty, .events = POLLOUT }, 1, 20);
		else if (k < 0 && errno != EINTR)
			break;
	}
	(void)tcsetattr(tty, TCSANOW, &sig.modes);
}

static void on_signal(int s)
{
	int saved = errno;
	if (s == SIGWINCH || s == SIGCONT)
		sig.resize = 1;
	else if (s == SIGTSTP)
		sig.stop = 1;
	else
		sig.end = s;
	(void)!write(sig.pipe[1], "!", 1);
	errno = saved;
}

static void on_fatal(int s)
{
	tg_term_rescue_now();
	signal(s, SIG_DFL);
	raise(s);
}

bool tg_term_signal_install(int *fd)
{
	if (sig.installed || pipe2(sig.pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	sig.resize = sig.stop = sig.end = 0;
	struct sigaction sa = { .sa_handler = on_signal };
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < N_WATCHED; i++)
		sigaction(watched[i], &sa, &sig.old[i]);
	struct sigaction sf = { .sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND };
	sigfillset(&sf.sa_mask);
	for (size_t i = 0; i < N_FATAL; i++)
		sigaction(fatal[i], &sf, &sig.old_fatal[i]);
	struct sigaction ign = { .sa_handler = SIG_IGN };
	sigaction(SIGPIPE, &ign, &sig.old_pipe);
	sig.installed = true;
	*fd = sig.pipe[0];
	return true;
}

void tg_term_signal_remove(void)
{
	if (!sig.installed)
		return;
	for (size_t i = 0; i < N_WATCHED; i++)
		sigaction(watched[i], &sig.old[i], NULL);
	for (size_t i = 0; i < N_FATAL; i++)
		sigaction(fatal[i], &sig.old_fatal[i], NULL);
	sigaction(SIGPIPE, &sig.old_pipe, NULL);
	close(sig.pipe[0]);
	close(sig.pipe[1]);
	sig.pipe[0] = sig.pipe[1] = -1;
	sig.tty = -1;
	sig.installed = false;
}

unsigned tg_term_signal_take(int *end)
{
	char drop[64];
	unsigned what = 0;
	while (sig.pipe[0] >= 0 && read(sig.pipe[0], drop, sizeof drop) > 0)
		;
	if (sig.resize) {
		sig.resize = 0;
		what |= TG_SIG_RESIZE;
	}
	if (sig.stop) {
		sig.stop = 0;
		what |= TG_SIG_STOP;
	}
	if (sig.end) {
		*end = sig.end;
		what |= TG_SIG_END;
	}
	return what;
}

void tg_term_signal_rescue(int tty, const struct termios *modes, const char *seq, size_t n)
{
	sig.tty = -1;
	if (!seq)
		return;
	if (n > sizeof sig.seq)
		n = sizeof sig.seq;
	memcpy(sig.seq, seq, n);
	sig.seq_n = n;
	sig.modes = *modes;
	sig.tty = tty;
}

void tg_term_signal_stop(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL }, mine;
	sigset_t one, old;
	sigemptyset(&one);
	sigaddset(&one, SIGTSTP);
	sigaction(SIGTSTP, &dfl, &mine);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &one, &old);
	/* stopped here until SIGCONT */
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaction(SIGTSTP, &mine, NULL);
}
