/* SPDX-License-Identifier: GPL-2.0 */
/* The first rows of many in some order. With a limit, memory does not grow with their number. */
#ifndef LIB_RANK_H
#define LIB_RANK_H

#include "lib/base.h"

struct rank_order {
	/* The largest come first. NULL: all are equal. @at: the same for all rows */
	double (*number)(const void *row, size_t at);
	size_t at;
	bool reverse;
	/* For rows with equal numbers, as for qsort(); never 0 for two different rows. */
	int (*tie)(const void *a, const void *b);
};

struct rank {
	struct rank_order order;
	size_t size;		/* of a row */
	u64 limit;		/* rows to keep; 0: all */
	char *rows;
	size_t n;		/* how many are kept */
	u64 offered;
};

/* Comes before everything else. @size: of a row */
void rank_init(struct rank *r, size_t size, u64 limit);
void rank_free(struct rank *r);

/* Begin with an order, offer any number of rows, then sort those that were kept. */
void rank_begin(struct rank *r, const struct rank_order *order);
void rank_offer(struct rank *r, const void *row);
void rank_sort(struct rank *r, const struct rank_order *order);

static inline const void *rank_row(const struct rank *r, size_t i)
{
	return r->rows + i * r->size;
}

#endif
