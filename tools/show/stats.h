/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of counts by state. They are members of an object that the caller has open. */
#ifndef SHOW_STATS_H
#define SHOW_STATS_H

#include "data/stats.h"

/* @name: of the namespace, or NULL */
void stats_print_netns(const struct stats *s, const char *name);
/* @rate: by state, how many ends entered it a second; or NULL */
void stats_print(const struct stats *s, const char *name, const double *rate);
/* What the states mean, without counts. */
void states_explain(void);

/* The cells of a matrix that are not zero, largest first. @from, @to, @count: the columns */
void matrix_print(const char *key, const char *from, const char *to, const char *count,
		  const state_matrix m);

#endif
