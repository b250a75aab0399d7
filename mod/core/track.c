// SPDX-License-Identifier: GPL-2.0
/*
 * What a segment does to the two ends of its flow. In the text below a is the segment's
 * sender, b its receiver.
 *
 * Order within a segment: what a has taken (its ACK covers b's SYN or FIN), then what a
 * sends (SYN, FIN, RST), then what of b's is acknowledged. Each is one event, each move one
 * transition, in that order.
 */
#include "engine.h"

/*
 * The only writer of a state. @given is for events whose cell is GIVEN. Moves beneath a RST
 * are not shown unless the flow resumes.
 */
void tfsm_move_given(struct tfsm *f, struct tfsm_end *e, u8 event, u8 given, u8 flags,
		     struct tfsm_out *o)
{
	u8 from = state_of(e);
	u8 to = tfsm_next(from, event);

	if (to == TFSM_GIVEN)
		to = given;
	else if (to == TFSM_PASSIVE)
		to = has(e, TFSM_E_PASSIVE) ? TCPFSM_LISTEN : TCPFSM_CLOSED;
	if (to >= TCPFSM_STATES || to == from)
		return;
	if (e->under) {
		e->under = to;
		return;
	}
	e->state = to;
	e->moves++;
	if (o->moves < TFSM_MOVES_MAX)
		o->move[o->moves++] = (struct tfsm_move) {
			.end = e - f->end, .from = from, .to = to, .cause = event, .flags = flags,
		};
}

void tfsm_move(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o)
{
	tfsm_move_given(f, e, event, TCPFSM_STATE_UNSET, 0, o);
}

void tfsm_infer(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o)
{
	tfsm_move_given(f, e, event, TCPFSM_STATE_UNSET, TCPFSM_T_INFERRED, o);
}

/* A FIN of a, first seen now: the end of what it sends. */
static void take_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);
	u32 end = s->seq + tfsm_seg_len(s);
	bool first = has(a, TFSM_E_TOOK_FIN) && has(a, TFSM_E_MARK) && !tfsm_after(end, a->mark);

	a->facts |= TFSM_E_FIN;
	a->next = end;
	if (first && state_of(a) == TCPFSM_CLOSE_WAIT) {
		/* It was sent before the segment that covers the peer's FIN. */
		tfsm_move_given(f, a, TCPFSM_SND_FIN_FIRST, TCPFSM_STATE_UNSET,
				TCPFSM_T_CORRECTION, o);
		f->flags |= TCPFSM_F_CORRECTED;
		note(o, TFSM_NOTE_fin_corrected);
	} else {
		tfsm_move(f, a, TCPFSM_SND_FIN, o);
	}
	/* Its acknowledgement may have passed before it. */
	if (has(b, TFSM_E_ACKS) && !tfsm_before(b->ack, end)) {
		b->facts |= TFSM_E_TOOK_FIN;
		tfsm_infer(f, b, TCPFSM_TOOK_FIN, o);
		a->facts |= TFSM_E_FIN_ACKED;
		tfsm_infer(f, a, TCPFSM_FIN_ACKED, o);
	}
}

void tfsm_release_held(struct tfsm *f, struct tfsm_end *e, struct tfsm_out *o)
{
	if (!has(e, TFSM_E_HELD))
		return;
	e->facts &= ~TFSM_E_HELD;
	e->facts |= TFSM_E_FIN_ACKED;
	tfsm_move(f, e, TCPFSM_FIN_ACKED, o);
}

