/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the extension holds: SYNs in living connections, and refused segments (strays). Strays are
 * written here alone, so that TFSM_F_STRAYS tells whether any counts.
 */
#ifndef _TFSM_EXT_H
#define _TFSM_EXT_H

#include "engine.h"

void tfsm_drop_kept(struct tfsm *f, u8 dir);

/* Does this segment acknowledge a kept SYN of its receiver? */
bool tfsm_acks_kept(const struct tfsm *f, const struct tfsm_seg *s);
enum tfsm_verdict tfsm_keep_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/* Add a refused segment. Return: the strays of both ends agree, and our numbers are wrong. */
bool tfsm_strays_agree(struct tfsm *f, const struct tfsm_seg *s);

/* The last stray of this sender is a FIN below what the sender seems to have sent. */
void tfsm_keep_moved_fin(struct tfsm *f, u8 dir);

/*
 * Does this ACK of the peer cover such a FIN, and nothing beyond it? Then it is no stray; nor is
 * one beyond which the peer has acknowledged, for that is no FIN of this connection.
 */
bool tfsm_take_moved_fin(struct tfsm *f, u8 dir, u32 ack);

/* This sender's segments are acceptable again: its strays in a row end. */
void tfsm_end_strays(struct tfsm *f, u8 dir);
void tfsm_forget_strays(struct tfsm *f);

/* Take the strays' numbers for both ends; latched facts stay. */
void tfsm_reanchor(struct tfsm *f);

#endif /* _TFSM_EXT_H */
