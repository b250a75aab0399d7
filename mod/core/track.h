/* SPDX-License-Identifier: GPL-2.0 */
/* The way of a segment through the engine that has no short cut: for tests. */
#ifndef _TFSM_TRACK_H
#define _TFSM_TRACK_H

#include "tfsm.h"

/* As tfsm_track(), but what could go a short way goes the full one, too. */
enum tfsm_verdict tfsm_track_fully(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

#endif /* _TFSM_TRACK_H */
