// SPDX-License-Identifier: GPL-2.0
/* Kept SYNs and strays: what the engine remembers of segments that did not fit. */
#include "ext.h"
#include "learn.h"

void tfsm_count_kept(struct tfsm *f, u8 dir, u32 packets, u32 bytes)
{
	struct tfsm_syn *syn = &tfsm_ext(f)->syn[dir];

	syn->packets += packets;
	syn->bytes += bytes;
}

bool tfsm_take_uncounted(struct tfsm *f, u8 dir, u32 *packets, u32 *bytes)
{
	struct tfsm_ext *ext = tfsm_ext(f);

	if (!ext || !ext->packets[dir])
		return false;
	*packets = ext->packets[dir];
	*bytes = ext->bytes[dir];
	ext->packets[dir] = 0;
	ext->bytes[dir] = 0;
	return true;
}

/* It is no next flow's, so it is this one's. */
static void drop_syn(struct tfsm_ext *ext, u8 dir)
{
	struct tfsm_syn *syn = &ext->syn[dir];

	ext->packets[dir] += syn->packets;
	ext->bytes[dir] += syn->bytes;
	memset(syn, 0, sizeof(*syn));
}

void tfsm_drop_kept(struct tfsm *f, u8 dir)
{
	struct tfsm_ext *ext = tfsm_ext(f);

	if (!ext || !ext->syn[dir].kept)
		return;
	drop_syn(ext, dir);
	if (!ext->syn[!dir].kept)
		f->flags &= ~TCPFSM_F_SYN_PENDING;
}

void tfsm_drop_all_kept(struct tfsm *f)
{
	tfsm_drop_kept(f, TCPFSM_ORIG);
	tfsm_drop_kept(f, TCPFSM_RESP);
}

void tfsm_choose_kept(struct tfsm *f, u8 dir)
{
	tfsm_ext(f)->next = dir;
	tfsm_drop_kept(f, !dir);
}

/*
 * Who opens a connection has none on the same tuple: new data, or an ACK of new data, in the old
 * numbers shows that somebody else sent the SYN.
 */
const struct tfsm_syn *tfsm_kept_syn(const struct tfsm *f, u8 dir)
{
	const struct tfsm_ext *ext = tfsm_ext(f);
	const struct tfsm_syn *syn = ext ? &ext->syn[dir] : NULL;
	const struct tfsm_end *e = &f->end[dir];

	if (!syn || !syn->kept)
		return NULL;
	if (has_fact(e, TFSM_E_TOOK_SYN) && (e->next != syn->next || e->ack != syn->ack))
		return NULL;
	return syn;
}

/* Do strays count? Kept SYNs do not matter to segments without SYN or RST. */
static void update_strays(struct tfsm *f)
{
	const struct tfsm_stray *stray = tfsm_ext(f)->stray;

	if (stray[0].count || stray[0].fin_moved || stray[1].count || stray[1].fin_moved)
		f->flags |= TFSM_F_STRAYS;
	else
		f->flags &= ~TFSM_F_STRAYS;
}

static bool acks_syn(const struct tfsm_seg *syn, u32 ack)
{
	return tfsm_after(ack, syn->seq) && !tfsm_after(ack, syn->seq + tfsm_seg_len(syn));
}

void tfsm_drop_refuted(struct tfsm *f, u8 dir)
{
	if (tfsm_ext(f)->syn[dir].kept && !tfsm_kept_syn(f, dir))
		tfsm_drop_kept(f, dir);
}

bool tfsm_acks_kept(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_syn *syn = tfsm_kept_syn(f, !s->dir);

	return syn && syn->seg.kind == TFSM_KIND_SYN && s->flags & TFSM_ACK &&
	       acks_syn(&syn->seg, s->ack);
}

bool tfsm_resets_kept(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_syn *syn = tfsm_kept_syn(f, !s->dir);

	return syn && syn->seg.kind == TFSM_KIND_SYNACK && s->seq == syn->seg.ack;
}

bool tfsm_follows_kept(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_syn *syn = tfsm_kept_syn(f, !s->dir);

	return syn && syn->seg.kind == TFSM_KIND_SYNACK && s->seq == syn->seg.ack &&
	       acks_syn(&syn->seg, s->ack);
}

bool tfsm_goes_on_from_kept(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_syn *syn = tfsm_kept_syn(f, s->dir);

	return syn && syn->seg.kind == TFSM_KIND_SYN && s->seq == syn->seg.seq + 1 &&
	       syn->seg.seq != f->end[s->dir].isn;
}

/*
 * The sender of the SYN goes on behind it; its peer acknowledges that, and goes on where the sender
 * acknowledges it. What only one of them sends proves nothing.
 */
bool tfsm_kept_is_proven(struct tfsm *f)
{
	struct tfsm_ext *ext = tfsm_ext(f);
	u8 dir;

	for (dir = 0; dir < TCPFSM_ENDS; dir++) {
		const struct tfsm_syn *syn = tfsm_kept_syn(f, dir);
		const struct tfsm_stray *mine = &ext->stray[dir], *other = &ext->stray[!dir];
		u32 begin;

		if (!syn || syn->seg.kind != TFSM_KIND_SYN || !mine->count || !other->count)
			continue;
		begin = syn->seg.seq + 1;
		if (tfsm_before(mine->end, begin) || !tfsm_near(mine->end, begin, 0) ||
		    tfsm_before(other->ack, begin) || tfsm_after(other->ack, mine->end) ||
		    !tfsm_near(other->end, mine->ack, 0))
			continue;
		tfsm_choose_kept(f, dir);
		ext->proven = true;
		return true;
	}
	return false;
}

enum tfsm_verdict tfsm_keep_syn(struct tfsm *f, const struct tfsm_seg *s, enum tfsm_note why,
				struct tfsm_out *o)
{
	const struct tfsm_end *a = &f->end[s->dir];
	struct tfsm_syn *syn;

	if (!tfsm_ext(f)) {
		if (!(f->flags & TFSM_F_NO_EXT))
			return TFSM_NEED_EXT;
		return refuse_with(o, TFSM_NOTE_no_room);
	}
	syn = &tfsm_ext(f)->syn[s->dir];
	if (tfsm_kept_syn(f, s->dir) && syn->seg.seq == s->seq && syn->seg.kind == s->kind) {
		add_note(o, s->kind == TFSM_KIND_SYN ? TFSM_NOTE_syn_retrans : why);
		return TFSM_KEPT;
	}
	drop_syn(tfsm_ext(f), s->dir);
	syn->kept = true;
	syn->seg = *s;
	syn->when = o->now;
	syn->next = a->next;
	syn->ack = a->ack;
	f->flags |= TCPFSM_F_SYN_PENDING;
	add_note(o, why);
	return TFSM_KEPT;	/* it does not keep the old connection alive */
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
