// SPDX-License-Identifier: GPL-2.0
/*
 * How flows begin: the handshake, SYNs on tuples in use, and flows met after their start.
 * a is the segment's sender, b its receiver.
 */
#include "ack.h"
#include "kept.h"
#include "learn.h"
#include "move.h"
#include "open.h"
#include "reset.h"

/* The end has sent its SYN, and nothing since: what comes next has this number. */
static void set_behind_syn(struct tfsm_end *e, u32 next)
{
	e->isn = next - 1;
	e->next = next;
	e->run = next;
}

/*
 * May an end in TIME_WAIT take this SYN for an old duplicate, and answer with its ACK? Linux takes
 * one above what it has received for a new one, RFC 6191; of others the answer tells. A socket of
 * this host that sends SYN is none in TIME_WAIT, whatever its number.
 */
static bool is_refused_by_2msl(struct tfsm *f, const struct tfsm_seg *s)
{
	return receiver_of(f, s)->state == TCPFSM_TIME_WAIT && !s->own &&
	       !tfsm_after(s->seq, sender_of(f, s)->next);
}

enum tfsm_verdict tfsm_on_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	bool again = has_fact(a, TFSM_E_SYN) && s->seq == a->isn;

	if (a->state == TCPFSM_CLOSED && again && a->under == TCPFSM_SYN_SENT &&
	    (f->flags & TFSM_F_REFUSED || b->state == TCPFSM_LISTEN)) {
		if (f->flags & TFSM_F_REFUSED)
			tfsm_put_back(f, o);	/* the RST that refused it was lost */
		else
			tfsm_wait_for_synack(f, a, o);
		add_note(o, TFSM_NOTE_syn_retrans);
		return TFSM_OK;
	}
	if (is_finished(f) && ((again && has_fact(a, TFSM_E_TOOK_SYN)) || is_refused_by_2msl(f, s)))
		return tfsm_keep_syn(f, s, TFSM_NOTE_syn_pending, o);
	if (again && has_fact(a, TFSM_E_TOOK_SYN)) {	/* an old duplicate: it has been answered */
		add_note(o, TFSM_NOTE_syn_retrans);
		return TFSM_REFUSED;
	}
	if (a->state == TCPFSM_CLOSED || is_finished(f))
		return TFSM_NEW;
	if (again) {
		add_note(o, TFSM_NOTE_syn_retrans);
		return state_of(a) == TCPFSM_SYN_SENT ? TFSM_OK : TFSM_REFUSED;
	}
	if (a->state == TCPFSM_LISTEN && b->state == TCPFSM_SYN_SENT) {
		/* Simultaneous open, RFC 9293 figure 7: nobody listened. */
		a->facts &= ~(TFSM_E_PASSIVE | TFSM_E_EARLY_FIN);
		tfsm_learn_syn(a, s);
		tfsm_move(f, a, TCPFSM_SND_SYN, o);
		return TFSM_OK;
	}
	return tfsm_keep_syn(f, s, TFSM_NOTE_syn_pending, o);
}

static void take_synack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	bool early = has_fact(a, TFSM_E_EARLY_FIN);
	u32 fin = a->next;

	tfsm_learn_syn(a, s);
	tfsm_learn_ack(f, s);
	if (state_of(b) == TCPFSM_SYN_SENT)
		tfsm_learn_syn_taken(b, s->ack);
	a->facts |= TFSM_E_TOOK_SYN;
	tfsm_move(f, a, TCPFSM_SND_SYNACK, o);
	if (has_fact(a, TFSM_E_SYN_ACKED))	/* simultaneous open: already acknowledged */
		tfsm_move(f, a, TCPFSM_SYN_ACKED, o);
	if (early && tfsm_after(fin, a->next)) {
		a->next = fin;
		a->run = fin;
	}
	if (has_fin(s) || (early && fin == a->next)) {
		a->facts |= TFSM_E_FIN;
		tfsm_move(f, a, TCPFSM_SND_FIN, o);
	}
	a->facts &= ~TFSM_E_EARLY_FIN;
	b->facts |= TFSM_E_SYN_ACKED;		/* remembered if b is in SYN_SENT */
	if (state_of(b) == TCPFSM_SYN_RCVD)
		tfsm_move(f, b, TCPFSM_SYN_ACKED, o);
	tfsm_talked(f, a, o);
}

