/* The diff parser proper: a cursor over lines, headers, hunks. See parse.h. */
#include "core/patch/parse.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "core/lib/text.h"
#include "core/patch/parse_header.h"

struct cursor {
	struct tg_diff *d;
	size_t off, line; /* of the line we stand on; line is 1-based */
};

static size_t line_len(const struct tg_diff *d, size_t off)
{
	const char *nl = memchr(d->p + off, '\n', d->n - off);

	return nl ? (size_t)(nl - (d->p + off)) + 1 : d->n - off;
}

static bool starts(const struct tg_diff *d, size_t off, const char *word)
{
	size_t n = strlen(word);

	return off <= d->n && d->n - off >= n && memcmp(d->p + off, word, n) == 0;
}

static void advance(struct cursor *c)
{
	c->off += line_len(c->d, c->off);
	c->line++;
}

static bool at_end(const struct cursor *c)
{
	return c->off >= c->d->n;
}

static struct tg_diff_file *current(struct tg_diff *d)
{
	return d->file_n > 0 ? &d->file[d->file_n - 1] : NULL;
}

/* Remember the first fault only; the text is "line 12: ...". */
static void fault(struct tg_diff *d, enum tg_diff_fault what, size_t line, const char *fmt, ...)
    TG_PRINTF(4, 5);

static void fault(struct tg_diff *d, enum tg_diff_fault what, size_t line, const char *fmt, ...)
{
	struct tg_buf text = TG_BUF_INIT;
	struct tg_diff_file *f = current(d);
	va_list ap;

	d->fault_n++;
	if (d->fault != TG_DIFF_SOUND)
		return;
	d->fault = what;
	d->fault_line = line;
	d->fault_file = d->file_n;
	d->fault_hunk = f ? f->hunk_n : 0;
	if (line > 0)
		tg_buf_addf(&text, "line %zu: ", line);
	va_start(ap, fmt);
	tg_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	d->fault_text = tg_text_line(tg_buf_cstr(&text), text.n, 400);
	tg_buf_fini(&text);
}

/* ---- hunks ---- */

static bool number(const char *p, size_t n, size_t *i, size_t *out)
{
	size_t v = 0, start = *i;

	while (*i < n && p[*i] >= '0' && p[*i] <= '9') {
		if (*i - start > 15)
			return false;
		v = v * 10 + (size_t)(p[(*i)++] - '0');
	}
	*out = v;
	return *i > start;
}

static bool range(const char *p, size_t n, size_t *i, size_t *start, size_t *count)
{
	if (!number(p, n, i, start))
		return false;
	*count = 1;
	if (*i < n && p[*i] == ',') {
		(*i)++;
		return number(p, n, i, count);
	}
	return true;
}

/* "@@ -a[,b] +c[,d] @@" */
static bool hunk_header(const char *p, size_t n, struct tg_diff_hunk *h)
{
	size_t i = 4;

	if (n < 4 || memcmp(p, "@@ -", 4) != 0 || !range(p, n, &i, &h->old_start, &h->old_n))
		return false;
	if (n - i < 2 || memcmp(p + i, " +", 2) != 0)
		return false;
	i += 2;
	if (!range(p, n, &i, &h->new_start, &h->new_n))
		return false;
	return n - i >= 3 && memcmp(p + i, " @@", 3) == 0;
}

static const char *hunk_name(const struct tg_diff *d)
{
	return d->file_n > 0 ? tg_diff_path(&d->file[d->file_n - 1]) : "";
}

static void count_fault(struct cursor *c, const struct tg_diff_hunk *h, enum tg_diff_fault what,
			const char *then)
{
	struct tg_diff *d = c->d;

	fault(d, what, c->line,
	      "hunk %zu of %s promises %zu old and %zu new lines, has %zu and %zu; %s",
	      current(d)->hunk_n, hunk_name(d), h->old_n, h->new_n, h->old_got, h->new_got, then);
}

/* The input ended within the hunk. Few missing lines that can only be context, behind context, are
 * what is left when something strips the end of a text. */
static void ended_early(struct cursor *c, const struct tg_diff_hunk *h)
{
	struct tg_diff *d = c->d;
	size_t old_left = h->old_n - h->old_got, new_left = h->new_n - h->new_got;

	if (d->fault == TG_DIFF_SOUND) {
		d->missing = old_left == new_left ? old_left : 0;
		d->may_be_stripped = d->missing > 0 && h->trailing > 0 &&
				     h->trailing < h->old_got + h->new_got &&
				     h->trailing + d->missing <= 3;
	}
	count_fault(c, h, TG_DIFF_SHORT, "the text ends there");
}

