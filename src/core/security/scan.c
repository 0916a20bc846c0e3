#include "core/security/scan.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/file.h"
#include "core/lib/json.h"

struct cJSON *tg_finding_json(const struct tg_finding *f, const char *path, const char *severity)
{
	struct cJSON *o = tg_json_object();

	tg_json_set_str(o, "file", path);
	tg_json_set_int(o, "line", f->line);
	tg_json_set_int(o, "column", f->col);
	tg_json_set_int(o, "end_line", f->end_line);
	tg_json_set_int(o, "end_column", f->end_col);
	tg_json_set_str(o, "code", f->rule->code);
	tg_json_set_str(o, "severity", severity ? severity : f->rule->severity);
	tg_json_set_str(o, "cwe", f->rule->cwe);
	tg_json_set_str(o, "scope", f->scope);
	tg_json_set_str(o, "snippet", f->snippet);
	tg_json_set_str(o, "message", f->rule->message);
	return o;
}

/* The codes of the reference's pack, or those of our own rules. */
static struct cJSON *code_list(const struct tg_findings *f, bool extra)
{
	static const char *const all[] = { "ALL", NULL };
	struct cJSON *list = tg_json_array();
	const char **own = tg_findings_codes(f, NULL), **old = tg_findings_codes(f, all);

	for (const char **c = extra ? own : old, **o; *c; c++) {
		for (o = old; extra && *o && strcmp(*o, *c) != 0; o++)
			;
		if (!extra || !*o)
			tg_json_push_str(list, *c);
	}
	free(own);
	free(old);
	return list;
}

struct cJSON *tg_scan_source(const struct tg_rules *rules, const char *path, const char *p,
			     size_t n)
{
	struct cJSON *o = tg_json_object(), *list = tg_json_array();
	struct tg_findings f;

	tg_rules_scan(rules, p, n, &f);
	for (size_t i = 0; i < f.n; i++)
		tg_json_push(list, tg_finding_json(&f.v[i], path, NULL));
	tg_json_set_str(o, "path", path);
	tg_json_set_bool(o, "parsed", f.status == TG_PY_OK);
	if (f.status != TG_PY_OK)
		tg_json_set_str(o, "reason", f.why);
	tg_json_set(o, "codes", code_list(&f, false));
	tg_json_set(o, "extra_codes", code_list(&f, true));
	tg_json_set(o, "findings", list);
	tg_findings_fini(&f);
	return o;
}

struct cJSON *tg_scan_file(const struct tg_rules *rules, const char *path, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	struct cJSON *o = NULL;

	if (tg_file_read(path, 0, &b, err))
		o = tg_scan_source(rules, path, tg_buf_cstr(&b), b.n);
	tg_buf_fini(&b);
	return o;
}
