#ifndef TG_KEYS_H
#define TG_KEYS_H
/*
 * Keys and commands. A key is a Unicode code point, a control character, or TG_KEY_*. The key map
 * holds one trie of chords a scope, made from commands.def; a view asks with its scopes, narrowest
 * first.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/lib/buf.h"

enum tg_key {
	TG_KEY_NONE = 0,
	TG_KEY_ESC = 27,
	TG_KEY_SPECIAL = 0x110000, /* above Unicode */
	TG_KEY_UP, TG_KEY_DOWN, TG_KEY_LEFT, TG_KEY_RIGHT, TG_KEY_PGUP, TG_KEY_PGDN, TG_KEY_HOME,
	TG_KEY_END, TG_KEY_ENTER, TG_KEY_BACKSPACE, TG_KEY_DELETE, TG_KEY_TAB, TG_KEY_F1
};

enum tg_scope {
	TG_SCOPE_ANY,
	TG_SCOPE_INSTANCES,
	TG_SCOPE_RUNS,
	TG_SCOPE_PATCH,
	TG_SCOPE_LOG,
	TG_SCOPE_ATTEMPT,
	TG_SCOPE_PAGER,
	TG_SCOPE_COUNT
};

enum { TG_CMD_MUTATES = 1, TG_CMD_HINT = 2 };

enum tg_cmd {
	TG_CMD_NONE,
#define TG_CMD(id, name, scope, keys, flags, help) TG_CMD_##id,
#include "tui/commands.def"
#undef TG_CMD
	TG_CMD_COUNT,
	TG_CMD_PENDING /* a chord has begun */
};

struct tg_command {
	const char *name;
	enum tg_scope scope;
	const char *keys;
	unsigned flags;
	const char *help;
};

const struct tg_command *tg_command(enum tg_cmd cmd);

struct tg_keymap;

struct tg_keymap *tg_keymap_new(void); /* the default keys */
void tg_keymap_free(struct tg_keymap *km);
/* Feed one key; scopes ends with TG_SCOPE_ANY. TG_CMD_NONE: the key (or the chord so far) means
 * nothing. */
enum tg_cmd tg_keymap_feed(struct tg_keymap *km, const enum tg_scope *scopes, uint32_t key);
/* A chord that has begun is given up. */
void tg_keymap_cancel(struct tg_keymap *km);
/* Parse one key name ("j", "C-f", "PgDn", "Esc"); 0 when it is none. */
uint32_t tg_key_parse(const char *name, size_t n);
/* The first of a command's keys, as help and hints show it. */
void tg_command_key(enum tg_cmd cmd, char *out, size_t cap);

#endif
