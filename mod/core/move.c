// SPDX-License-Identifier: GPL-2.0
/* One event at one end: through the machine, to a move that is reported. */
#include "move.h"

/* Moves beneath a RST are not shown, unless the flow resumes. */
void tfsm_move_given(struct tfsm *f, struct tfsm_end *e, u8 event, u8 given, u8 flags,
		     struct tfsm_out *o)
{
	u8 from = state_of(e);
	u8 to = tfsm_next(from, event);

	if (to == TFSM_GIVEN)
		to = given;
	else if (to == TFSM_PASSIVE)
		to = has_fact(e, TFSM_E_PASSIVE) ? TCPFSM_LISTEN : TCPFSM_CLOSED;
	if (to >= TCPFSM_STATES || to == from)
		return;
	if (e->under)
		e->under = to;
	else
		tfsm_write_move(f, e, to, event, flags, o);
}

void tfsm_move(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o)
{
	tfsm_move_given(f, e, event, TCPFSM_STATE_UNSET, 0, o);
}

void tfsm_infer(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o)
{
	tfsm_move_given(f, e, event, TCPFSM_STATE_UNSET, TCPFSM_T_INFERRED, o);
}

void tfsm_release_held(struct tfsm *f, struct tfsm_end *e, struct tfsm_out *o)
{
	if (!has_fact(e, TFSM_E_HELD))
		return;
	e->facts &= ~TFSM_E_HELD;
	e->facts |= TFSM_E_FIN_ACKED;
	tfsm_move(f, e, TCPFSM_FIN_ACKED, o);
}
