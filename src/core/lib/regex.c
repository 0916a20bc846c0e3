#include "core/lib/regex.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/lib/buf.h"
#include "core/lib/text.h"

enum {
	STEPS_MOST = 1000000, /* of one attempt at one place of the subject */
	STEPS_LEAST = 10000,
	STEPS_TOTAL = 100000000, /* shared by all places, so that long subjects end too */
	HEAP_KIB = 20 * 1024
};

struct tg_regex {
	pcre2_code *text;  /* UTF-8 */
	pcre2_code *bytes; /* for subjects that are not UTF-8; NULL when the pattern needs UTF-8 */
};

static pcre2_code *compile(const char *pattern, uint32_t options, int *code, PCRE2_SIZE *offset)
{
	pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
	pcre2_code *re;

	if (!cc)
		tg_oom();
	pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(cc, 100);
	re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, code, offset, cc);
	pcre2_compile_context_free(cc);
	return re;
}

struct tg_regex *tg_regex_new(const char *pattern, unsigned flags, struct tg_err *err)
{
	uint32_t options = PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
	struct tg_regex *re;
	PCRE2_SIZE offset = 0;
	PCRE2_UCHAR text[160];
	pcre2_code *code;
	int rc = 0, ignored;

	if (flags & TG_REGEX_ICASE)
		options |= PCRE2_CASELESS;
	code = compile(pattern, options | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &rc, &offset);
	if (!code) {
		char *shown = tg_text_line(pattern, strlen(pattern), 120);

		if (pcre2_get_error_message(rc, text, sizeof text) < 0)
			text[0] = '\0';
		tg_fail(err, TG_E_INPUT, "the regular expression '%s' is wrong at offset %zu: %s",
			shown, (size_t)offset, (const char *)text);
		free(shown);
		return NULL;
	}
	re = tg_calloc(1, sizeof *re);
	re->text = code;
	re->bytes = compile(pattern, options, &ignored, &offset);
	return re;
}

void tg_regex_free(struct tg_regex *re)
{
	if (!re)
		return;
	pcre2_code_free(re->text);
	pcre2_code_free(re->bytes);
	free(re);
}

static bool is_utf8(const char *p, size_t n)
{
	uint32_t cp;

	while (n > 0) {
		size_t k = tg_utf8_next(p, n, &cp);

		if (cp == 0xFFFFFFFFu)
			return false;
		p += k;
		n -= k;
	}
	return true;
}

/* PCRE2 counts its steps anew at each place of the subject, so the limit shrinks with the length.
 */
static uint32_t steps_for(size_t n)
{
	size_t steps = STEPS_TOTAL / (n + 1);

	if (steps > STEPS_MOST)
		steps = STEPS_MOST;
	return (uint32_t)(steps < STEPS_LEAST ? STEPS_LEAST : steps);
}

bool tg_regex_search(const struct tg_regex *re, const char *p, size_t n, size_t *start, size_t *end,
		     bool *limit)
{
	const pcre2_code *code = re->bytes && !is_utf8(p, n) ? re->bytes : re->text;
	pcre2_match_data *md = pcre2_match_data_create(1, NULL);
	pcre2_match_context *mc = pcre2_match_context_create(NULL);
	size_t from = 0, to = 0;
	bool over = false;
	int rc;

	if (!md || !mc)
		tg_oom();
	pcre2_set_match_limit(mc, steps_for(n));
	pcre2_set_heap_limit(mc, HEAP_KIB);
	rc = pcre2_match(code, (PCRE2_SPTR)(p ? p : ""), n, 0, 0, md, mc);
	if (rc >= 0) {
		from = pcre2_get_ovector_pointer(md)[0];
		to = pcre2_get_ovector_pointer(md)[1];
	} else if (rc != PCRE2_ERROR_NOMATCH) {
		over =
		    true; /* a limit, or anything else that kept us from knowing: counts as found */
		to = n;
	}
	pcre2_match_context_free(mc);
	pcre2_match_data_free(md);
	if (start)
		*start = from;
	if (end)
		*end = to;
	if (limit && over)
		*limit = true;
	return rc >= 0 || over;
}
