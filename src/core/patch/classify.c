/* The class of a patch: see classify.h. */
#include "core/patch/classify.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/lib/text.h"
#include "core/patch/near.h"

static void say(struct tg_triage_out *out, enum tg_patch_class cls, const char *remedy,
		const char *fmt, ...) TG_PRINTF(4, 5);

static void say(struct tg_triage_out *out, enum tg_patch_class cls, const char *remedy,
		const char *fmt, ...)
{
	struct tg_buf text = TG_BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	tg_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	out->cls = cls;
	free(out->reason);
	free(out->remedy);
	out->reason = tg_text_line(tg_buf_cstr(&text), text.n, 600);
	out->remedy = tg_strdup(remedy);
	tg_buf_fini(&text);
}

static bool is_blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!isspace((unsigned char)p[i]))
			return false;
	return true;
}

/* The first line with something in it, made safe; caller frees. */
static char *first_words(const char *p, size_t n)
{
	const char *nl;

	while (n > 0 && isspace((unsigned char)*p)) {
		p++;
		n--;
	}
	nl = memchr(p, '\n', n);
	return tg_text_line(p, nl ? (size_t)(nl - p) : n, 80);
}

/* Ends that are the model's own, so that what was submitted is its own too. */
static bool own_end(const char *exit_status)
{
	static const char *const own[] = {"Submitted", "LimitsExceeded", "TimeExceeded",
					  "RepeatedFormatError", NULL};
	size_t i;

	for (i = 0; own[i]; i++)
		if (tg_streq(own[i], exit_status))
			return true;
	return false;
}

static const char *infra_remedy(const char *what)
{
	if (tg_streq(what, "context window"))
		return "give the model a larger context window or the agent a smaller step limit, "
		       "then rerun";
	if (tg_streq(what, "authentication"))
		return "check the API key, then rerun";
	if (tg_streq(what, "rate limit"))
		return "wait or lower --workers, then rerun";
	if (tg_streq(what, "docker") || tg_streq(what, "podman"))
		return "check that containers can start (image, daemon, disk), then rerun";
	return "rerun: the model never had its say";
}

/* An error where the patch should be. text is what was submitted in its place, or the empty patch.
 */
static void say_infra(const struct tg_triage_in *in, const char *text, size_t n, const char *what,
		      struct tg_triage_out *out)
{
	char *words = first_words(text, n);
	const char *status = in->exit_status ? in->exit_status : "no exit status";

	if (*words)
		say(out, TG_PC_INFRA, infra_remedy(what),
		    "an error stands in the patch's place (%s; %s): %s", what, status, words);
	else
		say(out, TG_PC_INFRA, infra_remedy(what),
		    "no patch: the attempt ended by an error (%s; %s)", what, status);
	free(words);
}

static bool context_window(const char *exit_status)
{
	return exit_status && strstr(exit_status, "ContextWindow");
}

static const char *why_empty(enum tg_outcome outcome)
{
	switch (outcome) {
	case TG_OUT_LIMIT:
		return "the agent reached its limit before it submitted";
	case TG_OUT_TIMEOUT:
		return "the attempt reached its time limit before the agent submitted";
	case TG_OUT_CRASH:
	case TG_OUT_BUG:
		return "the agent crashed before it submitted";
	case TG_OUT_CANCELLED:
		return "the attempt was stopped before the agent submitted";
	case TG_OUT_MODEL_API:
		return "the model's API refused to go on before the agent submitted";
	default:
		return "the agent submitted nothing";
	}
}

static void classify_empty(const struct tg_triage_in *in, struct tg_triage_out *out)
{
	const char *head = in->submission_head ? in->submission_head : "";
	bool own = own_end(in->exit_status);
	const char *what = *head ? tg_error_text(head, strlen(head), own) : NULL;

	if (!what && in->outcome == TG_OUT_INFRA)
		what = "infrastructure";
	if (!what && in->outcome == TG_OUT_MODEL_API && !context_window(in->exit_status))
		what = "model API";
	if (what)
		say_infra(in, head, strlen(head), what, out);
	else
		say(out, TG_PC_EMPTY, "rerun; another sample may do better", "empty: %s",
		    why_empty(in->outcome));
}

