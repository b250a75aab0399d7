/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel's own sockets say about a flow's local ends. */
#ifndef _TCPFSM_SOCKET_H
#define _TCPFSM_SOCKET_H

#include "flow.h"
#include "view.h"

/* The full TCP socket that sends this segment, if its tuple is the connection's, or NULL. */
const struct sock *tcpfsm_socket_of(const struct tcpfsm_view *v);

/* Keep cookie, owner and own tuple of the socket that sent this segment, once. */
void tcpfsm_socket_note(struct tcpfsm_flow *f, u8 end, const struct tcpfsm_view *v);

/* States of the local sockets of a flow met midstream, by end; left alone where unknown. */
void tcpfsm_socket_states(struct tcpfsm_view *v, u8 sender, struct tfsm_local local[TCPFSM_ENDS]);

/*
 * Does a local socket listen at this end (canonical index) of the tuple? It is asked once for each
 * segment. Not under a flow's lock: programs of BPF may run to answer.
 */
bool tcpfsm_socket_listens(struct tcpfsm_view *v, u8 i);

/*
 * tcpfsm_socket_lives - does the local socket of an end still exist, in any state?
 * @snap: of the flow; not called under its lock
 */
bool tcpfsm_socket_lives(const struct tcpfsm_snap *snap, u8 end);

#endif /* _TCPFSM_SOCKET_H */
