/*
 * Evaluator `local`: what the harness does in a container, done in the sandbox on a checkout of the
 * base. Two trees: testbed gets the model's patch; clean gets the test patch alone, and its test
 * files then replace the testbed's, so that nothing the patch did to those files, to git's
 * configuration or to the folders on the way can change a test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/dataset/dataset.h"
#include "core/evaluate/evaluate.h"
#include "core/evaluate/report.h"
#include "core/evaluate/script.h"
#include "core/evaluate/unittest_log.h"
#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/sandbox.h"
#include "core/lib/text.h"
#include "core/patch/ladder.h"

#define OUTPUT_MAX ((size_t)16 << 20) /* of the tests; more than that is no test result */
#define HELPER_MS 120000

static const char *const sandbox_env[] = {
	"PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
	"PYTHONHASHSEED=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=1",
	"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", NULL,
};

struct local {
	const struct tg_eval_input *in;
	const struct tg_stage_ctx *ctx;
	const char *iid;
	char *testbed, *clean, *repo;
	struct tg_buf log; /* run_instance.log */
	int64_t run_ms;
};

/* ---- files it leaves ---- */

static void note(struct local *l, const char *fmt, ...) TG_PRINTF(2, 3);

static void note(struct local *l, const char *fmt, ...)
{
	int64_t now = tg_wall_ms();
	char when[32];
	va_list ap;

	tg_strftime_utc(now, "%Y-%m-%d %H:%M:%S", when, sizeof when);
	tg_buf_addf(&l->log, "%s,%03d - INFO - ", when, (int)(now % 1000));
	va_start(ap, fmt);
	tg_buf_vaddf(&l->log, fmt, ap);
	va_end(ap);
	tg_buf_addc(&l->log, '\n');
}

static bool leave(const struct local *l, const char *name, const struct tg_buf *b,
		  struct tg_err *err)
{
	char *path = tg_path_join(l->ctx->work_dir, name);
	bool ok = tg_file_write(path, b->n ? b->p : "", b->n, 0644, err);

	free(path);
	return ok;
}

/* ---- trees ---- */

static bool make_tree(struct local *l, const char *tree, struct tg_err *err)
{
	return tg_remove_tree(tree, err) && tg_mkdirs(tree, 0755, err) &&
	       tg_repo_checkout(l->repo, l->ctx->row->base_commit, tree, err) &&
	       tg_ladder_prepare(tree, err);
}

static bool run_helper(const struct local *l, bool with_testbed, const char *cwd,
		       const char *const *argv, struct tg_proc_result *r, struct tg_err *err)
{
	const struct tg_bind binds[] = {
		{ l->clean, "/clean", !with_testbed },
		{ with_testbed ? l->testbed : NULL, "/testbed", true },
		{ NULL, NULL, false },
	};
	const struct tg_sandbox sb = { .binds = binds, .cwd = cwd, .env = sandbox_env };

	if (!tg_sandbox_run(&sb, argv, NULL, 0, HELPER_MS, OUTPUT_MAX, false, r, err))
		return false;
	if (r->code == 0 && !r->timed_out && !r->truncated)
		return true;
	char *said = tg_text_line(tg_buf_cstr(&r->err), r->err.n, 200);

	tg_fail(err, TG_E_MACHINE, "%s: %s in the sandbox ended with %d: %s", l->iid, argv[0],
		r->code, said);
	free(said);
	tg_proc_result_fini(r);
	return false;
}

static bool helper(const struct local *l, bool with_testbed, const char *cwd,
		   const char *const *argv, struct tg_err *err)
{
	struct tg_proc_result r;
	bool ok = run_helper(l, with_testbed, cwd, argv, &r, err);

	if (ok)
		tg_proc_result_fini(&r);
	return ok;
}

/* Names from `git diff --name-status -z`: status NUL path NUL ... */
struct touched {
	const char **all, **there; /* NULL-terminated argv tails; there: not deleted */
	size_t n, there_n;
};

static bool split_touched(const struct local *l, const struct tg_buf *text, struct touched *t,
			  struct tg_err *err)
{
	size_t max = 1;

	for (size_t i = 0; i < text->n; i++)
		max += text->p[i] == '\0';
	t->all = tg_calloc(max + 8, sizeof *t->all);
	t->there = tg_calloc(max + 8, sizeof *t->there);
	for (size_t i = 0; i < text->n;) {
		const char *status = text->p + i, *path;

		i += strnlen(status, text->n - i) + 1;
		if (i >= text->n)
			break;
		path = text->p + i;
		i += strnlen(path, text->n - i) + 1;
		if (!tg_path_is_safe_relative(path))
			return tg_fail(err, TG_E_INPUT,
				       "%s: test_patch names a file that is not safe", l->iid);
		t->all[t->n++] = path;
		if (*status != 'D')
			t->there[t->there_n++] = path;
	}
	if (!t->n)
		return tg_fail(err, TG_E_INPUT, "%s: test_patch changes nothing", l->iid);
	return true;
}

