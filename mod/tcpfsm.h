/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's files share about a namespace. */
#ifndef _TCPFSM_H
#define _TCPFSM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/sysctl.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "core/hash.h"
#include "flow.h"

/*
 * Each flow waits in one queue of its namespace: by time-out class, apart for those with a
 * local socket, since these are asked after rather than timed out; and one for TIME_WAITs
 * whose time is over but whose local socket is not.
 */
enum tcpfsm_queue {
	TCPFSM_QUEUE_REMOTE,
	TCPFSM_QUEUE_LOCAL = TCPFSM_QUEUE_REMOTE + TFSM_CLASSES,
	TCPFSM_QUEUE_RECHECK = TCPFSM_QUEUE_LOCAL + TFSM_CLASSES,
	TCPFSM_QUEUES,
};

/* Whose a network namespace is: the initial user namespace's, or another's. */
enum tcpfsm_owner {
	TCPFSM_HOST,
	TCPFSM_GUEST,
	TCPFSM_OWNERS,
};

enum tcpfsm_counter {
#define X(name, help) TCPFSM_C_##name,
	TCPFSM_NOTE_LIST(X)
	TCPFSM_SHELL_LIST(X)
#undef X
	TCPFSM_COUNTERS,
};

#define TCPFSM_SHARDS_MAX 8

struct tcpfsm_stats;
struct tcpfsm_log;
struct tcpfsm_batch;
struct tcpfsm_other;

/* Per network namespace. What costs memory is allocated when its first segment passes. */
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

	/* stats.c */
	struct tcpfsm_stats	*stats[TCPFSM_SHARDS_MAX];
	u64 __percpu		*segments;

	/* expire.c. On a line of its own: what is above is read with each segment. */
	spinlock_t		queue_lock ____cacheline_aligned_in_smp;
	struct list_head	queue[TCPFSM_QUEUES];
	unsigned int		flows;			/* in its queues */
	bool			active;			/* on the list of those with flows */
	bool			closing;
	bool			armed;			/* the work runs at wake_at (jiffies) */
	u32			wake_at;
	struct list_head	actives;
	struct delayed_work	expire;

	/* log.c */
	struct tcpfsm_log	*log;

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

/*
 * Transitions on their way to those who count and tell them. Filled under the flow's lock,
 * delivered after it.
 */
struct tcpfsm_report {
	struct tcpfsm_net *tn;
	u64		  now;			/* ktime */
	u64		  notes;
	u16		  step;			/* of the first */
	u8		  moves;
	u8		  before[TCPFSM_ENDS];	/* UNSET: the flow is new */
	u8		  after[TCPFSM_ENDS];
	u8		  reason;		/* the flow has ended */
	bool		  opened;
	bool		  midstream;
	bool		  told;			/* somebody listens: snap is valid */
	struct tfsm_move  move[TFSM_MOVES_MAX];
	u64		  dwell[TFSM_MOVES_MAX];
	struct tcpfsm_snap snap;
};

#endif /* _TCPFSM_H */
