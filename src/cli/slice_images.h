#ifndef TG_SLICE_IMAGES_H
#define TG_SLICE_IMAGES_H
/* Shared by prepull and clean: the images that a slice of a data set needs. */
#include "core/evaluate/images.h"

/* dataset: a file, or "demo". slice NULL: all. False: not readable, or nothing chosen. */
bool tg_cli_slice_images(const char *dataset, const char *slice, struct tg_images *out,
			 struct tg_err *err);

#endif
