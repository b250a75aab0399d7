// SPDX-License-Identifier: GPL-2.0
/*
 * FINs that did not pass here. An ACK of exactly one octet that did not pass, and nothing behind
 * it, is most likely one of a FIN: few applications send single octets, every connection ends. The
 * FIN is shown as inferred, and taken back when its sender turns out to have gone on.
 */
#include "accept.h"
#include "guess.h"
#include "move.h"

/* b's FIN answers that of a, which it has not acknowledged yet as far as we have seen. */
static void guess_answer(struct tfsm *f, struct tfsm_end *a, struct tfsm_end *b,
			 struct tfsm_out *o)
{
	b->facts |= TFSM_E_TOOK_FIN;
	tfsm_infer(f, b, TCPFSM_TOOK_FIN, o);
	a->facts |= TFSM_E_FIN_ACKED;
	tfsm_infer(f, a, TCPFSM_FIN_ACKED, o);
}

void tfsm_guess_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u8 state = state_of(b);

	if ((state != TCPFSM_ESTABLISHED && state != TCPFSM_CLOSE_WAIT) ||
	    f->flags & (TFSM_F_BENEATH | TCPFSM_F_UNCONFIRMED))
		return;
	add_note(o, TFSM_NOTE_fin_inferred);
	if (has_fact(a, TFSM_E_FIN) && !has_fact(b, TFSM_E_TOOK_FIN))
		guess_answer(f, a, b, o);
	b->guessed = 1;
	b->facts |= TFSM_E_FIN;
	tfsm_infer(f, b, TCPFSM_SND_FIN, o);
}

/* Whose guessed FIN this segment shows to have been an octet of data; NULL: nobody's. */
static struct tfsm_end *shown_to_be_data(struct tfsm *f, const struct tfsm_seg *s)
{
	struct tfsm_end *a = sender_of(f, s), *b = receiver_of(f, s);
	u32 end = s->seq + tfsm_seg_len(s);

	if (b->guessed && tfsm_after(s->ack, b->next))
		return b;
	if (a->guessed && s->len && tfsm_after(s->seq + s->len, a->next - 1) &&
	    !tfsm_before(end, a->next))
		return a;
	return a->guessed && tfsm_after(end, a->next) ? a : NULL;
}

/* Forget the FIN of an end, and what was guessed with it. */
static void forget_fin(struct tfsm *f, struct tfsm_end *e)
{
	struct tfsm_end *other = other_end(f, e);

	e->guessed = 0;
	e->facts &= ~(TFSM_E_FIN | TFSM_E_FIN_ACKED | TFSM_E_HELD);
	other->facts &= ~(TFSM_E_TOOK_FIN | TFSM_E_MARK);
	if (has_fact(e, TFSM_E_TOOK_FIN) && tfsm_before(e->ack, other->next)) {
		e->facts &= ~TFSM_E_TOOK_FIN;
		other->facts &= ~TFSM_E_FIN_ACKED;
	}
}

/* Where an end of a connection is by what it has sent and taken. */
static u8 state_by_facts(const struct tfsm_end *e)
{
	bool took = has_fact(e, TFSM_E_TOOK_FIN), acked = has_fact(e, TFSM_E_FIN_ACKED);

	if (!has_fact(e, TFSM_E_FIN))
		return took ? TCPFSM_CLOSE_WAIT : TCPFSM_ESTABLISHED;
	if (acked)
		return took ? TCPFSM_TIME_WAIT : TCPFSM_FIN_WAIT_2;
	return took ? TCPFSM_CLOSING : TCPFSM_FIN_WAIT_1;
}

void tfsm_deny_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o)
{
	struct tfsm_end *e = shown_to_be_data(f, s);
	struct tfsm as_data = *f;
	u8 i;

	if (!e || f->flags & TFSM_F_BENEATH)
		return;
	forget_fin(&as_data, &as_data.end[e - f->end]);
	if (tfsm_acceptable(&as_data, s) != TFSM_NOTES)
		return;
	forget_fin(f, e);
	for (i = 0; i < TCPFSM_ENDS; i++)
		tfsm_move_given(f, &f->end[i], TCPFSM_NO_FIN, state_by_facts(&f->end[i]),
				TCPFSM_T_CORRECTION, o);
	f->flags |= TCPFSM_F_CORRECTED;
	f->reason = TCPFSM_REASON_UNSET;
	add_note(o, TFSM_NOTE_fin_denied);
}
