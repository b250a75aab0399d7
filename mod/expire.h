/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How flows end without a segment. No flow has a timer: each waits in a queue of its
 * namespace, ordered by the time of queueing, and one work looks at the heads.
 *
 * The names say what happened to the flow; which queue that means is decided inside.
 */
#ifndef _TCPFSM_EXPIRE_H
#define _TCPFSM_EXPIRE_H

#include "tcpfsm.h"

/* Under the flow's lock: it is new; its pair or flags may have changed (or, with @restart, its
 * time starts anew in any case); it is leaving the table.
 */
void tcpfsm_expire_queue(struct tcpfsm_flow *f);
void tcpfsm_expire_requeue(struct tcpfsm_flow *f, bool restart);
void tcpfsm_expire_dequeue(struct tcpfsm_flow *f);

/*
 * tcpfsm_expire_evict - end a flow to make room
 * @tn: the namespace that wants a flow
 *
 * The host's namespaces, those of the initial user namespace, are sure of half the table between
 * them, whoever else makes flows or namespaces; what is over half gives way first.
 *
 * Return: false if nothing could go. Context: bottom halves off, no flow's lock held.
 */
bool tcpfsm_expire_evict(struct tcpfsm_net *tn);

/* The table has become smaller: end what is too much, as far as it may go. Process context. */
void tcpfsm_expire_trim(void);

/* End all flows of a namespace. Process context; segments may still come in. */
void tcpfsm_expire_flush(struct tcpfsm_net *tn);

/* A time-out was changed. */
void tcpfsm_expire_retime(struct tcpfsm_net *tn);

void tcpfsm_expire_net_init(struct tcpfsm_net *tn);
/* The hooks are off, segments may still be under way; later none is, after a grace period. */
void tcpfsm_expire_net_pre_exit(struct tcpfsm_net *tn);
void tcpfsm_expire_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_EXPIRE_H */
