/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors: from a packet at a hook to the flow whose segment it quotes. */
#ifndef _TCPFSM_ICMP_H
#define _TCPFSM_ICMP_H

#include "core/tfsm.h"
#include "tuple.h"

struct sk_buff;

struct tcpfsm_error {
	struct tcpfsm_tuple tuple;		/* of the quoted segment */
	struct tfsm_icmp    icmp;
	u8		    from;		/* index of its sender in the canonical order */
	const struct sk_buff *skb;
	unsigned int	    offset;		/* of the ICMP header from skb->data */
};

/*
 * tcpfsm_icmp_view - read an ICMP error that quotes a TCP segment out of a packet
 * @e: e->tuple.tn is set; all else is filled in, but for l3 and hash of the tuple
 *
 * Never writes to the packet. Return: false if it is none.
 */
bool tcpfsm_icmp_view(struct tcpfsm_error *e, const struct sk_buff *skb, u8 family);

/* Its tuple has its hash. Context: hook, bottom halves off. */
void tcpfsm_icmp(struct tcpfsm_error *e);

#endif /* _TCPFSM_ICMP_H */
