#ifndef TG_EMBED_H
#define TG_EMBED_H
/*
 * A file of data/ put into the program by the assembler: after TG_EMBED(tg_probe_py,
 * "/python/probe.py") the bytes stand at tg_probe_py, NUL-terminated. CMake must name the file in
 * OBJECT_DEPENDS.
 */
#define TG_EMBED(name, file)                                                                       \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #name "\n" #name ":\n"                                                  \
		".incbin \"" TGMON_SOURCE_DATA file "\"\n"                                         \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char name[]

#endif
