#include "views/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/clock.h"
#include "core/lib/json.h"
#include "views/attention.h"

bool tg_app_init(struct tg_app *app, const struct tg_app_opts *opts, const struct tg_acts *acts,
		 struct tg_err *err)
{
	*app = (struct tg_app){ .opts = *opts, .acts = *acts, .clock = tg_wall_ms };
	if (!tg_theme_load(&app->theme, opts->theme ? opts->theme : "default", err))
		return false;
	app->keys = tg_keymap_new();
	return true;
}

static void close_views(struct tg_app *app, int down_to)
{
	while (app->depth > down_to) {
		struct tg_view *v = &app->stack[--app->depth];
		if (v->ops->close)
			v->ops->close(v);
		free(v->state);
	}
}

void tg_app_fini(struct tg_app *app)
{
	close_views(app, 0);
	tg_keymap_free(app->keys);
	tg_data_fini(&app->data);
	if (app->source.ops && app->source.ops->close)
		app->source.ops->close(app->source.user);
	app->source = (struct tg_source){ 0 };
	app->keys = NULL;
}

struct tg_view *tg_app_top(struct tg_app *app)
{
	return app->depth ? &app->stack[app->depth - 1] : NULL;
}

bool tg_app_push(struct tg_app *app, const struct tg_view_ops *ops)
{
	struct tg_err err = { 0 };
	if (app->depth >= TG_APP_DEPTH)
		return false;
	struct tg_view *v = &app->stack[app->depth];
	*v = (struct tg_view){ .ops = ops, .app = app };
	v->state = ops->state_size ? tg_calloc(1, ops->state_size) : NULL;
	if (ops->open && !ops->open(v, &err)) {
		tg_app_say(app, TG_ROLE_ERROR, "%s", err.msg);
		free(v->state);
		return false;
	}
	app->depth++;
	return true;
}

void tg_app_pop(struct tg_app *app)
{
	if (app->depth <= 1)
		return;
	close_views(app, app->depth - 1);
	struct tg_view *v = tg_app_top(app);
	if (v->ops == &tg_view_runs && app->source.ops) {
		/* Back in the list: the run is closed. */
		app->source.ops->close(app->source.user);
		app->source = (struct tg_source){ 0 };
		tg_data_fini(&app->data);
		app->source_error[0] = '\0';
	}
	if (v->ops->data)
		v->ops->data(v);
}

bool tg_app_open_run(struct tg_app *app, struct tg_source source, struct tg_err *err)
{
	app->source = source;
	tg_data_fill(&app->data, &source, app->clock());
	app->notes_seen = app->data.run->note_n;
	app->iid[0] = '\0';
	if (tg_app_push(app, &tg_view_instances))
		return true;
	return tg_fail(err, TG_E_IO, "%s", app->message);
}

void tg_app_say(struct tg_app *app, enum tg_role role, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(app->message, sizeof app->message, fmt, ap);
	va_end(ap);
	app->message_role = role;
}

void tg_app_select(struct tg_app *app, const char *iid)
{
	if (!strcmp(app->iid, iid))
		return;
	snprintf(app->iid, sizeof app->iid, "%s", iid);
	app->attempt = 0;
}

int tg_app_index(const struct tg_app *app)
{
	return app->data.run ? tg_data_find(&app->data, app->iid) : -1;
}

const struct tg_attempt *tg_app_attempt(const struct tg_app *app)
{
	int i = tg_app_index(app);
	if (i < 0)
		return NULL;
	const struct tg_instance *in = &app->data.run->inst[i];
	const struct tg_attempt *att = app->attempt ? tg_instance_attempt(in, app->attempt) : NULL;
	return att ? att : tg_instance_counted(in);
}

bool tg_app_read_only(const struct tg_app *app, const char **why)
{
	*why = app->opts.read_only ? "this console is read-only (--read-only)"
	       : app->data.run && app->data.run->foreign
		       ? "this run was made by something else: there is nothing to launch here"
		       : NULL;
	return *why != NULL;
}

