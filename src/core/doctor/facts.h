#ifndef TG_DOCTOR_FACTS_H
#define TG_DOCTOR_FACTS_H
/*
 * What is true of this machine, read once by tg_machine_read(); the checks (doctor.h) see nothing
 * else of it, so that a test can plant a WSL, an Ubuntu or a full disk. All strings are owned; NULL
 * or TG_UNKNOWN: could not be found out, which is never the same as "no".
 *
 * Sources: /proc, /etc/systemd/logind.conf(.d), /var/lib/systemd/linger, statfs, `docker info` (or
 * podman), and data/python/probe.py run by the user's own Python. Of keys only the names are kept.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/err.h"
#include "core/lib/file.h"

enum tg_yes { TG_UNKNOWN, TG_NO, TG_YES };

struct tg_pkg {
	char *version; /* NULL: cannot be imported; then error says why, where that is known */
	char *error;
};

struct tg_earlier { /* a run that stands where the new one would */
	char *run_id, *tag, *model_id, *slice, *config_sha256, *dataset_sha256;
};

struct tg_machine {
	/* machine */
	char *kernel;    /* /proc/version */
	int64_t wall_ms;
	enum tg_yes clock_synced;
	char *charset, *term, *colorterm;
	bool tty, no_color;
	int64_t nofile_soft, nofile_hard; /* INT64_MAX: no limit; 0: unknown */
	int64_t inotify_watches;          /* -1: unknown */
	char *user, *cgroup;              /* cgroup: /proc/self/cgroup */
	bool root;
	enum tg_yes systemd, kill_user_processes, linger, restricts_userns;
	enum tg_yes sandbox;
	char *sandbox_error;
	int64_t windows_free; /* bytes of the Windows disk; -1: none */
	/* where the run directory would be */
	char *place; /* the deepest folder of its path that exists */
	char *fs;    /* "9p", "nfs", "cifs", "drvfs", "tmpfs" ...; "local" for the rest */
	int64_t place_free;
	bool place_writable;
	struct tg_earlier *earlier;
	size_t earlier_n;
	/* the user's Python */
	char *python, *python_version, *mini_extra;
	enum tg_yes venv;
	char *harness_python; /* another Python that has swebench; NULL: the same */
	char *probe_error; /* the probe itself failed */
	struct tg_pkg mini, swebench, yaml, datasets, litellm;
	struct tg_names accepted_agent, accepted_model, accepted_environment; /* n == 0: unknown */
	enum tg_yes priced; /* does litellm know the model's price? */
	double price_in, price_out; /* USD per token */
	/* containers */
	char *docker;       /* the program, absolute; NULL: none */
	char *docker_asked; /* "docker", or what MSWEA_DOCKER_EXECUTABLE or the config names */
	enum tg_yes docker_answers;
	char *docker_error, *docker_version, *docker_os, *docker_root;
	int64_t docker_free; /* bytes free where images are kept; -1: not visible from here */
	struct tg_names images; /* "repository:tag" */
	bool images_known;
	int64_t image_bytes; /* mean size of those evaluation images that are there; 0: none is */
	/* names of variables that are set and not empty, never their values */
	struct tg_names env, dotenv;
	char *dotenv_path;
};

struct tg_machine_ask { /* what the facts are wanted for; NULL where it does not matter */
	const char *output, *model_name, *model_class, *registry, *docker;
	bool tools; /* look at Python and containers too (seconds, not milliseconds) */
};

void tg_machine_read(struct tg_machine *f, const struct tg_machine_ask *ask);
void tg_machine_fini(struct tg_machine *f);

/* Parts of tg_machine_read. */
void tg_machine_basics(struct tg_machine *f);
void tg_machine_place(struct tg_machine *f, const char *output);
void tg_machine_keys(struct tg_machine *f);
void tg_machine_python(struct tg_machine *f, const struct tg_machine_ask *ask);
void tg_machine_docker(struct tg_machine *f, const struct tg_machine_ask *ask);
/* Add a name (copied) to a list. */
void tg_names_add(struct tg_names *names, const char *p, size_t n);
bool tg_names_has(const struct tg_names *names, const char *name);
/* The names that a .env file sets to something. */
void tg_dotenv_names(const char *text, size_t n, struct tg_names *out);
/* KillUserProcesses= in the text of a logind.conf: the last one counts; otherwise what was before.
 */
enum tg_yes tg_logind_kills(const char *text, enum tg_yes before);
/* "9p", "nfs" ... for statfs's f_type. */
const char *tg_fs_name(uint64_t type);

#endif
