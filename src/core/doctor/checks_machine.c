/* The machine: where the run lies, what ends it, clock, limits (checks.h). */
#include <stdlib.h>
#include <string.h>
#include "core/doctor/checks.h"
#include "core/lib/clock.h"

#define OK TG_DOCTOR_OK
#define WARN TG_DOCTOR_WARNING
#define FAIL TG_DOCTOR_FAILURE

static bool is_wsl(const struct tg_machine *f)
{
	return f->kernel && strcasestr(f->kernel, "microsoft");
}

void tg_check_place(const struct tg_exam *x, struct tg_doctor_line *l)
{
	static const char *const refused[] = { "9p",	"nfs", "cifs", "smb2",	"smb",
					       "drvfs", "afs", "ceph", "lustre" };
	const struct tg_machine *f = x->f;
	bool bad = false;

	if (!f->fs) {
		tg_say(l, WARN, NULL, "%s: its file system cannot be asked",
		       f->place ? f->place : "?");
		return;
	}
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		bad = bad || !strcmp(refused[i], f->fs);
	if (bad)
		tg_say(l, FAIL,
		       "tgmon run --output ~/runs ...   (a folder on this machine's own disk)",
		       "%s lies on %s: locks and the journal's order of writes do not hold there; "
		       "the run "
		       "directory must be on a local file system%s",
		       f->place, f->fs, is_wsl(f) ? " (in WSL: not on a Windows disk)" : "");
	else if (!f->place_writable)
		tg_say(l, FAIL, "tgmon run --output ~/runs ...",
		       "%s cannot be written by this user", f->place);
	else if (!strcmp(f->fs, "tmpfs"))
		tg_say(l, WARN, "tgmon run --output ~/runs ...",
		       "%s lies in memory (tmpfs): a reboot takes the run with it", f->place);
	else if (!strcmp(f->fs, "fuse"))
		tg_say(l, WARN, "tgmon run --output ~/runs ...",
		       "%s lies on a FUSE file system: whether its writes are durable is not known",
		       f->place);
	else
		tg_say(l, OK, NULL, "%s is on a local file system", f->place);
}

void tg_check_place_free(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const int64_t least = 200LL << 20,
		      each = 20LL << 20; /* trajectories, trees and logs of one */
	int64_t want = least + (int64_t)x->pick_n * each, have = x->f->place_free;
	char *a = tg_gigabytes(have), *b = tg_gigabytes(want);

	if (have >= 0 && have < least)
		tg_say(l, FAIL, "df -h .", "%s free in %s: not enough for a run", a, x->f->place);
	else if (have >= 0 && have < want)
		tg_say(l, WARN, "df -h .",
		       "%s free in %s; %zu instances may leave up to %s (20 MB each)", a,
		       x->f->place, x->pick_n, b);
	else if (have >= 0)
		tg_say(l, OK, NULL, "%s free in %s", a, x->f->place);
	free(a);
	free(b);
}

void tg_check_wsl(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;

	if (!f->kernel || !is_wsl(f))
		return;
	if (!strcasestr(f->kernel, "WSL2")) {
		l->ends_run = false;
		tg_say(l, FAIL, "wsl.exe --set-version DISTRIBUTION 2   (in PowerShell)",
		       "this is WSL 1: it has neither Docker nor the name spaces of the sandbox");
		return;
	}
	tg_say(l, WARN,
	       "in %UserProfile%\\.wslconfig: [general] instanceIdleTimeout=-1 and [wsl2] "
	       "vmIdleTimeout=-1, then once: wsl.exe --shutdown",
	       "Windows stops this WSL2 system soon after its last session ends, and the run with "
	       "it (it can be "
	       "resumed); whether .wslconfig says otherwise cannot be seen from here");
}

/* A process of a login session is killed at logout when logind says so; one below the user manager
 * lives as long as that does: to the last logout, or on with linger. */
void tg_check_session(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;
	const char *user = f->user ? f->user : "USER";
	bool manager = f->cgroup && strstr(f->cgroup, "/user@");
	bool session = f->cgroup && strstr(f->cgroup, "/session-");

	if (f->systemd != TG_YES) {
		if (f->systemd == TG_NO)
			tg_say(l, OK, NULL, "no systemd here that would end what a login started");
		return;
	}
	if (session && f->kill_user_processes == TG_YES && !f->root)
		tg_say_take(
			l, WARN,
			tg_asprintf(
				"loginctl enable-linger %s && systemd-run --user --scope tgmon "
				"run ...   (or KillUserProcesses=no in /etc/systemd/logind.conf)",
				user),
			"KillUserProcesses=yes: logging out kills the runner and every agent (the "
			"run can "
			"be resumed)");
	else if (manager && f->linger == TG_NO)
		tg_say_take(l, WARN, tg_asprintf("loginctl enable-linger %s", user),
			    "this shell belongs to the user manager, which ends with the last "
			    "logout: linger is "
			    "off, so the run ends too (it can be resumed)");
	else
		tg_say(l, OK, NULL,
		       "logging out does not end a run (KillUserProcesses=%s, linger %s)",
		       f->kill_user_processes == TG_YES ? "yes" : "no",
		       f->linger == TG_YES ? "on" : "off");
}

