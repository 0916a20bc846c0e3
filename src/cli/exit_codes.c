#include "cli/exit_codes.h"
#include "core/lib/err.h"

const struct tg_exit_code tg_exit_codes[] = {
	{ TG_E_NONE, "done, and the gate says PASS where there is one" },
	{ TG_E_VERDICT, "a negative verdict: gate FAIL, verification failed" },
	{ TG_E_INPUT, "your input: an option, a file, a run directory that is not one" },
	{ TG_E_MACHINE, "the machine: a tool, the sandbox, disk, permission" },
	{ TG_E_SECRET, "secrets stop the bundle" },
	{ TG_E_GATE, "stopped by the launch gate; resumable" },
	{ TG_E_IO, "input or output failed" },
	{ TG_E_MEMORY, "out of memory" },
	{ TG_E_CORRUPT, "the journal is corrupt" },
	{ TG_E_BUSY, "another runner holds the run" },
	{ 0, 0 },
};
