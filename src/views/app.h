#ifndef TG_APP_H
#define TG_APP_H
/*
 * The console: what is open, what is selected, the stack of screens, the foot line. No terminal in
 * here: keys come in as numbers, frames go out as a canvas, so that a test drives it as the loop
 * does.
 */
#include <stdbool.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "tui/canvas.h"
#include "tui/keys.h"
#include "tui/prompt.h"
#include "tui/theme.h"
#include "views/data.h"
#include "views/view.h"

struct cJSON;
struct tg_runs;

/* What the console asks others to do. */
struct tg_acts {
	void *user;
	/* runner.h: tg_inbox_post, tg_runner_start */
	bool (*post)(const char *run_dir, const char *verb, struct cJSON *args, char req[37],
		     struct tg_err *err);
	bool (*start)(const char *run_dir, struct tg_err *err);
	/* Open a run as a source; list the runs (NULL: there is no list). */
	bool (*open)(void *user, const char *run_dir, struct tg_source *out, struct tg_err *err);
	bool (*list)(void *user, struct tg_runs *out, struct tg_err *err);
};

struct tg_app_opts {
	bool read_only, ascii;
	const char *theme; /* NULL: default */
};

#define TG_APP_DEPTH 8

struct tg_app {
	struct tg_app_opts opts;
	struct tg_acts acts;
	struct tg_theme theme;
	struct tg_keymap *keys;
	struct tg_view stack[TG_APP_DEPTH];
	int depth;
	struct tg_source source; /* ops NULL: no run is open */
	struct tg_data data;
	char iid[160];           /* the selected instance */
	int attempt;             /* its attempt that is looked at; 0: the one that counts */
	struct tg_prompt prompt;
	char message[700];
	enum tg_role message_role;
	char source_error[700];  /* the source could not be read: said until it can */
	size_t notes_seen;
	bool quit, redraw;
	int64_t (*clock)(void);  /* wall ms; a test has its own */
};

bool tg_app_init(struct tg_app *app, const struct tg_app_opts *opts, const struct tg_acts *acts,
		 struct tg_err *err);
void tg_app_fini(struct tg_app *app);
/* Look at a run: takes the source over, shows the instances. */
bool tg_app_open_run(struct tg_app *app, struct tg_source source, struct tg_err *err);

void tg_app_key(struct tg_app *app, uint32_t key);
bool tg_app_cmd(struct tg_app *app,
		enum tg_cmd cmd); /* false: disabled or unknown; a message says why */
bool tg_app_data(struct tg_app *app);                 /* poll the source; true: changed */
void tg_app_draw(struct tg_app *app, struct tg_canvas *cv);

/* For views. */
struct tg_view *tg_app_top(struct tg_app *app);
bool tg_app_push(struct tg_app *app, const struct tg_view_ops *ops);
void tg_app_pop(struct tg_app *app);
void tg_app_say(struct tg_app *app, enum tg_role role, const char *fmt, ...) TG_PRINTF(3, 4);
void tg_app_select(struct tg_app *app, const char *iid); /* resets the attempt */
int tg_app_index(const struct tg_app *app);              /* of the selected instance, or -1 */
/* The attempt that is looked at, or NULL. */
const struct tg_attempt *tg_app_attempt(const struct tg_app *app);
bool tg_app_read_only(const struct tg_app *app, const char **why);
/* Send a command to the runner and say so; starts the runner when none is at work and `wake`. */
bool tg_app_post(struct tg_app *app, const char *verb, struct cJSON *args, bool wake,
		 const char *done);
bool tg_app_resume(struct tg_app *app);

#endif