void tg_check_userns(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;

	if (f->sandbox == TG_YES)
		tg_say(l, OK, NULL, "bubblewrap starts%s",
		       f->restricts_userns == TG_YES ? ", though user namespaces are restricted"
						     : "");
	else if (f->sandbox == TG_NO && f->restricts_userns == TG_YES)
		tg_say(l, FAIL,
		       "sudo apt install apparmor-profiles && sudo ln -s /usr/share/apparmor/"
		       "extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo systemctl "
		       "reload apparmor   "
		       "(or: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)",
		       "the sandbox cannot start, because this system does not let users make user "
		       "namespaces "
		       "(Ubuntu's rule since 23.10); patches are applied, and recorded commands "
		       "run, only in it");
	else if (f->sandbox == TG_NO)
		tg_say(l, FAIL, "sudo apt install bubblewrap", "the sandbox cannot start: %s",
		       f->sandbox_error ? f->sandbox_error : "no reason given");
}

void tg_check_clock(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const int64_t least = 1735689600000LL, most = 4102444800000LL; /* 2025-01-01, 2100-01-01 */
	const struct tg_machine *f = x->f;
	char now[32];

	tg_strftime_utc(f->wall_ms, "%Y-%m-%d %H:%M", now, sizeof now);
	if (f->wall_ms < least || f->wall_ms > most)
		tg_say(l, FAIL, "sudo timedatectl set-ntp true   (WSL: sudo hwclock -s)",
		       "the clock says %s UTC: names, times and certificates of a run would be "
		       "wrong",
		       now);
	else if (f->clock_synced == TG_NO && !is_wsl(f))
		tg_say(l, WARN, "sudo timedatectl set-ntp true",
		       "%s UTC, but the kernel's clock is not kept by NTP: a jump would make "
		       "limits and times "
		       "wrong",
		       now);
	else
		tg_say(l, OK, NULL, "%s UTC%s", now,
		       f->clock_synced == TG_YES ? ", kept by NTP" : "");
}

void tg_check_locale(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const char *c = x->f->charset;

	if (c && (!strcasecmp(c, "UTF-8") || !strcasecmp(c, "utf8")))
		tg_say(l, OK, NULL, "UTF-8");
	else
		tg_say(l, WARN, "export LC_ALL=C.UTF-8",
		       "the character set is %s, not UTF-8: names and lines "
		       "would show as substitutes, and Python may stop at them",
		       c ? c : "unknown");
}

void tg_check_terminal(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;
	const char *t = f->term;

	if (!f->tty) /* nobody watches */
		return;
	if (!t || !*t || !strcmp(t, "dumb"))
		tg_say(l, WARN, "export TERM=xterm-256color   (or --headless)",
		       "TERM is %s: the console cannot draw", t && *t ? t : "not set");
	else if (f->no_color)
		tg_say(l, OK, NULL, "%s, without colours (NO_COLOR)", t);
	else if (f->colorterm &&
		 (!strcmp(f->colorterm, "truecolor") || !strcmp(f->colorterm, "24bit")))
		tg_say(l, OK, NULL, "%s, all colours", t);
	else if (strstr(t, "256color") || strstr(t, "direct"))
		tg_say(l, OK, NULL, "%s, 256 colours", t);
	else
		tg_say(l, WARN, "export TERM=xterm-256color   (where the terminal can)",
		       "%s says few colours: themes fall back to 16 or none; every state keeps its "
		       "letter",
		       t);
}

void tg_check_files(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const struct tg_machine *f = x->f;
	const int64_t least = 1024,
		      harness = 4096; /* run_evaluation's --open_file_limit, soft and hard */

	if (!f->nofile_soft)
		return;
	if (x->harness && f->nofile_hard < harness && !f->root)
		tg_say(l, FAIL,
		       "ulimit -Hn   (raise it in /etc/security/limits.conf: 'USER hard nofile "
		       "65536')",
		       "at most %lld open files are allowed; the harness asks for %lld and ends "
		       "when it does not "
		       "get them",
		       (long long)f->nofile_hard, (long long)harness);
	else if (f->nofile_soft < least)
		tg_say(l, WARN, "ulimit -n 4096",
		       "%lld open files at once: few for several workers",
		       (long long)f->nofile_soft);
	else
		tg_say(l, OK, NULL, "%lld at once", (long long)f->nofile_soft);
}

void tg_check_inotify(const struct tg_exam *x, struct tg_doctor_line *l)
{
	const int64_t least = 8192;

	if (x->f->inotify_watches < 0)
		return;
	if (x->f->inotify_watches < least)
		tg_say(l, WARN, "sudo sysctl -w fs.inotify.max_user_watches=65536",
		       "%lld watches: when they run out, runs are watched by asking again, which "
		       "is slower",
		       (long long)x->f->inotify_watches);
	else
		tg_say(l, OK, NULL, "%lld", (long long)x->f->inotify_watches);
}
