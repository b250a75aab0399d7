/* SPDX-License-Identifier: GPL-2.0 */
/* What an acceptable segment with ACK, and perhaps FIN, does to both ends. */
#ifndef _TFSM_ACK_H
#define _TFSM_ACK_H

#include "engine.h"

enum tfsm_verdict tfsm_take_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/* Does the segment prove that its sender takes what we saw of its peer? */
void tfsm_confirm(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

#endif /* _TFSM_ACK_H */
