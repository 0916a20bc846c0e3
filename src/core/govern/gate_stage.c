/* The gate stage: RUN/ci_gate.txt from the governed rows as they lie in the run. */
#include <stdlib.h>
#include <string.h>

#include "core/govern/gate.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/run/load.h"
#include "core/run/stage.h"
#include "core/run/publish.h"

#define ROWS "recomputed_governed_v2_agentic.jsonl"

/* A counted attempt whose config is not that of another one: an amendment stands between them. */
static size_t counted_configs(const struct tg_run *run)
{
	const char **seen = tg_calloc(run->inst_n + 1, sizeof *seen);
	size_t i, k, n = 0;

	for (i = 0; i < run->inst_n; i++) {
		const struct tg_attempt *att = tg_instance_counted(&run->inst[i]);

		if (!att || !att->config_sha256)
			continue;
		for (k = 0; k < n && strcmp(seen[k], att->config_sha256) != 0; k++)
			;
		if (k == n)
			seen[n++] = att->config_sha256;
	}
	free(seen);
	return n;
}

char *tg_gate_config_note(const struct tg_run *run)
{
	size_t n = counted_configs(run);

	if (n < 2)
		return NULL;
	return tg_asprintf("the counted attempts used %zu configs (amended on the record)", n);
}

static bool write_gate(const struct tg_stage_ctx *ctx, const struct tg_gate *gate,
		       struct tg_err *err)
{
	bool careful =
	    tg_streq(ctx->spec->agent, "foreign") && tg_streq(ctx->spec->source_dir, ctx->run_dir);
	struct tg_publisher pub;
	bool ok = tg_publish_init(&pub, ctx->run_dir, careful, &ctx->log, err) &&
		  tg_publish_bytes(&pub, "ci_gate.txt", gate->text.p, gate->text.n, err);

	tg_publish_fini(&pub);
	return ok;
}

bool tg_stage_gate(const struct tg_stage_ctx *ctx, struct cJSON *sum, struct tg_err *err)
{
	char *path = tg_published_path(ctx->run_dir, ROWS), *note = NULL;
	const char *notes[2] = {NULL, NULL};
	struct tg_gate_in in = {.shown = ROWS,
				.notes = notes,
				.expected = (const char *const *)ctx->spec->expected,
				.expected_n = ctx->spec->expected_n};
	struct tg_buf rows = TG_BUF_INIT;
	struct tg_gate gate = {.pass = false};
	struct tg_run run;
	bool ok = tg_load_run(&run, ctx->run_dir, ctx->spec, err);

	if (ok)
		note = tg_gate_config_note(&run);
	tg_run_fini(&run);
	notes[0] = note;
	if (ok && tg_file_exists(path)) {
		ok = tg_file_read(path, 0, &rows, err);
		in.rows = tg_buf_cstr(&rows);
		in.n = rows.n;
	}
	if (ok) {
		tg_gate_judge(&in, &gate);
		ok = write_gate(ctx, &gate, err);
	}
	tg_json_set_bool(sum, "pass", ok && gate.pass);
	tg_json_set_int(sum, "ok", (int64_t)gate.ok);
	tg_json_set_int(sum, "abstain", (int64_t)gate.abstain);
	tg_json_set_int(sum, "veto", (int64_t)gate.veto);
	tg_json_set_int(sum, "total", (int64_t)gate.total);
	tg_json_set_int(sum, "problems", (int64_t)gate.problems);
	tg_gate_fini(&gate);
	tg_buf_fini(&rows);
	free(note);
	free(path);
	return ok;
}
