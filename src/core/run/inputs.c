/*
 * Are the inputs of a run still what run.json froze? The journal is asked for two things: the
 * digest of run.json itself, and amendments of the config, which are changes on the record.
 */
#include "core/run/spec.h"

#include <stdlib.h>
#include <string.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"
#include "core/lib/hash.h"
#include "core/lib/json.h"
#include "core/run/journal.h"
#include "core/run/layout.h"

struct on_record {
	char *run_sha256;
	char *config_path, *config_sha256, *config_frozen; /* of the last amendment */
};

static void replace(char **to, const char *s)
{
	free(*to);
	*to = tg_strdup(s);
}

static bool note_record(void *user, const struct tg_record *rec, struct tg_err *err)
{
	struct on_record *r = user;

	(void)err;
	if (strcmp(rec->ev, "run.open") == 0 && r->run_sha256 == NULL)
		replace(&r->run_sha256, tg_json_str(rec->body, "run_sha256"));
	if (strcmp(rec->ev, "amend") == 0 && tg_streq(tg_json_str(rec->body, "what"), "config")) {
		replace(&r->config_path, tg_json_str(rec->body, "path"));
		replace(&r->config_sha256, tg_json_str(rec->body, "new_sha256"));
		replace(&r->config_frozen, tg_json_str(rec->body, "frozen"));
	}
	return true;
}

static bool read_record(const char *run, struct on_record *r, struct tg_err *err)
{
	struct tg_journal_reader *reader = tg_journal_reader_new(run, err);
	bool ok = reader != NULL && tg_journal_read(reader, note_record, r, NULL, err);

	tg_journal_reader_free(reader);
	return ok;
}

/* A file that is gone is no change when our own copy is there (must == false). */
static bool same(const char *what, const char *path, const char *want, bool must,
		 const char *way_on, struct tg_err *err)
{
	char got[TG_SHA256_HEX];

	if (path == NULL || want == NULL)
		return true;
	if (!tg_file_exists(path)) {
		if (!must)
			return true;
		return tg_fail(err, TG_E_INPUT, "%s of this run is gone: %s. %s", what, path,
			       way_on);
	}
	if (!tg_sha256_file(path, got, NULL, err))
		return tg_fail_in(err, "%s of this run cannot be read", what);
	if (strcmp(got, want) == 0)
		return true;
	return tg_fail(err, TG_E_INPUT, "%s of this run changed: %s was sha256 %.12s..., is "
		       "%.12s.... %s", what, path, want, got, way_on);
}

static bool check_ref(const char *what, const struct tg_digest_ref *r, const char *run,
		      const char *way_on, struct tg_err *err)
{
	bool ok = true;

	if (r->frozen != NULL) {
		char *path = tg_path_join(run, r->frozen);

		ok = same(what, path, r->frozen_sha256 ? r->frozen_sha256 : r->sha256, true,
			  "This is the run's own copy: put it back, or start a new run.", err);
		free(path);
	}
	return ok && same(what, r->path, r->sha256, r->frozen == NULL, way_on, err);
}

#define NEW_RUN "Put the old file back, or start a new run."
#define AMEND "Put the old file back, record the change with 'tgmon rerun RUN --config FILE', or " \
	      "start a new run."

/* Does a command wait in the inbox that will put a mended config on the record? Then the file that it
 * mends may well be the one that was frozen: `tgmon rerun RUN --config` is how a change is told. */
static bool amendment_waits(const char *run)
{
	char *inbox = tg_layout_control(run, "inbox");
	struct tg_names names = { 0 };
	bool waits = false;

	if (!tg_dir_list(inbox, &names, NULL))
		names.n = 0;
	for (size_t i = 0; i < names.n && !waits; i++) {
		struct tg_buf text = TG_BUF_INIT;
		struct cJSON *v = NULL;

		if (tg_ends_with(names.v[i], ".json") &&
		    tg_file_read_beneath(inbox, names.v[i], 1 << 20, &text, NULL))
			v = tg_json_parse(text.p, text.n, names.v[i], NULL, NULL);
		waits = tg_streq(tg_json_str(v, "verb"), "rerun") &&
			tg_json_text(tg_json_path(v, "args.config")) != NULL;
		tg_json_free(v);
		tg_buf_fini(&text);
	}
	tg_names_free(&names);
	free(inbox);
	return waits;
}

static bool check_config(const struct tg_spec *s, const char *run, const struct on_record *rec,
			 struct tg_err *err)
{
	struct tg_digest_ref was = s->config, now;
	bool waits = amendment_waits(run), ok;

	/* Amended: the first copy stays evidence, the file at launch is no longer an input. */
	if (rec->config_sha256 != NULL || waits)
		was.path = NULL;
	if (rec->config_sha256 == NULL)
		return check_ref("config", &was, run, AMEND, err);
	now = (struct tg_digest_ref){ .path = waits ? NULL : rec->config_path,
				      .sha256 = rec->config_sha256, .frozen = rec->config_frozen };
	if (now.frozen != NULL && !tg_path_is_safe_relative(now.frozen))
		now.frozen = NULL;
	now.path = now.path != NULL && now.path[0] == '/' ? tg_strdup(now.path)
		   : now.path != NULL ? tg_path_join(run, now.path) : NULL;
	ok = check_ref("config", &was, run, AMEND, err) &&
	     check_ref("config (as amended)", &now, run, AMEND, err);
	free(now.path);
	return ok;
}

/* What was frozen is read again from run.json, whose own digest comes first: the caller's copy may
 * have been brought up to date with an amendment already. */
bool tg_spec_check_inputs(const struct tg_spec *s, const char *run, struct tg_err *err)
{
	struct on_record rec = { 0 };
	struct tg_spec was = { 0 };
	char *path = tg_layout_control(run, "run.json");
	bool ok = read_record(run, &rec, err);

	(void)s;
	ok = ok && same("run.json", path, rec.run_sha256, true, NEW_RUN, err);
	ok = ok && tg_spec_load(&was, run, NULL, err);
	ok = ok && check_ref("data set", &was.dataset, run, NEW_RUN, err);
	ok = ok && check_config(&was, run, &rec, err);
	ok = ok && check_ref("policy", &was.policy, run, NEW_RUN, err);
	ok = ok && check_ref("evaluation results", &was.eval_results, run, NEW_RUN, err);
	tg_spec_fini(&was);
	free(path);
	free(rec.run_sha256);
	free(rec.config_path);
	free(rec.config_sha256);
	free(rec.config_frozen);
	return ok;
}
