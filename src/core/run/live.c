/*
 * Live observation: the trajectory that the agent rewrites after every step, parsed only as far as
 * a table row needs. core/agent reads trajectories properly; run does not know it (the arrows).
 */
#include "core/run/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/lib/buf.h"
#include "core/lib/clock.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/layout.h"
#include "core/run/traj_light.h"

#define MOST (64u << 20)
#define DOING_MOST (sizeof ((struct tg_live *)0)->doing - 1)

/* Into doing and base, as one safe line. */
static void set_doing(struct tg_live *live, int64_t step, const char *text)
{
	struct tg_buf b = TG_BUF_INIT;
	char *line;

	if (step >= 0)
		tg_buf_addf(&b, "step %lld", (long long)step);
	if (text != NULL && text[0] != '\0')
		tg_buf_addf(&b, "%s%s", step >= 0 ? ": " : "", text);
	line = tg_text_line(tg_buf_cstr(&b), b.n, DOING_MOST);
	snprintf(live->base, sizeof live->base, "%s", line);
	memcpy(live->doing, live->base, sizeof live->doing);
	free(line);
	tg_buf_fini(&b);
}

/* What the agent waits for is not in its trajectory: it stands before what the trajectory says. */
static void set_notice(struct tg_live *live, const struct cJSON *root)
{
	const char *notice = tg_json_str(root, "notice");
	char *line;

	live->rate_limited = tg_json_bool(root, "rate_limited", false);
	if (notice == NULL || notice[0] == '\0') {
		memcpy(live->doing, live->base, sizeof live->doing);
		return;
	}
	line = tg_text_line(notice, strlen(notice), DOING_MOST);
	snprintf(live->doing, sizeof live->doing, "%s", line);
	free(line);
}

static bool take_trajectory(struct tg_live *live, const struct cJSON *root)
{
	struct tg_traj_light t;

	if (!tg_traj_light(root, &t))
		return false;
	live->steps = t.steps >= 0 ? t.steps : t.answers;
	live->cost_usd = t.cost_usd;
	set_doing(live, live->steps, t.command);
	free(t.command);
	return true;
}

static bool take_progress(struct tg_live *live, const struct cJSON *root)
{
	if (tg_json_kind(root) != TG_JSON_OBJECT)
		return false;
	live->steps = tg_json_int(root, "steps", -1);
	live->cost_usd = tg_json_num(root, "cost_usd", -1);
	set_doing(live, live->steps, tg_json_str(root, "doing"));
	set_notice(live, root);
	return true;
}

static bool read_fd(int fd, int64_t size, struct tg_buf *b)
{
	tg_buf_clear(b);
	tg_buf_reserve(b, (size_t)size + 1);
	while (b->n < (size_t)size) {
		ssize_t r = pread(fd, b->p + b->n, (size_t)size - b->n, (off_t)b->n);

		if (r <= 0)
			break;
		b->n += (size_t)r;
	}
	return b->n == (size_t)size && size > 0;
}

typedef bool take_fn(struct tg_live *live, const struct cJSON *root);

static bool parse_fd(struct tg_live *live, int fd, int64_t size, take_fn *take)
{
	const struct tg_json_limits limits = { .max_bytes = MOST, .dup_keys_ok = true };
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *root = NULL;
	bool ok;

	if (read_fd(fd, size, &b))
		root = tg_json_parse(b.p, b.n, "live", &limits, NULL);
	ok = root != NULL && take(live, root);
	tg_json_free(root);
	tg_buf_fini(&b);
	return ok;
}

/* False when the file is not there. Agents may rewrite it in place: what does not parse is opened
 * once more a moment later before it is called unreadable. */
static bool refresh_from(struct tg_live *live, const char *dir, const char *rel, take_fn *take)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		char *path = tg_path_join(dir, rel);
		bool there = tg_file_exists(path);
		int fd = there ? tg_open_beneath(dir, rel, NULL) : -1;
		struct stat st;
		int64_t mtime_ns;
		bool ok = false;

		free(path);
		if (!there)
			return false;
		if (fd < 0 || fstat(fd, &st) != 0 || st.st_size > (off_t)MOST) {
			if (fd >= 0)
				close(fd);
			live->unreadable = true;
			return true;
		}
		mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		if (live->ino == (uint64_t)st.st_ino && live->size == st.st_size &&
		    live->mtime_ns == mtime_ns) {
			close(fd);
			return true;
		}
		if (attempt > 0 || st.st_size > 0)
			ok = parse_fd(live, fd, st.st_size, take);
		close(fd);
		if (ok || attempt > 0) {
			live->ino = (uint64_t)st.st_ino;
			live->size = st.st_size;
			live->mtime_ns = mtime_ns;
			live->unreadable = !ok;
			live->known = live->known || ok;
			if (mtime_ns / 1000000 > live->activity_ms)
				live->activity_ms = mtime_ns / 1000000;
			return true;
		}
		tg_sleep_ms(15);
	}
	return true;
}

/* Beside a trajectory, progress.json is read for its notice only. It is small and replaced by rename. */
static void refresh_notice(struct tg_live *live, const char *dir)
{
	struct tg_buf b = TG_BUF_INIT;
	char *path = tg_path_join(dir, "work/progress.json");
	int64_t ms = tg_file_mtime_ms(path);
	struct cJSON *root = NULL;

	free(path);
	if (ms == 0)
		return;
	if (tg_file_read_beneath(dir, "work/progress.json", 1 << 16, &b, NULL))
		root = tg_json_parse(b.p, b.n, "progress.json", NULL, NULL);
	if (root != NULL)
		set_notice(live, root);
	if (root != NULL && ms > live->notice_ms) {
		live->notice_ms = ms;
		if (ms > live->activity_ms)
			live->activity_ms = ms;
	}
	tg_json_free(root);
	tg_buf_fini(&b);
}

/* The agent's other files say that it lives, if not what it does. */
static void refresh_stamps(struct tg_live *live, const char *dir)
{
	static const char *const names[] = { "out.log", "work/agent.log", "work", "pid.json" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *path = tg_path_join(dir, names[i]);
		int64_t ms = tg_file_mtime_ms(path);

		free(path);
		if (ms > live->activity_ms)
			live->activity_ms = ms;
	}
	live->known = live->known || live->activity_ms > 0;
}

void tg_live_refresh(struct tg_live *live, const char *attempt_dir, const char *iid)
{
	char *final = NULL;

	if (!live->known && live->ino == 0) {
		live->steps = -1;
		live->cost_usd = -1;
	}
	if (tg_instance_id_valid(iid))
		final = tg_asprintf("work/%s.traj.json", iid);
	if (refresh_from(live, attempt_dir, "work/live.traj.json", take_trajectory))
		refresh_notice(live, attempt_dir);
	else if (!refresh_from(live, attempt_dir, "work/progress.json", take_progress) && final != NULL)
		refresh_from(live, attempt_dir, final, take_trajectory);
	free(final);
	refresh_stamps(live, attempt_dir);
}
