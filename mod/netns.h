/* SPDX-License-Identifier: GPL-2.0 */
/* What is kept of a network namespace. */
#ifndef _TCPFSM_NETNS_H
#define _TCPFSM_NETNS_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/sysctl.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "core/hash.h"
#include "core/tfsm.h"

struct tcpfsm_cpu;
struct tcpfsm_batch;
struct tcpfsm_service;

/* Whose namespace it is: the initial user namespace's, or another's. See owner.h. */
enum tcpfsm_owner {
	TCPFSM_HOST,
	TCPFSM_GUEST,
	TCPFSM_OWNERS,
};

/*
 * By time-out class, apart for flows with a local socket, which are asked after rather than timed
 * out; and one for TIME_WAITs whose time is over but whose local socket still exists.
 */
enum tcpfsm_queue {
	TCPFSM_QUEUE_REMOTE,
	TCPFSM_QUEUE_LOCAL = TCPFSM_QUEUE_REMOTE + TFSM_CLASSES,
	TCPFSM_QUEUE_RECHECK = TCPFSM_QUEUE_LOCAL + TFSM_CLASSES,
	TCPFSM_QUEUES,
};

/* See queue.h. */
struct tcpfsm_queues {
	spinlock_t		lock;
	struct list_head	head[TCPFSM_QUEUES];
	unsigned long		wait[TCPFSM_QUEUES];	/* jiffies, below 2^31; without the lock */
	unsigned int		flows;
	bool			closing;	/* the work is not armed any more */
	bool			armed;		/* the work runs at wake_at */
	u32			wake_at;	/* jiffies */
	struct delayed_work	work;
};

/* Grouped by who touches it. What costs memory is allocated when the first segment passes. */
struct tcpfsm_net {
	struct net		*net;
	u8			owner;			/* enum tcpfsm_owner */
	bool			hooked;
	u64			secret[TFSM_SECRET_WORDS];	/* of its hashes */

	/* sysctl */
	unsigned int		enabled;
	unsigned int		timeout[TFSM_CLASSES];	/* seconds */
	unsigned int		log_size;
	unsigned int		audit;
	struct ctl_table_header	*sysctl;
	struct ctl_table	*sysctl_table;

	/* cpu.c */
	struct tcpfsm_cpu * __percpu *cpus;
	struct tcpfsm_cpu	*spare;

	/* queue.c. On a line of its own: what is above is read with each segment. */
	struct tcpfsm_queues	queues ____cacheline_aligned_in_smp;

	/* owner.c, under the queues' lock */
	bool			listed;
	struct list_head	peers;			/* namespaces of the same owner */

	/* event.c */
	struct tcpfsm_batch __percpu *batch;

	/* service.c */
	struct tcpfsm_service	*other;

	struct proc_dir_entry	*proc;
};

extern unsigned int tcpfsm_net_id;

static inline struct tcpfsm_net *tcpfsm_net(const struct net *net)
{
	return net_generic(net, tcpfsm_net_id);
}

#endif /* _TCPFSM_NETNS_H */
