#include "core/proof/redact.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/proof/secret.h"
#include "core/run/layout.h"

extern char **environ;

enum { SALT = 32, SHOWN = 500, MARK = 16 };

struct sweep {
	struct tg_secrets *known;
	unsigned char salt[SALT];
	bool redact;
	struct tg_sweep *out;
	struct cJSON *findings;
	size_t blocked, replaced, reported;
	/* of the file under way */
	size_t file_blocked;
	bool bound; /* cannot be redacted */
	struct cJSON *rules;
	int fd;
};

/* ---- what is known ---------------------------------------------------------------------------- */

static bool add_env_file(struct tg_secrets *s, const char *base, const char *rest,
			 struct tg_err *err)
{
	char *path = base ? tg_path_join(base, rest) : NULL;
	bool ok = !path || tg_secrets_add_file(s, path, err);

	free(path);
	return ok;
}

static struct tg_secrets *known_values(struct tg_err *err)
{
	struct tg_secrets *s = tg_secrets_new();

	tg_secrets_add_environment(s, environ);
	if (add_env_file(s, getenv("HOME"), ".config/mini-swe-agent/.env", err) &&
	    add_env_file(s, getenv("XDG_CONFIG_HOME"), "mini-swe-agent/.env", err) &&
	    add_env_file(s, getenv("MSWEA_GLOBAL_CONFIG_DIR"), ".env", err))
		return s;
	tg_secrets_free(s);
	return NULL;
}

