/* Lines about the machine, good and bad, with planted facts. */
#include "planted.h"

static const char wsl2[] = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f)";

static void nothing_is_wrong(void **state)
{
	struct planted *p = *state;

	tg_doctor_check(&p->d, &p->ask, &p->f);
	for (size_t i = 0; i < p->d.n; i++)
		if (p->d.v[i].state != OK)
			fail_msg("%s: %s", p->d.v[i].id, p->d.v[i].text);
	assert_int_equal(tg_doctor_exit(&p->d, false), 0);
	assert_true(p->d.n >= 25);
}

static void run_directory(void **state)
{
	static const char *const shared[] = { "9p", "nfs", "cifs", "drvfs" };
	struct planted *p = *state;

	expect(p, "place", OK, "local file system");
	for (size_t i = 0; i < 4; i++) {
		set_text(&p->f.fs, shared[i]);
		assert_true(expect(p, "place", FAIL, shared[i])->hard);
		assert_int_equal(tg_doctor_exit(&p->d, true),
				 TG_E_INPUT); /* --force does not lift it */
	}
	set_text(&p->f.fs, "tmpfs");
	expect(p, "place", WARN, "reboot");
	set_text(&p->f.fs, "fuse");
	expect(p, "place", WARN, "FUSE");
	set_text(&p->f.fs, "local");
	p->f.place_writable = false;
	expect(p, "place", FAIL, "cannot be written");
}

static void names_of_file_systems(void **state)
{
	(void)state;
	assert_string_equal(tg_fs_name(0x01021997), "9p");
	assert_string_equal(tg_fs_name(0x6969), "nfs");
	assert_string_equal(tg_fs_name(0xEF53), "local");
	assert_string_equal(tg_fs_name((uint64_t)(int64_t)(int32_t)0xFF534D42),
			    "cifs"); /* sign-extended */
}

static void wsl(void **state)
{
	struct planted *p = *state;

	expect_none(p, "wsl");
	set_text(&p->f.kernel, wsl2);
	assert_true(expect(p, "wsl", WARN, "last session")->ends_run);
	assert_non_null(strstr(tg_doctor_find(&p->d, "wsl")->mend, "vmIdleTimeout=-1"));
	set_text(&p->f.kernel, "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)");
	expect(p, "wsl", FAIL, "WSL 1");
}

static void logging_out(void **state)
{
	struct planted *p = *state;

	expect(p, "session", OK, "KillUserProcesses=no");
	p->f.kill_user_processes = TG_YES;
	assert_true(expect(p, "session", WARN, "KillUserProcesses=yes")->ends_run);
	p->f.kill_user_processes = TG_NO;
	set_text(&p->f.cgroup,
		 "0::/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.scope\n");
	expect(p, "session", OK, NULL);
	p->f.linger = TG_NO;
	expect(p, "session", WARN, "linger is off");
	assert_string_equal(tg_doctor_find(&p->d, "session")->mend, "loginctl enable-linger mo");
	p->f.systemd = TG_NO;
	expect(p, "session", OK, "no systemd");
	p->f.systemd = TG_UNKNOWN;
	expect_none(p, "session");
}

static void logind_conf(void **state)
{
	(void)state;
	assert_int_equal(tg_logind_kills("[Login]\n#KillUserProcesses=yes\n", TG_NO), TG_NO);
	assert_int_equal(tg_logind_kills("[Login]\n KillUserProcesses= Yes \n", TG_NO), TG_YES);
	assert_int_equal(tg_logind_kills("KillUserProcesses=no", TG_YES), TG_NO);
	assert_int_equal(tg_logind_kills("[Login]\nKillOnlyUsers=x\n", TG_YES), TG_YES);
	assert_int_equal(tg_logind_kills(NULL, TG_NO), TG_NO);
}

static void user_name_spaces(void **state)
{
	struct planted *p = *state;

	expect(p, "sandbox", OK, "bubblewrap starts");
	p->f.restricts_userns = TG_YES;
	expect(p, "sandbox", OK, "though");
	p->f.sandbox = TG_NO;
	expect(p, "sandbox", FAIL, "Ubuntu");
	assert_non_null(strstr(tg_doctor_find(&p->d, "sandbox")->mend, "apparmor"));
	p->f.restricts_userns = TG_NO;
	set_text(&p->f.sandbox_error, "bwrap is not installed");
	expect(p, "sandbox", FAIL, "bwrap is not installed");
	assert_int_equal(tg_doctor_exit(&p->d, false), TG_E_MACHINE);
}

