#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/proc.h"
#include "core/run/job.h"
#include "core/runner/executor.h"
#include "core/runner/shim.h"

/* The shim finds tree.lock at a fixed number. Whatever we have there ourselves is put aside. */
static bool spawn_with_lock(struct tg_spawn *sp, int tree_fd, int *pidfd, struct tg_err *err)
{
	const int keep[] = { TG_TREE_FD, -1 };
	int aside = -1;
	pid_t pid;
	bool ok;

	sp->keep = keep;
	if (tree_fd == TG_TREE_FD)
		return tg_proc_spawn(sp, &pid, pidfd, err);
	aside = fcntl(TG_TREE_FD, F_DUPFD_CLOEXEC, TG_TREE_FD + 1);
	if (aside < 0 && errno != EBADF)
		return tg_fail_sys(err, errno, "cannot put descriptor %d aside", TG_TREE_FD);
	ok = dup3(tree_fd, TG_TREE_FD, O_CLOEXEC) >= 0 ||
	     tg_fail_sys(err, errno, "cannot pass the lock on");
	ok = ok && tg_proc_spawn(sp, &pid, pidfd, err);
	if (aside >= 0) {
		dup3(aside, TG_TREE_FD, O_CLOEXEC);
		close(aside);
	} else {
		close(TG_TREE_FD);
	}
	return ok;
}

static bool local_start(const char *job_dir, int tree_fd, int *pidfd, struct tg_err *err)
{
	char *self = tg_self_exe();
	const char *argv[] = { self, "shim", job_dir, NULL };
	struct tg_spawn sp = { .argv = argv, .in = -1, .out = -1, .err = STDERR_FILENO,
			       .new_session = true };
	bool ok;

	*pidfd = -1;
	ok = self ? spawn_with_lock(&sp, tree_fd, pidfd, err)
		  : tg_fail(err, TG_E_MACHINE, "cannot find the path of this program");
	free(self);
	return ok;
}

/* In a process of its own that nobody waits for, and without the mark by which members are killed. */
static void spawn_after(const struct tg_job *job, int log)
{
	char **env = tg_shim_env(job);
	struct tg_spawn sp = { .argv = (const char *const *)job->after,
			       .env = (const char *const *)env,
			       .cwd = job->dir,
			       .in = -1,
			       .out = log,
			       .err = log,
			       .new_session = true };
	pid_t between, pid;

	for (char **e = env; *e; e++)
		if (tg_starts_with(*e, "TGMON_JOB="))
			(*e)[0] = '_';
	between = fork();
	if (between == 0)
		_exit(tg_proc_spawn(&sp, &pid, NULL, NULL) ? 0 : 1);
	if (between > 0)
		waitpid(between, NULL, 0);
	tg_shim_env_free(env);
}

/* Shim and tree are dead and there is no exit record: what the job left outside its tree (containers) goes
 * all the same. Once: the log of it is the mark. */
static void bury(const char *job_dir)
{
	char *record = tg_path_join(job_dir, "exit.json"), *path = tg_path_join(job_dir, "after.log");
	struct tg_job job = { 0 };
	int log = -1;

	if (!tg_file_exists(record) && !tg_file_exists(path) && tg_job_load(&job, job_dir, NULL) &&
	    job.after && job.after[0] &&
	    (log = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) >= 0)
		spawn_after(&job, log);
	if (log >= 0)
		close(log);
	tg_job_fini(&job);
	free(record);
	free(path);
}

static enum tg_alive local_look(const char *job_dir, int *pidfd)
{
	enum tg_alive alive = tg_job_alive(job_dir, pidfd);

	if (alive == TG_ALIVE_NO)
		bury(job_dir);
	return alive;
}

static void local_stop(const char *job_dir, int pidfd, const char *reason, int grace_s)
{
	struct cJSON *o = tg_json_object();
	struct tg_buf text = TG_BUF_INIT;
	char *path = tg_path_join(job_dir, "kill.json");

	tg_json_set_str(o, "reason", reason);
	tg_json_set_int(o, "grace_s", grace_s);
	tg_json_print(o, TG_JSON_PY, &text);
	/* Should the disk be full, the signal alone stops it with the job's own grace. */
	tg_file_write(path, text.p, text.n, 0600, NULL);
	if (pidfd >= 0)
		tg_pidfd_signal(pidfd, SIGTERM);
	free(path);
	tg_buf_fini(&text);
	tg_json_free(o);
}

static size_t local_teardown(const char *job_dir)
{
	return tg_members_kill(job_dir);
}

static const struct tg_executor_ops executors[] = {
	{ "local", local_start, local_look, local_stop, local_teardown },
};

const struct tg_executor_ops *tg_executor_find(const char *name)
{
	for (size_t i = 0; i < sizeof executors / sizeof *executors; i++)
		if (tg_streq(executors[i].name, name))
			return &executors[i];
	return NULL;
}
