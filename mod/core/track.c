// SPDX-License-Identifier: GPL-2.0
/*
 * A segment's way through the engine: which kind it is, whether it is acceptable, and what two ends
 * that go on in other numbers than ours do to the flow. What ends without a segment is here, too.
 */
#include "accept.h"
#include "ack.h"
#include "guess.h"
#include "kept.h"
#include "move.h"
#include "open.h"
#include "quick.h"
#include "reset.h"
#include "stray.h"
#include "track.h"

static bool both_established(const struct tfsm *f)
{
	return f->end[TCPFSM_ORIG].state == TCPFSM_ESTABLISHED &&
	       f->end[TCPFSM_RESP].state == TCPFSM_ESTABLISHED;
}

static void raise_stray_fin(struct tfsm *f, u8 i, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[i];

	if (!tfsm_ext(f)->stray[i].fin)
		return;
	e->next = tfsm_ext(f)->stray[i].fin_end;
	e->run = e->next;
	e->facts |= TFSM_E_FIN;
	tfsm_infer(f, e, TCPFSM_SND_FIN, o);
}

static void raise_stray_fin_taken(struct tfsm *f, u8 i, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[i], *other = &f->end[!i];

	if (!has_fact(e, TFSM_E_FIN) || tfsm_before(other->ack, e->next))
		return;
	other->facts |= TFSM_E_TOOK_FIN;
	tfsm_infer(f, other, TCPFSM_TOOK_FIN, o);
}

static void raise_stray_fin_acked(struct tfsm *f, u8 i, struct tfsm_out *o)
{
	struct tfsm_end *e = &f->end[i];

	if (!has_fact(e, TFSM_E_FIN) || !has_fact(&f->end[!i], TFSM_E_TOOK_FIN))
		return;
	e->facts |= TFSM_E_FIN_ACKED;
	tfsm_infer(f, e, TCPFSM_FIN_ACKED, o);
}

/* Raise what the FINs mean that are among the strays by which the flow was anchored anew. */
static void take_stray_fins(struct tfsm *f, struct tfsm_out *o)
{
	const struct tfsm_stray *stray = tfsm_ext(f)->stray;
	u8 first = stray[0].fin && stray[1].fin &&
		   !tfsm_before(stray[0].fin_ack, stray[1].fin_end);
	bool together = stray[first].fin && stray[!first].fin &&
			tfsm_before(stray[!first].fin_ack, stray[first].fin_end);

	raise_stray_fin(f, first, o);
	if (together)
		raise_stray_fin(f, !first, o);
	raise_stray_fin_taken(f, first, o);
	if (together)
		raise_stray_fin_taken(f, !first, o);
	raise_stray_fin_acked(f, first, o);
	if (!together) {
		raise_stray_fin(f, !first, o);
		raise_stray_fin_taken(f, !first, o);
	}
	raise_stray_fin_acked(f, !first, o);
}

static enum tfsm_verdict refuse_ack(struct tfsm *f, const struct tfsm_seg *s, enum tfsm_note why,
				    struct tfsm_out *o)
{
	bool agree;

	if (why == TFSM_NOTE_fin_early) {
		add_note(o, why);
		return TFSM_OK;
	}
	if (!tfsm_ext(f) && !(f->flags & TFSM_F_NO_EXT))
		return TFSM_NEED_EXT;
	agree = tfsm_ext(f) && !s->partial && tfsm_strays_agree(f, s);
	if (tfsm_ext(f) && !s->partial && tfsm_kept_is_proven(f))
		return TFSM_NEW_KEPT;
	if (!agree) {
		add_note(o, tfsm_ext(f) ? why : TFSM_NOTE_no_room);
		tfsm_mark_refused(receiver_of(f, s), s);
		if (tfsm_ext(f) && !s->partial && why == TFSM_NOTE_fin_moved)
			tfsm_keep_moved_fin(f, s->dir);
		return TFSM_REFUSED;
	}
	add_note(o, TFSM_NOTE_reanchored);
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
	enum tfsm_note why;

