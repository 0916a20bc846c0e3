#include "core/lib/yaml.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/lib/buf.h"
#include "core/lib/file.h"

enum { MAX_BYTES = 256 * 1024, MAX_DEPTH = 64, MAX_NODES = 100000 };

struct anchor {
	char *name;
	struct tg_yaml_node *node;
	bool open; /* still being read: an alias to it would be endless */
};

struct frame {
	struct tg_yaml_node *node;
	struct tg_yaml_node **tail; /* where the next child goes */
	char *key;		    /* a map's key that waits for its value */
	int key_line, key_col;
	size_t anchor; /* index + 1 of this node's anchor; 0: none */
};

struct reader {
	yaml_parser_t parser;
	const char *name;
	unsigned flags;
	struct tg_err *err;
	struct tg_yaml_node *root;
	struct frame stack[MAX_DEPTH];
	int depth;
	size_t nodes;
	struct anchor *anchor;
	size_t anchor_n, anchor_cap;
};

static bool fail_at(struct reader *r, const yaml_mark_t *mark, const char *text)
{
	return tg_fail(r->err, TG_E_INPUT, "%s:%zu:%zu: %s", r->name, mark->line + 1,
		       mark->column + 1, text);
}

static struct tg_yaml_node *node_new(struct reader *r, enum tg_yaml_kind kind,
				     const yaml_mark_t *mark)
{
	struct tg_yaml_node *n;

	if (++r->nodes > MAX_NODES) {
		fail_at(r, mark, "more than 100000 values");
		return NULL;
	}
	n = tg_calloc(1, sizeof *n);
	n->kind = kind;
	n->line = (int)mark->line + 1;
	n->col = (int)mark->column + 1;
	return n;
}

void tg_yaml_free(struct tg_yaml_node *root)
{
	while (root) {
		struct tg_yaml_node *next = root->next;

		tg_yaml_free(root->first);
		free(root->key);
		free(root->text);
		free(root);
		root = next;
	}
}

/* Hang a complete or just opened node below the innermost open one. */
static bool attach(struct reader *r, struct tg_yaml_node *n, const yaml_mark_t *mark)
{
	struct frame *f;

	if (r->depth == 0) {
		if (r->root) {
			tg_yaml_free(n);
			return fail_at(r, mark, "more than one document");
		}
		r->root = n;
		return true;
	}
	f = &r->stack[r->depth - 1];
	if (f->node->kind == TG_YAML_MAP) {
		assert(f->key);
		n->key = f->key;
		n->key_line = f->key_line;
		n->key_col = f->key_col;
		f->key = NULL;
	}
	*f->tail = n;
	f->tail = &n->next;
	f->node->n++;
	return true;
}

static bool wants_key(const struct reader *r)
{
	const struct frame *f = r->depth ? &r->stack[r->depth - 1] : NULL;

	return f && f->node->kind == TG_YAML_MAP && !f->key;
}

static size_t remember(struct reader *r, const yaml_char_t *name, struct tg_yaml_node *n, bool open)
{
	if (!name)
		return 0;
	TG_GROW(r->anchor, r->anchor_n, r->anchor_cap);
	r->anchor[r->anchor_n] = (struct anchor){tg_strdup((const char *)name), n, open};
	return ++r->anchor_n;
}

static bool push(struct reader *r, enum tg_yaml_kind kind, const yaml_event_t *ev,
		 const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct tg_yaml_node *n;

	if (tag)
		return fail_at(r, &ev->start_mark, "tags are not allowed here");
	if (wants_key(r))
		return fail_at(r, &ev->start_mark, "a key must be a plain value");
	if (r->depth == MAX_DEPTH)
		return fail_at(r, &ev->start_mark, "nested deeper than 64 levels");
	n = node_new(r, kind, &ev->start_mark);
	if (!n || !attach(r, n, &ev->start_mark))
		return false;
	r->stack[r->depth++] =
	    (struct frame){.node = n, .tail = &n->first, .anchor = remember(r, anchor, n, true)};
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct tg_yaml_node *const *x = a, *const *y = b;
	int c = strcmp((*x)->key, (*y)->key);

	if (c)
		return c;
	if ((*x)->key_line != (*y)->key_line)
		return (*x)->key_line - (*y)->key_line;
	return (*x)->key_col - (*y)->key_col;
}