bool tg_app_resume(struct tg_app *app)
{
	struct tg_err err = { 0 };
	if (!app->acts.start || !app->acts.start(app->data.run->dir, &err)) {
		tg_app_say(app, TG_ROLE_ERROR, "%s",
			   err.msg[0] ? err.msg : "the runner cannot be started here");
		return false;
	}
	tg_app_say(app, TG_ROLE_TEXT, "The runner is at work again; what was done stays done");
	return true;
}

bool tg_app_post(struct tg_app *app, const char *verb, struct cJSON *args, bool wake,
		 const char *done)
{
	struct tg_err err = { 0 };
	char req[37];
	if (!app->acts.post) {
		tg_json_free(args);
		tg_app_say(app, TG_ROLE_ERROR, "commands cannot be sent here");
		return false;
	}
	if (!app->acts.post(app->data.run->dir, verb, args, req, &err)) {
		tg_app_say(app, TG_ROLE_ERROR, "%s", err.msg);
		return false;
	}
	if (wake && !app->data.alive && !tg_app_resume(app))
		return false;
	tg_app_say(app, TG_ROLE_TEXT, "%s", done);
	return true;
}

/* --- commands ----------------------------------------------------------------------- */

static void attend(struct tg_app *app)
{
	struct tg_attention need;
	const char *why;
	if (!app->data.run)
		return;
	tg_attention_find(&need, &app->data, tg_app_read_only(app, &why));
	if (need.instance >= 0) {
		tg_app_select(app, app->data.run->inst[need.instance].id);
		bool log = need.need == TG_NEED_SILENT || need.need == TG_NEED_UNREADABLE;
		while (app->depth > 1 && tg_app_top(app)->ops != &tg_view_instances)
			tg_app_pop(app);
		tg_app_push(app, log ? &tg_view_log : &tg_view_detail);
	} else {
		tg_app_say(app, TG_ROLE_TEXT, "%s%s%s", need.text, need.key[0] ? ": " : "",
			   need.key);
	}
}

static void quit(struct tg_app *app)
{
	app->quit = true;
}

static void step_instance(struct tg_app *app, int by)
{
	for (int i = app->depth - 1; i >= 0; i--) {
		struct tg_view *v = &app->stack[i];
		const char *iid = v->ops->step ? v->ops->step(v, by) : NULL;
		if (!iid)
			continue;
		tg_app_select(app, iid);
		struct tg_view *top = tg_app_top(app);
		if (top->ops->data)
			top->ops->data(top);
		return;
	}
}

static void next_attempt(struct tg_app *app)
{
	int i = tg_app_index(app);
	const struct tg_attempt *now = tg_app_attempt(app);
	if (i < 0 || !now)
		return;
	const struct tg_instance *in = &app->data.run->inst[i];
	if (in->att_n < 2) {
		tg_app_say(app, TG_ROLE_TEXT, "There is one attempt only");
		return;
	}
	size_t at = (size_t)(now - in->att);
	app->attempt = in->att[(at + 1) % in->att_n].n;
	struct tg_view *top = tg_app_top(app);
	if (top->ops->data)
		top->ops->data(top);
}

static bool common_cmd(struct tg_app *app, enum tg_cmd cmd)
{
	switch (cmd) {
	case TG_CMD_QUIT: quit(app); return true;
	case TG_CMD_BACK: tg_app_pop(app); return true;
	case TG_CMD_HELP:
		if (tg_app_top(app)->ops != &tg_view_help)
			tg_app_push(app, &tg_view_help);
		return true;
	case TG_CMD_ATTEND: attend(app); return true;
	case TG_CMD_REDRAW: app->redraw = true; return true;
	case TG_CMD_INST_NEXT: step_instance(app, 1); return true;
	case TG_CMD_INST_PREV: step_instance(app, -1); return true;
	case TG_CMD_ATTEMPT_NEXT: next_attempt(app); return true;
	default: return false;
	}
}

bool tg_app_cmd(struct tg_app *app, enum tg_cmd cmd)
{
	const char *why;
	struct tg_view *v = tg_app_top(app);
	if (tg_command(cmd)->flags & TG_CMD_MUTATES && tg_app_read_only(app, &why)) {
		tg_app_say(app, TG_ROLE_NOTICE, "Not here: %s", why);
		return false;
	}
	return (v && v->ops->cmd && v->ops->cmd(v, cmd)) || common_cmd(app, cmd);
}

