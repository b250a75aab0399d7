// SPDX-License-Identifier: GPL-2.0
#include "show/netns.h"

void out_netns(const struct netns *ns)
{
	out_str("netns", 0, ns ? ns->name : NULL);
}

void out_row_netns(const struct netns *ns)
{
	if (netns_is_shown())
		out_row_str(ns ? ns->name : NULL);
}
