#ifndef TG_SECRET_IN_H
#define TG_SECRET_IN_H
/* Private to the secret scan. */
#include "core/proof/secret.h"

struct tg_secrets {
	struct {
		char *p;
		size_t n;
	} *v;
	size_t n, cap;
	unsigned char starts[8192]; /* a bit for each pair of bytes that a form begins with */
};

#endif
