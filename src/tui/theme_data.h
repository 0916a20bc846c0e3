#ifndef TG_THEME_DATA_H
#define TG_THEME_DATA_H
/* The project's themes as they stand in themes/, inside the program. */
struct tg_theme_data {
	const char *name, *begin, *end;
};
extern const struct tg_theme_data tg_theme_data[]; /* name == NULL ends */

#endif
