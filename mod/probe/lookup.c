// SPDX-License-Identifier: GPL-2.0
#include <net/net_namespace.h>
#include "../compat.h"

struct sock *probe_established(struct net *net)
{
	return tcpfsm_lookup4(net, 0, 0, 0, 0, 0);
}

struct sock *probe_listener(struct net *net)
{
	return tcpfsm_lookup_listener4(net, 0, 0, 0, 0, 0);
}
