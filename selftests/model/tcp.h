/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small TCP endpoint written from RFC 9293 3.10 alone; it shares nothing with the engine.
 *
 * Sequence numbers are bytes: incarnation * 64 + offset, so that they never wrap here and two
 * incarnations are always a window apart. What the observer is shown is made of them in watch.h.
 */
#ifndef _MODEL_TCP_H
#define _MODEL_TCP_H

#include "../../mod/core/shell.h"
#include "../core/ways.h"

#define INCARNATION	64
#define ISN(n)		((n) * INCARNATION + 32)
#define INCARNATIONS	4
#define WINDOW		16

#define F	TFSM_FIN
#define S	TFSM_SYN
#define R	TFSM_RST
#define A	TFSM_ACK

struct seg {
	u8 seq, ack, len, flags;
};

/* One endpoint. What it has lived through stays known after it closed: the properties ask. */
struct tcp {
	u8 state;
	u8 iss, irs, una, nxt, rcv;
	u8 told;		/* highest ACK sent */
	u8 inc;			/* incarnations used */
	u8 sends;		/* bytes that its user may still send */
	u8 unsent;		/* bytes that wait for the window */
	struct seg held;	/* out of order, 3.10.7.4: held for later processing */
	u8 passive:1;
	u8 listens:1;		/* a listener is behind it: CLOSED takes SYNs as LISTEN does */
	u8 delays:1;		/* may delay its ACKs */
	u8 ack_due:1;
	u8 closed:1;		/* its user called CLOSE */
	u8 fin_sent:1;
	u8 took_syn:1;
	u8 took_fin:1;
	u8 fin_waited:1;	/* its FIN was queued behind data when it took the peer's */
	u8 dropped:1;		/* vanished without a segment */
	u64 path;		/* its states, latest lowest; kept if asked for */
};

struct sent {
	struct seg seg[4];
	u8 n;
};

static bool keep_paths;

static void go(struct tcp *t, u8 state)
{
	if (t->state == state)
		return;
	t->state = state;
	if (keep_paths)
		t->path = t->path << 4 | state;
}

static void say(struct tcp *t, struct sent *o, u8 seq, u8 ack, u8 len, u8 flags)
{
	o->seg[o->n++] = (struct seg) { seq, flags & A ? ack : 0, len, flags };
	if (!(flags & A) || flags & R)
		return;
	t->ack_due = 0;
	if (ack > t->told)
		t->told = ack;
}

static void say_ack(struct tcp *t, struct sent *o)
{
	say(t, o, t->nxt, t->rcv, 0, A);
}

static void say_syn(struct tcp *t, struct sent *o)
{
	say(t, o, t->iss, t->rcv, 0, t->took_syn ? S | A : S);
}

static bool syn_acked(const struct tcp *t)
{
	return t->una > t->iss;
}

static bool fin_acked(const struct tcp *t)
{
	return t->fin_sent && t->una == t->nxt;
}

static bool synchronized(const struct tcp *t)
{
	return t->state != TCPFSM_CLOSED && t->state != TCPFSM_LISTEN &&
	       t->state != TCPFSM_SYN_SENT && t->state != TCPFSM_SYN_RCVD;
}

/* A new transmission control block. */
static void tcb(struct tcp *t)
{
	t->inc++;
	t->iss = t->una = ISN(t->inc);
	t->nxt = t->iss + 1;
	t->irs = t->rcv = t->told = t->unsent = 0;
	t->held = (struct seg) {};
	t->ack_due = t->closed = t->fin_sent = t->took_syn = t->took_fin = 0;
	t->fin_waited = t->dropped = 0;
}

/* ---- calls of the user ---- */

static void open_active(struct tcp *t, struct sent *o)
{
	tcb(t);
	t->passive = 0;
	go(t, TCPFSM_SYN_SENT);
	say_syn(t, o);
}

/* Segmentize what waits, 3.10.4: the FIN goes behind all data. */
static void push(struct tcp *t, struct sent *o)
{
	u8 seq = t->nxt, len = t->unsent;
	bool fin = t->closed && !t->fin_sent;

	t->unsent = 0;
	t->nxt += len + fin;
	if (fin) {
		t->fin_sent = 1;
		if (t->state == TCPFSM_CLOSE_WAIT)
			go(t, TCPFSM_LAST_ACK);
	}
	say(t, o, seq, t->rcv, len, fin ? A | F : A);
}

