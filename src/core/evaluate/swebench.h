#ifndef TG_SWEBENCH_H
#define TG_SWEBENCH_H
/*
 * The parts of evaluator `swebench`, the real harness (SWE-bench 4.x and 5.x): its interpreter and
 * container tool, what it is given, what its run_instance.log says, and the containers it makes.
 * `tgmon prepull` and `tgmon clean` use the same rules for images and containers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/evaluate/evaluate.h"
#include "core/lib/err.h"
#include "core/lib/file.h"

struct tg_job;
struct tg_row;

/* ---- tools (swebench_find.c) ---- */

struct tg_swe_tools { /* borrowed from the spec */
	const char *python, *version, *docker;
	int generation; /* 4 or 5 */
};

/* docker, else podman: the first that answers within 5 s. Caller frees both. */
bool tg_docker_find(char **path, char **version, struct tg_err *err);
/* Preflight: finds the Python that can import swebench and the container tool, and freezes them in
 * spec->tools as "swebench", "docker" or "podman", with the settings they were found with
 * ("env:NAME"). */
bool tg_swe_find(struct tg_spec *spec, struct tg_err *err);
/* What preflight froze. */
bool tg_swe_tools(const struct tg_spec *spec, struct tg_swe_tools *tools, struct tg_err *err);
/* The evaluate job's environment and limits, and `tgmon box-clean` for what a killed one leaves. */
void tg_swe_job(const struct tg_spec *spec, const char *run_sha256, struct tg_job *job);
/* "5.0.2" is 5; 0: not one that is known here. */
int tg_swe_generation(const char *version);

/* ---- input (swebench_input.c) ---- */

/* The row's image, else what the harness itself derives from the id
 * (swebench/sweb.eval.x86_64.<id in lower case, "__" as "_1776_">:latest). Caller frees. */
char *tg_swe_image(const struct tg_row *row);
/* "tg-<8 of the run's digest>-<attempt>-<12 of the patch's digest>": one patch, one name. */
char *tg_swe_run_id(const char *run_sha256, int attempt, const char *patch_sha256);
/* What the run ids of an attempt begin with, whatever its patch; the same with attempt 0: of the
 * whole run. */
char *tg_swe_run_prefix(const char *run_sha256, int attempt);
/* sweb.eval.<id in lower case>.<run id> */
char *tg_swe_container(const char *iid, const char *run_id);
/* logs/run_evaluation/<run id>/<model>/<iid>, relative to the harness's working directory. */
char *tg_swe_log_dir(const char *run_id, const char *model, const char *iid);
/* The model's name as the harness gets it: the id, unless it would not be one folder's name. */
const char *tg_swe_model(const char *model_id);
/* A list with one prediction: exactly these bytes. False: they are no UTF-8, which JSON cannot
 * carry. */
bool tg_swe_predictions(const char *iid, const char *model, const char *patch, size_t n,
			struct tg_buf *out);
/* A list with the one row. *lacks names the first column that 5.x needs and the row has not; then
 * nothing is written. */
bool tg_swe_dataset(const struct tg_row *row, int generation, struct tg_buf *out,
		    const char **lacks, struct tg_err *err);

/* ---- run_instance.log (swebench_log.c) ---- */

enum tg_swe_phase {
	TG_SWE_STARTING, TG_SWE_PULLING, TG_SWE_CREATING, TG_SWE_APPLYING, TG_SWE_TESTING,
	TG_SWE_GRADING, TG_SWE_CLEANUP,
};
const char *tg_swe_phase_name(enum tg_swe_phase phase);

struct tg_swe_log {
	enum tg_swe_phase phase; /* for display: text behind the verdict can pretend a later one */
	int applies;             /* 1, 0; -1: no verdict of the apply ladder yet */
	char rung[24];           /* that took the patch; "" unknown */
	char apply_error[304];   /* what the last rung said, one safe line; a label */
	char failure[304];       /* an error before the patch was tried, one safe line */
	bool created;            /* the container was made */
};

/* The harness writes "<date> <time>,<ms> - LEVEL - message". Up to its verdict on the patch nothing
 * in this log comes from the patch or the tests; what stands behind it is read for the phase
 * alone. */
void tg_swe_log_read(struct tg_swe_log *log, const char *p, size_t n, const char *iid,
		     int generation);
/* Does a test output end as the harness ends one that ran out of its time limit? */
bool tg_swe_output_timed_out(const char *tail, size_t n, int timeout_s);

/* ---- containers (swebench_box.c) ---- */

/* Names of all containers, running or not, that start with prefix. */
bool tg_box_list(const char *docker, const char *prefix, struct tg_names *out, struct tg_err *err);
/* `tgmon box-clean DOCKER PREFIX`: remove all containers whose names start so; the exit code. */
int tg_box_clean_main(const char *docker, const char *prefix);
/* Remove by force what is called name, or name.<digits> (5.x's way around a conflict). */
bool tg_box_remove(const char *docker, const char *name, size_t *removed, struct tg_err *err);

#endif
