/* From --dataset to a file of rows: names, the export by a Python that has what it needs (stand-in
 * modules on PYTHONPATH), its cache, and Python's slices over the real rows. */
#include "unit/cm.h"

#include <sys/stat.h>
#include "core/dataset/dataset.h"
#include "core/dataset/names.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"

static char *dir, *python;

static void put(const char *rel, const char *text, mode_t mode)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0755, NULL));
	assert_true(tg_file_write(path, text, strlen(text), mode, NULL));
	free(parent);
	free(path);
}

static int set_up(void **state)
{
	char *modules;

	(void)state;
	dir = cm_tmpdir();
	python = tg_which("python3");
	modules = tg_path_join(dir, "modules");
	setenv("XDG_CACHE_HOME", dir, 1);
	setenv("PYTHONPATH", modules, 1);
	unsetenv("TGMON_PYTHON");
	unsetenv("VIRTUAL_ENV");
	free(modules);
	return python ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	tg_remove_tree(dir, NULL);
	free(dir);
	free(python);
	return 0;
}

/* A datasets module whose load_dataset gives n rows and notes that it was asked. */
static void plant_datasets(const char *body)
{
	char *text = tg_asprintf(
		"import os\n"
		"def load_dataset(name, split=None, **more):\n"
		"    open(os.path.join('%s', 'asked'), 'a').write(name + ' ' + split + '\\n')\n"
		"    row = {k: 'x' for k in ('patch test_patch problem_statement hints_text "
		"created_at version '\n"
		"           'environment_setup_commit').split()}\n"
		"    row.update(repo='own/name', base_commit='0' * 40, FAIL_TO_PASS=['a.b'], "
		"PASS_TO_PASS='[]',\n"
		"               difficulty='<15 min fix')\n"
		"%s",
		dir, body);

	put("modules/datasets.py", text, 0644);
	free(text);
}

#define THREE "    return [dict(row, instance_id='own__name-%d' % i) for i in range(3)]\n"

static char *asked(void)
{
	char *path = tg_path_join(dir, "asked");
	struct tg_buf b = TG_BUF_INIT;

	if (tg_file_exists(path))
		assert_true(tg_file_read(path, 0, &b, NULL));
	else
		tg_buf_adds(&b, "");
	free(path);
	return tg_buf_detach(&b);
}

static void exported_once_and_cached(void **state)
{
	struct tg_dataset_place p;
	struct tg_dataset ds;
	struct tg_err err = { 0 };
	char *text;

	(void)state;
	plant_datasets(THREE);
	assert_true(tg_dataset_locate(NULL, NULL, &p, &err));
	assert_string_equal(p.name, "lite");
	assert_string_equal(p.split, "test");
	assert_null(p.path); /* not cached yet */
	if (!tg_dataset_export(&p, python, &err))
		fail_msg("%s", err.msg);
	assert_true(tg_dataset_load(&ds, p.path, &err));
	assert_int_equal(ds.n, 3);
	assert_string_equal(ds.row[2].instance_id, "own__name-2");
	assert_string_equal(ds.row[0].fail_to_pass[0], "a.b");
	assert_non_null(strstr(ds.row[0].raw, "<15 min fix"));
	tg_dataset_fini(&ds);
	tg_dataset_place_fini(&p);

	assert_true(tg_dataset_locate("lite", "test", &p, &err)); /* now it is */
	assert_non_null(p.path);
	assert_true(tg_dataset_export(&p, "/does/not/exist", &err));
	text = asked();
	assert_string_equal(text, "princeton-nlp/SWE-Bench_Lite test\n"); /* one call in all */
	free(text);
	tg_dataset_place_fini(&p);
}

static void a_changed_copy_is_exported_again(void **state)
{
	struct tg_dataset_place p;
	struct tg_err err = { 0 };

	(void)state;
	plant_datasets(THREE);
	assert_true(tg_dataset_locate("verified", "test", &p, &err));
	assert_true(tg_dataset_export(&p, python, &err));
	assert_true(tg_file_write(p.path, "{}\n", 3, 0644, NULL));
	tg_dataset_place_fini(&p);
	assert_true(tg_dataset_locate("verified", "test", &p, &err));
	assert_null(p.path);
	tg_dataset_place_fini(&p);
}

