/* Which mini-swe-agent there is, and by which interpreter it runs (mini.h). */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/agent/mini.h"
#include "core/lib/file.h"
#include "core/lib/proc.h"
#include "core/lib/text.h"

#define ASK_MS 60000 /* a first import of everything on a slow disk */

static const char version_code[] = "import minisweagent; print('version', minisweagent.__version__)";

const struct tg_tool *tg_mini_tool(const struct tg_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->tools_n; i++)
		if (tg_streq(spec->tools[i].name, name))
			return &spec->tools[i];
	return NULL;
}

void tg_mini_note_tool(struct tg_spec *s, const char *name, const char *path, const char *version)
{
	if (tg_mini_tool(s, name))
		return;
	s->tools = tg_realloc(s->tools, (s->tools_n + 1) * sizeof *s->tools);
	s->tools[s->tools_n++] = (struct tg_tool){ tg_strdup(name), tg_strdup(path),
						   tg_strdup(version) };
}

/* "#!/x/python", "#!/usr/bin/env python3", or line 2: '''exec' "/long/python" "$0" "$@" */
char *tg_mini_interpreter(const char *script)
{
	struct tg_buf text = TG_BUF_INIT;
	char *found = NULL, *line, *end, *word;

	if (!tg_file_read(script, 1 << 20, &text, NULL) || !tg_starts_with(text.p, "#!"))
		goto out;
	line = text.p + 2 + strspn(text.p + 2, " \t");
	end = line + strcspn(line, "\n");
	if (strncmp(line, "/bin/sh", 7) == 0 && (word = strstr(end, "'''exec' "))) {
		word += 9;
		if (*word == '"')
			word++;
		found = tg_strndup(word, strcspn(word, "\"\n "));
	} else {
		found = tg_strndup(line, strcspn(line, " \t\r\n"));
		if (strcmp(tg_path_base(found), "env") == 0) {
			word = line + strlen(found);
			word += strspn(word, " \t");
			word = tg_strndup(word, strcspn(word, " \t\r\n"));
			free(found);
			found = tg_which(word);
			free(word);
		}
	}
	if (found && (found[0] != '/' || access(found, X_OK) != 0)) {
		free(found);
		found = NULL;
	}
out:
	tg_buf_fini(&text);
	return found;
}

static bool version_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '+';
}

/* The text without its colours; then the word after "version". */
char *tg_mini_banner_version(const char *text, size_t n)
{
	struct tg_buf plain = TG_BUF_INIT;
	char *at, *version = NULL;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\033' && i + 1 < n && text[i + 1] == '[') {
			for (i += 2; i < n && !(text[i] >= '@' && text[i] <= '~'); i++)
				;
			continue;
		}
		if (text[i])
			tg_buf_addc(&plain, text[i]);
	}
	/* other words of the banner say "version" too: the one that a number follows */
	for (at = strstr(tg_buf_cstr(&plain), "version "); at && !version; at = strstr(at, "version ")) {
		at += 8;
		for (len = 0; version_char(at[len]); len++)
			;
		while (len && at[len - 1] == '.')
			len--;
		if (len && at[0] >= '0' && at[0] <= '9')
			version = tg_strndup(at, len);
	}
	tg_buf_fini(&plain);
	return version;
}

int tg_mini_major(const char *version)
{
	if (version && (version[0] == '1' || version[0] == '2') && version[1] == '.')
		return version[0] - '0';
	return 0;
}

static char *ask(const char *const *argv)
{
	struct tg_proc_result r;
	char *version = NULL;

	if (tg_proc_run(&(struct tg_spawn){ .argv = argv, .merge_err = true }, NULL, 0, ASK_MS,
			1 << 16, &r, NULL) && !r.timed_out)
		version = tg_mini_banner_version(tg_buf_cstr(&r.out), r.out.n);
	tg_proc_result_fini(&r);
	return version;
}

static char *python_version(const char *python)
{
	const char *const argv[] = { python, "--version", NULL };
	struct tg_proc_result r;
	char *line = NULL;

	if (tg_proc_run(&(struct tg_spawn){ .argv = argv, .merge_err = true }, NULL, 0, 10000, 4096,
			&r, NULL))
		line = tg_text_line(tg_buf_cstr(&r.out), strcspn(tg_buf_cstr(&r.out), "\n"), 80);
	tg_proc_result_fini(&r);
	return line ? line : tg_strdup("");
}

/* No script in PATH: perhaps a Python in it that has the package (a venv without its bin in PATH). */
static bool by_module(struct tg_spec *spec)
{
	static const char *const names[] = { "python3", "python" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *python = tg_which(names[i]), *version = NULL;
		const char *const argv[] = { python, "-c", version_code, NULL };

		if (python)
			version = ask(argv);
		if (version) {
			char *pv = python_version(python);

			tg_mini_note_tool(spec, TG_MINI_SCRIPT, python, version);
			tg_mini_note_tool(spec, TG_MINI_PYTHON, python, pv);
			free(pv);
		}
		free(python);
		free(version);
		if (tg_mini_tool(spec, TG_MINI_SCRIPT))
			return true;
	}
	return false;
}

static bool by_script(struct tg_spec *spec, const char *script, struct tg_err *err)
{
	char *python = tg_mini_interpreter(script), *version = NULL, *pv;
	const char *const by_python[] = { python, "-c", version_code, NULL };
	const char *const by_banner[] = { script, "--help", NULL };

	if (python && strstr(tg_path_base(python), "python"))
		version = ask(by_python);
	if (!version)
		version = ask(by_banner);
	if (!version) {
		free(python);
		return tg_fail(err, TG_E_MACHINE,
			       "agent mini: %s does not say which mini-swe-agent it is; run `%s --help`"
			       " and mend what it reports", script, script);
	}
	tg_mini_note_tool(spec, TG_MINI_SCRIPT, script, version);
	if (python) {
		pv = python_version(python);
		tg_mini_note_tool(spec, TG_MINI_PYTHON, python, pv);
		free(pv);
	}
	free(python);
	free(version);
	return true;
}

bool tg_mini_find(struct tg_spec *spec, struct tg_err *err)
{
	char *script = tg_which("mini-extra");
	const struct tg_tool *t;
	bool ok;

	if (!script)
		script = tg_which("mini-e");
	ok = script ? by_script(spec, script, err) : by_module(spec);
	if (!ok && !script)
		tg_fail(err, TG_E_MACHINE,
			"agent mini: no mini-extra in PATH; activate the environment that holds "
			"mini-swe-agent (source .venv/bin/activate), or pip install mini-swe-agent");
	free(script);
	if (!ok)
		return false;
	t = tg_mini_tool(spec, TG_MINI_SCRIPT);
	if (!tg_mini_major(t->version))
		return tg_fail(err, TG_E_MACHINE,
			       "agent mini: %s is mini-swe-agent %s; versions 1.x and 2.x are known",
			       t->path, t->version);
	return true;
}