/* What a's acknowledgement shows that a has taken. */
static void sender_took(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);

	if (!has(a, TFSM_E_TOOK_SYN) && has(b, TFSM_E_SYN) && tfsm_after(s->ack, b->isn)) {
		a->facts |= TFSM_E_TOOK_SYN;
		a->facts &= ~TFSM_E_MARK;
		tfsm_drop_kept(f, s->dir);	/* this is the SYN that it stands by */
		tfsm_move(f, a, TCPFSM_TOOK_SYNACK, o);
	}
	if (!has(b, TFSM_E_FIN) || tfsm_before(s->ack, b->next))
		return;
	/*
	 * Where b has sent its FIN again, a's answer to the first may have been its own FIN, lost
	 * before us: then SEQ tells nothing of what came first.
	 */
	if (!(s->flags & TFSM_FIN) &&
	    (has(a, TFSM_E_TOOK_FIN) ? has(a, TFSM_E_MARK) && tfsm_before(s->seq, a->mark) :
				       !b->fin_again)) {
		a->mark = s->seq;
		a->facts |= TFSM_E_MARK;
	}
	if (!has(a, TFSM_E_TOOK_FIN)) {
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
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);

	if (has(b, TFSM_E_SYN) && !has(b, TFSM_E_SYN_ACKED) && tfsm_after(s->ack, b->isn) &&
	    state_of(b) != TCPFSM_SYN_SENT) {
		b->facts |= TFSM_E_SYN_ACKED;
		b->facts &= ~TFSM_E_MARK;
		tfsm_move(f, b, TCPFSM_SYN_ACKED, o);
	}
	if (!has(b, TFSM_E_FIN) || has(b, TFSM_E_FIN_ACKED | TFSM_E_HELD) ||
	    tfsm_before(s->ack, b->next))
		return;
	if (fin_before && !fin_again && !has(b, TFSM_E_TOOK_FIN) &&
	    state_of(b) == TCPFSM_FIN_WAIT_1 && has(a, TFSM_E_FIN)) {
		b->facts |= TFSM_E_HELD;
		note(o, TFSM_NOTE_fin_ack_held);
		return;
	}
	b->facts |= TFSM_E_FIN_ACKED;
	tfsm_move(f, b, TCPFSM_FIN_ACKED, o);
}

/* Does a's ACK prove that it takes what we saw of b? */
static bool proves(const struct tfsm *f, const struct tfsm_end *b, u32 ack)
{
	bool passed = has(b, TFSM_E_PASSIVE) || !(f->flags & TCPFSM_F_MIDSTREAM);

	if (has(b, TFSM_E_SYN))		/* a SYN that passed, or data behind one that did not */
		return tfsm_after(ack, passed ? b->isn : b->isn + 1);
	return has(b, TFSM_E_DATA) && !tfsm_before(ack, b->isn);
}

void tfsm_confirm(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);

	if (proves(f, b, s->ack))
		a->facts |= TFSM_E_CONFIRMED;
	if (s->len && !has(a, TFSM_E_SYN | TFSM_E_DATA)) {
		a->isn = s->seq + s->len;
		a->facts |= TFSM_E_DATA;
	}
	if (has(a, TFSM_E_CONFIRMED) && has(b, TFSM_E_CONFIRMED)) {
		f->flags &= ~TCPFSM_F_UNCONFIRMED;
		note(o, TFSM_NOTE_confirmed);
	}
}

static void note_repeats(const struct tfsm_end *a, const struct tfsm_seg *s, struct tfsm_out *o)
{
	u32 end = s->seq + tfsm_seg_len(s);

	if (!has(a, TFSM_E_SENT))
		return;
	if (s->seq + 1 == a->next && s->len <= 1 && !(s->flags & TFSM_FIN))
		note(o, TFSM_NOTE_keepalive);
	else if (s->len && !tfsm_after(end, a->next) && tfsm_before(s->seq, a->next))
		note(o, TFSM_NOTE_data_retrans);
}

/*
 * b's FIN was refused, since b seemed to have sent more; a takes it and nothing more. What lay
 * beyond it was nothing to a: forged, or dropped by its PAWS.
 */
static void take_moved_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_stray *stray = tfsm_side(f) ? &tfsm_side(f)->stray[!s->dir] : NULL;
	struct tfsm_end *b = receiver(f, s);

	if (!stray || !stray->fin_moved || s->ack != stray->end ||
	    has(sender(f, s), TFSM_E_TOOK_FIN))
		return;
	stray->fin_moved = false;
	b->next = stray->end;
	b->run = stray->end;
	b->hole = 0;
	b->facts |= TFSM_E_FIN;
	tfsm_infer(f, b, TCPFSM_SND_FIN, o);
}