void tfsm_mark_refused(struct tfsm_end *b, const struct tfsm_seg *s)
{
	u8 state = state_of(b);

	if (state != TCPFSM_SYN_SENT && state != TCPFSM_SYN_RCVD)
		return;
	b->mark = s->ack;
	b->facts |= TFSM_E_MARK;
}

/* A SYN|ACK that a, in SYN_RCVD or later, has already sent. */
static enum tfsm_verdict take_synack_again(struct tfsm *f, struct tfsm_end *a,
					   const struct tfsm_end *b, struct tfsm_out *o)
{
	if (!has_fact(b, TFSM_E_TOOK_SYN)) {
		add_note(o, TFSM_NOTE_synack_retrans);
		tfsm_talked(f, a, o);
		return TFSM_OK;
	}
	f->flags |= TCPFSM_F_SYN_ACK_RESENT;
	add_note(o, TFSM_NOTE_synack_resent);
	return TFSM_REFUSED;
}

/*
 * A SYN|ACK with another number than the one before, which may still be on its way: its sender has
 * started anew, or SYN cookies count the minutes in it. Which of the two b takes shows in its ACK.
 */
static enum tfsm_verdict replace_synack(struct tfsm *f, const struct tfsm_seg *s,
					struct tfsm_out *o)
{
	struct tfsm_ext *ext = tfsm_ext(f);

	if (!ext && !(f->flags & TFSM_F_NO_EXT))
		return TFSM_NEED_EXT;
	if (ext) {
		ext->has_earlier = true;
		ext->earlier = sender_of(f, s)->isn;
	}
	add_note(o, TFSM_NOTE_synack_isn);
	take_synack(f, s, o);
	return TFSM_OK;
}

/* a has taken the earlier of two SYN|ACKs of b. */
static bool acks_earlier(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_ext *ext = tfsm_ext(f);

	return ext && ext->has_earlier && s->ack == ext->earlier + 1;
}

static void go_back_to_earlier(struct tfsm *f, struct tfsm_end *b)
{
	struct tfsm_ext *ext = tfsm_ext(f);

	ext->has_earlier = false;
	set_behind_syn(b, ext->earlier + 1);
}

enum tfsm_verdict tfsm_on_synack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u8 sa = state_of(a), sb = state_of(b);
	bool again = has_fact(a, TFSM_E_SYN) && has_fact(a, TFSM_E_TOOK_SYN) && s->seq == a->isn;
	bool acks = has_fact(b, TFSM_E_SYN) && tfsm_after(s->ack, b->isn) &&
		    !tfsm_after(s->ack, b->next);

	/* Where SYNs with data overlap, an ACK that covers both is for the one of this flow. */
	if (tfsm_acks_kept(f, s) &&
	    !(acks && ((again && !is_finished(f)) || sb == TCPFSM_SYN_SENT))) {
		tfsm_choose_kept(f, !s->dir);
		return TFSM_NEW_KEPT;
	}
	if (again)
		return take_synack_again(f, a, b, o);
	if (is_finished(f))
		return TFSM_NEW;
	if (acks && (sb == TCPFSM_SYN_SENT || sb == TCPFSM_SYN_RCVD)) {
		if (sa == TCPFSM_LISTEN || (sa == TCPFSM_SYN_SENT && s->seq == a->isn)) {
			take_synack(f, s, o);
			return TFSM_OK;
		}
		if (sa == TCPFSM_SYN_RCVD && sb == TCPFSM_SYN_SENT)
			return replace_synack(f, s, o);
		if (sb == TCPFSM_SYN_SENT && sa != TCPFSM_SYN_SENT)
			return TFSM_NEW;
	}
	/* Simultaneous open, and b has closed in SYN_RCVD. */
	if (acks && sa == TCPFSM_SYN_SENT && s->seq == a->isn && sb == TCPFSM_FIN_WAIT_1 &&
	    !has_fact(b, TFSM_E_SYN_ACKED)) {
		take_synack(f, s, o);
		return TFSM_OK;
	}
	if (sa == TCPFSM_SYN_SENT && s->seq == a->isn && sb == TCPFSM_LISTEN) {
		/* Simultaneous open, and b's plain SYN passed unseen or for another flow. */
		f->flags |= TCPFSM_F_ONE_WAY;
		add_note(o, TFSM_NOTE_one_way);
		set_behind_syn(b, s->ack);
		b->facts |= TFSM_E_SYN | TFSM_E_SENT;
		b->facts &= ~(TFSM_E_PASSIVE | TFSM_E_EARLY_FIN);
		tfsm_infer(f, b, TCPFSM_SND_SYN, o);
		take_synack(f, s, o);
		return TFSM_OK;
	}
	tfsm_mark_refused(b, s);
	if (sb == TCPFSM_SYN_SENT || sb == TCPFSM_SYN_RCVD)
		return refuse_with(o, TFSM_NOTE_synack_bad_ack);
	/* Its SYN may have passed unseen: then its ACK follows. */
	return tfsm_keep_syn(f, s, TFSM_NOTE_synack_unexpected, o);
}

