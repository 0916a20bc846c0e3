#include "core/govern/scan_view.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/lib/buf.h"
#include "core/lib/json.h"

#define SCOPE "postapply_fullfile_delta_v1"

/* "[tag] CODE@path: text": the code, and the tag when it is one of the four words. */
static char *code_of(const char *text, char tag[8])
{
	static const char *const tags[] = {"info", "low", "medium", "high"};
	const char *end;
	size_t i, n;

	tag[0] = '\0';
	text += strspn(text, " \t\r\n\v\f");
	for (i = 0; i < sizeof tags / sizeof *tags; i++) {
		n = strlen(tags[i]);
		if (text[0] == '[' && strncmp(text + 1, tags[i], n) == 0 && text[n + 1] == ']') {
			memcpy(tag, tags[i], n + 1);
			text += n + 2;
			text += strspn(text, " \t\r\n\v\f");
			break;
		}
	}
	end = text + strcspn(text, " \t\r\n\v\f@");
	return tg_strndup(text, (size_t)(end - text));
}

/* The policy beats the tag; without both it is high. */
static const char *severity_of(const struct tg_policy *policy, const char *code, const char *tag)
{
	const char *s = tg_policy_mapped(policy, code);

	if (s)
		return s;
	if (!*tag)
		return "high";
	return tg_streq(tag, "info")	 ? "info"
	       : tg_streq(tag, "low")	 ? "low"
	       : tg_streq(tag, "medium") ? "medium"
					 : "high";
}

static void push_structured(struct tg_scan_view *v, const char *code, const char *severity)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "code", code);
	tg_json_set_str(o, "severity", severity);
	tg_json_push(v->structured, o);
	tg_json_push_str(v->raw, code);
	if (!v->sad_level || tg_severity_rank(severity) > tg_severity_rank(v->sad_level))
		v->sad_level = severity;
}

static const char *known_severity(const char *text)
{
	static const char *const words[] = {"info", "low", "medium", "high"};
	size_t i;

	for (i = 0; text && i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0)
			return words[i];
	return "high";
}

static void push_string(struct tg_scan_view *v, const char *text, const struct tg_policy *policy)
{
	char tag[8], *code = code_of(text, tag);

	push_structured(v, code, severity_of(policy, code, tag));
	free(code);
}

static void push_item(struct tg_scan_view *v, const struct cJSON *item,
		      const struct tg_policy *policy)
{
	const char *text = tg_json_text(item), *code, *severity;

	if (text) {
		push_string(v, text, policy);
		return;
	}
	code = tg_json_str(item, "code");
	if (!code)
		code = "UNKNOWN"; /* an entry that names nothing still counts, and as high */
	severity = tg_json_str(item, "severity");
	push_structured(v, code,
			severity && *severity ? known_severity(severity)
					      : tg_policy_severity(policy, code));
}

static const struct cJSON *first_truthy(const struct cJSON *report, const char *a, const char *b)
{
	const struct cJSON *v = tg_json_get(report, a);

	if (!tg_json_truthy(v))
		v = tg_json_get(report, b);
	return tg_json_truthy(v) ? v : NULL;
}

/* Violations as strings; an entry that is none is kept by its code, never dropped. */
static void read_violations(struct tg_scan_view *v, const struct cJSON *list)
{
	const struct cJSON *c;

	if (tg_json_text(list)) {
		tg_json_push_str(v->violations, tg_json_text(list));
		return;
	}
	for (c = tg_json_first(list); c; c = tg_json_next(c)) {
		const char *text = tg_json_text(c);

		if (!text)
			text = tg_json_str(c, "code");
		tg_json_push_str(v->violations, text ? text : "UNKNOWN");
	}
}

static void count_one(struct tg_scan_view *v, const char *severity)
{
	if (tg_streq(severity, "high"))
		v->count.high++;
	else if (tg_streq(severity, "medium"))
		v->count.medium++;
	else
		v->count.other++;
}

/* The reference counts the strings by the policy. A report of our own has findings, whose severities
 * a path may have capped: there the structured list counts. */
