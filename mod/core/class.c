// SPDX-License-Identifier: GPL-2.0
/* Which time-out a flow has: the one table from pairs of states to classes. */
#include "engine.h"

/* What an end is waited for, the most urgent first: of two ends, that one decides. */
enum wait {
	WAIT_2MSL,
	WAIT_OPENING,
	WAIT_CLOSING,
	WAIT_HALF_CLOSED,
	WAIT_NOTHING,
};

static const u8 waits_for[TCPFSM_STATES] = {
	[TCPFSM_STATE_UNSET]	= WAIT_NOTHING,
	[TCPFSM_CLOSED]		= WAIT_CLOSING,		/* its peer is not */
	[TCPFSM_LISTEN]		= WAIT_OPENING,
	[TCPFSM_SYN_SENT]	= WAIT_OPENING,
	[TCPFSM_SYN_RCVD]	= WAIT_OPENING,
	[TCPFSM_ESTABLISHED]	= WAIT_NOTHING,
	[TCPFSM_FIN_WAIT_1]	= WAIT_CLOSING,
	[TCPFSM_FIN_WAIT_2]	= WAIT_HALF_CLOSED,
	[TCPFSM_CLOSE_WAIT]	= WAIT_HALF_CLOSED,
	[TCPFSM_CLOSING]	= WAIT_CLOSING,
	[TCPFSM_LAST_ACK]	= WAIT_CLOSING,
	[TCPFSM_TIME_WAIT]	= WAIT_2MSL,
};

static const u8 classes[] = {
	[WAIT_2MSL]		= TFSM_CLASS_TIME_WAIT,
	[WAIT_OPENING]		= TFSM_CLASS_OPENING,
	[WAIT_CLOSING]		= TFSM_CLASS_CLOSING,
	[WAIT_HALF_CLOSED]	= TFSM_CLASS_HALF_CLOSED,
	[WAIT_NOTHING]		= TFSM_CLASS_ESTABLISHED,
};

/*
 * May an end have closed unseen, so that half of the pair is a ghost? Before the flow was met,
 * unless it has sent since; or in what its peer acknowledged, and did not pass.
 */
static bool may_have_closed(const struct tfsm *f, u8 end)
{
	const struct tfsm_end *e = &f->end[end];

	if (has_fact(e, TFSM_E_FIN))
		return false;
	if (f->flags & tail_of(end))
		return true;
	return f->flags & TCPFSM_F_MIDSTREAM && !has_fact(e, TFSM_E_SYN | TFSM_E_DATA) &&
	       e->next == e->isn;
}

enum tfsm_class tfsm_class(const struct tfsm *f)
{
	const struct tfsm_end *a = &f->end[TCPFSM_ORIG], *b = &f->end[TCPFSM_RESP];
	u8 mine = waits_for[a->state], other = waits_for[b->state];
	u8 wait = mine < other ? mine : other;

	if (tfsm_closed(a) && tfsm_closed(b))
		return TFSM_CLASS_CLOSED;
	if (f->flags & TCPFSM_F_UNCONFIRMED && wait != WAIT_2MSL)
		return TFSM_CLASS_OPENING;
	if (f->flags & TCPFSM_F_SUSPECT && wait >= WAIT_HALF_CLOSED)
		return TFSM_CLASS_CLOSING;
	if (wait == WAIT_HALF_CLOSED &&
	    (may_have_closed(f, TCPFSM_ORIG) || may_have_closed(f, TCPFSM_RESP)))
		return TFSM_CLASS_CLOSING;
	return classes[wait];
}
