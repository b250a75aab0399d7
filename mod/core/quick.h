/* SPDX-License-Identifier: GPL-2.0 */
/* The short ways of segments of ordinary connections; tfsm_in_order() is in tfsm.h. */
#ifndef _TFSM_QUICK_H
#define _TFSM_QUICK_H

#include "tfsm.h"

/*
 * tfsm_quick - take a segment with which an ordinary connection opens or closes
 * @o: as for tfsm_track()
 *
 * These are the SYN|ACK, the ACK of it, and the FINs and ACKs of a close from one end first.
 *
 * Return: true, and it has done all that tfsm_track_fully() would do and return TFSM_OK for; or
 * false, and it has done nothing.
 */
bool tfsm_quick(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

#endif /* _TFSM_QUICK_H */
