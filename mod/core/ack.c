// SPDX-License-Identifier: GPL-2.0
/*
 * What an acceptable segment does to the two ends of its flow, in this order: what a has taken (its
 * ACK covers b's SYN or FIN), then what a sends (FIN), then what of b's is acknowledged. Each is
 * one event, each move one transition.
 */
#include "ack.h"
#include "guess.h"
#include "kept.h"
#include "learn.h"
#include "move.h"
#include "reset.h"
#include "stray.h"

/* b's FIN passed before this one of a's, which it acknowledges: a closed first after all. */
static void correct_who_closed_first(struct tfsm *f, struct tfsm_end *b, struct tfsm_out *o)
{
	b->ahead = 0;
	tfsm_move_given(f, b, TCPFSM_TOOK_FIN_FIRST, TCPFSM_STATE_UNSET, TCPFSM_T_CORRECTION, o);
	f->flags |= TCPFSM_F_CORRECTED;
	add_note(o, TFSM_NOTE_fin_corrected);
}

/* a sends FIN for the first time: the end of what it sends. */
static void take_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s);
	u32 end = s->seq + tfsm_seg_len(s);
	bool first = has_fact(a, TFSM_E_TOOK_FIN) && has_fact(a, TFSM_E_MARK) &&
		     !tfsm_after(end, a->mark);

	a->facts |= TFSM_E_FIN;
	a->next = end;
	if (first && state_of(a) == TCPFSM_CLOSE_WAIT) {
		/* It was sent before the segment that covers the peer's FIN. */
		tfsm_move_given(f, a, TCPFSM_SND_FIN_FIRST, TCPFSM_STATE_UNSET,
				TCPFSM_T_CORRECTION, o);
		f->flags |= TCPFSM_F_CORRECTED;
		add_note(o, TFSM_NOTE_fin_corrected);
	} else {
		tfsm_move(f, a, TCPFSM_SND_FIN, o);
	}
}

/* The acknowledgement of a's FIN may have passed before it. */
static void take_early_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (!has_fact(b, TFSM_E_ACKS) || tfsm_before(b->ack, a->next))
		return;
	b->facts |= TFSM_E_TOOK_FIN;
	if (b->ahead && !tfsm_after(a->next, b->mark))
		correct_who_closed_first(f, b, o);
	else
		tfsm_infer(f, b, TCPFSM_TOOK_FIN, o);
	a->facts |= TFSM_E_FIN_ACKED;
	tfsm_infer(f, a, TCPFSM_FIN_ACKED, o);
}

/* What a's acknowledgement shows that a has taken. */
static void sender_took(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (!has_fact(a, TFSM_E_TOOK_SYN) && has_fact(b, TFSM_E_SYN) &&
	    tfsm_after(s->ack, b->isn)) {
		a->facts |= TFSM_E_TOOK_SYN;
		a->facts &= ~TFSM_E_MARK;
		tfsm_drop_kept(f, s->dir);	/* this is the SYN that it stands by */
		tfsm_move(f, a, TCPFSM_TOOK_SYNACK, o);
	}
	if (!has_fact(b, TFSM_E_FIN) || tfsm_before(s->ack, b->next))
		return;
	/*
	 * Where b has sent its FIN again, a's answer to the first may have been its own FIN, lost
	 * before us: then SEQ tells nothing of what came first.
	 */
	if (!(s->flags & TFSM_FIN) &&
	    (has_fact(a, TFSM_E_TOOK_FIN) ?
	     has_fact(a, TFSM_E_MARK) && tfsm_before(s->seq, a->mark) : !b->fin_again)) {
		a->mark = s->seq;
		a->facts |= TFSM_E_MARK;
		a->ahead = 0;
	}
	if (!has_fact(a, TFSM_E_TOOK_FIN)) {
		a->facts |= TFSM_E_TOOK_FIN;
		tfsm_move(f, a, TCPFSM_TOOK_FIN, o);
		tfsm_release_held(f, a, o);
	}
}

/*
 * b's SYN or FIN that a's acknowledgement covers.
 *
 * If b is in FIN_WAIT_1 and a's FIN passed before (not behind a hole), b may have taken that FIN
 * first (CLOSING) or this ACK first (FIN_WAIT_2). b's own next ACK tells; so does a, by sending
 * its FIN again.
 */
static void receiver_acked(struct tfsm *f, const struct tfsm_seg *s, bool fin_before,
			   bool fin_again, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (has_fact(b, TFSM_E_SYN) && !has_fact(b, TFSM_E_SYN_ACKED) &&
	    tfsm_after(s->ack, b->isn) && state_of(b) != TCPFSM_SYN_SENT) {
		b->facts |= TFSM_E_SYN_ACKED;
		b->facts &= ~TFSM_E_MARK;
		tfsm_move(f, b, TCPFSM_SYN_ACKED, o);
	}
	if (!has_fact(b, TFSM_E_FIN) || has_fact(b, TFSM_E_FIN_ACKED | TFSM_E_HELD) ||
	    tfsm_before(s->ack, b->next))
		return;
	if (fin_before && !fin_again && !has_fact(b, TFSM_E_TOOK_FIN) &&
	    state_of(b) == TCPFSM_FIN_WAIT_1 && has_fact(a, TFSM_E_FIN)) {
		b->facts |= TFSM_E_HELD;
		add_note(o, TFSM_NOTE_fin_ack_held);
		return;
	}
	b->facts |= TFSM_E_FIN_ACKED;
	tfsm_move(f, b, TCPFSM_FIN_ACKED, o);
}

