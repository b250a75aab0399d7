// SPDX-License-Identifier: GPL-2.0
/*
 * The short ways: what an ordinary connection sends from its SYN|ACK to its last ACK, each segment
 * next in sequence. a is the segment's sender, b its receiver.
 *
 * No rule is made here. A short way does exactly what the full way (track.c) does with the same
 * segment, and leaves to that whatever is not ordinary; all tests of the engine hold one against
 * the other. To be sure of that it first compares all facts that the full way looks at.
 */
#include "learn.h"
#include "move.h"
#include "quick.h"

/* Flags of a flow in which more than its ends' facts decides. */
#define UNUSUAL	(TFSM_F_BENEATH | TFSM_F_STRAYS | TFSM_F_TAILS | TCPFSM_F_SYN_PENDING | \
		 TCPFSM_F_SUSPECT | TCPFSM_F_UNCONFIRMED)

/* What an end knows once it is synchronized, and what becomes of its own FIN and its peer's. */
#define UP		(TFSM_E_SENT | TFSM_E_ACKS | TFSM_E_SYN_ACKED | TFSM_E_TOOK_SYN)
#define FIN_DONE	(TFSM_E_FIN | TFSM_E_FIN_ACKED)
#define DECISIVE	(UP | FIN_DONE | TFSM_E_TOOK_FIN | TFSM_E_HELD | TFSM_E_EARLY_FIN)

/* An end of a connection: its state, no hole, and the facts that decide what a segment does. */
static bool has_shape(const struct tfsm_end *e, u8 state, u16 facts)
{
	const struct tfsm_end want = { .state = state, .facts = facts };
	const struct tfsm_end mask = { .state = 0xf, .hole = 1, .facts = DECISIVE };

	return (e->shape & mask.shape) == want.shape;
}

/* An end of a handshake: these are all its facts, whether or not it scales windows. */
static bool is_opening(const struct tfsm_end *e, u8 state, u16 facts)
{
	const struct tfsm_end want = { .state = state, .facts = facts };
	const struct tfsm_end mask = { .state = 0xf, .facts = (u16)~TFSM_E_WSCALE };

	return (e->shape & mask.shape) == want.shape;
}

/*
 * Learn the numbers of a segment that ends at @end. Return: false, and nothing is done, unless SEQ
 * and ACK continue what passed before.
 */
static noinline bool take_next(struct tfsm *f, struct tfsm_end *a, struct tfsm_end *b,
			       const struct tfsm_seg *s, u32 end)
{
	u32 seq = s->seq, ack = s->ack, win, edge;

	if (seq != a->next || seq != a->run || tfsm_before(ack, a->ack) || tfsm_after(ack, b->next))
		return false;
	if (tfsm_after(seq, b->edge + 1)) {
		/* As tfsm_outran(), where windows are known and the edge is known to be old. */
		if ((f->flags & (TCPFSM_F_GAP | TFSM_SYN_UNSEEN)) != TCPFSM_F_GAP)
			return false;
		b->edge = seq - 1;
	}
	win = tfsm_window(f, a, b, s);
	edge = ack + win;
	a->next = end;
	a->run = end;
	a->ack = ack;
	if (tfsm_after(edge, a->edge))
		a->edge = edge;
	tfsm_learn_window(a, win);
	tfsm_learn_acked(b, ack);
	return true;
}

/* ---- data ---- */

/* What passes in either direction once one end has closed, and its peer knows. */
static bool is_half_closed(const struct tfsm_end *a, const struct tfsm_end *b,
			   const struct tfsm_seg *s)
{
	const u16 closed = UP | FIN_DONE, open = UP | TFSM_E_TOOK_FIN;

	if (has_shape(a, TCPFSM_FIN_WAIT_2, closed))
		return has_shape(b, TCPFSM_CLOSE_WAIT, open) && !s->len;
	/* Below the mark, it would become the mark. */
	return has_shape(a, TCPFSM_CLOSE_WAIT, open) && has_shape(b, TCPFSM_FIN_WAIT_2, closed) &&
	       !(has_fact(a, TFSM_E_MARK) && tfsm_before(s->seq, a->mark));
}

bool tfsm_in_order(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (s->kind != TFSM_KIND_ACK || s->flags & TFSM_FIN || f->flags & UNUSUAL)
		return false;
	if (!has_shape(b, TCPFSM_ESTABLISHED, UP) || !has_shape(a, TCPFSM_ESTABLISHED, UP))
		if (!is_half_closed(a, b, s))
			return false;
	return take_next(f, a, b, s, s->seq + s->len);
}

/* ---- handshake ---- */