void tg_app_key(struct tg_app *app, uint32_t key)
{
	struct tg_view *v = tg_app_top(app);
	app->message[0] = '\0';
	if (!v)
		return;
	if (app->prompt.kind != TG_PROMPT_NONE) {
		int purpose = app->prompt.purpose;
		enum tg_prompt_event e = tg_prompt_key(&app->prompt, key);
		if (v->ops->prompt && e != TG_PROMPT_OPEN)
			v->ops->prompt(v, purpose, app->prompt.text, (int)e);
		return;
	}
	enum tg_cmd cmd = tg_keymap_feed(app->keys, v->ops->scopes, key);
	if (cmd != TG_CMD_NONE && cmd < TG_CMD_COUNT)
		tg_app_cmd(app, cmd);
}

/* --- data --------------------------------------------------------------------------- */

/* The journal's record of a command is its acknowledgement. */
static void show_new_note(struct tg_app *app)
{
	const struct tg_run *run = app->data.run;
	if (run->note_n > app->notes_seen) {
		const struct tg_run_note *note = &run->note[run->note_n - 1];
		if (note->kind && note->text)
			tg_app_say(app, TG_ROLE_TEXT, "Journal: %s: %s", note->kind, note->text);
	}
	app->notes_seen = run->note_n;
}

/* No run is open: what stands on the screen is the list of runs, read again now and then. */
#define LIST_EVERY_MS 5000
static bool reload_list(struct tg_app *app)
{
	int64_t now = app->clock();
	if (now - app->data.now_ms < LIST_EVERY_MS)
		return false;
	app->data.now_ms = now;
	for (int i = 0; i < app->depth; i++)
		if (app->stack[i].ops->data)
			app->stack[i].ops->data(&app->stack[i]);
	return true;
}

bool tg_app_data(struct tg_app *app)
{
	struct tg_err err = { 0 };
	bool changed = false;
	if (!app->source.ops)
		return reload_list(app);
	if (app->source.ops->poll(app->source.user, &changed, &err)) {
		changed |= app->source_error[0] != '\0';
		app->source_error[0] = '\0';
	} else {
		changed |= strcmp(app->source_error, err.msg) != 0;
		snprintf(app->source_error, sizeof app->source_error, "%s", err.msg);
	}
	/* Times go on although nothing was written: what runs shows its idle time. */
	int64_t now = app->clock();
	if (!changed && now / 1000 == app->data.now_ms / 1000)
		return false;
	tg_data_fill(&app->data, &app->source, now);
	show_new_note(app);
	for (int i = 0; i < app->depth; i++)
		if (app->stack[i].ops->data)
			app->stack[i].ops->data(&app->stack[i]);
	return true;
}

/* --- the frame ---------------------------------------------------------------------- */

static void draw_attention(struct tg_app *app, struct tg_canvas *cv, struct tg_rect r)
{
	struct tg_attention a;
	const char *why;
	tg_attention_find(&a, &app->data, tg_app_read_only(app, &why));
	if (app->source_error[0]) {
		a = (struct tg_attention){ .role = TG_ROLE_ALARM };
		snprintf(a.text, sizeof a.text, "What you see is old: %.370s", app->source_error);
	}
	tg_canvas_blank(cv, r, a.role == TG_ROLE_ALARM ? TG_ROLE_ALARM : TG_ROLE_TEXT);
	int key_w = (int)strlen(a.key);
	if (key_w > r.w * 2 / 3)
		key_w = 0;
	const char *glyph = tg_theme_glyph(&app->theme, a.role, cv->ascii);
	int x = r.x + 1;
	x += tg_canvas_put(cv, TG_AT(r.y, x, r.w - 1, a.role), glyph) + 1;
	char more[32] = "";
	if (a.more)
		snprintf(more, sizeof more, "  (+%d more)", a.more);
	int room = r.w - (x - r.x) - (key_w ? key_w + 3 : 0) - (int)strlen(more);
	x += tg_canvas_put(cv, TG_AT(r.y, x, room > 0 ? room : 0, a.role), a.text);
	tg_canvas_put(cv, TG_AT(r.y, x, r.w - (x - r.x), a.role), more);
	if (key_w)
		tg_canvas_put(cv,
			      TG_AT(r.y, r.x + r.w - key_w - 1, key_w,
				    a.role == TG_ROLE_ALARM ? TG_ROLE_ALARM : TG_ROLE_HINT_KEY),
			      a.key);
}

