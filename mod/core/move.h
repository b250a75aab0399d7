/* SPDX-License-Identifier: GPL-2.0 */
/* One event at one end: through the machine, to a move that is reported. */
#ifndef _TFSM_MOVE_H
#define _TFSM_MOVE_H

#include "engine.h"

/* An end leaves its state for another: the only writer of a state. */
static inline void tfsm_write_move(struct tfsm *f, struct tfsm_end *e, u8 to, u8 event, u8 flags,
				   struct tfsm_out *o)
{
	if (o->moves < TFSM_MOVES_MAX) {
		o->move[o->moves++] = (struct tfsm_move) {
			.end = e - f->end, .from = e->state, .to = to, .cause = event,
			.flags = flags,
		};
	}
	e->state = to;
	e->moves++;
}

/* Raise an event that leads to a state, at an end with nothing beneath it. */
static inline void tfsm_raise(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o)
{
	tfsm_write_move(f, e, tfsm_next(e->state, event), event, 0, o);
}

/* Raise any event at any end. @given: the state, for events whose cell of the machine is GIVEN. */
void tfsm_move_given(struct tfsm *f, struct tfsm_end *e, u8 event, u8 given, u8 flags,
		     struct tfsm_out *o);
void tfsm_move(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o);

/* Raise an event that other segments prove: the one that stands for it has not passed. */
void tfsm_infer(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o);

/* Raise FIN_ACKED if it was held until the end answers the peer's FIN. */
void tfsm_release_held(struct tfsm *f, struct tfsm_end *e, struct tfsm_out *o);

#endif /* _TFSM_MOVE_H */
