#include "core/run/journal_frame.h"

#include <stdio.h>
#include <string.h>

#include "core/lib/hash.h"

/* Strict: a tolerant parser would accept headers that somebody edited. */
static bool hex8(const char *p, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			v = v * 16 + (uint32_t)(p[i] - '0');
		else if (p[i] >= 'a' && p[i] <= 'f')
			v = v * 16 + (uint32_t)(p[i] - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

enum tg_frame tg_frame_parse(const char *p, size_t n, size_t *json_n)
{
	uint32_t len, crc;

	if (n < TG_FRAME_HEAD)
		return TG_FRAME_SHORT;
	if (p[8] != ' ' || p[17] != ' ' || !hex8(p, &len) || !hex8(p + 9, &crc))
		return TG_FRAME_BAD;
	if (len < 2 || len > TG_FRAME_MAX_JSON)
		return TG_FRAME_BAD;
	if (n < TG_FRAME_HEAD + (size_t)len + 1)
		return TG_FRAME_SHORT;
	if (p[TG_FRAME_HEAD] != '{' || p[TG_FRAME_HEAD + len] != '\n')
		return TG_FRAME_BAD;
	if (tg_crc32c(p + TG_FRAME_HEAD, len) != crc)
		return TG_FRAME_BAD;
	*json_n = len;
	return TG_FRAME_GOOD;
}

void tg_frame_add(struct tg_buf *out, const char *json, size_t n)
{
	char head[TG_FRAME_HEAD + 1];

	snprintf(head, sizeof head, "%08x %08x ", (unsigned)n, (unsigned)tg_crc32c(json, n));
	tg_buf_add(out, head, TG_FRAME_HEAD);
	tg_buf_add(out, json, n);
	tg_buf_addc(out, '\n');
}
