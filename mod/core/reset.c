// SPDX-License-Identifier: GPL-2.0
/*
 * RST: which end has to accept it, which ends it moves, and what if both go on regardless.
 * RFC 9293 3.10.7, RFC 5961 3. a is the segment's sender, b its receiver.
 */
#include "accept.h"
#include "kept.h"
#include "learn.h"
#include "move.h"
#include "reset.h"
#include "stray.h"

/* How long a SYN may wait for its answer, ns: as Linux sends it again, tcp_syn_retries. */
#define SYN_LIVES	(130 * 1000000000LL)

static void forget_talk(struct tfsm *f)
{
	f->end[TCPFSM_ORIG].facts &= ~TFSM_E_TALKED;
	f->end[TCPFSM_RESP].facts &= ~TFSM_E_TALKED;
}

/* The end did not take the RST. */
static void resume_end(struct tfsm *f, struct tfsm_end *e, struct tfsm_out *o)
{
	u8 under = e->under;

	e->under = TCPFSM_STATE_UNSET;
	if (under && under != e->state)
		tfsm_move_given(f, e, TCPFSM_RESUME, under, TCPFSM_T_CORRECTION, o);
}

static void mark_rst_ignored(struct tfsm *f, struct tfsm_out *o)
{
	f->flags |= TCPFSM_F_CORRECTED;
	f->reason = TCPFSM_REASON_UNSET;
	add_note(o, TFSM_NOTE_rst_ignored);
}

void tfsm_put_back(struct tfsm *f, struct tfsm_out *o)
{
	resume_end(f, &f->end[TCPFSM_ORIG], o);
	resume_end(f, &f->end[TCPFSM_RESP], o);
	mark_rst_ignored(f, o);
	f->flags &= ~(TFSM_F_BENEATH | TFSM_F_REFUSED);
}

/*
 * The sender of a RST in SYN_SENT sends its SYN again: it has not taken that SYN|ACK, as of another
 * connection or with a wrong timestamp, but goes on. Its peer has taken the RST.
 */
void tfsm_wait_for_synack(struct tfsm *f, struct tfsm_end *a, struct tfsm_out *o)
{
	struct tfsm_end *b = other_end(f, a);

	resume_end(f, a, o);
	a->facts &= ~TFSM_E_SYN_ACKED;
	b->under = TCPFSM_STATE_UNSET;
	b->facts &= TFSM_E_PASSIVE;
	mark_rst_ignored(f, o);
	f->flags &= ~TFSM_F_BENEATH;
}

void tfsm_lives(struct tfsm *f, u8 end, struct tfsm_out *o)
{
	u8 moves = o->moves;

	resume_end(f, &f->end[end], o);
	if (o->moves > moves) {
		mark_rst_ignored(f, o);
		f->flags |= TCPFSM_F_SUSPECT;	/* its peer may have sent the RST all the same */
	}
	if (!f->end[!end].under)
		f->flags &= ~(TFSM_F_BENEATH | TFSM_F_REFUSED);
}

/* An acceptable segment of a: once both ends have passed one, a RST before it was ignored. */
void tfsm_talked(struct tfsm *f, struct tfsm_end *a, struct tfsm_out *o)
{
	if (!(f->flags & (TFSM_F_BENEATH | TCPFSM_F_SUSPECT)))
		return;
	a->facts |= TFSM_E_TALKED;
	if (!has_fact(&f->end[TCPFSM_ORIG], TFSM_E_TALKED) ||
	    !has_fact(&f->end[TCPFSM_RESP], TFSM_E_TALKED))
		return;
	f->flags &= ~TCPFSM_F_SUSPECT;
	if (f->flags & TFSM_F_BENEATH)
		tfsm_put_back(f, o);
}

/*
 * A connection ended with a SYN that nobody has answered: that SYN is the next flow. Of one that
 * was over before, it may be an old duplicate: a new one will be sent again.
 */
static enum tfsm_verdict verdict_after_rst(struct tfsm *f, const struct tfsm_out *o)
{
	u8 dir;