static bool call(const struct local *l, const char *cwd, const char *const *head,
		 const char *const *tail, size_t tail_n, struct tg_err *err)
{
	const char **argv;
	size_t n = 0;
	bool ok;

	while (head[n])
		n++;
	argv = tg_calloc(n + tail_n + 1, sizeof *argv);
	memcpy(argv, head, n * sizeof *argv);
	memcpy(argv + n, tail, tail_n * sizeof *argv);
	ok = helper(l, true, cwd, argv, err);
	free(argv);
	return ok;
}

/* The test files as the base and the test patch make them, over whatever the patch left there.
 * Compiled files that a patch brings along never stand for the sources. */
static bool place_tests(struct local *l, struct tg_err *err)
{
	static const char *const add[] = { "git", "add", "-A", "-f", NULL };
	static const char *const diff[] = { "git", "diff", "--cached", "--name-status", "-z",
					    "--no-renames", "HEAD", NULL };
	static const char *const compiled[] = {"find",	 "/testbed", "-name", "__pycache__",
					       "-prune", "-exec",    "rm",    "-rf",
					       "{}",	 "+",	     NULL};
	static const char *const rm[] = { "rm", "-rf", "--", NULL };
	static const char *const cp[] = {
	    "cp", "-P", "--preserve=mode", "--parents", "-t", "/testbed", "--", NULL};
	struct tg_proc_result r;
	struct touched t = { 0 };
	bool ok;

	if (!helper(l, false, "/clean", add, err) || !run_helper(l, false, "/clean", diff, &r, err))
		return false;
	ok = split_touched(l, &r.out, &t, err) && helper(l, true, "/testbed", compiled, err) &&
	     call(l, "/testbed", rm, t.all, t.n, err) &&
	     (!t.there_n || call(l, "/clean", cp, t.there, t.there_n, err));
	free(t.all);
	free(t.there);
	tg_proc_result_fini(&r);
	return ok;
}

static bool prepare_tests(struct local *l, struct tg_err *err)
{
	const char *patch = l->ctx->row->test_patch;
	struct tg_ladder_result r = { 0 };
	bool ok;

	if (!make_tree(l, l->clean, err) ||
	    !tg_ladder_apply(l->clean, patch, strlen(patch), l->ctx->spec->ladder, &r, err))
		return false;
	ok = r.applied == 1 || tg_fail(err, TG_E_INPUT,
				       "%s: test_patch does not apply to base_commit: the "
				       "data set row is damaged",
				       l->iid);
	tg_ladder_result_fini(&r);
	return ok && place_tests(l, err);
}

/* ---- the patch ---- */

static const struct rung {
	const char *name, *v4, *v5; /* the harness's words for it; NULL: not in that generation */
} rungs[] = {
    {"git", "git apply --verbose", "git apply --verbose"},
    {"git-3way", NULL, "git apply --verbose --3way"},
    {"git-reject", "git apply --verbose --reject", "git apply --verbose --reject"},
    {"patch-fuzz", "patch --batch --fuzz=5 -p1 -i", "patch --batch --forward --fuzz=5 -p1 -i"},
};

static void note_rungs(struct local *l, const char *took)
{
	for (size_t i = 0; i < sizeof rungs / sizeof *rungs && !tg_streq(rungs[i].name, took);
	     i++) {
		const char *words = l->ctx->spec->ladder >= 5 ? rungs[i].v5 : rungs[i].v4;

		if (words)
			note(l, "Failed to apply patch to container: %s", words);
	}
}

/* What the last `patch` of the ladder's log said, in one safe line: a label, never a verdict. */
static char *apply_error(const struct tg_buf *log)
{
	static const char command[] = "$ patch --batch";
	const char *p = tg_buf_cstr(log), *from = NULL, *end, *line;

	for (const char *at = p; (at = strstr(at, command)); at++)
		from = at;
	if (!from)
		return NULL;
	end = strstr(from, "\n(exit code ");
	if (!end)
		end = p + log->n;
	for (line = end; line > from && line[-1] != '\n';)
		line--;
	return line > from ? tg_text_line(line, (size_t)(end - line), 300) : NULL;
}

static bool apply_patch(struct local *l, struct tg_evaluation *ev, bool *applied,
			struct tg_err *err)
{
	const struct tg_eval_input *in = l->in;
	struct tg_buf bytes = { (char *)in->patch, in->patch_n, 0 };
	struct tg_ladder_result r = { 0 };