/*
 * Does a acknowledge more than it did before? An end in TIME_WAIT, left of an earlier connection,
 * answers each SYN with the same ACK (RFC 9293 3.10.7.4), and proves nothing by it.
 */
static bool acks_more(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_stray *mine = tfsm_ext(f) ? &tfsm_ext(f)->stray[s->dir] : NULL;

	return mine && mine->count && tfsm_after(s->ack, mine->ack) &&
	       tfsm_near(s->ack, mine->ack, 0);
}

/* The flow began with a kept SYN, since both ends went on behind it. */
static bool is_proven(const struct tfsm *f)
{
	return tfsm_ext(f) && tfsm_ext(f)->proven;
}

static enum tfsm_note check_ack_from_listen(struct tfsm *f, const struct tfsm_seg *s,
					    struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u32 end = s->seq + tfsm_seg_len(s);

	if (state_of(b) != TCPFSM_SYN_SENT || !tfsm_after(s->ack, b->isn))
		return TFSM_NOTE_handshake_ack;
	if (!tfsm_after(s->ack, b->next) && !is_proven(f)) {
		if (!has_fin(s))
			return TFSM_NOTE_handshake_ack;
		a->facts |= TFSM_E_EARLY_FIN;
		a->next = end;
		return TFSM_NOTE_fin_early;
	}
	if (!is_proven(f) && (!tfsm_near(s->ack, b->next, 0) || !acks_more(f, s)))
		return TFSM_NOTE_handshake_ack;
	/* It acknowledges data that b can only have sent once synchronized. */
	f->flags |= TCPFSM_F_ONE_WAY | (is_proven(f) ? 0 : TCPFSM_F_UNCONFIRMED);
	add_note(o, TFSM_NOTE_one_way);
	set_behind_syn(a, s->seq);
	a->facts |= TFSM_E_SYN | TFSM_E_SENT | TFSM_E_TOOK_SYN | TFSM_E_SYN_ACKED;
	b->facts |= TFSM_E_SYN_ACKED | TFSM_E_TOOK_SYN;
	tfsm_infer(f, a, TCPFSM_SND_SYNACK, o);
	tfsm_infer(f, b, TCPFSM_TOOK_SYNACK, o);
	tfsm_infer(f, a, TCPFSM_SYN_ACKED, o);
	return TFSM_NOTES;
}

/*
 * The ACK of the SYN|ACK, and data behind it, were missed. If a acknowledges the same twice, and b
 * does not answer with a RST, a has taken it.
 */
static bool acks_the_same(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_stray *mine = tfsm_ext(f) ? &tfsm_ext(f)->stray[s->dir] : NULL;

	return tfsm_near(s->ack, f->end[!s->dir].next, 0) && mine && mine->count &&
	       mine->ack == s->ack;
}

