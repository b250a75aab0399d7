// SPDX-License-Identifier: GPL-2.0
/* The namespaces that there are, by their tags. */
#include <linux/random.h>
#include <linux/xarray.h>

#include "netns.h"

static DEFINE_XARRAY_ALLOC1(namespaces);

int tcpfsm_netns_add(struct tcpfsm_net *tn, struct net *net)
{
	static u32 next;	/* under the array's lock */
	u32 tag;
	int err;

	tn->net = net;
	tn->initial = net_eq(net, &init_net);
	tn->owner = net->user_ns == &init_user_ns ? TCPFSM_HOST : TCPFSM_GUEST;
	get_random_bytes(tn->secret, sizeof(tn->secret));
	err = xa_alloc_cyclic(&namespaces, &tag, tn, xa_limit_32b, &next, GFP_KERNEL);
	if (err < 0)
		return err;
	tn->tag = tag;
	return 0;
}

void tcpfsm_netns_remove(struct tcpfsm_net *tn)
{
	if (tn->tag)
		xa_erase(&namespaces, tn->tag);
}

struct tcpfsm_net *tcpfsm_netns_next(u32 after)
{
	unsigned long tag = after;

	return xa_find_after(&namespaces, &tag, U32_MAX, XA_PRESENT);
}
