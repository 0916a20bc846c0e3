#include "tui/theme_data.h"

#include <stddef.h>

/* The assembler takes the files in, so that there is one copy of each to edit and no generator. */
#define EMBED(sym, file)                                            \
	__asm__(".pushsection .rodata\n"                            \
		"tg_theme_" #sym "_begin:\n"                        \
		".incbin \"" TGMON_SOURCE_THEMES "/" file "\"\n"    \
		"tg_theme_" #sym "_end:\n"                          \
		".byte 0\n"                                         \
		".popsection\n");                                   \
	extern const char tg_theme_##sym##_begin[] __attribute__((visibility("hidden"))); \
	extern const char tg_theme_##sym##_end[] __attribute__((visibility("hidden")));

EMBED(dark, "default.theme")
EMBED(light, "light.theme")
EMBED(mono, "mono.theme")

const struct tg_theme_data tg_theme_data[] = {
	{ "default", tg_theme_dark_begin, tg_theme_dark_end },
	{ "light", tg_theme_light_begin, tg_theme_light_end },
	{ "mono", tg_theme_mono_begin, tg_theme_mono_end },
	{ NULL, NULL, NULL },
};
