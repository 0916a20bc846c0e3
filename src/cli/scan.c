/* tgmon scan: the rules over any Python files, one line each. */
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/security/rules.h"
#include "core/security/scan.h"

struct scan_opts {
	bool json;
};

static const struct tg_opt options[] = {
	{ "json", NULL, "one JSON object a file instead of a line a finding", TG_OPT_FLAG,
	  offsetof(struct scan_opts, json), 0 },
	{ 0 },
};

static void add_safe(struct tg_buf *b, const char *s)
{
	tg_text_safe(b, s ? s : "", s ? strlen(s) : 0, 0);
}

static void add_finding(struct tg_buf *b, const struct cJSON *f)
{
	add_safe(b, tg_json_str(f, "file"));
	tg_buf_addf(b, ":%lld:%lld: %s %s: ", (long long)tg_json_int(f, "line", 0),
		    (long long)tg_json_int(f, "column", 0), tg_json_str(f, "severity"),
		    tg_json_str(f, "code"));
	add_safe(b, tg_json_str(f, "snippet"));
	tg_buf_addc(b, '\n');
}

static void print_file(const struct cJSON *o, bool json)
{
	struct tg_buf b = TG_BUF_INIT;

	if (json) {
		tg_json_print(o, TG_JSON_COMPACT, &b);
		tg_buf_addc(&b, '\n');
	} else {
		const struct cJSON *list = tg_json_get(o, "findings");

		for (const struct cJSON *f = tg_json_first(list); f; f = tg_json_next(f))
			add_finding(&b, f);
		if (!tg_json_bool(o, "parsed", false)) {
			add_safe(&b, tg_json_str(o, "path"));
			tg_buf_adds(&b, ": not scanned: ");
			add_safe(&b, tg_json_str(o, "reason"));
			tg_buf_addc(&b, '\n');
		}
	}
	fwrite(tg_buf_cstr(&b), 1, b.n, stdout);
	tg_buf_fini(&b);
}

/* A file that cannot be read is said and does not stop the others; the exit code tells. */
static int scan(const void *given, const struct tg_args *args)
{
	const struct scan_opts *o = given;
	struct tg_err err = { 0 };
	struct tg_rules *rules = tg_rules_load(NULL, &err);
	int code = 0;

	if (!rules)
		return tg_cli_fail(&err);
	for (size_t i = 0; i < args->n; i++) {
		struct cJSON *file = tg_scan_file(rules, args->pos[i], &err);

		if (file)
			print_file(file, o->json);
		else
			code = tg_cli_fail(&err);
		tg_json_free(file);
	}
	tg_rules_free(rules);
	return code;
}

const struct tg_command tg_cmd_scan = {
	.name = "scan", .group = "triage", .args = "[--json] FILE...",
	.summary = "run the security rules over Python files",
	.opts = options, .opts_size = sizeof(struct scan_opts), .run = scan, .min_args = 1, .max_args = 64,
	.more = "A file that does not parse is said to be so, never clean. Exit code 0 whatever is found.",
};
