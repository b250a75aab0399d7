/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the extension holds of refused segments (strays). They are written here alone, so that
 * TFSM_F_STRAYS tells whether any counts.
 */
#ifndef _TFSM_STRAY_H
#define _TFSM_STRAY_H

#include "engine.h"

/* Add a refused segment. Return: the strays of both ends agree, and our numbers are wrong. */
bool tfsm_strays_agree(struct tfsm *f, const struct tfsm_seg *s);

/* The last stray of this sender is a FIN below what the sender seems to have sent. */
void tfsm_keep_moved_fin(struct tfsm *f, u8 dir);

/*
 * Does this ACK of the peer cover such a FIN, and nothing beyond it? Then it is no stray; nor is
 * one beyond which the peer has acknowledged, for that is no FIN of this connection.
 */
bool tfsm_take_moved_fin(struct tfsm *f, u8 dir, u32 ack);

/* A segment is acceptable: our numbers are alive, and strays of either end only count anew. */
void tfsm_end_strays(struct tfsm *f);
void tfsm_forget_strays(struct tfsm *f);

/* Take the strays' numbers for both ends; latched facts stay. */
void tfsm_reanchor(struct tfsm *f);

#endif /* _TFSM_STRAY_H */
