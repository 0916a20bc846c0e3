/* The verify stage: the run and the bundle that was just built, as a stranger would see them. */
#include <stdlib.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/stage.h"
#include "core/run/publish.h"
#include "core/proof/fileset.h"
#include "core/proof/verify.h"

static bool look(const char *path, const char *name, struct cJSON *all, struct cJSON *failed,
		 struct tg_err *err)
{
	struct tg_verify v;
	bool ok = tg_proof_verify(path, NULL, &v, err);

	for (size_t i = 0; ok && i < v.n; i++)
		if (v.v[i].state == TG_CHECK_FAILED) {
			char *text = tg_asprintf("%s: %s", name, v.v[i].name);

			tg_json_push_str(failed, text);
			free(text);
		}
	if (ok)
		tg_json_set(all, name, tg_verify_json(&v));
	tg_verify_fini(&v);
	return ok;
}

bool tg_stage_verify(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	char *bundle = tg_published_path(ctx->run_dir, TG_BUNDLE_PATH);
	char *path = tg_path_join(ctx->work_dir, "verify.json");
	struct cJSON *all = tg_json_object(), *failed = tg_json_array();
	struct tg_buf text = TG_BUF_INIT;
	bool ok = look(ctx->run_dir, "run", all, failed, err) &&
		  (!tg_file_exists(bundle) /* withheld: `artifacts` says so */ ||
		   look(bundle, "bundle", all, failed, err));

	if (ok) {
		tg_json_print(all, TG_JSON_PY_INDENT2, &text);
		ok = tg_file_write(path, text.p, text.n, 0644, err);
	}
	tg_json_set_bool(sum, "ok", ok && tg_json_len(failed) == 0);
	tg_json_set(sum, "failed", failed);
	tg_json_free(all);
	tg_buf_fini(&text);
	free(bundle);
	free(path);
	return ok;
}