static void docker_desktop(void **state)
{
	struct planted *p = *state;

	expect_none(p, "docker-desktop");
	set_text(&p->f.docker_os, "Docker Desktop");
	expect(p, "docker-desktop", WARN, "own machine");
	set_text(&p->f.kernel, wsl2);
	p->f.docker_answers = TG_NO;
	set_text(&p->f.docker_error,
		 "The command 'docker' could not be found in this WSL 2 distro.");
	expect(p, "containers", FAIL, "does not answer");
	assert_non_null(strstr(tg_doctor_find(&p->d, "containers")->mend, "WSL integration"));
}

static void clock_and_locale(void **state)
{
	struct planted *p = *state;

	expect(p, "clock", OK, "2026");
	p->f.clock_synced = TG_NO;
	expect(p, "clock", WARN, "NTP");
	set_text(&p->f.kernel, wsl2); /* Windows keeps it */
	expect(p, "clock", OK, NULL);
	p->f.wall_ms = 1000;
	expect(p, "clock", FAIL, "1970");
	p->f.wall_ms = 7000000000000LL;
	expect(p, "clock", FAIL, NULL);
	expect(p, "locale", OK, "UTF-8");
	set_text(&p->f.charset, "ANSI_X3.4-1968");
	expect(p, "locale", WARN, "ANSI_X3.4-1968");
}

static void terminal(void **state)
{
	struct planted *p = *state;

	expect(p, "terminal", OK, "256");
	set_text(&p->f.colorterm, "truecolor");
	expect(p, "terminal", OK, "all colours");
	set_text(&p->f.colorterm, NULL);
	set_text(&p->f.term, "xterm");
	expect(p, "terminal", WARN, "few colours");
	p->f.no_color = true;
	expect(p, "terminal", OK, "NO_COLOR");
	set_text(&p->f.term, "dumb");
	expect(p, "terminal", WARN, "cannot draw");
	set_text(&p->f.term, NULL);
	expect(p, "terminal", WARN, "not set");
	p->f.tty = false;
	expect_none(p, "terminal");
}

static void limits(void **state)
{
	struct planted *p = *state;

	expect(p, "files", OK, "4096");
	p->f.nofile_soft = 256;
	expect(p, "files", WARN, "256");
	p->f.nofile_hard =
		1024; /* the harness sets soft and hard to 4096, and may not raise them */
	expect(p, "files", FAIL, "4096");
	p->f.root = true;
	expect(p, "files", WARN, NULL);
	expect(p, "inotify", OK, NULL);
	p->f.inotify_watches = 100;
	expect(p, "inotify", WARN, "100");
	p->f.inotify_watches = -1;
	expect_none(p, "inotify");
	p->f.place_free = 10 << 20;
	expect(p, "place-disk", FAIL, "not enough");
	p->f.place_free = 210 << 20;
	expect(p, "place-disk", WARN, "3 instances");
	p->f.place_free = -1;
	expect_none(p, "place-disk");
}

static void the_demo_asks_for_little(void **state)
{
	struct planted *p = *state;

	p->ask = (struct tg_doctor_ask){
		.agent = "replay", .evaluator = "local", .dataset = p->dataset, .repos = p->repos
	};
	set_text(&p->f.python, NULL);
	set_text(&p->f.docker, NULL);
	p->f.docker_answers = TG_UNKNOWN;
	tg_doctor_check(&p->d, &p->ask, &p->f);
	assert_int_equal(p->d.failures, 0);
	assert_null(tg_doctor_find(&p->d, "python"));
	assert_null(tg_doctor_find(&p->d, "containers"));
	assert_null(tg_doctor_find(&p->d, "keys"));
	assert_non_null(tg_doctor_find(&p->d, "sandbox"));
}

static void facts_of_this_machine(void **state)
{
	struct tg_machine f;

	(void)state;
	tg_machine_read(&f, &(struct tg_machine_ask){ .output = "/proc/self/no/such" });
	assert_non_null(strstr(f.kernel, "Linux"));
	assert_string_equal(f.place, "/proc/self");
	assert_true(f.nofile_soft > 0);
	assert_true(f.wall_ms > 0);
	assert_int_not_equal(f.sandbox, TG_UNKNOWN);
	assert_null(f.python); /* no tools were asked for */
	tg_machine_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOOD_AND_BAD(nothing_is_wrong),
		GOOD_AND_BAD(run_directory),
		GOOD_AND_BAD(names_of_file_systems),
		GOOD_AND_BAD(wsl),
		GOOD_AND_BAD(logging_out),
		GOOD_AND_BAD(logind_conf),
		GOOD_AND_BAD(user_name_spaces),
		GOOD_AND_BAD(docker_desktop),
		GOOD_AND_BAD(clock_and_locale),
		GOOD_AND_BAD(terminal),
		GOOD_AND_BAD(limits),
		GOOD_AND_BAD(the_demo_asks_for_little),
		GOOD_AND_BAD(facts_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