/* Does the line end the hunk because a new header begins? */
static bool is_header_line(const struct tg_diff *d, size_t off)
{
	return starts(d, off, "diff --git ") || starts(d, off, "@@ -") || starts(d, off, "Index: ");
}

/* Take one line of a hunk's body; false when it does not belong. */
static bool take_line(struct cursor *c, struct tg_diff_hunk *h, struct tg_diff_file *f)
{
	struct tg_diff *d = c->d;
	size_t n = line_len(d, c->off);
	char sign = d->p[c->off];
	bool old_left = h->old_got < h->old_n, new_left = h->new_got < h->new_n;

	if (sign == '\\' && n >= 12 && starts(d, c->off, "\\ ")) {
		advance(c);
		return true;
	}
	if ((sign == ' ' || sign == '\n') && old_left && new_left) {
		h->old_got++;
		h->new_got++;
		h->trailing++;
	} else if (sign == '-' && old_left) {
		h->old_got++;
		h->trailing = 0;
		f->deleted++;
	} else if (sign == '+' && new_left) {
		h->new_got++;
		h->trailing = 0;
		f->added++;
	} else {
		return false;
	}
	if (d->p[c->off + n - 1] != '\n')
		d->no_final_newline = true;
	advance(c);
	return true;
}

static void bad_line(struct cursor *c, const struct tg_diff_hunk *h)
{
	struct tg_diff *d = c->d;
	size_t n = line_len(d, c->off);
	char sign = d->p[c->off], *shown;

	if (is_header_line(d, c->off)) {
		count_fault(c, h, TG_DIFF_COUNT, "the next header follows");
		return;
	}
	if (sign == ' ' || sign == '\n' || sign == '+' || sign == '-') {
		count_fault(c, h, TG_DIFF_COUNT, "the line there is one too many of its kind");
		return;
	}
	if (n > 0 && d->p[c->off + n - 1] == '\n')
		n--;
	shown = tg_text_line(d->p + c->off, n, 60);
	fault(d, TG_DIFF_BAD_LINE, c->line,
	      "hunk %zu of %s promises %zu old and %zu new lines, has %zu and %zu, then \"%s\", "
	      "which is "
	      "neither context nor change",
	      current(d)->hunk_n, hunk_name(d), h->old_n, h->new_n, h->old_got, h->new_got, shown);
	free(shown);
}

/* Lines that look like a diff's directly behind a hunk that is complete by its counts. */
static bool more_follows(const struct tg_diff *d, size_t off)
{
	if (off >= d->n || !strchr(" +-", d->p[off]))
		return false;
	return !starts(d, off, "-- \n") && !starts(d, off, "--- ") && !starts(d, off, "-- \r");
}

static void end_hunk(struct cursor *c, struct tg_diff_hunk *h, struct tg_diff_file *f)
{
	struct tg_diff *d = c->d;

	h->len = c->off - h->off;
	if (h->broken)
		return;
	if (h->trailing == h->old_got && h->trailing == h->new_got)
		fault(d, TG_DIFF_NO_CHANGE, h->line, "hunk %zu of %s changes nothing", f->hunk_n,
		      hunk_name(d));
	else if (f->status == TG_DIFF_ADDED && h->old_n > 0)
		fault(d, TG_DIFF_BAD_STATUS, h->line,
		      "%s is a new file, but its hunk has old lines", hunk_name(d));
	else if (f->status == TG_DIFF_DELETED && h->new_n > 0)
		fault(d, TG_DIFF_BAD_STATUS, h->line, "%s is deleted, but its hunk has new lines",
		      hunk_name(d));
	if (more_follows(d, c->off))
		f->extra_after = true;
	/* git wants a line end on every line; patch adds it. */
	if (d->no_final_newline) {
		if (d->fault == TG_DIFF_SOUND)
			d->may_be_stripped = true;
		fault(d, TG_DIFF_NO_NEWLINE, c->line - 1,
		      "the last line of hunk %zu of %s has lost its line end", f->hunk_n,
		      hunk_name(d));
	}
}

/* The cursor stands on a readable @@ line; h has its numbers. */
static void parse_hunk(struct cursor *c, struct tg_diff_hunk head)
{
	struct tg_diff *d = c->d;
	struct tg_diff_file *f = current(d);
	struct tg_diff_hunk *h;

	TG_GROW(d->hunk, d->hunk_n, d->hunk_cap);
	if (f->hunk_n == 0)
		f->first_hunk = d->hunk_n;
	f->hunk_n++;
	h = &d->hunk[d->hunk_n++];
	*h = head;
	h->line = c->line;
	advance(c);
	h->off = c->off;
	while (h->old_got < h->old_n || h->new_got < h->new_n) {
		if (at_end(c)) {
			ended_early(c, h);
			h->broken = true;
			break;
		}
		if (!take_line(c, h, f)) {
			bad_line(c, h);
			h->broken = true;
			break;
		}
	}
	if (!h->broken && starts(d, c->off, "\\ ") && line_len(d, c->off) >= 12)
		advance(c);
	end_hunk(c, h, f);
}

