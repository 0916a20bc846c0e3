#ifndef TG_TEST_RUN_COMMON_H
#define TG_TEST_RUN_COMMON_H
/* What the tests of core/run share: a run folder, records for the fold. */
#include "unit/cm.h"

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/journal.h"
#include "core/run/model.h"

/* A folder with an empty .tgmon. */
static inline char *make_run(void)
{
	char *dir = cm_tmpdir(), *control = tg_path_join(dir, ".tgmon");

	assert_true(tg_mkdirs(control, 0700, NULL));
	free(control);
	return dir;
}

static inline void drop_run(char *dir)
{
	assert_true(tg_remove_tree(dir, NULL));
	free(dir);
}

static inline struct cJSON *json(const char *text)
{
	struct tg_err err = { 0 };
	struct cJSON *v = tg_json_parse(text, strlen(text), "test", NULL, &err);

	if (v == NULL)
		fail_msg("%s in %s", err.msg, text);
	return v;
}

/* Fold one record given as JSON; seq and time are counted up. */
static inline void fold(struct tg_run *run, const char *ev, const char *text)
{
	struct cJSON *body = json(text);
	struct tg_record rec = { .seq = run->seq + 1, .wall_ms = run->last_ms + 1000, .ev = ev,
				 .body = body };

	snprintf(rec.sha256, sizeof rec.sha256, "%064llu", (unsigned long long)rec.seq);
	assert_true(tg_run_apply(run, &rec, NULL));
	tg_json_free(body);
}

#endif
