#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "core/lib/text.h"
#include "tui/keys.h"
#include "tui/term.h"
#include "tui/term_signal.h"

/* term.h of ncurses has macros for these; the names are ours here. */
#undef lines
#undef columns

#define MAX_PAIRS 256
#define SYNC_BEGIN "\033[?2026h"
#define SYNC_END "\033[?2026l"
#define SYNC_ASK "\033[?2026$p"
enum { CODE_SYNC_YES = 0x2001, CODE_SYNC_NO };

struct pair {
	short fg, bg;
};

struct tg_term {
	int in_fd, out_fd; /* out_fd -1: none */
	bool own_out;
	int signal_fd, end_signal;
	int rows, cols;
	bool has_modes, utf8, sync, redraw;
	struct termios old_modes, modes;
	int sink;
	FILE *sink_file, *in_file;
	SCREEN *screen;
	WINDOW *keys; /* a pad: reading from it never draws */
	enum tg_depth depth;
	int colors;
	struct pair pair[MAX_PAIRS];
	int pair_n;
	cchar_t *line;
	struct tg_buf pending;
	size_t pending_at;
	struct tg_term_stats stats;
};

/* --- the frame ---------------------------------------------------------------------- */

/* What curses left in the sink, moved to `pending`. */
static void drain_sink(struct tg_term *t, bool bracket)
{
	fflush(t->sink_file);
	off_t n = lseek(t->sink, 0, SEEK_END), at = 0;
	if (n <= 0)
		return;
	bracket = bracket && t->sync;
	if (bracket)
		tg_buf_adds(&t->pending, SYNC_BEGIN);
	tg_buf_reserve(&t->pending, (size_t)n);
	while (at < n) {
		char chunk[16384];
		ssize_t k = pread(t->sink, chunk, sizeof chunk, at);
		if (k <= 0)
			break;
		tg_buf_add(&t->pending, chunk, (size_t)k);
		at += k;
	}
	if (bracket)
		tg_buf_adds(&t->pending, SYNC_END);
	(void)!ftruncate(t->sink, 0);
	lseek(t->sink, 0, SEEK_SET);
}

bool tg_term_flush(struct tg_term *t)
{
	size_t left = t->pending.n - t->pending_at;
	if (left == 0 || t->out_fd < 0)
		return true;
	ssize_t k = write(t->out_fd, t->pending.p + t->pending_at, left);
	t->stats.writes++;
	if (k < 0)
		return errno == EAGAIN || errno == EINTR;
	t->pending_at += (size_t)k;
	if (t->pending_at == t->pending.n) {
		tg_buf_clear(&t->pending);
		t->pending_at = 0;
	}
	return true;
}

/* Before the terminal changes hands: everything out, but wait for a dead line at most 0.5 s. */
static void flush_wait(struct tg_term *t)
{
	for (int i = 0; i < 25 && tg_term_pending(t); i++) {
		if (!tg_term_flush(t))
			break;
		if (tg_term_pending(t))
			(void)poll(&(struct pollfd){ .fd = t->out_fd, .events = POLLOUT }, 1, 20);
	}
}

size_t tg_term_pending(const struct tg_term *t)
{
	return t->pending.n - t->pending_at;
}

void tg_term_take(struct tg_term *t, struct tg_buf *out)
{
	tg_buf_add(out, t->pending.p ? t->pending.p : "", t->pending.n);
	tg_buf_clear(&t->pending);
	t->pending_at = 0;
}

static attr_t curses_attr(unsigned a)
{
	return (a & TG_BOLD ? A_BOLD : 0) | (a & TG_DIM ? A_DIM : 0) |
	       (a & TG_UNDERLINE ? A_UNDERLINE : 0) | (a & TG_REVERSE ? A_REVERSE : 0) |
	       (a & TG_ITALIC ? A_ITALIC : 0);
}

/* Pairs are made as looks need them; a theme has far fewer than MAX_PAIRS. */
static short pair_of(struct tg_term *t, int fg, int bg)
{
	if (fg < 0 && bg < 0)
		return 0;
	for (int i = 1; i < t->pair_n; i++)
		if (t->pair[i].fg == fg && t->pair[i].bg == bg)
			return (short)i;
	if (t->pair_n >= MAX_PAIRS || t->pair_n >= COLOR_PAIRS)
		return 0;
	t->pair[t->pair_n] = (struct pair){ (short)fg, (short)bg };
	init_pair((short)t->pair_n, (short)fg, (short)bg);
	return (short)t->pair_n++;
}

struct pen { /* a look, as curses wants it; remembered for a run of equal cells */
	unsigned role, over;
	attr_t attr;
	short pair;
	bool plain; /* shows nothing on a blank: no background, no line, not reversed */
};

