/*
 * Commands: RUN/.tgmon/inbox/<uuid>.json {schema:"tgmon.cmd.v1", req, verb, args{}, user, host,
 * pid}. The journal's cmd record is the acknowledgement. It is durable before the effect and before
 * the file goes, and a req that is on record has no second effect; effects that a crash cut off are
 * finished at the next start (tg_inbox_finish_pending).
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/layout.h"
#include "core/runner/gate.h"
#include "core/runner/inbox.h"
#include "core/runner/loop.h"

#define CMD_MAX (48 << 10)

static bool is_uuid(const char *s, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	}
	return true;
}

/* ---- verbs: check may refuse and may complete args; act comes after the record --------------- */

struct cmd {
	struct cJSON *body; /* req, verb, args, uid, user, host, pid */
	struct cJSON *args; /* inside body */
	const char *req;
};

static bool has_agent(const struct tg_runner *r, const char *iid)
{
	const struct tg_instance *in = tg_run_instance(&r->run, iid);
	const struct tg_attempt *latest = in ? tg_instance_latest(in) : NULL;

	return latest && !latest->ended;
}

static bool check_nothing(struct tg_runner *r, struct cmd *c, struct tg_err *err)
{
	(void)r;
	(void)c;
	(void)err;
	return true;
}

static void act_nothing(struct tg_runner *r, const struct cmd *c)
{
	(void)r;
	(void)c; /* the record itself was the effect (pause, resume, drain, answer) */
}

static void act_stop(struct tg_runner *r, const struct cmd *c)
{
	bool now = tg_json_bool(c->args, "now", false);

	if (r->ending != TG_END_NONE && (!now || r->stop_now))
		return;
	r->stop_now = now;
	if (r->ending == TG_END_NONE) {
		r->ending = TG_END_STOP;
		r->ending_ms = tg_mono_ms();
	}
	tg_stop_all(r);
}

static bool check_kill(struct tg_runner *r, struct cmd *c, struct tg_err *err)
{
	const char *iid = tg_json_str(c->args, "id");
	const struct tg_instance *in = iid ? tg_run_instance(&r->run, iid) : NULL;

	if (!in)
		return tg_fail(err, TG_E_INPUT, "kill: the run has no such instance");
	if (has_agent(r, iid) || in->queued)
		return true;
	return tg_fail(err, TG_E_INPUT, "kill: the agent of %s does not run", iid);
}

static void act_kill(struct tg_runner *r, const struct cmd *c)
{
	const char *iid = tg_json_str(c->args, "id");
	const struct tg_instance *in = tg_run_instance(&r->run, iid);
	const struct tg_attempt *latest = tg_instance_latest(in);
	struct tg_slot *s = latest ? tg_loop_slot(r, (size_t)(in - r->run.inst), latest->n,
						  TG_STAGE_AGENT) : NULL;
	struct cJSON *o;

	if (s) {
		tg_stop_slot(r, s, "operator", true);
		return;
	}
	o = tg_json_object();
	tg_json_set_str(o, "iid", iid);
	tg_json_set_str(o, "req", c->req);
	tg_loop_put(r, "inst.cancel", o);
}

static bool check_note(struct tg_runner *r, struct cmd *c, struct tg_err *err)
{
	const char *text = tg_json_str(c->args, "text");

	(void)r;
	return (text && *text && strlen(text) <= 8192) ||
	       tg_fail(err, TG_E_INPUT, "note: a text of 1 to 8192 bytes is needed");
}

static void act_note(struct tg_runner *r, const struct cmd *c)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "text", tg_json_str(c->args, "text"));
	tg_json_set_str(o, "req", c->req);
	tg_loop_put(r, "note", o);
}

static bool check_answer(struct tg_runner *r, struct cmd *c, struct tg_err *err)
{
	const char *row = tg_json_str(c->args, "row");
	double usd = tg_json_num(c->args, "usd", -1), spent;

	if (!tg_gate_find(row))
		return tg_fail(err, TG_E_INPUT, "answer: the gate has no such row");
	if (!tg_gate_find(row)->answerable)
		return tg_fail(err, TG_E_INPUT,
			       "answer: the row \"%s\" is not opened by an answer%s", row,
			       tg_streq(row, "pause") ? "; resume the run" : "");
	/* r->cost knows what runs now, but nothing yet in a runner that was started for this command */
	spent = tg_run_cost(&r->run, NULL);
	spent = r->cost > spent ? r->cost : spent;
	if (tg_json_get(c->args, "usd") && !(usd > spent))
		return tg_fail(err, TG_E_INPUT, "answer: %.2f USD are spent already; give more",
			       spent);
	return true;
}

/* ---- rerun ---------------------------------------------------------------------------------- */