/* Sorting keeps a map of thousands of keys cheap; the later one of a pair is the error. */
static bool check_duplicates(struct reader *r, const struct tg_yaml_node *map)
{
	const struct tg_yaml_node **v, *c;
	size_t i, n = 0;
	bool ok = true;

	if (map->n < 2)
		return true;
	v = tg_malloc(map->n * sizeof *v);
	for (c = map->first; c; c = c->next)
		v[n++] = c;
	qsort(v, n, sizeof *v, by_key);
	for (i = 1; i < n && ok; i++)
		if (strcmp(v[i - 1]->key, v[i]->key) == 0)
			ok = tg_fail(r->err, TG_E_INPUT,
				     "%s:%d:%d: the key '%.60s' stands twice (first "
				     "in line %d)",
				     r->name, v[i]->key_line, v[i]->key_col, v[i]->key,
				     v[i - 1]->key_line);
	free(v);
	return ok;
}

static bool pop(struct reader *r)
{
	struct frame *f = &r->stack[--r->depth];

	assert(!f->key);
	if (f->anchor)
		r->anchor[f->anchor - 1].open = false;
	return f->node->kind != TG_YAML_MAP || check_duplicates(r, f->node);
}

static bool take_scalar(struct reader *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	struct tg_yaml_node *n;

	if (ev->data.scalar.tag)
		return fail_at(r, &ev->start_mark, "tags are not allowed here");
	if (strlen(text) != ev->data.scalar.length)
		return fail_at(r, &ev->start_mark, "a NUL character inside a value");
	if (wants_key(r)) {
		struct frame *f = &r->stack[r->depth - 1];

		f->key = tg_strdup(text);
		f->key_line = (int)ev->start_mark.line + 1;
		f->key_col = (int)ev->start_mark.column + 1;
		return true;
	}
	n = node_new(r, TG_YAML_SCALAR, &ev->start_mark);
	if (!n)
		return false;
	n->text = tg_strdup(text);
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (!attach(r, n, &ev->start_mark))
		return false;
	remember(r, ev->data.scalar.anchor, n, false);
	return true;
}

/* A deep copy without the key (the place of the alias has its own). */
static struct tg_yaml_node *copy(struct reader *r, const struct tg_yaml_node *from, int depth,
				 const yaml_mark_t *mark)
{
	struct tg_yaml_node *n, **tail;
	const struct tg_yaml_node *c;

	if (depth > MAX_DEPTH) {
		fail_at(r, mark, "nested deeper than 64 levels");
		return NULL;
	}
	n = node_new(r, from->kind, mark);
	if (!n)
		return NULL;
	n->text = tg_strdup(from->text);
	n->quoted = from->quoted;
	tail = &n->first;
	for (c = from->first; c; c = c->next) {
		*tail = copy(r, c, depth + 1, mark);
		if (!*tail) {
			tg_yaml_free(n);
			return NULL;
		}
		(*tail)->key = tg_strdup(c->key);
		(*tail)->key_line = c->key_line;
		(*tail)->key_col = c->key_col;
		tail = &(*tail)->next;
		n->n++;
	}
	return n;
}

