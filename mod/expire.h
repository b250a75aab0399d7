/* SPDX-License-Identifier: GPL-2.0 */
/* Flows whose time is over: one work for each namespace looks at the heads of its queues. */
#ifndef _TCPFSM_EXPIRE_H
#define _TCPFSM_EXPIRE_H

struct tcpfsm_net;

void tcpfsm_expire_net_init(struct tcpfsm_net *tn);

/* The hooks are off, segments may still be under way; after a grace period none is. */
void tcpfsm_expire_net_pre_exit(struct tcpfsm_net *tn);
void tcpfsm_expire_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_EXPIRE_H */