static enum tfsm_note check_ack_from_syn_sent(struct tfsm *f, const struct tfsm_seg *s,
					      struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	/* At its ISN: a keepalive, and nothing of the handshake. */
	if (tfsm_before(s->seq, a->isn) || !tfsm_near(s->seq, a->next, 0))
		return TFSM_NOTE_seq_old;
	switch (state_of(b)) {
	case TCPFSM_LISTEN:
		/*
		 * The SYN|ACK took another way. This proves that a has taken it, unless a is
		 * lying: b has to be heard before the flow counts as established.
		 */
		f->flags |= TCPFSM_F_ONE_WAY | TCPFSM_F_UNCONFIRMED;
		add_note(o, TFSM_NOTE_one_way);
		set_behind_syn(b, s->ack);
		b->facts |= TFSM_E_SYN | TFSM_E_SENT | TFSM_E_TOOK_SYN;
		a->facts |= TFSM_E_SYN_ACKED;
		tfsm_infer(f, b, TCPFSM_SND_SYNACK, o);
		return TFSM_NOTES;
	case TCPFSM_SYN_SENT:
	case TCPFSM_SYN_RCVD:
		if (acks_earlier(f, s))
			go_back_to_earlier(f, b);
		if (!tfsm_after(s->ack, b->isn))
			return TFSM_NOTE_handshake_ack;
		if (tfsm_after(s->ack, b->next) &&
		    !(has_fact(b, TFSM_E_PASSIVE) && acks_the_same(f, s))) {
			/* Not believed yet; but if it is a's last word, b must not wait. */
			if (s->flags & TFSM_FIN)
				f->flags |= TCPFSM_F_GAP | tail_of(s->dir);
			return TFSM_NOTE_handshake_ack;
		}
		/* A SYN|ACK of b that passed is what it answers; of a split handshake, too. */
		if (has_fact(b, TFSM_E_PASSIVE | TFSM_E_TOOK_SYN))
			return TFSM_NOTES;
		/* b's plain SYN passed, so a answered it with a SYN|ACK, which we missed. */
		f->flags |= TCPFSM_F_ONE_WAY;
		add_note(o, TFSM_NOTE_one_way);
		a->facts |= TFSM_E_TOOK_SYN;
		if (state_of(b) == TCPFSM_SYN_SENT)	/* by that SYN|ACK: remembered */
			b->facts |= TFSM_E_SYN_ACKED;
		tfsm_infer(f, a, TCPFSM_SND_SYNACK, o);
		if (has_fact(a, TFSM_E_SYN_ACKED))
			tfsm_infer(f, a, TCPFSM_SYN_ACKED, o);
		return TFSM_NOTES;
	}
	if (has_fact(b, TFSM_E_SYN) && !tfsm_after(s->ack, b->isn))
		return TFSM_NOTE_handshake_ack;
	return TFSM_NOTES;
}

/*
 * Has a sent more behind its SYN than b's SYN can have granted, whose window is not scaled? Then
 * the handshake is done, although nothing of b's passes here.
 */
static bool sent_beyond_syns_window(const struct tfsm_end *a, const struct tfsm_seg *s)
{
	return s->seq == a->next && tfsm_after(s->seq + s->len, a->isn + 1 + 0xffff);
}

static enum tfsm_note check_ack_from_syn_rcvd(struct tfsm *f, const struct tfsm_seg *s,
					      struct tfsm_out *o)
{
	struct tfsm_end *b = receiver_of(f, s);

	if (!has_fact(b, TFSM_E_SYN))
		return TFSM_NOTES;
	if (!tfsm_after(s->ack, b->isn))
		return TFSM_NOTE_handshake_ack;
	if (state_of(b) != TCPFSM_SYN_SENT)
		return TFSM_NOTES;
	if (!tfsm_after(s->ack, b->next)) {
		if (!sent_beyond_syns_window(sender_of(f, s), s))
			return TFSM_NOTES;
		f->flags |= TCPFSM_F_UNCONFIRMED;	/* unless a is lying */
	} else if (!tfsm_near(s->ack, b->next, 0)) {
		return TFSM_NOTE_handshake_ack;
	}
	/* b has taken the SYN|ACK: its data is acknowledged, or its window is known. */
	f->flags |= TCPFSM_F_ONE_WAY;
	add_note(o, TFSM_NOTE_one_way);
	b->facts |= TFSM_E_SYN_ACKED | TFSM_E_TOOK_SYN;
	sender_of(f, s)->facts |= TFSM_E_SYN_ACKED;
	tfsm_infer(f, b, TCPFSM_TOOK_SYNACK, o);
	tfsm_infer(f, sender_of(f, s), TCPFSM_SYN_ACKED, o);
	return TFSM_NOTES;
}

