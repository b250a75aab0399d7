/* SPDX-License-Identifier: GPL-2.0 */
/* From a packet at a hook to a segment in view. Never writes to the packet. */
#ifndef _TCPFSM_PACKET_H
#define _TCPFSM_PACKET_H

#include <linux/netfilter.h>

#include "view.h"

/*
 * tcpfsm_packet_view - read a segment out of a packet
 * @v: v->tuple.tn is set; all else is filled in, but for where it was seen
 *
 * Return: false if there is nothing to track; what is worth counting has been counted.
 */
bool tcpfsm_packet_view(struct tcpfsm_view *v, const struct sk_buff *skb, u8 family);

/* Is the TCP checksum wrong? Asked only of a segment that would move a state. */
bool tcpfsm_packet_corrupt(const struct tcpfsm_view *v);

#endif /* _TCPFSM_PACKET_H */