static void set_pen(struct tg_term *t, struct pen *pen, const struct tg_cell *c,
		    const struct tg_theme *theme)
{
	if (pen->role == c->role && pen->over == c->over)
		return;
	struct tg_look look =
		tg_theme_look(theme, (enum tg_role)c->role, (enum tg_role)c->over, t->depth);
	/* A blank needs no colour of its own: it takes the pen that is there, and saves a change of
	 * it. */
	if (pen->plain && c->n == 1 && c->s[0] == ' ' && look.bg < 0 &&
	    !(look.attr & (TG_REVERSE | TG_UNDERLINE)))
		return;
	pen->role = c->role;
	pen->over = c->over;
	if (t->depth == TG_DEPTH_16 && t->colors < 16) {
		/* eight colours: the bright ones are bold */
		if (look.fg >= 8) {
			look.fg -= 8;
			look.attr |= TG_BOLD;
		}
		if (look.bg >= 8)
			look.bg -= 8;
	}
	pen->plain = look.bg < 0 && !(look.attr & (TG_REVERSE | TG_UNDERLINE));
	pen->attr = curses_attr(look.attr);
	pen->pair = t->depth == TG_DEPTH_MONO ? 0 : pair_of(t, look.fg, look.bg);
}

/* One cell's code points. Where libc (and so curses) counts another width than the canvas did, the
 * cell gets a substitute of the canvas's width, so that the two never disagree about where things
 * are. */
static int cell_points(const struct tg_cell *c, wchar_t ws[6])
{
	int n = 0, cols = 0;
	for (size_t i = 0; i < c->n && n < 5;) {
		uint32_t cp;
		i += tg_utf8_next(c->s + i, c->n - i, &cp);
		int w = wcwidth((wchar_t)cp);
		if (w < 0 || (n > 0 && w > 0))
			cols = -99;
		cols += w;
		ws[n++] = (wchar_t)cp;
	}
	ws[n] = L'\0';
	if (cols == c->width)
		return 1;
	ws[0] = ws[1] = L'?';
	ws[1] = L'\0';
	return c->width; /* so many cells of it */
}

static void blit_row(struct tg_term *t, const struct tg_canvas *cv, const struct tg_theme *theme,
		     int y)
{
	struct pen pen = { .role = 0xffff };
	const struct tg_cell *row = &cv->cell[(size_t)y * (size_t)cv->cols];
	int cols = cv->cols < t->cols ? cv->cols : t->cols, n = 0;
	for (int x = 0; x < cols; x++) {
		const struct tg_cell *c = &row[x];
		wchar_t ws[6];
		if (c->width == 0)
			continue;
		if (x + c->width > cols)
			break;
		set_pen(t, &pen, c, theme);
		for (int k = cell_points(c, ws); k > 0; k--)
			setcchar(&t->line[n++], ws, pen.attr, pen.pair, NULL);
	}
	mvwadd_wchnstr(stdscr, y, 0, t->line, n);
}

size_t tg_term_draw(struct tg_term *t, const struct tg_canvas *cv, const struct tg_theme *theme)
{
	werase(stdscr);
	for (int y = 0; y < cv->rows && y < t->rows; y++)
		blit_row(t, cv, theme, y);
	if (t->redraw)
		clearok(curscr, TRUE);
	t->redraw = false;
	wnoutrefresh(stdscr);
	doupdate();
	size_t before = t->pending.n;
	drain_sink(t, true);
	size_t n = t->pending.n - before;
	t->stats.frames += n > 0;
	t->stats.bytes += n;
	return n;
}

void tg_term_redraw(struct tg_term *t)
{
	t->redraw = true;
}

/* --- modes, opening and closing ----------------------------------------------------- */

static void make_modes(struct tg_term *t)
{
	t->modes = t->old_modes;
	t->modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t->modes.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON);
	t->modes.c_oflag &= ~(tcflag_t)ONLCR;
	t->modes.c_cc[VMIN] = 1;
	t->modes.c_cc[VTIME] = 0;
}

static void add_capability(struct tg_buf *seq, const char *name)
{
	const char *s = tigetstr(name);
	if (s && s != (const char *)-1)
		tg_buf_adds(seq, s);
}

static void keep_rescue(struct tg_term *t)
{
	struct tg_buf seq = TG_BUF_INIT;
	if (t->sync)
		tg_buf_adds(&seq, SYNC_END);
	add_capability(&seq, "sgr0");
	add_capability(&seq, "op");
	add_capability(&seq, "rmkx");
	add_capability(&seq, "cnorm");
	add_capability(&seq, "rmcup");
	tg_term_signal_rescue(t->out_fd, &t->old_modes, tg_buf_cstr(&seq), seq.n);
	tg_buf_fini(&seq);
}

