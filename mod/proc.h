/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/net/tcpfsm/. */
#ifndef _TCPFSM_PROC_H
#define _TCPFSM_PROC_H

struct tcpfsm_net;

int tcpfsm_proc_net_init(struct tcpfsm_net *tn);
void tcpfsm_proc_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_PROC_H */
