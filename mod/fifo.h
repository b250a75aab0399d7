/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue of tickets, in the order in which they came. Nothing is ever taken out of its middle: a
 * ticket that has become void stays until its turn comes, and whoever meets it there drops it.
 *
 * Tickets are kept in chunks, so that pushing and popping touch no ticket but the last and the
 * first. The caller locks.
 */
#ifndef _TCPFSM_FIFO_H
#define _TCPFSM_FIFO_H

#include <linux/types.h>

/* What it is for is the caller's business; it holds no pointer, so nothing has to outlive it. */
struct tcpfsm_ticket {
	u32	where;
	u16	mark;
	u32	stamp;		/* jiffies, when it was pushed; never before the one before it */
};

struct tcpfsm_fifo {
	struct tcpfsm_chunk *head, *tail;
	u32	first;		/* place of the first ticket in the head */
	u32	nr;		/* tickets; whoever reads it without the lock uses READ_ONCE() */
};

/* Return: false if there is no memory. Any context. */
bool tcpfsm_fifo_push(struct tcpfsm_fifo *q, const struct tcpfsm_ticket *t);

/* Copy the first ticket. Return: false if there is none. */
bool tcpfsm_fifo_first(const struct tcpfsm_fifo *q, struct tcpfsm_ticket *to);

/* Take the first ticket away; there is one. */
void tcpfsm_fifo_pop(struct tcpfsm_fifo *q);

/* Forget all tickets. */
void tcpfsm_fifo_free(struct tcpfsm_fifo *q);

#endif /* _TCPFSM_FIFO_H */
