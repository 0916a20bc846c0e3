#ifndef TG_DOCTOR_CHECKS_H
#define TG_DOCTOR_CHECKS_H
/* Inside core/doctor: what a check gets, and the checks of each file. */
#include "core/dataset/dataset.h"
#include "core/dataset/names.h"
#include "core/doctor/doctor.h"
#include "core/lib/yaml.h"

struct tg_exam {
	const struct tg_doctor_ask *ask;
	const struct tg_machine *f;
	const char *agent, *evaluator;
	bool mini, harness; /* agent mini; evaluator swebench */
	struct tg_yaml_node *config; /* NULL: none, or it does not parse (config_err) */
	struct tg_err config_err;
	struct tg_dataset_place place;
	struct tg_dataset ds; /* n == 0: none, or it cannot be read (ds_err) */
	bool wants_dataset;
	struct tg_err ds_err;
	size_t *pick, pick_n; /* rows of the slice */
	struct tg_err slice_err;
};

typedef void tg_check_fn(const struct tg_exam *x, struct tg_doctor_line *l);

/* Set the line; `mend` (a command, may be NULL) is copied. */
void tg_say(struct tg_doctor_line *l, enum tg_doctor_state s, const char *mend, const char *fmt,
	    ...) TG_PRINTF(4, 5);
/* The same with a formatted mend that is taken over. */
void tg_say_take(struct tg_doctor_line *l, enum tg_doctor_state s, char *mend, const char *fmt, ...)
	TG_PRINTF(4, 5);
/* "12.3 GB" */
char *tg_gigabytes(int64_t bytes);

/* The config's values, NULL where absent or not a plain text. */
const char *tg_conf_text(const struct tg_yaml_node *config, const char *section, const char *key);
const char *tg_conf_model(const struct tg_exam *x); /* model.model_name, else $MSWEA_MODEL_NAME */
bool tg_conf_api_base(const struct tg_yaml_node *config);
/* 1, 2, or 0 when mini-swe-agent's version is unknown. */
int tg_mini_generation(const struct tg_machine *f);
int tg_harness_generation(const struct tg_machine *f); /* 3, 4, 5 ...; 0 unknown */

/* Variables of which one must be set for a model (NULL-terminated); NULL: unknown provider;
 * an empty list: none is needed. */
const char *const *tg_model_keys(const char *model, const char *model_class);
/* What the config keys of a section may be: the installed version's own list, else the table of
 * both lines. *guess: the list is ours. False: nothing can be said. */
bool tg_accepted(const struct tg_exam *x, const char *section, struct tg_names *out, bool *guess);
/* What was probably meant by a key that is not accepted; caller frees; NULL: no idea. */
char *tg_did_you_mean(const struct tg_names *accepted, const char *section, const char *key);

tg_check_fn tg_check_glued, tg_check_python, tg_check_mini, tg_check_swebench, tg_check_docker,
	tg_check_docker_desktop;
tg_check_fn tg_check_config_parses, tg_check_config_keys, tg_check_cwd,
	tg_check_template, tg_check_pull_timeout, tg_check_secret_in_config;
tg_check_fn tg_check_model, tg_check_model_id, tg_check_keys, tg_check_cost;
tg_check_fn tg_check_dataset, tg_check_slice, tg_check_columns, tg_check_images, tg_check_disk,
	tg_check_repos, tg_check_repeat;
tg_check_fn tg_check_place, tg_check_place_free, tg_check_wsl, tg_check_session, tg_check_userns,
	tg_check_clock, tg_check_locale, tg_check_terminal, tg_check_files, tg_check_inotify;

#endif