/* Text without any diff in it: an error of the machinery, or the agent's own words. */
static void classify_text(const struct tg_triage_in *in, struct tg_triage_out *out)
{
	bool own = own_end(in->exit_status);
	const char *what = tg_error_text(in->patch, in->n, own);
	char *words;

	if (is_blank(in->patch, in->n)) {
		say(out, TG_PC_PROSE, "rerun; another sample may do better",
		    "no diff: only white space (%zu bytes)", in->n);
		return;
	}
	if (!what && in->exit_status && *in->exit_status && !own)
		what = "the agent's error";
	if (!what && in->outcome == TG_OUT_INFRA)
		what = "infrastructure";
	if (what) {
		say_infra(in, in->patch, in->n, what, out);
		return;
	}
	words = first_words(in->patch, in->n);
	if (tg_starts_with(words, "*** Begin Patch"))
		say(out, TG_PC_PROSE, "the agent must submit the output of git diff",
		    "no diff: a \"*** Begin Patch\" block, which neither git nor patch reads");
	else
		say(out, TG_PC_PROSE,
		    "see the last steps of the trajectory; the agent must submit the output "
		    "of git diff",
		    "no diff in it; it begins: %s", words);
	free(words);
}

static enum tg_patch_class fault_class(const struct tg_diff *d)
{
	switch (d->fault) {
	case TG_DIFF_SOUND:
		return TG_PC_OK;
	case TG_DIFF_NO_DIFF:
		return TG_PC_PROSE;
	case TG_DIFF_NO_NEWLINE:
		return TG_PC_WHITESPACE_DAMAGED;
	case TG_DIFF_SHORT:
		return d->may_be_stripped ? TG_PC_WHITESPACE_DAMAGED : TG_PC_TRUNCATED;
	case TG_DIFF_CUT_HEADER:
		return TG_PC_TRUNCATED;
	default:
		return TG_PC_CORRUPT;
	}
}

static unsigned fault_flag(enum tg_patch_class cls)
{
	return cls == TG_PC_TRUNCATED		 ? TG_TF_TRUNCATED
	       : cls == TG_PC_CORRUPT		 ? TG_TF_CORRUPT
	       : cls == TG_PC_WHITESPACE_DAMAGED ? TG_TF_WHITESPACE
						 : 0;
}

static void say_fault(const struct tg_diff *d, enum tg_patch_class cls, struct tg_triage_out *out)
{
	const char *text = d->fault_text ? d->fault_text : "";

	if (cls == TG_PC_TRUNCATED)
		say(out, cls,
		    "rerun; the submission was cut (an output limit, a head or tail in the last "
		    "command?)",
		    "cut off: %s", text);
	else if (cls == TG_PC_WHITESPACE_DAMAGED && d->missing > 0)
		say(out, cls,
		    "something stripped the end of the text; a repaired form is offered beside it",
		    "white space lost at the end: %s (%zu blank context line%s missing)", text,
		    d->missing, d->missing == 1 ? " is" : "s are");
	else if (cls == TG_PC_WHITESPACE_DAMAGED)
		say(out, cls,
		    "something stripped the end of the text; a repaired form is offered beside it",
		    "white space lost at the end: %s", text);
	else
		say(out, cls, "rerun; the diff was not made by git, or was edited by hand",
		    "corrupt: %s", text);
}

static void say_sound(const struct tg_diff *d, struct tg_triage_out *out)
{
	size_t i, added = 0, deleted = 0;

	for (i = 0; i < d->file_n; i++) {
		added += d->file[i].added;
		deleted += d->file[i].deleted;
	}
	say(out, TG_PC_OK, NULL, "%zu file%s, +%zu -%zu lines", d->file_n,
	    d->file_n == 1 ? "" : "s", added, deleted);
}

