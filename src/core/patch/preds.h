#ifndef TG_PREDS_H
#define TG_PREDS_H
/*
 * The reference's repair of fenced and prose-wrapped diffs (spec: tauguardian-pipeline.md 3.2),
 * which damages some sound ones, so whoever uses it must say so ("normalised"). Reading the files
 * is in run/preds.h.
 */
#include <stddef.h>
#include "core/lib/buf.h"
#include "core/run/preds.h"

/* out is cleared first. Linear in n. */
void tg_preds_normalise(const char *p, size_t n, struct tg_buf *out);

#endif