	if (!leave(l, "patch.diff", &bytes, err))
		return false;
	note(l, "Intermediate patch for %s written to patch.diff, now applying to testbed...",
	     l->iid);
	if (!tg_ladder_apply(l->testbed, in->patch, in->patch_n, l->ctx->spec->ladder, &r, err))
		return false;
	note_rungs(l, r.rung);
	*applied = r.applied == 1;
	note(l, *applied ? ">>>>> Applied Patch:" : ">>>>> Patch Apply Failed:");
	tg_buf_add(&l->log, tg_buf_cstr(&r.log), r.log.n);
	tg_buf_addc(&l->log, '\n');
	snprintf(ev->rung, sizeof ev->rung, "%s", r.rung);
	if (!*applied) {
		ev->status = TG_EV_PATCH_APPLY_FAILED;
		ev->resolved = 0;
		ev->apply_error = apply_error(&r.log);
		ev->reason =
		    tg_asprintf("the patch does not apply%s%s", ev->apply_error ? ": " : "",
				ev->apply_error ? ev->apply_error : "");
	}
	tg_ladder_result_fini(&r);
	return true;
}

/* ---- the tests ---- */

static bool run_script(struct local *l, const struct tg_buf *script, struct tg_proc_result *r,
		       struct tg_err *err)
{
	char *path = tg_path_join(l->ctx->work_dir, "eval.sh");
	const struct tg_bind binds[] = {
	    {l->testbed, "/testbed", true},
	    {path, "/eval.sh", false},
	    {NULL, NULL, false},
	};
	int64_t limit = l->ctx->spec->eval_timeout_s, start = tg_mono_ms();
	const struct tg_sandbox sb = { .binds = binds, .cwd = "/testbed", .env = sandbox_env,
				       .limits = { .cpu_s = limit } };
	bool ok = leave(l, "eval.sh", script, err);

	note(l, "Eval script for %s written to eval.sh; running in the sandbox...", l->iid);
	ok = ok && tg_sandbox_run(&sb, (const char *const[]){ "bash", "/eval.sh", NULL }, NULL, 0,
				  limit * 1000, OUTPUT_MAX, false, r, err);
	l->run_ms = tg_mono_ms() - start;
	note(l, "Test runtime: %.2f seconds", (double)l->run_ms / 1000);
	free(path);
	return ok;
}

/* The harness's shape: the script's own log, then the test output between the two markers. Nothing
 * reads results from this file; they were read from the channel. */
static bool leave_output(struct local *l, const struct tg_proc_result *r, struct tg_err *err)
{
	struct tg_buf text = TG_BUF_INIT;
	bool ok;

	tg_buf_add(&text, tg_buf_cstr(&r->err), r->err.n);
	tg_buf_adds(&text, "\n>>>>> Start Test Output\n");
	tg_buf_add(&text, tg_buf_cstr(&r->out), r->out.n);
	tg_buf_adds(&text, "\n>>>>> End Test Output\n");
	if (r->timed_out)
		tg_buf_addf(&text, "\n\nTimeout error: %d seconds exceeded.",
			    l->ctx->spec->eval_timeout_s);
	else
		tg_buf_addf(&text, ">>>>> Test Exit Code: %d\n", r->code);
	ok = leave(l, "test_output.txt", &text, err);
	note(l, "Test output for %s written to test_output.txt", l->iid);
	tg_buf_fini(&text);
	return ok;
}

/* report.json is written first and then read like anybody's: one way from a report to an outcome.
 */
static bool grade(struct local *l, const struct tg_proc_result *r, struct tg_evaluation *ev,
		  struct tg_err *err)
{
	const struct tg_report_hint hint = { .applies = 1 };
	struct tg_buf text = TG_BUF_INIT;
	struct tg_report report;
	struct tg_test_log log;
	struct cJSON *made;
	const char *why;
	bool ok;

	note(l, "Grading answer for %s...", l->iid);
	tg_unittest_parse(&log, tg_buf_cstr(&r->out), r->out.n, r->sig ? 128 + r->sig : r->code);
	if (r->truncated)
		log.ungradable = "the tests printed more than 16 MiB";
	made = tg_report_make(l->ctx->row, &log, l->in->patch_sha256);
	tg_json_print(made, TG_JSON_PY_INDENT4, &text);
	ok = leave(l, "report.json", &text, err) &&
	     tg_report_parse(&report, text.p, text.n, "report.json", l->iid, err);
	if (ok) {
		ev->status = tg_report_outcome(&report, NULL, l->iid, &hint, &why);
		ev->resolved = ev->status == TG_EV_RESOLVED ? 1
			       : ev->status == TG_EV_INFRA  ? -1
							    : 0;
		ev->tally = report.tally;
		ev->have_tally = report.has_tests;
		if (log.ungradable || why)
			ev->reason = tg_strdup(log.ungradable ? log.ungradable : why);
		note(l, "report: %s\nResult for %s: resolved: %s", text.p, l->iid,
		     report.resolved ? "True" : "False");
	}
	tg_json_free(made);
	tg_buf_fini(&text);
	tg_test_log_fini(&log);
	return ok;
}

