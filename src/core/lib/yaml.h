#ifndef TG_YAML_H
#define TG_YAML_H
/*
 * YAML over libyaml's event parser: a small tree whose nodes know their line and column, so that a
 * schema walker can say "policy.yaml:12:5: unknown key". Refused: tags, more than one document,
 * duplicate keys, depth over 64, input over 256 KiB, more than 100,000 nodes, and aliases unless
 * TG_YAML_ALIASES (expanded, counted against the node limit).
 */
#include <stdbool.h>
#include <stddef.h>
#include "core/lib/err.h"

enum tg_yaml_kind { TG_YAML_SCALAR, TG_YAML_LIST, TG_YAML_MAP };
enum { TG_YAML_ALIASES = 1 };

struct tg_yaml_node {
	enum tg_yaml_kind kind;
	int line, col;              /* 1-based */
	char *key;                  /* this node's key when its parent is a map, else NULL */
	int key_line, key_col;
	char *text;                 /* scalar value */
	bool quoted;                /* scalar written with quotes or as a block */
	struct tg_yaml_node *first; /* children */
	struct tg_yaml_node *next;  /* sibling */
	size_t n;                   /* number of children */
};

/* An empty document gives an empty map. Free with tg_yaml_free. */
struct tg_yaml_node *tg_yaml_parse(const char *p, size_t n, const char *name, unsigned flags,
				   struct tg_err *err);
struct tg_yaml_node *tg_yaml_load(const char *path, unsigned flags, struct tg_err *err);
void tg_yaml_free(struct tg_yaml_node *root);
const struct tg_yaml_node *tg_yaml_get(const struct tg_yaml_node *map, const char *key);
/* YAML 1.1 core scalars as PyYAML's safe loader reads them (plain scalars only). */
bool tg_yaml_is_null(const struct tg_yaml_node *n);
bool tg_yaml_bool(const struct tg_yaml_node *n, bool *out);
bool tg_yaml_number(const struct tg_yaml_node *n, double *out);

#endif
