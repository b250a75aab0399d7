// SPDX-License-Identifier: GPL-2.0
/* A queue of tickets, of 8 bytes each: a chunk has the time of its first one, and they the rest. */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/slab.h>

#include "fifo.h"

#define CHUNK	512	/* bytes */
#define TICKETS	((CHUNK - sizeof(struct tcpfsm_chunk)) / sizeof(struct packed_ticket))

struct packed_ticket {
	u32	where;
	u16	mark;
	u16	later;		/* jiffies since the chunk's first */
};

struct tcpfsm_chunk {
	struct tcpfsm_chunk  *next;
	u32		     stamp;	/* of the first */
	u32		     nr;
	struct packed_ticket ticket[];
};

static struct tcpfsm_chunk *add_chunk(struct tcpfsm_fifo *q, u32 stamp)
{
	struct tcpfsm_chunk *c = kmalloc(CHUNK, GFP_ATOMIC | __GFP_NOWARN);

	if (!c)
		return NULL;
	c->next = NULL;
	c->stamp = stamp;
	c->nr = 0;
	if (q->tail) {
		q->tail->next = c;
	} else {
		q->head = c;
		q->first = 0;
	}
	q->tail = c;
	return c;
}

bool tcpfsm_fifo_push(struct tcpfsm_fifo *q, const struct tcpfsm_ticket *t)
{
	struct tcpfsm_chunk *c = q->tail;

	if (!c || c->nr == TICKETS || t->stamp - c->stamp > U16_MAX)
		c = add_chunk(q, t->stamp);
	if (!c)
		return false;
	c->ticket[c->nr++] = (struct packed_ticket) {
		.where = t->where, .mark = t->mark, .later = t->stamp - c->stamp,
	};
	WRITE_ONCE(q->nr, q->nr + 1);
	return true;
}

bool tcpfsm_fifo_first(const struct tcpfsm_fifo *q, struct tcpfsm_ticket *to)
{
	const struct tcpfsm_chunk *c = q->head;
	const struct packed_ticket *t;

	if (!c)
		return false;
	t = &c->ticket[q->first];
	*to = (struct tcpfsm_ticket) {
		.where = t->where, .mark = t->mark, .stamp = c->stamp + t->later,
	};
	return true;
}

/* A chunk goes with its last ticket, so that an empty queue needs no memory. */
void tcpfsm_fifo_pop(struct tcpfsm_fifo *q)
{
	struct tcpfsm_chunk *c = q->head;

	WRITE_ONCE(q->nr, q->nr - 1);
	if (++q->first < c->nr)
		return;
	q->head = c->next;
	q->first = 0;
	if (!q->head)
		q->tail = NULL;
	kfree(c);
}

void tcpfsm_fifo_free(struct tcpfsm_fifo *q)
{
	struct tcpfsm_chunk *c, *next;

	for (c = q->head; c; c = next) {
		next = c->next;
		kfree(c);
	}
	q->head = NULL;
	q->tail = NULL;
	q->first = 0;
	WRITE_ONCE(q->nr, 0);
}