/* Non-blocking writes need a description of our own: the shell shares the one that we inherited. */
static void open_out(struct tg_term *t, int fd)
{
	char name[256];
	t->out_fd = fd;
	if (ttyname_r(fd, name, sizeof name) != 0)
		return;
	int own = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return;
	t->out_fd = own;
	t->own_out = true;
}

static void read_size(struct tg_term *t)
{
	struct winsize ws;
	if (t->out_fd < 0 || ioctl(t->out_fd, TIOCGWINSZ, &ws) < 0 || ws.ws_row == 0 ||
	    ws.ws_col == 0)
		return;
	t->rows = ws.ws_row;
	t->cols = ws.ws_col;
}

static void apply_size(struct tg_term *t)
{
	resizeterm(t->rows, t->cols);
	t->line = tg_realloc(t->line, ((size_t)t->cols + 2) * sizeof *t->line);
}

static bool asks_sync(const char *term)
{
	/* Old consoles print what they do not know. */
	return !tg_starts_with(term, "linux") && !tg_starts_with(term, "vt") &&
	       strcmp(term, "dumb") != 0;
}

static void set_up_curses(struct tg_term *t, const struct tg_term_opts *opts)
{
	noecho();
	nonl();
	cbreak();
	curs_set(0);
	t->keys = newpad(1, 1);
	keypad(t->keys, TRUE);
	nodelay(t->keys, TRUE);
	set_escdelay(25);
	define_key("\033[?2026;1$y", CODE_SYNC_YES);
	define_key("\033[?2026;2$y", CODE_SYNC_YES);
	define_key("\033[?2026;0$y", CODE_SYNC_NO);
	define_key("\033[?2026;3$y", CODE_SYNC_NO);
	define_key("\033[?2026;4$y", CODE_SYNC_NO);
	t->depth = TG_DEPTH_MONO;
	t->pair_n = 1;
	if (!opts->no_color && has_colors()) {
		start_color();
		use_default_colors();
		t->colors = COLORS;
		t->depth = COLORS >= 256 ? TG_DEPTH_256 : COLORS >= 8 ? TG_DEPTH_16 : TG_DEPTH_MONO;
	}
}

static bool start_screen(struct tg_term *t, const struct tg_term_opts *opts, const char *term,
			 struct tg_err *err)
{
	t->sink = memfd_create("tgmon-frame", MFD_CLOEXEC);
	if (t->sink < 0)
		return tg_fail_sys(err, errno, "cannot make the frame buffer");
	t->sink_file = fdopen(t->sink, "w");
	int in = fcntl(t->in_fd, F_DUPFD_CLOEXEC, 3);
	t->in_file = in < 0 ? NULL : fdopen(in, "r");
	if (!t->sink_file || !t->in_file)
		return tg_fail_sys(err, errno, "cannot open the terminal's streams");
	t->screen = newterm(term, t->sink_file, t->in_file);
	if (!t->screen)
		return tg_fail(err, TG_E_MACHINE,
			       "the terminal type \"%s\" is not known here; set TERM to one "
			       "that is (xterm-256color, say), or use --once",
			       term);
	set_up_curses(t, opts);
	apply_size(t);
	return true;
}

struct tg_term *tg_term_open(const struct tg_term_opts *opts, struct tg_err *err)
{
	struct tg_term *t = tg_calloc(1, sizeof *t);
	const char *term = opts->term ? opts->term : getenv("TERM");
	if (!term || !term[0])
		term = "dumb";
	*t = (struct tg_term){ .in_fd = opts->in_fd, .out_fd = -1, .signal_fd = -1, .sink = -1,
			       .rows = opts->rows > 0 ? opts->rows : 24,
			       .cols = opts->cols > 0 ? opts->cols : 80 };
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (opts->out_fd >= 0) {
		if (!isatty(opts->out_fd) || tcgetattr(opts->out_fd, &t->old_modes) < 0) {
			tg_fail(err, TG_E_INPUT,
				"this is not a terminal; use --once for one plain frame or "
				"`tgmon status --json`");
			free(t);
			return NULL;
		}
		open_out(t, opts->out_fd);
		t->has_modes = true;
		make_modes(t);
		read_size(t);
		tg_term_signal_install(&t->signal_fd);
	}
	if (!start_screen(t, opts, term, err)) {
		tg_term_close(t);
		return NULL;
	}
	if (t->out_fd >= 0) {
		tcsetattr(t->out_fd, TCSADRAIN, &t->modes);
		keep_rescue(t);
		tg_oom_hook(tg_term_rescue_now);
		if (asks_sync(term))
			tg_buf_adds(&t->pending, SYNC_ASK);
	}
	return t;
}

