/*
 * The containers of one attempt. The tool removes its own from a destructor only, so that every way of dying
 * but the natural one leaves them running for two hours (mini.h). 2.x carries a label of ours; for 1.x the
 * names stand in its log before they exist.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/agent/mini.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/proc.h"

#define ASK_MS 10000
#define REMOVE_MS 20000
#define SALVAGE_MS 10000
#define SALVAGE_MAX ((size_t)4 << 20)

void tg_mini_job_label(const char *job_dir, char out[64])
{
	char hex[TG_SHA256_HEX];

	tg_sha256_hex(job_dir, strlen(job_dir), hex);
	snprintf(out, 64, "tg.job=%.16s", hex);
}

/* minisweagent-<8 hex>: nothing else ever becomes an argument. */
static bool is_name(const char *p, size_t n)
{
	static const char prefix[] = "minisweagent-";

	if (n != sizeof prefix - 1 + 8 || memcmp(p, prefix, sizeof prefix - 1) != 0)
		return false;
	for (size_t i = sizeof prefix - 1; i < n; i++)
		if (!strchr("0123456789abcdef", p[i]))
			return false;
	return true;
}

void tg_mini_boxes_line(struct tg_mini_boxes *b, const char *line, size_t n)
{
	static const char starting[] = " - minisweagent.environment - DEBUG - Starting container with"
				       " command: ";
	static const char started[] = " - minisweagent.environment - INFO - Started container ";
	const char *at = memmem(line, n, starting, sizeof starting - 1), *end = line + n;

	if (memmem(line, n, started, sizeof started - 1))
		b->starting = false;
	if (!at || at - line > 40)
		return;
	at = memmem(at, (size_t)(end - at), " --name ", 8);
	if (!at || (size_t)(end - at) < 8 + 21 || !is_name(at + 8, 21))
		return;
	b->starting = true;
	for (size_t i = 0; i < b->n; i++)
		if (memcmp(b->name[i], at + 8, 21) == 0)
			return;
	if (b->n < TG_MINI_CONTAINERS)
		b->name[b->n++] = tg_strndup(at + 8, 21);
}

void tg_mini_boxes_fini(struct tg_mini_boxes *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->name[i]);
	b->n = 0;
}

static bool run(const char *const *argv, int64_t ms, size_t cap, struct tg_proc_result *r)
{
	return tg_proc_run(&(struct tg_spawn){ .argv = argv }, NULL, 0, ms, cap, r, NULL);
}

/* Ids that docker lists for a filter, one each line. False: it does not answer. */
static bool list(const struct tg_mini_boxes *b, const char *filter, bool all, struct tg_buf *out)
{
	const char *const argv[] = { b->docker, "ps", all ? "-aq" : "-q", "--no-trunc", "--filter",
				     filter, NULL };
	struct tg_proc_result r;
	bool ok = run(argv, ASK_MS, 1 << 16, &r) && r.code == 0;

	if (ok)
		tg_buf_add(out, tg_buf_cstr(&r.out), r.out.n);
	tg_proc_result_fini(&r);
	return ok;
}

static bool list_all(const struct tg_mini_boxes *b, bool all, struct tg_buf *out)
{
	bool ok = true;

	tg_buf_clear(out);
	if (b->label[0]) {
		char *filter = tg_asprintf("label=%s", b->label);

		ok = list(b, filter, all, out);
		free(filter);
	}
	for (size_t i = 0; ok && i < b->n; i++) {
		char *filter = tg_asprintf("name=^%s$", b->name[i]);

		ok = list(b, filter, all, out);
		free(filter);
	}
	return ok;
}

static bool is_id(const char *p, size_t n)
{
	if (n < 12 || n > 64)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr("0123456789abcdef", p[i]))
			return false;
	return true;
}

/* The first line that is an id. Caller frees; NULL: none. */
static char *first_id(const struct tg_buf *ids)
{
	for (const char *p = tg_buf_cstr(ids); *p;) {
		size_t n = strcspn(p, "\n");

		if (is_id(p, n))
			return tg_strndup(p, n);
		p += n + (p[n] == '\n');
	}
	return NULL;
}

/* ---- salvage ---- */

static bool diff(const struct tg_mini_boxes *b, const char *id, const char *cwd, const char *path)
{
	const char *const add[] = { b->docker, "exec", "-w", cwd, id, "git", "add", "-A", "-N", NULL };
	const char *const show[] = { b->docker, "exec",	  "-w",	      cwd,	  id, "git",
				     "--no-pager", "diff", "--no-color", "--no-ext-diff", NULL };
	int64_t until = tg_mono_ms() + SALVAGE_MS, left;
	struct tg_proc_result r;
	bool ok;

	/* files that are new would not show otherwise; the container is thrown away anyway */
	(void)!run(add, SALVAGE_MS / 2, 4096, &r);
	tg_proc_result_fini(&r);
	left = until - tg_mono_ms();
	if (left < 500)
		left = 500;
	ok = run(show, left, SALVAGE_MAX, &r) && r.code == 0 && !r.timed_out && r.out.n > 0;
	if (ok)
		ok = tg_file_write(path, r.out.p, r.out.n, 0644, NULL);
	tg_proc_result_fini(&r);
	return ok;
}

bool tg_mini_salvage(const struct tg_mini_boxes *b, const char *cwd, const char *work)
{
	char *path = tg_path_join(work, "salvaged.diff"), *id = NULL;
	struct tg_buf ids = TG_BUF_INIT;
	bool ok = false;

	if (b->docker && !tg_file_exists(path) && list_all(b, false, &ids) && (id = first_id(&ids)))
		ok = diff(b, id, cwd, path);
	tg_buf_fini(&ids);
	free(id);
	free(path);
	return ok;
}

/* ---- removing ---- */

static int remove_listed(const struct tg_mini_boxes *b, const struct tg_buf *ids)
{
	int n = 0;

	for (const char *p = tg_buf_cstr(ids); *p;) {
		size_t len = strcspn(p, "\n");

		if (is_id(p, len)) {
			char *id = tg_strndup(p, len);
			/* kill first: `rm -f` of some engines waits for a stop that never comes */
			const char *const kill_it[] = { b->docker, "kill", id, NULL };
			const char *const rm[] = { b->docker, "rm", "-f", "-v", id, NULL };
			struct tg_proc_result r;

			(void)!run(kill_it, REMOVE_MS, 4096, &r);
			tg_proc_result_fini(&r);
			(void)!run(rm, REMOVE_MS, 4096, &r);
			tg_proc_result_fini(&r);
			free(id);
			n++;
		}
		p += len + (p[len] == '\n');
	}
	return n;
}

/* One that was being started when its starter died may still appear: look again. */
int tg_mini_boxes_remove(const struct tg_mini_boxes *b)
{
	struct tg_buf ids = TG_BUF_INIT;
	int left = 0, quiet = 0, wanted = b->starting ? 4 : 1;

	if (!b->docker || (!b->label[0] && !b->n))
		return 0;
	for (int round = 0; round < 12 && quiet < wanted; round++) {
		if (!list_all(b, true, &ids)) {
			left = -1;
			break;
		}
		left = remove_listed(b, &ids);
		quiet = left ? 0 : quiet + 1;
		if (left || quiet < wanted)
			tg_sleep_ms(left ? 100 : 500);
	}
	tg_buf_fini(&ids);
	return left;
}