static bool may_rerun(const struct tg_instance *in, struct tg_err *err)
{
	const struct tg_attempt *latest = tg_instance_latest(in);

	if (in->queued && !in->cancelled)
		return tg_fail(err, TG_E_INPUT, "rerun: %s waits for an attempt already", in->id);
	if (latest && !latest->ended)
		return tg_fail(err, TG_E_INPUT, "rerun: the agent of %s still runs", in->id);
	return true;
}

/* args.ids becomes the exact list that is rerun, so that the record says what was meant. */
static bool check_rerun(struct tg_runner *r, struct cmd *c, struct tg_err *err)
{
	const struct cJSON *ids = tg_json_get(c->args, "ids");
	struct cJSON *list = tg_json_array();
	const char *config = tg_json_str(c->args, "config");
	bool ok = true;

	for (const struct cJSON *id = tg_json_first(ids); ok && id; id = tg_json_next(id)) {
		const struct tg_instance *in = tg_json_text(id)
			? tg_run_instance(&r->run, tg_json_text(id)) : NULL;

		if (!in)
			ok = tg_fail(err, TG_E_INPUT, "rerun: the run has no instance \"%.100s\"",
				     tg_json_text(id) ? tg_json_text(id) : "?");
		else if ((ok = may_rerun(in, err)))
			tg_json_push_str(list, in->id);
	}
	if (ok && tg_json_bool(c->args, "failed", false))
		for (size_t i = 0; i < r->run.inst_n; i++)
			if (tg_instance_failed(&r->run.inst[i]) && may_rerun(&r->run.inst[i], NULL))
				tg_json_push_str(list, r->run.inst[i].id);
	if (ok && !tg_json_first(list))
		ok = tg_fail(err, TG_E_INPUT, "rerun: nothing to rerun (no instance has failed)");
	tg_json_set(c->args, "ids", list);
	if (ok && config) {
		struct cJSON *amend = tg_amend_prepare(r->dir, &r->spec, config, err);

		ok = amend != NULL;
		if (ok && tg_json_first(amend)) /* empty: the config did not change */
			tg_json_set(c->args, "amend", amend);
		else
			tg_json_free(amend);
	}
	return ok;
}

bool tg_inbox_finish_pending(struct tg_runner *r)
{
	struct tg_pending *p = &r->pending;
	struct cJSON *o;

	if (!p->amend && !p->n)
		return true;
	if (p->amend && !tg_loop_put(r, "amend", tg_json_dup(p->amend)))
		return false;
	if (r->run.done_ms != 0 && !tg_loop_put(r, "run.stale", tg_json_object()))
		return false;
	while (p->n) { /* each record takes its id off the list (record.c) */
		size_t before = p->n;

		o = tg_json_object();
		tg_json_set_str(o, "iid", p->iid[0]);
		tg_json_set_str(o, "req", p->req);
		if (!tg_loop_put(r, "inst.rerun", o))
			return false;
		if (p->n == before)
			break;
	}
	return true;
}

static void act_rerun(struct tg_runner *r, const struct cmd *c)
{
	(void)c;
	tg_inbox_finish_pending(r);
}

