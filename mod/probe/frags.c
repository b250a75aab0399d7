// SPDX-License-Identifier: GPL-2.0
#include <linux/skbuff.h>
#include "../compat.h"

bool probe_frags(const struct sk_buff *skb)
{
	return tcpfsm_frags_readable(skb);
}
