#include <string.h>
#include "core/evaluate/script.h"

static const char start_lines[] =
	"exec 7>&2 1>&8 2>&8 # tgmon: from here the tests' own channel\n";
static const char end_lines[] = "tgmon_code=$?\n"
				"exec 1>&7 2>&7 7>&- # tgmon: back to the script's log\n";

/* Is the line, blanks and quotes aside, ": '<marker>'" or "echo '<marker>'"? */
static bool is_marker(struct tg_str line, const char *marker)
{
	const char *p = line.p, *end = line.p + line.n;
	size_t n = strlen(marker);

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (p < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	if (end - p > 2 && p[0] == ':' && p[1] == ' ')
		p += 2;
	else if (end - p > 5 && memcmp(p, "echo ", 5) == 0)
		p += 5;
	else
		return false;
	if (end - p >= 2 && (*p == '\'' || *p == '"') && end[-1] == *p) {
		p++;
		end--;
	}
	return (size_t)(end - p) == n && memcmp(p, marker, n) == 0;
}

bool tg_eval_script_build(const char *script, struct tg_buf *out)
{
	int starts = 0, ends = 0;
	bool first = true, in_order = true;

	tg_buf_clear(out);
	for (const char *p = script; *p;) {
		size_t n = strcspn(p, "\n");
		struct tg_str line = { p, n };

		if (first && !(n >= 2 && p[0] == '#' && p[1] == '!'))
			tg_buf_adds(out,
				    "exec 8>&1 1>&2 # tgmon: descriptor 8 is the tests' channel\n");
		if (is_marker(line, ">>>>> Start Test Output")) {
			tg_buf_adds(out, start_lines);
			starts++;
		} else if (is_marker(line, ">>>>> End Test Output")) {
			tg_buf_adds(out, end_lines);
			in_order = in_order && starts == 1;
			ends++;
		} else {
			tg_buf_add(out, p, n);
			tg_buf_addc(out, '\n');
		}
		if (first && n >= 2 && p[0] == '#' && p[1] == '!')
			tg_buf_adds(out,
				    "exec 8>&1 1>&2 # tgmon: descriptor 8 is the tests' channel\n");
		first = false;
		p += n + (p[n] == '\n');
	}
	tg_buf_adds(out, "exit \"${SWEBENCH_TEST_EXIT_CODE:-$tgmon_code}\"\n");
	return starts == 1 && ends == 1 && in_order;
}
