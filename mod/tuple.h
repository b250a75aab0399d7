/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and tuples. All in network byte order. */
#ifndef _TCPFSM_TUPLE_H
#define _TCPFSM_TUPLE_H

#include <linux/in6.h>
#include <linux/types.h>

struct tcpfsm_net;

/* IPv4: the rest is zero. */
union tcpfsm_addr {
	u64		words[2];
	__be32		ip4;
	struct in6_addr	ip6;
};

/* Written in whole words, since that is how it is read next. */
static inline union tcpfsm_addr tcpfsm_addr_of_ip4(__be32 ip4)
{
#ifdef __BIG_ENDIAN
	return (union tcpfsm_addr) { .words = { (u64)(__force u32)ip4 << 32 } };
#else
	return (union tcpfsm_addr) { .words = { (__force u32)ip4 } };
#endif
}

/*
 * What a flow is looked up by. Both ends stand in canonical order: which comes first follows from
 * their bits, and is the same for both directions.
 */
struct tcpfsm_tuple {
	struct tcpfsm_net *tn;
	u64		  key;		/* both addresses; IPv6: mixed from them */
	u32		  hash;
	u32		  l3;		/* ifindex of the VRF or link-local scope, or 0 */
	union {
		__be16	  port[2];
		u32	  ports;
	};
	u8		  family;
	union tcpfsm_addr addr[2];
};

/*
 * Does the first end come behind the second in canonical order? Any order will do that does not
 * depend on who sends.
 */
static inline bool tcpfsm_tuple_sorts_behind(const union tcpfsm_addr *a, __be16 port_a,
					     const union tcpfsm_addr *b, __be16 port_b)
{
	if (a->words[1] != b->words[1])
		return a->words[1] > b->words[1];
	if (a->words[0] != b->words[0])
		return a->words[0] > b->words[0];
	return (__force u16)port_a > (__force u16)port_b;
}

/*
 * Put both ends in canonical order; the hash is not touched. Return: the index of the source.
 * Written out, for an index that is not known costs more than all the rest.
 */
static __always_inline u8 tcpfsm_tuple_set_ends(struct tcpfsm_tuple *t,
						union tcpfsm_addr src, __be16 sport,
						union tcpfsm_addr dst, __be16 dport)
{
	bool swap = tcpfsm_tuple_sorts_behind(&src, sport, &dst, dport);

	if (swap) {
		t->addr[0] = dst;
		t->addr[1] = src;
		t->port[0] = dport;
		t->port[1] = sport;
	} else {
		t->addr[0] = src;
		t->addr[1] = dst;
		t->port[0] = sport;
		t->port[1] = dport;
	}
	return swap;
}

/* The tuple as users see it: src and sport are orig's, dst and dport are resp's. */
struct tcpfsm_flow_tuple {
	union tcpfsm_addr src, dst;
	__be16		  sport, dport;
	u32		  l3;
	u8		  family;
};

#endif /* _TCPFSM_TUPLE_H */