static bool run_tests(struct local *l, struct tg_evaluation *ev, struct tg_err *err)
{
	const struct tg_row *row = l->ctx->row;
	struct tg_buf script = TG_BUF_INIT;
	struct tg_proc_result r;
	bool ok;

	if (!tg_eval_script_build(row->eval_script, &script)) {
		tg_buf_fini(&script);
		return tg_fail(err, TG_E_INPUT,
			       "%s: eval_script must hold the lines : '>>>>> Start Test "
			       "Output' and : '>>>>> End Test Output' once each",
			       l->iid);
	}
	if (!prepare_tests(l, err) || !run_script(l, &script, &r, err)) {
		tg_buf_fini(&script);
		return false;
	}
	ok = leave_output(l, &r, err);
	if (ok && r.timed_out) {
		note(l, "Test timed out after %d seconds.", l->ctx->spec->eval_timeout_s);
		ev->status = TG_EV_TIMEOUT;
		ev->resolved = 0;
		ev->reason =
		    tg_asprintf("the tests ran longer than %d s", l->ctx->spec->eval_timeout_s);
	} else if (ok) {
		ok = grade(l, &r, ev, err);
	}
	tg_proc_result_fini(&r);
	tg_buf_fini(&script);
	return ok;
}

/* ---- the whole ---- */

static bool check_row(const struct tg_stage_ctx *ctx, struct tg_err *err)
{
	if (!ctx->row)
		return tg_fail(err, TG_E_INPUT, "%s is not in the data set of this run",
			       ctx->instance_id);
	if (!ctx->row->eval_script || !*ctx->row->eval_script)
		return tg_fail(err, TG_E_INPUT,
			       "%s has no eval_script, which the local evaluator runs; use "
			       "another --evaluator for this data set",
			       ctx->instance_id);
	if (!tg_streq(ctx->row->log_parser, "unittest"))
		return tg_fail(err, TG_E_INPUT,
			       "%s: log_parser is not \"unittest\", the only one that the "
			       "local evaluator reads",
			       ctx->instance_id);
	return true;
}

static void clean_up(struct local *l)
{
	struct tg_err why;

	if (!tg_remove_tree(l->testbed, &why) || !tg_remove_tree(l->clean, &why))
		tg_log(&l->ctx->log, TG_LOG_WARN, "%s", why.msg);
	free(l->testbed);
	free(l->clean);
	free(l->repo);
	tg_buf_fini(&l->log);
}

static bool evaluate(const struct tg_eval_input *in, struct tg_evaluation *ev, struct tg_err *err)
{
	const struct tg_stage_ctx *ctx = in->ctx;
	struct local l = { .in = in, .ctx = ctx, .iid = ctx->instance_id };
	bool applied = false, ok;
	struct tg_err why = { 0 };

	if (!check_row(ctx, err))
		return false;
	l.testbed = tg_path_join(ctx->work_dir, "testbed");
	l.clean = tg_path_join(ctx->work_dir, "clean");
	note(&l, "Creating testbed for %s...", l.iid);
	ok = tg_repo_path(ctx->spec->repos_dir, ctx->spec->data_dir, ctx->row->repo, &l.repo, &why);
	if (!ok && why.code == TG_E_NONE)
		tg_fail(&why, TG_E_INPUT, "%s: no repository of %s; give --repos DIR", l.iid,
			ctx->row->repo);
	if (!ok && err)
		*err = why;
	ok = ok && make_tree(&l, l.testbed, err) && apply_patch(&l, ev, &applied, err);
	if (ok && applied)
		ok = run_tests(&l, ev, err);
	if (!leave(&l, "run_instance.log", &l.log, ok ? err : NULL))
		ok = false;
	clean_up(&l);
	return ok;
}

static bool preflight(struct tg_spec *spec, struct tg_err *err)
{
	(void)spec;
	return tg_sandbox_check(err);
}

const struct tg_evaluator_ops tg_evaluator_local = {
	.name = "local",
	.preflight = preflight,
	.evaluate = evaluate,
};
