#include "core/run/load.h"
#include "core/run/journal.h"

bool tg_load_run(struct tg_run *run, const char *run_dir, const struct tg_spec *spec,
		 struct tg_err *err)
{
	struct tg_journal_reader *reader;
	bool ok;

	tg_run_init(run, run_dir);
	tg_run_expect(run, (const char *const *)spec->expected, spec->expected_n);
	reader = tg_journal_reader_new(run_dir, err);
	ok = reader && tg_journal_read(reader, tg_run_apply, run, NULL, err);
	tg_journal_reader_free(reader);
	return ok;
}