	if (!(f->flags & TCPFSM_F_SYN_PENDING) || !tfsm_closed(&f->end[TCPFSM_ORIG]) ||
	    !tfsm_closed(&f->end[TCPFSM_RESP]))
		return TFSM_OK;
	for (dir = 0; dir < TCPFSM_ENDS; dir++) {
		const struct tfsm_syn *syn = tfsm_kept_syn(f, dir);

		if (syn && syn->seg.kind == TFSM_KIND_SYN &&
		    (s64)(o->now - syn->when) < SYN_LIVES) {
			tfsm_choose_kept(f, dir);
			return TFSM_NEW_AFTER;
		}
	}
	return TFSM_OK;
}

static u8 rst_reason(const struct tfsm_seg *s, u8 sa, u8 sb)
{
	if (s->made_here)
		return TCPFSM_REASON_RST_HOST;
	if (sa == TCPFSM_LISTEN && sb == TCPFSM_SYN_SENT)
		return TCPFSM_REASON_REFUSED;
	if (sa == TCPFSM_SYN_SENT && sb == TCPFSM_SYN_RCVD)
		return TCPFSM_REASON_STALE_SYN;
	return s->dir == TCPFSM_ORIG ? TCPFSM_REASON_RST_ORIG : TCPFSM_REASON_RST_RESP;
}

/* a answers a refused segment with a RST and stays: figures 8 and 9. */
static bool rst_keeps_sender(const struct tfsm_end *a, const struct tfsm_seg *s)
{
	u8 state = state_of(a);

	return !(s->flags & TFSM_ACK) && has_fact(a, TFSM_E_MARK) && a->mark == s->seq &&
	       (state == TCPFSM_SYN_SENT || state == TCPFSM_SYN_RCVD);
}

/* The states go on beneath, in case both ends ignore the RST. */
static void close_by_rst(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o)
{
	u8 beneath;

	tfsm_release_held(f, e, o);
	beneath = state_of(e);
	e->under = TCPFSM_STATE_UNSET;
	tfsm_move(f, e, event, o);
	if (e->state != beneath && beneath != TCPFSM_CLOSED) {
		e->under = beneath;
		f->flags |= TFSM_F_BENEATH;
	}
}

/*
 * RFC 9293 3.5.2: the RST of an end without a connection carries no ACK, or SEQ 0. One at its
 * sender's own sequence number tells what that has taken: the SYN|ACK, or the FIN. Its receiver
 * does not look at the ACK, 3.10.7.4.
 */
static void took_before_rst(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (!(s->flags & TFSM_ACK) || !has_fact(a, TFSM_E_SENT) || s->seq != a->next ||
	    s->made_here)
		return;
	if (!has_fact(a, TFSM_E_TOOK_SYN) && has_fact(b, TFSM_E_TOOK_SYN) &&
	    tfsm_after(s->ack, b->isn) && !tfsm_after(s->ack, b->next)) {
		a->facts |= TFSM_E_TOOK_SYN;
		tfsm_move(f, a, TCPFSM_TOOK_SYNACK, o);
	}
	if (!has_fact(b, TFSM_E_FIN) || has_fact(a, TFSM_E_TOOK_FIN) || s->ack != b->next)
		return;
	a->facts |= TFSM_E_TOOK_FIN;
	tfsm_move(f, a, TCPFSM_TOOK_FIN, o);
	tfsm_release_held(f, a, o);
}

static enum tfsm_verdict take_rst(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	bool over = is_finished(f);
	u8 sb = state_of(b), reason;

	forget_talk(f);
	took_before_rst(f, s, o);
	reason = rst_reason(s, state_of(a), sb);
	if (rst_keeps_sender(a, s))
		add_note(o, TFSM_NOTE_rst_sender_kept);
	else if (!s->made_here)
		close_by_rst(f, a, TCPFSM_SND_RST, o);
	close_by_rst(f, b, TCPFSM_RCV_RST, o);
	if (!o->moves)
		return over ? TFSM_OK : verdict_after_rst(f, o);
	if (f->reason == TCPFSM_REASON_UNSET)
		f->reason = reason;
	switch (reason) {
	case TCPFSM_REASON_REFUSED:
		f->flags |= TFSM_F_REFUSED;
		add_note(o, TFSM_NOTE_refused);
		break;
	case TCPFSM_REASON_STALE_SYN:
		if (tfsm_closed(a))
			add_note(o, TFSM_NOTE_stale_syn);
		break;
	default:
		add_note(o, TFSM_NOTE_reset);
	}
	return over ? TFSM_OK : verdict_after_rst(f, o);
}