static int hint_width(const struct tg_command *c, const char *key)
{
	return (int)(strlen(key) + 1 + strlen(c->name) + 2);
}

static int put_hint(struct tg_canvas *cv, int y, int x, const struct tg_command *c, const char *key)
{
	x += tg_canvas_put(cv, TG_AT(y, x, -1, TG_ROLE_HINT_KEY), key) + 1;
	return x + tg_canvas_put(cv, TG_AT(y, x, -1, TG_ROLE_HINT), c->name) + 2;
}

static bool in_scopes(const struct tg_view *v, enum tg_scope scope)
{
	for (const enum tg_scope *s = v->ops->scopes;; s++) {
		if (*s == scope)
			return true;
		if (*s == TG_SCOPE_ANY)
			return false;
	}
}

/* Hints: help and detach always at the right, the screen's own as far as there is room. */
static void draw_hints(struct tg_app *app, struct tg_canvas *cv, struct tg_rect r)
{
	const struct tg_view *v = tg_app_top(app);
	const char *why;
	bool read_only = tg_app_read_only(app, &why);
	char key[32];
	int right = 0;
	for (int c = 1; c < TG_CMD_COUNT; c++) {
		const struct tg_command *cmd = tg_command((enum tg_cmd)c);
		tg_command_key((enum tg_cmd)c, key, sizeof key);
		if (cmd->scope == TG_SCOPE_ANY && cmd->flags & TG_CMD_HINT)
			right += hint_width(cmd, key);
	}
	int x = r.x + 1, end = r.x + r.w - right;
	for (int c = 1; c < TG_CMD_COUNT; c++) {
		const struct tg_command *cmd = tg_command((enum tg_cmd)c);
		tg_command_key((enum tg_cmd)c, key, sizeof key);
		if (cmd->scope == TG_SCOPE_ANY || !(cmd->flags & TG_CMD_HINT) ||
		    !in_scopes(v, cmd->scope) || (read_only && cmd->flags & TG_CMD_MUTATES))
			continue;
		if (x + hint_width(cmd, key) > end)
			break;
		x = put_hint(cv, r.y, x, cmd, key);
	}
	x = end > r.x ? end : r.x;
	for (int c = 1; c < TG_CMD_COUNT; c++) {
		const struct tg_command *cmd = tg_command((enum tg_cmd)c);
		tg_command_key((enum tg_cmd)c, key, sizeof key);
		if (cmd->scope == TG_SCOPE_ANY && cmd->flags & TG_CMD_HINT)
			x = put_hint(cv, r.y, x, cmd, key);
	}
}

static void draw_foot(struct tg_app *app, struct tg_canvas *cv, struct tg_rect r)
{
	struct tg_rect in = { r.y, r.x + 1, 1, r.w - 1 };
	if (app->prompt.kind != TG_PROMPT_NONE)
		tg_prompt_draw(&app->prompt, cv, in);
	else if (app->message[0])
		tg_canvas_put(cv, TG_AT(in.y, in.x, in.w, app->message_role), app->message);
	else
		draw_hints(app, cv, r);
}

void tg_app_draw(struct tg_app *app, struct tg_canvas *cv)
{
	struct tg_view *v = tg_app_top(app);
	struct tg_rect r = { 0, 0, cv->rows, cv->cols };
	if (!v)
		return;
	if (r.h >= 3 && app->data.run) {
		draw_attention(app, cv, (struct tg_rect){ 0, 0, 1, r.w });
		r.y++;
		r.h--;
	}
	if (r.h >= 2) {
		draw_foot(app, cv, (struct tg_rect){ r.y + r.h - 1, 0, 1, r.w });
		r.h--;
	}
	v->ops->draw(v, cv, r);
}
