/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queues of flows that wait, without policy: which queue a flow waits in, and what becomes of it
 * when its turn comes, is decided elsewhere (timeout.h, expire.h).
 *
 * No flow has a timer. Each has one ticket, in a queue of the processor that has pushed it last;
 * the tickets of a queue are met equally long after they were pushed, so the first one tells when
 * that is, and one work for each processor and namespace meets them. A flow that gets another
 * ticket voids the one before, which is dropped when it is met.
 */
#ifndef _TCPFSM_QUEUE_H
#define _TCPFSM_QUEUE_H

#include "fifo.h"
#include "netns.h"

struct tcpfsm_cpu;
struct tcpfsm_cpu_part;
struct tcpfsm_flow;

/*
 * Give a locked flow a ticket. Return: false if there is no memory; then the ticket that it had, if
 * any, is still valid.
 */
bool tcpfsm_queue_push(struct tcpfsm_flow *f, unsigned int queue);

/*
 * Lock the flow for which a ticket from this queue of the namespace is. Return: NULL if the ticket
 * is void: the flow has ended, or has got another ticket. Context: RCU read side, bottom halves
 * off.
 */
#define tcpfsm_queue_lock(tn, queue, t) ({					\
	struct tcpfsm_flow *holder = tcpfsm_queue_do_lock(tn, queue, t);	\
	tcpfsm_locked_if(&holder->lock, holder) ? holder : NULL; })
struct tcpfsm_flow *tcpfsm_queue_do_lock(const struct tcpfsm_net *tn, unsigned int queue,
					 const struct tcpfsm_ticket *t);

/*
 * Take tickets whose turn has come, at most @n of them; without one, lowers *@delay to the jiffies
 * until then. Process context.
 */
unsigned int tcpfsm_queue_take_due(struct tcpfsm_cpu *c, unsigned int queue,
				   struct tcpfsm_ticket *to, unsigned int n, unsigned long *delay);

/*
 * Take the first ticket, if it was pushed at least @age jiffies ago. Return: 1; 0 if it was not, or
 * there is none; -EBUSY (unless @wait) if another processor works at these queues. Context: bottom
 * halves off.
 */
int tcpfsm_queue_take(struct tcpfsm_cpu *c, unsigned int queue, u32 age, bool wait,
		      struct tcpfsm_ticket *to);

/*
 * How long the flows of each queue wait, and after how long their tickets are met (jiffies, below
 * 2^31), has been set anew: meet what is due.
 */
void tcpfsm_queue_rearm(struct tcpfsm_net *tn);

/*
 * The work begins; it ends, and shall run again after @delay jiffies. @all: the turn of each ticket
 * that is there has come. So it has if there are many more than were valid last: the void ones are
 * dropped before they fill the memory.
 */
void tcpfsm_queue_work_begins(struct tcpfsm_cpu *c, bool all);
void tcpfsm_queue_work_ends(struct tcpfsm_cpu *c, unsigned long delay);

extern const struct tcpfsm_cpu_part tcpfsm_queue_part;

/* The works are not armed any more; wait for them. */
void tcpfsm_queue_net_close(struct tcpfsm_net *tn);
void tcpfsm_queue_net_stop(struct tcpfsm_net *tn);

/* @work: meets the tickets of a processor, in process context. */
int tcpfsm_queue_init(void (*work)(struct tcpfsm_cpu *c, struct tcpfsm_net *tn));
void tcpfsm_queue_exit(void);

#endif /* _TCPFSM_QUEUE_H */
