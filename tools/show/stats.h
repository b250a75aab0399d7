/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of counts by state. They are members of an object that the caller has open. */
#ifndef SHOW_STATS_H
#define SHOW_STATS_H

#include "data/stats.h"

/* @rate: by state, how many ends entered it a second; or NULL */
void stats_print(const struct stats *s, const double *rate);
/* What the states mean, without counts. */
void states_explain(void);

/*
 * The cells of a matrix of a namespace that are not zero, largest first. @from, @to, @count: the
 * columns. The header comes once, with the first.
 */
struct matrix {
	const char *key, *from, *to, *count;
	bool headed;
};

void matrix_print(struct matrix *shape, const struct netns *ns, const state_matrix m);

#endif
