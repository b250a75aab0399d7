/* SPDX-License-Identifier: GPL-2.0 */
/* What a segment teaches about sequence space. */
#ifndef _TFSM_LEARN_H
#define _TFSM_LEARN_H

#include "engine.h"

/* The numbers and options of a's SYN or SYN|ACK. */
void tfsm_learn_syn(struct tfsm_end *a, const struct tfsm_seg *s);
void tfsm_learn_ack(struct tfsm *f, const struct tfsm_seg *s);
void tfsm_learn_seq(struct tfsm_end *a, const struct tfsm_seg *s);
void tfsm_learn_window(struct tfsm_end *a, u32 win);

/* Is x close enough to y to be of the same conversation: within a megabyte, or @win? */
bool tfsm_near(u32 x, u32 y, u32 win);

#endif /* _TFSM_LEARN_H */