/* RFC 5961 3.2: the receiver asks, and a RST that answers will move it. The sender is gone. */
static enum tfsm_verdict take_rst_of_sender(struct tfsm *f, const struct tfsm_seg *s,
					    struct tfsm_out *o)
{
	f->flags |= TCPFSM_F_SUSPECT;
	forget_talk(f);
	took_before_rst(f, s, o);
	if (!s->made_here)
		close_by_rst(f, sender_of(f, s), TCPFSM_SND_RST, o);
	add_note(o, TFSM_NOTE_rst_behind_hole);
	return TFSM_OK;
}

/*
 * RFC 9293 3.10.7.1: the RST with SEQ 0 that refuses a kept SYN is of an end without a connection,
 * and who sends SYN has none either: the old one is over.
 */
static bool is_from_closed(struct tfsm *f, const struct tfsm_seg *s)
{
	return !s->seq && !s->made_here && state_of(receiver_of(f, s)) != TCPFSM_SYN_SENT &&
	       tfsm_acks_kept(f, s);
}

enum tfsm_verdict tfsm_on_rst(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (s->partial)
		return refuse_with(o, TFSM_NOTE_rst_fragment);
	tfsm_forget_strays(f);		/* they were refused, not missed */
	if (is_from_closed(f, s)) {
		tfsm_choose_kept(f, !s->dir);
		return TFSM_NEW_KEPT;
	}
	switch (state_of(b)) {
	case TCPFSM_SYN_SENT:
		/* RFC 9293 3.10.7.3: the ACK must cover the SYN. */
		if (tfsm_acks_kept(f, s) && !(has_fact(b, TFSM_E_SYN) && s->ack == b->isn + 1)) {
			/* Of two SYNs, the one that is refused is the one that counts. */
			tfsm_learn_syn(b, &tfsm_ext(f)->syn[!s->dir].seg);
			tfsm_drop_kept(f, !s->dir);
		}
		/* It may have taken the SYN|ACK already; its ACK has not passed yet. */
		if (has_fact(b, TFSM_E_SYN_ACKED) && has_fact(a, TFSM_E_TOOK_SYN) &&
		    s->seq == a->next)
			return take_rst(f, s, o);
		if (!(s->flags & TFSM_ACK) || !tfsm_after(s->ack, b->isn) ||
		    tfsm_after(s->ack, b->next))
			return refuse_with(o, TFSM_NOTE_rst_unproven);
		return take_rst(f, s, o);
	case TCPFSM_LISTEN:
	case TCPFSM_CLOSED:
		/*
		 * Moves nobody but its sender, who must have sent it in its own sequence: as its
		 * SYN went unanswered, that may still be the SYN's.
		 */
		if (tfsm_closed(a) || !has_fact(a, TFSM_E_SENT) ||
		    (s->seq != a->next && !(state_of(a) == TCPFSM_SYN_SENT && s->seq == a->isn)))
			return refuse_with(o, TFSM_NOTE_rst_unproven);
		return take_rst(f, s, o);
	case TCPFSM_TIME_WAIT:
		if (s->rfc1337)
			return refuse_with(o, TFSM_NOTE_rst_rfc1337);
		break;
	}
	if (f->flags & TCPFSM_F_SYN_PENDING &&
	    (tfsm_acks_kept(f, s) || tfsm_resets_kept(f, s))) {
		tfsm_drop_kept(f, !s->dir);
		add_note(o, TFSM_NOTE_syn_dropped);
	}
	switch (tfsm_rst_stands(f, s)) {
	case TFSM_RST_EXACT:
		return take_rst(f, s, o);
	case TFSM_RST_BEHIND_HOLE:
		return take_rst_of_sender(f, s, o);
	case TFSM_RST_CHALLENGED:
		/* Its sender answers the challenge ACK by an exact RST, unless it was forged. */
		forget_talk(f);
		if (!(f->flags & TFSM_F_BENEATH))
			a->facts |= TFSM_E_TALKED;
		f->flags |= TCPFSM_F_SUSPECT;
		return refuse_with(o, TFSM_NOTE_rst_challenged);
	default:
		return refuse_with(o, TFSM_NOTE_rst_out_of_window);
	}
}
