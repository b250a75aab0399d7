// SPDX-License-Identifier: GPL-2.0
/* Which time-out a flow has: the one table from pairs of states to classes. */
#include "tfsm.h"

/* The first row that fits either end decides: that end is the one to wait for. */
enum tfsm_class tfsm_class(const struct tfsm *f)
{
	static const struct {
		u16 states;
		u8 class;
	} rows[] = {
#define S(x) (1U << TCPFSM_##x)
		{ S(TIME_WAIT),				TFSM_CLASS_TIME_WAIT },
		{ S(SYN_SENT) | S(SYN_RCVD) | S(LISTEN), TFSM_CLASS_OPENING },
		{ S(FIN_WAIT_1) | S(CLOSING) | S(LAST_ACK) | S(CLOSED),
							TFSM_CLASS_CLOSING },
		{ S(FIN_WAIT_2) | S(CLOSE_WAIT),	TFSM_CLASS_HALF_CLOSED },
#undef S
	};
	const struct tfsm_end *a = &f->end[TCPFSM_ORIG], *b = &f->end[TCPFSM_RESP];
	u16 pair = 1U << a->state | 1U << b->state;
	enum tfsm_class class = TFSM_CLASS_ESTABLISHED;
	unsigned int i;

	if (tfsm_closed(a) && tfsm_closed(b))
		return TFSM_CLASS_CLOSED;
	if (f->flags & TCPFSM_F_UNCONFIRMED && !(pair & 1U << TCPFSM_TIME_WAIT))
		return TFSM_CLASS_OPENING;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (pair & rows[i].states) {
			class = rows[i].class;
			break;
		}
	}
	if (f->flags & TCPFSM_F_SUSPECT && class >= TFSM_CLASS_ESTABLISHED)
		return TFSM_CLASS_CLOSING;
	/* A FIN that we missed makes a ghost of a half-closed pair. */
	if (class == TFSM_CLASS_HALF_CLOSED &&
	    f->flags & (TCPFSM_F_MIDSTREAM | TCPFSM_F_GAP))
		return TFSM_CLASS_CLOSING;
	return class;
}
