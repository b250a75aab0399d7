/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services: address and port of a responding endpoint, over all its flows. A service has a row from
 * the first SYN|ACK that it sends; flows without one, and those that find no place in the table,
 * are counted in the namespace's row of the others.
 *
 * What happens to a service is counted by each processor in memory of its own, and folded into the
 * row when that memory is needed for another service. A row is freed when it has no flows.
 */
#ifndef _TCPFSM_SERVICE_H
#define _TCPFSM_SERVICE_H

#include <linux/cache.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>

#include <linux/tcpfsm.h>

#include "tuple.h"

struct tcpfsm_net;
struct tcpfsm_report;

struct tcpfsm_service_counts {
	u64 flows;			/* gauge: those that are in this row now */
	u64 state[TCPFSM_STATES];	/* gauge: its ends that are in this state now */
	u64 opened;
	u64 established;
	u64 refused;
	u64 reset;
	u64 synack_resent;
	u64 connect_ns;			/* SYN to SYN|ACK */
	u64 connects;
	u64 accept_ns;			/* SYN to the SYN|ACK's ACK, where established */
	u64 unreachable;		/* ICMP errors */
	u64 mtu;			/* likewise */
};

struct tcpfsm_service {
	struct hlist_node	node;
	struct tcpfsm_net	*tn;
	u32			l3;
	__be16			port;
	u8			family;		/* 0: the row of the others */
	u8			owner;		/* enum tcpfsm_owner, of tn */
	u16			bucket;		/* of the table; tn may be gone by then */
	u64			number;		/* of all rows that there have been, from 1 */
	u16			slot;		/* its first place among a processor's counts */
	union tcpfsm_addr	addr;
	unsigned long		used;		/* jiffies, to about a second */
	struct list_head	retired;	/* out of the table, or without flows lately */
	struct rcu_head		rcu;

	seqlock_t		lock ____cacheline_aligned_in_smp;	/* of the counts */
	struct tcpfsm_service_counts folded;
};

/* One end of a flow. */
struct tcpfsm_service_key {
	struct tcpfsm_net	*tn;
	const union tcpfsm_addr	*addr;
	u32			l3;
	__be16			port;
	u8			family;
};

extern unsigned int tcpfsm_max_services;

int tcpfsm_service_init(void);
void tcpfsm_service_exit(void);
int tcpfsm_service_net_init(struct tcpfsm_net *tn);
void tcpfsm_service_net_exit(struct tcpfsm_net *tn);

/*
 * The row of a service, or that of the others: if it has none; if it has none and gets none,
 * either. A flow may keep it while it lives. Context: bottom halves off, as for the next ones.
 */
struct tcpfsm_service *tcpfsm_service_find(const struct tcpfsm_service_key *key);
struct tcpfsm_service *tcpfsm_service_get(const struct tcpfsm_service_key *key);

/* Has this end been a service lately? */
bool tcpfsm_service_known(const struct tcpfsm_service_key *key);

/* What is counted of a report that moves nobody. */
#define TCPFSM_SERVICE_NOTES (BIT_ULL(TFSM_NOTE_synack_resent) | \
			      BIT_ULL(TFSM_NOTE_icmp_unreachable) | BIT_ULL(TFSM_NOTE_icmp_mtu))

void tcpfsm_service_report(const struct tcpfsm_report *r);

/* Sum what all processors have counted. Under RCU. */
void tcpfsm_service_sum(struct tcpfsm_service *s, struct tcpfsm_service_counts *sums);

/*
 * tcpfsm_service_next - the next service of a namespace
 * @pos: position, 0 to begin; opaque
 *
 * Return: under RCU, valid until the caller leaves it; NULL at the end.
 */
struct tcpfsm_service *tcpfsm_service_next(const struct tcpfsm_net *tn, u64 *pos);

#endif /* _TCPFSM_SERVICE_H */
