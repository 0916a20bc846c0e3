#ifndef TG_TEST_PLANTED_H
#define TG_TEST_PLANTED_H
/* A machine, a config and a data set with which nothing is wrong; each test spoils one thing. */
#include "unit/cm.h"

#include "core/doctor/doctor.h"
#include "core/lib/buf.h"
#include "core/lib/file.h"

static const char good_config[] = "agent:\n"
				  "  system_template: You are a programmer.\n"
				  "  instance_template: |\n"
				  "    {{task}}\n"
				  "    Submit with: echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && "
				  "git add -A && git diff --cached\n"
				  "  step_limit: 250\n"
				  "  cost_limit: 3.0\n"
				  "environment:\n"
				  "  cwd: /testbed\n"
				  "  timeout: 60\n"
				  "  pull_timeout: 1200\n"
				  "  environment_class: docker\n"
				  "model:\n"
				  "  model_name: zai/glm-4.6\n"
				  "  model_kwargs:\n"
				  "    temperature: 0.0\n";

static const char row_form[] =
    "{\"repo\":\"own/name\",\"instance_id\":\"own__name-%d\",\"base_commit\":"
    "\"0123456789abcdef0123456789abcdef01234567\",\"patch\":\"\",\"test_patch\":\"\","
    "\"problem_statement\":\"\",\"hints_text\":\"\",\"created_at\":\"\",\"version\":\"1\","
    "\"FAIL_TO_PASS\":\"[]\",\"PASS_TO_PASS\":\"[]\",\"environment_setup_commit\":\"\"%s}\n";

struct planted {
	char *dir, *config, *dataset, *repos;
	struct tg_machine f;
	struct tg_doctor_ask ask;
	struct tg_doctor d;
};

static inline void set_text(char **to, const char *s)
{
	free(*to);
	*to = tg_strdup(s);
}

static inline void set_names(struct tg_names *to, const char *words)
{
	tg_names_free(to);
	*to = (struct tg_names){ 0 };
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		if (n)
			tg_names_add(to, p, n);
		p += n + (p[n] == ' ');
	}
}

static inline void put_config(struct planted *p, const char *text)
{
	assert_true(tg_file_write(p->config, text, strlen(text), 0644, NULL));
}

/* The good config with one piece of it replaced. */
static inline void change_config(struct planted *p, const char *from, const char *to)
{
	const char *at = strstr(good_config, from);
	struct tg_buf b = TG_BUF_INIT;

	assert_non_null(at);
	tg_buf_add(&b, good_config, (size_t)(at - good_config));
	tg_buf_adds(&b, to);
	tg_buf_adds(&b, at + strlen(from));
	put_config(p, tg_buf_cstr(&b));
	tg_buf_fini(&b);
}

static inline void put_rows(struct planted *p, int n, const char *more)
{
	struct tg_buf b = TG_BUF_INIT;

	for (int i = 0; i < n; i++)
		tg_buf_addf(&b, row_form, i, more);
	assert_true(tg_file_write(p->dataset, b.p, b.n, 0644, NULL));
	tg_buf_fini(&b);
}

static inline void set_version(struct planted *p, const char *mini, const char *swebench)
{
	set_text(&p->f.mini.version, mini);
	set_text(&p->f.swebench.version, swebench);
	tg_names_free(&p->f.accepted_agent);
	tg_names_free(&p->f.accepted_model);
	tg_names_free(&p->f.accepted_environment);
	p->f.accepted_agent = p->f.accepted_model = p->f.accepted_environment =
		(struct tg_names){ 0 };
}

