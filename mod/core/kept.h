/* SPDX-License-Identifier: GPL-2.0 */
/* What the extension holds of SYNs, and SYN|ACKs, in living connections. */
#ifndef _TFSM_KEPT_H
#define _TFSM_KEPT_H

#include "engine.h"

/* Keep a SYN or SYN|ACK. @why: the note of the first. */
enum tfsm_verdict tfsm_keep_syn(struct tfsm *f, const struct tfsm_seg *s, enum tfsm_note why,
				struct tfsm_out *o);
void tfsm_drop_kept(struct tfsm *f, u8 dir);

/* This sender goes on: a SYN in its name that is kept is somebody else's. */
void tfsm_drop_refuted(struct tfsm *f, u8 dir);

/* The flow is over, and the next begins with the SYN that this sender has kept. */
void tfsm_choose_kept(struct tfsm *f, u8 dir);

/* The SYN of this sender that is kept; NULL: there is none, or its sender goes on as before. */
const struct tfsm_syn *tfsm_kept_syn(const struct tfsm *f, u8 dir);

/* Does this segment acknowledge a kept SYN of its receiver? */
bool tfsm_acks_kept(const struct tfsm *f, const struct tfsm_seg *s);

/* Does this RST answer a kept SYN|ACK of its receiver? */
bool tfsm_resets_kept(const struct tfsm *f, const struct tfsm_seg *s);

/* Is it the first that follows a kept SYN|ACK of its receiver? */
bool tfsm_follows_kept(const struct tfsm *f, const struct tfsm_seg *s);

/* Does its sender go on behind a SYN of its own that is kept, and was not sent before? */
bool tfsm_goes_on_from_kept(const struct tfsm *f, const struct tfsm_seg *s);

/*
 * Do both ends go on behind a kept SYN, as the strays show? Its SYN|ACK was missed. Then
 * tfsm_open_kept() begins with that SYN.
 */
bool tfsm_kept_is_proven(struct tfsm *f);

#endif /* _TFSM_KEPT_H */
