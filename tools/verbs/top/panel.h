/* SPDX-License-Identifier: GPL-2.0 */
/* The panels of `top`: their columns, the orders of their rows, what deserves a look. */
#ifndef TOP_PANEL_H
#define TOP_PANEL_H

#include "data/tuple.h"
#include "verbs/top/data.h"

#define TOP_CELL	FMT_ENDPOINT

enum top_look { TOP_PLAIN, TOP_DIM, TOP_ODD, TOP_BAD };

struct top_column {
	const char *name;
	const char *what;	/* the order by it, in words; NULL: there is none */
	int width;		/* as in out.h */
	unsigned int from;	/* shown in panels of so many cells, */
	unsigned int below;	/* and, if not 0, of less than so many */
	int most;		/* cells, of what others leave; 0: as wide as it is */
	bool odd;		/* is a number that better were 0 */
	double (*number)(const void *row, size_t at);
	size_t at;		/* of the number in the row, if that is where it is */
	void (*text)(char *buf, const struct top *t, const void *row);	/* NULL: the number */
};

struct top_panel {
	const struct top_column *columns;	/* the last one has no name */
	int (*tie)(const void *a, const void *b);
	enum top_look (*look)(const void *row);
	/* The filter that chooses the flows behind a row; NULL if there is none. */
	const char *(*flows)(char *buf, const void *row);
};

extern const struct top_panel top_panels[TOP_LISTS];

/* The column after the one with number @at by which there is an order. */
unsigned int top_next_order(enum top_list list, unsigned int at);
/* Order a list by a column. */
void top_order_by(struct top *t, enum top_list list, unsigned int column, bool reverse);
/* A cell as text: TOP_CELL bytes. */
void top_cell(char *buf, const struct top *t, const struct top_column *c, const void *row);
enum top_look top_look(enum top_list list, const struct top_column *c, const void *row);

#endif
