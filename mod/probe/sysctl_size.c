// SPDX-License-Identifier: GPL-2.0
#include <net/net_namespace.h>
#include "../compat.h"

struct ctl_table_header *probe_register(struct net *net, struct ctl_table *table)
{
	return tcpfsm_register_sysctl(net, "net/tcpfsm", table, 1);
}