static void orphan(struct cursor *c)
{
	struct tg_diff *d = c->d;
	struct tg_diff_file *f = current(d);

	if (f && f->extra_after)
		fault(
		    d, TG_DIFF_COUNT, c->line,
		    "hunk %zu of %s promises fewer lines than it has, so the next one stands loose",
		    f->hunk_n, hunk_name(d));
	else
		fault(d, TG_DIFF_ORPHAN_HUNK, c->line, "a hunk without a file header before it");
}

/* All hunks that follow directly. */
static void parse_hunks(struct cursor *c)
{
	struct tg_diff *d = c->d;

	while (!at_end(c) && starts(d, c->off, "@@ -")) {
		struct tg_diff_hunk h = {0};
		size_t n = line_len(d, c->off);

		if (!hunk_header(d->p + c->off, n, &h)) {
			bool cut = c->off + n >= d->n && d->p[d->n - 1] != '\n';

			fault(d, cut ? TG_DIFF_CUT_HEADER : TG_DIFF_BAD_HUNK, c->line,
			      cut ? "the text ends within the @@ line of %s"
				  : "the @@ line of %s cannot be read",
			      hunk_name(d));
			advance(c);
			return;
		}
		parse_hunk(c, h);
	}
}

/* ---- headers ---- */

static struct tg_diff_file *add_file(struct tg_diff *d, size_t line)
{
	struct tg_diff_file *f;

	TG_GROW(d->file, d->file_n, d->file_cap);
	f = &d->file[d->file_n++];
	*f = (struct tg_diff_file){.line = line};
	return f;
}

/* The known header line the cursor stands on; false when it is none. */
static bool take_header_line(struct cursor *c, struct tg_diff_file *f, struct tg_diff_header *h)
{
	if (!tg_diff_header_line(f, h, c->d->p + c->off, line_len(c->d, c->off)))
		return false;
	advance(c);
	return true;
}

/* "GIT binary patch": blocks of literal/delta data, each ended by a blank line. */
static void parse_binary(struct cursor *c, struct tg_diff_file *f)
{
	struct tg_diff *d = c->d;
	bool ended = false;

	f->binary = true;
	f->binary_data = true;
	advance(c);
	while (starts(d, c->off, "literal ") || starts(d, c->off, "delta ")) {
		ended = false;
		while (!at_end(c) && !ended) {
			ended = d->p[c->off] == '\n';
			advance(c);
		}
	}
	if (!ended)
		fault(d, at_end(c) ? TG_DIFF_CUT_HEADER : TG_DIFF_NO_DATA, c->line,
		      "the binary data of %s %s", hunk_name(d),
		      at_end(c) ? "ends early" : "is missing");
}

static bool has_metadata(const struct tg_diff_file *f, const struct tg_diff_header *h)
{
	return h->rename || h->copy || h->created || h->deleted || h->old_null || h->new_null ||
	       (f->old_mode && f->new_mode && f->old_mode != f->new_mode);
}

/* What stands behind a header: hunks, binary data, or nothing where that is allowed. */
static void parse_body(struct cursor *c, const struct tg_diff_header *h)
{
	struct tg_diff *d = c->d;
	struct tg_diff_file *f = current(d);
	const char *name = tg_diff_path(f);

	if (!*name)
		fault(d, TG_DIFF_BAD_NAME, f->line,
		      "no file name is left once the first component is "
		      "taken off (the harness applies with -p1)");
	if (starts(d, c->off, "@@ -")) {
		parse_hunks(c);
	} else if (starts(d, c->off, "GIT binary patch")) {
		parse_binary(c, f);
	} else if (starts(d, c->off, "Binary files ") || starts(d, c->off, "Files ")) {
		f->binary = true;
		fault(d, TG_DIFF_NO_DATA, c->line, "%s is binary, and its data is not in the diff",
		      name);
		advance(c);
	} else if (at_end(c) && (h->old_line || !has_metadata(f, h))) {
		fault(d, TG_DIFF_CUT_HEADER, c->line - 1, "the text ends within the header of %s",
		      name);
	} else if (!has_metadata(f, h)) {
		fault(d, TG_DIFF_NO_CONTENT, f->line, "the header of %s has nothing behind it",
		      name);
	}
}