/* Does a's ACK prove that it takes what we saw of b? */
static bool proves_taken(const struct tfsm *f, const struct tfsm_end *b, u32 ack)
{
	bool passed = has_fact(b, TFSM_E_PASSIVE) || !(f->flags & TCPFSM_F_MIDSTREAM);

	if (has_fact(b, TFSM_E_SYN))	/* a SYN that passed, or data behind one that did not */
		return tfsm_after(ack, passed ? b->isn : b->isn + 1);
	return has_fact(b, TFSM_E_DATA) && !tfsm_before(ack, b->isn);
}

void tfsm_confirm(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);

	if (proves_taken(f, b, s->ack))
		a->facts |= TFSM_E_CONFIRMED;
	if (s->len && !has_fact(a, TFSM_E_SYN | TFSM_E_DATA)) {
		a->isn = s->seq + s->len;
		a->facts |= TFSM_E_DATA;
	}
	if (has_fact(a, TFSM_E_CONFIRMED) && has_fact(b, TFSM_E_CONFIRMED)) {
		f->flags &= ~TCPFSM_F_UNCONFIRMED;
		add_note(o, TFSM_NOTE_confirmed);
	}
}

static void note_repeats(const struct tfsm_end *a, const struct tfsm_seg *s, struct tfsm_out *o)
{
	u32 end = s->seq + tfsm_seg_len(s);

	if (!has_fact(a, TFSM_E_SENT))
		return;
	if (s->seq + 1 == a->next && s->len <= 1 && !(s->flags & TFSM_FIN))
		add_note(o, TFSM_NOTE_keepalive);
	else if (s->len && !tfsm_after(end, a->next) && tfsm_before(s->seq, a->next))
		add_note(o, TFSM_NOTE_data_retrans);
}

/*
 * b's FIN was refused, since b seemed to have sent more. Now a acknowledges that FIN and nothing
 * beyond it: a has dropped what lay beyond, as forged or by PAWS.
 */
static void believe_moved_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *b = receiver_of(f, s);

	if (!tfsm_take_moved_fin(f, !s->dir, s->ack) || has_fact(sender_of(f, s), TFSM_E_TOOK_FIN))
		return;
	b->next = s->ack;
	b->run = s->ack;
	b->hole = 0;
	b->facts |= TFSM_E_FIN;
	tfsm_infer(f, b, TCPFSM_SND_FIN, o);
}

enum tfsm_verdict tfsm_take_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	bool fin = has_fin(s);
	bool fin_before = has_fact(a, TFSM_E_FIN), hole = a->hole, gap = false, octet;

	note_repeats(a, s, o);
	if (has_fact(b, TFSM_E_ACKS) && tfsm_after(s->seq, b->edge + 1))
		tfsm_outran(f, b, s->seq);
	octet = has_fact(b, TFSM_E_SENT) && s->ack == b->run + 1 && !tfsm_before(s->ack, b->next);
	if (has_fact(b, TFSM_E_SENT) && tfsm_after(s->ack, b->next)) {
		gap = true;
		b->next = s->ack;
		f->flags |= TCPFSM_F_GAP | tail_of(!s->dir);
		add_note(o, TFSM_NOTE_gap);
	}
	if (octet && (gap || b->hole))
		tfsm_guess_fin(f, s, o);
	if (f->flags & TFSM_F_TAILS && tfsm_seg_len(s) &&
	    !tfsm_before(s->seq + tfsm_seg_len(s), a->next))
		f->flags &= ~tail_of(s->dir);
	tfsm_learn_seq(a, s);
	tfsm_learn_ack(f, s);

	believe_moved_fin(f, s, o);
	sender_took(f, s, o);
	if (fin && !fin_before) {
		take_fin(f, s, o);
		if (gap && !has_fact(a, TFSM_E_TOOK_FIN)) {
			a->mark = s->ack;
			a->ahead = 1;
		}
	} else if (fin && a->guessed) {
		a->guessed = 0;
	} else if (fin) {
		add_note(o, TFSM_NOTE_fin_retrans);
		a->fin_again = 1;
		tfsm_release_held(f, b, o);
	}
	receiver_acked(f, s, fin_before && !hole, fin && fin_before, o);
	if (fin && !fin_before)
		take_early_ack(f, s, o);

	if (f->flags & TCPFSM_F_SYN_PENDING)
		tfsm_drop_refuted(f, s->dir);
	if (f->flags & TCPFSM_F_UNCONFIRMED)
		tfsm_confirm(f, s, o);
	tfsm_talked(f, a, o);
	return TFSM_OK;
}
