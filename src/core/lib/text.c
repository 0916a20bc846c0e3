#include <stdio.h>
#include <string.h>
#include "core/lib/text.h"

#define INVALID 0xFFFFFFFFu

size_t tg_utf8_next(const char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t len;
	uint32_t c;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	len = p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : p[0] >= 0xE0 && p[0] < 0xF0 ? 3
	      : p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : 0;
	*cp = INVALID;
	if (!len || len > n)
		return 1;
	c = p[0] & (0xFFu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3F);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 1;
	*cp = c;
	return len;
}

/* Code points that change how a terminal or a reader sees the rest: bidi controls, zero-width and
 * other format characters, separators, tags, variation selectors, private use, non-characters. */
static bool deceives(uint32_t c)
{
	static const struct { uint32_t lo, hi; } range[] = {
		{ 0x00AD, 0x00AD }, { 0x034F, 0x034F }, { 0x061C, 0x061C }, { 0x115F, 0x1160 },
		{ 0x17B4, 0x17B5 }, { 0x180B, 0x180F }, { 0x200B, 0x200F }, { 0x2028, 0x202E },
		{ 0x2060, 0x206F }, { 0x3164, 0x3164 }, { 0xE000, 0xF8FF }, { 0xFE00, 0xFE0F },
		{ 0xFEFF, 0xFEFF }, { 0xFFA0, 0xFFA0 }, { 0xFFF0, 0xFFFB }, { 0xFFFE, 0xFFFF },
		{ 0x1D173, 0x1D17A }, { 0xE0000, 0xE0FFF }, { 0xF0000, 0x10FFFF },
	};

	for (size_t i = 0; i < sizeof range / sizeof range[0]; i++)
		if (c >= range[i].lo && c <= range[i].hi)
			return true;
	return false;
}

static void add_visible(struct tg_buf *out, const char *p, size_t len, uint32_t c, unsigned flags)
{
	if (c == INVALID)
		tg_buf_addf(out, "\\x%02x", (unsigned char)p[0]);
	else if (c == '\n' && (flags & TG_TEXT_KEEP_NL))
		tg_buf_addc(out, '\n');
	else if (c == '\t' && (flags & TG_TEXT_KEEP_TAB))
		tg_buf_addc(out, '\t');
	else if (c < 0x20)
		tg_buf_addf(out, "^%c", (char)(c + '@'));
	else if (c == 0x7F)
		tg_buf_adds(out, "^?");
	else if (c < 0x7F)
		tg_buf_addc(out, (char)c);
	else if (c < 0xA0 || deceives(c) || (flags & TG_TEXT_ASCII))
		tg_buf_addf(out, "<U+%04X>", (unsigned)c);
	else
		tg_buf_add(out, p, len);
}

void tg_text_safe(struct tg_buf *out, const char *p, size_t n, unsigned flags)
{
	uint32_t c;
	size_t len;

	tg_buf_reserve(out, n);
	for (size_t i = 0; i < n; i += len) {
		len = tg_utf8_next(p + i, n - i, &c);
		add_visible(out, p + i, len, c, flags);
	}
}

char *tg_text_line(const char *p, size_t n, size_t max)
{
	struct tg_buf b = TG_BUF_INIT;
	uint32_t c;
	size_t len, keep = 0;

	for (size_t i = 0; i < n; i += len) {
		len = tg_utf8_next(p + i, n - i, &c);
		if (c == '\n' || c == '\t' || c == '\r')
			tg_buf_addc(&b, ' ');
		else
			add_visible(&b, p + i, len, c, 0);
		if (max >= 3 && b.n <= max - 3)
			keep = b.n;
		if (b.n > max) {
			b.n = keep;
			tg_buf_adds(&b, "...");
			break;
		}
	}
	return tg_buf_detach(&b);
}
