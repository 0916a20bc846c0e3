#include <stdlib.h>
#include <string.h>
#include "core/doctor/facts.h"

void tg_names_add(struct tg_names *names, const char *p, size_t n)
{
	names->v = tg_realloc(names->v, (names->n + 1) * sizeof *names->v);
	names->v[names->n++] = tg_strndup(p, n);
}

bool tg_names_has(const struct tg_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (tg_streq(names->v[i], name))
			return true;
	return false;
}

void tg_machine_read(struct tg_machine *f, const struct tg_machine_ask *ask)
{
	*f = (struct tg_machine){ .inotify_watches = -1, .windows_free = -1, .place_free = -1,
				.docker_free = -1 };
	tg_machine_basics(f);
	tg_machine_place(f, ask->output);
	if (!ask->tools)
		return;
	tg_machine_keys(f);
	tg_machine_python(f, ask);
	tg_machine_docker(f, ask);
}

static void pkg_fini(struct tg_pkg *p)
{
	free(p->version);
	free(p->error);
}

void tg_machine_fini(struct tg_machine *f)
{
	char *const text[] = { f->kernel,	 f->charset,	    f->term,
			       f->colorterm,	 f->user,	    f->cgroup,
			       f->sandbox_error, f->place,	    f->fs,
			       f->python,	 f->python_version, f->mini_extra,
			       f->probe_error,	 f->docker,	    f->docker_asked,
			       f->docker_error,	 f->docker_version, f->docker_os,
			       f->docker_root,	 f->dotenv_path,    f->harness_python };
	struct tg_names *const lists[] = { &f->accepted_agent,
					   &f->accepted_model,
					   &f->accepted_environment,
					   &f->images,
					   &f->env,
					   &f->dotenv };
	struct tg_pkg *const pkgs[] = { &f->mini, &f->swebench, &f->yaml, &f->datasets,
					&f->litellm };

	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		free(text[i]);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		tg_names_free(lists[i]);
	for (size_t i = 0; i < sizeof pkgs / sizeof *pkgs; i++)
		pkg_fini(pkgs[i]);
	for (size_t i = 0; i < f->earlier_n; i++) {
		free(f->earlier[i].run_id);
		free(f->earlier[i].tag);
		free(f->earlier[i].model_id);
		free(f->earlier[i].slice);
		free(f->earlier[i].config_sha256);
		free(f->earlier[i].dataset_sha256);
	}
	free(f->earlier);
	*f = (struct tg_machine){ 0 };
}
