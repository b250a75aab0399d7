/* SPDX-License-Identifier: GPL-2.0 */
/* Made-up segments, and their way through the netfilter hooks. */
#ifndef _BENCH_SEGMENTS_H
#define _BENCH_SEGMENTS_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

enum bench_way { BENCH_FORWARD, BENCH_IN, BENCH_OUT };

/* Where segments go, and what they have in common. */
struct bench_path {
	struct net *net;
	struct net_device *in, *out;
	int	way;		/* enum bench_way */
	u32	family;		/* 4 or 6 */
	u32	services;	/* how many addresses servers have; all have port 80 */
	u32	parts;		/* each segment is so many packets; below 65536, 0 for 1 */
	u32	checksum;	/* 0: vouched for by the device; 1: to be checked */
	struct sk_buff *skb;	/* used again and again */
};

/* Flow N is always the same tuple, for a number of services. */
struct bench_segment {
	u32	flow;
	bool	by_server;
	u32	seq, ack;
	u8	flags;		/* a SYN carries the usual options */
	u32	len;		/* of data */
};

#define BENCH_ISN	1000	/* of clients; of servers ten times as much */

/* Have an skb for segments with so much data at most. */
bool bench_allocate(struct bench_path *p, u32 len);

void bench_write(struct bench_path *p, const struct bench_segment *s);

/* The hooks along the way, in order. Return: false if the segment was dropped, skb and all. */
bool bench_pass(struct bench_path *p);

#endif /* _BENCH_SEGMENTS_H */
