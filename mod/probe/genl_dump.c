// SPDX-License-Identifier: GPL-2.0
#include "../compat.h"

struct nlattr **probe_attrs(struct netlink_callback *cb)
{
	return tcpfsm_dump_attrs(cb);
}
