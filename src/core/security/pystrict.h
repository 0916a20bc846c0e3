#ifndef TG_PYSTRICT_H
#define TG_PYSTRICT_H
/* The two halves of tg_py_strict, private to this folder: tokens and their gaps; the tree's shape.
 */
#include "core/security/pyparse.h"

bool tg_py_strict_tokens(struct tg_py *py);
bool tg_py_strict_shape(struct tg_py *py);

/* Checks of one node from its children (pycheck.c). `parent` is the kind of the node above it. */
struct tg_py_place {
	TSNode node;
	enum tg_py_kind kind, parent, grand;
	uint32_t parent_start; /* byte */
};
bool tg_py_check_node(struct tg_py *py, const struct tg_py_place *at,
		      const struct tg_py_kids *kids);

#endif
