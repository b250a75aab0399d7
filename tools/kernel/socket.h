/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own sockets, from sock_diag. */
#ifndef KERNEL_SOCKET_H
#define KERNEL_SOCKET_H

#include "data/netns.h"
#include "data/tuple.h"

struct sock {
	struct tuple tuple;	/* src is the socket's own; IPv4 if an IPv6 socket speaks it */
	u8 state;		/* TCP_ESTABLISHED ... of <netinet/tcp.h> */
	u32 inode;		/* 0: no process holds it */
	u32 uid;
	u32 recvq, sendq;	/* bytes; of TCP_LISTEN: the accept queue, and its limit */
	u64 cookie;
};

typedef void (*sock_fn)(const struct sock *s, void *arg);

/*
 * Every socket of a network namespace (NULL: the own one) in @states (bit n: state n).
 * Return: 0 or -errno
 */
int sock_each(const struct netns *ns, u32 states, sock_fn fn, void *arg);

const char *sock_state_name(u8 state);

#endif