enum tfsm_note tfsm_check_handshake(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	u8 sb = state_of(receiver_of(f, s));

	switch (state_of(sender_of(f, s))) {
	case TCPFSM_LISTEN:
		return check_ack_from_listen(f, s, o);
	case TCPFSM_SYN_SENT:
		return check_ack_from_syn_sent(f, s, o);
	case TCPFSM_SYN_RCVD:
		return check_ack_from_syn_rcvd(f, s, o);
	case TCPFSM_CLOSED:
		if (sb == TCPFSM_CLOSED || sb == TCPFSM_LISTEN)
			return TFSM_NOTE_closed_segment;
		break;
	}
	return TFSM_NOTES;
}

static void open_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	tfsm_learn_syn(a, s);
	b->facts |= TFSM_E_PASSIVE;
	tfsm_raise(f, a, TCPFSM_SND_SYN, o);
	tfsm_raise(f, b, TCPFSM_PASSIVE_OPEN, o);
}

static void open_synack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	tfsm_learn_syn(a, s);
	tfsm_learn_ack(f, s);
	a->facts |= TFSM_E_PASSIVE | TFSM_E_TOOK_SYN;
	b->isn = s->ack - 1;
	b->facts |= TFSM_E_SYN | TFSM_E_SYN_ACKED;
	tfsm_move_given(f, a, TCPFSM_MIDSTREAM, TCPFSM_SYN_RCVD, 0, o);
	if (has_fin(s)) {
		a->facts |= TFSM_E_FIN;
		tfsm_move(f, a, TCPFSM_SND_FIN, o);
	}
	if (o->local[!s->dir].state != TCPFSM_CLOSED)	/* else it will answer with a RST */
		tfsm_move_given(f, b, TCPFSM_MIDSTREAM, TCPFSM_SYN_SENT, 0, o);
}

/*
 * What a local socket's state tells of both ends, when the flow is met midstream. A state that
 * is not here says nothing beyond the segment itself.
 */
static const struct {
	u8	peer;			/* the other end's state */
	u16	mine, theirs;		/* facts */
} adopted[TCPFSM_STATES] = {
#define FIN_DONE (TFSM_E_FIN | TFSM_E_FIN_ACKED)
	[TCPFSM_ESTABLISHED]	= { TCPFSM_ESTABLISHED, 0, 0 },
	[TCPFSM_FIN_WAIT_1]	= { TCPFSM_ESTABLISHED, TFSM_E_FIN, 0 },
	[TCPFSM_FIN_WAIT_2]	= { TCPFSM_CLOSE_WAIT, FIN_DONE, TFSM_E_TOOK_FIN },
	[TCPFSM_CLOSE_WAIT]	= { TCPFSM_FIN_WAIT_2, TFSM_E_TOOK_FIN, FIN_DONE },
	[TCPFSM_CLOSING]	= { TCPFSM_FIN_WAIT_2, TFSM_E_TOOK_FIN | TFSM_E_FIN, FIN_DONE },
	[TCPFSM_LAST_ACK]	= { TCPFSM_FIN_WAIT_2, TFSM_E_TOOK_FIN | TFSM_E_FIN, FIN_DONE },
	[TCPFSM_TIME_WAIT]	= { TCPFSM_LAST_ACK, FIN_DONE | TFSM_E_TOOK_FIN,
				    TFSM_E_TOOK_FIN | TFSM_E_FIN },
#undef FIN_DONE
};

#define SYNCHRONIZED (TFSM_E_SYN_ACKED | TFSM_E_TOOK_SYN)

/*
 * Put both ends where local sockets say they were before this segment. A socket that received
 * it has not processed it yet; one that sends a FIN is already beyond it, so that the FIN only
 * looks sent again. Return: false if no local socket tells.
 */
