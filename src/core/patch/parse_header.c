/* The lines between "diff --git" (or the beginning) and the first hunk: names, modes, what
 * happened. */
#include "core/patch/parse_header.h"

#include <stdlib.h>
#include <string.h>

static void set_name(char **slot, char *name)
{
	if (name) {
		free(*slot);
		*slot = name;
	}
}

static unsigned mode_of(const char *p, size_t n)
{
	unsigned v = 0;
	size_t i;

	for (i = 0; i < n && i < 6 && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (unsigned)(p[i] - '0');
	return v;
}

enum header_word {
	H_OLD,
	H_NEW,
	H_OLD_MODE,
	H_NEW_MODE,
	H_DELETED,
	H_CREATED,
	H_COPY_FROM,
	H_COPY_TO,
	H_RENAME_FROM,
	H_RENAME_TO,
	H_INDEX,
	H_SKIP
};

static const struct {
	const char *word;
	enum header_word kind;
} header_words[] = {
	{"--- ", H_OLD},
	{"+++ ", H_NEW},
	{"old mode ", H_OLD_MODE},
	{"new mode ", H_NEW_MODE},
	{"deleted file mode ", H_DELETED},
	{"new file mode ", H_CREATED},
	{"copy from ", H_COPY_FROM},
	{"copy to ", H_COPY_TO},
	{"rename old ", H_RENAME_FROM},
	{"rename new ", H_RENAME_TO},
	{"rename from ", H_RENAME_FROM},
	{"rename to ", H_RENAME_TO},
	{"similarity index ", H_SKIP},
	{"dissimilarity index ", H_SKIP},
	{"index ", H_INDEX},
};

/* "index 1234..5678 100644" carries the mode of a file whose mode stays. */
static void index_mode(struct tg_diff_file *f, const char *p, size_t n)
{
	const char *blank = memchr(p, ' ', n);

	if (blank && !f->old_mode && !f->new_mode)
		f->old_mode = f->new_mode = mode_of(blank + 1, n - (size_t)(blank - p) - 1);
}

/* -p1 makes "/etc/x" a harmless "etc/x", but nobody writes that by chance. */
static bool is_absolute(const char *p, size_t n)
{
	static const char null[] = "/dev/null";

	if (n > 1 && *p == '"')
		return p[1] == '/';
	if (n >= sizeof null - 1 && memcmp(p, null, sizeof null - 1) == 0)
		return false;
	return n > 0 && *p == '/';
}

static void header_line(struct tg_diff_file *f, struct tg_diff_header *h, enum header_word kind,
			const char *p, size_t n)
{
	bool null = false;

	if ((kind == H_OLD || kind == H_NEW) && is_absolute(p, n))
		f->path_flags |= TG_PATH_ABSOLUTE;
	switch (kind) {
	case H_OLD:
		set_name(&f->old_path, tg_diff_name(p, n, 1, &null));
		h->old_line = true;
		h->old_null = null;
		break;
	case H_NEW:
		set_name(&f->new_path, tg_diff_name(p, n, 1, &null));
		h->new_line = true;
		h->new_null = null;
		break;
	case H_OLD_MODE:
		f->old_mode = mode_of(p, n);
		break;
	case H_NEW_MODE:
		f->new_mode = mode_of(p, n);
		break;
	case H_DELETED:
		f->old_mode = mode_of(p, n);
		h->deleted = true;
		break;
	case H_CREATED:
		f->new_mode = mode_of(p, n);
		h->created = true;
		break;
	case H_COPY_FROM:
	case H_RENAME_FROM:
		set_name(&f->old_path, tg_diff_name(p, n, 0, &null));
		*(kind == H_COPY_FROM ? &h->copy : &h->rename) = true;
		break;
	case H_COPY_TO:
	case H_RENAME_TO:
		set_name(&f->new_path, tg_diff_name(p, n, 0, &null));
		*(kind == H_COPY_TO ? &h->copy : &h->rename) = true;
		break;
	case H_INDEX:
		index_mode(f, p, n);
		break;
	case H_SKIP:
		break;
	}
}

bool tg_diff_header_line(struct tg_diff_file *f, struct tg_diff_header *h, const char *p, size_t n)
{
	size_t i, w;

	for (i = 0; i < sizeof header_words / sizeof *header_words; i++) {
		w = strlen(header_words[i].word);
		if (n < w || memcmp(p, header_words[i].word, w) != 0)
			continue;
		header_line(f, h, header_words[i].kind, p + w, n - w);
		h->any = true;
		return true;
	}
	return false;
}

void tg_diff_header_settle(struct tg_diff_file *f, const struct tg_diff_header *h,
			   const char *git_name)
{
	f->status = h->rename					  ? TG_DIFF_RENAMED
		    : h->copy					  ? TG_DIFF_COPIED
		    : h->created || (h->old_null && !h->new_null) ? TG_DIFF_ADDED
		    : h->deleted || h->new_null			  ? TG_DIFF_DELETED
								  : TG_DIFF_MODIFIED;
	if (git_name && !f->old_path && f->status != TG_DIFF_ADDED)
		f->old_path = tg_strdup(git_name);
	if (git_name && !f->new_path && f->status != TG_DIFF_DELETED)
		f->new_path = tg_strdup(git_name);
	if (f->status == TG_DIFF_ADDED && !f->new_path)
		set_name(&f->new_path, tg_strdup(f->old_path));
	if (f->status == TG_DIFF_ADDED) {
		free(f->old_path);
		f->old_path = NULL;
	} else if (f->status == TG_DIFF_DELETED) {
		free(f->new_path);
		f->new_path = NULL;
	}
	if (f->old_path)
		f->path_flags |= tg_diff_path_flags(f->old_path);
	if (f->new_path)
		f->path_flags |= tg_diff_path_flags(f->new_path);
	if ((f->old_mode & 0170000) == 0120000 || (f->new_mode & 0170000) == 0120000)
		f->path_flags |= TG_PATH_SYMLINK;
	if ((f->old_mode & 0170000) == 0160000 || (f->new_mode & 0170000) == 0160000)
		f->path_flags |= TG_PATH_SUBMODULE;
}
