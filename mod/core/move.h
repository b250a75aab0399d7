/* SPDX-License-Identifier: GPL-2.0 */
/* The only writer of a state. */
#ifndef _TFSM_MOVE_H
#define _TFSM_MOVE_H

#include "engine.h"

/* Raise an event at an end. @given: the state, for events whose cell of the machine is GIVEN. */
void tfsm_move_given(struct tfsm *f, struct tfsm_end *e, u8 event, u8 given, u8 flags,
		     struct tfsm_out *o);
void tfsm_move(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o);

/* Raise an event that other segments prove: the one that stands for it has not passed. */
void tfsm_infer(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o);

/* Raise FIN_ACKED if it was held until the end answers the peer's FIN. */
void tfsm_release_held(struct tfsm *f, struct tfsm_end *e, struct tfsm_out *o);

#endif /* _TFSM_MOVE_H */
