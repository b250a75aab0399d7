/* SPDX-License-Identifier: GPL-2.0 */
/* What a segment teaches about sequence space. */
#ifndef _TFSM_LEARN_H
#define _TFSM_LEARN_H

#include "engine.h"

static inline void tfsm_learn_window(struct tfsm_end *a, u32 win)
{
	u16 units = (win + (1U << TFSM_WIN_SHIFT) - 1) >> TFSM_WIN_SHIFT;

	if (units > a->maxwin)
		a->maxwin = units;
}

/* The numbers and options of a's SYN or SYN|ACK. */
static inline void tfsm_learn_syn(struct tfsm_end *a, const struct tfsm_seg *s)
{
	a->isn = s->seq;
	a->next = s->seq + tfsm_seg_len(s);
	a->run = a->next;
	a->hole = 0;
	a->facts |= TFSM_E_SYN | TFSM_E_SENT;
	a->facts &= ~(TFSM_E_WSCALE | TFSM_E_MARK);
	a->wscale = 0;
	if (s->has_wscale) {
		a->facts |= TFSM_E_WSCALE;
		a->wscale = s->wscale > 14 ? 14 : s->wscale;	/* RFC 7323 2.3 */
	}
	tfsm_learn_window(a, s->win);
}

/* Flows in which a SYN was not seen, so that it is not known whether windows are scaled. */
#define TFSM_SYN_UNSEEN (TCPFSM_F_MIDSTREAM | TCPFSM_F_ONE_WAY | TCPFSM_F_REANCHORED)

/*
 * The window that a grants to b with a segment that is no SYN: SYNs are not scaled. RFC 7323 2.2:
 * scaling is on if both SYNs carried the option. Where a SYN was not seen, the scale is the
 * smallest that explains what b has sent (tfsm_outran()).
 */
static inline u32 tfsm_window(const struct tfsm *f, const struct tfsm_end *a,
			      const struct tfsm_end *b, const struct tfsm_seg *s)
{
	if (a->facts & b->facts & TFSM_E_WSCALE || f->flags & TFSM_SYN_UNSEEN)
		return (u32)s->win << a->wscale;
	return s->win;
}

/* A SYN|ACK acknowledges b's SYN; of the SYN's data b sends again what it does not cover. */
static inline void tfsm_learn_syn_taken(struct tfsm_end *b, u32 ack)
{
	b->next = ack;
	b->run = ack;
}

/* a's peer sends from SEQ, beyond the edge that a granted: a has granted more than we know. */
void tfsm_outran(struct tfsm *f, struct tfsm_end *a, u32 seq);

/* a acknowledges what b has sent. */
static inline void tfsm_learn_acked(struct tfsm_end *b, u32 ack)
{
	if (tfsm_after(ack, b->run)) {
		b->run = ack;
		b->hole = 0;
	}
}

/* The first number that is known of an end: what it sends next. */
static inline void tfsm_meet(struct tfsm_end *e, u32 next)
{
	e->next = next;
	e->run = next;
	e->facts |= TFSM_E_SENT;
	if (!has_fact(e, TFSM_E_SYN | TFSM_E_DATA))
		e->isn = next;
}

static inline void tfsm_learn_ack(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u32 win = s->flags & TFSM_SYN ? s->win : tfsm_window(f, a, b, s);
	u32 edge = s->ack + win;

	if (!has_fact(a, TFSM_E_ACKS) || tfsm_after(s->ack, a->ack))
		a->ack = s->ack;
	if (!has_fact(a, TFSM_E_ACKS) || tfsm_after(edge, a->edge))
		a->edge = edge;
	tfsm_learn_window(a, win);
	a->facts |= TFSM_E_ACKS;
	if (has_fact(b, TFSM_E_SENT)) {
		tfsm_learn_acked(b, s->ack);
		return;
	}
	tfsm_meet(b, s->ack);
}

void tfsm_learn_seq(struct tfsm_end *a, const struct tfsm_seg *s);

/* Is x close enough to y to be of the same conversation: within a megabyte, or @win? */
bool tfsm_near(u32 x, u32 y, u32 win);

#endif /* _TFSM_LEARN_H */
