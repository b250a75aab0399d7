// SPDX-License-Identifier: GPL-2.0
/* What a segment teaches about sequence space. */
#include "learn.h"

void tfsm_learn_seq(struct tfsm_end *a, const struct tfsm_seg *s)
{
	u32 end = s->seq + tfsm_seg_len(s);

	if (!has_fact(a, TFSM_E_SENT)) {
		tfsm_meet(a, end);
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

/* Return: a's scale is not known, and has been raised until the edge is at SEQ. */
static bool raise_scale(const struct tfsm *f, struct tfsm_end *a, u32 seq)
{
	u32 win = a->edge - a->ack;
	u8 scale = a->wscale;

	if (!(f->flags & TFSM_SYN_UNSEEN) || has_fact(a, TFSM_E_WSCALE) || !win)
		return false;
	for (; tfsm_after(seq, a->ack + win + 1); win <<= 1)
		if (scale++ == 14 || win >= 1U << 29)	/* RFC 7323 2.2: 2^30 at most */
			return false;
	a->wscale = scale;
	a->edge = a->ack + win;
	tfsm_learn_window(a, win);
	return true;
}

void tfsm_outran(struct tfsm *f, struct tfsm_end *a, u32 seq)
{
	if (raise_scale(f, a, seq))
		return;
	/* a's ACKs take another way. The edge goes along, so that it stays comparable. */
	f->flags |= TCPFSM_F_GAP;
	a->edge = seq - 1;
}

bool tfsm_near(u32 x, u32 y, u32 win)
{
	u32 reach = win > 1U << 20 ? win : 1U << 20;

	return !tfsm_before(x, y - reach) && !tfsm_after(x, y + reach);
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