enum tfsm_verdict tfsm_take_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender(f, s), *b = receiver(f, s);
	bool fin = s->flags & TFSM_FIN && !s->partial;
	bool fin_before = has(a, TFSM_E_FIN), hole = a->hole;

	note_repeats(a, s, o);
	if (has(b, TFSM_E_SENT) && tfsm_after(s->ack, b->next)) {
		b->next = s->ack;
		f->flags |= TCPFSM_F_GAP;
		note(o, TFSM_NOTE_gap);
	}
	tfsm_learn_seq(a, s);
	tfsm_learn_ack(f, s);

	take_moved_fin(f, s, o);
	sender_took(f, s, o);
	if (fin && !fin_before) {
		take_fin(f, s, o);
	} else if (fin) {
		note(o, TFSM_NOTE_fin_retrans);
		a->fin_again = 1;
		tfsm_release_held(f, b, o);
	}
	receiver_acked(f, s, fin_before && !hole, fin && fin_before, o);

	if (f->flags & TCPFSM_F_UNCONFIRMED)
		tfsm_confirm(f, s, o);
	tfsm_talked(f, a, o);
	return TFSM_OK;
}

static bool both_established(const struct tfsm *f)
{
	return f->end[TCPFSM_ORIG].state == TCPFSM_ESTABLISHED &&
	       f->end[TCPFSM_RESP].state == TCPFSM_ESTABLISHED;
}

static void stray_fin(struct tfsm *f, u8 i, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[i];

	if (!tfsm_side(f)->stray[i].fin)
		return;
	e->next = tfsm_side(f)->stray[i].fin_end;
	e->run = e->next;
	e->facts |= TFSM_E_FIN;
	tfsm_infer(f, e, TCPFSM_SND_FIN, o);
}

static void stray_fin_taken(struct tfsm *f, u8 i, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[i], *other = &f->end[!i];

	if (!has(e, TFSM_E_FIN) || tfsm_before(other->ack, e->next))
		return;
	other->facts |= TFSM_E_TOOK_FIN;
	tfsm_infer(f, other, TCPFSM_TOOK_FIN, o);
}

static void stray_fin_acked(struct tfsm *f, u8 i, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[i];

	if (!has(e, TFSM_E_FIN) || !has(&f->end[!i], TFSM_E_TOOK_FIN))
		return;
	e->facts |= TFSM_E_FIN_ACKED;
	tfsm_infer(f, e, TCPFSM_FIN_ACKED, o);
}

/* The FINs among the strays by which an established flow was anchored anew. */
static void take_stray_fins(struct tfsm *f, struct tfsm_out *o)
{
	const struct tfsm_stray *stray = tfsm_side(f)->stray;
	u8 first = stray[0].fin && stray[1].fin &&
		   !tfsm_before(stray[0].fin_ack, stray[1].fin_end);
	bool together = stray[first].fin && stray[!first].fin &&
			tfsm_before(stray[!first].fin_ack, stray[first].fin_end);

	stray_fin(f, first, o);
	if (together)
		stray_fin(f, !first, o);
	stray_fin_taken(f, first, o);
	if (together)
		stray_fin_taken(f, !first, o);
	stray_fin_acked(f, first, o);
	if (!together) {
		stray_fin(f, !first, o);
		stray_fin_taken(f, !first, o);
	}
	stray_fin_acked(f, !first, o);
}

static enum tfsm_verdict refuse_ack(struct tfsm *f, const struct tfsm_seg *s, enum tfsm_note why,
				    struct tfsm_out *o)
{
	if (why == TFSM_NOTE_fin_early) {
		note(o, why);
		return TFSM_OK;
	}
	if (!tfsm_side(f) && !(f->flags & TFSM_F_NO_SIDE))
		return TFSM_NEED_SIDE;
	if (!tfsm_side(f) || s->partial || !tfsm_strays_agree(f, s)) {
		note(o, tfsm_side(f) ? why : TFSM_NOTE_no_room);
		tfsm_mark_refused(receiver(f, s), s);
		if (tfsm_side(f) && !s->partial)
			tfsm_side(f)->stray[s->dir].fin_moved = why == TFSM_NOTE_fin_moved;
		return TFSM_REFUSED;
	}
	note(o, TFSM_NOTE_reanchored);
	if (!both_established(f))
		return TFSM_NEW;
	tfsm_reanchor(f);
	take_stray_fins(f, o);
	return tfsm_take_ack(f, s, o);
}

static enum tfsm_verdict take_or_refuse(struct tfsm *f, const struct tfsm_seg *s,
					struct tfsm_out *o)
{
	const u32 met = TCPFSM_F_MIDSTREAM | TCPFSM_F_UNCONFIRMED;
	enum tfsm_note why = tfsm_acceptable(f, s);