/* The first SYN|ACK, of an end that listened. */
static noinline bool take_first_synack(struct tfsm *f, const struct tfsm_seg *s,
				       struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (!is_opening(a, TCPFSM_LISTEN, TFSM_E_PASSIVE) ||
	    !is_opening(b, TCPFSM_SYN_SENT, TFSM_E_SYN | TFSM_E_SENT) ||
	    f->flags & (UNUSUAL | TFSM_F_EXT) || s->flags & TFSM_FIN ||
	    !tfsm_after(s->ack, b->isn) || tfsm_after(s->ack, b->next))
		return false;
	tfsm_learn_syn(a, s);
	tfsm_learn_ack(f, s);
	tfsm_learn_syn_taken(b, s->ack);
	a->facts |= TFSM_E_TOOK_SYN;
	tfsm_raise(f, a, TCPFSM_SND_SYNACK, o);
	b->facts |= TFSM_E_SYN_ACKED;
	return true;
}

/*
 * The ACK of it, perhaps with the first data. What is next in sequence is what the SYN|ACK
 * acknowledged, hence within the window that it granted.
 */
static noinline bool take_first_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	const u16 sent = TFSM_E_SYN | TFSM_E_SENT;
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (!is_opening(a, TCPFSM_SYN_SENT, sent | TFSM_E_SYN_ACKED) ||
	    !is_opening(b, TCPFSM_SYN_RCVD,
			sent | TFSM_E_ACKS | TFSM_E_TOOK_SYN | TFSM_E_PASSIVE) ||
	    f->flags & (UNUSUAL | TFSM_F_EXT) || s->flags & TFSM_FIN ||
	    s->seq != a->next || s->ack != b->next)
		return false;
	a->next = s->seq + s->len;
	a->run = a->next;
	tfsm_learn_ack(f, s);
	a->facts |= TFSM_E_TOOK_SYN;
	tfsm_raise(f, a, TCPFSM_TOOK_SYNACK, o);
	b->facts |= TFSM_E_SYN_ACKED;
	tfsm_raise(f, b, TCPFSM_SYN_ACKED, o);
	return true;
}

/* ---- close ---- */

enum close {
	CLOSE_OTHER,		/* none of these */
	CLOSE_FIN,		/* a FIN, and nothing new of the peer's */
	CLOSE_ACK,		/* the ACK of the peer's FIN, perhaps with a FIN */
};

/* What of an ordinary close may pass between ends like these? */
static enum close find_close(const struct tfsm_end *a, const struct tfsm_end *b,
			     const struct tfsm_seg *s)
{
	bool fin = s->flags & TFSM_FIN;

	switch (a->state) {
	case TCPFSM_ESTABLISHED:
		if (!has_shape(a, TCPFSM_ESTABLISHED, UP))
			break;
		if (has_shape(b, TCPFSM_FIN_WAIT_1, UP | TFSM_E_FIN))
			return CLOSE_ACK;
		if (fin && has_shape(b, TCPFSM_ESTABLISHED, UP))
			return CLOSE_FIN;
		break;
	case TCPFSM_CLOSE_WAIT:
		if (fin && has_shape(a, TCPFSM_CLOSE_WAIT, UP | TFSM_E_TOOK_FIN) &&
		    has_shape(b, TCPFSM_FIN_WAIT_2, UP | FIN_DONE))
			return CLOSE_FIN;
		break;
	case TCPFSM_FIN_WAIT_2:
		if (!fin && !s->len && has_shape(a, TCPFSM_FIN_WAIT_2, UP | FIN_DONE) &&
		    has_shape(b, TCPFSM_LAST_ACK, UP | TFSM_E_FIN | TFSM_E_TOOK_FIN))
			return CLOSE_ACK;
		break;
	}
	return CLOSE_OTHER;
}

static noinline bool take_close(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	enum close what = find_close(a, b, s);
	bool fin = s->flags & TFSM_FIN;
	u32 end = s->seq + s->len + fin;

	if (what == CLOSE_OTHER || f->flags & UNUSUAL || s->partial)
		return false;
	if (what == CLOSE_ACK && (s->ack != b->next || b->fin_again))
		return false;
	/* A FIN that was sent before what passed before it, or whose ACK has passed. */
	if (fin && ((has_fact(a, TFSM_E_MARK) && !tfsm_after(end, a->mark)) ||
		    !tfsm_before(b->ack, end)))
		return false;
	if (!take_next(f, a, b, s, end))
		return false;
	if (what == CLOSE_ACK) {
		if (!fin) {
			a->mark = s->seq;
			a->facts |= TFSM_E_MARK;
			a->ahead = 0;
		}
		a->facts |= TFSM_E_TOOK_FIN;
		tfsm_raise(f, a, TCPFSM_TOOK_FIN, o);
	}
	if (fin) {
		a->facts |= TFSM_E_FIN;
		tfsm_raise(f, a, TCPFSM_SND_FIN, o);
	}
	if (what == CLOSE_ACK) {
		b->facts |= TFSM_E_FIN_ACKED;
		tfsm_raise(f, b, TCPFSM_FIN_ACKED, o);
	}
	return true;
}

bool tfsm_quick(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	if (s->kind == TFSM_KIND_SYNACK)
		return take_first_synack(f, s, o);
	if (s->kind != TFSM_KIND_ACK)
		return false;
	if (sender_of(f, s)->state == TCPFSM_SYN_SENT)
		return take_first_ack(f, s, o);
	return take_close(f, s, o);
}
