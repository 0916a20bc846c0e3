#include "core/security/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/file.h"
#include "core/lib/json.h"

#define MAX_RESULT (4u << 20)

bool tg_security_policy(const struct tg_stage_ctx *ctx, struct tg_policy **policy,
			struct tg_err *err)
{
	const struct tg_digest_ref *ref = &ctx->spec->policy;
	char *path;

	*policy = NULL;
	if (!ref->sha256)
		return true;
	path = ref->frozen ? tg_path_join(ctx->run_dir, ref->frozen) : tg_strdup(ref->path);
	*policy = tg_policy_load(path, err);
	free(path);
	if (*policy && strcmp((*policy)->sha256, ref->sha256)) {
		tg_fail(err, TG_E_INPUT, "the policy of this run has changed: it was %s and is %s",
			ref->sha256, (*policy)->sha256);
		tg_policy_free(*policy);
		*policy = NULL;
		return false;
	}
	return *policy != NULL;
}

struct cJSON *tg_security_result(const struct tg_stage_ctx *ctx, enum tg_stage stage)
{
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *result = NULL;

	if (ctx->input[stage] &&
	    tg_file_read_beneath(ctx->input[stage], "result.json", MAX_RESULT, &b, NULL))
		result = tg_json_parse(tg_buf_cstr(&b), b.n, "result.json", NULL, NULL);
	tg_buf_fini(&b);
	return result;
}

char *tg_security_work(const struct tg_stage_ctx *ctx, enum tg_stage stage)
{
	return ctx->input[stage] ? tg_path_join(ctx->input[stage], "work") : NULL;
}