static bool take_alias(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct tg_yaml_node *n;
	size_t i = r->anchor_n;

	if (!(r->flags & TG_YAML_ALIASES))
		return fail_at(r, &ev->start_mark, "aliases are not allowed here");
	if (wants_key(r))
		return fail_at(r, &ev->start_mark, "a key must be a plain value");
	while (i > 0 && strcmp(r->anchor[i - 1].name, name) != 0)
		i--;
	if (i == 0)
		return fail_at(r, &ev->start_mark, "an alias to an anchor that is not there");
	if (r->anchor[i - 1].open)
		return fail_at(r, &ev->start_mark, "an alias inside what it stands for");
	n = copy(r, r->anchor[i - 1].node, r->depth + 1, &ev->start_mark);
	return n && attach(r, n, &ev->start_mark);
}

static bool take(struct reader *r, const yaml_event_t *ev, bool *end)
{
	switch (ev->type) {
	case YAML_STREAM_END_EVENT:
		*end = true;
		return true;
	case YAML_SCALAR_EVENT:
		return take_scalar(r, ev);
	case YAML_ALIAS_EVENT:
		return take_alias(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return push(r, TG_YAML_LIST, ev, ev->data.sequence_start.anchor,
			    ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return push(r, TG_YAML_MAP, ev, ev->data.mapping_start.anchor,
			    ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return pop(r);
	default: /* borders of the stream and of the document */
		return true;
	}
}

static bool fail_parser(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const yaml_mark_t *m = &p->problem_mark;
	const char *text = p->problem ? p->problem : "not YAML";

	if (p->error == YAML_READER_ERROR)
		return tg_fail(r->err, TG_E_INPUT, "%s: byte %zu: %s", r->name, p->problem_offset,
			       text);
	return tg_fail(r->err, TG_E_INPUT, "%s:%zu:%zu: %s%s%s", r->name, m->line + 1,
		       m->column + 1, text, p->context ? ", " : "", p->context ? p->context : "");
}

static bool read_all(struct reader *r)
{
	bool end = false, ok = true;
	yaml_event_t ev;

	while (ok && !end) {
		if (!yaml_parser_parse(&r->parser, &ev))
			return fail_parser(r);
		ok = take(r, &ev, &end);
		yaml_event_delete(&ev);
	}
	return ok;
}

struct tg_yaml_node *tg_yaml_parse(const char *p, size_t n, const char *name, unsigned flags,
				   struct tg_err *err)
{
	struct reader r = {.name = name, .flags = flags, .err = err};
	yaml_mark_t start = {0, 0, 0};
	bool ok;

	if (n > MAX_BYTES) {
		tg_fail(err, TG_E_INPUT, "%s: larger than 256 KiB", name);
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser))
		tg_oom();
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)p, n);
	ok = read_all(&r);
	yaml_parser_delete(&r.parser);
	while (r.depth > 0)
		free(r.stack[--r.depth].key);
	for (size_t i = 0; i < r.anchor_n; i++)
		free(r.anchor[i].name);
	free(r.anchor);
	if (ok && !r.root)
		r.root = node_new(&r, TG_YAML_MAP, &start);
	if (!ok) {
		tg_yaml_free(r.root);
		return NULL;
	}
	return r.root;
}

struct tg_yaml_node *tg_yaml_load(const char *path, unsigned flags, struct tg_err *err)
{
	struct tg_buf b = TG_BUF_INIT;
	struct tg_yaml_node *root = NULL;

	if (tg_file_read(path, MAX_BYTES, &b, err))
		root = tg_yaml_parse(tg_buf_cstr(&b), b.n, path, flags, err);
	tg_buf_fini(&b);
	return root;
}