/* On a "diff --git " line. */
static void parse_git(struct cursor *c)
{
	struct tg_diff *d = c->d;
	size_t n = line_len(d, c->off);
	char *name = tg_diff_git_name(d->p + c->off + 11, n - 11);
	struct tg_diff_file *f = add_file(d, c->line);
	struct tg_diff_header h = {0};
	size_t line = c->line;

	f->git = true;
	advance(c);
	while (!at_end(c) && take_header_line(c, f, &h) && !h.new_line)
		;
	if (!h.any && !at_end(c) && !starts(d, c->off, "GIT binary") &&
	    !starts(d, c->off, "Binary files ") && !starts(d, c->off, "@@ -")) {
		/* git passes over a lone "diff --git" line: prose that mentions one is no diff. */
		d->file_n--;
		free(name);
		return;
	}
	tg_diff_header_settle(f, &h, name);
	free(name);
	if (!h.any && at_end(c) && d->file_n == 1) {
		/* The only thing there is: not a diff that was cut, but a line that looks like one.
		 */
		free(f->old_path);
		free(f->new_path);
		d->file_n--;
		return;
	}
	if (!h.any && at_end(c))
		fault(d, TG_DIFF_CUT_HEADER, line, "the text ends within the header of %s",
		      tg_diff_path(f));
	else
		parse_body(c, &h);
}

/* On a "--- " line that a "+++ " line follows. */
static void parse_traditional(struct cursor *c)
{
	struct tg_diff_file *f = add_file(c->d, c->line);
	struct tg_diff_header h = {0};

	take_header_line(c, f, &h);
	if (!at_end(c))
		take_header_line(c, f, &h);
	tg_diff_header_settle(f, &h, NULL);
	parse_body(c, &h);
}

static bool is_traditional(const struct tg_diff *d, size_t off)
{
	size_t second, third;

	if (!starts(d, off, "--- "))
		return false;
	second = off + line_len(d, off);
	if (!starts(d, second, "+++ "))
		return false;
	third = second + line_len(d, second);
	return third >= d->n || starts(d, third, "@@ -");
}

static void finish(struct tg_diff *d, size_t lines)
{
	d->lines = lines;
	if (d->prose_lines == 0 && d->file_n > 0)
		d->prose_lines = d->file[0].line - 1;
	if (d->file_n == 0 && d->fault == TG_DIFF_SOUND)
		fault(d, TG_DIFF_NO_DIFF, 0, "nothing in it is a diff");
}

void tg_diff_parse(struct tg_diff *d, const char *p, size_t n)
{
	struct cursor c = {.d = d, .line = 1};
	struct tg_diff_hunk h;

	*d = (struct tg_diff){.p = p, .n = n};
	if (n > TG_DIFF_MAX_BYTES) {
		fault(d, TG_DIFF_TOO_LARGE, 0,
		      "%zu bytes: larger than the %zu MiB that are looked at", n,
		      TG_DIFF_MAX_BYTES >> 20);
		return;
	}
	while (!at_end(&c)) {
		if (starts(d, c.off, "diff --git ")) {
			parse_git(&c);
		} else if (is_traditional(d, c.off)) {
			parse_traditional(&c);
		} else if (starts(d, c.off, "@@ -") &&
			   hunk_header(p + c.off, line_len(d, c.off), &h)) {
			orphan(&c);
			if (current(d))
				parse_hunks(&c);
			else
				advance(&c);
		} else {
			advance(&c);
		}
	}
	finish(d, c.line - 1);
}

void tg_diff_fini(struct tg_diff *d)
{
	size_t i;

	for (i = 0; i < d->file_n; i++) {
		free(d->file[i].old_path);
		free(d->file[i].new_path);
	}
	free(d->file);
	free(d->hunk);
	free(d->fault_text);
	*d = (struct tg_diff){0};
}

const char *tg_diff_path(const struct tg_diff_file *f)
{
	return f->new_path ? f->new_path : f->old_path ? f->old_path : "";
}

const char *tg_diff_status_name(enum tg_diff_status s)
{
	static const char *const name[] = {"modified", "added", "deleted", "renamed", "added"};

	return name[s];
}

bool tg_diff_line_next(const struct tg_diff *d, const struct tg_diff_hunk *h,
		       struct tg_diff_line *it)
{
	while (it->next < h->len) {
		size_t off = h->off + it->next, n = line_len(d, off);
		char sign = d->p[off];

		it->line = it->line ? it->line + 1 : h->line + 1;
		it->next += n;
		if (sign == '\\')
			continue;
		it->sign = sign == '\n' ? ' ' : sign;
		it->off = sign == '\n' ? off : off + 1;
		it->len = n - (it->off - off) - (d->p[off + n - 1] == '\n' ? 1 : 0);
		it->no_newline = it->next < h->len && d->p[h->off + it->next] == '\\';
		return true;
	}
	return false;
}
