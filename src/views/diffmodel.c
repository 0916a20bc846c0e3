#include "views/diffmodel.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tg_dline *add_line(struct tg_diffmodel *m, enum tg_diff_line kind, const char *p,
				 size_t n)
{
	TG_GROW(m->line, m->line_n, m->line_cap);
	while (n && (p[n - 1] == '\n'))
		n--;
	m->line[m->line_n] = (struct tg_dline){ .kind = kind, .text = { p, n },
						.file = (int)m->file_n - 1 };
	return &m->line[m->line_n++];
}

/* A line whose text libgit2 owns: it is copied to `extra` and found by its place there until all
 * are made, since the buffer moves as it grows. */
static struct tg_dline *copy_line(struct tg_diffmodel *m, enum tg_diff_line kind, const char *p,
				  size_t n)
{
	struct tg_dline *l = add_line(m, kind, "", 0);
	const char *nl = n ? memchr(p, '\n', n) : NULL;
	l->at = m->extra.n;
	l->text.n = nl ? (size_t)(nl - p) : n;
	tg_buf_add(&m->extra, p, l->text.n);
	return l;
}

static void make_raw(struct tg_diffmodel *m)
{
	const char *p = tg_buf_cstr(&m->bytes), *end = p + m->bytes.n;
	m->raw = true;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);
		struct tg_dline *l = add_line(m, TG_DL_RAW, p, n);
		l->new_no = (int)m->line_n;
		p += n + (nl != NULL);
	}
}

/* libgit2 copies the content of hunks; it dies with the diff, so texts go into extra. */
static void add_hunk(struct tg_diffmodel *m, git_patch *patch, size_t h)
{
	const git_diff_hunk *hunk;
	size_t n = 0;
	if (git_patch_get_hunk(&hunk, &n, patch, h) < 0)
		return;
	copy_line(m, TG_DL_HUNK, hunk->header, hunk->header_len);
	for (size_t i = 0; i < n; i++) {
		const git_diff_line *l;
		enum tg_diff_line kind;
		if (git_patch_get_line_in_hunk(&l, patch, h, i) < 0)
			continue;
		switch (l->origin) {
		case GIT_DIFF_LINE_ADDITION:
			kind = TG_DL_ADD;
			m->file[m->file_n - 1].added++;
			break;
		case GIT_DIFF_LINE_DELETION:
			kind = TG_DL_DEL;
			m->file[m->file_n - 1].deleted++;
			break;
		case GIT_DIFF_LINE_CONTEXT: kind = TG_DL_CONTEXT; break;
		default: kind = TG_DL_NOTE; break;
		}
		static const char no_newline[] = "no newline at the end of the file";
		struct tg_dline *out = kind == TG_DL_NOTE
			? copy_line(m, kind, no_newline, sizeof no_newline - 1)
			: copy_line(m, kind, l->content, l->content_len);
		out->old_no = l->old_lineno > 0 ? l->old_lineno : 0;
		out->new_no = l->new_lineno > 0 ? l->new_lineno : 0;
	}
}

static char status_letter(const git_diff_delta *d)
{
	/* A patch carries no modes of its own for a plain change; libgit2 calls new files ADDED by
	 * /dev/null. */
	return d->status == GIT_DELTA_UNMODIFIED ? 'M' : git_diff_status_char(d->status);
}

static void add_file(struct tg_diffmodel *m, git_diff *diff, size_t i)
{
	const git_diff_delta *d = git_diff_get_delta(diff, i);
	git_patch *patch = NULL;
	char note[4200];
	const char *path = d->status == GIT_DELTA_DELETED ? d->old_file.path : d->new_file.path;
	path = path ? path : "(no name)";
	TG_GROW(m->file, m->file_n, m->file_cap);
	m->file[m->file_n++] = (struct tg_dfile){
		.status = status_letter(d), .first_line = m->line_n,
		.binary = (d->flags & GIT_DIFF_FLAG_BINARY) != 0,
	};
	const struct tg_dline *head = copy_line(m, TG_DL_FILE, path, strlen(path));
	m->file[m->file_n - 1].at = head->at;
	m->file[m->file_n - 1].path.n = head->text.n;
	if (d->status == GIT_DELTA_RENAMED && d->old_file.path) {
		snprintf(note, sizeof note, "renamed from %s", d->old_file.path);
		copy_line(m, TG_DL_NOTE, note, strlen(note));
	}
	if (m->file[m->file_n - 1].binary)
		copy_line(m, TG_DL_NOTE, "binary", 6);
	if (git_patch_from_diff(&patch, diff, i) < 0 || !patch) {
		snprintf(note, sizeof note, "this file's changes cannot be shown");
		copy_line(m, TG_DL_NOTE, note, strlen(note));
		return;
	}
	for (size_t h = 0; h < git_patch_num_hunks(patch); h++)
		add_hunk(m, patch, h);
	git_patch_free(patch);
}

/* Places become pointers, now that the text does not move any more. */
static void settle_texts(struct tg_diffmodel *m)
{
	const char *base = tg_buf_cstr(&m->extra);
	for (size_t i = 0; i < m->line_n; i++)
		m->line[i].text.p = base + m->line[i].at;
	for (size_t i = 0; i < m->file_n; i++) {
		m->file[i].path.p = base + m->file[i].at;
		m->added += m->file[i].added;
		m->deleted += m->file[i].deleted;
	}
}

static bool make_parsed(struct tg_diffmodel *m)
{
	git_diff *diff = NULL;
	if (git_diff_from_buffer(&diff, tg_buf_cstr(&m->bytes), m->bytes.n) < 0) {
		const git_error *e = git_error_last();
		snprintf(m->refused, sizeof m->refused, "%s",
			 e && e->message ? e->message : "not a diff");
		return false;
	}
	size_t n = git_diff_num_deltas(diff);
	for (size_t i = 0; i < n; i++)
		add_file(m, diff, i);
	settle_texts(m);
	git_diff_free(diff);
	return true;
}

void tg_diffmodel_make(struct tg_diffmodel *m, struct tg_buf *bytes, bool raw)
{
	*m = (struct tg_diffmodel){ .bytes = *bytes };
	*bytes = (struct tg_buf)TG_BUF_INIT;
	if (m->bytes.n == 0)
		return;
	git_libgit2_init();
	if (raw || !make_parsed(m))
		make_raw(m);
	git_libgit2_shutdown();
}

void tg_diffmodel_fini(struct tg_diffmodel *m)
{
	free(m->line);
	free(m->file);
	tg_buf_fini(&m->bytes);
	tg_buf_fini(&m->extra);
	*m = (struct tg_diffmodel){ 0 };
}