/* Made once, so that the same run gives the same copies again. */
static bool load_salt(const char *run_dir, unsigned char salt[SALT], struct tg_err *err)
{
	char *path = tg_layout_control(run_dir, "redact.salt");
	struct tg_buf b = TG_BUF_INIT;
	bool ok = true;

	if (tg_file_exists(path)) {
		ok = tg_file_read(path, 4096, &b, err);
		if (ok && b.n != SALT)
			ok = tg_fail(err, TG_E_IO, "%s is not what it was", path);
		if (ok)
			memcpy(salt, b.p, SALT);
	} else if (RAND_bytes(salt, SALT) != 1)
		ok = tg_fail(err, TG_E_MACHINE, "no random numbers");
	else
		ok = tg_file_write(path, salt, SALT, 0600, err);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

/* ---- one file --------------------------------------------------------------------------------- */

static void found(void *user, const struct tg_secret_place *at)
{
	struct sweep *w = user;
	bool stays = at->sure == TG_SECRET_GENERIC && at->model;
	const char *what = stays ? "reported" : w->redact && !w->bound ? "redacted" : "withheld";
	struct cJSON *o;
	char *where;

	w->file_blocked += !stays;
	w->reported += stays;
	w->blocked += !stays && (!w->redact || w->bound);
	w->replaced += !stays && w->redact && !w->bound;
	if (tg_json_len(w->findings) >= SHOWN)
		return;
	o = tg_json_object();
	where = tg_text_line(at->where, strlen(at->where), 300);
	tg_json_set_str(o, "file", at->file);
	tg_json_set_str(o, "where", where);
	tg_json_set_str(o, "rule", at->rule);
	tg_json_set_int(o, "bytes", (int64_t)at->n);
	tg_json_set_str(o, "action", what);
	tg_json_push(w->findings, o);
	free(where);
}

static void ignore(void *user, const struct tg_secret_place *at)
{
	(void)user;
	(void)at;
}

static void replace(void *user, const char *rule, const char *value, size_t n, struct tg_buf *out)
{
	struct sweep *w = user;
	struct tg_sha256 *h = tg_sha256_new();
	char hex[TG_SHA256_HEX];

	tg_sha256_update(h, w->salt, SALT);
	tg_sha256_update(h, value, n);
	tg_sha256_final(h, hex);
	tg_buf_addf(out, "[REDACTED:%s:%zu:%.*s]", rule, n, MARK, hex);
	tg_json_set_int(w->rules, rule, tg_json_int(w->rules, rule, 0) + 1);
}

static bool write_out(void *user, const void *p, size_t n, struct tg_err *err)
{
	const struct sweep *w = user;

	return tg_write_all(w->fd, p, n, err);
}

static char *copy_path(const char *run_dir, const char *path)
{
	char *dir = tg_layout_control(run_dir, "redacted"), *to = tg_path_join(dir, path);

	free(dir);
	return to;
}

static void note(struct sweep *w, const struct tg_file *f, const char *original)
{
	for (const struct cJSON *c = tg_json_first(w->rules); c; c = tg_json_next(c)) {
		struct cJSON *o = tg_json_object();

		tg_json_set_str(o, "path", f->path);
		tg_json_set_str(o, "rule", tg_json_key(c));
		tg_json_set_int(o, "count", tg_json_int(w->rules, tg_json_key(c), 0));
		tg_json_set_str(o, "original_sha256", original);
		tg_json_push(w->out->redactions, o);
	}
}

static bool write_copy(struct sweep *w, struct tg_file *f, const char *run_dir, struct tg_err *err)
{
	const struct tg_secret_sink sink = {ignore, w, replace, write_out};
	char *to = copy_path(run_dir, f->path), *dir = tg_path_dir(to), original[TG_SHA256_HEX];
	bool ok = tg_mkdirs(dir, 0700, err) && tg_sha256_file(f->source, original, NULL, err);

	w->rules = tg_json_object();
	if (ok) {
		w->fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		ok = w->fd >= 0 || tg_fail_sys(err, 0, "cannot create %s", to);
	}
	if (ok) {
		ok = tg_secret_scan(w->known, f->source, f->path, &sink, err) &&
		     (fsync(w->fd) == 0 || tg_fail_sys(err, 0, "cannot write %s", to));
		close(w->fd);
	}
	if (ok) {
		note(w, f, original);
		free(f->source);
		f->source = to;
		to = NULL;
	}
	tg_json_free(w->rules);
	free(to);
	free(dir);
	return ok;
}

/* Others name these by digest, and would no longer be true. */
static bool is_bound(const char *path)
{
	return !strcmp(path, TG_JOURNAL_PATH) || !strcmp(path, TG_RUNJSON_PATH) ||
	       !strcmp(path, "ci_gate.txt") || !strcmp(path, TG_REGISTERED_PATH) ||
	       tg_starts_with(path, "policy/");
}

static bool sweep_file(struct sweep *w, struct tg_file *f, const char *run_dir, struct tg_err *err)
{
	const struct tg_secret_sink look = {.found = found, .user = w};
	struct tg_secret_hits hits = {NULL, 0, 0};

	w->file_blocked = 0;
	w->bound = is_bound(f->path);
	tg_secret_find(w->known, f->path, strlen(f->path), 0, strlen(f->path), &hits);
	if (hits.n) { /* the name itself must not be told */
		struct tg_secret_place at = {"(a file's name)", "",	  hits.v[0].rule,
					     hits.v[0].n,	false, TG_SECRET_KNOWN};

		w->bound = true;
		found(w, &at);
	}
	free(hits.v);
	if (!tg_secret_scan(w->known, f->source, f->path, &look, err))
		return false;
	return !w->file_blocked || !w->redact || w->bound || write_copy(w, f, run_dir, err);
}

bool tg_redact_sweep(struct tg_fileset *set, const char *run_dir, bool redact,
		     struct tg_sweep *out, struct tg_err *err)
{
	struct sweep w = {.redact = redact, .out = out, .findings = tg_json_array()};
	char *old = tg_layout_control(run_dir, "redacted");
	bool ok = tg_remove_tree(old, err) && load_salt(run_dir, w.salt, err);

	*out = (struct tg_sweep){.redactions = tg_json_array(), .report = tg_json_object()};
	w.known = ok ? known_values(err) : NULL;
	ok = ok && w.known;
	for (size_t i = 0; ok && i < set->n; i++)
		ok = sweep_file(&w, &set->v[i], run_dir, err);
	out->withheld = w.blocked > 0;
	tg_json_set_str(out->report, "schema", "tgmon.secrets.v1");
	tg_json_set_str(out->report, "bundle", w.blocked ? "withheld" : "built");
	tg_json_set_int(out->report, "files", (int64_t)set->n);
	tg_json_set_int(out->report, "withheld", (int64_t)w.blocked);
	tg_json_set_int(out->report, "redacted", (int64_t)w.replaced);
	tg_json_set_int(out->report, "reported", (int64_t)w.reported);
	tg_json_set(out->report, "findings", w.findings);
	tg_secrets_free(w.known);
	free(old);
	return ok;
}

void tg_sweep_fini(struct tg_sweep *s)
{
	tg_json_free(s->redactions);
	tg_json_free(s->report);
	*s = (struct tg_sweep){.withheld = false};
}

void tg_sweep_text(const struct tg_sweep *s, struct tg_buf *out)
{
	const struct cJSON *r = s->report, *c = tg_json_first(tg_json_get(r, "findings"));
	size_t n = tg_json_len(tg_json_get(r, "findings"));
	int64_t all = tg_json_int(r, "withheld", 0) + tg_json_int(r, "redacted", 0) +
		      tg_json_int(r, "reported", 0);

	tg_buf_addf(out, "Secrets in what would go into the bundle (values are never shown)\n\n");
	tg_buf_addf(out, "files looked at : %lld\n", (long long)tg_json_int(r, "files", 0));
	tg_buf_addf(out, "kept back       : %lld\n", (long long)tg_json_int(r, "withheld", 0));
	tg_buf_addf(out, "redacted        : %lld\n", (long long)tg_json_int(r, "redacted", 0));
	tg_buf_addf(out, "only reported   : %lld\n\n", (long long)tg_json_int(r, "reported", 0));
	for (; c; c = tg_json_next(c)) {
		char *line = tg_asprintf("%-9s %s: %s: %s (%lld bytes)", tg_json_str(c, "action"),
					 tg_json_str(c, "file"), tg_json_str(c, "where"),
					 tg_json_str(c, "rule"),
					 (long long)tg_json_int(c, "bytes", 0));

		tg_text_safe(out, line, strlen(line), 0);
		tg_buf_addc(out, '\n');
		free(line);
	}
	if (all > (int64_t)n)
		tg_buf_addf(out, "and %lld more\n", (long long)(all - (int64_t)n));
	if (s->withheld)
		tg_buf_adds(out, "\nThe bundle is withheld. Revoke these keys; then --redact puts "
				 "copies without them into it.\n");
}

/* ---- afterwards ------------------------------------------------------------------------------- */

void tg_redact_apply(struct tg_fileset *set, const char *run_dir, const struct cJSON *redactions)
{
	for (const struct cJSON *c = tg_json_first(redactions); c; c = tg_json_next(c)) {
		const char *path = tg_json_str(c, "path");
		struct tg_file *f = path && tg_path_is_safe_relative(path)
					? tg_fileset_find(set, path)
					: NULL;
		char *copy = f ? copy_path(run_dir, path) : NULL;

		if (copy && tg_file_exists(copy)) {
			free(f->source);
			f->source = copy;
		} else
			free(copy);
	}
}

const char *tg_redact_original(const struct cJSON *redactions, const char *path)
{
	for (const struct cJSON *c = tg_json_first(redactions); c; c = tg_json_next(c))
		if (tg_streq(tg_json_str(c, "path"), path))
			return tg_json_str(c, "original_sha256");
	return NULL;
}
