#include "tui/keys.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/text.h"

#define MAX_CHORD 4

static const struct tg_command commands[TG_CMD_COUNT] = {
#define TG_CMD(id, name, scope, keys, flags, help) \
	[TG_CMD_##id] = { name, TG_SCOPE_##scope, keys, flags, help },
#include "tui/commands.def"
#undef TG_CMD
};

static const struct {
	const char *name;
	uint32_t key;
} key_names[] = {
	{ "Up", TG_KEY_UP },
	{ "Down", TG_KEY_DOWN },
	{ "Left", TG_KEY_LEFT },
	{ "Right", TG_KEY_RIGHT },
	{ "PgUp", TG_KEY_PGUP },
	{ "PgDn", TG_KEY_PGDN },
	{ "Home", TG_KEY_HOME },
	{ "End", TG_KEY_END },
	{ "Enter", TG_KEY_ENTER },
	{ "Backspace", TG_KEY_BACKSPACE },
	{ "Delete", TG_KEY_DELETE },
	{ "Tab", TG_KEY_TAB },
	{ "F1", TG_KEY_F1 },
	{ "Esc", TG_KEY_ESC },
	{ "Space", ' ' },
	{ "Comma", ',' },
};

struct node {
	uint32_t key;
	enum tg_cmd cmd;
	int child, next; /* indexes; 0: none (0 is never a child) */
};

struct tg_keymap {
	struct node *node;
	int n, cap;
	uint32_t chord[MAX_CHORD];
	int chord_n;
};

const struct tg_command *tg_command(enum tg_cmd cmd)
{
	assert(cmd > TG_CMD_NONE && cmd < TG_CMD_COUNT);
	return &commands[cmd];
}

uint32_t tg_key_parse(const char *name, size_t n)
{
	uint32_t cp;
	for (size_t i = 0; i < sizeof key_names / sizeof key_names[0]; i++)
		if (strlen(key_names[i].name) == n && !memcmp(key_names[i].name, name, n))
			return key_names[i].key;
	if (n == 3 && name[0] == 'C' && name[1] == '-' && name[2] >= 'a' && name[2] <= 'z')
		return (uint32_t)(name[2] - 'a' + 1);
	if (n == 0 || tg_utf8_next(name, n, &cp) != n || cp < 0x20 || cp == 0x7f || cp > 0x10ffff)
		return TG_KEY_NONE;
	return cp;
}

static int add_node(struct tg_keymap *km, uint32_t key)
{
	TG_GROW(km->node, km->n, km->cap);
	km->node[km->n] = (struct node){ .key = key };
	return km->n++;
}

static int find_child(const struct tg_keymap *km, int parent, uint32_t key)
{
	for (int i = km->node[parent].child; i; i = km->node[i].next)
		if (km->node[i].key == key)
			return i;
	return 0;
}

/* One alternative, "g g", into the trie under `at`. */
static void bind(struct tg_keymap *km, int at, const char *p, size_t n, enum tg_cmd cmd)
{
	for (size_t i = 0; i < n;) {
		size_t len = 0;
		while (i + len < n && p[i + len] != ' ')
			len++;
		uint32_t key = tg_key_parse(p + i, len);
		assert(key != TG_KEY_NONE);
		int child = find_child(km, at, key);
		if (!child) {
			child = add_node(km, key);
			km->node[child].next = km->node[at].child;
			km->node[at].child = child;
		}
		at = child;
		i += len + 1;
	}
	assert(km->node[at].cmd == TG_CMD_NONE); /* one key, one command */
	km->node[at].cmd = cmd;
}

struct tg_keymap *tg_keymap_new(void)
{
	struct tg_keymap *km = tg_calloc(1, sizeof *km);
	for (int s = 0; s < TG_SCOPE_COUNT; s++)
		add_node(km, 0); /* the roots: node s is scope s */
	for (int c = 1; c < TG_CMD_COUNT; c++) {
		const char *p = commands[c].keys;
		while (*p) {
			size_t n = strcspn(p, ",");
			bind(km, (int)commands[c].scope, p, n, (enum tg_cmd)c);
			p += n + (p[n] == ',');
		}
	}
	return km;
}

void tg_keymap_free(struct tg_keymap *km)
{
	if (!km)
		return;
	free(km->node);
	free(km);
}

void tg_keymap_cancel(struct tg_keymap *km)
{
	km->chord_n = 0;
}

static int walk(const struct tg_keymap *km, enum tg_scope scope)
{
	int at = (int)scope;
	for (int i = 0; i < km->chord_n; i++) {
		at = find_child(km, at, km->chord[i]);
		if (!at)
			return 0;
	}
	return at;
}

enum tg_cmd tg_keymap_feed(struct tg_keymap *km, const enum tg_scope *scopes, uint32_t key)
{
	km->chord[km->chord_n++] = key;
	for (const enum tg_scope *s = scopes;; s++) {
		int at = walk(km, *s);
		if (at && km->node[at].cmd != TG_CMD_NONE) {
			km->chord_n = 0;
			return km->node[at].cmd;
		}
		if (at && km->node[at].child && km->chord_n < MAX_CHORD)
			return TG_CMD_PENDING;
		if (*s == TG_SCOPE_ANY)
			break;
	}
	km->chord_n = 0;
	return TG_CMD_NONE;
}

void tg_command_key(enum tg_cmd cmd, char *out, size_t cap)
{
	const char *keys = tg_command(cmd)->keys;
	snprintf(out, cap, "%.*s", (int)strcspn(keys, ","), keys);
}
