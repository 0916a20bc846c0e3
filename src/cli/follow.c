/* Shared by commands: which run, follow it without a console, post a command. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/journal.h"
#include "core/run/layout.h"
#include "core/run/watch.h"
#include "core/runner/runner.h"

char *tg_cli_run_dir(const char *arg, bool allow_foreign, struct tg_err *err)
{
	char *dir = tg_path_abs(arg);
	enum tg_dir_kind kind = tg_layout_kind(dir);

	if (kind == TG_DIR_OURS || (kind == TG_DIR_FOREIGN && allow_foreign))
		return dir;
	if (!tg_is_dir(dir))
		tg_fail(err, TG_E_INPUT, "%s is not a folder", dir);
	else if (kind == TG_DIR_FOREIGN)
		tg_fail(err, TG_E_INPUT, "%s was made by something else; `tgmon process %s` takes it in", dir,
			arg);
	else
		tg_fail(err, TG_E_INPUT, "%s is not a run directory: no .tgmon, no preds.json, no "
			"trajectories", dir);
	free(dir);
	return NULL;
}

static void progress(const struct tg_watch *w, bool tty, char last[256])
{
	const struct tg_run *run = tg_watch_run(w);
	struct tg_counts c;
	char line[256];
	bool lower;
	double cost = tg_watch_run_cost(w, &lower);

	tg_run_count(run, &c);
	snprintf(line, sizeof line, "%s: %zu/%zu done, %zu running, %zu resolved, OK %zu ABSTAIN %zu VETO %zu, "
		 "cost %s%.2f USD%s%s", tg_watch_run_state(w), c.by_state[TG_ST_DONE], c.total,
		 c.by_state[TG_ST_RUNNING] + c.by_state[TG_ST_STARTING], c.resolved,
		 c.by_decision[TG_DEC_OK], c.by_decision[TG_DEC_ABSTAIN], c.by_decision[TG_DEC_VETO],
		 lower ? ">= " : "", cost, run->gate.row && !run->gate.open ? ", gate closed: " : "",
		 run->gate.row && !run->gate.open ? run->gate.text : "");
	if (!strcmp(line, last))
		return;
	snprintf(last, 256, "%s", line);
	fprintf(stderr, tty ? "\r\033[K%s" : "%s\n", line);
	fflush(stderr);
}

/* The runner has gone: what does that mean for the exit code? */
static int end_code(const struct tg_watch *w)
{
	const struct tg_run *run = tg_watch_run(w);
	struct tg_artifact a[TG_ARTIFACTS];

	if (tg_streq(run->runner_end, "gate"))
		return TG_E_GATE;
	if (!run->done_ms || !tg_streq(run->runner_end, "done")) {
		fprintf(stderr, "tgmon: the runner ended (%s) before the run was through; tgmon run --resume %s\n",
			run->runner_end ? run->runner_end : "it is gone without a word", run->dir);
		return tg_streq(run->runner_end, "stopped") || tg_streq(run->runner_end, "drained")
			? TG_E_GATE : TG_E_IO;
	}
	if (run->withheld) {
		fprintf(stderr, "tgmon: secrets keep the bundle back; %s/proof/secrets.txt names file and "
			"place. Revoke them, then --redact\n", run->dir);
		return TG_E_SECRET;
	}
	tg_artifacts(run, a);
	if (!tg_run_is_complete(run, a)) {
		fprintf(stderr, "tgmon: the run ended without all nine artefacts; see tgmon status %s\n",
			run->dir);
		return TG_E_IO;
	}
	return run->gate_known && run->gate_pass ? 0 : TG_E_VERDICT;
}

