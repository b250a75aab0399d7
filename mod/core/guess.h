/* SPDX-License-Identifier: GPL-2.0 */
/* FINs that did not pass here, and are inferred. */
#ifndef _TFSM_GUESS_H
#define _TFSM_GUESS_H

#include "engine.h"

/* b's peer acknowledges one octet that did not pass here; b->next is behind it. */
void tfsm_guess_fin(struct tfsm *f, struct tfsm_end *b, struct tfsm_out *o);

/*
 * A segment of ACK kind, before it is judged: if it shows that a FIN was guessed wrongly, and is
 * acceptable without that FIN, both ends go back to where they are without it.
 */
void tfsm_deny_fin(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

#endif /* _TFSM_GUESS_H */
