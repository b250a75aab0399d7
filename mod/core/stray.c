// SPDX-License-Identifier: GPL-2.0
/* Segments that were refused for their numbers. */
#include "learn.h"
#include "stray.h"

/* Do strays count? Kept SYNs do not matter to segments without SYN or RST. */
static void update_strays(struct tfsm *f)
{
	const struct tfsm_stray *stray = tfsm_ext(f)->stray;

	if (stray[0].count || stray[0].fin_moved || stray[1].count || stray[1].fin_moved)
		f->flags |= TFSM_F_STRAYS;
	else
		f->flags &= ~TFSM_F_STRAYS;
}

/*
 * When two refused segments in a row from each end agree with each other, they are right and our
 * numbers are wrong. A single FIN of b is enough if a's segments fit it exactly: FIN, FIN and ACK
 * may be all that still comes.
 */
bool tfsm_strays_agree(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_ext *ext = tfsm_ext(f);
	struct tfsm_stray *a = &ext->stray[s->dir], *b = &ext->stray[!s->dir];
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
	update_strays(f);
	if (a->count == 2 && b->count == 1 && b->fin)
		return a->ack == b->end && b->ack == a->end;
	return a->count == 2 && b->count == 2 &&
	       tfsm_near(a->ack, b->end, 0) && tfsm_near(b->ack, a->end, 0);
}

void tfsm_keep_moved_fin(struct tfsm *f, u8 dir)
{
	tfsm_ext(f)->stray[dir].fin_moved = true;
	update_strays(f);
}

bool tfsm_take_moved_fin(struct tfsm *f, u8 dir, u32 ack)
{
	struct tfsm_stray *stray;

	if (!(f->flags & TFSM_F_STRAYS))
		return false;
	stray = &tfsm_ext(f)->stray[dir];
	if (!stray->fin_moved || tfsm_before(ack, stray->end))
		return false;
	stray->fin_moved = false;
	update_strays(f);
	return ack == stray->end;
}

void tfsm_end_strays(struct tfsm *f)
{
	if (!(f->flags & TFSM_F_STRAYS))
		return;
	tfsm_ext(f)->stray[TCPFSM_ORIG].count = 0;
	tfsm_ext(f)->stray[TCPFSM_RESP].count = 0;
	update_strays(f);
}

void tfsm_forget_strays(struct tfsm *f)
{
	struct tfsm_ext *ext = tfsm_ext(f);
	u8 i;

	for (i = 0; ext && i < TCPFSM_ENDS; i++) {
		ext->stray[i].count = 0;
		ext->stray[i].fin_moved = false;
	}
	f->flags &= ~TFSM_F_STRAYS;
}

void tfsm_reanchor(struct tfsm *f)
{
	const struct tfsm_ext *ext = tfsm_ext(f);
	u8 i;

	f->flags |= TCPFSM_F_GAP | TCPFSM_F_REANCHORED;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		const struct tfsm_stray *mine = &ext->stray[i], *other = &ext->stray[!i];
		struct tfsm_end *e = &f->end[i];

		e->next = tfsm_after(mine->end, other->ack) ? mine->end : other->ack;
		e->run = e->next;
		e->hole = 0;
		e->ack = mine->ack;
		e->edge = mine->ack + mine->win;
		tfsm_learn_window(e, mine->win);
		e->facts |= TFSM_E_SENT | TFSM_E_ACKS;
	}
	tfsm_forget_strays(f);
}