static void call_close(struct tcp *t, struct sent *o)
{
	t->closed = 1;
	if (t->state != TCPFSM_CLOSE_WAIT)
		go(t, TCPFSM_FIN_WAIT_1);
	if (!t->unsent)
		push(t, o);
}

/* 3.10.5. Both forms of the RST are in use. */
static void call_abort(struct tcp *t, struct sent *o, bool with_ack)
{
	say(t, o, t->nxt, t->rcv, 0, with_ack ? R | A : R);
	if (with_ack)
		t->told = t->rcv;
	t->ack_due = 0;
	go(t, TCPFSM_CLOSED);
}

/* 3.10.8: the oldest segment, or all at once where @whole. */
static void retransmit(struct tcp *t, struct sent *o, bool whole)
{
	u8 len = t->nxt - t->una - t->fin_sent;

	if (!syn_acked(t))
		say_syn(t, o);
	else if (whole || !len)
		say(t, o, t->una, t->rcv, len, t->fin_sent ? A | F : A);
	else
		say(t, o, t->una, t->rcv, 1, A);
}

/* ---- 3.10.7 SEGMENT ARRIVES ---- */

static void say_rst(struct tcp *t, struct sent *o, struct seg s)
{
	if (s.flags & A)
		say(t, o, s.ack, 0, 0, R);
	else
		say(t, o, 0, s.seq + s.len + !!(s.flags & S) + !!(s.flags & F), 0, R | A);
}

static void arrives_listen(struct tcp *t, struct sent *o, struct seg s)
{
	if (s.flags & R)
		return;
	if (s.flags & A || !(s.flags & S) || t->inc + 1 >= INCARNATIONS) {
		say_rst(t, o, s);
		return;
	}
	tcb(t);
	t->passive = 1;
	t->took_syn = 1;
	t->irs = s.seq;
	t->rcv = s.seq + 1;
	go(t, TCPFSM_SYN_RCVD);
	say_syn(t, o);
}

static void due(struct tcp *t, struct sent *o)
{
	t->ack_due = 1;
	if (!t->delays)
		say_ack(t, o);
}

static void arrives_syn_sent(struct tcp *t, struct sent *o, struct seg s)
{
	if (s.flags & A && (s.ack <= t->iss || s.ack > t->nxt)) {
		if (!(s.flags & R))
			say_rst(t, o, s);
		return;
	}
	if (s.flags & R) {
		if (s.flags & A)
			go(t, TCPFSM_CLOSED);
		return;
	}
	if (!(s.flags & S))
		return;
	t->took_syn = 1;
	t->irs = s.seq;
	t->rcv = s.seq + 1;
	if (s.flags & A) {
		t->una = s.ack;
		go(t, TCPFSM_ESTABLISHED);
		due(t, o);
	} else {
		go(t, TCPFSM_SYN_RCVD);
		say_syn(t, o);
	}
}

static bool in_window(const struct tcp *t, int seq)
{
	return seq >= t->rcv && seq < t->rcv + WINDOW;
}

static bool acceptable(const struct tcp *t, struct seg s)
{
	int len = s.len + !!(s.flags & S) + !!(s.flags & F);

	return in_window(t, s.seq) || (len && in_window(t, s.seq + len - 1));
}

/* Fifth check. Return: go on. */
static bool take_ack(struct tcp *t, struct sent *o, struct seg s)
{
	if (t->state == TCPFSM_SYN_RCVD) {
		if (s.ack <= t->una || s.ack > t->nxt) {
			say_rst(t, o, s);
			return false;
		}
		go(t, TCPFSM_ESTABLISHED);
	}
	if (s.ack > t->nxt || s.ack < t->una - WINDOW) {	/* RFC 5961 5.2 */
		say_ack(t, o);
		return false;
	}
	if (s.ack > t->una)
		t->una = s.ack;
	switch (t->state) {
	case TCPFSM_FIN_WAIT_1:
		if (fin_acked(t))
			go(t, TCPFSM_FIN_WAIT_2);
		break;
	case TCPFSM_CLOSING:
		if (!fin_acked(t))
			return false;
		go(t, TCPFSM_TIME_WAIT);
		break;
	case TCPFSM_LAST_ACK:
		if (fin_acked(t)) {
			go(t, TCPFSM_CLOSED);
			return false;
		}
		break;
	case TCPFSM_TIME_WAIT:
		if (s.flags & F)
			say_ack(t, o);
		return false;
	}
	return true;
}

