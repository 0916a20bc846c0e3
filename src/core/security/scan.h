#ifndef TG_SCAN_H
#define TG_SCAN_H
/* The rules over one source as JSON, for `tgmon scan`. */
#include <stddef.h>
#include "core/security/rules.h"

struct cJSON;

/* {path, parsed, codes[] (of the reference's pack), extra_codes[] (of rules of our own), findings[{file,line,column,code,severity,cwe,snippet,message}]}; with
 * "reason" when not parsed. `parsed` false comes with the one syntax code, or with no code at all
 * when the file was not analysed (too large). Free with tg_json_free. */
struct cJSON *tg_scan_source(const struct tg_rules *rules, const char *path, const char *p,
			     size_t n);
/* The same from a file; NULL and err when it cannot be read. */
struct cJSON *tg_scan_file(const struct tg_rules *rules, const char *path, struct tg_err *err);
/* One finding as JSON. severity NULL: the rule's own. */
struct cJSON *tg_finding_json(const struct tg_finding *f, const char *path, const char *severity);

#endif
