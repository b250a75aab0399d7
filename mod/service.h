/* SPDX-License-Identifier: GPL-2.0 */
/* Services: address and port of a responding endpoint, over all its flows. */
#ifndef _TCPFSM_SERVICE_H
#define _TCPFSM_SERVICE_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/rcupdate.h>

#include <linux/tcpfsm.h>

#include "tuple.h"

struct tcpfsm_net;
struct tcpfsm_report;

struct tcpfsm_service {
	struct hlist_node	node;
	struct tcpfsm_net	*tn;
	u32			l3;
	__be16			port;
	u8			family;		/* 0: one of those that found no place */
	u8			owner;		/* enum tcpfsm_owner, of tn */
	u16			bucket;		/* of the table; tn may be gone by then */
	union tcpfsm_addr	addr;
	struct rcu_head		rcu;

	/* What changes, apart from what each segment is held against. */
	atomic_t		flows ____cacheline_aligned_in_smp;	/* in the table */
	struct list_head	idle;		/* while flows is 0 */
	atomic64_t		state[TCPFSM_STATES];
	atomic64_t		opened;
	atomic64_t		established;
	atomic64_t		refused;
	atomic64_t		reset;
	atomic64_t		synack_resent;
	atomic64_t		connect_ns;	/* SYN to SYN|ACK */
	atomic64_t		connects;
	atomic64_t		accept_ns;	/* SYN to the SYN|ACK's ACK, where established */
};

extern unsigned int tcpfsm_max_services;

int tcpfsm_service_init(void);
void tcpfsm_service_exit(void);
int tcpfsm_service_net_init(struct tcpfsm_net *tn);
void tcpfsm_service_net_exit(struct tcpfsm_net *tn);

/*
 * The service at end @i (canonical index) of a tuple, or NULL if there is no memory. A flow holds
 * one while it lives: the service tells the flow's namespace and l3 domain.
 */
struct tcpfsm_service *tcpfsm_service_get(const struct tcpfsm_tuple *t, u8 i);
void tcpfsm_service_put(struct tcpfsm_service *s);

/* Has this end been a service lately? */
bool tcpfsm_service_known(const struct tcpfsm_tuple *t, u8 i);

/* What happened to one of its flows. Under the flow's lock. */
void tcpfsm_service_report(const struct tcpfsm_report *r);
void tcpfsm_service_synack_resent(struct tcpfsm_service *s);
void tcpfsm_service_ended(struct tcpfsm_service *s, u8 state);

/*
 * tcpfsm_service_next - the next service of a namespace
 * @pos: position, 0 to begin; opaque
 *
 * Return: under RCU, valid until the caller leaves it; NULL at the end.
 */
struct tcpfsm_service *tcpfsm_service_next(const struct tcpfsm_net *tn, u64 *pos);

#endif /* _TCPFSM_SERVICE_H */
