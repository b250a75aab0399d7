/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deadline queues. No flow has a timer: each waits in one queue of its namespace, in the order of
 * its stamp, and the flows of a queue all wait equally long. So the heads tell what is due, and one
 * work for each namespace looks at them. Which queue a flow waits in, and what happens when its
 * time is over, is decided elsewhere (timeout.h, expire.h).
 */
#ifndef _TCPFSM_QUEUE_H
#define _TCPFSM_QUEUE_H

#include "netns.h"

struct tcpfsm_flow;

/* Under the flow's lock: it is new; it begins to wait anew, in this queue; it leaves the table. */
void tcpfsm_queue_add(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue);
void tcpfsm_queue_move(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue);
void tcpfsm_queue_remove(struct tcpfsm_net *tn, struct tcpfsm_flow *f);

/* Under the flow's lock: has it waited as long as its queue's flows do? */
bool tcpfsm_queue_waited(const struct tcpfsm_net *tn, const struct tcpfsm_flow *f);

/*
 * The flow that has waited longest, or NULL; the same, if its time is over, else *@delay is lowered
 * to the jiffies until then.
 *
 * Context: RCU read side, and bottom halves off for the first. The flow is not locked: by then it
 * may be gone, or its memory may be another flow's (see tcpfsm_flow_lock_of()).
 */
struct tcpfsm_flow *tcpfsm_queue_head(struct tcpfsm_net *tn, unsigned int queue);
struct tcpfsm_flow *tcpfsm_queue_due(struct tcpfsm_net *tn, unsigned int queue,
				     unsigned long *delay);

/* The work begins; it ends, and shall run again after @delay jiffies if there are flows. */
void tcpfsm_queue_work_begins(struct tcpfsm_net *tn);
void tcpfsm_queue_work_ends(struct tcpfsm_net *tn, unsigned long delay);

/*
 * Set how long the flows of each queue wait (jiffies), and run the work now. Of several at once,
 * the last one reads the newest.
 */
void tcpfsm_queue_set_waits(struct tcpfsm_net *tn,
			    unsigned long (*wait_of)(const struct tcpfsm_net *tn,
						     unsigned int queue));

void tcpfsm_queue_net_init(struct tcpfsm_net *tn, work_func_t work);

/* The work is not armed any more, and the namespace is off its owner's list. */
void tcpfsm_queue_net_close(struct tcpfsm_net *tn);

/* Wait for the work. After tcpfsm_queue_net_close(). */
void tcpfsm_queue_net_stop(struct tcpfsm_net *tn);

#endif /* _TCPFSM_QUEUE_H */
