/* SPDX-License-Identifier: GPL-2.0 */
/* Multicast of transitions, and of flows that begin and end. */
#ifndef _TCPFSM_EVENT_H
#define _TCPFSM_EVENT_H

#include <linux/types.h>

struct sk_buff;
struct tcpfsm_net;
struct tcpfsm_report;

enum { TCPFSM_GROUP_TRANSITION, TCPFSM_GROUP_FLOW, TCPFSM_GROUPS };

/* Does anybody listen to what the report tells? Then it needs its snapshot. */
bool tcpfsm_event_wanted(const struct tcpfsm_report *r);

/* Context: bottom halves off, no flow's lock held. Builds nothing when nobody listens. */
void tcpfsm_event_report(const struct tcpfsm_report *r);

/*
 * Whoever listens, and is about to ask for positions, is heard from here on. Return: 0 or -ENOMEM.
 * Process context.
 */
int tcpfsm_event_hear(struct tcpfsm_net *tn);

/*
 * Add a TCPFSM_A_POSITION for each processor from *@cpu on that has sent events. Return: 0;
 * -EMSGSIZE if there is no room for that of *@cpu, which is where to go on in the next message.
 */
int tcpfsm_event_positions(struct tcpfsm_net *tn, struct sk_buff *skb, u32 *cpu);

/* Nothing reports any more: send what waits, and free what was allocated. */
void tcpfsm_event_net_exit(struct tcpfsm_net *tn);

#endif /* _TCPFSM_EVENT_H */
