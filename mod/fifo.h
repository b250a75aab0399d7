/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue of tickets, in the order in which they came. Nothing is ever taken out of its middle: a
 * ticket that has become void stays until its turn comes, and whoever meets it there drops it.
 *
 * Tickets are kept in chunks, so that pushing and popping touch no ticket but the last and the first.
 * The caller locks.
 */
#ifndef _TCPFSM_FIFO_H
#define _TCPFSM_FIFO_H

#include <linux/types.h>

/* What it is for is the caller's business; it holds no pointer, so nothing has to outlive it. */
struct tcpfsm_ticket {
	u32	where, mark;
	u32	stamp;		/* jiffies, when it was pushed */
};

struct tcpfsm_fifo {
	struct tcpfsm_chunk *head, *tail;
	u16	first, end;	/* of head, of tail: where the first ticket is, where the next goes */
};

/* Return: false if there is no memory. Any context. */
bool tcpfsm_fifo_push(struct tcpfsm_fifo *q, const struct tcpfsm_ticket *t);

/* The first ticket, or NULL. It stays valid until it is popped. */
const struct tcpfsm_ticket *tcpfsm_fifo_first(const struct tcpfsm_fifo *q);

/* Take the first ticket away; there is one. */
void tcpfsm_fifo_pop(struct tcpfsm_fifo *q);

/* Forget all tickets. */
void tcpfsm_fifo_free(struct tcpfsm_fifo *q);

#endif /* _TCPFSM_FIFO_H */