static void take_fin(struct tcp *t)
{
	t->rcv++;
	t->took_fin = 1;
	t->fin_waited = t->closed && !t->fin_sent;
	switch (t->state) {
	case TCPFSM_SYN_RCVD:
	case TCPFSM_ESTABLISHED:
		go(t, TCPFSM_CLOSE_WAIT);
		break;
	case TCPFSM_FIN_WAIT_1:
		go(t, TCPFSM_CLOSING);
		break;
	case TCPFSM_FIN_WAIT_2:
		go(t, TCPFSM_TIME_WAIT);
		break;
	}
}

/* Seventh and eighth: text and FIN, in order. Return: it advanced RCV.NXT. */
static bool take_text(struct tcp *t, struct seg s)
{
	u8 before = t->rcv;

	if (t->took_fin || s.seq > t->rcv)
		return false;
	if (s.seq + s.len > t->rcv)
		t->rcv = s.seq + s.len;
	if (s.flags & F && s.seq + s.len == t->rcv)
		take_fin(t);
	return t->rcv != before;
}

static void take_all_text(struct tcp *t, struct sent *o, struct seg s)
{
	if (!s.len && !(s.flags & F))
		return;
	if (s.seq > t->rcv) {
		t->held = s;
		say_ack(t, o);
		return;
	}
	if (!take_text(t, s)) {
		say_ack(t, o);
		return;
	}
	if (t->held.flags && t->held.seq <= t->rcv) {
		take_text(t, t->held);
		t->held = (struct seg) {};
	}
	due(t, o);
}

static void arrives_rst(struct tcp *t, struct sent *o, struct seg s)
{
	if (!in_window(t, s.seq))
		return;
	if (s.seq != t->rcv) {		/* RFC 5961 3.2 */
		say_ack(t, o);
		return;
	}
	t->ack_due = 0;
	go(t, t->state == TCPFSM_SYN_RCVD && t->passive ? TCPFSM_LISTEN : TCPFSM_CLOSED);
}

static void arrives(struct tcp *t, struct sent *o, struct seg s)
{
	switch (t->state) {
	case TCPFSM_CLOSED:
		if (t->listens)
			arrives_listen(t, o, s);
		else if (!(s.flags & R))
			say_rst(t, o, s);
		return;
	case TCPFSM_LISTEN:
		arrives_listen(t, o, s);
		return;
	case TCPFSM_SYN_SENT:
		arrives_syn_sent(t, o, s);
		return;
	case TCPFSM_SYN_RCVD:
		/* Figure 7: the SYN|ACK of a simultaneous open is old but for its ACK. */
		if (!t->passive && (s.flags & (S | A | R)) == (S | A) && s.seq == t->irs) {
			s.seq++;
			s.flags &= ~S;
		}
		break;
	case TCPFSM_TIME_WAIT:
		/* MAY, 3.6.1: a SYN beyond the old connection opens a new one. */
		if (t->listens && (s.flags & (S | A | R)) == S && s.seq > t->rcv) {
			go(t, TCPFSM_CLOSED);
			arrives_listen(t, o, s);
			return;
		}
		break;
	}
	if (s.flags & R) {
		arrives_rst(t, o, s);
		return;
	}
	if (!acceptable(t, s)) {
		say_ack(t, o);
		return;
	}
	if (s.flags & S) {
		if (t->state == TCPFSM_SYN_RCVD && t->passive)
			go(t, TCPFSM_LISTEN);
		else
			say_ack(t, o);
		return;
	}
	if (s.flags & A && take_ack(t, o, s))
		take_all_text(t, o, s);
}

#undef F
#undef S
#undef R
#undef A

#endif /* _MODEL_TCP_H */
