#ifndef TG_FILE_H
#define TG_FILE_H
/*
 * Files: reading with a cap, atomic durable writing, directories.
 *
 * Two worlds. Paths that we or the user chose are plain paths. Anything below a folder that an
 * agent could write into is opened with tg_open_beneath (openat2: no symlink, no magic link, stays
 * below, a regular file with one link), so that a planted link, FIFO or device is an error.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

/* Whole file into out (cleared first). cap 0: 1 GiB. Error when larger than cap. */
bool tg_file_read(const char *path, size_t cap, struct tg_buf *out, struct tg_err *err);
/* Open `rel` below directory `root` safely for reading; -1 on error. */
int tg_open_beneath(const char *root, const char *rel, struct tg_err *err);
bool tg_file_read_beneath(const char *root, const char *rel, size_t cap, struct tg_buf *out,
			  struct tg_err *err);
/* temporary file, write, fsync, rename, fsync of the directory. mode e.g. 0644. */
bool tg_file_write(const char *path, const void *p, size_t n, mode_t mode, struct tg_err *err);
/* The same, but leaves the file alone when it already holds these bytes. */
bool tg_file_write_if_changed(const char *path, const void *p, size_t n, mode_t mode, bool *changed,
			      struct tg_err *err);
/* Atomic durable copy, streamed; dst's parent must exist. */
bool tg_file_copy(const char *src, const char *dst, mode_t mode, struct tg_err *err);
bool tg_file_exists(const char *path); /* any kind of file */
bool tg_is_dir(const char *path);
int64_t tg_file_size(const char *path); /* -1 when absent */
int64_t tg_file_mtime_ms(const char *path); /* 0 when absent */
bool tg_mkdirs(const char *path, mode_t mode, struct tg_err *err); /* like mkdir -p */
/* Exclusive mkdir, then fsync of the parent: false (code TG_E_BUSY) when it exists. */
bool tg_mkdir_new(const char *path, mode_t mode, struct tg_err *err);
bool tg_fsync_dir(const char *path, struct tg_err *err);
bool tg_remove_tree(const char *path, struct tg_err *err); /* never follows links; absent is fine */
bool tg_write_all(int fd, const void *p, size_t n, struct tg_err *err);
/* Names in a directory, sorted by bytes, without . and ..; free with tg_names_free. */
struct tg_names {
	char **v;
	size_t n;
};
bool tg_dir_list(const char *path, struct tg_names *out, struct tg_err *err);
void tg_names_free(struct tg_names *names);
/* "a/b" from "a" and "b"; caller frees. */
char *tg_path_join(const char *a, const char *b);
char *tg_path_abs(const char *path); /* absolute, "." and ".." removed textually; caller frees */
const char *tg_path_base(const char *path);
char *tg_path_dir(const char *path); /* caller frees */
/* "", "." parts, "..", absolute, control characters, backslash: false. */
bool tg_path_is_safe_relative(const char *path);

#endif
