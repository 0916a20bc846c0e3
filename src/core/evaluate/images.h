#ifndef TG_IMAGES_H
#define TG_IMAGES_H
/* Container images through the docker or podman command line, for `tgmon prepull` and `clean`. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/lib/buf.h"
#include "core/lib/err.h"

struct tg_dataset;

struct tg_image {
	char *name;
	int64_t bytes; /* as the tool counts it, shared layers included; -1: not here */
};

struct tg_images {
	struct tg_image *v;
	size_t n;
};

/* The images of the chosen rows, each once, in the rows' order; bytes are not asked yet. */
void tg_images_of(struct tg_images *out, const struct tg_dataset *ds, const size_t *pick, size_t n);
void tg_images_fini(struct tg_images *images);
int64_t tg_image_bytes(const char *docker, const char *name); /* -1: not here */
bool tg_image_remove(const char *docker, const char *name, struct tg_err *err);

enum tg_pull_end { TG_PULL_OK, TG_PULL_LIMITED, TG_PULL_ABSENT, TG_PULL_FAILED };

/* One pull under way: a process of its own, its output kept in memory. */
struct tg_pull {
	pid_t pid; /* 0: none */
	int pidfd, out;
};
bool tg_pull_start(struct tg_pull *p, const char *docker, const char *name, struct tg_err *err);
/* False: still under way. *why becomes one safe line (caller frees) unless it went well. */
bool tg_pull_ended(struct tg_pull *p, enum tg_pull_end *end, char **why);
/* What a registry's words mean: a limit (wait), an image that is not there (give up), else a
 * failure (try again). */
enum tg_pull_end tg_pull_meaning(const char *said);
/* "N pulls at your limit take at least Z h": a limit of `limit` pulls in six hours lets the first
 * `limit` go at once, and so many more after each six hours. */
int64_t tg_pull_hours(size_t pulls, int64_t limit);

/* Where images are kept, when that is visible from here, and what is free there; -1: unknown. */
int64_t tg_images_free(const char *docker);

#endif
