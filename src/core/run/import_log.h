#ifndef TG_IMPORT_LOG_H
#define TG_IMPORT_LOG_H
/*
 * What two logs tell that no file does: minisweagent.log, which instance is under way, and the
 * harness's run_instance.log, how far an evaluation is. Never how anything ended: logs hold the
 * model's text before any verdict. Formats: spec, mini-swe-agent-and-swebench.md 1.7 and 4.4.
 * Private to run/.
 */
#include <stddef.h>

struct cJSON;

/* {"round": n, "total": N | absent, "cancelled": bool, "live": name | null, "inst": [{"id",
 *   "container", "start_ms", "round", "up": bool, "over": bool, "error": text | null}]}
 * A round is one invocation ("Running on N instances"); over: saved or failed after that start.
 * "id" is in lower case where only the container's image names it. */
struct cJSON *tg_import_log(const char *p, size_t n);

/* {"phase": "pulling | creating | applying | testing | grading | cleanup", "failed": text | null,
 *   "over": bool} */
struct cJSON *tg_import_eval_log(const char *p, size_t n);

/* Which instance an evaluation image is for, or NULL; the caller frees. */
char *tg_image_instance(const char *image);

#endif
