#ifndef TG_PARSE_HEADER_H
#define TG_PARSE_HEADER_H
/* Private to the parser: one file's header, line by line. */
#include "core/patch/parse.h"

/* Which lines of a file's header have been seen. */
struct tg_diff_header {
	bool old_line, new_line, rename, copy, created, deleted, any;
	bool old_null, new_null;
};

/* Take one line (with its end); false when it is no header line. */
bool tg_diff_header_line(struct tg_diff_file *f, struct tg_diff_header *h, const char *p, size_t n);
/* Behind the last line: status, the names that are still missing (git_name, from the "diff --git"
 * line, may be NULL), path flags. */
void tg_diff_header_settle(struct tg_diff_file *f, const struct tg_diff_header *h,
			   const char *git_name);

#endif
