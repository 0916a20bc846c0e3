/* The sender's side: putting a command into the inbox, asking whether a runner lives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "core/lib/file.h"
#include "core/lib/json.h"
#include "core/lib/text.h"
#include "core/run/layout.h"
#include "core/run/lock.h"
#include "core/runner/runner.h"

static bool make_uuid(char out[37], struct tg_err *err)
{
	unsigned char b[16];

	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return tg_fail(err, TG_E_MACHINE, "no random numbers for a command's id");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 4122, version 4 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0, at = 0; i < sizeof b; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		at += (size_t)snprintf(out + at, 37 - at, "%02x", b[i]);
	}
	return true;
}

bool tg_inbox_post(const char *run_dir, const char *verb, struct cJSON *args, char req[37],
		   struct tg_err *err)
{
	char *control = tg_layout_control(run_dir, ""),
	     *inbox = tg_layout_control(run_dir, "inbox");
	char name[48], host[72] = "", *path = NULL;
	struct tg_buf text = TG_BUF_INIT;
	struct cJSON *o = tg_json_object();
	bool ok;

	tg_json_set(o, "args", args ? args : tg_json_object());
	ok = tg_is_dir(control) ||
	     tg_fail(err, TG_E_INPUT, "%s is no run directory of tgmon", run_dir);
	ok = ok && make_uuid(req, err) && tg_mkdirs(inbox, 0700, err);
	if (ok) {
		if (gethostname(host, sizeof host - 1) != 0)
			host[0] = '\0';
		tg_json_set_str(o, "schema", "tgmon.cmd.v1");
		tg_json_set_str(o, "req", req);
		tg_json_set_str(o, "verb", verb);
		tg_json_set_str(o, "host", host);
		tg_json_set_int(o, "pid", getpid());
		tg_json_print(o, TG_JSON_PY, &text);
		snprintf(name, sizeof name, "%s.json", req);
		path = tg_path_join(inbox, name);
		ok = tg_file_write(path, text.p, text.n, 0600, err);
	}
	tg_json_free(o);
	tg_buf_fini(&text);
	free(path);
	free(control);
	free(inbox);
	return ok;
}

bool tg_runner_alive(const char *run_dir, char who[128])
{
	char *path = tg_layout_control(run_dir, "lock"), *line;
	struct tg_buf text = TG_BUF_INIT;
	bool held = tg_lock_held(path);

	if (who)
		who[0] = '\0';
	if (held && who && tg_file_read(path, 1 << 12, &text, NULL)) {
		while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\0'))
			text.n--;
		line = tg_text_line(tg_buf_cstr(&text), text.n, 120);
		snprintf(who, 128, "%s", line);
		free(line);
	}
	tg_buf_fini(&text);
	free(path);
	return held;
}
