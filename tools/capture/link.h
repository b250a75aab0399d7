/* SPDX-License-Identifier: GPL-2.0 */
/* Link layers: what stands before the IP header. */
#ifndef CAPTURE_LINK_H
#define CAPTURE_LINK_H

#include "capture/cursor.h"

/* @link: DLT_* */
bool link_is_known(int link);
/*
 * Moves behind the link layer's header, VLAN tags included. @type: the EtherType, or 0 where any
 * version of IP may follow.
 * Return: false if the frame ends before that.
 */
bool link_skip(struct cursor *c, int link, u16 *type);

#endif
