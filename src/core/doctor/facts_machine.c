/* The machine itself, the folder that gets the run, the names of keys (facts.h). */
#include <errno.h>
#include <langinfo.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "core/doctor/facts.h"
#include "core/lib/clock.h"
#include "core/lib/sandbox.h"
#include "core/run/layout.h"
#include "core/run/spec.h"

#define MAX_EARLIER 200

extern char **environ;

static char *read_text(const char *path)
{
	struct tg_buf b = TG_BUF_INIT;

	if (!tg_file_read(path, 1 << 20, &b, NULL)) {
		tg_buf_fini(&b);
		return NULL;
	}
	return tg_buf_detach(&b);
}

static int64_t read_number(const char *path, int64_t otherwise)
{
	char *text = read_text(path);
	int64_t v = otherwise;

	if (text) {
		text[strcspn(text, "\n")] = '\0';
		if (!tg_parse_i64(text, &v))
			v = otherwise;
	}
	free(text);
	return v;
}

static enum tg_yes yes_no(bool yes)
{
	return yes ? TG_YES : TG_NO;
}

/* ---- sessions ------------------------------------------------------------------------- */

enum tg_yes tg_logind_kills(const char *text, enum tg_yes before)
{
	static const char key[] = "KillUserProcesses=";
	const char *const yes[] = { "yes", "true", "1", "on" };

	for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		char *value;

		p += strspn(p, " \t\n");
		if (!tg_starts_with(p, key))
			continue;
		p += strlen(key);
		p += strspn(p, " \t");
		value = tg_strndup(p, strcspn(p, " \t\r\n"));
		before = TG_NO;
		for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
			if (!strcasecmp(value, yes[i]))
				before = TG_YES;
		free(value);
	}
	return before;
}

/* logind.conf, then the drop-ins; those of /etc stand over /run over /usr/lib by name, and which of
 * two names wins hardly matters here: any "yes" that is not taken back is worth a line. */
static enum tg_yes logind_kills(void)
{
	static const char *const folders[] = { "/usr/lib/systemd/logind.conf.d",
					       "/run/systemd/logind.conf.d",
					       "/etc/systemd/logind.conf.d" };
	char *text = read_text("/etc/systemd/logind.conf");
	enum tg_yes kills = tg_logind_kills(text, TG_NO); /* the default since it exists */

	free(text);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		struct tg_names names = { 0 };

		if (!tg_dir_list(folders[i], &names, NULL))
			continue;
		for (size_t j = 0; j < names.n; j++) {
			char *path = tg_path_join(folders[i], names.v[j]);

			text = tg_ends_with(path, ".conf") ? read_text(path) : NULL;
			kills = tg_logind_kills(text, kills);
			free(text);
			free(path);
		}
		tg_names_free(&names);
	}
	return kills;
}

static void read_session(struct tg_machine *f)
{
	struct passwd *pw = getpwuid(getuid());
	char *linger;

	f->root = geteuid() == 0;
	f->user = tg_strdup(pw ? pw->pw_name : NULL);
	f->cgroup = read_text("/proc/self/cgroup");
	f->systemd = yes_no(tg_is_dir("/run/systemd/system"));
	if (f->systemd != TG_YES || !f->user)
		return;
	f->kill_user_processes = logind_kills();
	linger = tg_path_join("/var/lib/systemd/linger", f->user);
	f->linger = yes_no(tg_file_exists(linger));
	free(linger);
}

/* ---- limits, clock, terminal ---------------------------------------------------------- */

static int64_t limit_of(rlim_t v)
{
	return v == RLIM_INFINITY || v > (rlim_t)INT64_MAX ? INT64_MAX : (int64_t)v;
}

/* WSL mounts the Windows disk from a source named after its drive. */
static int64_t windows_free(void)
{
	char *mounts = read_text("/proc/mounts"), *at = NULL, *where;
	struct statvfs v;
	int64_t n = -1;

	if (mounts)
		at = tg_starts_with(mounts, "C:") ? mounts : strstr(mounts, "\nC:");
	if (at) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
		where = tg_strndup(at, strcspn(at, " \n"));
		if (statvfs(where, &v) == 0)
			n = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
		free(where);
	}
	free(mounts);
	return n;
}

static enum tg_yes userns_restricted(void)
{
	const char *const off[] = { "/proc/sys/kernel/unprivileged_userns_clone",
				    "/proc/sys/user/max_user_namespaces" };

	if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
		return TG_YES;
	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		if (read_number(off[i], -1) == 0)
			return TG_YES;
	return TG_NO;
}

void tg_machine_basics(struct tg_machine *f)
{
	struct timex tx = { 0 };
	struct rlimit r;
	struct tg_err err = { 0 };
	int state = adjtimex(&tx);

	f->kernel = read_text("/proc/version");
	f->wall_ms = tg_wall_ms();
	f->clock_synced = state < 0 ? TG_UNKNOWN : yes_no(!(tx.status & STA_UNSYNC));
	f->charset = tg_strdup(nl_langinfo(CODESET));
	f->term = tg_strdup(getenv("TERM"));
	f->colorterm = tg_strdup(getenv("COLORTERM"));
	f->no_color = getenv("NO_COLOR") && *getenv("NO_COLOR");
	f->tty = isatty(STDOUT_FILENO);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		f->nofile_soft = limit_of(r.rlim_cur);
		f->nofile_hard = limit_of(r.rlim_max);
	}
	f->inotify_watches = read_number("/proc/sys/fs/inotify/max_user_watches", -1);
	read_session(f);
	f->restricts_userns = userns_restricted();
	f->sandbox = yes_no(tg_sandbox_check(&err));
	if (f->sandbox == TG_NO)
		f->sandbox_error = tg_strdup(err.msg);
	if (f->kernel && strcasestr(f->kernel, "microsoft"))
		f->windows_free = windows_free();
}

