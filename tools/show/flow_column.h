/* SPDX-License-Identifier: GPL-2.0 */
/* Columns of a table of living flows: what they say in text, and how flows are ranked by them. */
#ifndef SHOW_FLOW_COLUMN_H
#define SHOW_FLOW_COLUMN_H

#include "data/flow.h"
#include "lib/rank.h"

#define W_ENDPOINT	(-21)	/* 255.255.255.255:65535 */

/* @list: names with commas between. Return: false, and said why */
bool flow_columns_choose(const char *list);
/* Is it one of those that are shown? */
bool flow_column_is_shown(const char *name);
/* The default, or those that were chosen; with --all-netns, the namespace is the first. */
void flow_columns_header(void);
void flow_columns_print(const struct flow *f);

/* The order of struct flow by a column. Return: false, and said why */
bool flow_columns_order(const char *name, struct rank_order *order);

/* For completion, and for help: the names, one a line, of all columns, or of those to sort by. */
void flow_columns_list(void);
void flow_columns_list_orders(void);

#endif
