/* SPDX-License-Identifier: GPL-2.0 */
/* RST: which end has to accept it, and what if both ends go on regardless. */
#ifndef _TFSM_RESET_H
#define _TFSM_RESET_H

#include "engine.h"

enum tfsm_verdict tfsm_on_rst(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/* Both ends resume the states that went on beneath a RST: it was lost, or ignored. */
void tfsm_put_back(struct tfsm *f, struct tfsm_out *o);

/* a, which has sent a RST in SYN_SENT, sends its SYN again. */
void tfsm_wait_for_synack(struct tfsm *f, struct tfsm_end *a, struct tfsm_out *o);

/* An acceptable segment of a has passed. */
void tfsm_talked(struct tfsm *f, struct tfsm_end *a, struct tfsm_out *o);

#endif /* _TFSM_RESET_H */