static void say_fuzz(const struct tg_diff *d, const char *rung, struct tg_triage_out *out)
{
	const char *how = tg_streq(rung, "already")    ? "every change of it is in the base already"
			  : tg_streq(rung, "git-3way") ? "git took it only by a three-way merge"
			  : tg_streq(rung, "git-reject") ? "git took it only with --reject"
							 : "git refuses it, patch --fuzz=5 took it";

	say(out, TG_PC_APPLIES_WITH_FUZZ, NULL, "%s%s%s", how, d->fault_text ? "; " : "",
	    d->fault_text ? d->fault_text : "");
}

static void say_near(const struct tg_near *near, const char *mismatch, struct tg_triage_out *out)
{
	say(out, TG_PC_WRONG_BASE,
	    "the agent worked on another commit: check that its working tree is the image's, then "
	    "rerun",
	    "no rung takes it at the base commit, git does at %.12s (%zu commit%s %s)%s%s",
	    near->commit, near->distance, near->distance == 1 ? "" : "s",
	    near->later ? "later" : "earlier", mismatch ? "; at the base " : "",
	    mismatch ? mismatch : "");
}

/* A diff, with the ladder's word where there is one. */
static void classify_diff(const struct tg_triage_in *in, const struct tg_diff *d,
			  struct tg_triage_out *out)
{
	const struct tg_ladder_result *l = in->ladder;
	enum tg_patch_class cls = fault_class(d);

	if (l) {
		out->applies = l->applied;
		snprintf(out->rung, sizeof out->rung, "%s", l->rung);
	}
	if (l && l->applied) {
		out->flags |= fault_flag(cls);
		if (in->unchanged)
			out->flags |= TG_TF_NO_OP;
		if (in->reverted && tg_streq(l->rung, "patch-fuzz"))
			out->flags |= TG_TF_SILENT_REVERT;
		if (tg_streq(l->rung, "git"))
			say_sound(d, out);
		else
			say_fuzz(d, l->rung, out);
	} else if (cls != TG_PC_OK) {
		say_fault(d, cls, out);
	} else if (l && in->unsure) {
		/* The evaluator's tree is not the base commit there: only it can tell. */
		out->applies = -1;
		out->flags |= TG_TF_UNSURE;
		say(out, TG_PC_OK, NULL, "unsure: it differs from the base only in setup files, "
		    "which evaluation images edit; the evaluation will tell%s%s",
		    in->mismatch ? ": " : "", in->mismatch ? in->mismatch : "");
	} else if (l && in->near) {
		say_near(in->near, in->mismatch, out);
	} else if (l) {
		say(out, TG_PC_DOES_NOT_APPLY,
		    "rerun; the diff was made on another base, or by hand",
		    "no rung of the ladder takes it%s%s", in->mismatch ? ": " : "",
		    in->mismatch ? in->mismatch : "");
	} else {
		say_sound(d, out);
	}
}

void tg_triage_classify(const struct tg_triage_in *in, struct tg_triage_out *out)
{
	struct tg_diff own = {0};
	const struct tg_diff *d = in->diff;

	*out = (struct tg_triage_out){.applies = -1};
	if (in->n == 0) {
		classify_empty(in, out);
		return;
	}
	if (!d) {
		tg_diff_parse(&own, in->patch, in->n);
		d = &own;
	}
	out->flags = tg_diff_flags(d);
	if (d->fault == TG_DIFF_NO_DIFF) {
		classify_text(in, out);
		out->applies = 0; /* neither git nor patch finds anything in it */
	} else {
		classify_diff(in, d, out);
	}
	if (d == &own)
		tg_diff_fini(&own);
}

void tg_triage_out_fini(struct tg_triage_out *out)
{
	free(out->reason);
	free(out->remedy);
	*out = (struct tg_triage_out){.applies = -1};
}

bool tg_patch_repaired(const struct tg_diff *d, struct tg_buf *out)
{
	size_t i;

	tg_buf_clear(out);
	if (fault_class(d) != TG_PC_WHITESPACE_DAMAGED)
		return false;
	tg_buf_add(out, d->p, d->n);
	if (d->n > 0 && d->p[d->n - 1] != '\n')
		tg_buf_addc(out, '\n');
	for (i = 0; i < d->missing; i++)
		tg_buf_adds(out, " \n");
	return true;
}
