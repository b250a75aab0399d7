/* SPDX-License-Identifier: GPL-2.0 */
/* The first rows of many by an order, in memory that does not grow with how many there are. */
#ifndef TOP_RANK_H
#define TOP_RANK_H

#include "lib/base.h"

#define RANK_ROWS	200

struct rank_order {
	/* Most first. @at: the same for all rows */
	double (*number)(const void *row, size_t at);
	size_t at;
	bool reverse;
	/* As of qsort(), of rows whose numbers are the same: never 0 for two rows. */
	int (*tie)(const void *a, const void *b);
};

struct rank {
	struct rank_order order;
	size_t size;		/* of a row */
	char *rows;
	unsigned int n;		/* that are kept */
	u64 offered;
};

/* Before anything else: how large a row is. */
void rank_init(struct rank *r, size_t size);
void rank_free(struct rank *r);

/* Start anew with an order; offer any number of rows; then sort those that were kept. */
void rank_begin(struct rank *r, const struct rank_order *order);
void rank_offer(struct rank *r, const void *row);
void rank_sort(struct rank *r, const struct rank_order *order);

static inline const void *rank_row(const struct rank *r, unsigned int i)
{
	return r->rows + i * r->size;
}

#endif
