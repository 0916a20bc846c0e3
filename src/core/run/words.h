#ifndef TG_WORDS_H
#define TG_WORDS_H
/*
 * The words of the field, one meaning each (docs/words.md), as enums with their spelling for JSON,
 * screens and manifest. *_name never returns NULL for a valid value except for the NONE member,
 * whose JSON form is null. *_parse returns the NONE member for an unknown word.
 */
#include <stdbool.h>

enum tg_state { /* where an instance is now */
	TG_ST_QUEUED, TG_ST_STARTING, TG_ST_RUNNING, TG_ST_STOPPING, TG_ST_ORPHAN, TG_ST_EXTRACT,
	TG_ST_TRIAGE, TG_ST_SCAN, TG_ST_EVALUATE, TG_ST_GOVERN, TG_ST_DONE, TG_ST_CANCELLED,
	TG_ST_COUNT
};
enum tg_outcome { /* how an agent attempt ended; NONE until then */
	TG_OUT_NONE, TG_OUT_DONE, TG_OUT_EMPTY, TG_OUT_LIMIT, TG_OUT_TIMEOUT, TG_OUT_CRASH,
	TG_OUT_INFRA, TG_OUT_MODEL_API, TG_OUT_BUG, TG_OUT_CANCELLED, TG_OUT_COUNT
};
enum tg_patch_class {
	TG_PC_NONE, TG_PC_OK, TG_PC_EMPTY, TG_PC_INFRA, TG_PC_PROSE, TG_PC_TRUNCATED, TG_PC_CORRUPT,
	TG_PC_WHITESPACE_DAMAGED, TG_PC_DOES_NOT_APPLY, TG_PC_APPLIES_WITH_FUZZ, TG_PC_WRONG_BASE,
	TG_PC_COUNT
};
enum tg_eval_status {
	TG_EV_NONE, TG_EV_RESOLVED, TG_EV_UNRESOLVED, TG_EV_PATCH_APPLY_FAILED, TG_EV_EMPTY_PATCH,
	TG_EV_TIMEOUT, TG_EV_INFRA, TG_EV_NOT_RUN, TG_EV_COUNT
};
enum tg_scan_status { TG_SC_NONE, TG_SC_OK, TG_SC_PARTIAL, TG_SC_SKIPPED, TG_SC_FAILED, TG_SC_COUNT };
enum tg_decision { TG_DEC_NONE, TG_DEC_OK, TG_DEC_ABSTAIN, TG_DEC_VETO, TG_DEC_COUNT };
enum tg_evidence_level { TG_EL_NONE, TG_EL_IMPORTED, TG_EL_BOUND, TG_EL_COUNT };

/* The pipeline's stages, in order (names are the journal's and the code's). */
enum tg_stage {
	TG_STAGE_AGENT, TG_STAGE_EXTRACT, TG_STAGE_TRIAGE, TG_STAGE_SCAN, TG_STAGE_EVALUATE,
	TG_STAGE_RISK, TG_STAGE_GOVERN,  /* per attempt, up to here */
	TG_STAGE_COLLECT, TG_STAGE_GATE, TG_STAGE_AUDIT, TG_STAGE_MANIFEST, TG_STAGE_BUNDLE,
	TG_STAGE_VERIFY,                 /* per run */
	TG_STAGE_COUNT
};
#define TG_STAGE_ATTEMPT_COUNT TG_STAGE_COLLECT

const char *tg_state_name(enum tg_state v);
const char *tg_outcome_name(enum tg_outcome v);
const char *tg_patch_class_name(enum tg_patch_class v);
const char *tg_eval_status_name(enum tg_eval_status v);
const char *tg_scan_status_name(enum tg_scan_status v);
const char *tg_decision_name(enum tg_decision v);
const char *tg_evidence_level_name(enum tg_evidence_level v);
const char *tg_stage_name(enum tg_stage v);
enum tg_state tg_state_parse(const char *s);              /* TG_ST_COUNT when unknown */
enum tg_outcome tg_outcome_parse(const char *s);
enum tg_patch_class tg_patch_class_parse(const char *s);
enum tg_eval_status tg_eval_status_parse(const char *s);
enum tg_scan_status tg_scan_status_parse(const char *s);
enum tg_decision tg_decision_parse(const char *s);
enum tg_evidence_level tg_evidence_level_parse(const char *s);
enum tg_stage tg_stage_parse(const char *s);              /* TG_STAGE_COUNT when unknown */

/* A patch that the evaluator can use: ok or applies-with-fuzz. What is not is rerunnable by one key. */
bool tg_patch_usable(enum tg_patch_class c);
/* Did the attempt end for a cause that is the model's own (decisions.md, "Evidence, reruns,
 * selection")? False: infra, model_api, crash, bug, cancelled. */
bool tg_outcome_is_own(enum tg_outcome o);

#endif
