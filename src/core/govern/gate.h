#ifndef TG_GOVERN_GATE_H
#define TG_GOVERN_GATE_H
/*
 * The CI gate over the governed rows: the text of ci_gate.txt (pipeline spec 9.1) and a verdict
 * that can be believed. PASS needs every expected id exactly once, each with a known decision, and
 * no VETO. What the reference lets through (an empty, a cut, a foreign or a malformed file, an
 * unknown decision) fails here, and the text says why. For a good run the text equals the
 * reference's to the byte.
 */
#include <stdbool.h>
#include <stddef.h>

#include "core/lib/buf.h"
#include "core/lib/err.h"

struct tg_run;

struct tg_gate {
	bool pass;
	size_t total, ok, abstain, veto; /* rows; an unknown decision counts in total alone */
	size_t problems;		 /* what is wrong with the input, apart from vetoes */
	struct tg_buf text;		 /* ci_gate.txt */
};

struct tg_gate_in {
	const char *rows; /* the JSONL text; NULL: the file is not there */
	size_t n;
	const char *shown;	     /* its path as printed */
	const char *const *expected; /* NULL: the ids are not known, then none is checked */
	size_t expected_n;
	const char *const *notes; /* lines put behind the verdict; NULL-terminated; may be NULL */
};

void tg_gate_judge(const struct tg_gate_in *in, struct tg_gate *out);
void tg_gate_fini(struct tg_gate *gate);
/* The note for a run whose counted attempts used more than one config; NULL when they did not. The
 * caller frees. */
char *tg_gate_config_note(const struct tg_run *run);

#endif
