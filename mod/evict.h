/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who makes room in a full table.
 *
 * The host's namespaces, those of the initial user namespace, are sure of half the table between
 * them, whoever else makes flows or namespaces; an owner above its half gives way first. Within a
 * namespace flows go in the order of their classes (TCPFSM_CLASS_LIST), oldest first, those with
 * local sockets after the others; handshakes in progress behind TIME_WAIT, unless they are many or
 * slow. Active established flows are never evicted, but for those of an owner above its half.
 */
#ifndef _TCPFSM_EVICT_H
#define _TCPFSM_EVICT_H

#include <linux/types.h>

struct tcpfsm_net;

/*
 * tcpfsm_evict_one - end a flow, so that the namespace may have another
 *
 * Return: false if nothing can go. Context: RCU, bottom halves off, no flow's lock held.
 */
bool tcpfsm_evict_one(struct tcpfsm_net *tn);

/* The table has become smaller: end what is too much, as far as it may go. Process context. */
void tcpfsm_evict_surplus(void);

#endif /* _TCPFSM_EVICT_H */