/* Leave the screen: curses' own farewell, then the modes. */
static void leave(struct tg_term *t)
{
	endwin();
	drain_sink(t, false);
	if (t->out_fd >= 0)
		flush_wait(t);
	if (t->has_modes)
		tcsetattr(t->out_fd, TCSANOW, &t->old_modes);
}

void tg_term_close(struct tg_term *t)
{
	if (!t)
		return;
	if (t->screen) {
		leave(t);
		delwin(t->keys);
		delscreen(t->screen);
	}
	if (t->out_fd >= 0) {
		tg_term_signal_rescue(-1, NULL, NULL, 0);
		tg_oom_hook(NULL);
		tg_term_signal_remove();
	}
	if (t->sink_file)
		fclose(t->sink_file);
	else if (t->sink >= 0)
		close(t->sink);
	if (t->in_file)
		fclose(t->in_file);
	if (t->own_out)
		close(t->out_fd);
	tg_buf_fini(&t->pending);
	free(t->line);
	free(t);
}

/* --- signals, size, keys ------------------------------------------------------------ */

static void stop_and_come_back(struct tg_term *t)
{
	leave(t);
	tg_term_signal_rescue(-1, NULL, NULL, 0);
	tg_term_signal_stop();
	tcgetattr(t->out_fd, &t->old_modes);
	make_modes(t);
	tcsetattr(t->out_fd, TCSANOW, &t->modes);
	keep_rescue(t);
	t->redraw = true;
}

unsigned tg_term_signals(struct tg_term *t)
{
	unsigned todo = 0, what = t->signal_fd >= 0 ? tg_term_signal_take(&t->end_signal) : 0;
	if (what & TG_SIG_END)
		return TG_TERM_END;
	if (what & TG_SIG_STOP) {
		stop_and_come_back(t);
		what |= TG_SIG_RESIZE;
	}
	if (what & TG_SIG_RESIZE) {
		int rows = t->rows, cols = t->cols;
		read_size(t);
		if (rows != t->rows || cols != t->cols)
			apply_size(t);
		todo |= TG_TERM_RESIZED;
	}
	return todo;
}

int tg_term_end_signal(const struct tg_term *t)
{
	return t->end_signal;
}

void tg_term_set_size(struct tg_term *t, int rows, int cols)
{
	t->rows = rows < 1 ? 1 : rows;
	t->cols = cols < 1 ? 1 : cols;
	apply_size(t);
}

void tg_term_size(const struct tg_term *t, int *rows, int *cols)
{
	*rows = t->rows;
	*cols = t->cols;
}

static uint32_t special_key(wint_t code)
{
	static const struct {
		wint_t code;
		uint32_t key;
	} map[] = {
		{ KEY_UP, TG_KEY_UP },	     { KEY_DOWN, TG_KEY_DOWN },
		{ KEY_LEFT, TG_KEY_LEFT },   { KEY_RIGHT, TG_KEY_RIGHT },
		{ KEY_PPAGE, TG_KEY_PGUP },  { KEY_NPAGE, TG_KEY_PGDN },
		{ KEY_HOME, TG_KEY_HOME },   { KEY_END, TG_KEY_END },
		{ KEY_ENTER, TG_KEY_ENTER }, { KEY_BACKSPACE, TG_KEY_BACKSPACE },
		{ KEY_DC, TG_KEY_DELETE },   { KEY_F(1), TG_KEY_F1 },
	};
	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
		if (map[i].code == code)
			return map[i].key;
	return TG_KEY_NONE;
}

uint32_t tg_term_key(struct tg_term *t)
{
	wint_t w;
	for (;;) {
		int rc = wget_wch(t->keys, &w);
		if (rc == ERR)
			return TG_KEY_NONE;
		if (rc == KEY_CODE_YES) {
			if (w == CODE_SYNC_YES && t->out_fd >= 0) {
				t->sync = true;
				keep_rescue(t);
			}
			uint32_t key = special_key(w);
			if (key != TG_KEY_NONE)
				return key;
			continue; /* KEY_RESIZE and keys that we do not use */
		}
		switch (w) {
		case '\r': case '\n': return TG_KEY_ENTER;
		case '\t': return TG_KEY_TAB;
		case 8: case 127: return TG_KEY_BACKSPACE;
		case 0: continue;
		default: return w;
		}
	}
}

int tg_term_in_fd(const struct tg_term *t)
{
	return t->in_fd;
}

int tg_term_out_fd(const struct tg_term *t)
{
	return t->out_fd;
}

int tg_term_signal_fd(const struct tg_term *t)
{
	return t->signal_fd;
}

bool tg_term_utf8(const struct tg_term *t)
{
	return t->utf8;
}

enum tg_depth tg_term_depth(const struct tg_term *t)
{
	return t->depth;
}

struct tg_term_stats tg_term_stats(const struct tg_term *t)
{
	return t->stats;
}
