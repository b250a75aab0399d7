// SPDX-License-Identifier: GPL-2.0
/*
 * Is a segment plausible against what both ends sent and granted? RFC 9293 3.10.7.4, first and
 * fifth check, as far as an observer can tell: it does not know the ends' receive buffers, only
 * what has passed, so the bounds are a window wider than the receiver's own.
 */
#include "accept.h"

/* The largest window that @e has granted, or may have granted unseen. */
static u32 granted_window(const struct tfsm_end *e)
{
	return e->maxwin > 3 ? (u32)e->maxwin << TFSM_WIN_SHIFT : 0xffff;
}

/*
 * Is SEQ beyond what b has granted? What a has sent so far is as hard to guess as the number of an
 * exact RST, so it outranks the edge: b's ACKs may take another way. Once a has gone beyond the
 * edge in sequence, the edge is known to be old, and segments that we miss do not make it valid
 * again. One above the edge: a probe of a closed window whose grant shrank.
 */
static bool is_beyond_window(const struct tfsm_end *a, const struct tfsm_end *b, u32 seq)
{
	if (!(b->facts & TFSM_E_ACKS) || !tfsm_after(seq, b->edge + 1))
		return false;
	if (!(a->facts & TFSM_E_SENT))
		return true;
	if (seq == a->next)
		return false;
	return !tfsm_after(a->next, b->edge + 1) || tfsm_after(seq, a->next + granted_window(b));
}

/* Is SEQ between a window below what was sent and what the receiver granted? */
static enum tfsm_note seq_acceptable(const struct tfsm_end *a, const struct tfsm_end *b,
				     const struct tfsm_seg *s)
{
	u32 end = s->seq + tfsm_seg_len(s);

	if (a->facts & TFSM_E_SENT && tfsm_before(end, a->next - granted_window(b)))
		return TFSM_NOTE_seq_old;
	if (a->facts & TFSM_E_FIN && tfsm_after(end, a->next))
		return TFSM_NOTE_seq_beyond_fin;
	/* A fragment whose rest may never come, hence without a checksum, teaches nothing new. */
	if (s->partial && a->facts & TFSM_E_SENT && tfsm_after(s->seq, a->next))
		return TFSM_NOTE_seq_beyond_window;
	if (is_beyond_window(a, b, s->seq))
		return TFSM_NOTE_seq_beyond_window;
	if (!(s->flags & TFSM_FIN) || s->partial)
		return TFSM_NOTES;
	if (a->facts & TFSM_E_FIN ? end != a->next :
	    a->facts & TFSM_E_SENT && tfsm_before(end, a->next))
		return TFSM_NOTE_fin_moved;
	return TFSM_NOTES;
}

/* Is ACK between a window below the sender's last and what the peer can have sent? */
static enum tfsm_note ack_acceptable(const struct tfsm_end *a, const struct tfsm_end *b,
				     const struct tfsm_seg *s)
{
	if (a->facts & TFSM_E_ACKS && tfsm_before(s->ack, a->ack) &&
	    a->ack - s->ack > granted_window(a))
		return TFSM_NOTE_ack_old;
	if (!(b->facts & TFSM_E_SENT) || !tfsm_after(s->ack, b->next))
		return TFSM_NOTES;
	/* Beyond what passed here: a gap in our view, if the sender had granted so much. */
	if (b->facts & TFSM_E_FIN || s->partial)
		return TFSM_NOTE_ack_beyond;
	if (a->facts & TFSM_E_ACKS && tfsm_after(s->ack, a->edge + 1))
		return TFSM_NOTE_ack_beyond;
	return TFSM_NOTES;
}

enum tfsm_note tfsm_acceptable(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_end *a = &f->end[s->dir], *b = &f->end[!s->dir];
	enum tfsm_note note = seq_acceptable(a, b, s);

	return note != TFSM_NOTES ? note : ack_acceptable(a, b, s);
}

/*
 * RFC 5961 3.2: only a RST with exactly the next expected sequence number resets. The
 * receiver's RCV.NXT is its last ACK, or what reached it since.
 */
enum tfsm_rst tfsm_rst_stands(const struct tfsm *f, const struct tfsm_seg *s)
{
	const struct tfsm_end *a = &f->end[s->dir], *b = &f->end[!s->dir];
	u8 state = b->under ? b->under : b->state;

	if (!(b->facts & TFSM_E_ACKS) && !(a->facts & TFSM_E_SENT))
		return TFSM_RST_EXACT;	/* nothing is known to hold it against */
	if (b->facts & TFSM_E_ACKS && s->seq == b->ack)
		return TFSM_RST_EXACT;
	if (a->facts & TFSM_E_SENT && s->seq == a->run)
		return TFSM_RST_EXACT;
	if (a->facts & TFSM_E_SENT && s->seq == a->next)
		return a->hole ? TFSM_RST_BEHIND_HOLE : TFSM_RST_EXACT;
	/* As Linux's tcp_reset_check(): the FIN that was taken may be left out. */
	if ((state == TCPFSM_CLOSE_WAIT || state == TCPFSM_LAST_ACK || state == TCPFSM_CLOSING) &&
	    s->seq + 1 == a->next)
		return TFSM_RST_EXACT;
	if (!(b->facts & TFSM_E_ACKS))
		return TFSM_RST_CHALLENGED;
	if (!tfsm_before(s->seq, b->ack) && !tfsm_after(s->seq, b->edge))
		return TFSM_RST_CHALLENGED;
	return TFSM_RST_OUTSIDE;
}
