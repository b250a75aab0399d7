/* SPDX-License-Identifier: GPL-2.0 */
/* FINs that did not pass here, and are inferred. */
#ifndef _TFSM_GUESS_H
#define _TFSM_GUESS_H

#include "engine.h"

/*
 * The segment acknowledges one octet of its receiver that did not pass here; the receiver's next is
 * behind it. If the FIN passes late, then in the same segment as its ACK of the sender's FIN, most
 * likely: so it is shown.
 */
void tfsm_guess_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/*
 * A segment of ACK kind, before it is judged: if it shows that a FIN was guessed wrongly, and is
 * acceptable without that FIN, both ends go back to where they are without it.
 */
void tfsm_deny_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

#endif /* _TFSM_GUESS_H */
