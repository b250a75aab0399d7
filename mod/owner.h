/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns flows: the namespaces of the initial user namespace (the host) between them, or those of
 * all others (guests). Each owner's flows are counted, and its namespaces with flows are listed, so
 * that a full table can find where to make room.
 */
#ifndef _TCPFSM_OWNER_H
#define _TCPFSM_OWNER_H

#include "netns.h"

/* The most flows in the table, of all owners. */
extern unsigned int tcpfsm_max_flows;

/*
 * A flow is about to be made, or was freed again. Return: false if this one is above max_flows; it
 * is charged all the same, and has to be uncharged unless another flow makes room for it. Context:
 * bottom halves off.
 */
bool tcpfsm_owner_charge(u8 owner);
void tcpfsm_owner_uncharge(u8 owner);

/*
 * With what processors have left over: at most a sixty-fourth of a table, and in a full one only
 * what they got within the jiffy.
 */
unsigned int tcpfsm_owner_flows(u8 owner);

/* Are there more flows than max_flows? Process context. */
bool tcpfsm_owner_too_many(void);

/* Does an owner hold more than the half of the table of which each is sure? */
bool tcpfsm_owner_over_half(u8 owner);

/* How many flows a namespace is told of: its own; the initial one, all. */
unsigned int tcpfsm_owner_flows_shown(const struct tcpfsm_net *tn);

/* A flow of the namespace has come into the table, or left it. Context: bottom halves off. */
void tcpfsm_owner_joined(struct tcpfsm_net *tn);
void tcpfsm_owner_left(struct tcpfsm_net *tn);

/* How many flows a namespace has, roughly. */
unsigned int tcpfsm_owner_share(const struct tcpfsm_net *tn);

/* Has it any? Exact while none comes or goes. */
bool tcpfsm_owner_holds_flows(const struct tcpfsm_net *tn);

/* From time to time: a namespace without flows leaves the list. Process context. */
void tcpfsm_owner_settle(struct tcpfsm_net *tn);

/* It goes away, and does not come back into the list. */
void tcpfsm_owner_delist(struct tcpfsm_net *tn);

/* How many namespaces of an owner are listed. */
unsigned int tcpfsm_owner_namespaces(u8 owner);

/*
 * tcpfsm_owner_fattest - the listed namespace with most flows, as far as a few looks a call tell
 *
 * An owner of thousands of namespaces must not make each eviction dear. Each processor has its own
 * turn, so it writes nothing that others read.
 *
 * Return: valid under RCU (a namespace leaves the list before a grace period); NULL if none.
 * Context: bottom halves off.
 */
struct tcpfsm_net *tcpfsm_owner_fattest(u8 owner);

/* The listed namespaces in turn, one a call. As above. */
struct tcpfsm_net *tcpfsm_owner_turn(u8 owner);

/*
 * The listed namespace at a place, if there is one; the one behind it, and its place: behind the
 * last one, the first. Under RCU.
 */
struct tcpfsm_net *tcpfsm_owner_at(u8 owner, unsigned long place);
struct tcpfsm_net *tcpfsm_owner_next(u8 owner, unsigned long *place);

#endif /* _TCPFSM_OWNER_H */