const struct tg_yaml_node *tg_yaml_get(const struct tg_yaml_node *map, const char *key)
{
	const struct tg_yaml_node *c;

	if (!map || map->kind != TG_YAML_MAP)
		return NULL;
	for (c = map->first; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static bool is_plain(const struct tg_yaml_node *n)
{
	return n && n->kind == TG_YAML_SCALAR && !n->quoted;
}

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

bool tg_yaml_is_null(const struct tg_yaml_node *n)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

	return is_plain(n) && is_one_of(n->text, words);
}

bool tg_yaml_bool(const struct tg_yaml_node *n, bool *out)
{
	static const char *const yes[] = {"yes",  "Yes", "YES", "true", "True",
					  "TRUE", "on",	 "On",	"ON",	NULL};
	static const char *const no[] = {"no",	  "No",	 "NO",	"false", "False",
					 "FALSE", "off", "Off", "OFF",	 NULL};

	if (!is_plain(n))
		return false;
	*out = is_one_of(n->text, yes);
	return *out || is_one_of(n->text, no);
}

/* Digits of a base, '_' between them ignored as YAML 1.1 does. */
static bool digits(const char *s, int base, double *out)
{
	static const char all[] = "0123456789abcdef";
	const char *d;
	bool any = false;

	*out = 0;
	for (; *s; s++) {
		int c = *s >= 'A' && *s <= 'F' ? *s - 'A' + 'a' : *s;

		if (c == '_')
			continue;
		d = strchr(all, c);
		if (!d || d - all >= base)
			return false;
		*out = *out * base + (double)(d - all);
		any = true;
	}
	return any;
}

/* "1:30:00" and its kin: base 60. */
static bool sexagesimal(const char *s, double *out)
{
	double total = 0, part;
	char buf[24];

	for (;;) {
		size_t n = strcspn(s, ":");

		if (n == 0 || n >= sizeof buf)
			return false;
		memcpy(buf, s, n);
		buf[n] = '\0';
		if (!digits(buf, 10, &part))
			return false;
		total = total * 60 + part;
		if (!s[n])
			break;
		s += n + 1;
	}
	*out = total;
	return true;
}

/* A decimal fraction: a dot is a must, and an exponent must be signed (PyYAML's resolver). */
static bool fraction(const char *s, double *out)
{
	char buf[64];
	size_t n = 0;
	bool dot = false, digit = false, exponent = false;
	char *end;

	if (*s != '.' && !(*s >= '0' && *s <= '9'))
		return false;
	for (; *s; s++) {
		if (n + 1 >= sizeof buf)
			return false;
		if (*s == '_' && !exponent)
			continue;
		if (*s == '.' && !dot)
			dot = true;
		else if (*s >= '0' && *s <= '9')
			digit = true;
		else if ((*s == 'e' || *s == 'E') && dot && digit && !exponent &&
			 (s[1] == '+' || s[1] == '-')) {
			exponent = true;
			buf[n++] = *s++;
		} else
			return false;
		buf[n++] = *s;
	}
	buf[n] = '\0';
	if (!dot || !digit)
		return false;
	*out = strtod(buf, &end);
	return *end == '\0';
}

bool tg_yaml_number(const struct tg_yaml_node *n, double *out)
{
	static const char *const inf[] = {".inf", ".Inf", ".INF", NULL};
	static const char *const nan_[] = {".nan", ".NaN", ".NAN", NULL};
	const char *s;
	double v, sign = 1;
	bool ok;

	if (!is_plain(n))
		return false;
	s = n->text;
	if (is_one_of(s, nan_)) {
		*out = NAN;
		return true;
	}
	if (*s == '-' || *s == '+')
		sign = *s++ == '-' ? -1 : 1;
	if (is_one_of(s, inf)) {
		v = INFINITY;
		ok = true;
	} else if (s[0] == '0' && s[1] == 'b')
		ok = digits(s + 2, 2, &v);
	else if (s[0] == '0' && s[1] == 'x')
		ok = digits(s + 2, 16, &v);
	else if (s[0] == '0' && s[1] && s[1] != '.')
		ok = digits(s + 1, 8, &v);
	else if (strchr(s, ':'))
		ok = *s >= '1' && *s <= '9' && sexagesimal(s, &v);
	else if (strchr(s, '.'))
		ok = fraction(s, &v);
	else
		ok = *s >= '0' && *s <= '9' && digits(s, 10, &v);
	if (ok)
		*out = sign * v;
	return ok;
}
