/* The spellings. One table a word list, indexed by the enum; NULL stands for the NONE member. */
#include "core/run/words.h"

#include <stddef.h>
#include <string.h>

static const char *const state_names[TG_ST_COUNT] = {
	[TG_ST_QUEUED] = "queued",
	[TG_ST_STARTING] = "starting",
	[TG_ST_RUNNING] = "running",
	[TG_ST_STOPPING] = "stopping",
	[TG_ST_ORPHAN] = "orphan",
	[TG_ST_EXTRACT] = "extract",
	[TG_ST_TRIAGE] = "triage",
	[TG_ST_SCAN] = "scan",
	[TG_ST_EVALUATE] = "evaluate",
	[TG_ST_GOVERN] = "govern",
	[TG_ST_DONE] = "done",
	[TG_ST_CANCELLED] = "cancelled",
};

static const char *const outcome_names[TG_OUT_COUNT] = {
	[TG_OUT_DONE] = "done",
	[TG_OUT_EMPTY] = "empty",
	[TG_OUT_LIMIT] = "limit",
	[TG_OUT_TIMEOUT] = "timeout",
	[TG_OUT_CRASH] = "crash",
	[TG_OUT_INFRA] = "infra",
	[TG_OUT_MODEL_API] = "model_api",
	[TG_OUT_BUG] = "bug",
	[TG_OUT_CANCELLED] = "cancelled",
};

static const char *const patch_class_names[TG_PC_COUNT] = {
	[TG_PC_OK] = "ok",
	[TG_PC_EMPTY] = "empty",
	[TG_PC_INFRA] = "infra",
	[TG_PC_PROSE] = "prose",
	[TG_PC_TRUNCATED] = "truncated",
	[TG_PC_CORRUPT] = "corrupt",
	[TG_PC_WHITESPACE_DAMAGED] = "whitespace-damaged",
	[TG_PC_DOES_NOT_APPLY] = "does-not-apply",
	[TG_PC_APPLIES_WITH_FUZZ] = "applies-with-fuzz",
	[TG_PC_WRONG_BASE] = "wrong-base",
};

static const char *const eval_status_names[TG_EV_COUNT] = {
	[TG_EV_RESOLVED] = "RESOLVED",
	[TG_EV_UNRESOLVED] = "UNRESOLVED",
	[TG_EV_PATCH_APPLY_FAILED] = "PATCH_APPLY_FAILED",
	[TG_EV_EMPTY_PATCH] = "EMPTY_PATCH",
	[TG_EV_TIMEOUT] = "TIMEOUT",
	[TG_EV_INFRA] = "INFRA",
	[TG_EV_NOT_RUN] = "NOT_RUN",
};

static const char *const scan_status_names[TG_SC_COUNT] = {
	[TG_SC_OK] = "ok",
	[TG_SC_PARTIAL] = "partial",
	[TG_SC_SKIPPED] = "skipped",
	[TG_SC_FAILED] = "failed",
};

static const char *const decision_names[TG_DEC_COUNT] = {
	[TG_DEC_OK] = "OK",
	[TG_DEC_ABSTAIN] = "ABSTAIN",
	[TG_DEC_VETO] = "VETO",
};

static const char *const evidence_level_names[TG_EL_COUNT] = {
	[TG_EL_IMPORTED] = "imported",
	[TG_EL_BOUND] = "bound",
};

static const char *const stage_names[TG_STAGE_COUNT] = {
	[TG_STAGE_AGENT] = "agent",
	[TG_STAGE_EXTRACT] = "extract",
	[TG_STAGE_TRIAGE] = "triage",
	[TG_STAGE_SCAN] = "scan",
	[TG_STAGE_EVALUATE] = "evaluate",
	[TG_STAGE_RISK] = "risk",
	[TG_STAGE_GOVERN] = "govern",
	[TG_STAGE_COLLECT] = "collect",
	[TG_STAGE_GATE] = "gate",
	[TG_STAGE_AUDIT] = "audit",
	[TG_STAGE_MANIFEST] = "manifest",
	[TG_STAGE_BUNDLE] = "bundle",
	[TG_STAGE_VERIFY] = "verify",
};

static const char *name_of(const char *const *names, int n, int v)
{
	return v >= 0 && v < n ? names[v] : NULL;
}

static int parse(const char *const *names, int n, const char *s, int otherwise)
{
	if (s == NULL)
		return otherwise;
	for (int i = 0; i < n; i++)
		if (names[i] != NULL && strcmp(names[i], s) == 0)
			return i;
	return otherwise;
}

const char *tg_state_name(enum tg_state v)
{
	return name_of(state_names, TG_ST_COUNT, (int)v);
}

const char *tg_outcome_name(enum tg_outcome v)
{
	return name_of(outcome_names, TG_OUT_COUNT, (int)v);
}

const char *tg_patch_class_name(enum tg_patch_class v)
{
	return name_of(patch_class_names, TG_PC_COUNT, (int)v);
}

const char *tg_eval_status_name(enum tg_eval_status v)
{
	return name_of(eval_status_names, TG_EV_COUNT, (int)v);
}

const char *tg_scan_status_name(enum tg_scan_status v)
{
	return name_of(scan_status_names, TG_SC_COUNT, (int)v);
}

const char *tg_decision_name(enum tg_decision v)
{
	return name_of(decision_names, TG_DEC_COUNT, (int)v);
}

const char *tg_evidence_level_name(enum tg_evidence_level v)
{
	return name_of(evidence_level_names, TG_EL_COUNT, (int)v);
}

const char *tg_stage_name(enum tg_stage v)
{
	return name_of(stage_names, TG_STAGE_COUNT, (int)v);
}

enum tg_state tg_state_parse(const char *s)
{
	return (enum tg_state)parse(state_names, TG_ST_COUNT, s, TG_ST_COUNT);
}

enum tg_outcome tg_outcome_parse(const char *s)
{
	return (enum tg_outcome)parse(outcome_names, TG_OUT_COUNT, s, TG_OUT_NONE);
}

enum tg_patch_class tg_patch_class_parse(const char *s)
{
	return (enum tg_patch_class)parse(patch_class_names, TG_PC_COUNT, s, TG_PC_NONE);
}

enum tg_eval_status tg_eval_status_parse(const char *s)
{
	return (enum tg_eval_status)parse(eval_status_names, TG_EV_COUNT, s, TG_EV_NONE);
}

enum tg_scan_status tg_scan_status_parse(const char *s)
{
	return (enum tg_scan_status)parse(scan_status_names, TG_SC_COUNT, s, TG_SC_NONE);
}

enum tg_decision tg_decision_parse(const char *s)
{
	return (enum tg_decision)parse(decision_names, TG_DEC_COUNT, s, TG_DEC_NONE);
}

enum tg_evidence_level tg_evidence_level_parse(const char *s)
{
	return (enum tg_evidence_level)parse(evidence_level_names, TG_EL_COUNT, s, TG_EL_NONE);
}

enum tg_stage tg_stage_parse(const char *s)
{
	return (enum tg_stage)parse(stage_names, TG_STAGE_COUNT, s, TG_STAGE_COUNT);
}

bool tg_patch_usable(enum tg_patch_class c)
{
	return c == TG_PC_OK || c == TG_PC_APPLIES_WITH_FUZZ;
}

bool tg_outcome_is_own(enum tg_outcome o)
{
	return o == TG_OUT_DONE || o == TG_OUT_EMPTY || o == TG_OUT_LIMIT || o == TG_OUT_TIMEOUT;
}
