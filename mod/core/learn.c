// SPDX-License-Identifier: GPL-2.0
/* What a segment teaches about sequence space. */
#include "learn.h"

void tfsm_learn_window(struct tfsm_end *a, u32 win)
{
	u16 units = (win + (1U << TFSM_WIN_SHIFT) - 1) >> TFSM_WIN_SHIFT;

	if (units > a->maxwin)
		a->maxwin = units;
}

void tfsm_learn_syn(struct tfsm_end *a, const struct tfsm_seg *s)
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

/*
 * RFC 7323 2.2: scaling is on if both SYNs carried the option; SYNs themselves are not scaled.
 * Where a SYN was not seen, assume the most.
 */
static unsigned int window_scale(const struct tfsm *f, const struct tfsm_end *a,
				 const struct tfsm_end *b)
{
	if (a->facts & b->facts & TFSM_E_WSCALE)
		return a->wscale;
	if (f->flags & (TCPFSM_F_MIDSTREAM | TCPFSM_F_ONE_WAY | TCPFSM_F_REANCHORED))
		return 14;
	return 0;
}

void tfsm_learn_ack(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u32 win = s->flags & TFSM_SYN ? s->win : (u32)s->win << window_scale(f, a, b);
	u32 edge = s->ack + win;

	if (!has_fact(a, TFSM_E_ACKS) || tfsm_after(s->ack, a->ack))
		a->ack = s->ack;
	if (!has_fact(a, TFSM_E_ACKS) || tfsm_after(edge, a->edge))
		a->edge = edge;
	tfsm_learn_window(a, win);
	a->facts |= TFSM_E_ACKS;
	if (!has_fact(b, TFSM_E_SENT)) {
		b->next = s->ack;
		b->run = s->ack;
		b->facts |= TFSM_E_SENT;
	} else if (tfsm_after(s->ack, b->run)) {
		b->run = s->ack;
		b->hole = 0;
	}
}

void tfsm_learn_seq(struct tfsm_end *a, const struct tfsm_seg *s)
{
	u32 end = s->seq + tfsm_seg_len(s);

	if (!has_fact(a, TFSM_E_SENT)) {
		a->next = end;
		a->run = end;
		a->facts |= TFSM_E_SENT;
		return;
	}
	if (tfsm_after(s->seq, a->next))
		a->hole = 1;
	if (tfsm_after(end, a->next))
		a->next = end;
	if (!tfsm_after(s->seq, a->run) && tfsm_after(end, a->run)) {
		a->run = end;
		a->hole = 0;
	}
}

bool tfsm_near(u32 x, u32 y, u32 win)
{
	u32 reach = win > 1U << 20 ? win : 1U << 20;

	return !tfsm_before(x, y - reach) && !tfsm_after(x, y + reach);
}

bool tfsm_in_order(struct tfsm *f, const struct tfsm_seg *s)
{
	const u16 known = TFSM_E_SENT | TFSM_E_ACKS | TFSM_E_SYN_ACKED | TFSM_E_TOOK_SYN;
	const u16 closing = TFSM_E_FIN | TFSM_E_EARLY_FIN;
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u32 win;

	if ((s->flags & (TFSM_SYN | TFSM_FIN | TFSM_RST | TFSM_ACK)) != TFSM_ACK)
		return false;
	if (a->state != TCPFSM_ESTABLISHED || b->state != TCPFSM_ESTABLISHED ||
	    (a->facts & (known | closing)) != known || (b->facts & (known | closing)) != known ||
	    f->flags & (TFSM_F_BENEATH | TFSM_F_STRAYS | TCPFSM_F_SUSPECT | TCPFSM_F_UNCONFIRMED))
		return false;
	if (s->seq != a->next || s->seq != a->run || tfsm_after(s->seq, b->edge + 1) ||
	    tfsm_before(s->ack, a->ack) || tfsm_after(s->ack, b->next))
		return false;
	a->next = s->seq + s->len;
	a->run = a->next;
	a->ack = s->ack;
	win = (u32)s->win << window_scale(f, a, b);
	if (tfsm_after(s->ack + win, a->edge))
		a->edge = s->ack + win;
	tfsm_learn_window(a, win);
	if (tfsm_after(s->ack, b->run)) {
		b->run = s->ack;
		b->hole = 0;
	}
	return true;
}

void tfsm_blind(struct tfsm *f)
{
	u8 i;

	for (i = 0; i < TCPFSM_ENDS; i++)
		if (f->end[i].state != TCPFSM_ESTABLISHED)
			return;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		f->end[i].facts &= ~(TFSM_E_SENT | TFSM_E_ACKS);
		f->end[i].hole = 0;
	}
}
