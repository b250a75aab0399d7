/* SPDX-License-Identifier: GPL-2.0 */
/* The column of network namespaces, the first of a table if --all-netns is given. */
#ifndef SHOW_NETNS_H
#define SHOW_NETNS_H

#include "data/netns.h"
#include "lib/options.h"
#include "lib/out.h"

#define NETNS_COLUMN	{ "netns", -16, NULL }

static inline bool netns_is_shown(void)
{
	return opt.all_netns && out_is_text();
}

/* Of a table that begins with NETNS_COLUMN: the columns that are shown. */
static inline const struct out_column *netns_columns(const struct out_column *columns)
{
	return columns + !netns_is_shown();
}

/* The member in JSON. NULL: it is not known */
void out_netns(const struct netns *ns);
/* The cell in text, if it is shown. */
void out_row_netns(const struct netns *ns);

#endif