static bool adopt_sockets(struct tfsm *f, struct tfsm_out *o)
{
	u8 state[TCPFSM_ENDS] = {}, i;

	for (i = 0; i < TCPFSM_ENDS; i++) {
		struct tfsm_end *e = &f->end[i];
		u8 local = o->local[i].state;

		if (!local || !adopted[local].peer)
			continue;
		state[i] = local;
		if (!state[!i])
			state[!i] = adopted[local].peer;
		e->facts |= adopted[local].mine;
		f->end[!i].facts |= adopted[local].theirs;
		if (has_fact(e, TFSM_E_FIN)) {
			e->next = o->local[i].fin;
			e->run = e->next;
			e->facts |= TFSM_E_SENT;
		}
	}
	if (!state[TCPFSM_ORIG])
		return false;
	for (i = 0; i < TCPFSM_ENDS; i++)
		tfsm_move_given(f, &f->end[i], TCPFSM_MIDSTREAM, state[i], 0, o);
	return true;
}

static void open_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	bool fin = has_fin(s);

	a->facts |= SYNCHRONIZED;
	b->facts |= SYNCHRONIZED;
	if (adopt_sockets(f, o)) {
		f->flags &= ~TCPFSM_F_UNCONFIRMED;
		tfsm_take_ack(f, s, o);
		return;
	}
	tfsm_learn_seq(a, s);
	tfsm_learn_ack(f, s);
	a->facts |= fin ? TFSM_E_FIN : 0;
	tfsm_confirm(f, s, o);
	tfsm_move_given(f, a, TCPFSM_MIDSTREAM, fin ? TCPFSM_FIN_WAIT_1 : TCPFSM_ESTABLISHED, 0, o);
	if (o->local[!s->dir].state != TCPFSM_CLOSED)
		tfsm_move_given(f, b, TCPFSM_MIDSTREAM, TCPFSM_ESTABLISHED, 0, o);
}

static void begin_closed(struct tfsm *f)
{
	f->end[TCPFSM_ORIG].state = TCPFSM_CLOSED;
	f->end[TCPFSM_RESP].state = TCPFSM_CLOSED;
}

void tfsm_open(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	begin_closed(f);
	if (s->kind == TFSM_KIND_SYN) {
		open_syn(f, s, o);
		return;
	}
	f->flags |= TCPFSM_F_MIDSTREAM | TCPFSM_F_UNCONFIRMED;
	if (s->kind == TFSM_KIND_SYNACK)
		open_synack(f, s, o);
	else
		open_ack(f, s, o);
}

/* The other SYN of an end that has sent two: which it stands by shows only in its answer. */
static void keep_beside(struct tfsm *f, const struct tfsm_end *e, u64 now)
{
	tfsm_ext(f)->syn[TCPFSM_ORIG] = (struct tfsm_syn) {
		.kept = true,
		.when = now,
		.seg = {
			.seq = e->isn, .len = e->next - e->isn - 1,
			.win = e->maxwin > 3 ? 0xffff : e->maxwin << TFSM_WIN_SHIFT,
			.flags = TFSM_SYN, .kind = TFSM_KIND_SYN, .dir = TCPFSM_ORIG,
			.wscale = e->wscale, .has_wscale = has_fact(e, TFSM_E_WSCALE),
		},
	};
	f->flags |= TCPFSM_F_SYN_PENDING;
}

bool tfsm_open_kept(struct tfsm *f, struct tfsm *old, u8 *who, struct tfsm_out *o)
{
	struct tfsm_ext *ext = tfsm_ext(old);
	struct tfsm_end *sender;
	struct tfsm_syn syn;
	bool proven;

	if (!ext || ext->next >= TCPFSM_ENDS || !ext->syn[ext->next].kept)
		return false;
	syn = ext->syn[ext->next];
	proven = ext->proven;
	*who = tfsm_kept_opener(ext);
	o->now = syn.when;
	syn.seg.dir = syn.seg.kind == TFSM_KIND_SYN ? TCPFSM_ORIG : TCPFSM_RESP;
	sender = &old->end[ext->next];

	memset(ext, 0, sizeof(*ext));
	ext->proven = proven;
	ext->packets[syn.seg.dir] = syn.packets;
	ext->bytes[syn.seg.dir] = syn.bytes;
	tfsm_set_ext(f, ext);
	tfsm_set_ext(old, NULL);
	if (state_of(sender) == TCPFSM_SYN_SENT && sender->state == TCPFSM_SYN_SENT)
		keep_beside(f, sender, o->now);
	tfsm_open(f, &syn.seg, o);
	return true;
}
