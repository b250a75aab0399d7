// SPDX-License-Identifier: GPL-2.0
/* What a segment teaches about sequence space, and what is kept of those that do not fit. */
#include "engine.h"

static void learn_win(struct tfsm_end *a, u32 win)
{
	u16 units = (win + (1U << TFSM_WIN_SHIFT) - 1) >> TFSM_WIN_SHIFT;

	if (units > a->maxwin)
		a->maxwin = units;
}

/* a's SYN or SYN|ACK: learn its numbers and options. */
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
	learn_win(a, s->win);
}

/*
 * RFC 7323 2.2: scaling is on if both SYNs carried the option; SYNs themselves are not scaled.
 * Where a SYN was not seen, assume the most.
 */
static unsigned int scale(const struct tfsm *f, const struct tfsm_end *a, const struct tfsm_end *b)
{
	if (a->facts & b->facts & TFSM_E_WSCALE)
		return a->wscale;
	if (f->flags & (TCPFSM_F_MIDSTREAM | TCPFSM_F_ONE_WAY | TCPFSM_F_REANCHORED))
		return 14;
	return 0;
}

void tfsm_learn_ack(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);
	u32 win = s->flags & TFSM_SYN ? s->win : (u32)s->win << scale(f, a, b);
	u32 edge = s->ack + win;

	if (!has(a, TFSM_E_ACKS) || tfsm_after(s->ack, a->ack))
		a->ack = s->ack;
	if (!has(a, TFSM_E_ACKS) || tfsm_after(edge, a->edge))
		a->edge = edge;
	learn_win(a, win);
	a->facts |= TFSM_E_ACKS;
	if (!has(b, TFSM_E_SENT)) {
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

	if (!has(a, TFSM_E_SENT)) {
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

bool tfsm_in_order(struct tfsm *f, const struct tfsm_seg *s)
{
	const u16 known = TFSM_E_SENT | TFSM_E_ACKS | TFSM_E_SYN_ACKED | TFSM_E_TOOK_SYN;
	const u16 closing = TFSM_E_FIN | TFSM_E_EARLY_FIN;
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);
	u32 win;

	if ((s->flags & (TFSM_SYN | TFSM_FIN | TFSM_RST | TFSM_ACK)) != TFSM_ACK)
		return false;
	if (a->state != TCPFSM_ESTABLISHED || b->state != TCPFSM_ESTABLISHED ||
	    (a->facts & (known | closing)) != known || (b->facts & (known | closing)) != known ||
	    f->flags & (TFSM_F_BENEATH | TFSM_F_SIDE | TCPFSM_F_SUSPECT | TCPFSM_F_UNCONFIRMED))
		return false;
	if (s->seq != a->next || s->seq != a->run || tfsm_after(s->seq, b->edge + 1) ||
	    tfsm_before(s->ack, a->ack) || tfsm_after(s->ack, b->next))
		return false;
	a->next = s->seq + s->len;
	a->run = a->next;
	a->ack = s->ack;
	win = (u32)s->win << scale(f, a, b);
	if (tfsm_after(s->ack + win, a->edge))
		a->edge = s->ack + win;
	learn_win(a, win);
	if (tfsm_after(s->ack, b->run)) {
		b->run = s->ack;
		b->hole = 0;
	}
	return true;
}

void tfsm_drop_kept(struct tfsm *f, u8 dir)
{
	if (tfsm_side(f))
		tfsm_side(f)->syn[dir].kept = false;
}

static bool acks_syn(const struct tfsm_seg *syn, u32 ack)
{
	return tfsm_after(ack, syn->seq) && !tfsm_after(ack, syn->seq + tfsm_seg_len(syn));
}

/* Does this segment acknowledge a SYN of its receiver that is kept? */
bool tfsm_acks_kept(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_side *side = tfsm_side(f);
	const struct tfsm_syn *syn = side ? &side->syn[!s->dir] : NULL;

	return syn && syn->kept && s->flags & TFSM_ACK && acks_syn(&syn->seg, s->ack);
}

enum tfsm_verdict tfsm_keep_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_syn *kept;

	if (!tfsm_side(f)) {
		if (!(f->flags & TFSM_F_NO_SIDE))
			return TFSM_NEED_SIDE;
		return refuse(o, TFSM_NOTE_no_room);
	}
	kept = &tfsm_side(f)->syn[s->dir];
	if (kept->kept && kept->seg.seq == s->seq) {
		note(o, TFSM_NOTE_syn_retrans);
	} else {
		kept->kept = true;
		kept->seg = *s;
		kept->when = o->now;
		note(o, TFSM_NOTE_syn_pending);
	}
	return TFSM_REFUSED;	/* it does not keep the old connection alive */
}

/* Close enough to be of the same conversation: within a megabyte, or a window. */
bool tfsm_near(u32 x, u32 y, u32 win)
{
	u32 reach = win > 1U << 20 ? win : 1U << 20;

	return !tfsm_before(x, y - reach) && !tfsm_after(x, y + reach);
}

/*
 * A refused segment of a. When two in a row from each side agree with each other, they are
 * right and our numbers are not. Of b, a FIN alone will do if a's segments fit it exactly: FIN,
 * FIN, and ACK may be all that there is.
 */
bool tfsm_strays_agree(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_side *side = tfsm_side(f);
	struct tfsm_stray *a = &side->stray[s->dir], *b = &side->stray[!s->dir];
	u32 end = s->seq + tfsm_seg_len(s);

	if (a->count && tfsm_near(end, a->end, a->win)) {
		if (a->count < 2)
			a->count++;
	} else {
		a->count = 1;
		a->fin = false;
	}
	if (s->flags & TFSM_FIN) {
		a->fin = true;
		a->fin_end = end;
		a->fin_ack = s->ack;
	}
	a->end = end;
	a->ack = s->ack;
	a->win = (u32)s->win << 14;
	a->fin_moved = false;
	if (a->count == 2 && b->count == 1 && b->fin)
		return a->ack == b->end && b->ack == a->end;
	return a->count == 2 && b->count == 2 &&
	       tfsm_near(a->ack, b->end, 0) && tfsm_near(b->ack, a->end, 0);
}

void tfsm_forget_strays(struct tfsm *f)
{
	struct tfsm_side *side = tfsm_side(f);
	u8 i;

	for (i = 0; side && i < TCPFSM_ENDS; i++) {
		side->stray[i].count = 0;
		side->stray[i].fin_moved = false;
	}
}

/* Take the numbers of the strays for both ends; what is latched stays so. */
void tfsm_reanchor(struct tfsm *f)
{
	const struct tfsm_side *side = tfsm_side(f);
	u8 i;

	f->flags |= TCPFSM_F_GAP | TCPFSM_F_REANCHORED;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		const struct tfsm_stray *mine = &side->stray[i], *other = &side->stray[!i];
		struct tfsm_end *e = &f->end[i];

		e->next = tfsm_after(mine->end, other->ack) ? mine->end : other->ack;
		e->run = e->next;
		e->hole = 0;
		e->ack = mine->ack;
		e->edge = mine->ack + mine->win;
		learn_win(e, mine->win);
		e->facts |= TFSM_E_SENT | TFSM_E_ACKS;
	}
	tfsm_forget_strays(f);
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
