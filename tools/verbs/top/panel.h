/* SPDX-License-Identifier: GPL-2.0 */
/* The panels of `top`: their columns, the orders of their rows, the rows that deserve a look. */
#ifndef VERBS_TOP_PANEL_H
#define VERBS_TOP_PANEL_H

#include "data/tuple.h"
#include "verbs/top/data.h"

#define TOP_CELL	FMT_ENDPOINT

enum top_look { TOP_PLAIN, TOP_DIM, TOP_ODD, TOP_BAD };

struct top_column {
	const char *name;
	const char *what;	/* the order by this column, in words; NULL: there is none */
	int width;		/* as in out.h */
	unsigned int from;	/* shown in panels at least so wide, */
	unsigned int below;	/* and, if not 0, narrower than this */
	const bool *only;	/* and if this is set; NULL: always */
	int most;		/* cells that it may grow to; 0: it does not grow */
	bool odd;		/* a number that should be 0 */
	double (*number)(const void *row, size_t at);
	size_t at;		/* where the number stands in the row, if it does */
	void (*text)(char *buf, const struct top *t, const void *row);	/* NULL: the number */
};

struct top_panel {
	const struct top_column *columns;	/* up to one without a name */
	int (*tie)(const void *a, const void *b);
	enum top_look (*look)(const void *row);
	/* The filter that chooses the flows of a row; NULL if there is none. */
	const char *(*flows)(char *buf, const void *row);
};

extern const struct top_panel top_panels[TOP_LISTS];

/* The next column after number @at that rows can be ordered by. */
unsigned int top_next_order(enum top_list list, unsigned int at);
/* Orders a list by a column. */
void top_order_by(struct top *t, enum top_list list, unsigned int column, bool reverse);
/* A cell as text: TOP_CELL bytes. */
void top_cell(char *buf, const struct top *t, const struct top_column *c, const void *row);
enum top_look top_look(enum top_list list, const struct top_column *c, const void *row);

#endif
