// SPDX-License-Identifier: GPL-2.0
/* SYNs that passed within a connection. */
#include "kept.h"
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
