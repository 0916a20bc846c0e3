#ifndef TG_SECURITY_INPUTS_H
#define TG_SECURITY_INPUTS_H
/* What both stages of this folder read: the frozen policy, and the results of earlier stages. */
#include "core/govern/policy.h"
#include "core/run/stage.h"

/* The policy that was frozen at launch. *policy NULL and true: the run has none (--policy none). */
bool tg_security_policy(const struct tg_stage_ctx *ctx, struct tg_policy **policy,
			struct tg_err *err);
/* result.json of an earlier stage; NULL when it left none. Free with tg_json_free. */
struct cJSON *tg_security_result(const struct tg_stage_ctx *ctx, enum tg_stage stage);
/* The files below work/ of an earlier stage; caller frees; NULL when it left none. */
char *tg_security_work(const struct tg_stage_ctx *ctx, enum tg_stage stage);

#endif
