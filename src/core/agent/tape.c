/* Writing the trajectory of a replayed attempt, in the recording's own format. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/agent/replay.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/lib/text.h"

#define SHOWN ((size_t)10000) /* characters of an output that the model sees */
#define KEPT ((size_t)100 * 1024) /* bytes of raw_output that stay in the file */

static double now_s(void)
{
	return (double)tg_wall_ms() / 1000.0;
}

static void put_stats(struct tg_tape *t)
{
	struct cJSON *stats = tg_json_object();

	tg_json_set_float(stats, "instance_cost", t->cost);
	tg_json_set_int(stats, "api_calls", t->calls);
	tg_json_set(t->info, "model_stats", stats);
}

static void copy_info(struct tg_tape *t, const struct tg_traj *rec)
{
	static const char *const kept[] = { "mini_version", "config" };
	const struct cJSON *info = tg_json_get(rec->root, "info");

	tg_json_set_str(t->info, "exit_status", "");
	tg_json_set_str(t->info, "submission", "");
	put_stats(t);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (tg_json_get(info, kept[i]))
			tg_json_set(t->info, kept[i], tg_json_dup(tg_json_get(info, kept[i])));
}

/* A replayed trajectory says that it is one, and of what. */
static void put_origin(struct tg_tape *t, const char *recording)
{
	struct cJSON *ours = tg_json_object();
	char sha[TG_SHA256_HEX];

	tg_json_set_str(ours, "replayed_from", tg_path_base(recording));
	if (tg_sha256_file(recording, sha, NULL, NULL))
		tg_json_set_str(ours, "recording_sha256", sha);
	tg_json_set(t->root, "tgmon", ours);
}

void tg_tape_init(struct tg_tape *t, const struct tg_traj *rec, const char *work, const char *iid,
		  const char *recording)
{
	*t = (struct tg_tape){ .root = tg_json_object(),
			       .info = tg_json_object(),
			       .messages = tg_json_array(),
			       .version = rec->version == 2 ? 2 : 1 };
	t->live = tg_path_join(work, "live.traj.json");
	t->tmp = tg_path_join(work, "live.traj.json.partial");
	t->final = tg_asprintf("%s/%s.traj.json", work, iid);
	copy_info(t, rec);
	tg_json_set(t->root, "info", t->info);
	tg_json_set(t->root, "messages", t->messages);
	tg_json_set_str(t->root, "trajectory_format",
			t->version == 2 ? "mini-swe-agent-1.1" : "mini-swe-agent-1");
	tg_json_set_str(t->root, "instance_id", iid);
	put_origin(t, recording);
}

void tg_tape_fini(struct tg_tape *t)
{
	tg_json_free(t->root);
	free(t->live);
	free(t->tmp);
	free(t->final);
	*t = (struct tg_tape){ 0 };
}

/* Format 1 has a time on every message, 1.1 below extra of answers and observations. */
static void stamp(const struct tg_tape *t, struct cJSON *m)
{
	const struct cJSON *extra = tg_json_get(m, "extra");

	if (t->version == 1) {
		tg_json_set_float(m, "timestamp", now_s());
	} else if (extra && tg_json_get(extra, "timestamp")) {
		struct cJSON *mine = tg_json_dup(extra);

		tg_json_set_float(mine, "timestamp", now_s());
		tg_json_set(m, "extra", mine);
	}
}

void tg_tape_copy(struct tg_tape *t, const struct cJSON *message)
{
	struct cJSON *m = tg_json_dup(message);

	tg_json_del(m, "tgmon_replay");
	stamp(t, m);
	tg_json_push(t->messages, m);
	put_stats(t);
}