static void count_severities(struct tg_scan_view *v, const struct cJSON *report,
			     const struct tg_policy *policy)
{
	const struct cJSON *c;

	if (tg_json_kind(tg_json_get(report, "findings")) == TG_JSON_ARRAY &&
	    tg_json_len(v->structured) == tg_json_len(v->violations)) {
		for (c = tg_json_first(v->structured); c; c = tg_json_next(c))
			count_one(v, tg_json_str(c, "severity"));
		return;
	}
	for (c = tg_json_first(v->violations); c; c = tg_json_next(c)) {
		char tag[8], *code = code_of(tg_json_text(c), tag);

		count_one(v, severity_of(policy, code, tag));
		free(code);
	}
}

/* A number, or the length of a list; -1 when it is neither. */
static int64_t amount(const struct cJSON *obj, const char *key)
{
	const struct cJSON *v = tg_json_get(obj, key);

	if (tg_json_kind(v) == TG_JSON_ARRAY)
		return (int64_t)tg_json_len(v);
	return tg_json_int(obj, key, -1);
}

static void read_coverage(struct tg_scan_view *v, const struct cJSON *report,
			  enum tg_scan_status status)
{
	const struct cJSON *cov = tg_json_get(report, "coverage");
	const char *word = tg_json_str(report, "scan_status");
	int64_t skipped = amount(cov, "skipped"), files = amount(cov, "files"),
		scanned = amount(cov, "scanned");

	if (status == TG_SC_NONE && word)
		status = tg_scan_status_parse(word);
	v->partial = status == TG_SC_PARTIAL || skipped > 0 || (scanned >= 0 && scanned < files) ||
		     !tg_json_bool(cov, "full", true);
	v->covered = tg_json_kind(cov) == TG_JSON_OBJECT && skipped == 0 && !v->partial;
	if (status == TG_SC_SKIPPED)
		v->skipped = true;
	if (status == TG_SC_FAILED)
		v->failed = true;
}

static void read_report(struct tg_scan_view *v, const struct cJSON *report,
			enum tg_scan_status status, const struct tg_policy *policy)
{
	const struct cJSON *list = first_truthy(report, "violations_structured",
						"new_violations_structured"),
			   *c;
	const char *scope = tg_json_str(report, "scan_scope"), *error;

	v->scope = tg_strdup(scope && *scope ? scope : SCOPE);
	read_violations(v, first_truthy(report, "new_violations", "violations"));
	if (list)
		for (c = tg_json_first(list); c; c = tg_json_next(c))
			push_item(v, c, policy);
	else
		for (c = tg_json_first(v->violations); c; c = tg_json_next(c))
			push_string(v, tg_json_text(c), policy);
	if (tg_json_len(v->violations) == 0) {
		tg_json_free(v->violations);
		v->violations = tg_json_dup(v->raw);
	}
	v->skipped = tg_json_truthy(tg_json_get(report, "skipped"));
	v->failed = tg_json_truthy(tg_json_get(report, "scan_failed")) ||
		    !tg_json_bool(report, "scan_ok", true);
	v->patch_sha256 = tg_json_str(report, "patch_sha256");
	read_coverage(v, report, status);
	error = tg_json_str(report, "scan_error");
	if (v->failed)
		v->error = tg_strdup(error && *error ? error : "security scan marked as failed");
}

void tg_scan_view_init(struct tg_scan_view *v, bool found, const struct cJSON *report,
		       const char *error, enum tg_scan_status status,
		       const struct tg_policy *policy)
{
	memset(v, 0, sizeof *v);
	v->violations = tg_json_array();
	v->raw = tg_json_array();
	v->structured = tg_json_array();
	if (!found) {
		v->scope = tg_strdup("missing_report");
		v->failed = true;
		v->error = tg_strdup("post-apply security report missing");
	} else if (tg_json_kind(report) != TG_JSON_OBJECT) {
		v->scope = tg_strdup(SCOPE);
		v->failed = true;
		v->error = tg_strdup(error ? error : "the security report is not an object");
	} else {
		read_report(v, report, status, policy);
	}
	count_severities(v, report, policy);
}

void tg_scan_view_fini(struct tg_scan_view *v)
{
	free(v->scope);
	free(v->error);
	tg_json_free(v->violations);
	tg_json_free(v->raw);
	tg_json_free(v->structured);
}