static const struct {
	const char *verb;
	bool (*check)(struct tg_runner *r, struct cmd *c, struct tg_err *err);
	void (*act)(struct tg_runner *r, const struct cmd *c);
} verbs[] = {
	{ "rerun", check_rerun, act_rerun },
	{ "stop", check_nothing, act_stop },
	{ "drain", check_nothing, act_nothing },
	{ "pause", check_nothing, act_nothing },
	{ "resume", check_nothing, act_nothing },
	{ "kill", check_kill, act_kill },
	{ "note", check_note, act_note },
	{ "answer", check_answer, act_nothing },
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* ---- one file ------------------------------------------------------------------------------- */

static bool was_seen(const struct tg_runner *r, const char *req)
{
	for (size_t i = 0; i < r->req_n; i++)
		if (strcmp(r->req[i], req) == 0)
			return true;
	return false;
}

static bool run_command(struct tg_runner *r, struct cmd *c)
{
	const char *verb = tg_json_str(c->body, "verb");
	struct tg_err err = { 0 };
	size_t v = 0;
	bool ok;

	while (v < VERBS && !tg_streq(verbs[v].verb, verb))
		v++;
	ok = v < VERBS ? verbs[v].check(r, c, &err)
		       : tg_fail(&err, TG_E_INPUT, "there is no command of that name");
	tg_json_set_bool(c->body, "ok", ok);
	tg_json_set_str(c->body, "error", ok ? NULL : err.msg);
	if (!tg_loop_put(r, "cmd", tg_json_dup(c->body)))
		return false;
	if (ok)
		verbs[v].act(r, c);
	return true;
}

/* Who gave the command: the file's owner is a fact, the rest is what the sender says. */
static struct cJSON *command_body(const struct cJSON *o, const char *req, uid_t uid,
				  struct cJSON **args_out)
{
	struct cJSON *b = tg_json_object(), *args;
	const struct passwd *pw = getpwuid(uid);
	const char *host = tg_json_str(o, "host");
	char *line = host ? tg_text_line(host, strlen(host), 64) : NULL;

	args = tg_json_kind(tg_json_get(o, "args")) == TG_JSON_OBJECT
		       ? tg_json_dup(tg_json_get(o, "args")) : tg_json_object();
	tg_json_del(args, "amend"); /* ours alone to fill in */
	tg_json_set_str(b, "req", req);
	tg_json_set_str(b, "verb", tg_json_str(o, "verb"));
	tg_json_set(b, "args", args);
	tg_json_set_int(b, "uid", (int64_t)uid);
	tg_json_set_str(b, "user", pw ? pw->pw_name : NULL);
	tg_json_set_str(b, "host", line);
	tg_json_set_int(b, "pid", tg_json_int(o, "pid", 0));
	free(line);
	*args_out = args;
	return b;
}

/* The command in a file; NULL: err says what is wrong with it. */
static struct cJSON *read_command(const char *inbox, const char *name, uid_t *uid,
				  struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = NULL;
	size_t stem = strlen(name) > 5 ? strlen(name) - 5 : 0;
	char *path = tg_path_join(inbox, name);
	const char *req, *verb;
	struct stat st;

	if (!tg_ends_with(name, ".json") || !is_uuid(name, stem))
		tg_fail(err, TG_E_INPUT, "the name of a command file must be <uuid>.json");
	else if (lstat(path, &st) != 0 || (st.st_uid != geteuid() && st.st_uid != 0))
		tg_fail(err, TG_E_INPUT, "the command file belongs to another user");
	else if (tg_file_read_beneath(inbox, name, CMD_MAX, &text, err))
		o = tg_json_parse(text.p, text.n, "command",
				  &(struct tg_json_limits){.max_depth = 8}, err);
	*uid = st.st_uid;
	req = tg_json_str(o, "req");
	verb = tg_json_str(o, "verb");
	if (o && (!req || strlen(req) != stem || memcmp(req, name, stem) != 0 || !verb ||
		  strlen(verb) > 32)) {
		tg_fail(err, TG_E_INPUT, "req must be the file's own uuid and verb a command");
		tg_json_free(o);
		o = NULL;
	}
	free(path);
	tg_buf_fini(&text);
	return o;
}

/* Kept for a person to look at; the record says where. */
static bool put_aside(struct tg_runner *r, const char *inbox, const char *name, const char *why)
{
	char *bad = tg_path_join(inbox, "bad"), *from = tg_path_join(inbox, name);
	char *shown = tg_text_line(name, strlen(name), 80);
	char *to = tg_asprintf("%s/%lld-%s", bad, (long long)tg_wall_ms(), name);
	struct cJSON *o = tg_json_object(), *args = tg_json_object();
	bool ok;

	tg_json_set_null(o, "req");
	tg_json_set_str(o, "verb", "malformed");
	tg_json_set_str(args, "file", shown);
	tg_json_set(o, "args", args);
	tg_json_set_bool(o, "ok", false);
	tg_json_set_str(o, "error", why);
	ok = tg_loop_put(r, "cmd", o);
	if (ok && (!tg_mkdirs(bad, 0700, NULL) || rename(from, to) != 0))
		unlink(from);
	free(bad);
	free(from);
	free(to);
	free(shown);
	return ok;
}

static bool take_file(struct tg_runner *r, const char *inbox, const char *name)
{
	struct tg_err err = { 0 };
	struct cmd c = { 0 };
	uid_t uid = 0;
	struct cJSON *o = read_command(inbox, name, &uid, &err);
	char *path = tg_path_join(inbox, name);
	bool ok = true;

	if (!o) {
		ok = put_aside(r, inbox, name, err.msg);
	} else {
		c.body = command_body(o, tg_json_str(o, "req"), uid, &c.args);
		c.req = tg_json_str(c.body, "req");
		ok = was_seen(r, c.req) || run_command(r, &c);
		if (ok)
			unlink(path);
	}
	tg_json_free(c.body);
	tg_json_free(o);
	free(path);
	return ok;
}

void tg_inbox_scan(struct tg_runner *r)
{
	char *inbox = tg_layout_control(r->dir, "inbox");
	struct tg_names names = { 0 };
	struct stat st;

	if (tg_dir_list(inbox, &names, NULL))
		for (size_t i = 0; i < names.n; i++) {
			char *path = tg_path_join(inbox, names.v[i]);
			bool skip = tg_ends_with(names.v[i], ".tmp") || lstat(path, &st) != 0 ||
				    S_ISDIR(st.st_mode);

			free(path);
			if (!skip && !take_file(r, inbox, names.v[i])) {
				r->inbox_dirty = true; /* could not be recorded: again later */
				break;
			}
		}
	tg_names_free(&names);
	free(inbox);
}