/* A cut never splits a character. */
static size_t back_to_start(const char *p, size_t at)
{
	while (at && ((unsigned char)p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static void render(struct tg_buf *out, const struct tg_buf *text)
{
	size_t head, tail, n = text->n;
	const char *p = tg_buf_cstr(text);

	if (n < SHOWN) {
		tg_buf_addf(out, "<output>\n%s</output>", p);
		return;
	}
	head = back_to_start(p, SHOWN / 2);
	tail = back_to_start(p, n - SHOWN / 2);
	tg_buf_adds(out, "<warning>\nThe output was too long: its middle is left out.\n</warning>\n"
			 "<output_head>\n");
	tg_buf_add(out, p, head);
	tg_buf_addf(out,
		    "\n</output_head>\n<elided_chars>\n%zu characters elided\n</elided_chars>\n"
		    "<output_tail>\n%s\n</output_tail>",
		    tail - head, p + tail);
}

static void render_raw(struct tg_buf *out, const struct tg_buf *text)
{
	const char *p = tg_buf_cstr(text);
	size_t head, tail;

	if (text->n <= KEPT) {
		tg_buf_add(out, p, text->n);
		return;
	}
	head = back_to_start(p, KEPT / 2);
	tail = back_to_start(p, text->n - KEPT / 2);
	tg_buf_add(out, p, head);
	tg_buf_addf(out, "\n[%zu bytes left out]\n%s", tail - head, p + tail);
}

void tg_tape_observe(struct tg_tape *t, const struct tg_result *r, const char *tool_call_id)
{
	struct cJSON *m = tg_json_object(), *extra;
	struct tg_buf text = TG_BUF_INIT, raw = TG_BUF_INIT;
	char *late =
	    r->timed_out ?
		tg_asprintf("the command ran over its limit of %d s and was killed", r->limit_s) :
		NULL;

	if (late)
		tg_buf_addf(&text, "<exception>%s</exception>\n", late);
	tg_buf_addf(&text, "<returncode>%d</returncode>\n", r->code);
	render(&text, &r->out);
	tg_json_set_str(m, "role", t->version == 2 && tool_call_id ? "tool" : "user");
	tg_json_set_str(m, "content", tg_buf_cstr(&text));
	if (t->version == 1) {
		tg_json_set_float(m, "timestamp", now_s());
	} else {
		if (tool_call_id)
			tg_json_set_str(m, "tool_call_id", tool_call_id);
		render_raw(&raw, &r->out);
		extra = tg_json_object();
		tg_json_set_str(extra, "raw_output", tg_buf_cstr(&raw));
		tg_json_set_int(extra, "returncode", r->code);
		tg_json_set_float(extra, "timestamp", now_s());
		tg_json_set_str(extra, "exception_info", late ? late : "");
		if (late)
			tg_json_set_str(extra, "exception_type", "TimeoutExpired");
		tg_json_set(m, "extra", extra);
	}
	tg_json_push(t->messages, m);
	tg_buf_fini(&text);
	tg_buf_fini(&raw);
	free(late);
}

void tg_tape_end(struct tg_tape *t, const char *status, const char *submission,
		 const char *exception)
{
	struct cJSON *m, *extra;

	tg_json_set_str(t->info, "exit_status", status);
	/* 1.x hands on the exception's text as the submission */
	tg_json_set_str(t->info, "submission",
			exception && t->version == 1 ? exception : submission);
	if (exception) {
		tg_json_set_str(t->info, "traceback", exception);
		if (t->version == 2)
			tg_json_set_str(t->info, "exception_str", exception);
	}
	put_stats(t);
	if (exception && !tg_json_first(t->messages)) /* it never came to a first message */
		return;
	m = tg_json_object();
	tg_json_set_str(m, "role", t->version == 2 ? "exit" : "user");
	tg_json_set_str(m, "content", exception ? exception : submission);
	if (t->version == 1) {
		tg_json_set_float(m, "timestamp", now_s());
	} else {
		extra = tg_json_object();
		tg_json_set_str(extra, "exit_status", status);
		tg_json_set_str(extra, "submission", submission);
		if (exception)
			tg_json_set_str(extra, "exception_str", exception);
		tg_json_set(m, "extra", extra);
	}
	tg_json_push(t->messages, m);
}

bool tg_tape_save_live(struct tg_tape *t, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	int fd = open(t->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool ok;

	if (fd < 0)
		return tg_fail_sys(err, errno, "cannot write %s", t->tmp);
	tg_json_print(t->root, TG_JSON_PY_INDENT2, &text);
	ok = tg_write_all(fd, text.p, text.n, err);
	close(fd);
	if (ok && rename(t->tmp, t->live) != 0)
		ok = tg_fail_sys(err, errno, "cannot rename %s", t->tmp);
	tg_buf_fini(&text);
	return ok;
}

bool tg_tape_save(struct tg_tape *t, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	bool ok;

	tg_json_print(t->root, TG_JSON_PY_INDENT2, &text);
	ok = tg_tape_save_live(t, err) && tg_file_write(t->final, text.p, text.n, 0644, err);
	tg_buf_fini(&text);
	return ok;
}

void tg_replay_decode(struct tg_buf *out, const char *p, size_t n)
{
	uint32_t cp;

	while (n) {
		size_t k = tg_utf8_next(p, n, &cp);

		if (cp == 0xFFFFFFFF || cp == 0)
			tg_buf_adds(out, "\xef\xbf\xbd");
		else
			tg_buf_add(out, p, k);
		p += k;
		n -= k;
	}
}

const char *tg_replay_submission(int version, const char *output, int code)
{
	static const char *const marks[] = { "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT",
					     "MINI_SWE_AGENT_FINAL_OUTPUT" };
	static const char blank[] = " \t\r\n\v\f";
	const char *line = output + strspn(output, blank), *end = line + strcspn(line, "\n");
	size_t n = (size_t)(end - line);

	if (version == 2 && code != 0)
		return NULL;
	while (n && strchr(blank, line[n - 1]))
		n--;
	for (size_t i = 0; i < (version == 2 ? 1u : 2u); i++)
		if (strlen(marks[i]) == n && memcmp(line, marks[i], n) == 0)
			return *end ? end + 1 : end;
	return NULL;
}