static void splits_have_copies_of_their_own(void **state)
{
	struct tg_dataset_place a, b;

	(void)state;
	assert_true(tg_dataset_locate("lite", "dev", &a, NULL));
	assert_true(tg_dataset_locate("lite", NULL, &b, NULL));
	assert_string_not_equal(a.cache, b.cache);
	tg_dataset_place_fini(&a);
	tg_dataset_place_fini(&b);
	assert_false(tg_dataset_locate("lite", "../x", &a, NULL));
	tg_dataset_place_fini(&a);
}

static void refused(const char *what, const char *py, enum tg_errc code, const char *said)
{
	struct tg_dataset_place p;
	struct tg_err err = { 0 };

	assert_false(tg_dataset_locate(what, NULL, &p, &err) && tg_dataset_export(&p, py, &err));
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, said))
		fail_msg("'%s' does not say '%s'", err.msg, said);
	if (p.cache)
		assert_false(tg_file_exists(p.cache));
	tg_dataset_place_fini(&p);
}

static void what_cannot_be_exported_says_how_to_go_on(void **state)
{
	(void)state;
	refused("no/such/file.jsonl", python, TG_E_INPUT, "does not exist");
	put("modules/datasets.py", "raise ImportError('no', name='datasets')\n", 0644);
	refused("lite", python, TG_E_MACHINE, "-m pip install datasets");
	plant_datasets("    raise ValueError('Unknown split \\x1b[31mred')\n");
	refused("lite", python, TG_E_MACHINE, "Unknown split");
	plant_datasets("    return [dict(row, instance_id='../../etc')]\n");
	refused("lite", python, TG_E_INPUT, "instance_id");
	plant_datasets("    return []\n");
	refused("lite", python, TG_E_INPUT, "no rows");
	refused("lite", "/does/not/exist", TG_E_MACHINE, "/does/not/exist");
}

static void parquet_by_its_digest(void **state)
{
	struct tg_dataset_place p;
	struct tg_err err = { 0 };
	char *file = tg_path_join(dir, "rows.v1.parquet");

	(void)state;
	put("rows.v1.parquet", "PAR1", 0644);
	put("modules/pyarrow/__init__.py", "", 0644);
	put("modules/pyarrow/parquet.py",
	    "import datasets\n"
	    "class T:\n"
	    "    def to_pylist(self): return datasets.load_dataset('parquet', split='file')\n"
	    "def read_table(path):\n"
	    "    assert open(path).read() == 'PAR1'\n"
	    "    return T()\n", 0644);
	plant_datasets(THREE);
	assert_true(tg_dataset_locate(file, NULL, &p, &err));
	assert_string_equal(p.name, "rows");
	if (!tg_dataset_export(&p, python, &err))
		fail_msg("%s", err.msg);
	assert_non_null(strstr(p.path, "/tgmon/datasets/"));
	tg_dataset_place_fini(&p);
	free(file);
}

static void columns_of_the_known_sets(void **state)
{
	static const char row[] =
	    "{\"repo\":\"o/n\",\"instance_id\":\"o__n-1\",\"base_commit\":"
	    "\"0123456789abcdef0123456789abcdef01234567\",\"patch\":\"\",\"test_patch\":\"\","
	    "\"problem_statement\":\"\",\"hints_text\":\"\",\"created_at\":\"\",\"version\":\"1\","
	    "\"FAIL_TO_PASS\":[\"t\"],\"PASS_TO_PASS\":[],\"environment_setup_commit\":\"\",%s}\n";
	static const struct {
		const char *more;
		bool good;
	} cases[] = {
		{ "\"difficulty\":\"1-4 hours\"", true },
		{ "\"image_assets\":\"{}\"", true },
		{ "\"meta\":{\"a\":1},\"install_config\":{\"p\":[1]},\"license_name\":\"MIT\"",
		  true },
		{ "\"image\":\"i\",\"eval_script\":\"e\",\"log_parser\":\"l\",\"eval_type\":\"t\"",
		  true },
		{ "\"solution_hint\":\"x\"", false },
	};
	char *path = tg_path_join(dir, "x.jsonl");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = tg_asprintf(row, cases[i].more);
		struct tg_dataset ds;
		struct tg_err err = { 0 };
		bool ok;

		put("x.jsonl", text, 0644);
		ok = tg_dataset_load(&ds, path, &err);
		assert_int_equal(ok, cases[i].good);
		if (!ok)
			assert_non_null(strstr(err.msg, "'solution_hint'"));
		else
			assert_string_equal(ds.row[0].fail_to_pass[0], "t");
		tg_dataset_fini(&ds);
		free(text);
	}
	free(path);
}