static inline void plant_machine(struct tg_machine *f)
{
	*f = (struct tg_machine){
		.wall_ms = 1795000000000LL,
		.clock_synced = TG_YES,
		.tty = true,
		.nofile_soft = 4096,
		.nofile_hard = 1048576,
		.inotify_watches = 65536,
		.systemd = TG_YES,
		.kill_user_processes = TG_NO,
		.linger = TG_YES,
		.restricts_userns = TG_NO,
		.sandbox = TG_YES,
		.windows_free = -1,
		.place_free = 500LL << 30,
		.place_writable = true,
		.venv = TG_YES,
		.priced = TG_YES,
		.price_in = 6e-7,
		.price_out = 2.2e-6,
		.docker_answers = TG_YES,
		.docker_free = 500LL << 30,
		.images_known = true,
	};
	f->kernel = tg_strdup("Linux version 6.8.0-45-generic (buildd@lcy02) #45-Ubuntu SMP");
	f->charset = tg_strdup("UTF-8");
	f->term = tg_strdup("xterm-256color");
	f->user = tg_strdup("mo");
	f->cgroup = tg_strdup("0::/user.slice/user-1000.slice/session-3.scope\n");
	f->place = tg_strdup("/home/mo/runs");
	f->fs = tg_strdup("local");
	f->python = tg_strdup("/home/mo/.venv/bin/python");
	f->python_version = tg_strdup("3.11.2");
	f->mini_extra = tg_strdup("/home/mo/.venv/bin/mini-extra");
	f->mini.version = tg_strdup("1.17.5");
	f->swebench.version = tg_strdup("4.1.0");
	f->yaml.version = tg_strdup("6.0");
	f->docker_asked = tg_strdup("docker");
	f->docker = tg_strdup("/usr/bin/docker");
	f->docker_version = tg_strdup("27.1.1");
	f->docker_os = tg_strdup("Ubuntu 24.04 LTS");
	f->docker_root = tg_strdup("/var/lib/docker");
	set_names(&f->images, "swebench/sweb.eval.x86_64.own_1776_name-0:latest "
			      "swebench/sweb.eval.x86_64.own_1776_name-1:latest "
			      "swebench/sweb.eval.x86_64.own_1776_name-2:latest");
	set_names(&f->env, "PATH HOME");
	set_names(&f->dotenv, "ZAI_API_KEY");
	f->dotenv_path = tg_strdup("/home/mo/.config/mini-swe-agent/.env");
}

static inline int plant(void **state)
{
	struct planted *p = tg_calloc(1, sizeof *p);
	char *repo;

	unsetenv("MSWEA_MODEL_NAME");
	unsetenv("MSWEA_COST_TRACKING");
	p->dir = cm_tmpdir();
	p->config = tg_path_join(p->dir, "agent.yaml");
	p->dataset = tg_path_join(p->dir, "rows.jsonl");
	p->repos = tg_path_join(p->dir, "repos");
	repo = tg_path_join(p->repos, "own__name.git");
	assert_true(tg_mkdirs(repo, 0755, NULL));
	free(repo);
	put_config(p, good_config);
	put_rows(p, 3, "");
	plant_machine(&p->f);
	p->ask = (struct tg_doctor_ask){ .config = p->config,
					 .model_id = "zai/glm-4.6",
					 .dataset = p->dataset,
					 .slice = "0:3",
					 .tag = "glm46",
					 .repos = p->repos };
	*state = p;
	return 0;
}

static inline int unplant(void **state)
{
	struct planted *p = *state;

	tg_doctor_fini(&p->d);
	tg_machine_fini(&p->f);
	tg_remove_tree(p->dir, NULL);
	free(p->dir);
	free(p->config);
	free(p->dataset);
	free(p->repos);
	free(p);
	return 0;
}

/* Examine; the named line must be in this state and say this (NULL: anything). "" as text: no line.
 */
static inline const struct tg_doctor_line *expect(struct planted *p, const char *id,
						  enum tg_doctor_state s, const char *said)
{
	const struct tg_doctor_line *l;

	tg_doctor_fini(&p->d);
	tg_doctor_check(&p->d, &p->ask, &p->f);
	l = tg_doctor_find(&p->d, id);
	if (!l)
		fail_msg("there is no line %s", id);
	if (l->state != s)
		fail_msg("%s is '%s', expected '%s': %s", id, tg_doctor_state_name(l->state),
			 tg_doctor_state_name(s), l->text);
	if (said && !strstr(l->text, said))
		fail_msg("%s does not say '%s': %s", id, said, l->text);
	if (s == TG_DOCTOR_FAILURE && !l->mend)
		fail_msg("%s names no way to mend it: %s", id, l->text);
	return l;
}

static inline void expect_none(struct planted *p, const char *id)
{
	tg_doctor_fini(&p->d);
	tg_doctor_check(&p->d, &p->ask, &p->f);
	assert_null(tg_doctor_find(&p->d, id));
}

#define OK TG_DOCTOR_OK
#define WARN TG_DOCTOR_WARNING
#define FAIL TG_DOCTOR_FAILURE

#define GOOD_AND_BAD(fn) cmocka_unit_test_setup_teardown(fn, plant, unplant)

#endif
