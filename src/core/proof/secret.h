#ifndef TG_SECRET_H
#define TG_SECRET_H
/*
 * What must not leave: keys whose value we know (environment, .env file) in any encoding, and the
 * shapes of keys that we do not know. The scan streams: a file is looked at in windows, a JSON file
 * string by string (decoded, so that an escape hides nothing). A hit names rule, file and place,
 * never the value. Rules and what they decide: docs/verify.md.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/buf.h"
#include "core/lib/err.h"

/* How sure a rule is. GENERIC ones rest on a name and on chance alone: in a line of a diff, where
 * models invent passwords, they are told and keep nothing back. */
enum tg_secret_sure { TG_SECRET_KNOWN, TG_SECRET_SHAPE, TG_SECRET_GENERIC };

struct tg_secret_hit {
	size_t at, n; /* in the bytes that were scanned */
	const char *rule;
	enum tg_secret_sure sure;
};

struct tg_secret_hits {
	struct tg_secret_hit *v;
	size_t n, cap;
};

struct tg_secrets; /* the known values, in all forms */

enum { TG_SECRET_LONGEST = 16384, TG_SECRET_BEHIND = 256 };

struct tg_secrets *tg_secrets_new(void);
void tg_secrets_free(struct tg_secrets *s);
/* A value (shorter than 8 bytes: ignored, it would be found everywhere), with its encodings. */
void tg_secrets_add(struct tg_secrets *s, const char *value, size_t n);
/* Values of variables whose name says so, and of NAME=VALUE files (absent is fine). */
void tg_secrets_add_environment(struct tg_secrets *s, char *const *env);
bool tg_secrets_add_file(struct tg_secrets *s, const char *path, struct tg_err *err);
/* Names in env that tg_secrets_add_environment would take (NULL-terminated; the caller frees names
 * and list): a stage gets no other part of the runner's environment. NULL: none. */
char **tg_secret_env_names(char *const *env);

/* Does a name (of a JSON member, a variable, a setting) say that its value is secret? */
bool tg_secret_name(const char *name, size_t n);
/* Hits that begin in p[from..cut), sorted, not overlapping, appended. Bytes before `from` are
 * context, bytes up to n may belong to a hit. */
void tg_secret_find(const struct tg_secrets *s, const char *p, size_t n, size_t from, size_t cut,
		    struct tg_secret_hits *out);
/* Is p[at] in a line that a diff adds, removes or shows? */
bool tg_secret_in_diff(const char *p, size_t at);

/* ---- a file ----------------------------------------------------------------------------------- */

struct tg_secret_place { /* one finding */
	const char *file, *where; /* path in the bundle; JSON path, or "line N" */
	const char *rule;
	size_t n;     /* bytes of the value */
	bool model;   /* in a diff or a patch: the model's own text */
	enum tg_secret_sure sure;
};

struct tg_secret_sink {
	void (*found)(void *user, const struct tg_secret_place *place);
	void *user;
	/* NULL: only look. Else what stands in the value's place is appended to out. */
	void (*replace)(void *user, const char *rule, const char *value, size_t n,
			struct tg_buf *out);
	bool (*write)(void *user, const void *p, size_t n, struct tg_err *err);
};

/* Scan a file. With `replace` the file goes to `write` with its secrets replaced, byte for byte the
 * same elsewhere; generic hits in the model's own text stay. */
bool tg_secret_scan(const struct tg_secrets *s, const char *source, const char *path,
		    const struct tg_secret_sink *sink, struct tg_err *err);

#endif