static void check_python_of(const char *head, const char *want)
{
	char *script = tg_path_join(dir, "mini-extra"), *got;

	put("mini-extra", head, 0755);
	got = tg_script_python(script);
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
	free(script);
}

static void the_python_of_a_console_script(void **state)
{
	char *venv = tg_path_join(dir, "ve nv/bin/python"), *text;

	(void)state;
	text = tg_asprintf("#!%s\nimport x\n", python);
	check_python_of(text, python);
	free(text);
	check_python_of("#!/usr/bin/env python3\n", python);
	put("ve nv/bin/python", "", 0755);
	text = tg_asprintf("#!/bin/sh\n'''exec' \"%s\" \"$0\" \"$@\"\n' '''\n", venv);
	check_python_of(text, venv);
	free(text);
	check_python_of("#!/usr/bin/env bash\n", NULL);
	check_python_of("#!/no/such/python\n", NULL);
	check_python_of("\177ELF", NULL);
	free(venv);
}

/* Every slice that a person might type, against the slicing of Python itself, over the 300 rows. */
static void slices_over_the_real_rows(void **state)
{
	static const char *const slices[] = { "50:100", "50:",	  ":50",     "::2",	"-10:",
					      ":-290",	"100:50", "290:400", "::-1",	"20:5:-3",
					      "0:0",	"-1:",	  " 3 : 7 ", "1:300:37" };
	static const char script[] = "import json,lzma,sys\n"
				     "rows=[json.loads(l)['instance_id'] for l in "
				     "lzma.open(sys.argv[1], 'rt', encoding='utf-8')]\n"
				     "for s in sys.argv[2:]:\n"
				     "    print(s, *rows[slice(*[int(x) if x.strip() else None for "
				     "x in s.split(':')])], sep='|')\n";
	char *xz = cm_shared("corpus/swebench-lite/lite.jsonl.xz"),
	     *path = tg_path_join(dir, "lite.jsonl");
	const char *argv[32] = { python, "-c", script, xz };
	struct tg_proc_result r;
	struct tg_dataset ds;
	struct tg_buf got = TG_BUF_INIT;
	struct tg_err err = { 0 };

	(void)state;
	if (!xz) {
		free(path);
		skip();
	}
	assert_true(tg_proc_run(&(struct tg_spawn){ .argv = (const char *const[]){
		"xz", "-dc", xz, NULL } }, NULL, 0, 60000, 64 << 20, &r, NULL));
	assert_true(tg_file_write(path, r.out.p, r.out.n, 0644, NULL));
	tg_proc_result_fini(&r);
	if (!tg_dataset_load(&ds, path, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(ds.n, 300);
	for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
		size_t *idx, n;

		argv[4 + i] = slices[i];
		assert_true(tg_slice_indices(slices[i], ds.n, &idx, &n, &err));
		tg_buf_adds(&got, slices[i]);
		for (size_t j = 0; j < n; j++)
			tg_buf_addf(&got, "|%s", ds.row[idx[j]].instance_id);
		tg_buf_adds(&got, "\n");
		free(idx);
	}
	assert_true(tg_proc_run(&(struct tg_spawn){ .argv = argv }, NULL, 0, 60000, 64 << 20, &r,
				NULL));
	assert_int_equal(r.code, 0);
	assert_string_equal(tg_buf_cstr(&got), tg_buf_cstr(&r.out));
	tg_proc_result_fini(&r);
	tg_buf_fini(&got);
	tg_dataset_fini(&ds);
	free(path);
	free(xz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exported_once_and_cached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_changed_copy_is_exported_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(splits_have_copies_of_their_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_exported_says_how_to_go_on, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(parquet_by_its_digest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(columns_of_the_known_sets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_python_of_a_console_script, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slices_over_the_real_rows, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
