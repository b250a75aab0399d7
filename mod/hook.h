/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a network namespace. */
#ifndef _TCPFSM_HOOK_H
#define _TCPFSM_HOOK_H

struct tcpfsm_net;

int tcpfsm_hook_register(struct tcpfsm_net *tn);
void tcpfsm_hook_unregister(struct tcpfsm_net *tn);

#endif /* _TCPFSM_HOOK_H */
