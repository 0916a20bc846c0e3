#include "tui/layout.h"

static int least(const struct tg_slot *s)
{
	return s->fit == TG_FIXED ? s->want : s->min;
}

static int sum_sizes(const struct tg_slot *slot, int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += slot[i].size;
	return sum;
}

/* Leave out the most dispensable until the rest fits; what cannot leave is cut to what is there. */
static void make_fit(struct tg_slot *slot, int n, int total)
{
	while (sum_sizes(slot, n) > total) {
		int victim = -1;
		for (int i = 0; i < n; i++)
			if (slot[i].size > 0 && slot[i].drop > 0 &&
			    (victim < 0 || slot[i].drop >= slot[victim].drop))
				victim = i;
		if (victim < 0)
			break;
		slot[victim].size = 0;
	}
	for (int i = n - 1; i >= 0; i--) {
		int over = sum_sizes(slot, n) - total;
		if (over <= 0)
			break;
		slot[i].size = slot[i].size > over ? slot[i].size - over : 0;
	}
}

void tg_layout_distribute(struct tg_slot *slot, int n, int total)
{
	int fills = 0;
	if (total < 0)
		total = 0;
	for (int i = 0; i < n; i++)
		slot[i].size = least(&slot[i]);
	make_fit(slot, n, total);
	int left = total - sum_sizes(slot, n);
	for (int i = 0; i < n; i++) {
		if (slot[i].size == 0 && least(&slot[i]) > 0)
			continue;
		if (slot[i].fit == TG_FIT && slot[i].want > slot[i].size) {
			int more = slot[i].want - slot[i].size;
			more = more < left ? more : left;
			slot[i].size += more;
			left -= more;
		}
		fills += slot[i].fit == TG_FILL;
	}
	for (int i = 0; i < n && fills > 0; i++) {
		if (slot[i].fit != TG_FILL || (slot[i].size == 0 && least(&slot[i]) > 0))
			continue;
		int more = left / fills--;
		slot[i].size += more;
		left -= more;
	}
}

struct tg_rect tg_layout_rows(struct tg_rect r, int offset, int size)
{
	if (offset > r.h)
		offset = r.h;
	if (size > r.h - offset)
		size = r.h - offset;
	return (struct tg_rect){ r.y + offset, r.x, size, r.w };
}

struct tg_rect tg_layout_cols(struct tg_rect r, int offset, int size)
{
	if (offset > r.w)
		offset = r.w;
	if (size > r.w - offset)
		size = r.w - offset;
	return (struct tg_rect){ r.y, r.x + offset, r.h, size };
}
