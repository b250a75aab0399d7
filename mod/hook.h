/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a network namespace. */
#ifndef _TCPFSM_HOOK_H
#define _TCPFSM_HOOK_H

struct tcpfsm_net;

/* Of the netfilter hooks; before a namespace is watched. */
void tcpfsm_hook_init(int priority);

/* First of all, for a namespace that comes. */
void tcpfsm_hook_net_init(struct tcpfsm_net *tn);

/* Watch a namespace from now on; no more, whatever is asked for later. */
int tcpfsm_hook_open(struct tcpfsm_net *tn);
void tcpfsm_hook_close(struct tcpfsm_net *tn);

/*
 * Switch tracking of a namespace on or off (sysctl enabled); it has no hooks while it is off.
 * Segments may be under way until a grace period is over. Process context. Return: 0, or why there
 * are no hooks.
 */
int tcpfsm_hook_enable(struct tcpfsm_net *tn, bool on);

#endif /* _TCPFSM_HOOK_H */
