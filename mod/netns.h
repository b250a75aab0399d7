/* SPDX-License-Identifier: GPL-2.0 */
/* What is kept of a network namespace. */
#ifndef _TCPFSM_NETNS_H
#define _TCPFSM_NETNS_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "core/hash.h"
#include "core/tfsm.h"

struct mem_cgroup;
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
 * out; one for TIME_WAITs whose time is over but whose local socket still exists; one for
 * tickets of flows whose time will be over before the ticket's turn would come in their own queue;
 * and two for those whose local socket may be gone in a moment, and a while after that.
 */
enum tcpfsm_queue {
	TCPFSM_QUEUE_REMOTE,
	TCPFSM_QUEUE_LOCAL = TCPFSM_QUEUE_REMOTE + TFSM_CLASSES,
	TCPFSM_QUEUE_RECHECK = TCPFSM_QUEUE_LOCAL + TFSM_CLASSES,
	TCPFSM_QUEUE_SOON,
	TCPFSM_QUEUE_ASK,
	TCPFSM_QUEUE_ASK_AGAIN,
	TCPFSM_QUEUES,			/* four bits hold one */
};

/* Grouped by who touches it. What costs memory is allocated when the first segment passes. */
struct tcpfsm_net {
	struct net		*net;
	struct mem_cgroup	*memcg;			/* that pays for a guest: charge.h */
	u8			owner;			/* enum tcpfsm_owner */
	bool			initial;		/* it is init_net */
	u32			tag;			/* tells it from all others; 0: none */
	bool			watched;		/* unless it is off: hook.c */
	bool			hooked;
	struct mutex		hooking;		/* its hooks come, or go */
	struct mutex		timing;			/* a time-out is set, and takes effect */
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
	u32			starved;		/* jiffies, when there was no memory */

	/* event.c */
	struct tcpfsm_batch __percpu *batch;
	atomic_t		requests;		/* for positions */

	/* flow.c */
	atomic64_t		last_id;		/* of a guest's flows */

	/* timeout.c, by queue: how long flows wait, and after how long tickets are met; jiffies */
	u32			wait[TCPFSM_QUEUES];
	u32			meet[TCPFSM_QUEUES];
	bool			closing;		/* no work is armed any more */

	/* owner.c */
	atomic_t		flows;			/* beside what processors have not told */
	unsigned int		victims_at;		/* processor, evict.c */
	bool			listed;
	u32			place;			/* in its owner's list */

	/* service.c */
	struct tcpfsm_service	*other;

	struct proc_dir_entry	*proc;
};

extern unsigned int tcpfsm_net_id;

static inline struct tcpfsm_net *tcpfsm_net(const struct net *net)
{
	return net_generic(net, tcpfsm_net_id);
}

/*
 * A namespace comes: its tag is of no other one that lives, and as a rule of none that ever did.
 * Process context. Return: 0 or -ENOMEM.
 */
int tcpfsm_netns_add(struct tcpfsm_net *tn, struct net *net);

/* It goes, also if it did not get a tag. RCU has to pass before it is freed. Process context. */
void tcpfsm_netns_remove(struct tcpfsm_net *tn);

/* The one with the lowest tag above @after, or NULL. Under RCU, as long as it is used. */
struct tcpfsm_net *tcpfsm_netns_next(u32 after);

#endif /* _TCPFSM_NETNS_H */