	if (f->end[TCPFSM_ORIG].guessed || f->end[TCPFSM_RESP].guessed)
		tfsm_deny_fin(f, s, o);
	why = tfsm_acceptable(f, s);
	/* The end was met without a socket and taken for CLOSED, but it lives. */
	if (sender_of(f, s)->state == TCPFSM_CLOSED && (f->flags & met) == met &&
	    !has_fact(sender_of(f, s), TFSM_E_ACKS) && !(f->flags & TFSM_F_BENEATH))
		return TFSM_NEW;
	if (why != TFSM_NOTES && tfsm_follows_kept(f, s)) {
		tfsm_choose_kept(f, !s->dir);
		return TFSM_NEW_KEPT;
	}
	/* The end in TIME_WAIT took that SYN, else its sender would answer with a RST. */
	if (is_finished(f) && tfsm_goes_on_from_kept(f, s)) {
		tfsm_choose_kept(f, s->dir);
		return TFSM_NEW_KEPT;
	}
	if (why == TFSM_NOTES)
		why = tfsm_check_handshake(f, s, o);
	if (why != TFSM_NOTES)
		return refuse_ack(f, s, why, o);
	tfsm_end_strays(f);
	return tfsm_take_ack(f, s, o);
}

static enum tfsm_verdict track_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	bool waits = receiver_of(f, s)->state == TCPFSM_TIME_WAIT;
	enum tfsm_verdict v = take_or_refuse(f, s, o);

	/* As Linux, 2MSL starts anew with any ACK that reaches TIME_WAIT, RFC 9293 3.10.7.4. */
	if (waits && v != TFSM_NEED_EXT) {
		o->time_wait = true;
		add_note(o, TFSM_NOTE_time_wait_restarted);
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

	switch (s->kind) {
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
		v = track_ack(f, s, o);
		break;
	case TFSM_KIND_NO_ACK:
		return refuse_with(o, TFSM_NOTE_no_ack);
	default:
		return refuse_with(o, TFSM_NOTE_bad_flags);
	}
	if (o->moves)
		settle_reason(f);
	return v;
}

enum tfsm_verdict tfsm_track(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	return tfsm_quick(f, s, o) ? TFSM_OK : tfsm_track_fully(f, s, o);
}

bool tfsm_moves(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_end *a = &f->end[s->dir], *b = &f->end[!s->dir];
	const u16 up = 1U << TCPFSM_ESTABLISHED | 1U << TCPFSM_CLOSE_WAIT |
		       1U << TCPFSM_FIN_WAIT_1 | 1U << TCPFSM_FIN_WAIT_2;

	if (s->flags & (TFSM_SYN | TFSM_FIN | TFSM_RST))
		return true;
	if (has_fact(b, TFSM_E_FIN) &&
	    (!has_fact(b, TFSM_E_FIN_ACKED) || !has_fact(a, TFSM_E_TOOK_FIN)))
		return true;
	if (!(up & 1U << a->state) || !(up & 1U << b->state))
		return true;
	if (f->flags & (TFSM_F_BENEATH | TFSM_F_STRAYS | TCPFSM_F_SYN_PENDING | TCPFSM_F_SUSPECT |
			TCPFSM_F_UNCONFIRMED))
		return true;
	if (a->guessed || b->guessed || (b->hole && s->ack == b->run + 1))
		return true;
	if (has_fact(a, TFSM_E_SENT) && tfsm_after(s->seq, a->next))
		return true;
	return has_fact(b, TFSM_E_SENT) && tfsm_after(s->ack, b->next);
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
	bool unreached = tfsm_unreached(f);
	u8 moves;

	tfsm_release_held(f, e, o);
	moves = o->moves;
	e->under = TCPFSM_STATE_UNSET;
	tfsm_move(f, e, TCPFSM_GONE, o);
	if (f->reason == TCPFSM_REASON_UNSET && o->moves > moves)
		f->reason = unreached ? TCPFSM_REASON_UNREACHABLE : TCPFSM_REASON_SILENT;
}
