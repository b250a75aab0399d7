/* SPDX-License-Identifier: GPL-2.0 */
/* Flows whose time is over: one work for each namespace and processor meets their tickets. */
#ifndef _TCPFSM_EXPIRE_H
#define _TCPFSM_EXPIRE_H

struct tcpfsm_net;

int tcpfsm_expire_init(void);
void tcpfsm_expire_exit(void);

/* The hooks are off, segments may still be under way; after a grace period none is. */
void tcpfsm_expire_net_pre_exit(struct tcpfsm_net *tn);
void tcpfsm_expire_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_EXPIRE_H */
