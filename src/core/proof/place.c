#include "core/proof/place.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/load.h"

bool tg_place_init(struct tg_place *p, const struct tg_stage_ctx *ctx, struct tg_err *err)
{
	bool careful =
	    tg_streq(ctx->spec->agent, "foreign") && tg_streq(ctx->spec->source_dir, ctx->run_dir);
	struct tg_run run;
	bool ok;

	*p = (struct tg_place){.ctx = ctx};
	ok = tg_load_run(&run, ctx->run_dir, ctx->spec, err) &&
	     tg_publish_init(&p->pub, ctx->run_dir, careful, &ctx->log, err) &&
	     tg_fileset_collect(&p->set, ctx->run_dir, &run, err);
	tg_run_fini(&run);
	return ok;
}

void tg_place_fini(struct tg_place *p)
{
	tg_publish_fini(&p->pub);
	tg_fileset_fini(&p->set);
}

bool tg_place_is_ours(const struct tg_place *p, const char *rel)
{
	char *path = tg_published_path(p->ctx->run_dir, rel);
	char *plain = tg_path_join(p->ctx->run_dir, rel);
	bool ours =
	    !p->pub.careful || strcmp(path, plain) != 0 || tg_json_bool(p->pub.ledger, rel, false);

	free(path);
	free(plain);
	return ours;
}
