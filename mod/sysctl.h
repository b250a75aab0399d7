/* SPDX-License-Identifier: GPL-2.0 */
/* net.tcpfsm.*, for each network namespace. */
#ifndef _TCPFSM_SYSCTL_H
#define _TCPFSM_SYSCTL_H

struct tcpfsm_net;

/* Sets the defaults, then registers the table. */
int tcpfsm_sysctl_net_init(struct tcpfsm_net *tn);
void tcpfsm_sysctl_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_SYSCTL_H */