	/* It was met without a socket, and lives all the same. */
	if (sender(f, s)->state == TCPFSM_CLOSED && (f->flags & met) == met &&
	    !has(sender(f, s), TFSM_E_ACKS) && !(f->flags & TFSM_F_BENEATH))
		return TFSM_NEW;
	if (why == TFSM_NOTES)
		why = tfsm_handshake(f, s, o);
	if (why != TFSM_NOTES)
		return refuse_ack(f, s, why, o);
	if (tfsm_side(f))
		tfsm_side(f)->stray[s->dir].count = 0;
	return tfsm_take_ack(f, s, o);
}

static enum tfsm_verdict on_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	bool waits = receiver(f, s)->state == TCPFSM_TIME_WAIT;
	enum tfsm_verdict v = take_or_refuse(f, s, o);

	/* As Linux, 2MSL starts anew with any ACK that reaches TIME_WAIT, RFC 9293 3.10.7.4. */
	if (waits && v != TFSM_NEED_SIDE) {
		o->time_wait = true;
		note(o, TFSM_NOTE_time_wait_restarted);
	}
	return v;
}

static void settle_reason(struct tfsm *f)
{
	if (f->reason == TCPFSM_REASON_UNSET && tfsm_closed(&f->end[0]) && tfsm_closed(&f->end[1]))
		f->reason = TCPFSM_REASON_FIN;
}

enum tfsm_verdict tfsm_track_fully(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	enum tfsm_verdict v;

	switch (tfsm_classify(s->flags)) {
	case TFSM_KIND_SYN:
		v = tfsm_on_syn(f, s, o);
		break;
	case TFSM_KIND_SYNACK:
		v = tfsm_on_synack(f, s, o);
		break;
	case TFSM_KIND_RST:
		v = tfsm_on_rst(f, s, o);
		break;
	case TFSM_KIND_ACK:
		v = on_ack(f, s, o);
		break;
	case TFSM_KIND_NO_ACK:
		return refuse(o, TFSM_NOTE_no_ack);
	default:
		return refuse(o, TFSM_NOTE_bad_flags);
	}
	if (o->moves)
		settle_reason(f);
	return v;
}

enum tfsm_verdict tfsm_track(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	return tfsm_in_order(f, s) ? TFSM_OK : tfsm_track_fully(f, s, o);
}

bool tfsm_moves(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_end *a = &f->end[s->dir], *b = &f->end[!s->dir];
	const u16 up = 1U << TCPFSM_ESTABLISHED | 1U << TCPFSM_CLOSE_WAIT |
		       1U << TCPFSM_FIN_WAIT_1 | 1U << TCPFSM_FIN_WAIT_2;

	if (s->flags & (TFSM_SYN | TFSM_FIN | TFSM_RST))
		return true;
	if (!(up & 1U << a->state) || !(up & 1U << b->state))
		return true;
	if (f->flags & (TFSM_F_BENEATH | TCPFSM_F_SUSPECT | TCPFSM_F_UNCONFIRMED))
		return true;
	if (has(a, TFSM_E_SENT) && tfsm_after(s->seq, a->next))
		return true;
	if (has(b, TFSM_E_SENT) && tfsm_after(s->ack, b->next))
		return true;
	return has(b, TFSM_E_FIN) && (!has(b, TFSM_E_FIN_ACKED) || !has(a, TFSM_E_TOOK_FIN));
}

void tfsm_expire(struct tfsm *f, struct tfsm_out *o)
{
	struct tfsm_end *e;

	for (e = f->end; e < f->end + TCPFSM_ENDS; e++)
		if (e->state == TCPFSM_TIME_WAIT)
			tfsm_move(f, e, TCPFSM_EXPIRE, o);
	settle_reason(f);
}

void tfsm_gone(struct tfsm *f, u8 end, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[end];
	u8 moves;

	tfsm_release_held(f, e, o);
	moves = o->moves;
	e->under = TCPFSM_STATE_UNSET;
	tfsm_move(f, e, TCPFSM_GONE, o);
	if (f->reason == TCPFSM_REASON_UNSET && o->moves > moves)
		f->reason = TCPFSM_REASON_SILENT;
}
