/* SPDX-License-Identifier: GPL-2.0 */
/* A segment, and where it was seen. */
#ifndef _TCPFSM_VIEW_H
#define _TCPFSM_VIEW_H

#include "core/tfsm.h"
#include "tuple.h"

struct net_device;
struct sk_buff;

struct tcpfsm_view {
	struct tcpfsm_tuple tuple;
	struct tfsm_seg	    seg;
	u8		    from;		/* index of the sender in the canonical order */
	bool		    from_local;		/* the sender's socket is of this namespace */
	bool		    to_local;
	bool		    forwarded;
	bool		    offloaded;
	bool		    repeat;		/* ipvs_property: may be a second look */
	u64		    now;		/* ktime, if a flow begins here; 0: not asked yet */
	u32		    bytes;
	u32		    packets;
	u8		    asked, listens;	/* masks: whose listener was looked for, found */
	const struct net_device *dev;		/* that it came in by, or goes out by; or NULL */
	const struct sk_buff *skb;
	unsigned int	    offset;		/* of the TCP header from skb->data */
};

#endif /* _TCPFSM_VIEW_H */