/* ---- the run's folder ----------------------------------------------------------------- */

const char *tg_fs_name(uint64_t type)
{
	static const struct {
		uint64_t type;
		const char *name;
	} known[] = {
		{ 0x01021997, "9p" },	  { 0x6969, "nfs" },	  { 0xFF534D42, "cifs" },
		{ 0xFE534D42, "smb2" },	  { 0x517B, "smb" },	  { 0x53464846, "drvfs" },
		{ 0x00C36400, "ceph" },	  { 0x0BD00BD0, "lustre" }, { 0x5346414F, "afs" },
		{ 0x65735546, "fuse" },	  { 0x01021994, "tmpfs" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].type == (type & 0xFFFFFFFF))
			return known[i].name;
	return "local";
}

static void note_earlier(struct tg_machine *f, const char *run_dir)
{
	struct tg_spec s;
	struct tg_earlier *e;

	if (!tg_spec_load(&s, run_dir, NULL, NULL))
		return;
	f->earlier = tg_realloc(f->earlier, (f->earlier_n + 1) * sizeof *f->earlier);
	e = &f->earlier[f->earlier_n++];
	*e = (struct tg_earlier){ .run_id = tg_strdup(tg_path_base(run_dir)),
				  .tag = tg_strdup(s.tag),
				  .model_id = tg_strdup(s.model_id),
				  .slice = tg_strdup(s.slice),
				  .config_sha256 = tg_strdup(s.config.sha256),
				  .dataset_sha256 = tg_strdup(s.dataset.sha256) };
	tg_spec_fini(&s);
}

static void read_earlier(struct tg_machine *f)
{
	struct tg_names names = { 0 };

	if (!tg_dir_list(f->place, &names, NULL))
		return;
	for (size_t i = 0; i < names.n && f->earlier_n < MAX_EARLIER; i++) {
		char *dir = tg_path_join(f->place, names.v[i]);

		if (tg_starts_with(names.v[i], "msa_"))
			note_earlier(f, dir);
		free(dir);
	}
	tg_names_free(&names);
}

void tg_machine_place(struct tg_machine *f, const char *output)
{
	char *path = tg_path_abs(output ? output : ".");
	bool whole = true;
	struct statfs fs;

	while (!tg_is_dir(path) && strcmp(path, "/") != 0) {
		char *up = tg_path_dir(path);

		free(path);
		path = up;
		whole = false;
	}
	f->place = path;
	f->fs = NULL;
	f->place_writable = access(path, W_OK) == 0;
	if (statfs(path, &fs) == 0) {
		f->fs = tg_strdup(tg_fs_name((uint64_t)fs.f_type));
		f->place_free = (int64_t)fs.f_bavail * (int64_t)fs.f_bsize;
	}
	if (whole)
		read_earlier(f);
}

/* ---- keys: names only ------------------------------------------------------------------ */

void tg_dotenv_names(const char *text, size_t n, struct tg_names *out)
{
	static const char name[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	const char *end = text + n;

	for (const char *p = text; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end, *q = p;
		size_t len;

		while (q < stop && strchr(" \t", *q))
			q++;
		if (stop - q > 7 && !strncmp(q, "export ", 7))
			q += 7;
		len = q < stop ? strspn(q, name) : 0;
		if (len && q + len < stop) {
			const char *v = q + len;

			while (v < stop && strchr(" \t", *v))
				v++;
			if (v < stop && *v++ == '=') {
				while (v < stop && strchr(" \t\r'\"", *v))
					v++;
				if (v < stop)
					tg_names_add(out, q, len);
			}
		}
		p = stop + 1;
	}
}

void tg_machine_keys(struct tg_machine *f)
{
	const char *dir = getenv("MSWEA_GLOBAL_CONFIG_DIR"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	struct tg_buf b = TG_BUF_INIT;

	for (char **e = environ; *e; e++) {
		size_t n = strcspn(*e, "=");

		if ((*e)[n] == '=' && (*e)[n + 1])
			tg_names_add(&f->env, *e, n);
	}
	if (dir && *dir)
		f->dotenv_path = tg_path_join(dir, ".env");
	else if (xdg && *xdg)
		f->dotenv_path = tg_path_join(xdg, "mini-swe-agent/.env");
	else if (home && *home)
		f->dotenv_path = tg_path_join(home, ".config/mini-swe-agent/.env");
	if (f->dotenv_path && tg_file_read(f->dotenv_path, 1 << 20, &b, NULL)) {
		tg_dotenv_names(tg_buf_cstr(&b), b.n, &f->dotenv);
		explicit_bzero(b.p, b.n);
	}
	tg_buf_fini(&b);
}
