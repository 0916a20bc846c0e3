/*
 * The runner over a fake pipeline, for the kill test:
 *   fake_runner init RUN N WORKERS    make a run of N instances
 *   fake_runner run RUN               be the runner, in the foreground
 *   fake_runner dump RUN              the fold as text: what must be the same however often it was
 * killed
 */
#include "runner/fake.h"
#include "core/run/journal.h"

static int init(const char *run, int n, int workers)
{
	char **ids = tg_calloc((size_t)n + 1, sizeof *ids);
	const struct fake_run want = { .workers = workers };
	struct tg_err err = { 0 };
	bool ok;

	for (int i = 0; i < n; i++)
		ids[i] = tg_asprintf("i%04d", i);
	ok = fake_make_run(run, (const char *const *)ids, &want, &err);
	if (!ok)
		fprintf(stderr, "%s\n", err.msg);
	for (int i = 0; i < n; i++)
		free(ids[i]);
	free(ids);
	return ok ? 0 : 1;
}

static int dump(const char *dir)
{
	struct tg_err err = { 0 };
	struct tg_journal_reader *reader = tg_journal_reader_new(dir, &err);
	struct tg_spec spec;
	struct tg_run run;

	if (!reader || !tg_spec_load(&spec, dir, NULL, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	tg_run_init(&run, dir);
	tg_run_expect(&run, (const char *const *)spec.expected, spec.expected_n);
	if (!tg_journal_read(reader, tg_run_apply, &run, NULL, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	for (size_t i = 0; i < run.inst_n; i++) {
		const struct tg_attempt *att = tg_instance_counted(&run.inst[i]);

		printf("%s %s %s %s\n", run.inst[i].id,
		       tg_state_name(tg_instance_state(&run.inst[i])),
		       att ? tg_outcome_name(att->outcome) : "-",
		       att ? tg_decision_name(att->decision) : "-");
	}
	printf("done %d\n", run.done_ms != 0);
	for (size_t i = 0; i < run.inst_n; i++) /* attempts that were started, for the ledger */
		for (size_t a = 0; a < run.inst[i].att_n; a++)
			if (run.inst[i].att[a].lost)
				printf("# lost %s %d %s\n", run.inst[i].id, run.inst[i].att[a].n,
				       run.inst[i].att[a].end_why);
	tg_run_fini(&run);
	tg_spec_fini(&spec);
	tg_journal_reader_free(reader);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = fake_main(argc, argv);

	if (rc >= 0)
		return rc;
	if (argc == 5 && tg_streq(argv[1], "init"))
		return init(argv[2], (int)strtol(argv[3], NULL, 10),
			    (int)strtol(argv[4], NULL, 10));
	if (argc == 3 && tg_streq(argv[1], "run"))
		return tg_runner_main(argv[2], true);
	if (argc == 3 && tg_streq(argv[1], "dump"))
		return dump(argv[2]);
	return 2;
}
