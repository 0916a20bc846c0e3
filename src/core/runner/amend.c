#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/text.h"
#include "core/lib/yaml.h"
#include "core/runner/inbox.h"

#define CONFIG_MAX (256 << 10)
#define DIFF_MAX (8 << 10)

/* ---- the difference ------------------------------------------------------------------------- */

static size_t line_len(const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);

	return nl ? (size_t)(nl - p) + 1 : n;
}

static size_t common_head(const char *a, size_t an, const char *b, size_t bn)
{
	size_t at = 0;

	while (at < an && at < bn) {
		size_t la = line_len(a + at, an - at), lb = line_len(b + at, bn - at);

		if (la != lb || memcmp(a + at, b + at, la) != 0)
			break;
		at += la;
	}
	return at;
}

static size_t common_tail(const char *a, size_t an, const char *b, size_t bn)
{
	size_t n = 0, cut = 0;

	while (n < an && n < bn && a[an - 1 - n] == b[bn - 1 - n]) {
		n++;
		/* only whole lines: the byte before must end one (or there is none) */
		if ((n == an || a[an - 1 - n] == '\n') && (n == bn || b[bn - 1 - n] == '\n'))
			cut = n;
	}
	return cut;
}

static bool looks_secret(const char *p, size_t n)
{
	static const char *const words[] = { "key", "token", "secret", "passw",
					     "auth", "credential" };

	for (size_t w = 0; w < sizeof words / sizeof *words; w++)
		for (size_t i = 0, len = strlen(words[w]); i + len <= n; i++)
			if (strncasecmp(p + i, words[w], len) == 0)
				return true;
	return false;
}

static void add_lines(struct tg_buf *out, char sign, const char *p, size_t n)
{
	while (n) {
		size_t len = line_len(p, n), show = p[len - 1] == '\n' ? len - 1 : len;
		const char *colon = memchr(p, ':', show);

		if (out->n > DIFF_MAX) {
			tg_buf_addc(out, sign);
			tg_buf_adds(out, "...\n");
			return;
		}
		tg_buf_addc(out, sign);
		if (looks_secret(p, show)) {
			tg_text_safe(out, p, colon ? (size_t)(colon - p) + 1 : 0, TG_TEXT_KEEP_TAB);
			tg_buf_adds(out, " [hidden]");
		} else {
			tg_text_safe(out, p, show > 400 ? 400 : show, TG_TEXT_KEEP_TAB);
		}
		tg_buf_addc(out, '\n');
		p += len;
		n -= len;
	}
}

void tg_amend_diff(const char *was, size_t was_n, const char *is, size_t is_n, struct tg_buf *out)
{
	size_t head = common_head(was, was_n, is, is_n);
	size_t tail = common_tail(was + head, was_n - head, is + head, is_n - head);

	add_lines(out, '-', was + head, was_n - head - tail);
	add_lines(out, '+', is + head, is_n - head - tail);
}

/* ---- the frozen copy ------------------------------------------------------------------------ */

/* A name from outside becomes part of a path of ours: only letters, digits, ". _ -" stay. */
static char *safe_base(const char *path)
{
	const char *base = tg_path_base(path);
	char *name = tg_strndup(base, strnlen(base, 64));

	for (char *p = name; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *p))
			*p = '_';
	return name;
}

static char *free_name(const char *dir, const char *path)
{
	char *base = safe_base(path), *rel = NULL, *full;
	bool taken = true;

	for (int n = 2; taken; n++) { /* 1 is the one of the launch */
		free(rel);
		rel = tg_asprintf("config/%d-%s", n, base);
		full = tg_path_join(dir, rel);
		taken = tg_file_exists(full);
		free(full);
	}
	free(base);
	return rel;
}

static void read_old(const char *run_dir, const struct tg_spec *spec, struct tg_buf *was)
{
	char *path = spec->config.frozen ? tg_path_join(run_dir, spec->config.frozen)
					 : tg_strdup(spec->config.path);

	if (path)
		tg_file_read(path, CONFIG_MAX, was, NULL);
	free(path);
}

static bool freeze(const char *run_dir, const char *rel, const struct tg_buf *is,
		   struct tg_err *err)
{
	char *full = tg_path_join(run_dir, rel), *folder = tg_path_dir(full);
	bool ok = tg_mkdirs(folder, 0755, err) && tg_file_write(full, is->p, is->n, 0600, err);

	free(full);
	free(folder);
	return ok;
}

static bool is_yaml(const char *path, const struct tg_buf *is, struct tg_err *err)
{
	struct tg_yaml_node *root = tg_yaml_parse(is->p, is->n, path, TG_YAML_ALIASES, err);

	tg_yaml_free(root);
	return root != NULL;
}

struct cJSON *tg_amend_prepare(const char *run_dir, const struct tg_spec *spec, const char *path,
			       struct tg_err *err)
{
	struct tg_buf was = TG_BUF_INIT, is = TG_BUF_INIT, diff = TG_BUF_INIT;
	struct cJSON *o = NULL;
	char sha[65], *rel = NULL;

	if (path[0] != '/') {
		tg_fail(err, TG_E_INPUT, "the path of the config must be absolute");
		goto out;
	}
	if (!tg_file_read(path, CONFIG_MAX, &is, err) || !is_yaml(path, &is, err))
		goto out;
	tg_sha256_hex(is.p, is.n, sha);
	if (tg_streq(sha, spec->config.sha256)) {
		o = tg_json_object();
		goto out;
	}
	read_old(run_dir, spec, &was);
	tg_amend_diff(tg_buf_cstr(&was), was.n, tg_buf_cstr(&is), is.n, &diff);
	rel = free_name(run_dir, path);
	if (!freeze(run_dir, rel, &is, err))
		goto out;
	o = tg_json_object();
	tg_json_set_str(o, "what", "config");
	tg_json_set_str(o, "old_sha256", spec->config.sha256);
	tg_json_set_str(o, "new_sha256", sha);
	tg_json_set_str(o, "path", path);
	tg_json_set_str(o, "frozen", rel);
	tg_json_set_str(o, "diff", tg_buf_cstr(&diff));
out:
	free(rel);
	tg_buf_fini(&was);
	tg_buf_fini(&is);
	tg_buf_fini(&diff);
	return o;
}