int tg_cli_follow(const char *run_dir, bool quiet)
{
	struct tg_err err = { 0 };
	struct tg_watch *w = tg_watch_open(run_dir, &err);
	bool tty = isatty(STDERR_FILENO), ok = w != NULL;
	int code, gone = 0;
	char last[256] = "";

	while (ok) {
		struct pollfd p = { .fd = tg_watch_fd(w), .events = POLLIN };

		ok = tg_watch_poll(w, NULL, &err);
		if (ok && !quiet)
			progress(w, tty, last);
		if (!ok || (!tg_watch_runner_alive(w) && ++gone > 2))
			break; /* looked once more after it had gone */
		poll(&p, 1, gone ? 100 : 500);
		if (!gone)
			tg_sleep_ms(100); /* a burst of records is one line */
	}
	if (tty && !quiet)
		fputc('\n', stderr);
	code = ok ? end_code(w) : tg_cli_fail(&err);
	if (ok && tg_watch_run(w)->gate_known)
		printf("gate %s\n", tg_watch_run(w)->gate_pass ? "PASS" : "FAIL");
	tg_watch_close(w);
	return code;
}

struct answer {
	const char *req;
	bool found, ok;
	char text[512];
};

static bool look_for_answer(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct answer *a = user;
	const char *text = tg_json_str(rec->body, "error");

	(void)err;
	if (strcmp(rec->ev, "cmd") || !tg_streq(tg_json_str(rec->body, "req"), a->req))
		return true;
	a->found = true;
	a->ok = tg_json_bool(rec->body, "ok", false);
	snprintf(a->text, sizeof a->text, "%s", text ? text : "the runner refused the command");
	return true;
}

/* The runner took the command's file away: what does the journal say of it? */
static bool accepted(const char *run_dir, const char *req, struct tg_err *err)
{
	struct tg_journal_reader *reader = tg_journal_reader_new(run_dir, err);
	struct answer a = { .req = req };
	bool ok = reader && tg_journal_read(reader, look_for_answer, &a, NULL, err);

	tg_journal_reader_free(reader);
	if (ok && !a.found)
		return tg_fail(err, TG_E_IO, "the journal of %s has no record of the command", run_dir);
	return ok && (a.ok || tg_fail(err, TG_E_INPUT, "%s", a.text));
}

/* Wait for the journal's own record of the command: that is the acknowledgement. A runner that was just
 * about to end may have missed the command; then another one is started for it. */
static bool answered(const char *run_dir, const char *req, const char *waiting, bool start_runner,
		     struct tg_err *err)
{
	bool ok = true;

	for (int i = 0; ok && i < 200 && tg_file_exists(waiting); i++) {
		tg_sleep_ms(50);
		if (i > 8 && start_runner && !tg_runner_alive(run_dir, NULL))
			ok = tg_runner_start(run_dir, err) || (err && err->code == TG_E_BUSY);
	}
	if (ok && tg_file_exists(waiting))
		return tg_fail(err, TG_E_IO, "the runner has not taken the command yet; it lies in %s", waiting);
	if (!ok)
		unlink(waiting); /* no runner can start: what was said to have failed must not happen later */
	return ok && accepted(run_dir, req, err);
}

static bool post_and_wait(const char *run_dir, const char *verb, void *args, char req[37], bool start_runner,
			  struct tg_err *err)
{
	char *name, *waiting;
	bool ok = tg_inbox_post(run_dir, verb, args, req, err);

	if (!ok)
		return false;
	name = tg_asprintf("inbox/%s.json", req);
	waiting = tg_layout_control(run_dir, name);
	if (start_runner && !tg_runner_alive(run_dir, NULL) && !tg_runner_start(run_dir, err) &&
	    err->code != TG_E_BUSY) {
		ok = false;
		unlink(waiting);
	}
	ok = ok && answered(run_dir, req, waiting, start_runner, err);
	free(waiting);
	free(name);
	return ok;
}

int tg_cli_post(const char *run_dir, const char *verb, void *args, bool start_runner, const char *said)
{
	struct tg_err err = { 0 };
	char req[37];

	if (!post_and_wait(run_dir, verb, args, req, start_runner, &err))
		return tg_cli_fail(&err);
	printf("%s (%s)\n", said, req);
	return 0;
}
