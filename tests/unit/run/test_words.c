#include "unit/cm.h"

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/run/layout.h"
#include "core/run/words.h"

static void test_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < TG_ST_COUNT; i++)
		assert_int_equal(tg_state_parse(tg_state_name((enum tg_state)i)), i);
	for (int i = 1; i < TG_OUT_COUNT; i++)
		assert_int_equal(tg_outcome_parse(tg_outcome_name((enum tg_outcome)i)), i);
	for (int i = 1; i < TG_PC_COUNT; i++)
		assert_int_equal(tg_patch_class_parse(tg_patch_class_name((enum tg_patch_class)i)),
				 i);
	for (int i = 1; i < TG_EV_COUNT; i++)
		assert_int_equal(tg_eval_status_parse(tg_eval_status_name((enum tg_eval_status)i)),
				 i);
	for (int i = 1; i < TG_SC_COUNT; i++)
		assert_int_equal(tg_scan_status_parse(tg_scan_status_name((enum tg_scan_status)i)),
				 i);
	for (int i = 1; i < TG_DEC_COUNT; i++)
		assert_int_equal(tg_decision_parse(tg_decision_name((enum tg_decision)i)), i);
	for (int i = 1; i < TG_EL_COUNT; i++)
		assert_int_equal(
		    tg_evidence_level_parse(tg_evidence_level_name((enum tg_evidence_level)i)), i);
	for (int i = 0; i < TG_STAGE_COUNT; i++)
		assert_int_equal(tg_stage_parse(tg_stage_name((enum tg_stage)i)), i);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_null(tg_outcome_name(TG_OUT_NONE));
	assert_null(tg_decision_name(TG_DEC_NONE));
	assert_null(tg_state_name((enum tg_state)999));
	assert_int_equal(tg_outcome_parse("DONE"), TG_OUT_NONE);
	assert_int_equal(tg_outcome_parse(NULL), TG_OUT_NONE);
	assert_int_equal(tg_eval_status_parse("resolved"), TG_EV_NONE);
	assert_int_equal(tg_state_parse("nonsense"), TG_ST_COUNT);
	assert_int_equal(tg_stage_parse(""), TG_STAGE_COUNT);
}

static void test_own(void **state)
{
	(void)state;
	assert_true(tg_outcome_is_own(TG_OUT_DONE) && tg_outcome_is_own(TG_OUT_EMPTY));
	assert_true(tg_outcome_is_own(TG_OUT_LIMIT) && tg_outcome_is_own(TG_OUT_TIMEOUT));
	assert_false(tg_outcome_is_own(TG_OUT_INFRA) || tg_outcome_is_own(TG_OUT_CRASH));
	assert_false(tg_outcome_is_own(TG_OUT_MODEL_API) || tg_outcome_is_own(TG_OUT_BUG));
	assert_false(tg_outcome_is_own(TG_OUT_CANCELLED) || tg_outcome_is_own(TG_OUT_NONE));
	for (int i = 0; i < TG_PC_COUNT; i++)
		assert_int_equal(tg_patch_usable((enum tg_patch_class)i),
				 i == TG_PC_OK || i == TG_PC_APPLIES_WITH_FUZZ);
}

static void test_ids(void **state)
{
	char longest[130];

	(void)state;
	memset(longest, 'a', 129);
	longest[129] = '\0';
	assert_false(tg_instance_id_valid(longest));
	longest[128] = '\0';
	assert_true(tg_instance_id_valid(longest));
	assert_true(tg_instance_id_valid("scikit-learn__scikit-learn-13439"));
	assert_true(tg_instance_id_valid("a.b"));
	static const char *const bad[] = { "", ".", "..", "a..b", "../x", "a/b", "-x", "_x", ".x",
					   "a b", "a\n", "a\\b", "\xc3\xa9", NULL };
	for (size_t i = 0; bad[i] != NULL; i++)
		assert_false(tg_instance_id_valid(bad[i]));
	assert_false(tg_instance_id_valid(NULL));
	assert_true(tg_tag_valid("glm46_r1") && tg_tag_valid(".-_"));
	assert_false(tg_tag_valid("") || tg_tag_valid("a/b") || tg_tag_valid(NULL));
}

static void assert_path(char *got, const char *want)
{
	assert_string_equal(got, want);
	free(got);
}

static void test_paths(void **state)
{
	(void)state;
	assert_path(tg_layout_control("/r", "lock"), "/r/.tgmon/lock");
	assert_path(tg_layout_attempt("/r", "x", 7), "/r/.tgmon/attempts/x/007");
	assert_path(tg_layout_job("/r", "x", 1, TG_STAGE_AGENT, 3), "/r/.tgmon/attempts/x/001");
	assert_path(tg_layout_job("/r", "x", 1, TG_STAGE_SCAN, 2),
		    "/r/.tgmon/attempts/x/001/scan.2");
	assert_path(tg_layout_job("/r", NULL, 0, TG_STAGE_GATE, 1), "/r/.tgmon/jobs/gate.1");
	assert_path(tg_layout_traj("/r", "x"), "/r/x/x.traj.json");
}

static void touch(const char *dir, const char *rel)
{
	char *path = tg_path_join(dir, rel), *parent = tg_path_dir(path);

	assert_true(tg_mkdirs(parent, 0700, NULL));
	assert_true(tg_file_write(path, "{}", 2, 0600, NULL));
	free(parent);
	free(path);
}

static void test_kind(void **state)
{
	char *dir = cm_tmpdir(), *sub = tg_path_join(dir, "sub"), *flat = tg_path_join(dir, "flat");

	(void)state;
	assert_int_equal(tg_layout_kind("/nonexistent/dir"), TG_DIR_NONE);
	assert_int_equal(tg_layout_kind(dir), TG_DIR_NONE);
	touch(dir, "sub/x/x.traj.json");
	assert_int_equal(tg_layout_kind(dir), TG_DIR_NONE); /* three levels are too far */
	assert_int_equal(tg_layout_kind(sub), TG_DIR_FOREIGN);
	touch(dir, "flat/y.traj.json");
	assert_int_equal(tg_layout_kind(flat), TG_DIR_FOREIGN);
	touch(dir, "preds.json");
	assert_int_equal(tg_layout_kind(dir), TG_DIR_FOREIGN);
	touch(dir, ".tgmon/run.json");
	assert_int_equal(tg_layout_kind(dir), TG_DIR_OURS);
	assert_true(tg_remove_tree(dir, NULL));
	free(flat);
	free(sub);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_own),        cmocka_unit_test(test_ids),
		cmocka_unit_test(test_paths),      cmocka_unit_test(test_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
