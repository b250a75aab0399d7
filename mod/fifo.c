// SPDX-License-Identifier: GPL-2.0
/* A queue of tickets. */
#include <linux/slab.h>

#include "fifo.h"

#define CHUNK	512	/* bytes */
#define TICKETS	((CHUNK - sizeof(struct tcpfsm_chunk)) / sizeof(struct tcpfsm_ticket))

struct tcpfsm_chunk {
	struct tcpfsm_chunk  *next;
	struct tcpfsm_ticket ticket[];
};

static bool add_chunk(struct tcpfsm_fifo *q)
{
	struct tcpfsm_chunk *c = kmalloc(CHUNK, GFP_ATOMIC | __GFP_NOWARN);

	if (!c)
		return false;
	c->next = NULL;
	if (q->tail) {
		q->tail->next = c;
	} else {
		q->head = c;
		q->first = 0;
	}
	q->tail = c;
	q->end = 0;
	return true;
}

bool tcpfsm_fifo_push(struct tcpfsm_fifo *q, const struct tcpfsm_ticket *t)
{
	if ((!q->tail || q->end == TICKETS) && !add_chunk(q))
		return false;
	q->tail->ticket[q->end++] = *t;
	return true;
}

const struct tcpfsm_ticket *tcpfsm_fifo_first(const struct tcpfsm_fifo *q)
{
	return q->head ? &q->head->ticket[q->first] : NULL;
}

void tcpfsm_fifo_pop(struct tcpfsm_fifo *q)
{
	struct tcpfsm_chunk *c = q->head;

	q->first++;
	if (c == q->tail ? q->first < q->end : q->first < TICKETS)
		return;
	/* What was the last ticket leaves nothing behind, so that idle queues need no memory. */
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
	*q = (struct tcpfsm_fifo) {};
}
