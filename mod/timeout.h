/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which queue a flow waits in, and for how long: by its time-out class (core/class.c), and by
 * whether it has a local socket.
 *
 * Classes that traffic refreshes are looked at lazily: a segment only leaves its time in the flow,
 * so an idle flow ends between one and two time-outs. TIME_WAIT is exact.
 */
#ifndef _TCPFSM_TIMEOUT_H
#define _TCPFSM_TIMEOUT_H

#include "flow.h"
#include "queue.h"

/* Under the flow's lock: it is new. */
void tcpfsm_timeout_start(struct tcpfsm_flow *f);

/* Its pair or flags may have changed; with @restart its time starts anew in any case. */
void tcpfsm_timeout_update(struct tcpfsm_flow *f, bool restart);

/* It begins to wait anew in this queue, whatever its class. */
void tcpfsm_timeout_wait_in(struct tcpfsm_flow *f, unsigned int queue);

/* The queue where the flow belongs. */
unsigned int tcpfsm_timeout_queue_of(const struct tcpfsm_flow *f);

/* The class of the flows that wait in a queue. */
enum tfsm_class tcpfsm_timeout_class_of(unsigned int queue);

/* Did an acceptable segment pass within the time-out of the flow's queue, and does that count? */
bool tcpfsm_timeout_refreshed(const struct tcpfsm_net *tn, const struct tcpfsm_flow *f);

/* The ends with a local socket, as a mask by end; @flags: TCPFSM_F_* */
u8 tcpfsm_timeout_local_ends(u32 flags);

/* The time-outs of the namespace have changed, or are new. */
void tcpfsm_timeout_apply(struct tcpfsm_net *tn);

#endif /* _TCPFSM_TIMEOUT_H */
