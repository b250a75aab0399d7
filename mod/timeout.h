/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which queue a flow belongs to, and for how long it waits there: by its time-out class
 * (core/class.c), and by whether it has a local socket.
 *
 * Only TIME_WAIT and closed flows are met on time: they get a ticket when they become so. Others
 * keep the ticket that they have if it is met early enough, and are put where they belong when it
 * is; so an idle flow ends when its time-out is over, or some seconds later.
 */
#ifndef _TCPFSM_TIMEOUT_H
#define _TCPFSM_TIMEOUT_H

#include "flow.h"

/* Under the flow's lock: it is new. Return: false if there is no memory for a ticket. */
bool tcpfsm_timeout_start(struct tcpfsm_flow *f);

/* It has had an acceptable segment. */
void tcpfsm_timeout_touch(struct tcpfsm_flow *f);

/*
 * Its pair or flags may have changed; with @restart its time starts anew in any case. Return: false
 * if there was no memory for a ticket that it should have got.
 */
bool tcpfsm_timeout_update(struct tcpfsm_flow *f, bool restart);

/* It belongs to this queue from now on, whatever its class, and gets a ticket. */
bool tcpfsm_timeout_wait_in(struct tcpfsm_flow *f, unsigned int queue);

/*
 * Its ticket was met, and its time is not over: it gets the next one, where it belongs. Return:
 * false if there is no memory.
 */
bool tcpfsm_timeout_go_on(struct tcpfsm_flow *f);

/*
 * A local socket of its may be gone in a moment: it gets a ticket that is met then, if there is
 * memory for one, and a second one that is met later. When its ticket was met: is that why?
 */
void tcpfsm_timeout_ask(struct tcpfsm_flow *f);
bool tcpfsm_timeout_is_to_ask(const struct tcpfsm_flow *f);

/*
 * Its ticket was met, and its sockets are asked: it gets the next one in case they live. Return:
 * false if there is no memory.
 */
bool tcpfsm_timeout_outlive(struct tcpfsm_flow *f);

/* It leaves the table. */
void tcpfsm_timeout_stop(struct tcpfsm_flow *f);

/* Has it waited for as long as it has to, without a segment that counts? */
bool tcpfsm_timeout_is_over(const struct tcpfsm_flow *f);

/* The queue to which the flow belongs by its class. */
unsigned int tcpfsm_timeout_queue_of(const struct tcpfsm_flow *f);

/* The class of the flows that belong to a queue. */
enum tfsm_class tcpfsm_timeout_class_of(unsigned int queue);

/* The ends with a local socket, as a mask by end; @flags: TCPFSM_F_* */
u8 tcpfsm_timeout_local_ends(u32 flags);

/* How many flows there are of class opening, on all processors. */
unsigned int tcpfsm_timeout_opening(void);

/* The time-outs of the namespace have changed, or are new. One caller at a time. */
void tcpfsm_timeout_apply(struct tcpfsm_net *tn);

#endif /* _TCPFSM_TIMEOUT_H */
