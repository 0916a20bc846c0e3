#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/publish.h"
#include "core/run/layout.h"

bool tg_publish_init(struct tg_publisher *p, const char *run_dir, bool careful,
		     const struct tg_log *log, struct tg_err *err)
{
	char *path = tg_layout_control(run_dir, "published.json");
	bool ok = true;

	*p = (struct tg_publisher){ .run_dir = run_dir, .careful = careful, .log = log };
	p->kept = tg_json_array();
	if (careful && tg_file_exists(path)) {
		p->ledger = tg_json_load(path, NULL, err);
		ok = p->ledger != NULL;
	} else if (careful)
		p->ledger = tg_json_object();
	free(path);
	return ok;
}

void tg_publish_fini(struct tg_publisher *p)
{
	tg_json_free(p->ledger);
	tg_json_free(p->kept);
	*p = (struct tg_publisher){ 0 };
}

static bool note_created(struct tg_publisher *p, const char *rel, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	char *path = tg_layout_control(p->run_dir, "published.json");
	bool ok;

	tg_json_set_bool(p->ledger, rel, true);
	tg_json_print(p->ledger, TG_JSON_PY_INDENT2_SORTED, &b);
	ok = tg_file_write(path, b.p, b.n, 0600, err);
	tg_buf_fini(&b);
	free(path);
	return ok;
}

static bool make_parent(const char *path, struct tg_err *err)
{
	char *dir = tg_path_dir(path);
	bool ok = tg_mkdirs(dir, 0755, err);

	free(dir);
	return ok;
}

/* Where may bytes with this digest go? NULL with *ok true: nothing to do, the file says the same. */
static char *place(struct tg_publisher *p, const char *rel, const char *sha256, bool *ok,
		   struct tg_err *err)
{
	char *path = tg_path_join(p->run_dir, rel), *derived = NULL, *in_derived;
	char have[TG_SHA256_HEX];

	*ok = true;
	if (tg_file_exists(path)) {
		*ok = tg_sha256_file(path, have, NULL, err);
		if (*ok && !strcmp(have, sha256))
			*ok = tg_publish_use_existing(p, rel, err);
		if (!*ok || !strcmp(have, sha256))
			goto nothing;
		if (p->careful && !tg_json_bool(p->ledger, rel, false)) {
			in_derived = tg_asprintf("derived/%s", rel);
			derived = tg_layout_control(p->run_dir, in_derived);
			tg_log(p->log, TG_LOG_WARN, "%s is there and says something else; it stays, ours is %s",
			       path, derived);
			tg_json_push_str(p->kept, rel);
			free(in_derived);
			free(path);
			path = derived;
		}
	} else if (p->careful && !tg_json_bool(p->ledger, rel, false))
		*ok = note_created(p, rel, err);
	if (*ok && (*ok = make_parent(path, err)))
		return path;
nothing:
	free(path);
	return NULL;
}

bool tg_publish_use_existing(const struct tg_publisher *p, const char *rel, struct tg_err *err)
{
	char *inner = tg_asprintf("derived/%s", rel), *path = tg_layout_control(p->run_dir, inner);
	bool ok = unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR ||
		  tg_fail_sys(err, errno, "cannot remove %s", path);

	free(inner);
	free(path);
	return ok;
}

bool tg_publish_bytes(struct tg_publisher *p, const char *rel, const void *data, size_t n,
		      struct tg_err *err)
{
	char hex[TG_SHA256_HEX], *path;
	bool ok, changed = false;

	tg_sha256_hex(data, n, hex);
	path = place(p, rel, hex, &ok, err);
	if (path)
		ok = tg_file_write_if_changed(path, data, n, 0644, &changed, err);
	p->written += changed;
	free(path);
	return ok;
}

bool tg_publish_copy(struct tg_publisher *p, const char *rel, const char *src, struct tg_err *err)
{
	char hex[TG_SHA256_HEX], *path;
	bool ok;

	if (!tg_sha256_file(src, hex, NULL, err))
		return false;
	path = place(p, rel, hex, &ok, err);
	if (path) {
		ok = tg_file_copy(src, path, 0644, err);
		p->written += ok;
	}
	free(path);
	return ok;
}

char *tg_published_path(const char *run_dir, const char *rel)
{
	char *inner = tg_asprintf("derived/%s", rel), *path = tg_layout_control(run_dir, inner);

	free(inner);
	if (!tg_file_exists(path)) {
		free(path);
		path = tg_path_join(run_dir, rel);
	}
	return path;
}
