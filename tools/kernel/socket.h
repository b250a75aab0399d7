/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own sockets (sock_diag), and the processes that hold them. */
#ifndef SOCK_H
#define SOCK_H

#include "lib/fmt.h"

struct sock {
	struct tuple tuple;	/* src is its own; IPv4 also of an IPv6 socket that speaks it */
	u8 state;		/* TCP_ESTABLISHED ... of <netinet/tcp.h> */
	u32 inode;		/* 0: no process has it */
	u32 uid;
	u32 recvq, sendq;	/* bytes; TCP_LISTEN: in the accept queue, and its limit */
	u64 cookie;
};

typedef void (*sock_fn)(const struct sock *s, void *arg);

/* Every socket of the network namespace in a set of states (bits of TCP_*). Return: 0 or -errno. */
int sock_each(u32 states, sock_fn fn, void *arg);

/* Who holds a socket. */
struct process {
	u32 inode;
	int pid, fd;
	char name[16];
};

/*
 * From what /proc said at the first question since processes_forget(). Return: of several
 * processes the first; NULL: nobody, or not ours to see.
 */
const struct process *process_of(u32 inode);
void processes_forget(void);

const char *sock_state_name(u8 state);

#endif
