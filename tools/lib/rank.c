// SPDX-License-Identifier: GPL-2.0
/* A heap. Its root is the last in order of the rows kept: the first one to give up. */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/rank.h"

void rank_init(struct rank *r, size_t size, u64 limit)
{
	*r = (struct rank){ .size = size, .limit = limit };
}

void rank_free(struct rank *r)
{
	free(r->rows);
}

void rank_begin(struct rank *r, const struct rank_order *order)
{
	r->order = *order;
	r->n = 0;
	r->offered = 0;
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct rank_order *order = arg;
	double x = order->number ? order->number(a, order->at) : 0;
	double y = order->number ? order->number(b, order->at) : 0;

	if (x == y)
		return order->tie(a, b);
	return (x > y) == order->reverse ? 1 : -1;
}

static char *row_at(struct rank *r, size_t i)
{
	return r->rows + i * r->size;
}

static bool is_behind(struct rank *r, const void *a, const void *b)
{
	return compare_rows(a, b, &r->order) > 0;
}

static void set_row(struct rank *r, size_t i, const void *row)
{
	memcpy(row_at(r, i), row, r->size);
}

/* Puts a new row at the bottom, or as far above as it belongs. */
static void sift_up(struct rank *r, const void *row)
{
	size_t i = r->n++;

	for (; i && is_behind(r, row, row_at(r, (i - 1) / 2)); i = (i - 1) / 2)
		set_row(r, i, row_at(r, (i - 1) / 2));
	set_row(r, i, row);
}

/* Puts a row in the place of the root, or as far below as it belongs. */
static void sift_down(struct rank *r, const void *row)
{
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < r->n; i = child) {
		if (child + 1 < r->n && is_behind(r, row_at(r, child + 1), row_at(r, child)))
			child++;
		if (!is_behind(r, row_at(r, child), row))
			break;
		set_row(r, i, row_at(r, child));
	}
	set_row(r, i, row);
}

void rank_offer(struct rank *r, const void *row)
{
	r->offered++;
	if (!r->limit || r->n < r->limit) {
		r->rows = array_grow(r->rows, r->n, r->size);
		if (r->limit)
			sift_up(r, row);
		else
			set_row(r, r->n++, row);
	} else if (is_behind(r, row_at(r, 0), row)) {
		sift_down(r, row);
	}
}

void rank_sort(struct rank *r, const struct rank_order *order)
{
	r->order = *order;
	if (r->n)
		qsort_r(r->rows, r->n, r->size, compare_rows, &r->order);
}
